//! What the platform holds: connections, runs, checkpoints, source records, assets, findings and quarantine, for one tenant each.
//!
//! [`Store`] is the seam: the pipeline and the command line know only it. [`sqlite::SqliteStore`] is the embedded implementation, one
//! file per tenant. Whatever a step of a sync found is committed together with the checkpoint that covers it ([`Store::commit_step`]),
//! so that a process killed at any moment goes on without a lost or doubled record.
//!
//! The store is also where the rules live that decide what a record becomes: the table of switches
//! ([`Switches`]), parking and attaching, replacing an entry's findings, and the guard against removing too much.

mod asset;
mod asset_rules;
mod changes;
pub mod commit_point;
mod connection;
mod document;
mod error;
mod evidence;
mod explained;
mod finding;
mod identification;
mod import;
mod left_out;
mod lock;
mod map;
mod merge;
pub mod placeholders;
mod quarantine;
mod record;
mod remake;
mod removal;
mod run;
mod set_aside;
pub mod sqlite;
mod step;
mod summary;
mod sync;

use std::collections::BTreeMap;
use std::future::Future;

use futures_util::stream::BoxStream;

use crate::identification::Rules;
use crate::personal::LeaveOut;

use crate::domain::{
    ConnectionId, ConnectionName, DataStreamName, Ledger, MapName, RunId, SyncId, TenantName,
    Timestamp,
};

pub use crate::domain::Severity;
pub use asset::{Asset, AssetFilter, AssetState};
pub use asset_rules::{AssetRules, Switches};
pub use changes::{Change, Changed, ChangedExample};
pub use connection::{
    ComponentRef, Connection, KeptProxy, KeptSecret, Policy, Purge, SealedSecret, StoredMap,
    Tested, WayOut,
};
pub use document::{Document, DocumentKind, Lifecycle, Placeholder, Problem};
pub use error::StoreError;
pub use evidence::{Closing, Evidence};
pub use explained::{Feeder, HeldDocument};
pub use finding::{Finding, FindingFilter, FindingState};
pub use identification::{
    AmbiguousMatch, Doubts, Identified, MOST_CANDIDATES, NamedAsset, ProbableDuplicate, Retried,
    Twin,
};
pub use import::{Imported, ImportedAsset};
pub use left_out::{Filtered, LeftOut, Sample};
pub use lock::RunLock;
pub use map::{MapOrigin, MapVersion, NewMap, SavedMap, Saving, UsedMap};
pub use quarantine::{QuarantineFilter, Quarantined};
pub use record::{OpenRecord, OpenRecords, Order, Record, RecordQuery, RecordState};
pub use remake::{Beside, Due, DueRecords, KeptRecord, Remade, RemakeCommit};
pub use removal::{
    Coverage, EndCommit, EndReport, RemovalGuard, RemovalPreview, Unseen, UnseenRecord, Verdict,
};
pub use run::{NewRun, Run, RunEnd, RunFilter};
pub use set_aside::{Conduct, IN_A_ROW, SetAside};
pub use step::{Closure, Entry, Outcome, Standing, StandingQuery, StepCommit, Unreadable};
pub use summary::{StreamSummary, Summary};
pub use sync::{BeginSync, FinishedSync, SyncHistory, SyncState};

/// One tenant's data.
///
/// Cheap to clone; clones share the connection to the data. Methods that write are atomic: they happen whole or not at all, also if
/// the process is killed or the future dropped. All but [`Store::lock`] wait while another process writes, up to a limit.
pub trait Store: Clone + Send + Sync + 'static {
    /// Whose data it is.
    fn tenant(&self) -> &TenantName;

    // Connections

    /// Saves a new connection with its secrets; `connection.id` is ignored, the saved one is returned with its own. A connection that was
    /// removed with its data kept and has the same name, component name and origins comes back to life, with its data; its key counts as
    /// replaced.
    ///
    /// `seal` is told the id, which a sealed secret is bound to, and gives the secrets. Where it fails nothing is saved.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] where the name is in use, and what `seal` fails with.
    fn create_connection<E: From<StoreError> + Send>(
        &self,
        connection: &Connection,
        seal: impl FnOnce(ConnectionId) -> Result<Vec<SealedSecret>, E> + Send,
    ) -> impl Future<Output = Result<Connection, E>> + Send;

    /// Replaces what is saved of a connection, by its id, and of its secrets those that are given. Secrets that it does not use are forgotten. What
    /// is open of data streams that it does not choose any more moves out of scope. With another build of the component it is not set aside any
    /// more; nothing else that is saved says whether it is.
    fn update_connection(
        &self,
        connection: &Connection,
        secrets: &[SealedSecret],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The connection of that name.
    ///
    /// # Errors
    /// [`StoreError::NoSuchConnection`], which names those that exist.
    fn connection(
        &self,
        name: &ConnectionName,
    ) -> impl Future<Output = Result<Connection, StoreError>> + Send;

    /// All connections, by name.
    fn connections(&self) -> impl Future<Output = Result<Vec<Connection>, StoreError>> + Send;

    /// Removes a connection, its secrets and its checkpoints; with [`Purge::Data`] also its runs, records and findings, and the assets that
    /// it created and nothing else feeds.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while it is being synced.
    fn remove_connection(
        &self,
        id: ConnectionId,
        purge: Purge,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps a sealed secret. What it holds is opaque to the store.
    fn put_secret(
        &self,
        connection: ConnectionId,
        name: &str,
        sealed: &[u8],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A sealed secret.
    fn secret(
        &self,
        connection: ConnectionId,
        name: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Names of the secrets that are kept.
    fn secret_names(
        &self,
        connection: ConnectionId,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// All sealed secrets of the tenant's connections, by connection and name.
    fn sealed_secrets(&self) -> impl Future<Output = Result<Vec<KeptSecret>, StoreError>> + Send;

    /// Seals the tenant's secrets anew, all in one transaction: `reseal` is told each of them and gives what is to be kept in its place, or
    /// none where it stays. The answer is how many were replaced.
    fn reseal_secrets(
        &self,
        reseal: impl FnMut(&KeptSecret) -> Option<Vec<u8>> + Send,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    // Runs

    /// Takes the connection for oneself, across processes, until the lock is dropped or the process ends. Runs that a killed
    /// process left under way are marked failed ("interrupted").
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another holds it: it does not wait.
    fn lock(
        &self,
        connection: ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = Result<RunLock, StoreError>> + Send;

    /// Records that a run begins.
    fn begin_run(&self, run: &NewRun) -> impl Future<Output = Result<RunId, StoreError>> + Send;

    /// Records how a run ended. Its ledger was committed with its steps. Where it is the last of too many in a row that the component ended, the
    /// connection is set aside with it, and that is the answer.
    fn finish_run(
        &self,
        run: RunId,
        end: &RunEnd,
    ) -> impl Future<Output = Result<Option<SetAside>, StoreError>> + Send;

    /// Leaves users out of all that is kept of a connection, by data stream, and writes the file anew, so that nothing of them stays in it. What
    /// assets and findings are identified by stays. The next sync makes their documents anew.
    fn leave_out_users(
        &self,
        connection: ConnectionId,
        by: &BTreeMap<DataStreamName, LeaveOut>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Lets a connection run again that was set aside, and begins the count of its runs anew; whether it was set aside.
    fn reinstate(
        &self,
        connection: ConnectionId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Runs, the newest first.
    fn runs(&self, filter: &RunFilter)
    -> impl Future<Output = Result<Vec<Run>, StoreError>> + Send;

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`].
    fn run(&self, id: RunId) -> impl Future<Output = Result<Run, StoreError>> + Send;

    // Syncs

    /// Begins a sync of one data stream, or goes on with the one of the same mode and scope that was interrupted.
    fn begin_or_resume_sync(
        &self,
        begin: &BeginSync,
    ) -> impl Future<Output = Result<SyncState, StoreError>> + Send;

    /// Gives a sync up whose checkpoint can't be used, so that the next begins anew. Its records stay.
    fn abandon_sync(&self, sync: SyncId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What was synced before, from which the next mode follows.
    fn sync_history(
        &self,
        connection: ConnectionId,
        stream: &DataStreamName,
    ) -> impl Future<Output = Result<SyncHistory, StoreError>> + Send;

    /// How each entry stands to what is held, in the order of the query: only some need to be transformed.
    fn standing(
        &self,
        query: &StandingQuery<'_>,
    ) -> impl Future<Output = Result<Vec<Standing>, StoreError>> + Send;

    /// Commits a step: records, documents, closures, quarantine, the run's counts and the checkpoint that covers them, in one transaction.
    /// The answer is this step's ledger.
    fn commit_step(
        &self,
        step: StepCommit,
    ) -> impl Future<Output = Result<Ledger, StoreError>> + Send;

    /// How many records are to be made anew.
    fn due(&self, query: &DueRecords<'_>) -> impl Future<Output = Result<Due, StoreError>> + Send;

    /// A page of the records that are to be made anew, by ascending id.
    fn due_records(
        &self,
        query: &DueRecords<'_>,
    ) -> impl Future<Output = Result<Vec<KeptRecord>, StoreError>> + Send;

    /// The other records of the connection that feed the assets of these, of those assets that nothing but this connection ever fed.
    fn beside(
        &self,
        connection: ConnectionId,
        records: &[i64],
    ) -> impl Future<Output = Result<Vec<KeptRecord>, StoreError>> + Send;

    /// Commits records that were made anew, in one transaction. Nothing counts as seen for it: states, times and evidence stay. An asset that only this
    /// connection ever fed, and whose values another map laid down, is made up again from all of its records, where all of them are given; any
    /// other takes on the values as if its record were read again. The answer is the page's ledger.
    fn commit_remake(
        &self,
        commit: &RemakeCommit,
    ) -> impl Future<Output = Result<Ledger, StoreError>> + Send;

    /// What the end of this full sync would remove if it were proven complete now and confirmed.
    fn preview_removal(
        &self,
        sync: SyncId,
        guard: &RemovalGuard,
    ) -> impl Future<Output = Result<RemovalPreview, StoreError>> + Send;

    /// Commits the end of a sync: its checkpoint, from which the next incremental sync begins, and, where the sync is a full one and proven,
    /// the removal of what it did not see, unless the guard withholds it.
    fn commit_end(
        &self,
        end: &EndCommit,
    ) -> impl Future<Output = Result<EndReport, StoreError>> + Send;

    // Reading out

    /// Open records of a data stream, a page at a time, as they were before the sync named in the query began.
    fn open_records(
        &self,
        query: &OpenRecords,
    ) -> impl Future<Output = Result<Vec<OpenRecord>, StoreError>> + Send;

    /// Kept source records, by ascending id, a page at a time.
    fn records(
        &self,
        query: &RecordQuery,
    ) -> impl Future<Output = Result<Vec<Record>, StoreError>> + Send;

    /// Assets, in the order in which they came to the platform. Memory does not grow with their number.
    fn assets<'a>(&'a self, filter: &AssetFilter) -> BoxStream<'a, Result<Asset, StoreError>>;

    /// Findings, in the order in which they came to the platform. Memory does not grow with their number.
    fn findings<'a>(&'a self, filter: &FindingFilter)
    -> BoxStream<'a, Result<Finding, StoreError>>;

    /// The documents that are known by a key, or the assets that bear it as their host's name where none is. Of one connection, where one is named.
    fn known_by(
        &self,
        key: &str,
        connection: Option<ConnectionId>,
    ) -> impl Future<Output = Result<Vec<HeldDocument>, StoreError>> + Send;

    /// Keys and host names that are like this one, for a hint: those that hold it, or begin alike.
    fn known_like(
        &self,
        key: &str,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// The records that a document comes from.
    fn feeders(
        &self,
        document: HeldDocument,
    ) -> impl Future<Output = Result<Vec<Feeder>, StoreError>> + Send;

    /// What could not be read or mapped, in the order in which it came. Memory does not grow with its amount.
    fn quarantine<'a>(
        &'a self,
        filter: &QuarantineFilter,
    ) -> BoxStream<'a, Result<Quarantined, StoreError>>;

    /// What is held of a connection, in numbers.
    fn summary(
        &self,
        connection: ConnectionId,
    ) -> impl Future<Output = Result<Summary, StoreError>> + Send;

    /// What was read of a connection's data streams and is not shown, with at most so many keys of each kind, in the order in which the streams
    /// were first synced.
    fn left_out(
        &self,
        connection: ConnectionId,
        examples: u32,
    ) -> impl Future<Output = Result<Vec<LeftOut>, StoreError>> + Send;

    // Identification

    /// The rules by which assets are identified.
    fn identification(&self) -> impl Future<Output = Result<Rules, StoreError>> + Send;

    /// Gives the tenant other rules. What waits for an asset is tried again by them: by the next sync of its connection, or when its documents are made
    /// anew before.
    fn set_identification(
        &self,
        rules: &Rules,
    ) -> impl Future<Output = Result<Identified, StoreError>> + Send;

    /// Brings in assets that something else knows, named `source`, in one transaction. A row that the source brought before, or that the rules know to be
    /// an asset that is held, fills gaps of it and overwrites nothing; any other is a new asset whose onboarding source is this one. Two rows of different
    /// keys never become one asset.
    fn import_assets(
        &self,
        source: &str,
        rows: &[ImportedAsset],
        now: Timestamp,
    ) -> impl Future<Output = Result<Imported, StoreError>> + Send;

    /// Open records that wait for their asset and are to be made anew, because of what an import brought or the rules say now, by connection.
    fn tried_again(&self) -> impl Future<Output = Result<Vec<Retried>, StoreError>> + Send;

    /// How much there is to look at, of one connection or of all.
    fn doubts(
        &self,
        connection: Option<ConnectionId>,
    ) -> impl Future<Output = Result<Doubts, StoreError>> + Send;

    /// Documents that a rule found several assets for, in the order in which that came up.
    fn ambiguous(
        &self,
        connection: Option<ConnectionId>,
        limit: Option<u64>,
    ) -> impl Future<Output = Result<Vec<AmbiguousMatch>, StoreError>> + Send;

    /// Ids of one connection that look like one machine, in the order in which that came up.
    fn duplicates(
        &self,
        connection: Option<ConnectionId>,
        limit: Option<u64>,
    ) -> impl Future<Output = Result<Vec<ProbableDuplicate>, StoreError>> + Send;

    // Custom fields

    /// The custom fields that exist on the platform, by name.
    fn custom_fields(&self) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// Adds a custom field; whether it was not there before.
    fn add_custom_field(
        &self,
        name: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes a custom field; whether it was there. Values that assets have in it stay in their documents.
    fn remove_custom_field(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    // Maps

    /// Saves a version of one of the tenant's own maps. What it is worth is for whoever saves it to know.
    fn save_map(&self, map: &NewMap<'_>)
    -> impl Future<Output = Result<Saving, StoreError>> + Send;

    /// The newest version of each of the tenant's own maps, by name.
    fn maps(&self) -> impl Future<Output = Result<Vec<SavedMap>, StoreError>> + Send;

    /// A version of one of the tenant's own maps; none where there is no such.
    fn map(
        &self,
        name: &MapName,
        number: u32,
    ) -> impl Future<Output = Result<Option<SavedMap>, StoreError>> + Send;

    /// All versions of one of the tenant's own maps, the newest first; none where there is no such map.
    fn map_versions(
        &self,
        name: &MapName,
    ) -> impl Future<Output = Result<Vec<MapVersion>, StoreError>> + Send;

    /// Removes one of the tenant's own maps with all of its versions; how many there were. A connection that uses it keeps it.
    fn remove_map(&self, name: &MapName) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
