//! One step of a sync: what the connector found, what the map made of it, and what the store is to do with it.

use crate::domain::{ConnectionId, DataStreamName, RunId, SyncId, Timestamp, sha256_hex};

use super::{AssetRules, Closing, Document, Problem};

/// Entries about whose standing the pipeline asks.
#[derive(Debug, Clone)]
pub struct StandingQuery<'a> {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which data stream.
    pub stream: &'a DataStreamName,
    /// The sync under way.
    pub sync: SyncId,
    /// Key and fingerprint of each entry.
    pub entries: &'a [(&'a str, &'a str)],
    /// See [`StepCommit::made_with`].
    pub made_with: &'a str,
}

/// How an entry stands to what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It is not held: transform it.
    New,
    /// It is another one than before, or was closed or out of scope: transform it.
    Changed,
    /// It is as it was, and its documents are not: the map or a switch changed, or what it waits for came. Transform it.
    NeedsTransform,
    /// It is as it was, and so are its documents.
    Unchanged,
    /// It was read before in this sync, or stands earlier in the same list, with the same fingerprint.
    Duplicate,
}

impl Standing {
    /// Whether its documents must be made; else [`Outcome::Unchanged`] is what to commit.
    pub fn needs_transform(self) -> bool {
        matches!(self, Self::New | Self::Changed | Self::NeedsTransform)
    }
}

/// A step to commit.
#[derive(Debug, Clone)]
pub struct StepCommit {
    /// Whose.
    pub connection: ConnectionId,
    /// Of which data stream.
    pub stream: DataStreamName,
    /// The run.
    pub run: RunId,
    /// The sync.
    pub sync: SyncId,
    /// When: becomes first seen, last seen and closed at.
    pub now: Timestamp,
    /// All that documents depend on besides the record: map, component, switches, custom fields; a hash of these, opaque here. Where it differs from
    /// the one that a record's documents were made with, they are made anew.
    pub made_with: String,
    /// How documents are written to assets.
    pub asset_rules: AssetRules,
    /// Source records.
    pub entries: Vec<Entry>,
    /// Records that are closed, gone or left out.
    pub closures: Vec<Closure>,
    /// What the connector could not read.
    pub quarantine: Vec<Unreadable>,
    /// Keys of open records that were read and are as they are held: seen, and not handed over again.
    pub confirmed: Vec<String>,
    /// Read and left out without a key, by the filter's name.
    pub skipped: Vec<(String, u64)>,
    /// Where to go on from after this step.
    pub checkpoint: Vec<u8>,
}

/// A source record.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Unique within its stream.
    pub key: String,
    /// Equal as long as nothing changed that matters.
    pub fingerprint: String,
    /// When the source last saw it.
    pub seen_at: Option<Timestamp>,
    /// Whether the source gave only a part of it: findings that it lacks stay as they are. Its fingerprint is never that of a whole record, so
    /// that the whole one is read as changed.
    pub partial: bool,
    /// The record: JSON.
    pub body: Vec<u8>,
    /// What the map made of it.
    pub outcome: Outcome,
}

/// What became of an entry before the commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was not transformed, because its standing did not ask for it.
    Unchanged,
    /// Its documents: they replace all that it gave before. `problems` are values that a rule could not carry; the record is not lost for them.
    Documents {
        /// At least one.
        documents: Vec<Document>,
        /// Kept with the record.
        problems: Vec<Problem>,
    },
    /// A value that the map requires is missing: the record goes into quarantine, and what it gave before stays.
    Rejected(Vec<Problem>),
}

/// A record that is closed, gone or left out. One that is not held counts as filtered.
#[derive(Debug, Clone, PartialEq)]
pub struct Closure {
    /// Its key.
    pub key: String,
    /// What became of it: resolved, deleted or out of scope.
    pub closing: Closing,
    /// The API's own word for it.
    pub evidence: String,
    /// When the source says it happened.
    pub at: Option<Timestamp>,
}

/// What the connector could not read. With a key it counts as seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Its key, where that much could be read.
    pub key: Option<String>,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Unreadable {
    /// The same, with its hash in place of its bytes: what could not be read can't be searched for users' names either.
    #[must_use]
    pub fn without_raw(self) -> Self {
        let raw = serde_json::json!({
            "leftOut": "not kept, because users' names are left out of what is kept",
            "sha256": sha256_hex(&self.raw),
        });
        Self {
            raw: raw.to_string().into_bytes(),
            ..self
        }
    }
}
