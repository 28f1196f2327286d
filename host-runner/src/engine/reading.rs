//! A sync under way: an instance asked for one step after the other, one step ahead of whoever takes them.

use super::call::CallError;
use super::instance::{Instance, finish};
use super::meter::Guarded;
use super::turns::Turns;
use crate::contract::connector::{Progress, SyncRequest};
use crate::contract::types::Fault;
use crate::imports::Tap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What a reading hands over.
#[derive(Debug)]
pub enum Delivery {
    /// A step, or the end.
    Progress(Progress),
    /// The instance's memory has grown so far that it is better replaced: go on from the last checkpoint with a new one. Guest
    /// memory never shrinks, and any step can be the last.
    Recycle,
    /// The connector gives up, and says why.
    Fault(Fault),
    /// The instance was ended.
    Broken(CallError),
}

/// Steps of a sync. Dropping it ends the instance and its requests in flight.
pub struct Reading {
    deliveries: mpsc::Receiver<Delivery>,
    task: JoinHandle<()>,
    meter: Arc<super::meter::Meter>,
}

impl Reading {
    /// Starts the sync in a task of its own: it fetches the next step while the last is committed, and no further.
    pub(crate) fn start(instance: Instance, request: SyncRequest) -> Self {
        let (sender, deliveries) = mpsc::channel(1);
        let meter = Arc::clone(&instance.meter);
        let task = tokio::spawn(run(instance, request, sender));
        Self {
            deliveries,
            task,
            meter,
        }
    }

    /// The next delivery; none after the last.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// The most linear memory that the instance has used, in bytes.
    #[must_use]
    pub fn memory_peak(&self) -> u64 {
        self.meter.memory_peak()
    }

    /// How many requests the instance has sent.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.meter.requests()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut instance: Instance, request: SyncRequest, sender: mpsc::Sender<Delivery>) {
    const VERB: &str = "sync";
    let meter = Arc::clone(&instance.meter);
    let exports = &instance.exports;
    let recycle_at = meter.limits().recycle_mib << 20;
    let tap = instance.tap.clone();
    if let Some(tap) = &tap {
        tap.instance(&request);
        tap.asked();
    }
    let work = instance.store.run_concurrent(async |accessor| {
        let api = exports.connector_platform_connector();
        let reading = match api.call_sync(accessor, request).await? {
            Ok(reading) => reading,
            Err(fault) => {
                meter.end_step();
                if !tapped(&tap, &Err(fault.clone())) {
                    return Ok(());
                }
                // Nobody left to tell is as good as told.
                let _ = sender.send(Delivery::Fault(fault)).await;
                return wasmtime::Result::Ok(());
            }
        };
        loop {
            meter.begin_step();
            if let Some(tap) = &tap {
                tap.asked();
            }
            let progress = api.reading().call_next(accessor, reading).await?;
            meter.end_step();
            if !tapped(&tap, &progress) {
                return Ok(());
            }
            let last = !matches!(progress, Ok(Progress::Step(_)));
            let delivery = progress.map_or_else(Delivery::Fault, Delivery::Progress);
            if sender.send(delivery).await.is_err() || last {
                return Ok(());
            }
            if meter.memory_in_use() > recycle_at {
                let _ = sender.send(Delivery::Recycle).await;
                return Ok(());
            }
        }
    });
    let outcome = Guarded::new(Turns::new(work, tap.clone()), &meter).await;
    if let Err(error) = finish(VERB, &meter, outcome) {
        let _ = sender.send(Delivery::Broken(error)).await;
    }
}

/// Shows a tap what a call gave; whether to go on.
fn tapped(tap: &Option<Arc<dyn Tap>>, progress: &Result<Progress, Fault>) -> bool {
    tap.as_ref().is_none_or(|tap| tap.gave(progress))
}
