//! Findings, as they are read out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{ConnectionId, DataStreamName, Timestamp};

use super::Evidence;

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

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// It is there.
    Open,
    /// It is proven gone or dealt with; its evidence says how.
    Closed,
    /// Its record lives, and the configuration leaves it out.
    OutOfScope,
}

/// Which findings to read. The default is all that are open and on an asset.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// Only those of this finding source.
    pub finding_source: Option<String>,
    /// Only those on an asset that came by this onboarding source.
    pub onboarding_source: Option<String>,
    /// Only those of one of these severities; none means any.
    pub severities: Vec<Severity>,
    /// Only those on this host, ASCII case ignored.
    pub host: Option<String>,
    /// Only those of this connection.
    pub connection: Option<ConnectionId>,
    /// Only those of this data stream.
    pub stream: Option<DataStreamName>,
    /// None that are open and on an asset: only what the next three let in.
    pub without_open: bool,
    /// Closed ones too.
    pub include_closed: bool,
    /// Those that the configuration leaves out, too.
    pub include_out_of_scope: bool,
    /// Open ones that wait for their asset, too.
    pub include_parked: bool,
    /// At most so many.
    pub limit: Option<u64>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Ascending in the order in which findings came to the platform.
    pub id: i64,
    /// The connection that brought it.
    pub connection: ConnectionId,
    /// The data stream that it came by.
    pub stream: DataStreamName,
    /// Unique within its data stream.
    pub key: String,
    /// The key of the source record that it came from.
    pub record: String,
    /// The key of the asset that it is on, where the source knows it.
    pub asset_key: Option<String>,
    /// The asset that it is on; none while it is parked.
    pub asset: Option<i64>,
    /// How it stands.
    pub state: FindingState,
    /// How bad it is.
    pub severity: Severity,
    /// What found it.
    pub finding_source: Option<String>,
    /// The host that it is on.
    pub host_name: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// What people filter and sort by. A name may repeat.
    pub facets: Vec<(String, String)>,
    /// When the platform first saw it.
    pub first_seen: Timestamp,
    /// When the platform last saw it open.
    pub last_seen: Timestamp,
    /// When the platform closed it, or moved it out of scope.
    pub closed_at: Option<Timestamp>,
    /// When the platform last saw it open again after that.
    pub reopened_at: Option<Timestamp>,
    /// Why it was closed or is out of scope.
    pub evidence: Option<Evidence>,
    /// The document, with placeholders filled in.
    pub body: Value,
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
