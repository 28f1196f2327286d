//! What documents came from: for whoever asks about one.

use crate::domain::ConnectionId;

use super::{DocumentKind, KeptRecord};

/// A document that is held, by the key or name that someone typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldDocument {
    /// An asset or a finding.
    pub kind: DocumentKind,
    /// Its id.
    pub id: i64,
}

/// A kept record that a document comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Feeder {
    /// Whose record it is.
    pub connection: ConnectionId,
    /// The document's key in that connection.
    pub key: String,
    /// Whether the record still feeds it: it is open.
    pub live: bool,
    /// The record.
    pub kept: KeptRecord,
}
