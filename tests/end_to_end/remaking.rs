//! A changed map, switch or custom field makes all documents anew from the kept records, without a request, and as if they had been read so at first.

use cortex_xdr_simulator::Options;
use cross_crate_tests::{Rig, STREAMS, request};
use futures_util::StreamExt;
use host_runner::connection::{
    ConnectRequest, MapArgument, UpdateRequest, connect, remake as service, session, update,
};
use host_runner::domain::{ConnectionName, Mode, RunState, TenantName};
use host_runner::egress::Rate;
use host_runner::pipeline::{
    self, Cancel, ModeChoice, Observer, Progress, RemakeReport, SyncOptions, Unobserved, remake,
};
use host_runner::store::sqlite::SqliteStore;
use host_runner::store::{AssetFilter, AssetState, FindingFilter, FindingState, RunFilter, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn rig(config: Value) -> Rig {
    let options = Options {
        endpoints: 160,
        alerts: 220,
        cves: 30,
        ..Options::default()
    };
    let rig = Rig::of_all_streams(options, config).await;
    for stream in STREAMS {
        assert_eq!(rig.sync(stream).await.state, RunState::Processed);
    }
    rig
}

/// Changes the connection without a request.
async fn changed(rig: &mut Rig, request: UpdateRequest) -> Vec<RemakeReport> {
    rig.simulator.log().clear();
    let updated = update(&rig.desk, request, &()).await.unwrap();
    assert_eq!(rig.simulator.log().total(), 0);
    rig.connection = updated.connection;
    updated.remade.unwrap()
}

/// What a fresh tenant holds after its first full syncs.
async fn fresh(rig: &Rig, name: &str, maps: &[&str]) -> BTreeMap<String, Value> {
    let other = TenantName::new(name).unwrap();
    let request = ConnectRequest {
        tenant: other.clone(),
        maps: maps
            .iter()
            .map(|map| map.parse::<MapArgument>().unwrap())
            .collect(),
        skip_test: true,
        ..request(&rig.simulator, rig.connection.typed_config.clone())
    };
    connect(&rig.desk, request, &()).await.unwrap();
    let xdr = ConnectionName::new("xdr").unwrap();
    let session = session(&rig.desk, &other, &xdr, &[], Rate::Unlimited)
        .await
        .unwrap();
    for stream in &session.streams {
        let job = session.job(
            &rig.desk,
            stream,
            SyncOptions::default(),
            Arc::new(Unobserved),
            Cancel::new(),
        );
        let report = pipeline::sync(&job).await.unwrap();
        assert_eq!(report.state, RunState::Processed);
    }
    held(&session.store).await
}

/// Activity, and what hangs on it: a document that was made anew is a changed one, a fresh one is new.
const ACTIVITY: [&str; 4] = ["activity_id", "activity_name", "type_uid", "type_name"];

/// The document without times and words that are the platform's own.
fn ours_left_out(mut document: Value, times: &[String]) -> Value {
    match &mut document {
        Value::String(text) if times.contains(text) => *text = "a time".to_owned(),
        Value::Number(number) if times.contains(&number.to_string()) => {
            return Value::from("a time");
        }
        Value::Array(items) => {
            for item in items {
                *item = ours_left_out(item.take(), times);
            }
        }
        Value::Object(fields) => {
            for name in ACTIVITY {
                fields.remove(name);
            }
            for (_, field) in fields.iter_mut() {
                *field = ours_left_out(field.take(), times);
            }
        }
        _ => {}
    }
    document
}

/// All open documents.
async fn held(store: &SqliteStore) -> BTreeMap<String, Value> {
    let mut held = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut assets = store.assets(&AssetFilter::default());
    while let Some(asset) = assets.next().await {
        let asset = asset.unwrap();
        let times: Vec<String> = [asset.first_seen, asset.last_seen]
            .iter()
            .flat_map(|time| [time.to_rfc3339(), time.as_ms().to_string()])
            .collect();
        names.insert(asset.id, asset.keys[0].1.clone());
        let told = json!([
            asset.onboarding_source,
            asset.host_name,
            asset.title,
            asset.facets,
            ours_left_out(asset.body, &times),
        ]);
        held.insert(format!("asset {}", asset.keys[0].1), told);
    }
    let filter = FindingFilter {
        include_parked: true,
        ..FindingFilter::default()
    };
    let mut findings = store.findings(&filter);
    while let Some(finding) = findings.next().await {
        let finding = finding.unwrap();
        let times: Vec<String> = [finding.first_seen, finding.last_seen]
            .iter()
            .flat_map(|time| [time.to_rfc3339(), time.as_ms().to_string()])
            .collect();
        let told = json!([
            finding.record,
            finding.severity,
            finding.host_name,
            finding.title,
            finding.facets,
            finding.asset.map(|asset| &names[&asset]),
            ours_left_out(finding.body, &times),
        ]);
        held.insert(format!("{} finding {}", finding.stream, finding.key), told);
    }
    held
}

fn expect_alike(one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>, when: &str) {
    let keys = |held: &BTreeMap<String, Value>| held.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(one), keys(other), "{when}");
    for (what, document) in one {
        assert_eq!(document, &other[what], "{when}: {what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_map_makes_all_documents_anew_without_a_request_and_as_a_fresh_full_sync_would() {
    let mut rig = rig(json!({})).await;
    let mut before = held(&rig.store).await;
    assert!(before.len() > 300, "{}", before.len());
    for target in ["qualys-etm", "ocsf", "qualys-etm-scoped", "safe"] {
        let request = rig.change(&json!({}), &[target]);
        let reports = changed(&mut rig, request).await;
        assert_eq!(reports.len(), 3, "{target}: {reports:?}");
        for report in &reports {
            assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
            assert_eq!(report.ledger.read, report.due);
            assert_eq!(report.reason, "the map changed");
        }
        let now = held(&rig.store).await;
        assert_ne!(now, before, "{target}");
        expect_alike(&now, &fresh(&rig, target, &[target]).await, target);
        before = now;
    }
    // Nothing is left to do, and the next sync reads what changed alone.
    for stream in STREAMS {
        let report = rig.sync(stream).await;
        assert_eq!(
            (report.ledger.changed, report.ledger.new),
            (0, 0),
            "{:?}",
            report.ledger
        );
        assert_eq!(report.mode, Mode::Incremental, "{}", report.reason);
    }
    expect_alike(&held(&rig.store).await, &before, "after a sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_data_streams_map_leaves_what_the_other_gives_for_the_same_assets() {
    let mut rig = rig(json!({})).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin/maps");
    let map = std::fs::read_to_string(format!("{folder}/safe.json")).unwrap();
    let mut map: Value = serde_json::from_str(&map).unwrap();
    map["name"] = json!("mine");
    let rules = map["rules"].as_array_mut().unwrap();
    rules.retain(|rule| rule["target"] != "name");
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(file.path(), map.to_string()).unwrap();
    for stream in ["vulnerabilities", "endpoints"] {
        let mine = format!("{stream}={}", file.path().display());
        let other = if stream == "endpoints" {
            "vulnerabilities=safe"
        } else {
            "endpoints=safe"
        };
        let maps = [mine.as_str(), other, "alerts=safe"];
        let request = rig.change(&json!({}), &maps);
        changed(&mut rig, request).await;
        let fresh = fresh(&rig, stream, &maps).await;
        expect_alike(&held(&rig.store).await, &fresh, stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_field_fills_all_linked_assets_without_a_request_and_an_empty_list_clears_it() {
    let rig = rig(json!({})).await;
    let tags = |assets: &BTreeMap<String, Value>| -> usize {
        assets
            .iter()
            .filter(|(what, _)| what.starts_with("asset "))
            .filter(|(_, told)| told[4].to_string().contains("cortexXdr-tags"))
            .count()
    };
    let before = held(&rig.store).await;
    assert_eq!(tags(&before), 0);
    let now = cross_crate_tests::now();
    let name = "cortexXdr-tags";
    assert!(rig.store.add_custom_field(name, now).await.unwrap());
    rig.simulator.log().clear();
    let reports = remade(&rig, Arc::new(Unobserved), Cancel::new()).await;
    assert_eq!(rig.simulator.log().total(), 0);
    assert_eq!(reports[0].reason, "a custom field changed");
    let assets = before
        .keys()
        .filter(|what| what.starts_with("asset "))
        .count();
    let filled = held(&rig.store).await;
    assert_eq!(tags(&filled), assets);
    // Whoever loses the last tag has none.
    let tagged = rig
        .simulator
        .tenant()
        .endpoints()
        .into_iter()
        .find(|endpoint| {
            !endpoint.endpoint_tags.is_empty()
                && filled.contains_key(&format!("asset {}", endpoint.id))
        })
        .unwrap();
    let body = |held: &BTreeMap<String, Value>| held[&format!("asset {}", tagged.id)][4].clone();
    let at = |body: &Value| body.pointer("/customFields/cortexXdr-tags").cloned();
    assert_eq!(at(&body(&filled)), Some(json!(tagged.endpoint_tags)));
}

async fn remade(rig: &Rig, observer: Arc<dyn Observer>, cancel: Cancel) -> Vec<RemakeReport> {
    let job = service::job(&rig.desk, &rig.store, &rig.connection, observer, cancel).unwrap();
    remake(&job).await.unwrap()
}

/// Stops after the first page.
struct AfterOnePage(Cancel);

impl Observer for AfterOnePage {
    fn step(&self, progress: &Progress) {
        assert_eq!(progress.mode, Mode::Remake);
        self.0.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remake_that_is_stopped_goes_on_where_it_was() {
    let mut rig = rig(json!({})).await;
    // Changed and not made anew, as where the process was killed in between.
    let request = rig.change(&json!({}), &["qualys-etm"]);
    changed(&mut rig, request).await;
    let should_be = held(&rig.store).await;
    let request = rig.change(&json!({}), &["safe"]);
    changed(&mut rig, request).await;
    let manifest = rig.desk.plugin.manifest();
    let streams = rig.connection.data_streams.clone();
    let maps = host_runner::connection::maps::choose(
        manifest,
        &host_runner::connection::maps::OwnMaps::default(),
        &streams,
        &["qualys-etm".parse().unwrap()],
        None,
    )
    .unwrap();
    rig.connection.target = maps.target;
    rig.connection.maps = maps.maps;
    rig.store
        .update_connection(&rig.connection, &[])
        .await
        .unwrap();

    let mut runs = 0;
    loop {
        let cancel = Cancel::new();
        let observer = Arc::new(AfterOnePage(cancel.clone()));
        let reports = remade(&rig, observer, cancel).await;
        let Some(last) = reports.last() else { break };
        runs += 1;
        assert_eq!(reports.len(), 1);
        assert!(last.ledger.read <= 100, "{last:?}");
        assert!(runs < 50);
    }
    assert!(runs >= 5, "{runs}");
    expect_alike(&held(&rig.store).await, &should_be, "after all pieces");
    let filter = RunFilter {
        syncs_only: true,
        ..RunFilter::default()
    };
    assert!(
        rig.store
            .runs(&filter)
            .await
            .unwrap()
            .iter()
            .all(|run| run.mode != Mode::Remake)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_attaches_when_the_switch_is_turned_without_a_request() {
    let mut rig = rig(json!({"autoOnboardAssets": false})).await;
    let mut assets = rig.store.assets(&AssetFilter::default());
    assert!(assets.next().await.is_none());
    drop(assets);
    let request = rig.change(&json!({"autoOnboardAssets": true}), &[]);
    let reports = changed(&mut rig, request).await;
    assert_eq!(reports[0].reason, "a switch changed");
    expect_alike(
        &held(&rig.store).await,
        &fresh(&rig, "other", &[]).await,
        "with the switch turned",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_and_left_out_documents_take_on_the_new_form_and_stay_as_they_stand() {
    let mut rig = rig(json!({})).await;
    let simulated = rig.simulator.tenant();
    let filter = FindingFilter::default();
    let mut open = rig.store.findings(&filter);
    let alert = loop {
        let finding = open.next().await.unwrap().unwrap();
        if finding.stream.as_str() == "alerts" {
            break finding;
        }
    };
    drop(open);
    assert!(simulated.resolve_alert(&alert.key, "STATUS_050_RESOLVED_DUPLICATE"));
    let full = SyncOptions {
        mode: ModeChoice::Full,
        ..SyncOptions::default()
    };
    rig.sync_with("alerts", full).await;
    let closed = |store: SqliteStore| {
        let key = alert.key.clone();
        async move {
            let filter = FindingFilter {
                include_closed: true,
                ..FindingFilter::default()
            };
            let mut all = store.findings(&filter);
            loop {
                let finding = all.next().await.unwrap().unwrap();
                if finding.key == key && finding.stream.as_str() == "alerts" {
                    break finding;
                }
            }
        }
    };
    let before = closed(rig.store.clone()).await;
    assert_eq!(before.state, FindingState::Closed);
    let request = rig.change(&json!({}), &["qualys-etm"]);
    changed(&mut rig, request).await;
    let after = closed(rig.store.clone()).await;
    assert_ne!(after.body, before.body);
    assert_eq!(
        (
            after.state,
            after.closed_at,
            after.evidence,
            after.first_seen
        ),
        (
            before.state,
            before.closed_at,
            before.evidence,
            before.first_seen
        )
    );
    assert_eq!(after.last_seen, before.last_seen);
    let mut assets = rig.store.assets(&AssetFilter::default());
    assert_eq!(
        assets.next().await.unwrap().unwrap().state,
        AssetState::Active
    );
}
