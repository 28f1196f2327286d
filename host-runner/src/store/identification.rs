//! What follows from a tenant's rules of identification, and what a person may want to look at.

use serde::Serialize;

use crate::domain::{ConnectionId, ConnectionName, DataStreamName, Timestamp};
use crate::identification::{Rule, Rules};

use super::{AssetState, DocumentKind};

/// What other rules changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Identified {
    /// The rules before.
    pub before: Rules,
    /// Assets that are held.
    pub assets: u64,
    /// Keys under which they are found now.
    pub keys: u64,
    /// Records that waited for their asset and are tried again; none where the rules are as they were.
    pub retried: Vec<Retried>,
}

/// Records of a connection that are made anew because of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// Whose.
    pub connection: ConnectionId,
    /// Its name.
    pub name: ConnectionName,
    /// Whether it was removed and its data kept: then they are made anew when it is connected again.
    pub removed: bool,
    /// How many.
    pub records: u64,
}

/// An asset that a list names.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedAsset {
    /// The platform's number for it.
    pub id: i64,
    /// Its host name, or what else it is called by.
    pub name: Option<String>,
    /// How it stands.
    pub state: AssetState,
    /// The source that brought it to the platform.
    pub onboarding_source: Option<String>,
}

/// A document that a rule found several assets for. It is listed for as long as there are several.
#[derive(Debug, Clone, PartialEq)]
pub struct AmbiguousMatch {
    /// The connection that it came by.
    pub connection: ConnectionName,
    /// The data stream.
    pub stream: DataStreamName,
    /// The key of its record.
    pub record: String,
    /// An asset's or a finding's.
    pub kind: DocumentKind,
    /// The document's key.
    pub key: String,
    /// Whether the record waits; else an asset of its own was onboarded for it.
    pub parked: bool,
    /// The rule that found several.
    pub rule: Rule,
    /// Since when.
    pub at: Timestamp,
    /// The assets that it may be, at most [`MOST_CANDIDATES`] of them.
    pub candidates: Vec<NamedAsset>,
}

/// The most candidates that a match is listed with.
pub const MOST_CANDIDATES: usize = 20;

/// One of two ids that look like one machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    /// The id.
    pub key: String,
    /// When the platform first saw it.
    pub first_seen: Timestamp,
    /// When the platform last saw it.
    pub last_seen: Timestamp,
    /// Its asset; none where it waits.
    pub asset: Option<NamedAsset>,
}

/// Two ids of one connection that look like one machine: the agent was installed again.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbableDuplicate {
    /// The connection.
    pub connection: ConnectionName,
    /// The id that came first.
    pub earlier: Twin,
    /// The id that came later.
    pub later: Twin,
    /// Since when that is known.
    pub at: Timestamp,
}

/// How much there is to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doubts {
    /// Documents that a rule found several assets for.
    pub ambiguous: u64,
    /// Pairs of ids that look like one machine.
    pub duplicates: u64,
}
