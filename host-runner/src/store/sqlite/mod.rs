//! The embedded store: one SQLite file per tenant, `<data>/tenants/<tenant>.db`.
//!
//! Isolation, deletion and keys follow from the file. It runs in WAL mode with `synchronous=NORMAL`: what a step committed survives the
//! death of the process at any moment. Should the machine lose power, the last commits may be missing, never a part of one; because records
//! and the checkpoint that covers them are one commit, the next run then reads a little again and loses nothing.

mod changes;
mod closing;
mod condition;
mod connections;
mod custom_fields;
mod doubts;
mod end;
mod erase;
mod error;
mod explained;
mod fail;
mod gate;
mod held;
mod identification;
mod import;
mod left_out;
mod maps;
mod open;
mod pack;
mod reading;
mod remake;
mod runs;
mod schema;
mod scope;
mod secrets;
mod set_aside;
mod step;
mod stores;
mod summary;
mod syncs;
mod trial;
mod unseen;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream::BoxStream;
use sqlx::{Sqlite, SqlitePool, Transaction};

use self::fail::Fail;
use crate::domain::{
    ConnectionId, ConnectionName, DataStreamName, Ledger, MapName, RunId, SyncId, TenantName,
    Timestamp,
};
use crate::identification::Rules;
use crate::personal::LeaveOut;
use crate::store::{
    AmbiguousMatch, Asset, AssetFilter, BeginSync, Connection, Doubts, Due, DueRecords, EndCommit,
    EndReport, Feeder, Finding, FindingFilter, HeldDocument, Identified, Imported, ImportedAsset,
    KeptRecord, KeptSecret, LeftOut, MapVersion, NewMap, NewRun, OpenRecord, OpenRecords,
    ProbableDuplicate, Purge, QuarantineFilter, Quarantined, Record, RecordQuery, RemakeCommit,
    RemovalGuard, RemovalPreview, Retried, Run, RunEnd, RunFilter, RunLock, SavedMap, Saving,
    SealedSecret, SetAside, Standing, StandingQuery, StepCommit, Store, StoreError, Summary,
    SyncHistory, SyncState,
};

#[cfg(test)]
mod tests;

pub use schema::SCHEMA_VERSION;
pub use stores::Stores;
pub use trial::Trial;

/// One tenant's file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tenant: TenantName,
    file: PathBuf,
    locks: PathBuf,
    /// One connection: SQLite has one writer, and within a process waiting for it in a queue is fairer than its own waiting.
    writer: SqlitePool,
    /// Readers see the last commit and do not wait for the writer.
    readers: SqlitePool,
    /// Dropped last.
    _gate: gate::Gate,
}

impl SqliteStore {
    /// A transaction that may write. It waits for its turn at the start, so that it never has to give up half-way; dropped, it leaves nothing.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Fail> {
        match self.inner.writer.begin_with("BEGIN IMMEDIATE").await {
            // After a full disk or a failed write SQLite rolls back by itself, and sqlx counts that transaction as open for ever:
            // the next one begins on a new connection.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                let _ = self.inner.writer.acquire().await?.close().await;
                Ok(self.inner.writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            begun => Ok(begun?),
        }
    }

    /// Closes the file, and waits until that is done.
    pub async fn close(self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// The error with the connection's name in place of its number, which says nothing to people.
    async fn named(&self, error: StoreError, connection: ConnectionId) -> StoreError {
        let StoreError::Busy { since, pid, .. } = error else {
            return error;
        };
        let name: Result<Option<String>, _> =
            sqlx::query_scalar("SELECT name FROM connections WHERE id = ?1")
                .bind(connection.0)
                .fetch_optional(&self.inner.readers)
                .await;
        StoreError::Busy {
            connection: match name {
                Ok(Some(name)) => format!("\"{name}\""),
                _ => connection.to_string(),
            },
            since,
            pid,
        }
    }

    /// What went wrong, in the store's terms.
    fn explain(&self, fail: Fail) -> StoreError {
        fail.explain(&self.inner.file)
    }
}

impl Store for SqliteStore {
    fn tenant(&self) -> &TenantName {
        &self.inner.tenant
    }

    async fn create_connection<E: From<StoreError> + Send>(
        &self,
        connection: &Connection,
        seal: impl FnOnce(ConnectionId) -> Result<Vec<SealedSecret>, E> + Send,
    ) -> Result<Connection, E> {
        let (tx, saved) = connections::create(self, connection)
            .await
            .map_err(|fail| self.explain(fail))?;
        let secrets = seal(saved.id)?;
        connections::commit(tx, &saved, &secrets)
            .await
            .map_err(|fail| self.explain(fail))?;
        Ok(saved)
    }

    async fn update_connection(
        &self,
        connection: &Connection,
        secrets: &[SealedSecret],
    ) -> Result<(), StoreError> {
        connections::update(self, connection, secrets)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn connection(&self, name: &ConnectionName) -> Result<Connection, StoreError> {
        connections::load(self, name)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        connections::list(self)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn remove_connection(&self, id: ConnectionId, purge: Purge) -> Result<(), StoreError> {
        match connections::remove(self, id, purge).await {
            Ok(()) if purge == Purge::Data => {
                users::shrink(self).await.map_err(|fail| self.explain(fail))
            }
            Ok(()) => Ok(()),
            Err(fail) => Err(self.named(self.explain(fail), id).await),
        }
    }

    async fn put_secret(
        &self,
        connection: ConnectionId,
        name: &str,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        secrets::put(self, connection, name, sealed)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn secret(
        &self,
        connection: ConnectionId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        secrets::one(self, connection, name)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn secret_names(&self, connection: ConnectionId) -> Result<Vec<String>, StoreError> {
        secrets::names(self, connection)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn sealed_secrets(&self) -> Result<Vec<KeptSecret>, StoreError> {
        secrets::list(self).await.map_err(|fail| self.explain(fail))
    }

    async fn reseal_secrets(
        &self,
        reseal: impl FnMut(&KeptSecret) -> Option<Vec<u8>> + Send,
    ) -> Result<u64, StoreError> {
        secrets::reseal(self, reseal)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn lock(&self, connection: ConnectionId, now: Timestamp) -> Result<RunLock, StoreError> {
        match runs::take_lock(self, connection, now).await {
            Ok(lock) => Ok(lock),
            Err(fail) => Err(self.named(self.explain(fail), connection).await),
        }
    }

    async fn begin_run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        runs::begin(self, run)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn finish_run(&self, run: RunId, end: &RunEnd) -> Result<Option<SetAside>, StoreError> {
        runs::finish(self, run, end)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn leave_out_users(
        &self,
        connection: ConnectionId,
        by: &BTreeMap<DataStreamName, LeaveOut>,
    ) -> Result<(), StoreError> {
        users::leave_out(self, connection, by)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn reinstate(&self, connection: ConnectionId) -> Result<bool, StoreError> {
        set_aside::reinstate(self, connection)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        runs::list(self, filter)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn run(&self, id: RunId) -> Result<Run, StoreError> {
        runs::load(self, id)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn begin_or_resume_sync(&self, begin: &BeginSync) -> Result<SyncState, StoreError> {
        syncs::begin_or_resume(self, begin)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn abandon_sync(&self, sync: SyncId) -> Result<(), StoreError> {
        syncs::abandon(self, sync)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn sync_history(
        &self,
        connection: ConnectionId,
        stream: &DataStreamName,
    ) -> Result<SyncHistory, StoreError> {
        syncs::history(self, connection, stream)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn standing(&self, query: &StandingQuery<'_>) -> Result<Vec<Standing>, StoreError> {
        held::standing(self, query)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn commit_step(&self, step: StepCommit) -> Result<Ledger, StoreError> {
        step::commit(self, step)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn due(&self, query: &DueRecords<'_>) -> Result<Due, StoreError> {
        remake::due(self, query)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn due_records(&self, query: &DueRecords<'_>) -> Result<Vec<KeptRecord>, StoreError> {
        remake::due_records(self, query)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn beside(
        &self,
        connection: ConnectionId,
        records: &[i64],
    ) -> Result<Vec<KeptRecord>, StoreError> {
        remake::beside(self, connection, records)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn commit_remake(&self, commit: &RemakeCommit) -> Result<Ledger, StoreError> {
        remake::commit(self, commit)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn preview_removal(
        &self,
        sync: SyncId,
        guard: &RemovalGuard,
    ) -> Result<RemovalPreview, StoreError> {
        end::preview(self, sync, guard)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn commit_end(&self, end: &EndCommit) -> Result<EndReport, StoreError> {
        end::commit(self, end)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn open_records(&self, query: &OpenRecords) -> Result<Vec<OpenRecord>, StoreError> {
        reading::open_records(self, query)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn records(&self, query: &RecordQuery) -> Result<Vec<Record>, StoreError> {
        reading::records(self, query)
            .await
            .map_err(|fail| self.explain(fail))
    }

    fn assets<'a>(&'a self, filter: &AssetFilter) -> BoxStream<'a, Result<Asset, StoreError>> {
        reading::assets(self, filter)
    }

    fn findings<'a>(
        &'a self,
        filter: &FindingFilter,
    ) -> BoxStream<'a, Result<Finding, StoreError>> {
        reading::findings(self, filter)
    }

    async fn known_by(
        &self,
        key: &str,
        connection: Option<ConnectionId>,
    ) -> Result<Vec<HeldDocument>, StoreError> {
        explained::known_by(self, key, connection)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn known_like(&self, key: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        explained::known_like(self, key, limit)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn feeders(&self, document: HeldDocument) -> Result<Vec<Feeder>, StoreError> {
        explained::feeders(self, document)
            .await
            .map_err(|fail| self.explain(fail))
    }

    fn quarantine<'a>(
        &'a self,
        filter: &QuarantineFilter,
    ) -> BoxStream<'a, Result<Quarantined, StoreError>> {
        reading::quarantine(self, filter)
    }

    async fn summary(&self, connection: ConnectionId) -> Result<Summary, StoreError> {
        summary::of(self, connection)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn left_out(
        &self,
        connection: ConnectionId,
        examples: u32,
    ) -> Result<Vec<LeftOut>, StoreError> {
        left_out::of(self, connection, examples)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn identification(&self) -> Result<Rules, StoreError> {
        identification::list(self)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn set_identification(&self, rules: &Rules) -> Result<Identified, StoreError> {
        identification::set(self, rules)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn import_assets(
        &self,
        source: &str,
        rows: &[ImportedAsset],
        now: Timestamp,
    ) -> Result<Imported, StoreError> {
        import::import(self, source, rows, now)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn tried_again(&self) -> Result<Vec<Retried>, StoreError> {
        identification::tried_again(self)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn doubts(&self, connection: Option<ConnectionId>) -> Result<Doubts, StoreError> {
        doubts::count(self, connection)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn ambiguous(
        &self,
        connection: Option<ConnectionId>,
        limit: Option<u64>,
    ) -> Result<Vec<AmbiguousMatch>, StoreError> {
        doubts::ambiguous(self, connection, limit)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn duplicates(
        &self,
        connection: Option<ConnectionId>,
        limit: Option<u64>,
    ) -> Result<Vec<ProbableDuplicate>, StoreError> {
        doubts::duplicates(self, connection, limit)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn custom_fields(&self) -> Result<Vec<String>, StoreError> {
        custom_fields::list(self)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn add_custom_field(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        custom_fields::add(self, name, now)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn remove_custom_field(&self, name: &str) -> Result<bool, StoreError> {
        custom_fields::remove(self, name)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn save_map(&self, map: &NewMap<'_>) -> Result<Saving, StoreError> {
        maps::save(self, map)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn maps(&self) -> Result<Vec<SavedMap>, StoreError> {
        maps::newest(self).await.map_err(|fail| self.explain(fail))
    }

    async fn map(&self, name: &MapName, number: u32) -> Result<Option<SavedMap>, StoreError> {
        maps::one(self, name, number)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn map_versions(&self, name: &MapName) -> Result<Vec<MapVersion>, StoreError> {
        maps::versions(self, name)
            .await
            .map_err(|fail| self.explain(fail))
    }

    async fn remove_map(&self, name: &MapName) -> Result<u64, StoreError> {
        maps::remove(self, name)
            .await
            .map_err(|fail| self.explain(fail))
    }
}
