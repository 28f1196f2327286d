//! How a run stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It waits for its turn.
    Queued,
    /// It is under way, or its process was killed and nobody has looked since.
    Running,
    /// It ended as it should.
    Processed,
    /// It ended early; the run's fault says why. What it committed stays.
    Failed,
    /// Someone stopped it. What it committed stays.
    Cancelled,
    /// It read everything, and would have removed more than the guard allows: nothing was removed.
    Withheld,
}

impl RunState {
    /// All of them, in the order of a run's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Processed,
        Self::Failed,
        Self::Cancelled,
        Self::Withheld,
    ];

    /// The word for it, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Withheld => "withheld",
        }
    }

    /// Whether nothing more will happen in the run.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A text that names no state of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no state of a run: queued, running, processed, failed, cancelled or withheld")]
pub struct UnknownRunState(pub String);

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RunState {
    type Err = UnknownRunState;

    fn from_str(text: &str) -> Result<Self, UnknownRunState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownRunState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_reads_back_as_it_is_shown() {
        for state in RunState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
    }
}
