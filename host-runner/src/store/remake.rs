//! Making documents anew from the source records that are kept: what the pipeline asks the store for, and what it gives back.

use crate::domain::{ConnectionId, DataStreamName, RunId, Timestamp};

use super::{AssetRules, Document, Entry, Record};

/// The records of a data stream whose documents are made with something else than they would be now. Those that the map was tried on in vain since are
/// not among them.
#[derive(Debug, Clone)]
pub struct DueRecords<'a> {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which data stream.
    pub stream: &'a DataStreamName,
    /// See [`super::StepCommit::made_with`].
    pub made_with: &'a str,
    /// Those with a greater id.
    pub after: i64,
    /// At most so many, and fewer where they are large.
    pub limit: u32,
}

/// How much is to be made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// How many records.
    pub records: u64,
    /// What their documents were made with, each once; none for records that are to be made anew for a reason of their own.
    pub made_with: Vec<Option<String>>,
}

/// A kept record, and what is known of its documents.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRecord {
    /// Its data stream.
    pub stream: DataStreamName,
    /// The record.
    pub record: Record,
    /// What its documents were made with, where that is known.
    pub made_with: Option<String>,
    /// Whether its body is to be written anew when it is read next.
    pub stale: bool,
}

/// A page of records that were made anew, to commit.
#[derive(Debug, Clone)]
pub struct RemakeCommit {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which data stream.
    pub stream: DataStreamName,
    /// The run.
    pub run: RunId,
    /// When.
    pub now: Timestamp,
    /// See [`super::StepCommit::made_with`].
    pub made_with: String,
    /// How documents are written to assets.
    pub asset_rules: AssetRules,
    /// The place of the data stream in the order of reading.
    pub place: usize,
    /// The records.
    pub records: Vec<Remade>,
    /// Other records of the connection that feed the same assets.
    pub beside: Vec<Beside>,
}

/// A record that was made anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Remade {
    /// Its id.
    pub id: i64,
    /// As it is kept, with what the map makes of it now.
    pub entry: Entry,
    /// Whether another map made its documents before: what that map laid down and this one does not is no longer meant.
    pub other_map: bool,
    /// Whether its body is to be written anew when it is read next.
    pub stale: bool,
}

/// What a record that is not made anew itself gives for an asset that another one feeds too.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// The record's id.
    pub id: i64,
    /// The place of its data stream in the order of reading.
    pub place: usize,
    /// What its map makes of it now.
    pub documents: Vec<Document>,
}
