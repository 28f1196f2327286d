//! How bad a finding is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How bad a finding is, by the contract's words. Ordered from the mildest to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not known, or a word that is none of the others.
    Unknown,
    /// For information.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All of them, from the mildest to the worst.
    pub const ALL: [Self; 6] = [
        Self::Unknown,
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What a facet says; any other word is unknown.
    pub fn from_facet(word: &str) -> Self {
        word.parse().unwrap_or(Self::Unknown)
    }

    pub(crate) fn rank(self) -> i64 {
        match self {
            Self::Unknown => 0,
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }

    pub(crate) fn from_rank(rank: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|severity| severity.rank() == rank)
            .unwrap_or(Self::Unknown)
    }
}

/// A text that names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no severity: critical, high, medium, low, informational or unknown")]
pub struct UnknownSeverity(pub String);

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ordered_and_read_back_from_word_and_rank() {
        assert!(Severity::Critical > Severity::High);
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
            assert_eq!(Severity::from_rank(severity.rank()), severity);
        }
    }

    #[test]
    fn a_word_that_is_no_severity_is_unknown_in_a_facet_and_an_error_in_a_filter() {
        assert_eq!(Severity::from_facet("SEV_999"), Severity::Unknown);
        assert!("SEV_999".parse::<Severity>().is_err());
    }
}
