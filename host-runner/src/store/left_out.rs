//! What was read and is not shown as an asset or finding: for whoever asks what the platform does not see.

use crate::domain::{DataStreamName, Timestamp};

/// What is left out of one data stream of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The data stream.
    pub stream: DataStreamName,
    /// Open records that wait for their asset.
    pub parked: Sample,
    /// Open findings that wait for their asset.
    pub findings_parked: u64,
    /// What could not be read or mapped. What has no key is counted, and no example.
    pub quarantined: Sample,
    /// Held records that are out of scope, by the filter's name.
    pub out_of_scope: Vec<(String, Sample)>,
    /// What the last complete full sync read and did not keep; none where there was no such sync.
    pub filtered: Option<Filtered>,
}

/// How many, and the keys of some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// How many.
    pub count: u64,
    /// Keys, those first that came first.
    pub examples: Vec<String>,
}

/// What a full sync left out, of what the platform does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// When that sync ended.
    pub ended_at: Timestamp,
    /// Records by the filter's name. What is resolved or gone at the source is not left out by a filter, and not among them.
    pub by: Vec<(String, u64)>,
}
