//! Why a recording can't be anonymised.

use crate::recording::error::RecordingError;
use crate::recording::replay::{Divergence, ReplayError};

/// A recording can't be anonymised. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AnonymiseError {
    /// It can't be read, or the new one can't be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// It can't be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Told other names, the component asks something else.
    #[error(
        "the recording can't be anonymised: told other names, the component goes another way ({0})"
    )]
    Parted(Divergence),
    /// The new recording is not replayed to its end.
    #[error("the recording can't be anonymised: written anew it is not replayed to its end")]
    NotTheSame,
    /// Someone stopped it.
    #[error("the recording is not anonymised: it was stopped")]
    Stopped,
    /// Something was left.
    #[error(
        "the recording can't be anonymised: {count} of the tenant's values would still stand in it (the first in line {line})"
    )]
    Left {
        /// How many.
        count: u64,
        /// Where the first stands.
        line: u64,
    },
    /// An answer is too large to be rewritten.
    #[error("the recording can't be anonymised: an answer is larger than {0} MiB")]
    TooLarge(usize),
    /// Something would be no recording any more.
    #[error("the recording can't be anonymised: {0} can't be written with other names")]
    Unfit(&'static str),
}
