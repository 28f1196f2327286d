//! What a component hands over is checked before the store sees it: keys are keys, times are times, JSON is JSON, and no list is longer
//! than the limits allow.

use super::fault::RunFault;
use crate::contract::{connector, types};
use crate::domain::Timestamp;
use crate::engine::{LimitReached, Limits};
use crate::store::{
    Closing, Closure, Document, DocumentKind, Lifecycle, Outcome, Placeholder, Problem, Unreadable,
};
use std::borrow::Cow;

/// The longest key, in bytes: keys are ids.
const LONGEST_KEY: usize = 1_024;
/// The largest checkpoint, in bytes.
const LARGEST_CHECKPOINT: usize = 1 << 20;

/// Checks the size of a step and the form of its keys, times and checkpoint.
pub(super) fn step(step: &connector::Step, limits: &Limits) -> Result<(), RunFault> {
    let records =
        step.entries.len() + step.closures.len() + step.quarantine.len() + step.confirmed.len();
    if records as u64 > limits.step_records {
        let reached = LimitReached::of(limits, "step-records");
        return Err(crate::engine::CallError::Limit {
            verb: "sync",
            reached,
        }
        .into());
    }
    for entry in &step.entries {
        key(&entry.key, "an entry")?;
        key(&entry.fingerprint, "a fingerprint")?;
        if let Some(at) = entry.seen_at {
            time(at, &entry.key)?;
        }
    }
    for closure in &step.closures {
        key(&closure.key, "a closure")?;
        if let Some(at) = closure.at {
            time(at, &closure.key)?;
        }
    }
    for confirmed in &step.confirmed {
        key(confirmed, "a confirmed record")?;
    }
    checkpoint(&step.checkpoint)
}

/// Checks a checkpoint.
pub(super) fn checkpoint(bytes: &[u8]) -> Result<(), RunFault> {
    if bytes.len() > LARGEST_CHECKPOINT {
        return Err(RunFault::broken_contract(format!(
            "the connector's checkpoint has {} bytes, more than {LARGEST_CHECKPOINT}",
            bytes.len()
        )));
    }
    json(bytes, "a checkpoint")
}

fn key(key: &str, what: &str) -> Result<(), RunFault> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(RunFault::broken_contract(format!(
            "the connector gave {what} a key of {} bytes; a key has 1 to {LONGEST_KEY}",
            key.len()
        )));
    }
    Ok(())
}

fn time(at: u64, key: &str) -> Result<Timestamp, RunFault> {
    Timestamp::from_ms(at).map_err(|error| {
        RunFault::broken_contract(format!(
            "the connector gave the record `{key}` an impossible time: {error}"
        ))
    })
}

fn json(bytes: &[u8], what: &str) -> Result<(), RunFault> {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
        .map(|_| ())
        .map_err(|error| {
            RunFault::broken_contract(format!(
                "the connector gave {what} that is not JSON: {error}"
            ))
        })
}

/// An entry's fingerprint as it is kept. That of a part is never that of the whole: else the whole would be taken for unchanged when it comes, and
/// what it lacks would stay open.
pub(super) fn fingerprint(entry: &connector::Entry) -> Cow<'_, str> {
    if entry.partial {
        Cow::Owned(format!("partial:{}", entry.fingerprint))
    } else {
        Cow::Borrowed(&entry.fingerprint)
    }
}

/// A time that was checked before.
pub(super) fn checked_time(at: Option<u64>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_ms(at).ok())
}

/// A closure in the store's words.
pub(super) fn closure(closure: connector::Closure) -> Closure {
    Closure {
        key: closure.key,
        closing: match closure.closing {
            connector::Closing::Resolved => Closing::Resolved,
            connector::Closing::Deleted => Closing::Deleted,
            connector::Closing::OutOfScope(filter) => Closing::OutOfScope(filter),
        },
        evidence: closure.evidence,
        at: checked_time(closure.at),
    }
}

/// What could not be read, in the store's words.
pub(super) fn unreadable(record: connector::Quarantined) -> Unreadable {
    Unreadable {
        key: record
            .key
            .filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY),
        raw: record.raw,
        problems: record.problems.into_iter().map(problem).collect(),
    }
}

/// A problem in the store's words.
pub(super) fn problem(problem: types::Problem) -> Problem {
    Problem {
        pointer: problem.pointer,
        message: problem.message,
    }
}

/// What the map made of one entry, in the store's words.
pub(super) fn outcome(outcome: connector::Outcome) -> Result<Outcome, RunFault> {
    let problems = outcome.problems.into_iter().map(problem).collect();
    if outcome.documents.is_empty() {
        return Ok(Outcome::Rejected(problems));
    }
    let documents = outcome
        .documents
        .into_iter()
        .map(document)
        .collect::<Result<_, _>>()?;
    Ok(Outcome::Documents {
        documents,
        problems,
    })
}

fn document(document: connector::Document) -> Result<Document, RunFault> {
    key(&document.key, "a document")?;
    if let Some(asset) = &document.asset {
        key(asset, "a finding's asset")?;
    }
    json(&document.body, "a document")?;
    Ok(Document {
        kind: match document.kind {
            connector::DocumentKind::Asset => DocumentKind::Asset,
            connector::DocumentKind::Finding => DocumentKind::Finding,
        },
        key: document.key,
        asset: document.asset,
        identity: document.identity,
        facets: document.facets,
        placeholders: document
            .placeholders
            .into_iter()
            .map(|placeholder| Placeholder {
                pointer: placeholder.pointer,
                value: match placeholder.value {
                    connector::Lifecycle::FirstSeen => Lifecycle::FirstSeen,
                    connector::Lifecycle::LastSeen => Lifecycle::LastSeen,
                    connector::Lifecycle::ClosedAt => Lifecycle::ClosedAt,
                    connector::Lifecycle::State => Lifecycle::State,
                },
                format: placeholder.format,
            })
            .collect(),
        body: document.body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_step() -> connector::Step {
        connector::Step {
            entries: vec![connector::Entry {
                key: "k".into(),
                fingerprint: "f".into(),
                seen_at: Some(1),
                partial: false,
                body: b"{}".to_vec(),
            }],
            closures: vec![],
            quarantine: vec![],
            confirmed: vec![],
            skipped: vec![],
            checkpoint: b"{}".to_vec(),
            read: 1,
            expected: None,
            note: None,
        }
    }

    #[test]
    fn a_sound_step_is_taken() {
        assert!(step(&a_step(), &Limits::default()).is_ok());
    }

    #[test]
    fn a_time_beyond_the_year_9999_is_a_broken_contract() {
        let mut broken = a_step();
        broken.entries[0].seen_at = Some(u64::MAX);
        let fault = step(&broken, &Limits::default()).unwrap_err();
        assert!(
            fault.message.contains("impossible time"),
            "{}",
            fault.message
        );
    }

    #[test]
    fn an_empty_key_and_a_checkpoint_that_is_not_json_are_refused() {
        let mut broken = a_step();
        broken.entries[0].key = String::new();
        assert!(step(&broken, &Limits::default()).is_err());
        let mut broken = a_step();
        broken.checkpoint = b"{".to_vec();
        assert!(step(&broken, &Limits::default()).is_err());
    }

    #[test]
    fn too_many_records_in_a_step_name_the_limit() {
        let limits = Limits {
            step_records: 0,
            ..Limits::default()
        };
        let fault = step(&a_step(), &limits).unwrap_err();
        assert_eq!(fault.limit.as_deref(), Some("step-records"));
    }
}
