//! A small tenant, and what happens in it between two syncs.

use super::draw::Draw;
use cortex_xdr_simulator::{
    AlertChange, EndpointChange, NewAlert, NewEndpoint, Options, TenantHandle,
};
use serde_json::{Value, json};

/// Several pages of each data stream.
pub fn small(seed: u64) -> Options {
    Options {
        endpoints: 230,
        alerts: 270,
        cves: 40,
        seed,
        gzip: false,
        xql_pending_polls: 0,
        ..Options::default()
    }
}

/// All data streams, and sources that give several pages of alerts.
pub fn config() -> Value {
    json!({
        "dataStreams": ["endpoints", "alerts", "vulnerabilities"],
        "alertSources": ["XDR BIOC", "XDR IOC", "XDR Agent", "XDR Analytics"],
    })
}

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Changes a little of everything: fewer records go than a sync would withhold.
pub fn stir(tenant: &TenantHandle, draw: &mut Draw, now: i64) {
    let mut endpoints = tenant.endpoints();
    endpoints.sort_by(|a, b| a.id.cmp(&b.id));
    let mut alerts = tenant.alerts();
    alerts.sort_by(|a, b| a.id.cmp(&b.id));

    for _ in 0..=draw.below(4) {
        let gone = draw.pick(&endpoints);
        tenant.remove_endpoint(&gone.id);
        let gone = draw.pick(&alerts);
        tenant.remove_alert(&gone.id);
    }
    for _ in 0..=draw.below(6) {
        let endpoint = draw.pick(&endpoints);
        let name = format!("renamed-{}", draw.below(1_000));
        let change = EndpointChange {
            name: Some(name),
            ..EndpointChange::default()
        };
        tenant.change_endpoint(&endpoint.id, change);
    }
    for _ in 0..=draw.below(4) {
        let endpoint = draw.pick(&endpoints);
        let status = *draw.pick(&["UNINSTALLED", "LOST", "CONNECTED"]);
        let change = EndpointChange {
            status: Some(status.to_owned()),
            last_seen: Some(now),
            ..EndpointChange::default()
        };
        tenant.change_endpoint(&endpoint.id, change);
    }
    for _ in 0..=draw.below(20) {
        let alert = draw.pick(&alerts);
        tenant.resolve_alert(&alert.id, "STATUS_060_RESOLVED_FALSE_POSITIVE");
    }
    for _ in 0..=draw.below(6) {
        let alert = draw.pick(&alerts);
        let severity = *draw.pick(&["low", "high", "critical"]);
        let change = AlertChange {
            status: Some("STATUS_020_UNDER_INVESTIGATION".to_owned()),
            severity: Some(severity.to_owned()),
            ..AlertChange::default()
        };
        tenant.change_alert(&alert.id, change);
    }
    for _ in 0..=draw.below(6) {
        let endpoint = draw.pick(&endpoints);
        let few: Vec<String> = (0..draw.below(5))
            .map(|_| format!("CVE-2099-{}", 1_000 + draw.below(30)))
            .collect();
        tenant.set_cves(&endpoint.id, Some(few));
    }
    for n in 0..=draw.below(8) {
        // Every other one is told late: only a full sync meets it.
        let ago = if n % 2 == 0 { 0 } else { draw.below(30) };
        let seen = now - i64::try_from(ago).unwrap() * DAY;
        let id = tenant.add_endpoint(NewEndpoint {
            first_seen: Some(seen),
            ..NewEndpoint::default()
        });
        tenant.set_cves(&id, Some(vec!["CVE-2099-1000".to_owned()]));
        // Late enough for the window of an incremental sync, early enough to be out of its lag.
        let inserted = now - 7 * MINUTE;
        tenant.add_alert(NewAlert {
            endpoint_id: Some(id),
            creation_time: Some(inserted - 1_000),
            server_creation_time: Some(inserted),
            ..NewAlert::default()
        });
    }
}
