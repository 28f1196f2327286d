//! What a run changed, in numbers and examples.

use serde::Serialize;

/// What can happen to assets, findings and records in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Assets onboarded.
    AssetsNew,
    /// Assets that took on other values, or that are there again.
    AssetsChanged,
    /// Assets that nothing feeds any more.
    AssetsInactive,
    /// Assets that the configuration leaves out now.
    AssetsOutOfScope,
    /// Findings that were not held, on an asset.
    FindingsNew,
    /// Open findings with other values, or that found their asset or are in scope again.
    FindingsChanged,
    /// Findings that were closed and are there again.
    FindingsReopened,
    /// Findings closed.
    FindingsClosed,
    /// Findings that the configuration leaves out now.
    FindingsOutOfScope,
    /// Findings, new or changed, that wait for their asset.
    FindingsParked,
    /// Records that could not be read or mapped.
    Quarantined,
}

impl Change {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 11] = [
        Self::AssetsNew,
        Self::AssetsChanged,
        Self::AssetsInactive,
        Self::AssetsOutOfScope,
        Self::FindingsNew,
        Self::FindingsChanged,
        Self::FindingsReopened,
        Self::FindingsClosed,
        Self::FindingsOutOfScope,
        Self::FindingsParked,
        Self::Quarantined,
    ];

    /// In words for a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssetsNew => "assets, new",
            Self::AssetsChanged => "assets, changed",
            Self::AssetsInactive => "assets, inactive",
            Self::AssetsOutOfScope => "assets, out of scope",
            Self::FindingsNew => "findings, new",
            Self::FindingsChanged => "findings, changed",
            Self::FindingsReopened => "findings, reopened",
            Self::FindingsClosed => "findings, closed",
            Self::FindingsOutOfScope => "findings, out of scope",
            Self::FindingsParked => "findings, parked",
            Self::Quarantined => "records, in quarantine",
        }
    }
}

/// What happened to some things alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What.
    pub change: Change,
    /// To how many.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<ChangedExample>,
}

/// One of the things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedExample {
    /// Its key, "" where it could not be read.
    pub key: String,
    /// The host that it is, or is on.
    pub host: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Why: the evidence of what closed, the filter of what is out of scope, the problems of what is in quarantine.
    pub reason: Option<String>,
}
