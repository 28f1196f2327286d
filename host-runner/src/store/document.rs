//! What a map made of a record, as the contract has it.

use serde::{Deserialize, Serialize};

/// An asset, or a finding on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// Something that a tenant owns.
    Asset,
    /// Something that is wrong with an asset.
    Finding,
}

/// A record in the target model. An entry's documents replace all that the same entry gave before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// An asset or a finding.
    pub kind: DocumentKind,
    /// For an asset unique in the connection, whatever stream it came by; for a finding unique within its data stream.
    pub key: String,
    /// The key of the asset that a finding is on, where the source knows it.
    pub asset: Option<String>,
    /// What identifies the asset, or the asset that the finding is on. A name may repeat.
    pub identity: Vec<(String, String)>,
    /// What people filter and sort by. A name may repeat.
    pub facets: Vec<(String, String)>,
    /// Places that only the platform can fill.
    pub placeholders: Vec<Placeholder>,
    /// JSON.
    pub body: Vec<u8>,
}

impl Document {
    /// The first value of a facet.
    pub fn facet(&self, name: &str) -> Option<&str> {
        self.facets
            .iter()
            .find(|(facet, _)| facet == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What only the platform knows about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// When the platform first saw it.
    FirstSeen,
    /// When the platform last saw it.
    LastSeen,
    /// When it closed.
    ClosedAt,
    /// new, changed, closed, reopened or out-of-scope.
    State,
}

/// A place in a document that only the host can fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placeholder {
    /// JSON Pointer to the place.
    pub pointer: String,
    /// What goes there.
    pub value: Lifecycle,
    /// `rfc3339`, `epoch-ms`, or for a state a JSON object that gives the value for each state by name.
    pub format: String,
}

/// One thing wrong with a record, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// JSON Pointer into the record, "" for the whole.
    pub pointer: String,
    /// What is wrong, for a person.
    pub message: String,
}
