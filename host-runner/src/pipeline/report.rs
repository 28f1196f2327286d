//! What a sync came to.

use super::fault::RunFault;
use crate::domain::{DataStreamName, Ledger, Mode, RunId, RunState};
use crate::egress::Usage;
use crate::store::{SetAside, StoreError, Verdict};
use std::time::Duration;

/// A run that was begun and has ended, well or not.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// Its id.
    pub run: RunId,
    /// Which data stream.
    pub stream: DataStreamName,
    /// Full or incremental.
    pub mode: Mode,
    /// Why this mode.
    pub reason: String,
    /// How it ended.
    pub state: RunState,
    /// Whether it went on with an interrupted sync.
    pub resumed: bool,
    /// What this run committed.
    pub ledger: Ledger,
    /// What was done about records that were not seen; none where it did not come to its end.
    pub verdict: Option<Verdict>,
    /// Why it ended early, where it did.
    pub fault: Option<RunFault>,
    /// The connection is set aside: this was one run too many that its component ended.
    pub set_aside: Option<SetAside>,
    /// What is worth telling a person.
    pub warnings: Vec<String>,
    /// What was called.
    pub usage: Usage,
    /// Steps committed.
    pub steps: u64,
    /// How long it took.
    pub duration: Duration,
    /// The most linear memory that the instance used, in bytes.
    pub peak_memory: u64,
}

/// A run could not be begun, or its end could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The connection does not read this data stream.
    #[error("the connection `{connection}` does not read `{stream}`; it reads {chosen}")]
    Stream {
        /// Which connection.
        connection: String,
        /// What was asked for.
        stream: String,
        /// What it reads.
        chosen: String,
    },
    /// The mode is not to be had.
    #[error("{0}")]
    Mode(String),
}
