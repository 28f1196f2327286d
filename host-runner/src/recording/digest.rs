//! What a component gave, as digests that say which part of it is another one.

use crate::contract::connector::{Closing, Coverage, Entry, Progress, Step, Summary};
use crate::contract::types::Problem;
use crate::store::{DocumentKind, Outcome, StepCommit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Hexadecimal digits of the digest of one record: enough to tell records apart.
const SHORT: usize = 16;

/// A hash over values that can't run into each other.
struct Canon(Sha256);

impl Canon {
    fn new(kind: &str) -> Self {
        let mut canon = Self(Sha256::new());
        canon.bytes(kind.as_bytes());
        canon
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn hex(self) -> String {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.0.finalize() {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn short(self) -> String {
        let mut text = self.hex();
        text.truncate(SHORT);
        text
    }
}

/// What a step, or what was made of it, came to: one digest over all, one for each record, and one for each other part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// SHA-256 over all of it.
    pub sha256: String,
    /// Key and digest of each record, in order.
    pub records: Vec<(String, String)>,
    /// The digest of each other part, by its name.
    pub rest: BTreeMap<String, String>,
}

impl Parts {
    fn sealed(mut self) -> Self {
        let mut canon = Canon::new("all");
        for (key, digest) in &self.records {
            canon.text(key);
            canon.text(digest);
        }
        for (name, digest) in &self.rest {
            canon.text(name);
            canon.text(digest);
        }
        self.sha256 = canon.hex();
        self
    }

    /// In which parts `made` is another one, in words.
    pub fn differences(&self, made: &Self) -> Vec<String> {
        const MOST: usize = 10;
        let recorded: BTreeMap<&str, &str> = pairs(&self.records);
        let remade: BTreeMap<&str, &str> = pairs(&made.records);
        let mut told = Vec::new();
        let list = |what: &str, keys: Vec<&str>, told: &mut Vec<String>| {
            if !keys.is_empty() {
                let more = keys.len().saturating_sub(MOST);
                let shown: Vec<&str> = keys.iter().take(MOST).copied().collect();
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                told.push(format!("{what}: {}{more}", shown.join(", ")));
            }
        };
        let changed = recorded
            .iter()
            .filter(|(key, digest)| remade.get(*key).is_some_and(|made| made != *digest));
        list(
            "other records",
            changed.map(|(key, _)| *key).collect(),
            &mut told,
        );
        let missing = recorded.keys().filter(|key| !remade.contains_key(*key));
        list("missing records", missing.copied().collect(), &mut told);
        let new = remade.keys().filter(|key| !recorded.contains_key(*key));
        list("further records", new.copied().collect(), &mut told);
        if told.is_empty() && self.records != made.records {
            told.push("the records are in another order, or some are there twice".to_owned());
        }
        for (name, digest) in &self.rest {
            if made.rest.get(name) != Some(digest) {
                told.push(format!("another {name}"));
            }
        }
        told
    }
}

fn pairs(records: &[(String, String)]) -> BTreeMap<&str, &str> {
    records
        .iter()
        .map(|(key, digest)| (key.as_str(), digest.as_str()))
        .collect()
}

/// What a step of a sync is.
pub(super) fn step(step: &Step) -> Parts {
    let mut rest = BTreeMap::new();
    let mut canon = Canon::new("closures");
    for closure in &step.closures {
        canon.text(&closure.key);
        canon.text(match &closure.closing {
            Closing::Resolved => "resolved",
            Closing::Deleted => "deleted",
            Closing::OutOfScope(_) => "out-of-scope",
        });
        if let Closing::OutOfScope(filter) = &closure.closing {
            canon.text(filter);
        }
        canon.text(&closure.evidence);
        canon.maybe(closure.at, Canon::number);
    }
    rest.insert("closures".to_owned(), canon.short());
    let mut canon = Canon::new("quarantine");
    for record in &step.quarantine {
        canon.maybe(record.key.as_deref(), Canon::text);
        canon.bytes(&record.raw);
        problems(&mut canon, &record.problems);
    }
    rest.insert("quarantine".to_owned(), canon.short());
    let mut canon = Canon::new("confirmed");
    for key in &step.confirmed {
        canon.text(key);
    }
    rest.insert("confirmed records".to_owned(), canon.short());
    let mut canon = Canon::new("skipped");
    for (filter, count) in &step.skipped {
        canon.text(filter);
        canon.number(*count);
    }
    rest.insert("counts of what was left out".to_owned(), canon.short());
    let mut canon = Canon::new("progress");
    canon.number(step.read);
    canon.maybe(step.expected, Canon::number);
    canon.maybe(step.note.as_deref(), Canon::text);
    rest.insert("progress".to_owned(), canon.short());
    rest.insert("checkpoint".to_owned(), of("checkpoint", &step.checkpoint));
    Parts {
        records: step.entries.iter().map(entry).collect(),
        rest,
        sha256: String::new(),
    }
    .sealed()
}

fn entry(entry: &Entry) -> (String, String) {
    let mut canon = Canon::new("entry");
    canon.text(&entry.key);
    canon.text(&entry.fingerprint);
    canon.maybe(entry.seen_at, Canon::number);
    canon.number(u64::from(entry.partial));
    canon.bytes(&entry.body);
    (entry.key.clone(), canon.short())
}

fn problems(canon: &mut Canon, problems: &[Problem]) {
    canon.number(problems.len() as u64);
    for problem in problems {
        canon.text(&problem.pointer);
        canon.text(&problem.message);
    }
}

/// What the end of a sync is.
pub(super) fn summary(summary: &Summary) -> Parts {
    let mut canon = Canon::new("coverage");
    match &summary.coverage {
        Coverage::Complete(slices) => {
            for slice in slices {
                canon.text(&slice.name);
                canon.number(slice.read);
                canon.maybe(slice.said, Canon::number);
                canon.number(u64::from(slice.ended_short));
                canon.number(u64::from(slice.second_look));
            }
        }
        Coverage::Incomplete(reasons) => {
            canon.text("incomplete");
            for reason in reasons {
                canon.text(reason);
            }
        }
    }
    let mut read = Canon::new("read");
    read.number(summary.read);
    Parts {
        rest: BTreeMap::from([
            ("coverage".to_owned(), canon.short()),
            ("number of records read".to_owned(), read.short()),
            (
                "checkpoint".to_owned(),
                of("checkpoint", &summary.checkpoint),
            ),
        ]),
        ..Parts::default()
    }
    .sealed()
}

/// What a call gave, where it gave something.
pub(super) fn progress(progress: &Progress) -> Parts {
    match progress {
        Progress::Step(it) => step(it),
        Progress::End(it) => summary(it),
    }
}

/// What is committed of a step: each record with the documents that were made of it.
pub(super) fn commit(commit: &StepCommit) -> Parts {
    let records = commit.entries.iter().map(|entry| {
        let mut canon = Canon::new("made");
        canon.text(&entry.fingerprint);
        canon.bytes(&entry.body);
        outcome(&mut canon, &entry.outcome);
        (entry.key.clone(), canon.short())
    });
    let records = records.collect();
    let mut canon = Canon::new("other");
    canon.number(commit.closures.len() as u64);
    canon.number(commit.quarantine.len() as u64);
    canon.number(commit.confirmed.len() as u64);
    Parts {
        records,
        rest: BTreeMap::from([
            ("number of closures".to_owned(), canon.short()),
            (
                "checkpoint".to_owned(),
                of("checkpoint", &commit.checkpoint),
            ),
        ]),
        sha256: String::new(),
    }
    .sealed()
}

fn outcome(canon: &mut Canon, outcome: &Outcome) {
    let told = |canon: &mut Canon, problems: &[crate::store::Problem]| {
        canon.number(problems.len() as u64);
        for problem in problems {
            canon.text(&problem.pointer);
            canon.text(&problem.message);
        }
    };
    match outcome {
        Outcome::Unchanged => canon.text("unchanged"),
        Outcome::Rejected(problems) => {
            canon.text("rejected");
            told(canon, problems);
        }
        Outcome::Documents {
            documents,
            problems,
        } => {
            canon.number(documents.len() as u64);
            for document in documents {
                canon.text(match document.kind {
                    DocumentKind::Asset => "asset",
                    DocumentKind::Finding => "finding",
                });
                canon.text(&document.key);
                canon.maybe(document.asset.as_deref(), Canon::text);
                for (name, value) in document.identity.iter().chain(&document.facets) {
                    canon.text(name);
                    canon.text(value);
                }
                for placeholder in &document.placeholders {
                    canon.text(&placeholder.pointer);
                    canon.text(&format!("{:?}", placeholder.value));
                    canon.text(&placeholder.format);
                }
                canon.bytes(&document.body);
            }
            told(canon, problems);
        }
    }
}

/// The digest of one thing.
pub(super) fn of(kind: &str, bytes: &[u8]) -> String {
    let mut canon = Canon::new(kind);
    canon.bytes(bytes);
    canon.short()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_step(bodies: &[(&str, &str)]) -> Step {
        Step {
            entries: bodies
                .iter()
                .map(|(key, body)| Entry {
                    key: (*key).to_owned(),
                    fingerprint: "f".into(),
                    seen_at: None,
                    partial: false,
                    body: body.as_bytes().to_vec(),
                })
                .collect(),
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
    fn what_differs_is_named() {
        let recorded = step(&a_step(&[("a", "1"), ("b", "2")]));
        let made = step(&a_step(&[("a", "1"), ("b", "3"), ("c", "4")]));
        assert_ne!(recorded.sha256, made.sha256);
        assert_eq!(
            recorded.differences(&made),
            ["other records: b", "further records: c"]
        );
        assert!(recorded.differences(&recorded).is_empty());
    }

    #[test]
    fn another_checkpoint_or_order_is_seen() {
        let recorded = step(&a_step(&[("a", "1"), ("b", "2")]));
        let mut other = a_step(&[("a", "1"), ("b", "2")]);
        other.checkpoint = b"{ }".to_vec();
        assert_eq!(recorded.differences(&step(&other)), ["another checkpoint"]);
        let turned = step(&a_step(&[("b", "2"), ("a", "1")]));
        assert_ne!(recorded.sha256, turned.sha256);
        assert_eq!(recorded.differences(&turned).len(), 1);
    }
}
