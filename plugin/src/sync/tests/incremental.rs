//! Incremental reads.

use super::tenant::{BEGINNING, Tenant, Total, alert, endpoint};
use super::*;
use crate::contract::types::Cause;
use crate::platform::Request;
use crate::testing::{Answer, NOW};
use serde_json::{Value, json};
use std::rc::Rc;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const NEW: &str = "STATUS_010_NEW";
const RESOLVED: &str = "STATUS_080_RESOLVED_AUTO";

fn ended(read: &All) -> Vec<u8> {
    read.end.as_ref().unwrap().checkpoint.clone()
}

fn full(platform: &FakePlatform, stream: DataStream) -> All {
    all(&begin(platform, &settings(), stream, None).unwrap()).unwrap()
}

fn incremental(platform: &FakePlatform, stream: DataStream, from: Vec<u8>) -> All {
    let reading = begin_as(Mode::Incremental, platform, &settings(), stream, Some(from)).unwrap();
    all(&reading).unwrap()
}

fn data(request: &Request) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["request_data"].clone()
}

/// The ids that a request asks for again; none where it lists.
fn asked(request: &Request) -> Option<Vec<Value>> {
    let filters = data(request)["filters"].as_array()?.clone();
    let ids = filters
        .iter()
        .find(|filter| filter["field"] == "alert_id_list")?;
    Some(ids["value"].as_array().unwrap().clone())
}

fn rechecks(platform: &FakePlatform) -> Vec<Vec<Value>> {
    platform.requests().iter().filter_map(asked).collect()
}

/// An alert that the server stored at a time of its own.
fn stored(number: usize, created: u64, stored: u64, status: &str) -> Value {
    let mut record = alert(number, 0, status);
    record["detection_timestamp"] = json!(created);
    record["local_insert_ts"] = json!(stored);
    record
}

/// A tenant with alerts of long ago that a full read at NOW has read; the platform holds them open.
fn read_tenant(count: usize) -> (Rc<Tenant>, FakePlatform, Vec<u8>) {
    let tenant = Tenant::new(
        (0..count)
            .map(|number| alert(number, number as u64, NEW))
            .collect(),
    );
    let platform = tenant.platform();
    let read = full(&platform, DataStream::Alerts);
    assert_eq!(read.keys().len(), count);
    for number in 0..count {
        platform.hold("alerts", &number.to_string(), NOW + number as u64);
    }
    (tenant, platform, ended(&read))
}

// SEKOIA-IO/automation-library #1446: a cursor on the creation time misses alerts that arrive late.
#[test]
fn an_alert_that_the_server_stored_late_is_read_whatever_its_creation_time() {
    let (tenant, platform, from) = read_tenant(3);
    tenant
        .records
        .borrow_mut()
        .push(stored(77, BEGINNING - 99 * HOUR, NOW + MINUTE, NEW));
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    assert!(read.keys().contains("77"), "{:?}", read.keys());
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

#[test]
fn the_window_is_closed_in_the_past_and_the_next_one_overlaps_it() {
    let (tenant, platform, from) = read_tenant(0);
    let at = |number: usize, time: u64| {
        tenant
            .records
            .borrow_mut()
            .push(stored(number, time, time, NEW));
    };
    // The last moment of the first window, the first after it, and one that the next window is the first to hold.
    let end = NOW + HOUR - 5 * MINUTE;
    at(1, end);
    at(2, end + 1);
    platform.set_now(NOW + HOUR);
    let first = incremental(&platform, DataStream::Alerts, from);
    assert_eq!(first.entries(), ["1"]);
    // Stored within the first window, and shown only after it was read.
    at(3, end - 9 * MINUTE);
    platform.set_now(NOW + 2 * HOUR);
    let second = incremental(&platform, DataStream::Alerts, ended(&first));
    assert_eq!(second.keys(), set(&["1", "2", "3"]));
    let times: Vec<(String, u64)> = platform
        .requests()
        .iter()
        .map(data)
        .filter_map(|data| {
            let filters = data["filters"].as_array().unwrap().clone();
            filters
                .iter()
                .find(|filter| {
                    filter["field"] == "server_creation_time" && filter["operator"] == "lte"
                })
                .map(|filter| {
                    (
                        data["sort"]["field"].as_str().unwrap().to_owned(),
                        filter["value"].as_u64().unwrap(),
                    )
                })
        })
        .collect();
    assert!(
        times.iter().all(|(sort, _)| sort == "creation_time"),
        "{times:?}"
    );
    assert!(times.iter().any(|(_, until)| *until == end), "{times:?}");
}

#[test]
fn alerts_that_arrive_while_a_window_is_read_neither_shift_its_pages_nor_get_lost() {
    let (tenant, platform, from) = read_tenant(0);
    for number in 0..23 {
        tenant.records.borrow_mut().push(stored(
            number,
            BEGINNING + number as u64,
            NOW + MINUTE,
            NEW,
        ));
    }
    *tenant.hook.borrow_mut() = Box::new(|number, records| {
        // Old creation times: in the middle of what is listed.
        records.push(stored(
            1_000 + number as usize,
            BEGINNING + 3,
            NOW + HOUR,
            NEW,
        ));
    });
    platform.set_now(NOW + HOUR);
    let reading = begin_small_as(
        Mode::Incremental,
        &platform,
        &settings(),
        DataStream::Alerts,
        Some(from),
    )
    .unwrap();
    let read = all(&reading).unwrap();
    assert_eq!(read.entries().len(), 23, "each once");
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
    *tenant.hook.borrow_mut() = Box::new(|_, _| {});
    platform.set_now(NOW + 2 * HOUR);
    let next = incremental(&platform, DataStream::Alerts, ended(&read));
    let late: BTreeSet<String> = tenant
        .records
        .borrow()
        .iter()
        .map(|record| record["alert_id"].as_str().unwrap().to_owned())
        .filter(|id| id.len() == 4)
        .collect();
    assert!(!late.is_empty() && next.keys().is_superset(&late));
}

// elastic/integrations #19918 and #5979: closed at the source, open here.
#[test]
fn an_alert_that_was_resolved_closes_at_the_next_incremental_read() {
    let (tenant, platform, from) = read_tenant(5);
    {
        let mut records = tenant.records.borrow_mut();
        records[3]["resolution_status"] = json!(RESOLVED);
        records[3]["last_modified_ts"] = json!(NOW + MINUTE);
    }
    platform.set_now(NOW + HOUR);
    let before = platform.requests().len();
    let read = incremental(&platform, DataStream::Alerts, from);
    assert_eq!(read.keys(), set(&["0", "1", "2", "4"]));
    assert_eq!(
        read.closures(),
        [("3".into(), "resolved".into(), RESOLVED.into())]
    );
    let closure = read
        .steps
        .iter()
        .flat_map(|step| &step.closures)
        .next()
        .unwrap();
    assert_eq!(closure.at, Some(NOW + MINUTE));
    // An empty window is looked at twice; one request asks for all that is held.
    assert_eq!(platform.requests().len() - before, 3);
    let lines = platform.lines();
    assert!(
        lines
            .iter()
            .any(|(_, line)| line.contains("asked for again")),
        "{lines:?}"
    );
}

#[test]
fn an_alert_is_deleted_only_if_it_is_missing_twice_beside_others() {
    let (tenant, platform, from) = read_tenant(5);
    tenant.records.borrow_mut().remove(2);
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    let closures = read.closures();
    assert_eq!(closures.len(), 1, "{closures:?}");
    assert_eq!(
        closures[0],
        (
            "2".into(),
            "deleted".into(),
            "asked for twice by its id, at last with 1 others, 1 of which the API returned".into()
        )
    );
    let asked = rechecks(&platform);
    assert_eq!(asked.len(), 2);
    assert!(
        asked[1].contains(&json!(2)) && asked[1].len() == 2,
        "{asked:?}"
    );
}

#[test]
fn a_reply_that_lacks_what_it_counts_or_holds_nothing_proves_nothing() {
    let short = |_: &Request| {
        Answer::reply(json!({"total_count": 5, "alerts": [alert(0, 0, NEW), alert(1, 1, NEW)]}))
    };
    let nothing = |_: &Request| Answer::reply(json!({"total_count": 0, "alerts": []}));
    let others = |_: &Request| {
        Answer::reply(json!({"total_count": 2, "alerts": [alert(0, 0, NEW), alert(99, 1, NEW)]}))
    };
    let replies: [&'static dyn Fn(&Request) -> Answer; 3] = [
        Box::leak(Box::new(short)),
        Box::leak(Box::new(nothing)),
        Box::leak(Box::new(others)),
    ];
    for reply in replies {
        let (tenant, platform, from) = read_tenant(5);
        *tenant.instead.borrow_mut() =
            Box::new(move |_, request| asked(request).map(|_| reply(request)));
        platform.set_now(NOW + HOUR);
        let read = incremental(&platform, DataStream::Alerts, from);
        assert!(read.closures().is_empty(), "{:?}", read.closures());
        assert!(
            platform
                .lines()
                .iter()
                .any(|(_, line)| line.contains("proves nothing")),
            "{:?}",
            platform.lines()
        );
    }
}

#[test]
fn an_alert_missing_from_one_short_reply_is_not_deleted() {
    let (tenant, platform, from) = read_tenant(5);
    // The first reply lacks two and does not say how many there are.
    let first = std::cell::Cell::new(true);
    *tenant.instead.borrow_mut() = Box::new(move |_, request| {
        (asked(request).is_some() && first.replace(false)).then(|| {
            Answer::reply(json!({"total_count": null, "alerts": [alert(0, 0, NEW), alert(1, 1, NEW), alert(2, 2, NEW)]}))
        })
    });
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    assert!(read.closures().is_empty(), "{:?}", read.closures());
    assert_eq!(read.keys(), set(&["0", "1", "2", "3", "4"]));
}

#[test]
fn very_many_open_alerts_are_asked_for_over_several_reads_the_oldest_check_first() {
    let (tenant, platform, _) = read_tenant(0);
    // A tenant that answers for any id: the platform holds more than a read may ask for.
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        asked(request).map(|ids| {
            let alerts: Vec<Value> = ids
                .iter()
                .map(|id| alert(id.as_u64().unwrap() as usize, 1, NEW))
                .collect();
            Answer::reply(json!({"total_count": alerts.len(), "alerts": alerts}))
        })
    });
    for number in 0..10_500_u64 {
        platform.hold("alerts", &number.to_string(), number);
    }
    let from = ended(&full(&platform, DataStream::Alerts));
    let read = incremental(&platform, DataStream::Alerts, from);
    let asked = rechecks(&platform);
    assert_eq!(asked.len(), 100);
    assert!(asked.iter().all(|ids| ids.len() <= 100));
    // One request without a canary, the others with one.
    let expected: BTreeSet<String> = (0..99 * 100).map(|number| number.to_string()).collect();
    assert_eq!(read.keys(), expected);
    let note = read.steps.last().unwrap().note.clone().unwrap();
    assert!(
        note.contains("9900") && note.contains("100 requests"),
        "{note}"
    );
}

#[test]
fn a_recheck_that_is_cut_goes_on_where_it_stood_and_asks_for_none_twice() {
    let (_, platform, from) = read_tenant(350);
    platform.set_now(NOW + HOUR);
    let mut checkpoint = from;
    let mut keys = Vec::new();
    let mut runs = 0;
    loop {
        let reading = begin_as(
            Mode::Incremental,
            &platform,
            &settings(),
            DataStream::Alerts,
            Some(checkpoint.clone()),
        )
        .unwrap();
        runs += 1;
        assert!(runs < 50);
        let mut cut = false;
        // One step of each run is committed.
        match block_on(reading.next()).unwrap() {
            Progress::Step(step) => {
                cut = true;
                keys.extend(step.entries.into_iter().map(|entry| entry.key));
                checkpoint = step.checkpoint;
            }
            Progress::End(_) => {}
        }
        if !cut {
            break;
        }
    }
    assert_eq!(keys.len(), 350);
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), 350);
}

// elastic/integrations #19109: ids beyond 2^53 were rounded.
#[test]
fn ids_are_asked_for_as_exact_numbers_and_texts_never_beside_them() {
    let (tenant, platform, from) = read_tenant(0);
    let mut large = alert(1, 1, NEW);
    large["alert_id"] = json!("9007199254740993");
    tenant.records.borrow_mut().push(large);
    platform.hold("alerts", "9007199254740993", 1);
    platform.hold("alerts", "not-a-number", 2);
    platform.hold("alerts", "007", 3);
    platform.hold("alerts", "99999999999999999999999", 4);
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        let ids = asked(request)?;
        ids.iter()
            .any(Value::is_string)
            .then(|| Answer::json(500, &json!({"reply": {"err_code": 500, "err_msg": "An error occurred while processing XDR public API", "err_extra": "alert_id_list must be integers"}})))
    });
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    assert_eq!(read.entries(), ["9007199254740993"]);
    assert!(read.closures().is_empty());
    let asked = rechecks(&platform);
    assert_eq!(asked[0], [json!(9_007_199_254_740_993_u64)]);
    assert_eq!(
        asked[1],
        [
            json!("not-a-number"),
            json!("007"),
            json!("99999999999999999999999")
        ]
    );
    assert!(
        platform
            .lines()
            .iter()
            .any(|(_, line)| line.contains("stay unchecked")),
        "{:?}",
        platform.lines()
    );
}

#[test]
fn what_the_window_returned_is_not_asked_for_again() {
    let (tenant, platform, from) = read_tenant(3);
    tenant
        .records
        .borrow_mut()
        .push(stored(50, NOW, NOW + MINUTE, NEW));
    platform.hold("alerts", "50", 0);
    platform.set_now(NOW + HOUR);
    incremental(&platform, DataStream::Alerts, from);
    let asked = rechecks(&platform);
    // Held ids in the order of their checks, and the alert of the window as the canary.
    assert_eq!(asked, [[json!(0), json!(1), json!(2), json!(50)]]);
}

#[test]
fn a_clock_ahead_of_the_servers_does_not_close_a_window_in_the_servers_future() {
    let (tenant, platform, from) = read_tenant(0);
    // The server's clock says NOW, this host's an hour more.
    *tenant.instead.borrow_mut() = Box::new(|_, _| {
        Some(
            Answer::reply(json!({"total_count": 0, "alerts": []}))
                .with_header("date", "Thu, 29 Feb 2024 00:00:00 GMT"),
        )
    });
    platform.set_now(NOW + HOUR);
    let first = incremental(&platform, DataStream::Alerts, from);
    assert!(
        platform
            .lines()
            .iter()
            .any(|(_, line)| line.contains("ahead of the API's")),
        "{:?}",
        platform.lines()
    );
    // Stored right after, by the server's clock.
    *tenant.instead.borrow_mut() = Box::new(|_, _| None);
    tenant
        .records
        .borrow_mut()
        .push(stored(1, NOW, NOW + MINUTE, NEW));
    platform.set_now(NOW + 2 * HOUR);
    let second = incremental(&platform, DataStream::Alerts, ended(&first));
    assert_eq!(second.entries(), ["1"]);
}

#[test]
fn a_window_that_stays_in_doubt_is_asked_for_again_by_the_next_read() {
    let (tenant, platform, from) = read_tenant(0);
    tenant
        .records
        .borrow_mut()
        .push(stored(1, NOW, NOW + MINUTE, NEW));
    tenant.total.set(Total::Lying(7));
    platform.set_now(NOW + HOUR);
    let first = incremental(&platform, DataStream::Alerts, from);
    assert!(!first.reasons().is_empty());
    tenant.total.set(Total::Capped(9_999));
    platform.set_now(NOW + 9 * HOUR);
    let second = incremental(&platform, DataStream::Alerts, ended(&first));
    assert_eq!(
        second.entries(),
        ["1"],
        "the window begins where the last proven one ended"
    );
    assert!(second.reasons().is_empty(), "{:?}", second.reasons());
}

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

#[test]
fn an_incremental_read_can_not_go_on_with_a_full_one_nor_begin_from_nothing() {
    let platform = Tenant::new((0..7).map(|number| endpoint(number, 1)).collect()).platform();
    let reading = begin(&platform, &settings(), DataStream::Endpoints, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    for checkpoint in [None, Some(step.checkpoint)] {
        let Err(fault) = begin_as(
            Mode::Incremental,
            &platform,
            &settings(),
            DataStream::Endpoints,
            checkpoint,
        ) else {
            panic!("it was begun");
        };
        assert!(
            matches!(fault.cause, Cause::Checkpoint),
            "{}",
            fault.message
        );
    }
}

fn version_1(stream: &str, scope: &str, state: &Value) -> Vec<u8> {
    json!({"version": 1, "stream": stream, "scope": scope, "state": state})
        .to_string()
        .into_bytes()
}

#[test]
fn a_finished_read_of_the_first_version_is_where_an_incremental_one_begins() {
    let tenant = Tenant::new(vec![
        stored(1, NOW, NOW + MINUTE, NEW),
        stored(2, NOW, NOW - HOUR, NEW),
    ]);
    let platform = tenant.platform();
    platform.set_now(NOW + HOUR);
    let scope = settings().scope(DataStream::Alerts);
    let state = |reasons: Value| {
        json!({
            "started": NOW, "pending": [], "current": null, "reasons": reasons, "seen": [], "read": 1, "ended": true,
            "done": [{"name": "n", "read": 1, "said": 1, "ended_short": true, "second_look": true}],
        })
    };
    let from = version_1("alerts", &scope, &state(json!([])));
    assert_eq!(
        incremental(&platform, DataStream::Alerts, from).entries(),
        ["1"]
    );
    // Where it was in doubt it proves nothing, and all is read.
    let from = version_1("alerts", &scope, &state(json!(["doubt"])));
    assert_eq!(
        incremental(&platform, DataStream::Alerts, from).keys(),
        set(&["1", "2"])
    );
}

#[test]
fn an_unfinished_read_of_the_first_version_goes_on_for_alerts_and_begins_anew_for_endpoints() {
    let open = |after: u64| {
        json!({
            "started": NOW, "pending": [], "reasons": [], "seen": [], "read": 5, "ended": false, "done": [],
            "current": {"range": {"from": null, "to": NOW}, "offset": 5, "said": 8, "read": 5, "attempt": 1, "whole": false},
            "unknown": after,
        })
    };
    let alerts = Tenant::new(
        (0..8)
            .map(|number| alert(number, number as u64, NEW))
            .collect(),
    )
    .platform();
    let from = version_1("alerts", &settings().scope(DataStream::Alerts), &open(0));
    let reading = begin_small(&alerts, &settings(), DataStream::Alerts, Some(from)).unwrap();
    let read = all(&reading).unwrap();
    assert_eq!(read.entries(), ["5", "6", "7"]);
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
    // Its pages were filtered by status: what follows would not fit.
    let endpoints = Tenant::new(
        (0..8)
            .map(|number| endpoint(number, number as u64))
            .collect(),
    )
    .platform();
    let from = version_1(
        "endpoints",
        &settings().scope(DataStream::Endpoints),
        &open(0),
    );
    let reading = begin_small(&endpoints, &settings(), DataStream::Endpoints, Some(from)).unwrap();
    assert_eq!(all(&reading).unwrap().entries().len(), 8);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(60))]
    #[test]
    fn incremental_reads_together_see_all_that_a_tenant_holds(
        arrivals in proptest::collection::vec((0_u64..300, 0_u64..12), 0..120),
        resolved in proptest::collection::vec(0_usize..120, 0..20),
        cuts in proptest::collection::vec(1_usize..6, 1..30),
        null in proptest::bool::ANY,
    ) {
        let tenant = Tenant::new(Vec::new());
        tenant.total.set(if null { Total::Null } else { Total::Capped(49) });
        let platform = tenant.platform();
        let first = all(&begin_small(&platform, &settings(), DataStream::Alerts, None).unwrap()).unwrap();
        let mut checkpoint = ended(&first);
        let mut cuts = cuts.into_iter();
        let mut open = BTreeSet::new();
        // Every hour some arrive, of which the server stored each within that hour, with any creation time; some of the older ones are resolved.
        for hour in 0..13_u64 {
            for (number, (created, at)) in arrivals.iter().enumerate() {
                if *at == hour {
                    let time = NOW + hour * HOUR + created * MINUTE / 6;
                    tenant.records.borrow_mut().push(stored(number, BEGINNING + created, time, NEW));
                } else if *at < hour && resolved.get(hour as usize) == Some(&number) {
                    for record in tenant.records.borrow_mut().iter_mut() {
                        if record["alert_id"] == json!(number.to_string()) {
                            record["resolution_status"] = json!(RESOLVED);
                        }
                    }
                }
            }
            platform.set_now(NOW + (hour + 1) * HOUR);
            // Cut after any step, and gone on with from its checkpoint.
            'runs: loop {
                let reading = begin_small_as(Mode::Incremental, &platform, &settings(), DataStream::Alerts, Some(checkpoint.clone())).unwrap();
                for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                    match block_on(reading.next()).unwrap() {
                        Progress::Step(step) => {
                            open.extend(step.entries.into_iter().map(|entry| entry.key));
                            for closure in step.closures {
                                proptest::prop_assert!(matches!(closure.closing, Closing::Resolved));
                                open.remove(&closure.key);
                            }
                            checkpoint = step.checkpoint;
                        }
                        Progress::End(summary) => {
                            proptest::prop_assert!(matches!(summary.coverage, Coverage::Complete(_)));
                            checkpoint = summary.checkpoint;
                            break 'runs;
                        }
                    }
                }
            }
            platform.held_are("alerts", &open);
        }
        // One more for what was resolved in the last hour.
        let last = incremental(&platform, DataStream::Alerts, checkpoint);
        for (key, _, _) in last.closures() {
            open.remove(&key);
        }
        open.extend(last.entries());
        let expected: BTreeSet<String> = tenant
            .records
            .borrow()
            .iter()
            .filter(|record| record["resolution_status"] == NEW)
            .map(|record| record["alert_id"].as_str().unwrap().to_owned())
            .collect();
        proptest::prop_assert_eq!(open, expected);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(40))]
    #[test]
    fn new_ones_and_sweeps_together_know_every_endpoint_that_was_seen(
        changes in proptest::collection::vec((0_usize..40, 0_u8..4), 0..60),
        sweep_hours in 0_u16..4,
        cuts in proptest::collection::vec(1_usize..6, 1..30),
    ) {
        let tenant = Tenant::new(Vec::new());
        tenant.total.set(Total::Capped(49));
        let platform = tenant.platform();
        let settings = Settings { endpoint_sweep_hours: sweep_hours, tags: set(&["all"]), ..settings() };
        let first = all(&begin_small(&platform, &settings, DataStream::Endpoints, None).unwrap()).unwrap();
        let mut checkpoint = ended(&first);
        let mut cuts = cuts.into_iter();
        let mut known = std::collections::BTreeMap::new();
        for hour in 0..6_u64 {
            let now = NOW + hour * HOUR;
            for (number, what) in changes.iter().skip(hour as usize * 10).take(10) {
                let mut records = tenant.records.borrow_mut();
                let id = format!("e{number:05}");
                let Some(record) = records.iter_mut().find(|record| record["endpoint_id"] == json!(id)) else {
                    let mut record = endpoint(*number, 0);
                    record["first_seen"] = json!(now + 7 * MINUTE);
                    record["last_seen"] = json!(now + 7 * MINUTE);
                    records.push(record);
                    continue;
                };
                record["last_seen"] = json!(now + 8 * MINUTE);
                match what {
                    0 => record["ip"] = json!([format!("10.0.{hour}.{number}")]),
                    1 => record["tags"] = json!({"server_tags": [], "endpoint_tags": []}),
                    2 => record["tags"] = json!({"server_tags": ["all"], "endpoint_tags": []}),
                    _ => record["endpoint_status"] = json!("UNINSTALLED"),
                }
            }
            // The last hour's sweep is due whatever the hours between two.
            platform.set_now(NOW + (hour + 1) * HOUR + if hour == 5 { 5 * HOUR } else { 0 });
            'runs: loop {
                let reading =
                    begin_small_as(Mode::Incremental, &platform, &settings, DataStream::Endpoints, Some(checkpoint.clone())).unwrap();
                for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                    match block_on(reading.next()).unwrap() {
                        Progress::Step(step) => {
                            for entry in step.entries {
                                let body: Value = serde_json::from_slice(&entry.body).unwrap();
                                known.insert(entry.key, Some(body["ip"].clone()));
                            }
                            for closure in step.closures {
                                known.insert(closure.key, None);
                            }
                            checkpoint = step.checkpoint;
                        }
                        Progress::End(summary) => {
                            proptest::prop_assert!(matches!(summary.coverage, Coverage::Complete(_)));
                            checkpoint = summary.checkpoint;
                            break 'runs;
                        }
                    }
                }
            }
        }
        let expected: std::collections::BTreeMap<String, Option<Value>> = tenant
            .records
            .borrow()
            .iter()
            .map(|record| {
                let tagged = record["tags"].to_string().contains("all");
                let kept = tagged && record["endpoint_status"] == "CONNECTED";
                (record["endpoint_id"].as_str().unwrap().to_owned(), kept.then(|| record["ip"].clone()))
            })
            .collect();
        proptest::prop_assert_eq!(known, expected);
    }
}
