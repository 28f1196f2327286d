//! The target in the whole: from a simulated tenant through the real component to what the platform holds and reads out.

use crate::validator::wrong;
use cortex_xdr_simulator::{AlertChange, NewAlert, Options, Simulator};
use cross_crate_tests::{Rig, STREAMS, loopback, plugin, request, tenant};
use futures_util::StreamExt;
use host_runner::connection::{ConnectRequest, Desk, MapArgument, connect, update};
use host_runner::domain::RunState;
use host_runner::pipeline::{ModeChoice, SyncOptions};
use host_runner::store::{AssetFilter, FindingFilter, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

async fn rig() -> Rig {
    let options = Options {
        endpoints: 40,
        alerts: 200,
        cves: 20,
        ..Options::default()
    };
    let simulator = Simulator::start(options, loopback()).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::new(plugin().await, data.path());
    let config = json!({"dataStreams": STREAMS});
    let request = ConnectRequest {
        maps: vec![MapArgument::Target("ocsf".to_owned())],
        ..request(&simulator, config)
    };
    let connection = connect(&desk, request, &()).await.unwrap();
    assert_eq!(connection.target, "ocsf");
    let store = desk.stores.open(&tenant()).await.unwrap();
    Rig::over(simulator, desk, connection, store, data)
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

/// Chooses new alerts alone.
async fn leave_out_what_is_looked_at(rig: &mut Rig) {
    let request = rig.change(&json!({"alertStatuses": ["New"]}), &[]);
    let updated = update(&rig.desk, request, &()).await.unwrap();
    updated.remade.unwrap();
    rig.connection = updated.connection;
}

/// All assets that the platform holds, by key.
async fn assets(rig: &Rig) -> BTreeMap<String, Value> {
    let filter = AssetFilter {
        include_inactive: true,
        include_out_of_scope: true,
        ..AssetFilter::default()
    };
    let assets = rig.store.assets(&filter).map(|asset| {
        let asset = asset.unwrap();
        (asset.keys[0].1.clone(), asset.body)
    });
    assets.collect().await
}

/// All findings that the platform holds, whatever became of them, by key.
async fn findings(rig: &Rig) -> BTreeMap<String, Value> {
    let filter = FindingFilter {
        include_closed: true,
        include_out_of_scope: true,
        include_parked: true,
        ..FindingFilter::default()
    };
    let findings = rig.store.findings(&filter).map(|finding| {
        let finding = finding.unwrap();
        (finding.key, finding.body)
    });
    findings.collect().await
}

fn activity(body: &Value) -> (&str, &Value) {
    (
        body["activity_name"].as_str().unwrap_or_default(),
        &body["status_id"],
    )
}

/// What the independent models of `check_with_python_models.py` are to read: one document per line.
fn leave_for_the_other_models<'a>(documents: impl Iterator<Item = &'a Value>) {
    let lines: Vec<String> = documents.map(Value::to_string).collect();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ocsf-documents.ndjson");
    std::fs::write(file, lines.join("\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_that_the_platform_holds_is_valid_whatever_became_of_its_record() {
    let mut rig = rig().await;
    let endpoints = rig.simulator.tenant().endpoints();
    let on = endpoints
        .iter()
        .find(|endpoint| endpoint.status == "CONNECTED")
        .unwrap()
        .id
        .clone();
    let add = |status: &str| {
        rig.simulator.tenant().add_alert(NewAlert {
            endpoint_id: Some(on.clone()),
            status: Some(status.to_owned()),
            ..NewAlert::default()
        })
    };
    let [closes, returns, changes, goes, stays] = [(); 5].map(|()| add("STATUS_010_NEW"));
    let looked_at = add("STATUS_020_UNDER_INVESTIGATION");
    let scan = |cves: &[&str]| {
        let names = cves.iter().map(|&name| name.to_owned()).collect();
        assert!(rig.simulator.tenant().set_cves(&on, Some(names)));
    };
    scan(&["CVE-2024-1234", "CVE-2024-4321"]);
    sync(&rig).await;

    let resolved = "STATUS_060_RESOLVED_FALSE_POSITIVE";
    let worse = AlertChange {
        severity: Some("critical".to_owned()),
        ..AlertChange::default()
    };
    assert!(rig.simulator.tenant().resolve_alert(&closes, resolved));
    assert!(rig.simulator.tenant().resolve_alert(&returns, resolved));
    assert!(rig.simulator.tenant().change_alert(&changes, worse));
    assert!(rig.simulator.tenant().remove_alert(&goes));
    scan(&["CVE-2024-4321"]);
    sync(&rig).await;
    assert!(
        rig.simulator
            .tenant()
            .resolve_alert(&returns, "STATUS_010_NEW")
    );
    sync(&rig).await;

    let in_progress = findings(&rig).await;
    assert_eq!(activity(&in_progress[&looked_at]), ("Create", &json!(2)));
    leave_out_what_is_looked_at(&mut rig).await;
    sync(&rig).await;

    let (assets, findings) = (assets(&rig).await, findings(&rig).await);
    assert!(
        assets.len() > 20 && findings.len() > 100,
        "{} {}",
        assets.len(),
        findings.len()
    );
    for body in (assets.values().chain(findings.values())).chain(in_progress.values()) {
        assert_eq!(wrong(body), Vec::<String>::new(), "{body:#}");
    }
    for (key, name, status) in [
        (&closes, "Close", 4),
        (&returns, "Update", 1),
        (&changes, "Update", 1),
        (&goes, "Close", 4),
        (&stays, "Create", 1),
        (&looked_at, "Out of scope", 99),
        (&format!("{on}|CVE-2024-1234"), "Close", 4),
        (&format!("{on}|CVE-2024-4321"), "Create", 1),
    ] {
        let finding = findings.get(key).unwrap_or(&Value::Null);
        assert_eq!(activity(finding), (name, &json!(status)), "{key}");
    }
    let info = &findings[&closes]["finding_info"];
    assert!(info["modified_time"].as_u64() >= info["first_seen_time"].as_u64());
    assert_eq!(findings[&closes]["is_alert"], json!(false));
    assert_eq!(assets[&on]["class_uid"], 5001);
    leave_for_the_other_models(assets.values().chain(findings.values()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_filter_by_is_there_for_this_target_too() {
    let rig = rig().await;
    sync(&rig).await;
    let asset = &rig.assets().await[0];
    assert_eq!(asset.onboarding_source.as_deref(), Some("Cortex XDR"));
    assert!(asset.host_name.is_some() && asset.title.is_some());
    for finding in rig.findings().await {
        assert_eq!(finding.finding_source.as_deref(), Some("Cortex XDR"));
        assert!(
            finding.title.is_some() && finding.host_name.is_some(),
            "{finding:?}"
        );
        let named = |name: &str| finding.facets.iter().any(|(known, _)| known == name);
        assert!(named("vendor-product"), "{finding:?}");
    }
}
