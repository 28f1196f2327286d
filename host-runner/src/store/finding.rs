//! Findings, as they are read out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{ConnectionId, DataStreamName, Severity, Timestamp};

use super::Evidence;

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
    /// Only those that a query asks for.
    pub query: Option<crate::query::FindingQuery>,
    /// Only these, by id.
    pub ids: Option<Vec<i64>>,
    /// As they are stored: without what only the platform knows in its places.
    pub as_stored: bool,
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
