//! The `inventory` import over the store, bound to one connection and, in a sync, to the time before it began.

use super::books::Books;
use crate::domain::{ConnectionId, DataStreamName, SyncId};
use crate::imports::{HeldRecord, Inventory};
use crate::store::{OpenRecords, Order};
use futures_util::future::BoxFuture;

/// What the store holds of one connection.
pub struct StoreInventory<S> {
    /// The tenant's store.
    pub store: S,
    /// Whose records.
    pub connection: ConnectionId,
    /// The data streams that may be asked for.
    pub streams: Vec<DataStreamName>,
    /// The sync under way, before whose beginning the records are listed; as they are now where there is none.
    pub before: Option<SyncId>,
}

impl<S: Books> Inventory for StoreInventory<S> {
    fn open(
        &self,
        data_stream: String,
        oldest_check_first: bool,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<HeldRecord>, String>> {
        Box::pin(async move {
            let stream = self
                .streams
                .iter()
                .find(|stream| stream.as_str() == data_stream)
                .ok_or_else(|| format!("there is no data stream `{data_stream}`"))?;
            let held = self
                .store
                .open_records(&OpenRecords {
                    connection: self.connection,
                    stream: stream.clone(),
                    before: self.before,
                    order: if oldest_check_first {
                        Order::OldestCheck
                    } else {
                        Order::Key
                    },
                    after,
                    limit,
                })
                .await
                .map_err(|error| error.to_string())?;
            Ok(held
                .into_iter()
                .map(|record| HeldRecord {
                    key: record.key,
                    checked: record.checked.as_ms(),
                    fingerprint: record.fingerprint,
                })
                .collect())
        })
    }
}
