//! What is new, in a window of the server's time.

use super::*;

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
