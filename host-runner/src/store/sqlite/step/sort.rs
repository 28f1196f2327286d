//! Sorts a step's entries by what is to be done with them. Each is counted once.

use std::collections::HashMap;

use super::records::Seen;
use crate::domain::Ledger;
use crate::store::sqlite::fail::{Fail, refused};
use crate::store::sqlite::held::{Held, judge};
use crate::store::{Document, Entry, Outcome, Problem, RecordState, Standing, StepCommit};

/// An entry whose record and documents are written.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Written<'a> {
    pub(in crate::store::sqlite) entry: &'a Entry,
    pub(in crate::store::sqlite) documents: &'a [Document],
    pub(in crate::store::sqlite) problems: &'a [Problem],
    /// The record's id, a new one for a new record.
    pub(in crate::store::sqlite) id: i64,
    pub(in crate::store::sqlite) standing: Standing,
    /// What was held of it.
    pub(in crate::store::sqlite) before: Option<Held>,
    /// Whether a document of it waits for its asset; known once they were written.
    pub(in crate::store::sqlite) parked: bool,
}

/// An entry that the map rejected.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Rejected<'a> {
    pub(in crate::store::sqlite) entry: &'a Entry,
    pub(in crate::store::sqlite) problems: &'a [Problem],
}

/// A step's entries by what is to be done with them.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Sorted<'a> {
    pub(in crate::store::sqlite) written: Vec<Written<'a>>,
    pub(in crate::store::sqlite) rejected: Vec<Rejected<'a>>,
    /// Records that are as they were.
    pub(in crate::store::sqlite) seen: Vec<Seen>,
}

/// Sorts, and counts all but the written, whose group is known only when their assets are.
pub(in crate::store::sqlite) fn sort<'a>(
    step: &'a StepCommit,
    held: &HashMap<String, Held>,
    last_id: &mut i64,
    ledger: &mut Ledger,
) -> Result<Sorted<'a>, Fail> {
    let chosen = choose(&step.entries);
    let mut sorted = Sorted::default();
    for (index, entry) in step.entries.iter().enumerate() {
        if chosen.get(entry.key.as_str()) != Some(&index) {
            ledger.duplicate += 1;
            continue;
        }
        let before = held.get(&entry.key);
        let standing = judge(before, &entry.fingerprint, step.sync);
        match (&entry.outcome, before) {
            _ if standing == Standing::Duplicate => ledger.duplicate += 1,
            (Outcome::Rejected(problems), _) => {
                ledger.quarantined += 1;
                sorted.rejected.push(Rejected { entry, problems });
            }
            (
                Outcome::Documents {
                    documents,
                    problems,
                },
                _,
            ) if documents.is_empty() => {
                ledger.quarantined += 1;
                sorted.rejected.push(Rejected { entry, problems });
            }
            (
                Outcome::Documents {
                    documents,
                    problems,
                },
                before,
            ) => {
                let id = before.map_or_else(
                    || {
                        *last_id = last_id.saturating_add(1);
                        *last_id
                    },
                    |before| before.id,
                );
                sorted.written.push(Written {
                    entry,
                    documents,
                    problems,
                    id,
                    standing,
                    before: before.cloned(),
                    parked: false,
                });
            }
            (Outcome::Unchanged, Some(before)) => {
                if before.parked {
                    ledger.parked += 1;
                } else {
                    ledger.unchanged += 1;
                }
                sorted.seen.push(Seen {
                    id: before.id,
                    seen_at: entry.seen_at,
                });
            }
            (Outcome::Unchanged, None) => {
                return Err(refused(
                    format!("the entry \"{}\"", entry.key),
                    "it is handed over as unchanged and is not held",
                ));
            }
        }
    }
    Ok(sorted)
}

/// Where a key repeats within a step, the last of its entries that was transformed counts, or else the last.
fn choose(entries: &[Entry]) -> HashMap<&str, usize> {
    let mut chosen: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let transformed = !matches!(entry.outcome, Outcome::Unchanged);
        let first = !chosen.contains_key(entry.key.as_str());
        let earlier_too = chosen
            .get(entry.key.as_str())
            .and_then(|earlier| entries.get(*earlier))
            .is_none_or(|earlier| matches!(earlier.outcome, Outcome::Unchanged));
        if first || transformed || earlier_too {
            chosen.insert(&entry.key, index);
        }
    }
    chosen
}

/// Counts a written entry.
pub(in crate::store::sqlite) fn count(written: &Written<'_>, ledger: &mut Ledger) {
    let was_open = written
        .before
        .as_ref()
        .is_none_or(|before| before.state == RecordState::Open);
    if !was_open {
        ledger.reopened += 1;
    }
    match written.standing {
        _ if written.parked => ledger.parked += 1,
        Standing::New => ledger.new += 1,
        Standing::Changed => ledger.changed += 1,
        Standing::NeedsTransform | Standing::Unchanged | Standing::Duplicate => {
            ledger.unchanged += 1
        }
    }
}
