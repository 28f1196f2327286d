//! The host's side of the contract's imports, one module per interface.
//!
//! Two kinds of failure are kept apart: what the guest is told (the contract's `failure`), and what ends the guest (a trap,
//! for a reached limit or a broken rule of the component model).

mod clock;
mod http;
mod inventory;
mod log;
mod outbound;
mod tap;

pub use self::http::ResponseBody;
pub use self::inventory::{HeldRecord, Inventory, NoInventory};
pub use self::log::{LogLine, LogSink, Silent};
pub use self::outbound::{Answer, Outbound, ReplyBody};
pub use self::tap::Tap;

use crate::contract;
use crate::domain::{Clock, FixedClock, Timestamp};
use crate::engine::{CORE_INSTANCES, MEMORIES, Meter, TABLES};
use std::sync::Arc;
use tokio::sync::Semaphore;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;

/// What one instance can reach.
pub struct Reach {
    /// The way out; none for verbs that are pure by type.
    pub egress: Option<Arc<dyn Outbound>>,
    /// What the platform holds.
    pub inventory: Arc<dyn Inventory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where lines of log go.
    pub log: Arc<dyn LogSink>,
    /// What stands between a sync's guest and all this, where something does.
    pub tap: Option<Arc<dyn Tap>>,
}

impl Reach {
    /// For verbs that are pure: no way out, nothing held, and a clock that stands at the epoch. A component that knew the time could describe
    /// itself otherwise after it was looked at.
    #[must_use]
    pub fn nothing(log: Arc<dyn LogSink>) -> Self {
        Self {
            egress: None,
            inventory: Arc::new(NoInventory),
            clock: Arc::new(FixedClock::at(Timestamp::EPOCH)),
            log,
            tap: None,
        }
    }
}

/// The data of one instance's store.
pub struct State {
    pub(crate) reach: Reach,
    pub(crate) meter: Arc<Meter>,
    pub(crate) table: ResourceTable,
    /// Questions about what is held are answered one at a time: else one instance could keep all of its tenant's database busy.
    pub(crate) asking: Arc<Semaphore>,
}

impl State {
    /// A fresh state.
    #[must_use]
    pub fn new(reach: Reach, meter: Arc<Meter>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(meter.limits().handles).unwrap_or(usize::MAX));
        Self {
            reach,
            meter,
            table,
            asking: Arc::new(Semaphore::new(1)),
        }
    }
}

impl contract::types::Host for State {}
impl contract::signing::Host for State {}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.meter.memory(desired)?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.meter.table(desired.saturating_sub(current))?;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}
