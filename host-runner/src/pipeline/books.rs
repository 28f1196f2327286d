//! What a run asks of the store, and nothing more: so that it can be answered from elsewhere.

use super::mode::Chosen;
use crate::domain::{ConnectionId, DataStreamName, Ledger, RunId, SyncId};
use crate::store::{
    BeginSync, EndCommit, EndReport, NewRun, OpenRecord, OpenRecords, RunEnd, SetAside, Standing,
    StandingQuery, StepCommit, Store, StoreError, SyncHistory, SyncState,
};
use std::future::Future;

/// The store, as one run sees it. Each [`Store`] is one; the methods are the same.
#[expect(missing_docs, reason = "the words are with `Store`")]
pub trait Books: Clone + Send + Sync + 'static {
    /// The mode that was chosen already, where the run is one that was recorded.
    fn chosen(&self) -> Option<Chosen> {
        None
    }

    fn sync_history(
        &self,
        connection: ConnectionId,
        stream: &DataStreamName,
    ) -> impl Future<Output = Result<SyncHistory, StoreError>> + Send;

    fn custom_fields(&self) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    fn begin_run(&self, run: &NewRun) -> impl Future<Output = Result<RunId, StoreError>> + Send;

    fn begin_or_resume_sync(
        &self,
        begin: &BeginSync,
    ) -> impl Future<Output = Result<SyncState, StoreError>> + Send;

    fn abandon_sync(&self, sync: SyncId) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn standing(
        &self,
        query: &StandingQuery<'_>,
    ) -> impl Future<Output = Result<Vec<Standing>, StoreError>> + Send;

    fn commit_step(
        &self,
        step: StepCommit,
    ) -> impl Future<Output = Result<Ledger, StoreError>> + Send;

    fn commit_end(
        &self,
        end: &EndCommit,
    ) -> impl Future<Output = Result<EndReport, StoreError>> + Send;

    fn finish_run(
        &self,
        run: RunId,
        end: &RunEnd,
    ) -> impl Future<Output = Result<Option<SetAside>, StoreError>> + Send;

    fn open_records(
        &self,
        query: &OpenRecords,
    ) -> impl Future<Output = Result<Vec<OpenRecord>, StoreError>> + Send;
}

impl<S: Store> Books for S {
    async fn sync_history(
        &self,
        connection: ConnectionId,
        stream: &DataStreamName,
    ) -> Result<SyncHistory, StoreError> {
        Store::sync_history(self, connection, stream).await
    }

    async fn custom_fields(&self) -> Result<Vec<String>, StoreError> {
        Store::custom_fields(self).await
    }

    async fn begin_run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        Store::begin_run(self, run).await
    }

    async fn begin_or_resume_sync(&self, begin: &BeginSync) -> Result<SyncState, StoreError> {
        Store::begin_or_resume_sync(self, begin).await
    }

    async fn abandon_sync(&self, sync: SyncId) -> Result<(), StoreError> {
        Store::abandon_sync(self, sync).await
    }

    async fn standing(&self, query: &StandingQuery<'_>) -> Result<Vec<Standing>, StoreError> {
        Store::standing(self, query).await
    }

    async fn commit_step(&self, step: StepCommit) -> Result<Ledger, StoreError> {
        Store::commit_step(self, step).await
    }

    async fn commit_end(&self, end: &EndCommit) -> Result<EndReport, StoreError> {
        Store::commit_end(self, end).await
    }

    async fn finish_run(&self, run: RunId, end: &RunEnd) -> Result<Option<SetAside>, StoreError> {
        Store::finish_run(self, run, end).await
    }

    async fn open_records(&self, query: &OpenRecords) -> Result<Vec<OpenRecord>, StoreError> {
        Store::open_records(self, query).await
    }
}
