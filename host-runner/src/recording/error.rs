//! Why a file can't be read or written as a recording.

use std::path::{Path, PathBuf};

/// A recording can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// The file.
    #[error("the recording {} can't be used: {reason}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is a file of that name.
    #[error("{} is there already: give another name, or --force to write over it", .0.display())]
    Exists(PathBuf),
    /// It is something else.
    #[error("this is no recording: {0}")]
    Other(String),
    /// It is of another version.
    #[error(
        "the recording is of version {found} of the format, and this host-runner reads version {}: use the build that wrote it ({runner})",
        super::event::VERSION
    )]
    Version {
        /// What it says.
        found: u64,
        /// What wrote it.
        runner: String,
    },
    /// A line can't be read.
    #[error("line {line} of the recording can't be read: {reason}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// Why.
        reason: String,
    },
}

impl RecordingError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}
