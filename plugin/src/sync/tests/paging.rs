//! How pages and slices are read.

use super::tenant::{BEGINNING, Tenant, Total, alert, endpoint};
use super::*;
use crate::contract::types::Cause;
use crate::platform::Request;
use crate::testing::Answer;
use serde_json::{Value, json};
use std::rc::Rc;

fn endpoints(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| endpoint(number, number as u64 * 10))
        .collect()
}

fn ids(tenant: &Tenant) -> BTreeSet<String> {
    let records = tenant.records.borrow();
    records
        .iter()
        .map(|record| record["endpoint_id"].as_str().unwrap().to_owned())
        .collect()
}

fn read_small(tenant: &Rc<Tenant>) -> All {
    let reading =
        begin_small(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap();
    all(&reading).unwrap()
}

fn data(request: &Request) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["request_data"].clone()
}

// Azure/Azure-Sentinel #8504, demisto/content #17589 and #39913: only the first page was read.
#[test]
fn all_pages_are_read_in_ascending_order() {
    let tenant = Tenant::new(endpoints(250));
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    let expected: Vec<String> = (0..250).map(|number| format!("e{number:05}")).collect();
    assert_eq!(read.entries(), expected);
    assert!(read.reasons().is_empty());
    assert_eq!(read.end.as_ref().unwrap().read, 250);
    let Coverage::Complete(slices) = &read.end.as_ref().unwrap().coverage else {
        panic!("incomplete");
    };
    assert_eq!(
        slices.iter().map(|slice| slice.read).collect::<Vec<_>>(),
        [250, 0]
    );
    assert!(
        slices
            .iter()
            .all(|slice| slice.ended_short && slice.second_look)
    );
    // Three pages of the first slice, of which the short one ends it; one empty page of the slice since the start; a look at the whole.
    assert_eq!(platform.requests().len(), 5);
}

// elastic/integrations #18124: the offset ran past the end. #3767, Azure/Azure-Sentinel #13013: the paging never ended.
#[test]
fn a_full_last_page_is_followed_by_an_empty_one_and_by_no_more() {
    let platform = Tenant::new(endpoints(298)).platform();
    let read = all(&begin(&platform, &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    assert_eq!(read.keys().len(), 298);
    // Three full pages, each but the first with one record of the one before it.
    let main: Vec<u64> = platform
        .requests()
        .iter()
        .map(|request| data(request)["search_from"].as_u64().unwrap())
        .collect();
    assert_eq!(main, [0, 99, 198, 297, 0, 0]);
}

// elastic/integrations #18124: alerts that arrived during a descending read shifted every later page.
#[test]
fn the_range_ends_at_the_start_so_that_what_arrives_meanwhile_shifts_no_page() {
    let tenant = Tenant::new(endpoints(250));
    let platform = tenant.platform();
    // During the read newer endpoints arrive: in descending order each would push one record to a page that was read already.
    *tenant.hook.borrow_mut() = Box::new(|number, records| {
        let at = crate::testing::NOW + 1 + u64::from(number) - BEGINNING;
        records.push(endpoint(1_000 + number as usize, at));
    });
    let read = all(&begin(&platform, &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    assert!(
        read.keys()
            .is_superset(&(0..250).map(|number| format!("e{number:05}")).collect())
    );
    let first = data(&platform.requests()[0]);
    assert!(first["filters"].as_array().unwrap().contains(&json!({
        "field": "first_seen", "operator": "lte", "value": crate::testing::NOW
    })));
    assert_eq!(
        first["sort"],
        json!({"field": "first_seen", "keyword": "ASC"})
    );
}

// wazuh/integrations #116: the total sticks at 9,999, and the client stopped there.
#[test]
fn the_total_sticks_at_the_cap_and_nothing_is_lost() {
    let tenant = Tenant::new(endpoints(233));
    tenant.total.set(Total::Capped(49));
    let read = read_small(&tenant);
    assert_eq!(read.keys(), ids(&tenant));
    assert_eq!(read.entries().len(), 233, "nothing is read twice");
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

#[test]
fn past_9_999_records_the_real_limits_slice_too() {
    let tenant = Tenant::new(endpoints(10_300));
    let read =
        all(&begin(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    assert_eq!(read.keys(), ids(&tenant));
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

#[test]
fn a_null_total_is_no_reason_to_stop() {
    for count in [0, 4, 5, 39, 40, 41, 50, 51, 140] {
        let tenant = Tenant::new(endpoints(count));
        tenant.total.set(Total::Null);
        let read = read_small(&tenant);
        assert_eq!(read.keys(), ids(&tenant), "{count}");
        assert!(read.reasons().is_empty(), "{count}: {:?}", read.reasons());
    }
}

#[test]
fn a_total_that_lies_makes_the_read_incomplete_and_loses_nothing() {
    let tenant = Tenant::new(endpoints(23));
    tenant.total.set(Total::Lying(7));
    let read = read_small(&tenant);
    assert_eq!(read.keys(), ids(&tenant));
    assert!(
        read.reasons()
            .iter()
            .any(|reason| reason.contains("has 7 records, and gave 23")),
        "{:?}",
        read.reasons()
    );
}

#[test]
fn a_total_at_the_cap_with_few_records_behind_it_is_no_proof() {
    for count in [0, 3, 23] {
        let tenant = Tenant::new(endpoints(count));
        tenant.total.set(Total::Lying(49));
        let read = read_small(&tenant);
        assert_eq!(read.keys(), ids(&tenant));
        assert!(!read.reasons().is_empty(), "{count}");
    }
}

#[test]
fn a_total_that_changed_meanwhile_is_read_again() {
    let tenant = Tenant::new(endpoints(23));
    // Between the first and the second page of the first attempt one endpoint of the middle goes away.
    *tenant.hook.borrow_mut() = Box::new(|number, records| {
        if number == 1 {
            records.remove(10);
        }
    });
    let read = read_small(&tenant);
    assert!(read.keys().is_superset(&ids(&tenant)));
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

#[test]
fn a_total_that_never_stands_still_ends_incomplete_after_three_attempts() {
    let tenant = Tenant::new(endpoints(23));
    *tenant.hook.borrow_mut() = Box::new(|number, records| {
        if number.is_multiple_of(3) {
            records.push(endpoint(1_000 + number as usize, 500));
        }
    });
    let read = read_small(&tenant);
    assert!(
        read.reasons()
            .iter()
            .any(|reason| reason.contains("changed while it was read")),
        "{:?}",
        read.reasons()
    );
}

#[test]
fn what_arrives_in_front_all_the_time_shifts_pages_and_ends_incomplete_too() {
    let tenant = Tenant::new(endpoints(23));
    *tenant.hook.borrow_mut() = Box::new(|number, records| {
        records.push(endpoint(1_000 + number as usize, 7));
    });
    let read = read_small(&tenant);
    assert!(!read.reasons().is_empty());
    let first: BTreeSet<String> = (0..23).map(|number| format!("e{number:05}")).collect();
    assert!(read.keys().is_superset(&first), "{:?}", read.keys());
}

#[test]
fn more_records_in_one_millisecond_than_can_be_paged_are_incomplete_and_said() {
    let mut records = endpoints(30);
    records.extend((100..170).map(|number| endpoint(number, 150)));
    let tenant = Tenant::new(records);
    tenant.total.set(Total::Capped(49));
    let read = read_small(&tenant);
    assert_eq!(read.reasons().len(), 1, "{:?}", read.reasons());
    assert!(
        read.reasons()[0].contains("than the API pages"),
        "{:?}",
        read.reasons()
    );
    // All others are there.
    let others: BTreeSet<String> = (0..30)
        .map(|number| format!("e{number:05}"))
        .filter(|id| id != "e00015")
        .collect();
    assert!(read.keys().is_superset(&others));
}

#[test]
fn as_many_records_in_one_millisecond_as_can_be_paged_are_complete() {
    let tenant = Tenant::new((0..48).map(|number| endpoint(number, 5)).collect());
    tenant.total.set(Total::Null);
    let read = read_small(&tenant);
    assert_eq!(read.keys(), ids(&tenant));
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

// Azure/Azure-Sentinel #13603: 1,195,500 rows, 100 of them unique.
#[test]
fn an_api_that_ignores_the_offset_ends_in_a_fault_and_not_in_a_million_duplicates() {
    for total in [Total::Capped(49), Total::Null] {
        let tenant = Tenant::new(endpoints(60));
        tenant.total.set(total);
        tenant.ignores_offset.set(true);
        let platform = tenant.platform();
        let reading = begin_small(&platform, &settings(), DataStream::Endpoints, None).unwrap();
        let fault = all(&reading).unwrap_err();
        assert!(matches!(fault.cause, Cause::Protocol), "{}", fault.message);
        assert!(platform.requests().len() < 15);
    }
    let tenant = Tenant::new(endpoints(20));
    tenant.ignores_offset.set(true);
    let reading =
        begin_small(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap();
    let fault = all(&reading).unwrap_err();
    assert!(
        fault.message.contains("same page twice"),
        "{}",
        fault.message
    );
}

// lobu-ai/lobu #2213, trycompai/comp #2802: a malformed answer and an empty inventory looked alike.
#[test]
fn a_reply_without_a_list_is_a_fault_and_not_an_empty_tenant() {
    let tenant = Tenant::new(endpoints(3));
    *tenant.instead.borrow_mut() = Box::new(|_, _| Some(Answer::reply(json!({"total_count": 0}))));
    let reading =
        begin_small(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap();
    let fault = all(&reading).unwrap_err();
    assert!(matches!(fault.cause, Cause::Protocol), "{}", fault.message);
}

/// Reads on after each fault; the keys in the order in which they came, and the causes of the faults.
fn read_through_faults(tenant: &Rc<Tenant>) -> (Vec<String>, Vec<Cause>) {
    let reading =
        begin_small(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap();
    let (mut keys, mut causes) = (Vec::new(), Vec::new());
    loop {
        match block_on(reading.next()) {
            Ok(Progress::Step(step)) => {
                keys.extend(step.entries.into_iter().map(|entry| entry.key))
            }
            Ok(Progress::End(_)) => return (keys, causes),
            Err(fault) => causes.push(fault.cause),
        }
        assert!(causes.len() < 5, "the same fault again and again");
    }
}

#[test]
fn after_a_fault_the_read_goes_on_where_it_stood() {
    let tenant = Tenant::new(endpoints(33));
    *tenant.instead.borrow_mut() =
        Box::new(|number, _| (number == 3).then(|| Answer::new(503, "busy")));
    let (keys, causes) = read_through_faults(&tenant);
    assert!(matches!(causes[..], [Cause::Unavailable]), "{causes:?}");
    let expected: Vec<String> = (0..33).map(|number| format!("e{number:05}")).collect();
    assert_eq!(keys, expected, "a 503 skips nothing and doubles nothing");
}

// OpenCTI-Platform/connectors #3877 and #2078: a 429 moved the cursor on. Azure/Azure-Sentinel #12335: records twice after a 429.
#[test]
fn a_429_on_any_request_skips_no_record_and_doubles_none() {
    let expected: Vec<String> = (0..33).map(|number| format!("e{number:05}")).collect();
    for refused in 0..8 {
        let tenant = Tenant::new(endpoints(33));
        *tenant.instead.borrow_mut() = Box::new(move |number, _| {
            (number == refused).then(|| Answer::new(429, "").with_header("retry-after", "30"))
        });
        let (keys, causes) = read_through_faults(&tenant);
        let until = crate::testing::NOW + 30_000;
        assert!(
            matches!(causes[..], [Cause::Exhausted(Some(at))] if at == until),
            "{refused}: {causes:?}"
        );
        assert_eq!(keys, expected, "{refused}");
    }
}

// Azure/Azure-Sentinel #14384: up to 200 requests a minute, all refused.
#[test]
fn a_tenant_that_refuses_all_with_429_is_not_asked_again_and_again() {
    let tenant = Tenant::new(endpoints(33));
    *tenant.instead.borrow_mut() = Box::new(|_, _| Some(Answer::new(429, "")));
    let platform = tenant.platform();
    let reading = begin_small(&platform, &settings(), DataStream::Endpoints, None).unwrap();
    let fault = all(&reading).unwrap_err();
    assert!(
        matches!(fault.cause, Cause::Exhausted(None)),
        "{}",
        fault.message
    );
    assert_eq!(platform.requests().len(), 1);
}

// elastic/integrations #18124 and #18195: sort field and filter field differed, so that pages overlapped.
#[test]
fn a_time_is_filtered_and_sorted_by_the_same_field() {
    for (stream, field) in [
        (DataStream::Endpoints, "first_seen"),
        (DataStream::Alerts, "creation_time"),
    ] {
        let records = (0..120).map(|number| match stream {
            DataStream::Alerts => alert(number, number as u64 / 3, "STATUS_010_NEW"),
            _ => endpoint(number, number as u64 / 3),
        });
        let tenant = Tenant::new(records.collect());
        tenant.total.set(Total::Capped(49));
        let platform = tenant.platform();
        all(&begin_small(&platform, &settings(), stream, None).unwrap()).unwrap();
        for request in platform.requests() {
            let data = data(&request);
            assert_eq!(data["sort"]["field"], field);
            let filters = data["filters"].as_array().unwrap();
            let times: Vec<&Value> = filters
                .iter()
                .filter(|filter| filter["operator"] != "in")
                .collect();
            assert!(
                !times.is_empty() && times.iter().all(|filter| filter["field"] == field),
                "{data}"
            );
        }
    }
}

// SEKOIA-IO/automation-library #1446: alerts that arrive late, with an older time than those that were read already, were missed.
#[test]
fn an_alert_that_arrives_late_with_an_older_time_is_read_too() {
    let alerts = |numbers: std::ops::Range<usize>| -> Vec<Value> {
        numbers
            .map(|number| alert(number, 1_000 + number as u64, "STATUS_010_NEW"))
            .collect()
    };
    let tenant = Tenant::new(alerts(0..23));
    *tenant.hook.borrow_mut() = Box::new(|number, records| {
        if number == 2 {
            records.insert(0, alert(99, 1, "STATUS_010_NEW"));
        }
    });
    let reading = begin_small(&tenant.platform(), &settings(), DataStream::Alerts, None).unwrap();
    let read = all(&reading).unwrap();
    assert!(read.keys().contains("99"), "{:?}", read.keys());
    assert_eq!(read.keys().len(), 24);
    assert!(read.reasons().is_empty(), "{:?}", read.reasons());
}

#[test]
fn one_bad_record_does_not_lose_its_page() {
    let mut records = endpoints(6);
    records[2] =
        json!({"endpoint_id": null, "endpoint_status": "CONNECTED", "first_seen": BEGINNING + 20});
    let tenant = Tenant::new(records);
    let read = read_small(&tenant);
    assert_eq!(read.keys().len(), 5);
    assert_eq!(read.quarantined(), [None]);
}

#[test]
fn the_expected_number_is_told_as_soon_as_a_page_tells_it() {
    let read = read_small(&Tenant::new(endpoints(23)));
    assert_eq!(read.steps[0].expected, Some(23));
    assert_eq!(
        read.steps.iter().map(|step| step.read).collect::<Vec<_>>(),
        [5, 9, 13, 17, 21, 23, 23]
    );
}

proptest::proptest! {
    #[test]
    fn every_record_of_every_tenant_is_read(times in proptest::collection::vec(0_u64..400, 0..200), total in 0_u8..2) {
        let records: Vec<Value> = times.iter().enumerate().map(|(number, after)| endpoint(number, *after)).collect();
        let most = times.iter().map(|time| times.iter().filter(|other| *other == time).count()).max().unwrap_or(0);
        let tenant = Tenant::new(records);
        tenant.total.set(if total == 0 { Total::Null } else { Total::Capped(49) });
        let read = read_small(&tenant);
        proptest::prop_assert!(most < 50);
        proptest::prop_assert_eq!(read.keys(), ids(&tenant));
        proptest::prop_assert_eq!(read.entries().len(), times.len(), "nothing is read twice");
        proptest::prop_assert!(read.reasons().is_empty(), "{:?}", read.reasons());
    }
}
