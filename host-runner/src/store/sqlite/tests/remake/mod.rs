//! Documents made anew from kept records, in each state that a record can be in.

mod assets;
mod findings;
mod records;

use serde_json::{Value, json};

use super::support::*;
use crate::domain::{Ledger, Mode, RunId};
use crate::store::*;

/// What a map makes of a record.
type Map = fn(&KeptRecord) -> Outcome;

fn given(documents: Vec<Document>) -> Outcome {
    Outcome::Documents {
        documents,
        problems: vec![],
    }
}

/// The endpoint as an asset in another model.
fn other_model(kept: &KeptRecord) -> Outcome {
    let key = &kept.record.key;
    let mut document = asset(key, json!({"other": {"id": key}}));
    document.facets[0].1 = "other.source".to_owned();
    given(vec![document])
}

/// The alert as a finding in another form.
fn other_finding(kept: &KeptRecord) -> Outcome {
    let mut document = finding(&kept.record.key, Some("e1"), "critical");
    document.body = b"{\"other\":true}".to_vec();
    given(vec![document])
}

fn reject(_: &KeptRecord) -> Outcome {
    Outcome::Rejected(vec![Problem {
        pointer: "/a".to_owned(),
        message: "it is missing".to_owned(),
    }])
}

/// A remake under way.
struct Remaking<'a> {
    bench: &'a Bench,
    stream: &'a str,
    made_with: &'a str,
    switches: Switches,
    run: RunId,
    now: u64,
}

impl<'a> Remaking<'a> {
    async fn begin(bench: &'a Bench, stream: &'a str, made_with: &'a str, now: u64) -> Self {
        let run = bench
            .store
            .begin_run(&NewRun {
                connection: bench.connection,
                stream: super::support::stream(stream),
                mode: Mode::Remake,
                reason: "test".to_owned(),
                map: None,
                now: at(now),
            })
            .await
            .unwrap();
        Self {
            bench,
            stream,
            made_with,
            switches: switches(true, true),
            run,
            now,
        }
    }

    async fn due(&self) -> Vec<KeptRecord> {
        let stream = stream(self.stream);
        let query = DueRecords {
            connection: self.bench.connection,
            stream: &stream,
            made_with: self.made_with,
            after: 0,
            limit: 100,
        };
        let due = self.bench.store.due_records(&query).await.unwrap();
        let counted = self.bench.store.due(&query).await.unwrap();
        assert_eq!(counted.records, due.len() as u64);
        due
    }

    /// Makes all that is due anew. `beside` makes the documents of other records of the same assets.
    async fn all(&self, map: Map, beside: Option<Map>) -> Ledger {
        let due = self.due().await;
        let ids: Vec<i64> = due.iter().map(|kept| kept.record.id).collect();
        let others = self
            .bench
            .store
            .beside(self.bench.connection, &ids)
            .await
            .unwrap();
        let beside = others.into_iter().filter_map(|kept| {
            let Outcome::Documents { documents, .. } = beside?(&kept) else {
                return None;
            };
            Some(Beside {
                id: kept.record.id,
                place: usize::from(kept.stream.as_str() != "endpoints"),
                documents,
            })
        });
        let commit = RemakeCommit {
            connection: self.bench.connection,
            stream: stream(self.stream),
            run: self.run,
            now: at(self.now),
            made_with: self.made_with.to_owned(),
            asset_rules: asset_rules(self.switches),
            place: usize::from(self.stream != "endpoints"),
            beside: beside.collect(),
            records: due
                .into_iter()
                .map(|kept| Remade {
                    id: kept.record.id,
                    other_map: kept.made_with.is_some(),
                    stale: false,
                    entry: Entry {
                        outcome: map(&kept),
                        partial: kept.record.fingerprint.starts_with("partial:"),
                        key: kept.record.key,
                        fingerprint: kept.record.fingerprint,
                        seen_at: kept.record.seen_at,
                        body: kept.record.body,
                    },
                })
                .collect(),
        };
        let ledger = self.bench.store.commit_remake(&commit).await.unwrap();
        assert!(ledger.adds_up(), "{ledger:?}");
        let run = self.bench.store.run(self.run).await.unwrap();
        assert_eq!((run.ledger.read, run.steps), (ledger.read, 1));
        ledger
    }
}

fn record_as_seen(record: &Record) -> Value {
    json!([
        record.first_seen,
        record.last_seen,
        record.seen_at,
        record.closed_at,
        record.evidence,
        format!("{:?}", record.state),
        record.fingerprint,
    ])
}
