//! Parts of records, and records that the connector only confirms.

use serde_json::json;

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

fn cve(name: &str) -> Document {
    finding(&format!("e1|{name}"), Some("e1"), "low")
}

async fn with_findings() -> Bench {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let entries = vec![entry("e1", "AB", vec![cve("A"), cve("B")])];
    bench.full("vulnerabilities", 20, entries).await;
    bench
}

async fn states(bench: &Bench) -> Vec<(String, FindingState)> {
    let findings = bench.findings().await;
    findings.into_iter().map(|f| (f.key, f.state)).collect()
}

#[tokio::test]
async fn what_a_partial_entry_lacks_stays_open_and_untouched() {
    let bench = with_findings().await;
    let before = bench.findings().await;
    let sync = bench.begin("vulnerabilities", Mode::Incremental, 30).await;
    let part = Entry {
        partial: true,
        ..entry("e1", "partial:AC", vec![cve("A"), cve("C")])
    };
    let ledger = bench.put(&sync, vec![part]).await;
    assert_eq!((ledger.changed, ledger.documents.findings_closed), (1, 0));
    assert_eq!(ledger.documents.findings_new, 1);
    let after = bench.findings().await;
    assert!(after.iter().all(|f| f.state == FindingState::Open));
    let without_times = |finding: &Finding| Finding {
        last_seen: at(0),
        ..finding.clone()
    };
    assert_eq!(without_times(&after[1]), without_times(&before[1]));
    // The whole one closes it.
    let ledger = bench
        .put(&sync, vec![entry("e1", "AC", vec![cve("A"), cve("C")])])
        .await;
    assert_eq!(ledger.documents.findings_closed, 1);
    assert_eq!(
        states(&bench).await,
        [
            ("e1|A".to_owned(), FindingState::Open),
            ("e1|B".to_owned(), FindingState::Closed),
            ("e1|C".to_owned(), FindingState::Open),
        ]
    );
}

#[tokio::test]
async fn a_partial_entry_writes_values_as_usual_and_drops_no_asset() {
    let bench = Bench::new().await;
    let both = vec![asset("e1", json!({"os": "a"})), asset("e2", json!({}))];
    bench
        .full("endpoints", 10, vec![entry("r", "1", both)])
        .await;
    let sync = bench.begin("endpoints", Mode::Incremental, 20).await;
    let part = Entry {
        partial: true,
        ..entry("r", "partial:2", vec![asset("e1", json!({"os": "b"}))])
    };
    bench.put(&sync, vec![part]).await;
    let assets = bench.assets().await;
    assert!(assets.iter().all(|a| a.state == AssetState::Active));
    assert_eq!(assets[0].body["os"], "b");
}

#[tokio::test]
async fn a_confirmed_record_is_seen_and_unchanged_and_keeps_its_findings() {
    let bench = with_findings().await;
    let before = bench.findings().await;
    let sync = bench.begin("vulnerabilities", Mode::Full, 30).await;
    let mut step = bench.step(&sync, vec![]);
    step.confirmed = vec!["e1".to_owned()];
    let ledger = bench.commit(step).await;
    assert_eq!((ledger.read, ledger.unchanged), (1, 1));
    let record = bench.record("vulnerabilities", "e1").await.unwrap();
    assert_eq!(
        (record.fingerprint.as_str(), record.last_seen),
        ("AB", at(30))
    );
    assert_eq!(bench.end(&sync).await.ledger.removed, 0);
    let after = bench.findings().await;
    assert_eq!(after[0].last_seen, at(30));
    assert_eq!(after.len(), before.len());
    assert!(after.iter().all(|f| f.state == FindingState::Open));
}

#[tokio::test]
async fn a_record_confirmed_twice_or_beside_its_entry_is_a_duplicate() {
    let bench = with_findings().await;
    let sync = bench.begin("vulnerabilities", Mode::Incremental, 30).await;
    let mut step = bench.step(&sync, vec![]);
    step.confirmed = vec!["e1".to_owned(), "e1".to_owned()];
    let ledger = bench.commit(step.clone()).await;
    assert_eq!((ledger.unchanged, ledger.duplicate), (1, 1));
    // Also in a later step of the same sync.
    let ledger = bench.commit(step).await;
    assert_eq!((ledger.unchanged, ledger.duplicate), (0, 2));
    bench.end(&sync).await;

    for (now, given) in [
        (40, unchanged("e1", "AB")),
        (50, entry("e1", "A", vec![cve("A")])),
    ] {
        let sync = bench.begin("vulnerabilities", Mode::Incremental, now).await;
        let mut step = bench.step(&sync, vec![given]);
        step.confirmed = vec!["e1".to_owned()];
        let ledger = bench.commit(step).await;
        assert_eq!((ledger.read, ledger.duplicate), (2, 1), "{ledger:?}");
        bench.end(&sync).await;
    }
}

#[tokio::test]
async fn a_record_that_is_not_held_open_can_not_be_confirmed() {
    let bench = with_findings().await;
    let sync = bench.begin("vulnerabilities", Mode::Incremental, 30).await;
    bench
        .close(&sync, vec![closure("e1", Closing::Resolved)])
        .await;
    for key in ["e1", "unheard-of"] {
        let mut step = bench.step(&sync, vec![endpoint("e9", "1")]);
        step.confirmed = vec![key.to_owned()];
        let refused = bench.store.commit_step(step).await;
        assert!(
            matches!(&refused, Err(StoreError::Refused { what, .. }) if what.contains(key)),
            "{refused:?}"
        );
    }
    // Nothing of such a step is kept.
    assert!(bench.record("vulnerabilities", "e9").await.is_none());
}

#[tokio::test]
async fn a_confirmed_record_that_waits_for_its_asset_is_counted_as_parked() {
    let bench = Bench::new().await;
    bench.full("alerts", 10, vec![alert("a1", "e1")]).await;
    let sync = bench.begin("alerts", Mode::Incremental, 20).await;
    let mut step = bench.step(&sync, vec![]);
    step.confirmed = vec!["a1".to_owned()];
    assert_eq!(bench.commit(step).await.parked, 1);
}
