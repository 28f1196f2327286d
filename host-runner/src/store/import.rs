//! Assets that the platform knew before any connection, or knows besides them.

use serde_json::Value;

use crate::domain::Timestamp;

/// What a row of an import says of an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedAsset {
    /// The number of the row's line.
    pub line: u64,
    /// By what the source knows it: a row with the same key is the same asset.
    pub key: String,
    /// What identifies it.
    pub identity: Vec<(String, String)>,
    /// What it is called.
    pub host_name: Option<String>,
    /// The document in the target model: an object.
    pub body: Value,
    /// When it was first seen, where that is known.
    pub first_seen: Option<Timestamp>,
}

/// What became of rows that were imported together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Assets that are there now and were not.
    pub created: u64,
    /// Assets that were there, known by the rules to be the row's, and are linked to the source now.
    pub linked: u64,
    /// Rows that the source had brought before.
    pub known: u64,
    /// Assets that had gaps which were filled, among the linked and the known.
    pub filled: u64,
    /// Rows that fit several assets, and are not loaded: the line, the rule and how many assets.
    pub ambiguous: Vec<(u64, String, u64)>,
}

impl std::ops::AddAssign for Imported {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.linked += other.linked;
        self.known += other.known;
        self.filled += other.filled;
        self.ambiguous.extend(other.ambiguous);
    }
}
