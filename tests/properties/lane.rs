//! What the cases that are played one after the other share: a component that is told a time of its own.

use cortex_xdr_simulator::TenantHandle;
use host_runner::component::Source;
use host_runner::domain::{Clock, SystemClock, Timestamp};
use host_runner::engine::{Plugin, Runtime, RuntimeOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The machine's clock, put ahead. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(self.0.load(Ordering::SeqCst))
    }
}

/// A component and its clock.
#[derive(Clone)]
pub struct Lane {
    pub plugin: Arc<Plugin>,
    clock: Ahead,
}

impl Lane {
    /// Compiled components are kept in the folder.
    pub async fn new(compiled: &Path) -> Self {
        let clock = Ahead::default();
        let runtime = Runtime::new(RuntimeOptions {
            cache: Some(compiled.to_owned()),
            clock: Arc::new(clock.clone()),
            ..RuntimeOptions::default()
        })
        .expect("an engine");
        let plugin = runtime.load(&Source::Bundled).await;
        Self {
            plugin: plugin.expect("the bundled connector"),
            clock,
        }
    }

    /// A tenant is new: its time is the machine's.
    pub fn begin(&self) {
        self.clock.0.store(0, Ordering::SeqCst);
    }

    /// Time passes, for the runner and for the tenant.
    pub fn pass(&self, tenant: &TenantHandle, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap();
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
        tenant.advance(time);
    }
}
