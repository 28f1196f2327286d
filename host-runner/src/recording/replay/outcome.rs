//! What a replay came to.

use crate::pipeline::SyncError;
use crate::recording::error::RecordingError;
use crate::recording::event::Header;
use crate::store::Run;

/// A replay that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// What was recorded.
    pub header: Header,
    /// The runs, with the account that was recorded; the last one may be unfinished.
    pub runs: Vec<Run>,
    /// Steps that were compared and are the same, ends among them.
    pub steps: u64,
    /// Requests that were compared and are the same.
    pub requests: u64,
    /// How often a secret was taken out of what the component was told.
    pub blanked: u64,
    /// How it ended.
    pub ending: Ending,
}

/// How a replay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything was the same, to the end of the recording.
    Same,
    /// Everything was the same, and the recording stops short.
    Cut,
    /// The component did something else.
    Diverged(Divergence),
    /// Someone stopped it.
    Stopped,
}

/// The first thing that a component did otherwise than it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording: then it {recorded}; now it {made}{}", list(.details))]
pub struct Divergence {
    /// The line of the recording.
    pub line: u64,
    /// What was recorded.
    pub recorded: String,
    /// What it did.
    pub made: String,
    /// In which parts they differ, where both are the same kind of thing.
    pub details: Vec<String>,
}

fn list(details: &[String]) -> String {
    details.iter().map(|line| format!("\n  {line}")).collect()
}

/// A recording can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It can't be read, or the new one can't be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// It is of another connector.
    #[error(
        "the recording is one of the connector `{recorded}`, and `{loaded}` is loaded: give the right one with --plugin"
    )]
    OtherConnector {
        /// The recorded one.
        recorded: String,
        /// The loaded one.
        loaded: String,
    },
    /// The connection's name is none.
    #[error("the recording's connection can't be used: {0}")]
    Connection(String),
    /// No run could be begun.
    #[error(transparent)]
    Sync(#[from] SyncError),
}
