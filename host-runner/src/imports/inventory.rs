//! `inventory`: what the platform holds of this connection.

use super::State;
use crate::contract::inventory::{Held, Host, HostWithStore, Order};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use wasmtime::component::{Accessor, HasSelf};

/// A record that is held open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// Its entry's key.
    pub key: String,
    /// When it was last confirmed against the API, in milliseconds since the epoch.
    pub checked: u64,
    /// The fingerprint that it was last committed with.
    pub fingerprint: String,
}

/// The open records of one connection: bound to it by whoever makes it, so that no other can be named.
pub trait Inventory: Send + Sync {
    /// At most `limit` records of a data stream after the key `after`, by key or by the oldest check.
    fn open(
        &self,
        data_stream: String,
        oldest_check_first: bool,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<HeldRecord>, String>>;
}

/// Holds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoInventory;

impl Inventory for NoInventory {
    fn open(
        &self,
        _data_stream: String,
        _oldest_check_first: bool,
        _after: Option<String>,
        _limit: u32,
    ) -> BoxFuture<'_, Result<Vec<HeldRecord>, String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The most records that one call hands over.
const MOST: u32 = 10_000;

impl Host for State {}

impl<T: Send> HostWithStore<T> for HasSelf<State> {
    async fn open(
        accessor: &Accessor<T, Self>,
        data_stream: String,
        order: Order,
        after: Option<String>,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<Held>, String>> {
        let (inventory, asking) = accessor.with(|mut store| -> wasmtime::Result<_> {
            let state: &mut State = store.get();
            state.meter.host_call()?;
            Ok((
                Arc::clone(&state.reach.inventory),
                Arc::clone(&state.asking),
            ))
        })?;
        // It is never closed.
        let _turn = asking.acquire().await;
        let oldest_first = matches!(order, Order::OldestCheck);
        let held = inventory
            .open(data_stream, oldest_first, after, limit.min(MOST))
            .await;
        Ok(held.map(|records| {
            records
                .into_iter()
                .map(|record| Held {
                    key: record.key,
                    checked: record.checked,
                    fingerprint: record.fingerprint,
                })
                .collect()
        }))
    }
}
