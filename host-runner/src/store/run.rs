//! Runs: one attempt each to sync one data stream.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Conduct, UsedMap};
use crate::domain::{
    ConnectionId, DataStreamName, Ledger, Mode, RunId, RunState, SyncId, Timestamp,
};

/// A run that begins.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Whose.
    pub connection: ConnectionId,
    /// Which data stream.
    pub stream: DataStreamName,
    /// What it reads.
    pub mode: Mode,
    /// Why this mode, for a person ("first sync").
    pub reason: String,
    /// The map that makes documents of what it reads.
    pub map: Option<UsedMap>,
    /// When it begins.
    pub now: Timestamp,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// processed, failed, cancelled or withheld.
    pub state: RunState,
    /// When.
    pub now: Timestamp,
    /// What was called how often, with what statuses, bytes and names of secrets: the pipeline's own document.
    pub calls: Value,
    /// Why it ended early, where it did: the pipeline's own document.
    pub fault: Option<Value>,
    /// What that says of the component.
    pub conduct: Conduct,
    /// What is worth telling a person.
    pub warnings: Vec<String>,
    /// The most memory that the component held, in bytes.
    pub peak_memory: Option<u64>,
    /// Whatever else the pipeline wants to keep (map hashes, peak memory of the process, fuel ...); null for nothing.
    pub details: Value,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Ascending.
    pub id: RunId,
    /// Whose.
    pub connection: ConnectionId,
    /// Which data stream.
    pub stream: DataStreamName,
    /// What it reads.
    pub mode: Mode,
    /// Why this mode.
    pub reason: String,
    /// The map that made documents of what it read; none of runs that were recorded before this was.
    pub map: Option<UsedMap>,
    /// How it stands.
    pub state: RunState,
    /// The sync that it began or went on with, where it came that far.
    pub sync: Option<SyncId>,
    /// Whether it went on with a sync that an earlier run began.
    pub resumed: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it last committed something.
    pub committed_at: Option<Timestamp>,
    /// Steps committed.
    pub steps: u64,
    /// What became of all that it read.
    pub ledger: Ledger,
    /// See [`RunEnd::calls`].
    pub calls: Value,
    /// See [`RunEnd::fault`].
    pub fault: Option<Value>,
    /// See [`RunEnd::warnings`].
    pub warnings: Vec<String>,
    /// See [`RunEnd::peak_memory`].
    pub peak_memory: Option<u64>,
    /// See [`RunEnd::details`].
    pub details: Value,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only those of this connection.
    pub connection: Option<ConnectionId>,
    /// Only those of this data stream.
    pub stream: Option<DataStreamName>,
    /// Only those that read from the API: none that made documents anew.
    pub syncs_only: bool,
    /// At most so many.
    pub limit: Option<u32>,
}
