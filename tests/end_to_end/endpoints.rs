//! A full sync of endpoints.

use cortex_xdr_simulator::Options;
use cross_crate_tests::Rig;
use host_runner::domain::RunState;
use host_runner::pipeline::{ModeChoice, SyncOptions};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const READ: [&str; 3] = ["CONNECTED", "DISCONNECTED", "LOST"];

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_in_scope_becomes_one_asset_with_its_name() {
    let rig = Rig::new(
        Options {
            endpoints: 2_350,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert!(report.ledger.adds_up(), "{:?}", report.ledger);

    let expected: BTreeMap<String, String> = rig
        .simulator
        .tenant()
        .endpoints()
        .into_iter()
        .filter(|endpoint| READ.contains(&endpoint.status.as_str()))
        .map(|endpoint| (endpoint.id, endpoint.name))
        .collect();
    let assets: BTreeMap<String, String> = rig
        .assets()
        .await
        .into_iter()
        .map(|asset| (asset.keys[0].1.clone(), asset.host_name.unwrap_or_default()))
        .collect();
    assert_eq!(assets, expected);
    assert_eq!(report.ledger.new, expected.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_full_sync_finds_everything_unchanged_and_transforms_nothing() {
    let rig = Rig::new(
        Options {
            endpoints: 300,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    let first = rig.sync("endpoints").await;
    let full = SyncOptions {
        mode: ModeChoice::Full,
        ..SyncOptions::default()
    };
    let second = rig.sync_with("endpoints", full).await;
    assert_eq!(second.ledger.new, 0);
    assert_eq!(second.ledger.changed, 0);
    assert_eq!(second.ledger.unchanged, first.ledger.new);
    assert_eq!(second.ledger.documents.assets_updated, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_does_not_make_an_endpoint_a_new_one() {
    let options = Options {
        endpoints: 300,
        alerts: 0,
        heartbeat: true,
        ..Options::default()
    };
    let rig = Rig::new(options, json!({})).await;
    rig.sync("endpoints").await;
    let full = SyncOptions {
        mode: ModeChoice::Full,
        ..SyncOptions::default()
    };
    let second = rig.sync_with("endpoints", full).await;
    assert!(second.ledger.unchanged > 200, "{:?}", second.ledger);
    assert_eq!(
        (second.ledger.new, second.ledger.changed),
        (0, 0),
        "{:?}",
        second.ledger
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_choose_endpoints_exactly_and_the_rest_is_counted_under_the_filter() {
    let rig = Rig::new(
        Options {
            endpoints: 500,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    let all = rig.simulator.tenant().endpoints();
    let tag = all
        .iter()
        .flat_map(|endpoint| endpoint.server_tags.iter().chain(&endpoint.endpoint_tags))
        .next()
        .expect("the simulator tags some endpoints")
        .clone();

    let rig = Rig::new(
        Options {
            endpoints: 500,
            alerts: 0,
            ..Options::default()
        },
        json!({"tags": format!("{tag}, no-endpoint-bears-this")}),
    )
    .await;
    let report = rig.sync("endpoints").await;
    let expected: BTreeSet<String> = all
        .into_iter()
        .filter(|endpoint| {
            READ.contains(&endpoint.status.as_str()) && endpoint.has_any_tag(&[&tag])
        })
        .map(|endpoint| endpoint.id)
        .collect();
    let assets: BTreeSet<String> = rig
        .assets()
        .await
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect();
    assert_eq!(assets, expected);
    assert!(
        report
            .ledger
            .filtered
            .get("tags")
            .is_some_and(|count| *count > 0),
        "{:?}",
        report.ledger
    );
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("no-endpoint-bears-this")),
        "{:?}",
        report.warnings
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_onboarding_no_asset_is_made_and_the_records_are_parked() {
    let rig = Rig::new(
        Options {
            endpoints: 120,
            alerts: 0,
            ..Options::default()
        },
        json!({"autoOnboardAssets": false}),
    )
    .await;
    let report = rig.sync("endpoints").await;
    assert!(rig.assets().await.is_empty());
    assert!(report.ledger.parked > 0);
    assert!(report.ledger.adds_up(), "{:?}", report.ledger);
}
