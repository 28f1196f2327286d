//! Stand-ins until the statements are there.
use super::SqliteStore;
use crate::domain::*;
use crate::store::*;
use futures_util::stream::BoxStream;

fn unbuilt() -> StoreError {
    StoreError::Refused {
        what: "this".to_owned(),
        reason: "not built yet".to_owned(),
    }
}

impl Store for SqliteStore {
    fn tenant(&self) -> &TenantName {
        &self.inner.tenant
    }

    async fn create_connection(&self, _connection: &Connection) -> Result<Connection, StoreError> {
        Err(unbuilt())
    }

    async fn update_connection(&self, _connection: &Connection) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    async fn connection(&self, _name: &ConnectionName) -> Result<Connection, StoreError> {
        Err(unbuilt())
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        Err(unbuilt())
    }

    async fn remove_connection(&self, _id: ConnectionId, _purge: Purge) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    async fn put_secret(
        &self,
        _connection: ConnectionId,
        _name: &str,
        _sealed: &[u8],
    ) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    async fn secret(
        &self,
        _connection: ConnectionId,
        _name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Err(unbuilt())
    }

    async fn secret_names(&self, _connection: ConnectionId) -> Result<Vec<String>, StoreError> {
        Err(unbuilt())
    }

    async fn delete_secret(
        &self,
        _connection: ConnectionId,
        _name: &str,
    ) -> Result<bool, StoreError> {
        Err(unbuilt())
    }

    async fn lock(
        &self,
        _connection: ConnectionId,
        _now: Timestamp,
    ) -> Result<RunLock, StoreError> {
        Err(unbuilt())
    }

    async fn begin_run(&self, _run: &NewRun) -> Result<RunId, StoreError> {
        Err(unbuilt())
    }

    async fn finish_run(&self, _run: RunId, _end: &RunEnd) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    async fn runs(&self, _filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        Err(unbuilt())
    }

    async fn run(&self, _id: RunId) -> Result<Run, StoreError> {
        Err(unbuilt())
    }

    async fn begin_or_resume_sync(&self, _begin: &BeginSync) -> Result<SyncState, StoreError> {
        Err(unbuilt())
    }

    async fn abandon_sync(&self, _sync: SyncId) -> Result<(), StoreError> {
        Err(unbuilt())
    }

    async fn sync_history(
        &self,
        _connection: ConnectionId,
        _stream: &DataStreamName,
    ) -> Result<SyncHistory, StoreError> {
        Err(unbuilt())
    }

    async fn standing(&self, _query: &StandingQuery<'_>) -> Result<Vec<Standing>, StoreError> {
        Err(unbuilt())
    }

    async fn commit_step(&self, _step: StepCommit) -> Result<Ledger, StoreError> {
        Err(unbuilt())
    }

    async fn preview_removal(&self, _sync: SyncId) -> Result<RemovalPreview, StoreError> {
        Err(unbuilt())
    }

    async fn commit_end(&self, _end: &EndCommit) -> Result<EndReport, StoreError> {
        Err(unbuilt())
    }

    async fn open_records(&self, _query: &OpenRecords) -> Result<Vec<OpenRecord>, StoreError> {
        Err(unbuilt())
    }

    async fn records(&self, _query: &RecordQuery) -> Result<Vec<Record>, StoreError> {
        Err(unbuilt())
    }

    fn assets<'a>(&'a self, _filter: &AssetFilter) -> BoxStream<'a, Result<Asset, StoreError>> {
        Box::pin(futures_util::stream::once(async { Err(unbuilt()) }))
    }

    fn findings<'a>(
        &'a self,
        _filter: &FindingFilter,
    ) -> BoxStream<'a, Result<Finding, StoreError>> {
        Box::pin(futures_util::stream::once(async { Err(unbuilt()) }))
    }

    fn quarantine<'a>(
        &'a self,
        _filter: &QuarantineFilter,
    ) -> BoxStream<'a, Result<Quarantined, StoreError>> {
        Box::pin(futures_util::stream::once(async { Err(unbuilt()) }))
    }

    async fn summary(&self, _connection: ConnectionId) -> Result<Summary, StoreError> {
        Err(unbuilt())
    }

    async fn custom_fields(&self) -> Result<Vec<String>, StoreError> {
        Err(unbuilt())
    }

    async fn add_custom_field(&self, _name: &str, _now: Timestamp) -> Result<bool, StoreError> {
        Err(unbuilt())
    }

    async fn remove_custom_field(&self, _name: &str) -> Result<bool, StoreError> {
        Err(unbuilt())
    }
}
