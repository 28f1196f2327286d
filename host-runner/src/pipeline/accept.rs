//! What a component hands over is checked before the store sees it: keys are keys, times are times, JSON is JSON, and nothing is longer
//! than the limits allow. Texts for people are cut to what a person reads.

use super::fault::RunFault;
use super::shape;
use crate::contract::{connector, types};
use crate::domain::{Timestamp, cut_line};
use crate::engine::{CallError, LimitReached, Limits};
use crate::store::{
    Closing, Closure, Document, DocumentKind, Lifecycle, Outcome, Placeholder, Problem, Record,
    Unreadable,
};
use std::borrow::Cow;

/// The longest key, in bytes: keys are ids.
const LONGEST_KEY: usize = 1_024;
/// The longest text for a person, in characters.
const LONGEST_TEXT: usize = 2_000;
/// The longest note on what a sync is doing, in characters.
const LONGEST_NOTE: usize = 200;
/// The most problems of one record.
const MOST_PROBLEMS: usize = 100;

/// Checks the size of a step and the form of its keys, times and checkpoint.
pub(super) fn step(step: &connector::Step, limits: &Limits) -> Result<(), RunFault> {
    let records =
        step.entries.len() + step.closures.len() + step.quarantine.len() + step.confirmed.len();
    if records as u64 > limits.step_records {
        return Err(beyond(SYNC, limits, "step-records"));
    }
    for entry in &step.entries {
        key(&entry.key, "an entry")?;
        key(&entry.fingerprint, "a fingerprint")?;
        within(SYNC, entry.body.len(), limits)?;
        json(&entry.body, &format!("the record `{}`", entry.key))?;
        if let Some(at) = entry.seen_at {
            time(at, &entry.key)?;
        }
    }
    for closure in &step.closures {
        key(&closure.key, "a closure")?;
        if let connector::Closing::OutOfScope(filter) = &closure.closing {
            key(filter, "a filter")?;
        }
        if let Some(at) = closure.at {
            time(at, &closure.key)?;
        }
    }
    for confirmed in &step.confirmed {
        key(confirmed, "a confirmed record")?;
    }
    for unreadable in &step.quarantine {
        if unreadable
            .key
            .as_deref()
            .is_some_and(|key| key.contains('\0'))
        {
            return Err(RunFault::broken_contract(
                "the connector gave what it could not read a key with a NUL in it",
            ));
        }
        within(SYNC, unreadable.raw.len(), limits)?;
    }
    for (filter, _) in &step.skipped {
        key(filter, "a filter")?;
    }
    checkpoint(&step.checkpoint, limits)
}

/// Names of the filters by which a step leaves records out.
pub(super) fn filters(step: &connector::Step) -> impl Iterator<Item = &str> {
    let closed = step
        .closures
        .iter()
        .filter_map(|closure| match &closure.closing {
            connector::Closing::OutOfScope(filter) => Some(filter.as_str()),
            _ => None,
        });
    let skipped = step.skipped.iter().map(|(filter, _)| filter.as_str());
    closed.chain(skipped)
}

/// What a sync is doing, in a line.
pub(super) fn note(note: Option<String>) -> Option<String> {
    note.map(|note| readable(note, LONGEST_NOTE))
}

/// Why a read may be incomplete.
pub(super) fn coverage(coverage: connector::Coverage) -> connector::Coverage {
    match coverage {
        connector::Coverage::Incomplete(mut reasons) => {
            reasons.truncate(MOST_PROBLEMS);
            let readable = |reason| readable(reason, LONGEST_TEXT);
            connector::Coverage::Incomplete(reasons.into_iter().map(readable).collect())
        }
        connector::Coverage::Complete(mut slices) => {
            for slice in &mut slices {
                cut_line(&mut slice.name, LONGEST_NOTE);
            }
            connector::Coverage::Complete(slices)
        }
    }
}

const SYNC: &str = "sync";
const TRANSFORM: &str = "transform";

fn readable(mut text: String, longest: usize) -> String {
    cut_line(&mut text, longest);
    text
}

fn beyond(verb: &'static str, limits: &Limits, name: &'static str) -> RunFault {
    let reached = LimitReached::of(limits, name);
    CallError::Limit { verb, reached }.into()
}

/// The bytes of one record, or of one document.
fn within(verb: &'static str, bytes: usize, limits: &Limits) -> Result<(), RunFault> {
    if bytes as u64 > limits.record_mib.saturating_mul(1 << 20) {
        return Err(beyond(verb, limits, "record"));
    }
    Ok(())
}

/// Checks a checkpoint.
pub(super) fn checkpoint(bytes: &[u8], limits: &Limits) -> Result<(), RunFault> {
    if bytes.len() as u64 > limits.checkpoint_kib.saturating_mul(1 << 10) {
        return Err(beyond(SYNC, limits, "checkpoint"));
    }
    json(bytes, "a checkpoint")
}

fn key(key: &str, what: &str) -> Result<(), RunFault> {
    // A text ends there for half of the functions that a database has for texts: two keys could be one.
    if key.contains('\0') {
        return Err(RunFault::broken_contract(format!(
            "the connector gave {what} a key with a NUL in it"
        )));
    }
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
    shape::check(bytes).map_err(|error| {
        RunFault::broken_contract(format!(
            "the connector gave {what} in a form that is no JSON, or none that can be read again: {error}"
        ))
    })
}

/// An entry's fingerprint as it is kept. That of a part is never that of the whole: else the whole would be taken for unchanged when it comes, and
/// what it lacks would stay open.
pub(super) fn fingerprint(entry: &connector::Entry) -> Cow<'_, str> {
    if entry.partial {
        Cow::Owned(format!("{PARTIAL}{}", entry.fingerprint))
    } else {
        Cow::Borrowed(&entry.fingerprint)
    }
}

/// What marks the fingerprint of a part.
const PARTIAL: &str = "partial:";

/// A kept record as the entry that it was. Where its body is that of a part, so it is again.
pub fn kept(record: &Record) -> connector::Entry {
    let (partial, fingerprint) = match record.fingerprint.strip_prefix(PARTIAL) {
        Some(fingerprint) => (true, fingerprint),
        None => (false, record.fingerprint.as_str()),
    };
    connector::Entry {
        key: record.key.clone(),
        fingerprint: fingerprint.to_owned(),
        seen_at: record.seen_at.map(Timestamp::as_ms),
        partial,
        body: record.body.clone(),
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
        evidence: readable(closure.evidence, LONGEST_TEXT),
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
        problems: problems(record.problems),
    }
}

/// Problems in the store's words.
fn problems(mut problems: Vec<types::Problem>) -> Vec<Problem> {
    problems.truncate(MOST_PROBLEMS);
    let kept = problems.into_iter().map(|problem| Problem {
        pointer: readable(problem.pointer, LONGEST_TEXT),
        message: readable(problem.message, LONGEST_TEXT),
    });
    kept.collect()
}

/// What the map made of one entry, in the store's words.
pub fn outcome(outcome: connector::Outcome, limits: &Limits) -> Result<Outcome, RunFault> {
    let problems = problems(outcome.problems);
    if outcome.documents.is_empty() {
        return Ok(Outcome::Rejected(problems));
    }
    let documents = outcome
        .documents
        .into_iter()
        .map(|made| document(made, limits))
        .collect::<Result<_, _>>()?;
    Ok(Outcome::Documents {
        documents,
        problems,
    })
}

fn document(document: connector::Document, limits: &Limits) -> Result<Document, RunFault> {
    within(TRANSFORM, bytes(&document), limits)?;
    key(&document.key, "a document")?;
    if let Some(asset) = &document.asset {
        key(asset, "a finding's asset")?;
    }
    json(&document.body, &format!("the document `{}`", document.key))?;
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

/// All that a document holds.
fn bytes(document: &connector::Document) -> usize {
    let pairs = document.identity.iter().chain(&document.facets);
    let pairs: usize = pairs.map(|(name, value)| name.len() + value.len()).sum();
    let places = document.placeholders.iter();
    let places: usize = places
        .map(|place| place.pointer.len() + place.format.len())
        .sum();
    document.body.len() + pairs + places
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
