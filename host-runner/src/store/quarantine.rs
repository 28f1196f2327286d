//! What could not be read or mapped, kept as it came.

use crate::domain::{ConnectionId, DataStreamName, Timestamp};

use super::Problem;

/// Which of it to list.
#[derive(Debug, Clone, Default)]
pub struct QuarantineFilter {
    /// Only that of this connection.
    pub connection: Option<ConnectionId>,
    /// Only that of this data stream.
    pub stream: Option<DataStreamName>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// A record in quarantine. It leaves when a record of the same key reads well.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    /// Whose it is.
    pub connection: ConnectionId,
    /// The data stream that it came by.
    pub stream: DataStreamName,
    /// Its key, where it could be read.
    pub key: Option<String>,
    /// Its bytes, or as many as were kept.
    pub raw: Vec<u8>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// When it was first put here.
    pub first_seen: Timestamp,
    /// When it was last put here.
    pub last_seen: Timestamp,
    /// How often it was put here.
    pub times: u64,
}
