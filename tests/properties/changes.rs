//! What happens to the tenant between two runs.

use crate::case::TAGS;
use crate::draw::Draw;
use cortex_xdr_simulator::{AlertChange, EndpointChange, NewAlert, NewEndpoint, TenantHandle};

const DAY: i64 = 24 * 60 * 60_000;
const STATUSES: [&str; 4] = ["CONNECTED", "DISCONNECTED", "LOST", "UNINSTALLED"];
const OPEN: [&str; 2] = ["STATUS_010_NEW", "STATUS_020_UNDER_INVESTIGATION"];
const RESOLVED: [&str; 3] = [
    "STATUS_025_RESOLVED",
    "STATUS_060_RESOLVED_FALSE_POSITIVE",
    "STATUS_080_RESOLVED_AUTO",
];
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];
const SOURCES: [&str; 4] = ["XDR BIOC", "XDR IOC", "XDR Agent", "PAN NGFW"];

/// Which changes may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Those that an incremental sync sees.
    SeenByIncremental,
    /// Of those, the ones that an incremental sync of scans sees too.
    SeenInScans,
    /// All of them: endpoints that are deleted, and alerts that are deleted or opened again, are seen by a full sync at the latest.
    Any,
}

/// Makes some changes and tells them.
pub fn make(draw: &mut Draw, tenant: &TenantHandle, now: i64, kind: Kind) -> Vec<String> {
    let count = draw.between(1, 25);
    (0..count)
        .filter_map(|_| change(draw, tenant, now, kind))
        .collect()
}

fn change(draw: &mut Draw, tenant: &TenantHandle, now: i64, kind: Kind) -> Option<String> {
    let kinds = if kind == Kind::Any { 12 } else { 9 };
    match draw.between(0, kinds) {
        0 => {
            let id = tenant.add_endpoint(NewEndpoint {
                status: Some((*draw.one_of(&STATUSES)).to_owned()),
                server_tags: Some(vec![(*draw.one_of(&TAGS)).to_owned()]),
                first_seen: Some(now),
                last_seen: Some(now),
                ..NewEndpoint::default()
            });
            Some(format!("endpoint {id} is new"))
        }
        1 | 2 => {
            let id = endpoint(draw, tenant)?;
            let mut change = EndpointChange {
                // What changes reports in.
                last_seen: Some(now),
                ..EndpointChange::default()
            };
            match draw.between(0, 4) {
                0 => change.name = Some(format!("renamed-{}", draw.between(0, 1_000_000))),
                1 => {
                    let last = STATUSES.len() - usize::from(kind == Kind::SeenInScans);
                    change.status = Some((*draw.one_of(&STATUSES[..last])).to_owned());
                }
                2 => change.server_tags = Some(draw.some_of(&TAGS.map(str::to_owned))),
                _ => {}
            }
            let told = format!("endpoint {id}: {change:?}");
            tenant.change_endpoint(&id, change).then_some(told)
        }
        3 => {
            let id = endpoint(draw, tenant)?;
            let cves: Vec<String> = tenant.cves().into_iter().map(|cve| cve.name).collect();
            let found = draw.some_of(&cves);
            let told = format!("endpoint {id} has {} CVEs", found.len());
            tenant.set_cves(&id, Some(found)).then_some(told)
        }
        4 | 5 => {
            let age = i64::try_from(draw.between(0, 40)).unwrap() * DAY;
            let id = tenant.add_alert(NewAlert {
                source: Some((*draw.one_of(&SOURCES)).to_owned()),
                status: Some((*draw.one_of(&OPEN)).to_owned()),
                severity: Some((*draw.one_of(&SEVERITIES)).to_owned()),
                endpoint_id: endpoint(draw, tenant),
                // Many arrive late.
                creation_time: Some(if draw.percent(50) { now } else { now - age }),
                server_creation_time: Some(now),
            });
            Some(format!("alert {id} is new"))
        }
        6 => {
            let id = alert(draw, tenant, |status| !status.contains("RESOLVED"))?;
            let to = *draw.one_of(&RESOLVED);
            tenant
                .resolve_alert(&id, to)
                .then(|| format!("alert {id} is {to}"))
        }
        7 | 8 => {
            let id = alert(draw, tenant, |status| !status.contains("RESOLVED"))?;
            let severity = (*draw.one_of(&SEVERITIES)).to_owned();
            let told = format!("alert {id} is {severity}");
            let change = AlertChange {
                severity: Some(severity),
                ..AlertChange::default()
            };
            tenant.change_alert(&id, change).then_some(told)
        }
        9 => {
            let id = endpoint(draw, tenant)?;
            tenant
                .remove_endpoint(&id)
                .then(|| format!("endpoint {id} is deleted"))
        }
        10 => {
            let id = alert(draw, tenant, |_| true)?;
            tenant
                .remove_alert(&id)
                .then(|| format!("alert {id} is deleted"))
        }
        _ => {
            let id = alert(draw, tenant, |status| status.contains("RESOLVED"))?;
            tenant
                .resolve_alert(&id, OPEN[0])
                .then(|| format!("alert {id} is opened again"))
        }
    }
}

fn endpoint(draw: &mut Draw, tenant: &TenantHandle) -> Option<String> {
    let mut ids: Vec<String> = tenant.endpoints().into_iter().map(|one| one.id).collect();
    ids.sort();
    (!ids.is_empty()).then(|| draw.one_of(&ids).clone())
}

fn alert(draw: &mut Draw, tenant: &TenantHandle, fits: fn(&str) -> bool) -> Option<String> {
    let mut ids: Vec<String> = tenant
        .alerts()
        .into_iter()
        .filter(|alert| fits(&alert.status))
        .map(|alert| alert.id)
        .collect();
    ids.sort();
    (!ids.is_empty()).then(|| draw.one_of(&ids).clone())
}
