//! A prepared map in an instance of its own, fed with entries batch by batch.

use super::call::CallError;
use super::instance::{Instance, finish};
use super::meter::{Guarded, Meter};
use crate::contract::connector::{Entry, MapContext, Outcome};
use crate::contract::types::Problem;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const VERB: &str = "transform";

type Batch = (Vec<Entry>, oneshot::Sender<Vec<Outcome>>);

/// A map at work. Dropping it ends the instance.
pub struct Mapper {
    batches: mpsc::Sender<Batch>,
    task: JoinHandle<()>,
    broken: Arc<Mutex<Option<CallError>>>,
}

impl Mapper {
    /// Prepares the map; its own errors are told here, once.
    pub(crate) async fn start(
        instance: Instance,
        mapping: Vec<u8>,
        context: MapContext,
    ) -> Result<Result<Self, Vec<Problem>>, CallError> {
        let (batches, receiver) = mpsc::channel(1);
        let (told, prepared) = oneshot::channel();
        let broken = Arc::new(Mutex::new(None));
        let task = tokio::spawn(run(
            instance,
            mapping,
            context,
            told,
            receiver,
            Arc::clone(&broken),
        ));
        let mapper = Self {
            batches,
            task,
            broken,
        };
        match prepared.await {
            Ok(Ok(())) => Ok(Ok(mapper)),
            Ok(Err(problems)) => Ok(Err(problems)),
            Err(_) => Err(mapper.why()),
        }
    }

    /// One outcome for each entry, in order.
    pub async fn apply(&self, entries: Vec<Entry>) -> Result<Vec<Outcome>, CallError> {
        let expected = entries.len();
        let (reply, outcomes) = oneshot::channel();
        if self.batches.send((entries, reply)).await.is_err() {
            return Err(self.why());
        }
        let outcomes = outcomes.await.map_err(|_| self.why())?;
        if outcomes.len() == expected {
            Ok(outcomes)
        } else {
            Err(CallError::Contract {
                verb: VERB,
                message: format!("{} outcomes for {expected} entries", outcomes.len()),
            })
        }
    }

    fn why(&self) -> CallError {
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .unwrap_or(CallError::Cancelled { verb: VERB })
    }
}

impl Drop for Mapper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut instance: Instance,
    mapping: Vec<u8>,
    context: MapContext,
    told: oneshot::Sender<Result<(), Vec<Problem>>>,
    mut batches: mpsc::Receiver<Batch>,
    broken: Arc<Mutex<Option<CallError>>>,
) {
    let meter: Arc<Meter> = Arc::clone(&instance.meter);
    let exports = &instance.exports;
    // What is still to be answered when the instance breaks: dropped only after the reason is written down.
    let pending: Mutex<Option<oneshot::Sender<Vec<Outcome>>>> = Mutex::new(None);
    let told = Mutex::new(Some(told));
    let work = instance.store.run_concurrent(async |accessor| {
        let api = exports.connector_platform_connector();
        let prepared = api.call_transform(accessor, mapping, context).await?;
        meter.end_step();
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mapper = match prepared {
            Ok(mapper) => {
                told.map(|told| told.send(Ok(())));
                mapper
            }
            Err(problems) => {
                told.map(|told| told.send(Err(problems)));
                return wasmtime::Result::Ok(());
            }
        };
        while let Some((entries, reply)) = batches.recv().await {
            *pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
            meter.begin_step();
            let outcomes = api.mapper().call_apply(accessor, mapper, entries).await?;
            meter.end_step();
            let reply = pending
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            reply.map(|reply| reply.send(outcomes));
        }
        Ok(())
    });
    let outcome = Guarded::new(work, &meter).await;
    if let Err(error) = finish(VERB, &meter, outcome) {
        *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
    drop(pending);
    drop(told);
}
