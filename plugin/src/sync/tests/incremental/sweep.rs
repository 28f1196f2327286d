//! New endpoints, and the sweep over those that were seen.

use super::*;

/// Endpoints that are seen again and again.
fn alive(count: usize) -> (Rc<Tenant>, FakePlatform, Vec<u8>) {
    let tenant = Tenant::new(
        (0..count)
            .map(|number| endpoint(number, number as u64))
            .collect(),
    );
    let platform = tenant.platform();
    let from = ended(&full(&platform, DataStream::Endpoints));
    (tenant, platform, from)
}

fn heartbeat(tenant: &Tenant, at: u64) {
    for record in tenant.records.borrow_mut().iter_mut() {
        record["last_seen"] = json!(at);
    }
}

#[test]
fn new_endpoints_cost_one_request_as_long_as_no_sweep_is_due() {
    let (tenant, platform, from) = alive(500);
    heartbeat(&tenant, NOW + HOUR);
    for number in 500..510 {
        tenant
            .records
            .borrow_mut()
            .push(endpoint(number, NOW + MINUTE - BEGINNING));
    }
    platform.set_now(NOW + HOUR);
    let before = platform.requests().len();
    let read = incremental(&platform, DataStream::Endpoints, from);
    assert_eq!(read.entries().len(), 10);
    assert_eq!(platform.requests().len() - before, 1);
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

#[test]
fn a_sweep_reads_what_was_seen_since_the_last_and_only_when_it_is_due() {
    let (tenant, platform, from) = alive(30);
    tenant.records.borrow_mut()[3]["ip"] = json!(["10.9.9.9"]);
    heartbeat(&tenant, NOW + HOUR);
    tenant.records.borrow_mut()[7]["last_seen"] = json!(NOW - HOUR);
    platform.set_now(NOW + 23 * HOUR);
    let early = incremental(&platform, DataStream::Endpoints, from);
    assert!(early.entries().is_empty(), "{:?}", early.entries());
    platform.set_now(NOW + 25 * HOUR);
    let due = incremental(&platform, DataStream::Endpoints, ended(&early));
    assert_eq!(
        due.keys().len(),
        29,
        "all that were seen since the full read began"
    );
    assert!(!due.keys().contains("e00007"));
    assert!(due.reasons().is_empty(), "{:?}", due.reasons());
    platform.set_now(NOW + 26 * HOUR);
    let soon = incremental(&platform, DataStream::Endpoints, ended(&due));
    assert!(soon.entries().is_empty(), "{:?}", soon.entries());
}

#[test]
fn a_sweep_sees_lost_tags_and_other_statuses_as_out_of_scope() {
    let (tenant, platform, _) = alive(3);
    let settings = Settings {
        tags: set(&["all"]),
        endpoint_sweep_hours: 0,
        ..settings()
    };
    let first = all(&begin(&platform, &settings, DataStream::Endpoints, None).unwrap()).unwrap();
    assert_eq!(first.entries().len(), 3);
    tenant.records.borrow_mut()[0]["tags"] = json!({"server_tags": [], "endpoint_tags": []});
    tenant.records.borrow_mut()[1]["endpoint_status"] = json!("UNINSTALLED");
    heartbeat(&tenant, NOW + MINUTE);
    platform.set_now(NOW + HOUR);
    let reading = begin_as(
        Mode::Incremental,
        &platform,
        &settings,
        DataStream::Endpoints,
        first.end.map(|end| end.checkpoint),
    )
    .unwrap();
    let read = all(&reading).unwrap();
    assert_eq!(read.entries(), ["e00002"]);
    let why: Vec<String> = read.closures().into_iter().map(|(_, why, _)| why).collect();
    assert_eq!(
        why,
        ["out of scope: tags", "out of scope: endpointStatuses"]
    );
    assert!(
        platform
            .lines()
            .iter()
            .all(|(_, line)| !line.contains("bears this tag")),
        "of what an incremental read does not see it says nothing"
    );
}

// wazuh/integrations #116: last_seen changes with every heartbeat, so every endpoint was new on every run.
#[test]
fn a_heartbeat_changes_no_fingerprint() {
    let (tenant, platform, from) = alive(3);
    let prints = |read: &All| -> BTreeSet<String> {
        let entries = read.steps.iter().flat_map(|step| &step.entries);
        entries.map(|entry| entry.fingerprint.clone()).collect()
    };
    let before = prints(&full(&platform, DataStream::Endpoints));
    heartbeat(&tenant, NOW + HOUR);
    platform.set_now(NOW + 25 * HOUR);
    let swept = incremental(&platform, DataStream::Endpoints, from);
    assert_eq!(swept.entries().len(), 3);
    assert_eq!(prints(&swept), before);
}

#[test]
fn endpoints_that_wake_up_during_a_sweep_are_no_doubt() {
    let (tenant, platform, from) = alive(40);
    heartbeat(&tenant, NOW + HOUR);
    for number in [1, 3, 5, 7, 9, 11] {
        tenant.records.borrow_mut()[number]["last_seen"] = json!(BEGINNING);
    }
    platform.set_now(NOW + 25 * HOUR);
    let before = platform.requests().len() as u32;
    *tenant.hook.borrow_mut() = Box::new(move |number, records| {
        let turn = (number - before) as usize;
        if turn.is_multiple_of(2) && turn < 12 {
            records[turn + 1]["last_seen"] = json!(NOW + 25 * HOUR);
        }
    });
    let reading = begin_small_as(
        Mode::Incremental,
        &platform,
        &settings(),
        DataStream::Endpoints,
        Some(from),
    )
    .unwrap();
    let read = all(&reading).unwrap();
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
    // Those that slept at first may wait for the next sweep; all others are there.
    assert!(read.keys().len() >= 34, "{:?}", read.keys());
}
