//! What a change would do is what it then does.

use cortex_xdr_simulator::Options;
use cross_crate_tests::{Rig, STREAMS};
use host_runner::connection::update;
use host_runner::connection::what_if::{Difference, What, difference, what_if};
use host_runner::domain::RunState;
use host_runner::pipeline::{ModeChoice, SyncOptions};
use host_runner::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn rig(config: Value) -> Rig {
    let options = Options {
        endpoints: 120,
        alerts: 200,
        cves: 20,
        ..Options::default()
    };
    let rig = Rig::of_all_streams(options, config).await;
    sync(&rig).await;
    rig
}

async fn sync(rig: &Rig) {
    for stream in STREAMS {
        let mut full = SyncOptions {
            mode: ModeChoice::Full,
            ..SyncOptions::default()
        };
        full.guard.confirmed = true;
        let report = rig.sync_with(stream, full).await;
        assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    }
}

fn numbers(difference: &Difference) -> (BTreeMap<What, u64>, Vec<(String, u64, u64, u64)>) {
    let counts = difference
        .counts
        .iter()
        .map(|(what, counted)| (*what, counted.count));
    let values = difference
        .asset_values
        .iter()
        .chain(&difference.finding_values)
        .map(|(path, values)| (path.clone(), values.changed, values.added, values.gone));
    (counts.collect(), values.collect())
}

/// Asks what a change would do, does it, syncs in full, and compares.
async fn holds_good(rig: &mut Rig, laid_over: Value, maps: &[&str]) -> Difference {
    let request = rig.change(&laid_over, maps);
    let before = rig.desk.stores.trial(&rig.store).await.unwrap();
    rig.simulator.log().clear();
    let told = what_if(&rig.desk, &request, &(), 3).await.unwrap();
    assert_eq!(rig.simulator.log().total(), 0);
    let name = rig.connection.name.clone();
    let unchanged = rig.store.connection(&name).await.unwrap();
    assert_eq!(unchanged, rig.connection);
    let held = difference(&before.store, &rig.store, rig.connection.id, 0).await;
    assert!(held.unwrap().is_empty());

    let updated = update(&rig.desk, request, &()).await.unwrap();
    updated.remade.unwrap();
    rig.connection = updated.connection;
    sync(rig).await;
    let done = difference(&before.store, &rig.store, rig.connection.id, 3)
        .await
        .unwrap();
    assert_eq!(
        numbers(&told.difference),
        numbers(&done),
        "{laid_over} {maps:?}: {:#?}",
        told.sifted
    );
    assert_eq!(told.difference, done, "{laid_over} {maps:?}");
    told.difference
}

#[tokio::test(flavor = "multi_thread")]
async fn other_maps_do_what_was_told() {
    let mut rig = rig(json!({})).await;
    for target in ["qualys-etm", "qualys-etm-scoped", "ocsf", "safe"] {
        let told = holds_good(&mut rig, json!({}), &[target]).await;
        assert!(told.count(What::AssetsChanged) > 0 || target == "qualys-etm-scoped");
        assert_eq!(told.count(What::AssetsLeaveScope), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn narrower_filters_do_what_was_told() {
    let mut rig = rig(json!({})).await;
    let tag = rig
        .simulator
        .tenant()
        .endpoints()
        .into_iter()
        .flat_map(|endpoint| endpoint.server_tags)
        .next()
        .unwrap();
    let told = holds_good(&mut rig, json!({"alertStatuses": ["New"]}), &[]).await;
    assert!(told.count(What::FindingsLeaveScope) > 0);
    let told = holds_good(&mut rig, json!({"tags": tag}), &["qualys-etm"]).await;
    assert!(told.count(What::AssetsLeaveScope) > 0);
    assert!(told.count(What::FindingsLeaveScope) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_turned_does_what_was_told() {
    let mut rig = rig(json!({"autoOnboardAssets": false})).await;
    let told = holds_good(&mut rig, json!({"autoOnboardAssets": true}), &[]).await;
    assert!(told.count(What::AssetsCreated) > 50, "{:?}", told.counts);
    assert!(told.count(What::FindingsAttach) > 50, "{:?}", told.counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_filter_says_that_only_a_sync_can_tell_and_counts_what_is_held() {
    let rig = {
        let mut rig = rig(json!({})).await;
        holds_good(&mut rig, json!({"alertStatuses": ["New"]}), &[]).await;
        rig
    };
    let request = rig.change(
        &json!({"alertStatuses": ["New", "Under Investigation"]}),
        &[],
    );
    let told = what_if(&rig.desk, &request, &(), 3).await.unwrap();
    let alerts = told
        .sifted
        .iter()
        .find(|sifted| sifted.stream.as_str() == "alerts")
        .unwrap();
    assert!(alerts.may_add && alerts.comes_in > 0, "{alerts:?}");
    assert!(told.difference.is_empty());
}
