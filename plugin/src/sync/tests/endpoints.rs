//! What becomes of endpoints.

use super::tenant::{Tenant, endpoint};
use super::*;
use crate::contract::log::Level;
use serde_json::{Value, json};

fn tagged(number: usize, tags: Value) -> Value {
    let mut record = endpoint(number, number as u64);
    record["tags"] = tags;
    record
}

#[test]
fn tags_choose_after_reading_and_what_they_leave_out_is_out_of_scope() {
    let tenant = Tenant::new(vec![
        tagged(1, json!({"server_tags": ["prod"], "endpoint_tags": []})),
        tagged(2, json!({"server_tags": [], "endpoint_tags": ["web"]})),
        tagged(
            3,
            json!({"server_tags": ["Prod"], "endpoint_tags": ["production"]}),
        ),
        tagged(4, json!(null)),
    ]);
    let platform = tenant.platform();
    let settings = Settings {
        tags: set(&["prod", "web"]),
        ..settings()
    };
    let read = all(&begin(&platform, &settings, DataStream::Endpoints, None).unwrap()).unwrap();
    assert_eq!(read.entries(), ["e00001", "e00002"]);
    let closures = read.closures();
    assert_eq!(closures.len(), 2);
    assert!(
        closures
            .iter()
            .all(|(_, why, _)| why == "out of scope: tags")
    );
    assert!(closures[0].2.contains("production"), "{closures:?}");
    assert!(platform.lines().is_empty(), "{:?}", platform.lines());
}

#[test]
fn a_tag_that_no_endpoint_bears_is_warned_of_also_after_a_resume() {
    let records = (0..12)
        .map(|number| {
            tagged(
                number,
                json!({"server_tags": [if number == 0 { "first" } else { "later" }]}),
            )
        })
        .collect();
    let platform = Tenant::new(records).platform();
    let settings = Settings {
        tags: set(&["first", "later", "nowhere"]),
        ..settings()
    };
    let reading = begin_small(&platform, &settings, DataStream::Endpoints, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    let resumed = begin_small(
        &platform,
        &settings,
        DataStream::Endpoints,
        Some(step.checkpoint),
    )
    .unwrap();
    all(&resumed).unwrap();
    let warnings: Vec<_> = platform
        .lines()
        .into_iter()
        .filter(|(level, _)| matches!(level, Level::Warn))
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].1.contains("bears this tag"));
}

// ebarti/cortex-xdr-client #31: the status LOST, new at the time, crashed the client.
#[test]
fn no_status_is_asked_for_and_those_not_chosen_are_out_of_scope() {
    let with_status = |number: usize, status: Value| {
        let mut record = endpoint(number, number as u64);
        record["endpoint_status"] = status;
        record
    };
    let tenant = Tenant::new(vec![
        with_status(1, json!("LOST")),
        with_status(2, json!("UNINSTALLED")),
        with_status(3, json!("connected")),
        with_status(4, json!("VDI_PENDING_LOG_ON")),
        with_status(5, json!(null)),
        with_status(6, json!(" ")),
        with_status(7, json!(["CONNECTED"])),
    ]);
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    assert_eq!(
        read.entries(),
        ["e00001", "e00003", "e00005", "e00006", "e00007"],
        "an endpoint whose status is not told stays in scope"
    );
    let why = "out of scope: endpointStatuses".to_owned();
    assert_eq!(
        read.closures(),
        [
            ("e00002".to_owned(), why.clone(), "UNINSTALLED".to_owned()),
            ("e00004".to_owned(), why, "VDI_PENDING_LOG_ON".to_owned()),
        ]
    );
    for request in platform.requests() {
        let body = String::from_utf8(request.body).unwrap();
        assert!(!body.contains("endpoint_status"), "{body}");
    }
}
