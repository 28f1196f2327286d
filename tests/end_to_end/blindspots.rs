//! What the tenant holds and the platform does not see, held against the simulated tenant: the numbers must be its own.

use cortex_xdr_simulator::{AlertView, EndpointView, NewEndpoint, Options};
use cross_crate_tests::{Rig, now, tenant};
use host_runner::connection::{SurveyReport, survey};
use host_runner::contract::connector::BlindSpot;
use host_runner::egress::Rate;
use host_runner::store::{LeftOut, Store};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const DAY_MS: i64 = 86_400_000;

/// Sources of the simulated alerts that the vendor documents, but for the default choice.
const LEFT_OUT: [&str; 14] = [
    "XDR Agent",
    "XDR Analytics",
    "XDR Analytics BIOC",
    "XDR Managed Threat Hunting",
    "Threat Intelligence",
    "Correlation",
    "Custom Alert",
    "PAN NGFW",
    "Prisma Cloud",
    "Prisma Cloud Compute",
    "ASM",
    "IoT Security",
    "Health",
    "Vulnerability Policy",
];

const CHOSEN: [&str; 2] = ["XDR BIOC", "XDR IOC"];

async fn surveyed(rig: &Rig) -> SurveyReport {
    survey(
        &rig.desk,
        &tenant(),
        &rig.connection.name,
        30,
        Rate::Unlimited,
    )
    .await
    .expect("a report")
}

#[track_caller]
fn spot<'a>(report: &'a SurveyReport, name: &str) -> &'a BlindSpot {
    report
        .asked
        .iter()
        .find(|spot| spot.name == name)
        .unwrap_or_else(|| panic!("no {name:?} in {:#?}", report.asked))
}

#[track_caller]
fn held<'a>(report: &'a SurveyReport, stream: &str) -> &'a LeftOut {
    report
        .held
        .iter()
        .find(|left_out| left_out.stream.as_str() == stream)
        .unwrap_or_else(|| panic!("nothing of {stream} in {:#?}", report.held))
}

fn is_open(alert: &AlertView) -> bool {
    ["STATUS_010_NEW", "STATUS_020_UNDER_INVESTIGATION"].contains(&alert.status.as_str())
}

fn is_read(endpoint: &EndpointView) -> bool {
    endpoint.status != "UNINSTALLED"
}

/// The newest of these alerts, as many as a page holds.
fn newest(mut alerts: Vec<&AlertView>) -> Vec<&AlertView> {
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.creation_time));
    alerts.truncate(100);
    alerts
}

/// Name and count of each row about alerts that the truth asks for.
fn expected_alerts(alerts: &[AlertView]) -> BTreeMap<String, u64> {
    let mut named: BTreeSet<&str> = LEFT_OUT.into();
    for alert in newest(alerts.iter().collect()) {
        if !alert.source.is_empty() && !CHOSEN.contains(&alert.source.as_str()) {
            named.insert(&alert.source);
        }
    }
    let mut expected = BTreeMap::new();
    for source in &named {
        let of_source: Vec<&AlertView> = alerts
            .iter()
            .filter(|alert| alert.source == *source)
            .collect();
        let open = of_source.iter().filter(|alert| is_open(alert)).count();
        if of_source.len() > 100 {
            let name = format!("alerts from {source} in any status");
            expected.insert(name, of_source.len() as u64);
        } else if open > 0 {
            expected.insert(format!("open alerts from {source}"), open as u64);
        }
    }
    let others = alerts.iter().filter(|alert| {
        !named.contains(alert.source.as_str()) && !CHOSEN.contains(&alert.source.as_str())
    });
    let others = others.count() as u64;
    if others > 0 {
        expected.insert("alerts from sources without a name here".to_owned(), others);
    }
    expected
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_the_sources_leave_out_are_counted_as_the_tenant_counts_them() {
    let options = Options {
        endpoints: 50,
        alerts: 1_500,
        ..Options::default()
    };
    let rig = Rig::new(options, json!({})).await;
    let alerts = rig.simulator.tenant().alerts();
    let report = surveyed(&rig).await;
    let told: BTreeMap<String, u64> = report
        .asked
        .iter()
        .filter(|spot| spot.name.contains("alerts from"))
        .map(|spot| {
            assert!(!spot.or_more, "{spot:?}");
            (spot.name.clone(), spot.count.expect("a count"))
        })
        .collect();
    assert_eq!(told, expected_alerts(&alerts));

    let agent = spot(&report, "alerts from XDR Agent in any status");
    let of_agent: Vec<&AlertView> = alerts
        .iter()
        .filter(|alert| alert.source == "XDR Agent")
        .collect();
    let open = newest(of_agent).into_iter().filter(|alert| is_open(alert));
    assert_eq!(
        agent.detail,
        format!("Of the newest 100, {} are open.", open.count())
    );
    assert!(!agent.examples.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_api_stops_counting_the_report_says_or_more() {
    let options = Options {
        endpoints: 10,
        alerts: 50_000,
        ..Options::default()
    };
    let rig = Rig::untested(options, json!({})).await;
    let report = surveyed(&rig).await;
    let agent = spot(&report, "alerts from XDR Agent in any status");
    assert_eq!((agent.count, agent.or_more), (Some(9_999), true));
    let others = spot(&report, "alerts from sources without a name here");
    assert_eq!(others.count, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_nobody_sees_are_counted_as_the_tenant_counts_them() {
    let options = Options {
        endpoints: 400,
        alerts: 0,
        cves: 20,
        ..Options::default()
    };
    let streams = json!({"dataStreams": ["endpoints", "vulnerabilities"]});
    let rig = Rig::new(options, streams).await;
    let handle = rig.simulator.tenant();
    let now = now().as_i64();
    for (name, status, days) in [
        ("silent-1", "LOST", 31),
        ("silent-2", "DISCONNECTED", 900),
        ("not-yet", "LOST", 29),
        ("removed", "UNINSTALLED", 900),
    ] {
        handle.add_endpoint(NewEndpoint {
            name: Some(name.to_owned()),
            status: Some(status.to_owned()),
            first_seen: Some(now - 1_000 * DAY_MS),
            last_seen: Some(now - days * DAY_MS),
            ..NewEndpoint::default()
        });
    }
    rig.sync("endpoints").await;
    rig.sync("vulnerabilities").await;
    let endpoints = handle.endpoints();
    let count = |wanted: &dyn Fn(&EndpointView) -> bool| {
        Some(endpoints.iter().filter(|each| wanted(each)).count() as u64)
    };

    let report = surveyed(&rig).await;
    let silent = spot(&report, "agents silent for 30 days or more");
    let is_silent =
        |endpoint: &EndpointView| is_read(endpoint) && endpoint.last_seen <= now - 30 * DAY_MS;
    assert_eq!(silent.count, count(&is_silent));
    assert!(silent.count > Some(1));
    assert!(
        silent.examples.contains(&"silent-2".to_owned()),
        "{silent:?}"
    );
    let uninstalled = spot(&report, "endpoints in states that are left out");
    assert_eq!(uninstalled.count, count(&|endpoint| !is_read(endpoint)));
    let untagged = spot(&report, "untagged endpoints");
    let is_untagged = |endpoint: &EndpointView| {
        is_read(endpoint) && endpoint.server_tags.is_empty() && endpoint.endpoint_tags.is_empty()
    };
    assert_eq!(
        (untagged.count, untagged.or_more),
        (count(&is_untagged), false)
    );
    let scans = handle.vulnerabilities();
    let scanned: BTreeSet<&str> = scans.iter().map(|scan| scan.endpoint_id.as_str()).collect();
    let unscanned = spot(&report, "endpoints never scanned for CVEs");
    let is_unscanned =
        |endpoint: &EndpointView| is_read(endpoint) && !scanned.contains(endpoint.id.as_str());
    assert_eq!(unscanned.count, count(&is_unscanned), "{unscanned:?}");
    assert!(unscanned.count > Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_without_a_wanted_tag_are_counted_on_the_first_two_thousand() {
    let options = || Options {
        endpoints: 2_600,
        alerts: 0,
        ..Options::default()
    };
    let config = |tag: &str| json!({"tags": [tag], "dataStreams": ["endpoints"]});
    let rig = Rig::new(options(), config("prod")).await;
    let mut endpoints: Vec<EndpointView> = rig.simulator.tenant().endpoints();
    endpoints.retain(is_read);
    endpoints.sort_by_key(|endpoint| endpoint.first_seen);
    let (first, rest) = endpoints.split_at(2_000);
    assert!(!rest.is_empty());
    let tag = first
        .iter()
        .flat_map(|endpoint| endpoint.server_tags.iter().chain(&endpoint.endpoint_tags))
        .next()
        .expect("the simulator tags some endpoints");
    let rig = Rig::new(options(), config(tag)).await;
    let report = surveyed(&rig).await;
    let unwanted = spot(&report, "endpoints without a wanted tag");
    let bare = first.iter().filter(|each| !each.has_any_tag(&[tag]));
    assert_eq!(
        (unwanted.count, unwanted.or_more),
        (Some(bare.count() as u64), true)
    );
    assert!(unwanted.detail.starts_with("Of the 2,000 first seen."));
    // Silent agents, states, and twenty pages of tags; the connection test asked for more.
    let unscanned = spot(&report, "endpoints never scanned for CVEs");
    assert_eq!(unscanned.count, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_and_is_not_shown_is_counted_by_its_reason() {
    let options = Options {
        endpoints: 120,
        alerts: 900,
        ..Options::default()
    };
    let rig = Rig::new(options, json!({"alertStatuses": ["New"]})).await;
    let before = surveyed(&rig).await;
    assert!(before.held.is_empty(), "nothing was synced yet");
    rig.sync("endpoints").await;
    let synced = rig.sync("alerts").await;
    let report = surveyed(&rig).await;

    let alerts = rig.simulator.tenant().alerts();
    let left_out = held(&report, "alerts");
    let investigated = alerts.iter().filter(|alert| {
        CHOSEN.contains(&alert.source.as_str()) && alert.status == "STATUS_020_UNDER_INVESTIGATION"
    });
    let filtered = left_out.filtered.as_ref().expect("a full sync");
    let expected = vec![("alertStatuses".to_owned(), investigated.count() as u64)];
    assert_eq!(filtered.by, expected);
    assert!(filtered.by[0].1 > 0);

    let assets: BTreeSet<String> = rig
        .assets()
        .await
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect();
    let parked: Vec<&AlertView> = alerts
        .iter()
        .filter(|alert| {
            CHOSEN.contains(&alert.source.as_str())
                && alert.status == "STATUS_010_NEW"
                && alert
                    .endpoint_id
                    .as_ref()
                    .is_none_or(|endpoint| !assets.contains(endpoint))
        })
        .collect();
    assert_eq!(left_out.parked.count, parked.len() as u64);
    assert_eq!(left_out.parked.count, synced.ledger.parked);
    assert!(left_out.parked.count > 0);
    for example in &left_out.parked.examples {
        assert!(parked.iter().any(|alert| alert.id == *example), "{example}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_hides_its_own_numbers_and_no_others() {
    let options = Options {
        endpoints: 50,
        alerts: 300,
        ..Options::default()
    };
    let rig = Rig::new(options, json!({})).await;
    let handle = rig.simulator.tenant();
    handle.deny("endpoints/get_endpoint");
    let report = surveyed(&rig).await;
    for name in ["untagged endpoints", "agents silent for 30 days or more"] {
        let silent = spot(&report, name);
        assert_eq!(silent.count, None);
        assert!(
            silent.remedy.contains("Endpoint Administration"),
            "{silent:?}"
        );
    }
    let alerts = handle.alerts();
    let told: BTreeMap<String, u64> = report
        .asked
        .iter()
        .filter(|spot| spot.name.contains("alerts from"))
        .map(|spot| (spot.name.clone(), spot.count.expect("a count")))
        .collect();
    assert_eq!(told, expected_alerts(&alerts));

    handle.revoke_key();
    let refused = surveyed(&rig).await;
    assert!(!refused.asked.is_empty());
    assert!(refused.asked.iter().all(|spot| spot.count.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_asked_while_another_holds_the_connection_and_leaves_no_run() {
    let options = Options {
        endpoints: 20,
        alerts: 20,
        ..Options::default()
    };
    let rig = Rig::new(options, json!({})).await;
    let lock = rig.store.lock(rig.connection.id, now()).await;
    let report = surveyed(&rig).await;
    assert!(report.asked.len() > 3);
    drop(lock);
    let runs = rig.store.runs(&Default::default()).await.expect("runs");
    assert!(runs.is_empty());
    let config: &Value = &report.connection.config;
    assert!(config.get("apiKey").is_none());
}
