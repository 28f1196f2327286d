//! What becomes of alerts.

use super::tenant::{Tenant, alert};
use super::*;
use serde_json::json;

// demisto/content #29669: a new status crashed the client. elastic/integrations #19918 and #5979: closed at the source, open here.
#[test]
fn a_status_opens_closes_or_does_neither() {
    let tenant = Tenant::new(vec![
        alert(1, 1, "STATUS_010_NEW"),
        alert(2, 2, "STATUS_020_UNDER_INVESTIGATION"),
        alert(3, 3, "STATUS_080_RESOLVED_AUTO"),
        alert(4, 4, "STATUS_027_ON_HOLD"),
    ]);
    let settings = Settings {
        alert_statuses: [AlertStatus::New].into(),
        ..settings()
    };
    let read =
        all(&begin(&tenant.platform(), &settings, DataStream::Alerts, None).unwrap()).unwrap();
    assert_eq!(read.entries(), ["1"]);
    assert_eq!(
        read.closures(),
        [
            (
                "2".into(),
                "out of scope: alertStatuses".into(),
                "STATUS_020_UNDER_INVESTIGATION".into()
            ),
            (
                "3".into(),
                "resolved".into(),
                "STATUS_080_RESOLVED_AUTO".into()
            ),
        ]
    );
    assert_eq!(read.quarantined(), [Some("4".into())]);
    assert!(read.reasons().is_empty());
}

#[test]
fn only_the_chosen_sources_are_asked_for_by_their_full_names() {
    let mut other = alert(2, 2, "STATUS_010_NEW");
    other["source"] = json!("XDR Analytics BIOC");
    let tenant = Tenant::new(vec![alert(1, 1, "STATUS_010_NEW"), other]);
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), DataStream::Alerts, None).unwrap()).unwrap();
    assert_eq!(read.entries(), ["1"]);
    let body = String::from_utf8(platform.requests()[0].body.clone()).unwrap();
    assert!(body.contains(r#""value":["XDR BIOC","XDR IOC"]"#), "{body}");
}

#[test]
fn alerts_past_the_cap_are_sliced_by_their_creation_time() {
    let tenant = Tenant::new(
        (0..180)
            .map(|number| alert(number, number as u64 / 3, "STATUS_010_NEW"))
            .collect(),
    );
    tenant.total.set(super::tenant::Total::Capped(49));
    let reading = begin_small(&tenant.platform(), &settings(), DataStream::Alerts, None).unwrap();
    let read = all(&reading).unwrap();
    assert_eq!(read.keys().len(), 180);
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

// elastic/integrations #19109, Azure/Azure-Sentinel #11777: ids beyond 2^53 were rounded.
#[test]
fn ids_come_exact_as_numbers_too() {
    let mut record = alert(1, 1, "STATUS_010_NEW");
    record["alert_id"] = serde_json::from_str("9007199254740993").unwrap();
    let tenant = Tenant::new(vec![record]);
    let read =
        all(&begin(&tenant.platform(), &settings(), DataStream::Alerts, None).unwrap()).unwrap();
    assert_eq!(read.entries(), ["9007199254740993"]);
}
