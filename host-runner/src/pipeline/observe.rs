//! Watching a sync while it goes on.

use crate::domain::{DataStreamName, Ledger, Mode};

/// How far a sync has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Which data stream.
    pub stream: DataStreamName,
    /// Full or incremental.
    pub mode: Mode,
    /// Records read so far, by the connector's word, earlier runs of the sync included.
    pub read: u64,
    /// Records expected, where the API said so: a hint.
    pub expected: Option<u64>,
    /// What it is doing, where that takes long.
    pub note: Option<String>,
    /// What this run has committed.
    pub ledger: Ledger,
}

/// Is told after each commit. Called from the pipeline: must not block.
pub trait Observer: Send + Sync {
    /// A step was committed.
    fn step(&self, progress: &Progress);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn step(&self, _progress: &Progress) {}
}
