//! What the connector is for: a whole tenant, record by record, in a process that stays small.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const IN_SCOPE: [&str; 3] = ["CONNECTED", "DISCONNECTED", "LOST"];
const SOURCES: [&str; 2] = ["XDR BIOC", "XDR IOC"];
const OPEN: [&str; 2] = ["STATUS_010_NEW", "STATUS_020_UNDER_INVESTIGATION"];

fn by_id(documents: &[Value], field: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let map: BTreeMap<_, _> = documents
        .iter()
        .map(|document| (text(&document["externalId"]), text(&document[field])))
        .collect();
    assert_eq!(map.len(), documents.len(), "an id is there twice");
    map
}

/// The groups of a ledger add up to what was read.
fn adds_up(ledger: &Value) -> bool {
    let groups = [
        "new",
        "changed",
        "unchanged",
        "closed",
        "outOfScope",
        "parked",
        "duplicate",
        "quarantined",
    ];
    let count = |value: &Value| value.as_u64().unwrap();
    let filtered: u64 = ledger["filtered"]
        .as_object()
        .unwrap()
        .values()
        .map(count)
        .sum();
    let rest: u64 = groups.iter().map(|group| count(&ledger[group])).sum();
    count(&ledger["read"]) == filtered + rest
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_endpoints_and_alerts_become_exactly_their_assets_and_findings_within_64_mib()
 {
    let runner = Runner::new(Options {
        endpoints: 20_000,
        alerts: 20_000,
        gzip: false,
        ..Options::default()
    })
    .await;
    runner.connect(json!({})).await.succeeded();
    let synced = runner.sync().await.succeeded().json();

    let tenant = runner.simulator.tenant();
    let endpoints: BTreeMap<String, String> = tenant
        .endpoints()
        .into_iter()
        .filter(|endpoint| IN_SCOPE.contains(&endpoint.status.as_str()))
        .map(|endpoint| (endpoint.id, endpoint.name))
        .collect();
    assert!(endpoints.len() > 10_000);
    assert_eq!(by_id(&runner.assets().await, "name"), endpoints);

    let (mut read, mut resolved, mut without_asset) = (0_u64, 0_u64, 0_u64);
    let mut alerts = BTreeMap::new();
    for alert in tenant.alerts() {
        if !SOURCES.contains(&alert.source.as_str()) {
            continue;
        }
        read += 1;
        if !OPEN.contains(&alert.status.as_str()) {
            resolved += 1;
        } else if alert
            .endpoint_id
            .is_some_and(|id| endpoints.contains_key(&id))
        {
            alerts.insert(alert.id, alert.severity);
        } else {
            without_asset += 1;
        }
    }
    assert!(alerts.len() > 1_000);
    assert_eq!(by_id(&runner.findings().await, "severity"), alerts);

    let runs = synced["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert_eq!(run["state"], "processed");
        assert_eq!(run["removal"]["verdict"], "complete");
        assert!(adds_up(&run["ledger"]), "{}", run["ledger"]);
    }
    // Endpoints of all statuses are read, so that one whose status is not chosen is known to live.
    let left_out = tenant.endpoints().len() - endpoints.len();
    assert_eq!(runs[0]["ledger"]["read"], endpoints.len() + left_out);
    assert_eq!(runs[0]["ledger"]["new"], endpoints.len());
    assert_eq!(
        runs[0]["ledger"]["filtered"],
        json!({"endpointStatuses": left_out})
    );
    assert_eq!(runs[1]["ledger"]["read"], read);
    assert_eq!(runs[1]["ledger"]["new"], alerts.len());
    assert_eq!(runs[1]["ledger"]["parked"], without_asset);
    assert_eq!(runs[1]["ledger"]["filtered"], json!({"resolved": resolved}));

    // Where the system tells how much memory a process used.
    if let Some(peak) = synced["process"]["peakMemory"].as_u64() {
        assert!(peak < 64 << 20, "{} KiB", peak >> 10);
    }
}
