//! One instance of a component: made anew for each verb, never entered again after it broke.

use super::call::{CallError, DESCRIBE};
use super::limits::{LimitReached, Limits};
use super::meter::{Guarded, Meter};
use crate::contract;
use crate::domain::Clock;
use crate::imports::{Reach, State, Tap};
use std::sync::Arc;
use wasmtime::{Engine, Store};

/// What all instances of a process share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
}

/// One instance and the store that it lives in.
pub(crate) struct Instance {
    pub(crate) store: Store<State>,
    pub(crate) exports: contract::Plugin,
    pub(crate) meter: Arc<Meter>,
    /// What stands between it and its imports, where something does.
    pub(crate) tap: Option<Arc<dyn Tap>>,
}

/// Makes an instance within the limits.
pub(crate) async fn instantiate(
    shared: &Shared,
    pre: &contract::PluginPre<State>,
    reach: Reach,
    verb: &'static str,
) -> Result<Instance, CallError> {
    let meter = Arc::new(match reach.egress.clone() {
        Some(egress) => Meter::with(shared.limits.clone(), Box::new(move || egress.held_back())),
        None => Meter::new(shared.limits.clone()),
    });
    let tap = reach.tap.clone();
    let mut store = Store::new(&shared.engine, State::new(reach, Arc::clone(&meter)));
    store.limiter(|state| state);
    let handed_over = if verb == DESCRIBE {
        shared.limits.manifest_mib
    } else {
        shared.limits.call_mib
    };
    store.set_hostcall_fuel(usize::try_from(handed_over << 20).unwrap_or(usize::MAX));
    let handles = usize::try_from(shared.limits.handles).unwrap_or(usize::MAX);
    store.set_max_component_handles(handles);
    // What the runtime keeps of its own for calls and waits: a few entries for each handle.
    if let Some(table) = store.concurrent_resource_table() {
        table.set_max_capacity(handles.saturating_mul(8).saturating_add(64));
    }
    store.epoch_deadline_async_yield_and_update(1);
    store.set_epoch_deadline(1);
    meter.begin_step();
    let made = Guarded::new(pre.instantiate_async(&mut store), &meter).await;
    let exports = match made {
        Ok(Ok(exports)) => exports,
        Ok(Err(error)) => return Err(CallError::from_wasmtime(verb, &error, &meter)),
        Err(reached) => return Err(CallError::Limit { verb, reached }),
    };
    Ok(Instance {
        store,
        exports,
        meter,
        tap,
    })
}

/// Unfolds the ends of a guarded call: a limit around it, a trap of `run_concurrent`, a trap of the call itself.
pub(crate) fn finish<R>(
    verb: &'static str,
    meter: &Meter,
    outcome: Result<wasmtime::Result<wasmtime::Result<R>>, LimitReached>,
) -> Result<R, CallError> {
    meter.end_step();
    match outcome {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error)) | Err(error)) => Err(CallError::from_wasmtime(verb, &error, meter)),
        Err(reached) => Err(CallError::Limit { verb, reached }),
    }
}
