//! `clock`: time, as the host tells it.

use super::State;
use crate::contract::clock::{Host, HostWithStore};
use std::time::Duration;
use wasmtime::component::{Accessor, HasSelf};

impl Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.meter.host_call()?;
        Ok(self.reach.clock.now().as_ms())
    }
}

impl<T: Send> HostWithStore<T> for HasSelf<State> {
    async fn sleep(accessor: &Accessor<T, Self>, milliseconds: u64) -> wasmtime::Result<()> {
        let tap = accessor.with(|mut store| -> wasmtime::Result<_> {
            let state: &mut State = store.get();
            state.meter.host_call()?;
            Ok(state.reach.tap.clone())
        })?;
        if let Some(tap) = tap {
            tap.sleep(milliseconds).await;
            return Ok(());
        }
        // However long it asks for: the step's time on the clock bounds it.
        tokio::time::sleep(Duration::from_millis(milliseconds.min(u64::from(u32::MAX)))).await;
        Ok(())
    }
}
