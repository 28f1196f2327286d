//! Source records, as the platform keeps them.

use crate::domain::{ConnectionId, DataStreamName, SyncId, Timestamp};

use super::Evidence;

/// How a source record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordState {
    /// The source has it and it is in scope, as far as is known.
    Open,
    /// The source says that it is resolved or gone, or a proven full sync did not see it.
    Closed,
    /// It lives, and the configuration leaves it out.
    OutOfScope,
}

/// In which order to list open records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By key.
    Key,
    /// Those first that were not confirmed for the longest time.
    OldestCheck,
}

/// Which open records to list.
#[derive(Debug, Clone)]
pub struct OpenRecords {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which data stream.
    pub stream: DataStreamName,
    /// The sync under way: the list is as of before it began. None for the list as it is now.
    pub before: Option<SyncId>,
    /// In which order.
    pub order: Order,
    /// Those after this key, in that order.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// An open record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRecord {
    /// Its entry's key.
    pub key: String,
    /// When it was last confirmed against the API.
    pub checked: Timestamp,
    /// The fingerprint that it was last committed with.
    pub fingerprint: String,
}

/// Which kept source records to read.
#[derive(Debug, Clone)]
pub struct RecordQuery {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which data stream.
    pub stream: DataStreamName,
    /// Only that of this key.
    pub key: Option<String>,
    /// Those with a greater id.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// A kept source record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Ascending in the order in which records came to the platform.
    pub id: i64,
    /// Its entry's key.
    pub key: String,
    /// Its entry's fingerprint.
    pub fingerprint: String,
    /// How it stands.
    pub state: RecordState,
    /// Whether it waits for its asset.
    pub parked: bool,
    /// When the platform first saw it.
    pub first_seen: Timestamp,
    /// When the platform last saw it.
    pub last_seen: Timestamp,
    /// When the source last saw it.
    pub seen_at: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Why it closed or is out of scope.
    pub evidence: Option<Evidence>,
    /// The record itself.
    pub body: Vec<u8>,
}
