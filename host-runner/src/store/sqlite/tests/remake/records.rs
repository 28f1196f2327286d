//! Records that are rejected, parked or given in part.

use super::*;

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
            asset_rules: asset_rules(switches(true, true)),
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
