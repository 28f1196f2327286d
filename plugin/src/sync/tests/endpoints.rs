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
fn statuses_are_asked_for_and_a_new_status_crashes_nothing() {
    let mut lost = endpoint(1, 1);
    lost["endpoint_status"] = json!("LOST");
    let mut gone = endpoint(2, 2);
    gone["endpoint_status"] = json!("UNINSTALLED");
    let tenant = Tenant::new(vec![lost, gone]);
    let read =
        all(&begin(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    assert_eq!(read.entries(), ["e00001"]);
}
