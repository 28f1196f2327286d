//! What a run reads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All that is in scope. Only a full sync may remove what it did not see.
    Full,
    /// What changed since the last complete sync, and what is held open and may have closed.
    Incremental,
    /// Nothing of the API: documents are made anew from the source records that are kept.
    Remake,
}

impl Mode {
    /// The word for it, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Remake => "remake",
        }
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no mode: write full, incremental or remake")]
pub struct UnknownMode(pub String);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "full" => Ok(Self::Full),
            "incremental" => Ok(Self::Incremental),
            "remake" => Ok(Self::Remake),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_reads_back_as_it_is_shown() {
        for mode in [Mode::Full, Mode::Incremental, Mode::Remake] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert!("Full".parse::<Mode>().is_err());
    }
}
