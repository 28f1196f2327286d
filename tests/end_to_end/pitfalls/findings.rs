//! What went wrong with findings.

use super::{DAY, HOUR, added_endpoints, alerts_on, assets, findings, full, now_ms, tenant};
use cortex_xdr_simulator::{AlertChange, EndpointChange};
use cross_crate_tests::Rig;
use futures_util::StreamExt;
use host_runner::connection;
use host_runner::domain::RunState;
use host_runner::store::{Closing, Finding, FindingFilter, FindingState, Severity, Store};
use serde_json::json;
use std::collections::BTreeMap;

/// A finding, however it stands.
async fn finding(rig: &Rig, key: &str) -> Finding {
    let filter = FindingFilter {
        include_closed: true,
        include_out_of_scope: true,
        include_parked: true,
        ..FindingFilter::default()
    };
    let all: Vec<Finding> = rig
        .store
        .findings(&filter)
        .map(|finding| finding.unwrap())
        .filter(|finding| std::future::ready(finding.key == key))
        .collect()
        .await;
    assert_eq!(all.len(), 1, "{key}");
    all.into_iter().next().unwrap()
}

/// Some endpoints with alerts, synced.
async fn with_alerts(count: i64) -> (Rig, Vec<String>) {
    let rig = Rig::new(tenant(30, 0), json!({})).await;
    rig.sync("endpoints").await;
    let alerts = alerts_on(&rig, count, |n| (now_ms() - DAY - n, now_ms() - DAY));
    rig.sync("alerts").await;
    assert_eq!(findings(&rig).await, alerts);
    (rig, alerts.into_iter().collect())
}

/// elastic/integrations #19918, #5979; the SAFE seed: up to 7 days.
#[tokio::test(flavor = "multi_thread")]
async fn closed_at_the_source_and_open_here() {
    let (rig, alerts) = with_alerts(130).await;
    let status = "STATUS_060_RESOLVED_FALSE_POSITIVE";
    rig.simulator.tenant().resolve_alert(&alerts[17], status);
    let report = rig.sync("alerts").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    let closed = finding(&rig, &alerts[17]).await;
    assert_eq!(closed.state, FindingState::Closed);
    assert!(closed.closed_at.is_some());
    // The API's own word, for an auditor.
    let evidence = closed.evidence.unwrap();
    assert_eq!(evidence.closing, Closing::Resolved);
    assert!(evidence.word.contains(status), "{evidence:?}");
    assert_eq!(findings(&rig).await.len(), 129);
}

/// DefectDojo/django-DefectDojo #8100, #14363.
#[tokio::test(flavor = "multi_thread")]
async fn closed_here_and_still_open_at_the_source() {
    let (rig, alerts) = with_alerts(130).await;
    let first_seen = finding(&rig, &alerts[3]).await.first_seen;
    let to = |status: &str| AlertChange {
        status: Some(status.to_owned()),
        ..AlertChange::default()
    };
    let tenant = rig.simulator.tenant();
    tenant.change_alert(&alerts[3], to("STATUS_025_RESOLVED"));
    rig.sync("alerts").await;
    assert_eq!(finding(&rig, &alerts[3]).await.state, FindingState::Closed);

    // Opened again at the source: the same finding, open again, and no new one.
    tenant.change_alert(&alerts[3], to("STATUS_020_UNDER_INVESTIGATION"));
    let report = rig.sync_with("alerts", full()).await;
    assert_eq!((report.ledger.new, report.ledger.reopened), (0, 1));
    let reopened = finding(&rig, &alerts[3]).await;
    assert_eq!(reopened.state, FindingState::Open);
    assert_eq!(reopened.first_seen, first_seen);
    assert!(reopened.reopened_at.is_some() && reopened.closed_at.is_none());
}

/// DefectDojo/django-DefectDojo #8100, #14363.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_narrower_filter_left_out_was_shown_as_closed() {
    let (mut rig, alerts) = with_alerts(60).await;
    let all = json!(["XDR BIOC", "XDR IOC"]);
    for (sources, state) in [
        (json!(["XDR Agent"]), FindingState::OutOfScope),
        (all, FindingState::Open),
    ] {
        let request = rig.change(&json!({"alertSources": sources}), &[]);
        let updated = connection::update(&rig.desk, request, &()).await.unwrap();
        updated.remade.unwrap();
        rig.connection = updated.connection;
        let mut options = full();
        options.guard.confirmed = true;
        let report = rig.sync_with("alerts", options).await;
        assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
        for id in &alerts {
            let finding = finding(&rig, id).await;
            assert_eq!(finding.state, state, "{:?}", finding.evidence);
        }
    }
}

/// wazuh/integrations #116.
#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_made_every_endpoint_a_new_one() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    let endpoints = added_endpoints(&rig, 230, |n| now_ms() - DAY - n);
    rig.sync("endpoints").await;
    for id in &endpoints {
        let beat = EndpointChange {
            last_seen: Some(now_ms()),
            ..EndpointChange::default()
        };
        rig.simulator.tenant().change_endpoint(id, beat);
    }
    let report = rig.sync_with("endpoints", full()).await;
    assert_eq!((report.ledger.new, report.ledger.changed), (0, 0));
    assert_eq!(report.ledger.unchanged, 230);
    assert_eq!(report.ledger.documents.assets_updated, 0);
    assert_eq!(assets(&rig).await, endpoints);
}

/// mondoohq/cnspec #3558.
#[tokio::test(flavor = "multi_thread")]
async fn every_severity_was_mapped_to_critical() {
    let (rig, alerts) = with_alerts(6).await;
    let expected = [
        ("informational", Severity::Informational),
        ("low", Severity::Low),
        ("medium", Severity::Medium),
        ("high", Severity::High),
        ("critical", Severity::Critical),
        ("sev_999_apocalyptic", Severity::Unknown),
    ];
    for (id, (word, _)) in alerts.iter().zip(expected) {
        let change = AlertChange {
            severity: Some(word.to_owned()),
            ..AlertChange::default()
        };
        rig.simulator.tenant().change_alert(id, change);
    }
    rig.sync_with("alerts", full()).await;
    for (id, (word, severity)) in alerts.iter().zip(expected) {
        assert_eq!(finding(&rig, id).await.severity, severity, "{word}");
    }
}

/// Qualys ETM import rules.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_cve_on_two_endpoints_was_one_finding() {
    let (rig, ids) = with_one_cve().await;
    let keys: Vec<String> = ids.iter().map(|id| format!("{id}|CVE-2024-1234")).collect();
    assert_eq!(findings(&rig).await, keys.iter().cloned().collect());
    let on: BTreeMap<String, Option<i64>> = rig
        .findings()
        .await
        .into_iter()
        .map(|finding| (finding.key, finding.asset))
        .collect();
    assert_ne!(on[&keys[0]], on[&keys[1]]);

    // Patched on one, it stays on the other.
    rig.simulator.tenant().set_cves(&ids[0], Some(Vec::new()));
    rig.sync_with("vulnerabilities", full()).await;
    assert_eq!(finding(&rig, &keys[0]).await.state, FindingState::Closed);
    assert_eq!(finding(&rig, &keys[1]).await.state, FindingState::Open);
}

/// The Qualys seed's own map.
#[tokio::test(flavor = "multi_thread")]
async fn the_day_a_cve_was_published_passed_for_the_day_it_was_found_on_the_asset() {
    let begun = cross_crate_tests::now();
    let (rig, ids) = with_one_cve().await;
    let published = rig.simulator.tenant().cves();
    let published = published
        .iter()
        .find(|cve| cve.name == "CVE-2024-1234")
        .unwrap();
    assert!(published.publication_date < now_ms() - DAY);
    let finding = finding(&rig, &format!("{}|CVE-2024-1234", ids[0])).await;
    assert!(finding.first_seen >= begun, "{}", finding.first_seen);
    let shown = finding.body["firstSeen"].as_str().unwrap();
    assert_eq!(shown, finding.first_seen.to_string());
}

/// Two endpoints with one CVE, the same, synced.
async fn with_one_cve() -> (Rig, Vec<String>) {
    let streams = json!({"dataStreams": ["endpoints", "vulnerabilities"]});
    let rig = Rig::untested(tenant(0, 0), streams).await;
    let ids: Vec<String> = added_endpoints(&rig, 2, |n| now_ms() - HOUR - n)
        .into_iter()
        .collect();
    for id in &ids {
        let cves = vec!["CVE-2024-1234".to_owned()];
        rig.simulator.tenant().set_cves(id, Some(cves));
    }
    rig.sync("endpoints").await;
    let report = rig.sync("vulnerabilities").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    (rig, ids)
}
