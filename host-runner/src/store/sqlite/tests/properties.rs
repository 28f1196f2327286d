//! Random steps: every record is accounted for, and none is there twice.

use std::collections::HashSet;

use proptest::prelude::*;

use super::support::*;
use crate::domain::{Ledger, Mode};
use crate::store::*;

#[derive(Debug, Clone)]
enum Read {
    Entry {
        key: u8,
        fingerprint: u8,
        findings: u8,
    },
    Rejected {
        key: u8,
    },
    Closed {
        key: u8,
        out: bool,
    },
    Unreadable {
        key: Option<u8>,
    },
    Skipped(u8),
}

fn read() -> impl Strategy<Value = Read> {
    prop_oneof![
        6 => (0..6u8, 0..3u8, 0..3u8).prop_map(|(key, fingerprint, findings)| Read::Entry { key, fingerprint, findings }),
        1 => (0..6u8).prop_map(|key| Read::Rejected { key }),
        2 => (0..6u8, any::<bool>()).prop_map(|(key, out)| Read::Closed { key, out }),
        1 => proptest::option::of(0..6u8).prop_map(|key| Read::Unreadable { key }),
        1 => (0..4u8).prop_map(Read::Skipped),
    ]
}

#[derive(Debug, Clone)]
struct Run {
    alerts: bool,
    full: bool,
    onboard: bool,
    ends: bool,
    steps: Vec<Vec<Read>>,
}

fn run() -> impl Strategy<Value = Run> {
    let steps = proptest::collection::vec(proptest::collection::vec(read(), 0..6), 1..4);
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        steps,
    )
        .prop_map(|(alerts, full, onboard, ends, steps)| Run {
            alerts,
            full,
            onboard,
            ends,
            steps,
        })
}

/// Does what the pipeline does: asks for the standing and transforms only what needs it.
async fn to_step(
    bench: &Bench,
    sync: &support_sync::Sync,
    alerts: bool,
    reads: &[Read],
) -> StepCommit {
    let mut step = bench.step(sync, vec![]);
    for read in reads {
        match *read {
            Read::Entry {
                key,
                fingerprint,
                findings,
            } => {
                let (key, fingerprint) = (format!("e{key}"), fingerprint.to_string());
                let mut documents: Vec<Document> = (0..findings)
                    .map(|n| finding(&format!("{key}|{n}"), Some(&key), "low"))
                    .collect();
                if !alerts {
                    documents.push(asset(&key, serde_json::json!({"v": fingerprint})));
                } else if documents.is_empty() {
                    documents.push(finding(&key, None, "low"));
                }
                step.entries.push(entry(&key, &fingerprint, documents));
            }
            Read::Rejected { key } => step.entries.push(Entry {
                outcome: Outcome::Rejected(vec![]),
                ..entry(&format!("e{key}"), "bad", vec![])
            }),
            Read::Closed { key, out } => step.closures.push(closure(
                &format!("e{key}"),
                if out {
                    Closing::OutOfScope("tags".to_owned())
                } else {
                    Closing::Resolved
                },
            )),
            Read::Unreadable { key } => step.quarantine.push(Unreadable {
                key: key.map(|key| format!("e{key}")),
                raw: b"?".to_vec(),
                problems: vec![],
            }),
            Read::Skipped(count) => step.skipped.push(("tags".to_owned(), u64::from(count))),
        }
    }
    let asked: Vec<(&str, &str)> = step
        .entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry.fingerprint.as_str()))
        .collect();
    let standings = bench.stands(sync, &asked).await;
    for (entry, standing) in step.entries.iter_mut().zip(standings) {
        if !standing.needs_transform() {
            entry.outcome = Outcome::Unchanged;
        }
    }
    step
}

use super::support as support_sync;

async fn check(bench: &Bench) {
    let assets = bench.assets().await;
    let mut keys = HashSet::new();
    for asset in &assets {
        for key in &asset.keys {
            assert!(keys.insert(key.clone()), "{key:?} is linked to two assets");
        }
    }
    let findings = bench.findings().await;
    let mut seen = HashSet::new();
    for finding in &findings {
        assert!(
            seen.insert((finding.stream.clone(), finding.key.clone())),
            "{} is there twice",
            finding.key
        );
        let record = bench
            .record(finding.stream.as_str(), &finding.record)
            .await
            .unwrap();
        if finding.state == FindingState::Open {
            assert_eq!(
                record.state,
                RecordState::Open,
                "{} is open and its record is not",
                finding.key
            );
            assert!(finding.closed_at.is_none() && finding.evidence.is_none());
        } else {
            assert!(
                finding.evidence.is_some(),
                "{} left without evidence",
                finding.key
            );
        }
        if let (Some(key), None) = (&finding.asset_key, finding.asset) {
            assert!(
                !keys.contains(&(bench.connection, key.clone())),
                "{} waits for an asset that is there",
                finding.key
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_accounted_for_and_none_is_there_twice(runs in proptest::collection::vec(run(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new().await;
            let mut now = 10;
            for run in runs {
                now += 10;
                let name = if run.alerts { "alerts" } else { "endpoints" };
                let mode = if run.full { Mode::Full } else { Mode::Incremental };
                let mut sync = bench.begin(name, mode, now).await;
                sync.switches = switches(true, run.onboard);
                sync.made_with = format!("map, onboard {}", run.onboard);
                let mut total = Ledger::default();
                for reads in &run.steps {
                    let step = to_step(&bench, &sync, run.alerts, reads).await;
                    total += &bench.commit(step).await;
                    check(&bench).await;
                }
                if run.ends {
                    total += &bench.end(&sync).await.ledger;
                    check(&bench).await;
                }
                assert!(total.adds_up());
                assert_eq!(bench.store.run(sync.run).await.unwrap().ledger, total);
            }
        });
    }
}
