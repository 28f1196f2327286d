//! Each cell of the table of switches.

use serde_json::json;

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

/// A tenant that holds the asset "e1", onboarded by an earlier sync.
async fn with_asset() -> Bench {
    let bench = Bench::new().await;
    let body = json!({"name": "old", "os": "Windows", "customFields": {"tags": ["a"], "other": 1}});
    bench
        .full(
            "endpoints",
            10,
            vec![entry("e1", "1", vec![asset("e1", body)])],
        )
        .await;
    bench
}

/// Reads "e1" again, changed, with these switches.
async fn read_again(bench: &Bench, update: bool, onboard: bool) -> crate::domain::Ledger {
    let mut sync = bench.begin("endpoints", Mode::Full, 20).await;
    sync.switches = switches(update, onboard);
    let mut document = asset(
        "e1",
        json!({"name": "new", "os": null, "customFields": {"tags": []}}),
    );
    document
        .facets
        .push(("onboarding-source".to_owned(), "another.source".to_owned()));
    let ledger = bench
        .put(
            &sync,
            vec![entry(
                "e1",
                "2",
                vec![document, finding("f1", Some("e1"), "low")],
            )],
        )
        .await;
    bench.end(&sync).await;
    ledger
}

#[tokio::test]
async fn with_update_on_mapped_values_overwrite_and_absent_ones_erase_nothing() {
    for onboard in [false, true] {
        let bench = with_asset().await;
        let ledger = read_again(&bench, true, onboard).await;
        assert_eq!((ledger.changed, ledger.parked), (1, 0));
        assert_eq!(ledger.documents.assets_updated, 1);
        let assets = bench.assets().await;
        assert_eq!(assets.len(), 1);
        assert_eq!(
            assets[0].body,
            json!({"name": "new", "os": "Windows", "customFields": {"tags": [], "other": 1}})
        );
        assert_eq!(assets[0].onboarding_source.as_deref(), Some("test.source"));
        let sources: Vec<_> = assets[0]
            .facets
            .iter()
            .filter(|(name, _)| name == "onboarding-source")
            .collect();
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0].1, "test.source");
        assert_eq!(bench.findings().await[0].asset, Some(assets[0].id));
    }
}

#[tokio::test]
async fn with_update_off_values_stay_and_link_last_seen_custom_fields_and_findings_are_written() {
    for onboard in [false, true] {
        let bench = with_asset().await;
        let ledger = read_again(&bench, false, onboard).await;
        assert_eq!((ledger.changed, ledger.parked), (1, 0));
        let assets = bench.assets().await;
        assert_eq!(assets.len(), 1);
        assert_eq!(
            assets[0].body,
            json!({"name": "old", "os": "Windows", "customFields": {"tags": [], "other": 1}})
        );
        assert_eq!(assets[0].last_seen, at(20));
        assert_eq!(bench.findings().await[0].asset, Some(assets[0].id));
    }
}

#[tokio::test]
async fn with_onboard_on_an_asset_that_is_not_there_is_created_whole() {
    for update in [false, true] {
        let bench = Bench::new().await;
        let mut sync = bench.begin("endpoints", Mode::Full, 10).await;
        sync.switches = switches(update, true);
        let ledger = bench.put(&sync, vec![endpoint("e1", "1")]).await;
        assert_eq!((ledger.new, ledger.parked), (1, 0));
        assert_eq!(ledger.documents.assets_created, 1);
        let assets = bench.assets().await;
        assert_eq!(assets[0].body, json!({"id": "e1", "version": "1"}));
        assert_eq!(assets[0].onboarding_source.as_deref(), Some("test.source"));
        assert_eq!(assets[0].created_by, Some(bench.connection));
        assert_eq!(assets[0].host_name.as_deref(), Some("host-e1"));
        assert_eq!(assets[0].keys, vec![(bench.connection, "e1".to_owned())]);
    }
}

#[tokio::test]
async fn with_onboard_off_an_asset_that_is_not_there_is_parked_with_its_findings() {
    for update in [false, true] {
        let bench = Bench::new().await;
        let mut sync = bench.begin("endpoints", Mode::Full, 10).await;
        sync.switches = switches(update, false);
        let documents = vec![asset("e1", json!({})), finding("f1", Some("e1"), "low")];
        let ledger = bench.put(&sync, vec![entry("e1", "1", documents)]).await;
        assert_eq!((ledger.new, ledger.parked), (0, 1));
        assert!(bench.assets().await.is_empty());
        let findings = bench.findings().await;
        assert_eq!((findings.len(), findings[0].asset), (1, None));
        assert!(bench.record("endpoints", "e1").await.unwrap().parked);
        // It waits, and is not made anew, however often it is read: nothing came that it may be of.
        assert_eq!(
            bench.stands(&sync, &[("e1", "1")]).await,
            [Standing::Duplicate]
        );
        let again = bench.begin("endpoints", Mode::Full, 20).await;
        assert_eq!(
            bench.stands(&again, &[("e1", "1")]).await,
            [Standing::Duplicate]
        );
        bench.end(&again).await;
        let next = bench.begin("endpoints", Mode::Full, 30).await;
        assert_eq!(
            bench.stands(&next, &[("e1", "1")]).await,
            [Standing::Unchanged]
        );
    }
}

#[tokio::test]
async fn what_was_parked_attaches_when_the_switch_is_turned() {
    let bench = Bench::new().await;
    let mut sync = bench.begin("endpoints", Mode::Full, 10).await;
    sync.switches = switches(true, false);
    bench.put(&sync, vec![endpoint("e1", "1")]).await;
    bench.end(&sync).await;
    let (ledger, _) = bench.full("endpoints", 20, vec![endpoint("e1", "1")]).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert_eq!(bench.assets().await.len(), 1);
    assert!(!bench.record("endpoints", "e1").await.unwrap().parked);
}

#[tokio::test]
async fn a_parked_alert_attaches_in_the_transaction_that_creates_its_asset() {
    let bench = Bench::new().await;
    let (ledger, _) = bench
        .full("alerts", 10, vec![alert("a1", "e1"), alert("a2", "e2")])
        .await;
    assert_eq!(ledger.parked, 2);
    let (ledger, _) = bench.full("endpoints", 20, vec![endpoint("e1", "1")]).await;
    assert_eq!(ledger.documents.findings_attached, 1);
    let findings = bench.findings().await;
    assert_eq!(findings[0].asset, Some(bench.assets().await[0].id));
    assert_eq!(findings[1].asset, None);
    assert!(!bench.record("alerts", "a1").await.unwrap().parked);
    assert!(bench.record("alerts", "a2").await.unwrap().parked);
}

#[tokio::test]
async fn a_parked_record_of_another_stream_attaches_too_and_is_made_anew() {
    let bench = Bench::new().await;
    let mut parked = bench.begin("vulnerabilities", Mode::Full, 10).await;
    parked.switches = switches(true, false);
    let documents = vec![
        asset("e1", json!({"cves": 1})),
        finding("e1|CVE-1", Some("e1"), "high"),
    ];
    bench
        .put(&parked, vec![entry("e1", "1", documents.clone())])
        .await;
    bench.end(&parked).await;
    bench.full("endpoints", 20, vec![endpoint("e1", "1")]).await;
    assert!(!bench.record("vulnerabilities", "e1").await.unwrap().parked);
    let again = bench.begin("vulnerabilities", Mode::Full, 30).await;
    assert_eq!(
        bench.stands(&again, &[("e1", "1")]).await,
        [Standing::NeedsTransform]
    );
    bench.put(&again, vec![entry("e1", "1", documents)]).await;
    assert_eq!(
        bench.assets().await[0].body,
        json!({"id": "e1", "version": "1", "cves": 1})
    );
}

#[tokio::test]
async fn two_streams_that_give_the_same_asset_make_one() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![entry("e1", "1", vec![asset("e1", json!({"os": "Linux"}))])],
        )
        .await;
    bench
        .full(
            "vulnerabilities",
            20,
            vec![entry("e1", "1", vec![asset("e1", json!({"risk": 9}))])],
        )
        .await;
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(assets[0].body, json!({"os": "Linux", "risk": 9}));
}

#[tokio::test]
async fn no_asset_is_invented_from_an_alert_without_an_endpoint() {
    let bench = Bench::new().await;
    let (ledger, _) = bench
        .full(
            "alerts",
            10,
            vec![entry("a1", "1", vec![finding("a1", None, "low")])],
        )
        .await;
    assert_eq!(ledger.parked, 1);
    assert!(bench.assets().await.is_empty());
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_and_leaves_nothing() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    for kind in [DocumentKind::Asset, DocumentKind::Finding] {
        let mut bad = asset("e1", json!({}));
        bad.kind = kind;
        bad.body = b"{".to_vec();
        let step = bench.step(
            &sync,
            vec![endpoint("e0", "1"), entry("e1", "1", vec![bad])],
        );
        let error = bench.store.commit_step(step).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Refused { what, .. } if what.contains("e1")),
            "{error}"
        );
    }
    assert!(bench.record("endpoints", "e0").await.is_none());
    assert!(bench.assets().await.is_empty());
}

#[tokio::test]
async fn an_asset_is_not_written_again_where_nothing_of_it_changed() {
    let bench = Bench::new().await;
    let mut document = asset("e1", json!({}));
    document.body = b"{ \"b\": 1, \"a\": [1.50] }".to_vec();
    bench
        .full(
            "endpoints",
            10,
            vec![entry("e1", "1", vec![document.clone()])],
        )
        .await;
    let (ledger, _) = bench
        .full("endpoints", 20, vec![entry("e1", "2", vec![document])])
        .await;
    assert_eq!((ledger.changed, ledger.documents.assets_updated), (1, 0));
}

#[tokio::test]
async fn an_asset_whose_key_is_not_its_records_is_found_again_by_its_key() {
    let bench = Bench::new().await;
    bench
        .full(
            "alerts",
            5,
            vec![alert("a1", "host-7"), alert("a2", "host-7")],
        )
        .await;
    bench
        .full(
            "endpoints",
            10,
            vec![entry("e1", "1", vec![asset("host-7", json!({"v": 1}))])],
        )
        .await;
    bench
        .full(
            "vulnerabilities",
            20,
            vec![entry("x9", "1", vec![asset("host-7", json!({"w": 2}))])],
        )
        .await;
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(assets[0].body, json!({"v": 1, "w": 2}));
    assert!(
        bench
            .findings()
            .await
            .iter()
            .all(|finding| finding.asset == Some(assets[0].id))
    );
}

#[tokio::test]
async fn a_record_that_gives_another_asset_than_before_lets_go_of_the_first() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![entry("e1", "1", vec![asset("host-1", json!({}))])],
        )
        .await;
    let (ledger, _) = bench
        .full(
            "endpoints",
            20,
            vec![entry("e1", "2", vec![asset("host-2", json!({}))])],
        )
        .await;
    assert_eq!(
        (
            ledger.documents.assets_created,
            ledger.documents.assets_deactivated
        ),
        (1, 1)
    );
    let states: Vec<_> = bench
        .assets()
        .await
        .into_iter()
        .map(|asset| asset.state)
        .collect();
    assert_eq!(states, [AssetState::Inactive, AssetState::Active]);
}
