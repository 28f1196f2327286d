//! Documents made anew from kept records, in each state that a record can be in.

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
            switches: self.switches,
            always_written: vec!["/customFields".to_owned()],
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

#[tokio::test]
async fn an_asset_of_our_own_is_made_up_again_by_another_map_and_nothing_counts_as_seen() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("e1", "1"), endpoint("e2", "1")],
        )
        .await;
    let before = bench.record("endpoints", "e1").await.unwrap();
    let open = |before| OpenRecords {
        connection: bench.connection,
        stream: stream("endpoints"),
        before,
        order: Order::Key,
        after: None,
        limit: 9,
    };
    let listed = bench.store.open_records(&open(None)).await.unwrap();
    let remaking = Remaking::begin(&bench, "endpoints", "map-2", 50).await;
    let ledger = remaking.all(other_model, None).await;
    assert_eq!((ledger.read, ledger.unchanged), (2, 2));
    assert_eq!(ledger.documents.assets_updated, 2);
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 2);
    assert_eq!(assets[0].body, json!({"other": {"id": "e1"}}));
    assert_eq!(assets[0].onboarding_source.as_deref(), Some("other.source"));
    assert_eq!(
        (assets[0].first_seen, assets[0].last_seen),
        (at(10), at(10))
    );
    assert_eq!(assets[0].created_by, Some(bench.connection));
    let after = bench.record("endpoints", "e1").await.unwrap();
    assert_eq!(record_as_seen(&after), record_as_seen(&before));
    assert_eq!(bench.store.open_records(&open(None)).await.unwrap(), listed);
    assert!(remaking.due().await.is_empty());
    let sync = bench.begin("endpoints", Mode::Full, 60).await;
    let mut sync = sync;
    sync.made_with = "map-2".to_owned();
    assert_eq!(
        bench.stands(&sync, &[("e1", "1")]).await,
        [Standing::Unchanged]
    );
}

#[tokio::test]
async fn an_asset_that_was_there_before_takes_on_values_and_loses_none() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    sqlx::query("UPDATE assets SET created_by = NULL")
        .execute(&bench.store.inner.writer)
        .await
        .unwrap();
    Remaking::begin(&bench, "endpoints", "map-2", 50)
        .await
        .all(other_model, None)
        .await;
    let assets = bench.assets().await;
    assert_eq!(
        assets[0].body,
        json!({"id": "e1", "version": "1", "other": {"id": "e1"}})
    );
    assert_eq!(assets[0].onboarding_source.as_deref(), Some("test.source"));
}

#[tokio::test]
async fn where_existing_assets_are_not_updated_another_map_writes_only_what_is_always_written() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let mut remaking = Remaking::begin(&bench, "endpoints", "map-2", 50).await;
    remaking.switches = switches(false, true);
    let fields: Map = |kept| {
        given(vec![asset(
            &kept.record.key,
            json!({"id": 7, "customFields": {"tags": ["a"]}}),
        )])
    };
    remaking.all(fields, None).await;
    assert_eq!(
        bench.assets().await[0].body,
        json!({"id": "e1", "version": "1", "customFields": {"tags": ["a"]}})
    );
}

/// An endpoint and its vulnerabilities: two records, one asset.
async fn two_feeders() -> Bench {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let documents = vec![
        asset("e1", json!({"cves": 1})),
        finding("f", Some("e1"), "low"),
    ];
    bench
        .full("vulnerabilities", 20, vec![entry("e1", "1", documents)])
        .await;
    bench
}

#[tokio::test]
async fn an_asset_that_two_records_feed_is_made_up_again_from_both_in_the_order_of_reading() {
    let bench = two_feeders().await;
    let map: Map = |kept| {
        let stream = kept.stream.as_str();
        given(vec![asset("e1", json!({"last": stream, stream: true}))])
    };
    for stream in ["vulnerabilities", "endpoints"] {
        let with = format!("map-2 {stream}");
        Remaking::begin(&bench, stream, &with, 50)
            .await
            .all(map, Some(map))
            .await;
        assert_eq!(
            bench.assets().await[0].body,
            json!({"last": "vulnerabilities", "endpoints": true, "vulnerabilities": true}),
            "{stream}"
        );
    }
}

#[tokio::test]
async fn an_asset_of_which_a_record_is_not_given_keeps_what_it_has() {
    let bench = two_feeders().await;
    for (stream, beside) in [
        ("endpoints", None),
        ("vulnerabilities", Some(reject as Map)),
    ] {
        let remaking = Remaking::begin(&bench, stream, "map-2", 50).await;
        remaking.all(other_model, beside).await;
        let body = bench.assets().await[0].body.clone();
        assert_eq!(
            body,
            json!({"id": "e1", "version": "1", "cves": 1, "other": {"id": "e1"}})
        );
    }
}

#[tokio::test]
async fn findings_take_on_the_new_form_and_what_is_given_no_more_is_closed_with_its_own_word() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let both = vec![
        finding("a1", Some("e1"), "low"),
        finding("a1-more", Some("e1"), "low"),
    ];
    bench.full("alerts", 20, vec![entry("a1", "1", both)]).await;
    let remaking = Remaking::begin(&bench, "alerts", "map-2", 50).await;
    let ledger = remaking.all(other_finding, None).await;
    assert_eq!(
        (
            ledger.documents.findings_changed,
            ledger.documents.findings_closed
        ),
        (1, 1)
    );
    let findings = bench.findings().await;
    assert_eq!(findings[0].body, json!({"other": true}));
    assert_eq!(findings[0].severity, Severity::Critical);
    assert_eq!(
        (findings[0].first_seen, findings[0].last_seen),
        (at(20), at(20))
    );
    assert_eq!(findings[1].state, FindingState::Closed);
    assert_eq!(findings[1].last_seen, at(20));
    let evidence = findings[1].evidence.clone().unwrap();
    assert_eq!(evidence.closing, Closing::NoLongerListed);
    assert_eq!(
        evidence.word,
        "its record was made anew by another map and gives it no more"
    );
    assert_eq!(evidence.run, Some(remaking.run));
    // And back: it is open again, as it was first seen.
    let back: Map = |_| {
        given(vec![
            finding("a1", Some("e1"), "low"),
            finding("a1-more", Some("e1"), "low"),
        ])
    };
    Remaking::begin(&bench, "alerts", "map-1", 60)
        .await
        .all(back, None)
        .await;
    let findings = bench.findings().await;
    assert_eq!(findings[1].state, FindingState::Open);
    assert_eq!(findings[1].first_seen, at(20));
}

#[tokio::test]
async fn only_facets_changed_and_they_are_written_all_the_same() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
    let map: Map = |_| {
        let mut document = finding("a1", Some("e1"), "high");
        document.facets[1].1 = "low".to_owned();
        given(vec![document])
    };
    let remaking = Remaking::begin(&bench, "alerts", "map-2", 50).await;
    assert_eq!(remaking.all(map, None).await.documents.findings_changed, 1);
    assert_eq!(bench.findings().await[0].severity, Severity::Low);
}

#[tokio::test]
async fn what_is_closed_or_out_of_scope_takes_on_the_new_form_and_stays_as_it_stands() {
    for closing in [
        Closing::Resolved,
        Closing::Deleted,
        Closing::OutOfScope("status".to_owned()),
    ] {
        let bench = Bench::new().await;
        bench
            .full(
                "endpoints",
                10,
                vec![endpoint("e1", "1"), endpoint("e2", "1")],
            )
            .await;
        bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
        for (stream, key) in [("alerts", "a1"), ("endpoints", "e1")] {
            let sync = bench.begin(stream, Mode::Incremental, 30).await;
            bench
                .close(&sync, vec![closure(key, closing.clone())])
                .await;
            bench.end(&sync).await;
        }
        let record = bench.record("alerts", "a1").await.unwrap();
        let (finding, asset) = (
            bench.findings().await.remove(0),
            bench.assets().await.remove(0),
        );
        assert_ne!(asset.state, AssetState::Active);
        let ledger = Remaking::begin(&bench, "alerts", "map-2", 50)
            .await
            .all(other_finding, None)
            .await;
        assert_eq!((ledger.read, ledger.reopened), (1, 0));
        Remaking::begin(&bench, "endpoints", "map-2", 50)
            .await
            .all(other_model, None)
            .await;
        let after = bench.record("alerts", "a1").await.unwrap();
        assert_eq!(record_as_seen(&after), record_as_seen(&record));
        let now = bench.findings().await.remove(0);
        assert_eq!(now.body, json!({"other": true}), "{closing:?}");
        assert_eq!(now.severity, Severity::Critical);
        let stands = |finding: &Finding| {
            let at = (finding.first_seen, finding.last_seen, finding.closed_at);
            (finding.state, at, finding.evidence.clone(), finding.asset)
        };
        assert_eq!(stands(&now), stands(&finding));
        let now = bench.assets().await.remove(0);
        assert_eq!(now.body, json!({"other": {"id": "e1"}}), "{closing:?}");
        assert_eq!((now.state, now.closed_at), (asset.state, asset.closed_at));
    }
}

#[tokio::test]
async fn a_finding_that_left_with_its_asset_stays_closed_as_it_was() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("e1", "1"), endpoint("e2", "1")],
        )
        .await;
    bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
    let sync = bench.begin("endpoints", Mode::Incremental, 30).await;
    bench
        .close(&sync, vec![closure("e1", Closing::Deleted)])
        .await;
    bench.end(&sync).await;
    let before = bench.findings().await.remove(0);
    assert_eq!(before.state, FindingState::Closed);
    Remaking::begin(&bench, "alerts", "map-2", 50)
        .await
        .all(other_finding, None)
        .await;
    let after = bench.findings().await.remove(0);
    assert_eq!(after.body, json!({"other": true}));
    assert_eq!(
        (after.state, after.closed_at, after.evidence),
        (before.state, before.closed_at, before.evidence)
    );
}

#[tokio::test]
async fn a_record_that_the_map_rejects_stays_is_told_and_is_tried_again_only_when_something_changes()
 {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let before = bench.assets().await;
    let remaking = Remaking::begin(&bench, "endpoints", "map-2", 50).await;
    let ledger = remaking.all(reject, None).await;
    assert_eq!((ledger.read, ledger.quarantined), (1, 1));
    assert_eq!(bench.assets().await, before);
    let quarantined = bench.quarantined().await;
    assert_eq!(quarantined[0].key.as_deref(), Some("e1"));
    assert_eq!(quarantined[0].problems[0].message, "it is missing");
    assert!(remaking.due().await.is_empty());
    // Its documents are still those of the first map.
    let mut sync = bench.begin("endpoints", Mode::Full, 60).await;
    sync.made_with = "map-2".to_owned();
    assert_eq!(
        bench.stands(&sync, &[("e1", "1")]).await,
        [Standing::NeedsTransform]
    );
    let remaking = Remaking::begin(&bench, "endpoints", "map-3", 70).await;
    remaking.all(other_model, None).await;
    assert!(bench.quarantined().await.is_empty());
    assert_eq!(bench.assets().await[0].body, json!({"other": {"id": "e1"}}));
}

#[tokio::test]
async fn a_later_form_that_was_rejected_stays_in_quarantine_until_it_is_read() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let later = Entry {
        outcome: reject(&kept()),
        ..endpoint("e1", "2")
    };
    bench.full("endpoints", 20, vec![later]).await;
    assert_eq!(bench.quarantined().await.len(), 1);
    Remaking::begin(&bench, "endpoints", "map-2", 50)
        .await
        .all(other_model, None)
        .await;
    assert_eq!(bench.quarantined().await.len(), 1);
    assert_eq!(bench.assets().await[0].body, json!({"other": {"id": "e1"}}));
}

fn kept() -> KeptRecord {
    KeptRecord {
        stream: stream("endpoints"),
        record: Record {
            id: 0,
            key: String::new(),
            fingerprint: String::new(),
            state: RecordState::Open,
            parked: false,
            first_seen: at(0),
            last_seen: at(0),
            seen_at: None,
            closed_at: None,
            evidence: None,
            body: vec![],
        },
        made_with: None,
        stale: false,
    }
}

#[tokio::test]
async fn a_parked_record_attaches_with_its_findings_when_the_switch_is_turned() {
    let bench = Bench::new().await;
    bench.full("alerts", 5, vec![alert("a1", "e1")]).await;
    let mut sync = bench.begin("endpoints", Mode::Full, 10).await;
    sync.switches = switches(true, false);
    bench.put(&sync, vec![endpoint("e1", "1")]).await;
    bench.end(&sync).await;
    assert!(bench.assets().await.is_empty());
    let ledger = Remaking::begin(&bench, "endpoints", "onboard", 50)
        .await
        .all(
            |kept| given(vec![asset(&kept.record.key, json!({"id": 1}))]),
            None,
        )
        .await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert_eq!(
        (
            ledger.documents.assets_created,
            ledger.documents.findings_attached
        ),
        (1, 1)
    );
    assert!(!bench.record("endpoints", "e1").await.unwrap().parked);
    assert!(!bench.record("alerts", "a1").await.unwrap().parked);
}

#[tokio::test]
async fn a_part_closes_nothing_that_it_lacks() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let both = vec![
        finding("a", Some("e1"), "low"),
        finding("b", Some("e1"), "low"),
    ];
    bench
        .full("vulnerabilities", 20, vec![entry("e1", "1", both)])
        .await;
    let sync = bench.begin("vulnerabilities", Mode::Incremental, 30).await;
    let part = Entry {
        partial: true,
        ..entry("e1", "partial:2", vec![finding("a", Some("e1"), "low")])
    };
    bench.put(&sync, vec![part]).await;
    bench.end(&sync).await;
    let map: Map = |_| given(vec![finding("a", Some("e1"), "high")]);
    let ledger = Remaking::begin(&bench, "vulnerabilities", "map-2", 50)
        .await
        .all(map, None)
        .await;
    assert_eq!(ledger.documents.findings_closed, 0);
    let states: Vec<_> = bench
        .findings()
        .await
        .into_iter()
        .map(|finding| (finding.key, finding.state, finding.severity))
        .collect();
    assert_eq!(
        states,
        [
            ("a".to_owned(), FindingState::Open, Severity::High),
            ("b".to_owned(), FindingState::Open, Severity::Low)
        ]
    );
}

#[tokio::test]
async fn a_page_that_is_refused_leaves_nothing() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let before = bench.assets().await;
    let remaking = Remaking::begin(&bench, "endpoints", "map-2", 50).await;
    let due = remaking.due().await;
    for entry in [
        Entry {
            outcome: other_model(&due[0]),
            ..endpoint("e1", "another fingerprint")
        },
        Entry {
            outcome: other_model(&due[0]),
            ..endpoint("e9", "1")
        },
        unchanged("e1", "1"),
    ] {
        let commit = RemakeCommit {
            connection: bench.connection,
            stream: stream("endpoints"),
            run: remaking.run,
            now: at(50),
            made_with: "map-2".to_owned(),
            switches: switches(true, true),
            always_written: vec![],
            place: 0,
            beside: vec![],
            records: vec![Remade {
                id: due[0].record.id,
                other_map: true,
                stale: false,
                entry,
            }],
        };
        assert!(bench.store.commit_remake(&commit).await.is_err());
    }
    assert_eq!(bench.assets().await, before);
    assert_eq!(remaking.due().await, due);
}
