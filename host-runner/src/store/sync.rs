//! Syncs: each reads one data stream from its first page to its end, over as many runs as it takes.

use crate::domain::{ConnectionId, DataStreamName, Ledger, Mode, RunId, SyncId, Timestamp};

/// A sync to begin, or to go on with.
#[derive(Debug, Clone)]
pub struct BeginSync {
    /// The run that does it.
    pub run: RunId,
    /// Whose.
    pub connection: ConnectionId,
    /// Which data stream.
    pub stream: DataStreamName,
    /// What it reads.
    pub mode: Mode,
    /// All that narrows the data stream, in the connector's canonical text. An interrupted sync with another scope is not gone on with.
    pub scope: String,
    /// Begin anew even if one was interrupted.
    pub restart: bool,
    /// When.
    pub now: Timestamp,
}

/// A sync under way.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncState {
    /// Its id.
    pub sync: SyncId,
    /// Where to go on from. For a sync that begins it is the end of the last one: an incremental sync reads from there, a full one of the same scope
    /// takes from it what is worth keeping and reads anew.
    pub checkpoint: Option<Vec<u8>>,
    /// When its first run began it.
    pub started_at: Timestamp,
    /// Whether an earlier run began it.
    pub resumed: bool,
    /// Whether another scope was read since the last complete full sync: what this one does not see is out of scope, not gone.
    pub scope_changed: bool,
    /// What its earlier runs did.
    pub ledger: Ledger,
}

/// What was synced before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SyncHistory {
    /// The last full sync that was proven complete and not withheld.
    pub last_complete_full: Option<FinishedSync>,
    /// The last sync of any mode that came to its end.
    pub last_finished: Option<FinishedSync>,
    /// The last full sync that came to its end, however it was judged.
    pub last_finished_full: Option<FinishedSync>,
    /// The last incremental sync that came to its end.
    pub last_incremental: Option<FinishedSync>,
    /// A full sync that was interrupted: when it began, and its scope.
    pub interrupted_full: Option<(Timestamp, String)>,
    /// An incremental sync that was interrupted: when it began, and its scope.
    pub interrupted_incremental: Option<(Timestamp, String)>,
    /// Whether there is a checkpoint that an incremental sync can begin from.
    pub has_incremental_checkpoint: bool,
    /// The scopes of the last complete full sync and of all syncs begun since, each once. Where one is not the present scope, records that are in
    /// scope now may have been left out since, and only a full sync brings them back.
    pub scopes: Vec<String>,
    /// Records in quarantine.
    pub quarantined: u64,
}

/// A sync that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedSync {
    /// Its id.
    pub sync: SyncId,
    /// What it read.
    pub mode: Mode,
    /// All that narrowed it.
    pub scope: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// See [`super::StepCommit::made_with`]; none where an earlier build did not say.
    pub made_with: Option<String>,
}
