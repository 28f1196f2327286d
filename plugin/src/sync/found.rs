//! What a step found, before it is handed over.

use crate::contract::{Closing, Closure, Entry, Quarantined, Step};
use crate::record::Record;

/// Entries, closures and the rest of one step.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub entries: Vec<Entry>,
    pub closures: Vec<Closure>,
    pub quarantine: Vec<Quarantined>,
    /// Keys of held records that are as they were.
    pub confirmed: Vec<String>,
}

impl Found {
    /// A record in scope.
    pub fn entry(&mut self, record: Record) {
        self.entries.push(record.into());
    }

    /// A record that lives, and that a filter of the configuration leaves out.
    pub fn out_of_scope(&mut self, key: String, filter: &str, evidence: String, at: Option<u64>) {
        self.closures.push(Closure {
            key,
            closing: Closing::OutOfScope(filter.to_owned()),
            evidence,
            at,
        });
    }

    /// How many records these are.
    pub fn count(&self) -> u64 {
        (self.entries.len() + self.closures.len() + self.quarantine.len() + self.confirmed.len())
            as u64
    }

    /// The step with these records.
    pub fn step(
        self,
        checkpoint: Vec<u8>,
        read: u64,
        expected: Option<u64>,
        note: Option<String>,
    ) -> Step {
        Step {
            entries: self.entries,
            closures: self.closures,
            quarantine: self.quarantine,
            confirmed: self.confirmed,
            skipped: Vec::new(),
            checkpoint,
            read,
            expected,
            note,
        }
    }
}
