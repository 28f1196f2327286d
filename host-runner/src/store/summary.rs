//! What is held, in numbers.

use serde::{Deserialize, Serialize};

use crate::domain::{DataStreamName, Timestamp};

/// What is held of a connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Assets that it feeds.
    pub assets: u64,
    /// Of these, those that it onboarded.
    pub assets_onboarded: u64,
    /// Assets that it fed once and nothing feeds any more.
    pub assets_inactive: u64,
    /// By data stream, in the order in which they were first synced.
    pub streams: Vec<StreamSummary>,
}

/// What is held of one of its data streams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamSummary {
    /// The data stream.
    pub stream: DataStreamName,
    /// Source records that are open.
    pub records_open: u64,
    /// Source records that closed.
    pub records_closed: u64,
    /// Source records that the configuration leaves out.
    pub records_out_of_scope: u64,
    /// Open source records that wait for their asset.
    pub records_parked: u64,
    /// Findings that are open and on an asset.
    pub findings_open: u64,
    /// Findings that closed.
    pub findings_closed: u64,
    /// Findings that the configuration leaves out.
    pub findings_out_of_scope: u64,
    /// Open findings that wait for their asset.
    pub findings_parked: u64,
    /// What is in quarantine.
    pub quarantined: u64,
    /// When a run last committed something.
    pub committed_at: Option<Timestamp>,
}
