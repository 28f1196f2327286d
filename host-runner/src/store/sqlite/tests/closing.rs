//! What closes, what leaves the scope, what comes back, and what is withheld.

use serde_json::json;

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

async fn with_alerts(count: usize) -> Bench {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let alerts = (0..count).map(|n| alert(&format!("a{n}"), "e1")).collect();
    bench.full("alerts", 20, alerts).await;
    bench
}

#[tokio::test]
async fn a_resolved_alert_closes_with_the_apis_word_and_time_as_evidence() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    let ledger = bench
        .close(&sync, vec![closure("a0", Closing::Resolved)])
        .await;
    assert_eq!((ledger.closed, ledger.documents.findings_closed), (1, 1));
    let findings = bench.findings().await;
    assert_eq!(findings[0].state, FindingState::Closed);
    assert_eq!(findings[0].closed_at, Some(at(30)));
    assert_eq!(findings[0].last_seen, at(20));
    let evidence = findings[0].evidence.as_ref().unwrap();
    assert_eq!(evidence.word, "RESOLVED_TRUE_POSITIVE");
    assert_eq!((evidence.at, evidence.run), (Some(at(7)), Some(sync.run)));
    assert_eq!(
        bench.record("alerts", "a0").await.unwrap().state,
        RecordState::Closed
    );
    // Said again, it changes nothing.
    let ledger = bench
        .close(&sync, vec![closure("a0", Closing::Resolved)])
        .await;
    assert_eq!((ledger.closed, ledger.unchanged), (0, 1));
    assert_eq!(bench.findings().await, findings);
}

#[tokio::test]
async fn a_closure_of_a_record_that_is_not_held_is_filtered_by_its_name() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    let ledger = bench
        .close(
            &sync,
            vec![
                closure("x1", Closing::Resolved),
                closure("x2", Closing::OutOfScope("alertSources".to_owned())),
                closure("x3", Closing::OutOfScope("alertSources".to_owned())),
                closure("x3", Closing::Resolved),
            ],
        )
        .await;
    assert_eq!(ledger.filtered.get("resolved"), Some(&1));
    assert_eq!(ledger.filtered.get("alertSources"), Some(&2));
    assert_eq!(ledger.duplicate, 1);
}

#[tokio::test]
async fn out_of_scope_is_not_closed_is_hidden_and_comes_back() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    let ledger = bench
        .close(
            &sync,
            vec![closure(
                "a0",
                Closing::OutOfScope("alertStatuses".to_owned()),
            )],
        )
        .await;
    assert_eq!(
        (ledger.out_of_scope, ledger.documents.findings_out_of_scope),
        (1, 1)
    );
    assert_eq!(bench.findings().await[0].state, FindingState::OutOfScope);
    bench.end(&sync).await;
    let next = bench.begin("alerts", Mode::Incremental, 40).await;
    assert_eq!(
        bench.stands(&next, &[("a0", "1")]).await,
        [Standing::Changed]
    );
    let ledger = bench.put(&next, vec![alert("a0", "e1")]).await;
    assert_eq!((ledger.changed, ledger.reopened), (1, 1));
    let finding = &bench.findings().await[0];
    assert_eq!(
        (finding.state, finding.reopened_at),
        (FindingState::Open, None)
    );
}

#[tokio::test]
async fn what_was_resolved_and_lives_out_of_scope_is_not_shown_as_resolved_any_more() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    bench
        .close(&sync, vec![closure("a0", Closing::Resolved)])
        .await;
    let left_out = || {
        vec![closure(
            "a0",
            Closing::OutOfScope("alertStatuses".to_owned()),
        )]
    };
    let ledger = bench.close(&sync, left_out()).await;
    assert_eq!((ledger.out_of_scope, ledger.unchanged), (1, 0));
    assert_eq!(bench.findings().await[0].state, FindingState::OutOfScope);
    assert_eq!(
        bench.record("alerts", "a0").await.unwrap().state,
        RecordState::OutOfScope
    );
    let ledger = bench.close(&sync, left_out()).await;
    assert_eq!(ledger.out_of_scope, 1);
}

#[tokio::test]
async fn a_finding_closed_and_seen_again_is_reopened_not_new() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    bench
        .close(&sync, vec![closure("a0", Closing::Resolved)])
        .await;
    bench.end(&sync).await;
    let sync = bench.begin("alerts", Mode::Incremental, 40).await;
    let ledger = bench.put(&sync, vec![alert("a0", "e1")]).await;
    assert_eq!((ledger.new, ledger.changed, ledger.reopened), (0, 1, 1));
    assert_eq!(ledger.documents.findings_reopened, 1);
    let findings = bench.findings().await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].first_seen, at(20));
    assert_eq!(findings[0].reopened_at, Some(at(40)));
    assert_eq!(
        (findings[0].closed_at, findings[0].evidence.clone()),
        (None, None)
    );
}

#[tokio::test]
async fn an_entrys_findings_replace_all_that_it_gave_before() {
    let bench = Bench::new().await;
    let cve = |name: &str, severity| finding(&format!("e1|{name}"), Some("e1"), severity);
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench
        .full(
            "vulnerabilities",
            20,
            vec![entry("e1", "1", vec![cve("A", "low"), cve("B", "low")])],
        )
        .await;
    let (ledger, _) = bench
        .full(
            "vulnerabilities",
            30,
            vec![entry(
                "e1",
                "2",
                vec![cve("B", "high"), cve("C", "low"), cve("C", "low")],
            )],
        )
        .await;
    let documents = ledger.documents;
    assert_eq!(
        (
            documents.findings_new,
            documents.findings_changed,
            documents.findings_closed
        ),
        (1, 1, 1)
    );
    let findings = bench.findings().await;
    let states: Vec<_> = findings
        .iter()
        .map(|f| (f.key.as_str(), f.state, f.severity))
        .collect();
    assert_eq!(
        states,
        [
            ("e1|A", FindingState::Closed, Severity::Low),
            ("e1|B", FindingState::Open, Severity::High),
            ("e1|C", FindingState::Open, Severity::Low),
        ]
    );
    assert_eq!(
        findings[0].evidence.as_ref().unwrap().closing,
        Closing::NoLongerListed
    );
    assert_eq!(findings[0].last_seen, at(20));
    assert_eq!(findings[1].last_seen, at(30));
}

#[tokio::test]
async fn a_proven_full_sync_removes_what_it_did_not_see() {
    let bench = with_alerts(3).await;
    let (_, report) = bench
        .full(
            "alerts",
            30,
            vec![unchanged("a0", "1"), unchanged("a2", "1")],
        )
        .await;
    assert_eq!(
        report.verdict,
        Verdict::Complete {
            removed: 1,
            unseen: Unseen::Gone
        }
    );
    assert_eq!(
        (
            report.ledger.removed,
            report.ledger.documents.findings_closed
        ),
        (1, 1)
    );
    let findings = bench.findings().await;
    let closed: Vec<_> = findings
        .iter()
        .filter(|f| f.state == FindingState::Closed)
        .map(|f| f.key.as_str())
        .collect();
    assert_eq!(closed, ["a1"]);
    assert_eq!(
        findings[1].evidence.as_ref().unwrap().closing,
        Closing::Gone
    );
}

#[tokio::test]
async fn an_incomplete_full_sync_and_an_incremental_one_remove_nothing() {
    let bench = with_alerts(3).await;
    let sync = bench.begin("alerts", Mode::Full, 30).await;
    bench.put(&sync, vec![]).await;
    let end = EndCommit {
        coverage: Coverage::Incomplete {
            reasons: vec!["a page was short".to_owned()],
        },
        ..bench.ending(&sync)
    };
    let report = bench.store.commit_end(&end).await.unwrap();
    assert!(matches!(report.verdict, Verdict::Incomplete { .. }));
    let sync = bench.begin("alerts", Mode::Incremental, 40).await;
    assert_eq!(
        bench.end(&sync).await.verdict,
        Verdict::Incremental { reasons: vec![] }
    );
    assert!(
        bench
            .findings()
            .await
            .iter()
            .all(|f| f.state == FindingState::Open)
    );
}

#[tokio::test]
async fn a_record_in_quarantine_without_a_key_proves_that_the_read_was_incomplete() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Full, 30).await;
    let mut step = bench.step(&sync, vec![]);
    step.quarantine = vec![Unreadable {
        key: None,
        raw: b"{]".to_vec(),
        problems: vec![],
    }];
    let ledger = bench.commit(step).await;
    assert_eq!((ledger.quarantined, ledger.without_key), (1, 1));
    assert!(matches!(
        bench.end(&sync).await.verdict,
        Verdict::Incomplete { .. }
    ));
}

#[tokio::test]
async fn a_record_in_quarantine_with_a_known_key_was_seen_and_stays() {
    let bench = with_alerts(2).await;
    let sync = bench.begin("alerts", Mode::Full, 30).await;
    let problem = Problem {
        pointer: "/status".to_owned(),
        message: "an unknown status".to_owned(),
    };
    let mut step = bench.step(&sync, vec![]);
    step.quarantine = vec![Unreadable {
        key: Some("a0".to_owned()),
        raw: b"{}".to_vec(),
        problems: vec![problem.clone()],
    }];
    step.entries = vec![Entry {
        outcome: Outcome::Rejected(vec![problem.clone()]),
        ..alert("a1", "e1")
    }];
    bench.commit(step).await;
    assert_eq!(
        bench.end(&sync).await.verdict,
        Verdict::Complete {
            removed: 0,
            unseen: Unseen::Gone
        }
    );
    assert!(
        bench
            .findings()
            .await
            .iter()
            .all(|f| f.state == FindingState::Open)
    );
    let held = bench.quarantined().await;
    assert_eq!(held.len(), 2);
    assert!(
        held.iter()
            .all(|held| held.problems == [problem.clone()] && held.times == 1)
    );
    // It leaves when it reads well.
    bench
        .full("alerts", 40, vec![unchanged("a0", "1"), alert("a1", "e1")])
        .await;
    assert!(bench.quarantined().await.is_empty());
}

#[tokio::test]
async fn a_removal_of_too_much_is_withheld_until_it_is_confirmed() {
    let bench = with_alerts(60).await;
    let sync = bench.begin("alerts", Mode::Full, 30).await;
    bench.put(&sync, vec![]).await;
    let preview = bench
        .store
        .preview_removal(sync.sync, &RemovalGuard::default())
        .await
        .unwrap();
    assert_eq!(
        (preview.held, preview.unseen, preview.sample.len()),
        (60, 60, 10)
    );
    let report = bench.end(&sync).await;
    assert!(
        matches!(report.verdict, Verdict::Withheld { .. }),
        "{report:?}"
    );
    assert!(
        bench
            .findings()
            .await
            .iter()
            .all(|f| f.state == FindingState::Open)
    );
    // A withheld sync does not count as a complete one.
    let history = bench
        .store
        .sync_history(bench.connection, &stream("alerts"))
        .await
        .unwrap();
    assert_eq!(history.last_complete_full.unwrap().started_at, at(20));

    let sync = bench.begin("alerts", Mode::Full, 40).await;
    let mut end = bench.ending(&sync);
    end.guard.confirmed = true;
    let report = bench.store.commit_end(&end).await.unwrap();
    assert_eq!(report.ledger.removed, 60);
    assert!(
        bench
            .findings()
            .await
            .iter()
            .all(|f| f.state == FindingState::Closed)
    );
}

#[tokio::test]
async fn what_another_scope_leaves_out_is_out_of_scope_not_gone() {
    let bench = with_alerts(2).await;
    let sync = bench
        .begin_scoped("alerts", Mode::Full, 30, "tags=server")
        .await;
    assert!(sync.state.scope_changed);
    bench.put(&sync, vec![unchanged("a0", "1")]).await;
    let report = bench.end(&sync).await;
    assert_eq!(
        report.verdict,
        Verdict::Complete {
            removed: 1,
            unseen: Unseen::OutOfScope
        }
    );
    assert_eq!(report.ledger.documents.findings_out_of_scope, 1);
    assert_eq!(bench.findings().await[1].state, FindingState::OutOfScope);
    let sync = bench
        .begin_scoped("alerts", Mode::Full, 40, "tags=server")
        .await;
    assert!(!sync.state.scope_changed);
}

#[tokio::test]
async fn an_endpoint_proven_gone_closes_its_findings_and_its_asset_becomes_inactive() {
    let bench = with_alerts(2).await;
    let (_, report) = bench.full("endpoints", 30, vec![]).await;
    assert_eq!(report.ledger.documents.assets_deactivated, 1);
    assert_eq!(report.ledger.documents.findings_closed, 2);
    let asset = &bench.assets().await[0];
    assert_eq!(
        (asset.state, asset.closed_at),
        (AssetState::Inactive, Some(at(30)))
    );
    let findings = bench.findings().await;
    assert!(
        findings
            .iter()
            .all(|f| f.evidence.as_ref().unwrap().closing == Closing::AssetGone)
    );
    // It comes back: the same asset, and what left only with it.
    bench.full("endpoints", 40, vec![endpoint("e1", "1")]).await;
    let assets = bench.assets().await;
    assert_eq!(
        (assets.len(), assets[0].state, assets[0].closed_at),
        (1, AssetState::Active, None)
    );
    assert!(
        bench
            .findings()
            .await
            .iter()
            .all(|f| f.state == FindingState::Open && f.reopened_at == Some(at(40)))
    );
}

#[tokio::test]
async fn an_asset_that_another_stream_still_feeds_stays() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench
        .full(
            "vulnerabilities",
            20,
            vec![entry("e1", "1", vec![asset("e1", json!({}))])],
        )
        .await;
    bench.full("vulnerabilities", 30, vec![]).await;
    assert_eq!(bench.assets().await[0].state, AssetState::Active);
}

#[tokio::test]
async fn an_endpoint_out_of_scope_hides_its_asset_and_findings() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("endpoints", Mode::Incremental, 30).await;
    bench
        .close(
            &sync,
            vec![closure("e1", Closing::OutOfScope("tags".to_owned()))],
        )
        .await;
    assert_eq!(bench.assets().await[0].state, AssetState::OutOfScope);
    assert_eq!(bench.findings().await[0].state, FindingState::OutOfScope);
}

#[tokio::test]
async fn a_new_finding_on_an_asset_out_of_scope_is_out_of_scope_until_the_asset_is_back() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("endpoints", Mode::Incremental, 30).await;
    bench
        .close(
            &sync,
            vec![closure("e1", Closing::OutOfScope("tags".to_owned()))],
        )
        .await;
    bench.end(&sync).await;
    let sync = bench.begin("alerts", Mode::Incremental, 40).await;
    bench
        .commit(bench.step(&sync, vec![alert("a9", "e1")]))
        .await;
    bench.end(&sync).await;
    let states = |findings: Vec<Finding>| -> Vec<FindingState> {
        findings.into_iter().map(|finding| finding.state).collect()
    };
    assert_eq!(
        states(bench.findings().await),
        [FindingState::OutOfScope, FindingState::OutOfScope]
    );
    bench.full("endpoints", 50, vec![endpoint("e1", "1")]).await;
    assert_eq!(
        states(bench.findings().await),
        [FindingState::Open, FindingState::Open]
    );
}

#[tokio::test]
async fn a_connector_can_not_say_what_only_the_platform_may() {
    let bench = with_alerts(1).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    let mut step = bench.step(&sync, vec![]);
    step.closures = vec![closure("a0", Closing::Gone)];
    assert!(matches!(
        bench.store.commit_step(step).await,
        Err(StoreError::Refused { .. })
    ));
}
