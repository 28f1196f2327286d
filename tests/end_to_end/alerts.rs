//! A full sync of alerts.

use cortex_xdr_simulator::{AlertShape, Options};
use cross_crate_tests::Rig;
use host_runner::domain::RunState;
use serde_json::json;
use std::collections::BTreeMap;

const SOURCES: [&str; 2] = ["XDR BIOC", "XDR IOC"];
const OPEN: [&str; 2] = ["STATUS_010_NEW", "STATUS_020_UNDER_INVESTIGATION"];

/// Endpoints and alerts are synced; findings are exactly the matching alerts whose endpoint is held.
async fn expect_exactly_the_matching_alerts(options: Options) {
    let rig = Rig::new(options, json!({})).await;
    let endpoints = rig.sync("endpoints").await;
    assert_eq!(
        endpoints.state,
        RunState::Processed,
        "{:?}",
        endpoints.fault
    );
    let report = rig.sync("alerts").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert!(report.ledger.adds_up(), "{:?}", report.ledger);

    let held: Vec<String> = rig
        .assets()
        .await
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect();
    let expected: BTreeMap<String, String> = rig
        .simulator
        .tenant()
        .alerts()
        .into_iter()
        .filter(|alert| {
            SOURCES.contains(&alert.source.as_str()) && OPEN.contains(&alert.status.as_str())
        })
        .filter(|alert| {
            alert
                .endpoint_id
                .as_ref()
                .is_some_and(|id| held.contains(id))
        })
        .map(|alert| (alert.id, alert.severity))
        .collect();
    assert!(!expected.is_empty());
    let findings: BTreeMap<String, String> = rig
        .findings()
        .await
        .into_iter()
        .map(|finding| (finding.key, finding.severity.to_string()))
        .collect();
    assert_eq!(findings, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_with_a_list_of_events_become_findings() {
    let options = Options {
        endpoints: 200,
        alerts: 3_000,
        alert_shape: AlertShape::Events,
        ..Options::default()
    };
    expect_exactly_the_matching_alerts(options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flat_alerts_become_the_same_findings() {
    let options = Options {
        endpoints: 200,
        alerts: 1_000,
        alert_shape: AlertShape::Flat,
        ..Options::default()
    };
    expect_exactly_the_matching_alerts(options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columnar_alerts_become_the_same_findings() {
    let options = Options {
        endpoints: 200,
        alerts: 1_000,
        alert_shape: AlertShape::Columnar,
        ..Options::default()
    };
    expect_exactly_the_matching_alerts(options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_total_that_is_null_is_no_end_and_no_proof() {
    let options = Options {
        endpoints: 50,
        alerts: 1_000,
        total_null: true,
        ..Options::default()
    };
    expect_exactly_the_matching_alerts(options).await;
}

/// wazuh/integrations #116: the total sticks at 9,999, and some clients stop there.
#[tokio::test(flavor = "multi_thread")]
async fn the_total_sticks_at_9999_and_nothing_is_lost() {
    let rig = Rig::new(
        Options { endpoints: 100, alerts: 40_000, ..Options::default() },
        json!({"dataStreams": ["alerts"], "alertSources": ["XDR BIOC", "XDR IOC", "XDR Agent", "XDR Analytics"]}),
    )
    .await;
    let report = rig.sync("alerts").await;
    let matching = rig
        .simulator
        .tenant()
        .alerts()
        .into_iter()
        .filter(|alert| {
            ["XDR BIOC", "XDR IOC", "XDR Agent", "XDR Analytics"].contains(&alert.source.as_str())
        })
        .count() as u64;
    assert!(matching > 9_999, "{matching}");
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert_eq!(
        report.ledger.read - report.ledger.duplicate,
        matching,
        "{:?}",
        report.ledger
    );
}
