//! What may be missing is looked for again, and said where it stays in doubt. Never is a read called complete that lost a record.

use super::tenant::{Tenant, Total, endpoint};
use super::*;
use crate::testing::Answer;
use serde_json::{Value, json};
use std::rc::Rc;

fn endpoints(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| endpoint(number, number as u64 * 10))
        .collect()
}

fn ids(count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("e{number:05}")).collect()
}

fn read(tenant: &Rc<Tenant>) -> Result<All, Fault> {
    all(&begin_small(&tenant.platform(), &settings(), DataStream::Endpoints, None).unwrap())
}

/// A reply with these records of the tenant, whatever was asked for.
fn page(records: &[Value], total: Value) -> Option<Answer> {
    Some(Answer::reply(
        json!({"total_count": total, "endpoints": records}),
    ))
}

#[test]
fn a_page_that_is_shifted_given_twice_cut_short_or_emptied_once_is_seen_and_read_again() {
    for null in [false, true] {
        let total = if null { Value::Null } else { json!(23) };
        for number in 0..6 {
            for wrong in [
                &(1..6),
                &(0..5),
                &(4..9),
                &(0..3),
                &(0..0),
                &(5..9),
                &(3..8),
            ] {
                let tenant = Tenant::new(endpoints(23));
                if null {
                    tenant.total.set(Total::Null);
                }
                let (records, total, wrong) = (endpoints(23), total.clone(), wrong.clone());
                *tenant.instead.borrow_mut() = Box::new(move |asked, _| {
                    (asked == number).then(|| page(&records[wrong.clone()], total.clone()))?
                });
                let read = read(&tenant).unwrap();
                assert_eq!(
                    read.keys(),
                    ids(23),
                    "request {number}, null total: {null}; {:?}",
                    read.reasons()
                );
            }
        }
    }
}

// airbytehq/airbyte and others: an empty list with status 200 wiped what was held.
#[test]
fn an_empty_list_with_status_200_is_asked_for_twice_before_it_is_believed() {
    let tenant = Tenant::new(endpoints(7));
    *tenant.instead.borrow_mut() =
        Box::new(|asked, _| (asked == 0).then(|| page(&[], json!(0)))?);
    let read_one = read(&tenant).unwrap();
    assert_eq!(read_one.keys(), ids(7));
    assert!(read_one.reasons().is_empty());
    // Every reply to a range of time is empty: the look at the whole, without one, tells.
    let tenant = Tenant::new(endpoints(7));
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        (!body["request_data"]["filters"].is_null()).then(|| page(&[], json!(0)))?
    });
    let read_none = read(&tenant).unwrap();
    assert!(read_none.keys().is_empty());
    assert!(
        read_none
            .reasons()
            .iter()
            .any(|reason| reason.contains("second look")),
        "{:?}",
        read_none.reasons()
    );
}

#[test]
fn an_empty_tenant_is_complete_after_a_second_look() {
    let tenant = Tenant::new(Vec::new());
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    let Coverage::Complete(slices) = &read.end.unwrap().coverage else {
        panic!("incomplete");
    };
    assert!(
        slices
            .iter()
            .all(|slice| slice.read == 0 && slice.second_look)
    );
    let last = platform.requests().pop().unwrap();
    let body: Value = serde_json::from_slice(&last.body).unwrap();
    assert!(body["request_data"]["filters"].is_null(), "{body}");
}

#[test]
fn a_record_that_is_taken_away_between_two_pages_hides_no_other() {
    for at in 1..7 {
        for gone in [0, 4, 9] {
            for null in [false, true] {
                let tenant = Tenant::new(endpoints(23));
                if null {
                    tenant.total.set(Total::Null);
                }
                *tenant.hook.borrow_mut() = Box::new(move |number, records| {
                    // One goes and one comes: the total stays.
                    if number == at {
                        records.remove(gone);
                        records.push(endpoint(99, 500));
                    }
                });
                let read = read(&tenant).unwrap();
                let mut expected = ids(23);
                expected.remove(&format!("e{gone:05}"));
                assert!(
                    read.keys().is_superset(&expected),
                    "{at} {gone} {null}: {:?}",
                    read.reasons()
                );
            }
        }
    }
}

#[test]
fn records_of_one_moment_in_another_order_for_each_page_are_never_a_false_whole() {
    let tenant = Tenant::new((0..23).map(|number| endpoint(number, 5)).collect());
    *tenant.hook.borrow_mut() = Box::new(|_, records| records.rotate_left(3));
    let read = read(&tenant).unwrap();
    assert!(
        read.keys() == ids(23) || !read.reasons().is_empty(),
        "{} of 23 and called complete",
        read.keys().len()
    );
}

#[test]
fn a_null_total_is_no_doubt_where_both_edges_agree() {
    let tenant = Tenant::new(endpoints(23));
    tenant.total.set(Total::Null);
    let read = read(&tenant).unwrap();
    let Coverage::Complete(slices) = &read.end.unwrap().coverage else {
        panic!("incomplete");
    };
    assert!(slices.iter().all(|slice| slice.second_look), "{slices:?}");
}

/// What goes wrong with a reply.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Nothing,
    Short,
    Empty,
    Shifted,
    Doubled,
    Total(u64),
    NoTotal,
}

fn wrong() -> impl proptest::strategy::Strategy<Value = Wrong> {
    use proptest::prelude::*;
    prop_oneof![
        8 => Just(Wrong::Nothing),
        1 => Just(Wrong::Short),
        1 => Just(Wrong::Empty),
        1 => Just(Wrong::Shifted),
        1 => Just(Wrong::Doubled),
        1 => (0_u64..60).prop_map(Wrong::Total),
        1 => Just(Wrong::NoTotal),
    ]
}

proptest::proptest! {
    #[test]
    fn no_read_that_is_called_complete_lacks_a_record(
        times in proptest::collection::vec(0_u64..400, 1..90),
        wrongs in proptest::collection::vec(wrong(), 1..60),
        null in proptest::bool::ANY,
    ) {
        let tenant = Tenant::new(times.iter().enumerate().map(|(number, after)| endpoint(number, *after)).collect());
        tenant.total.set(if null { Total::Null } else { Total::Capped(49) });
        let inner = Rc::clone(&tenant);
        // Where the API does not count, one lie at a time is seen through; two that fit together are not.
        let mut lies = 0;
        let wrongs_of: Vec<Wrong> = wrongs
            .into_iter()
            .map(|wrong| {
                lies += usize::from(!matches!(wrong, Wrong::Nothing));
                if null && lies > 1 { Wrong::Nothing } else { wrong }
            })
            .collect();
        *tenant.instead.borrow_mut() = Box::new(move |number, request| {
            let wrong = *wrongs_of.get(number as usize)?;
            let mut reply = inner.reply(request, if matches!(wrong, Wrong::Shifted) { 2 } else { 0 });
            let list = reply["endpoints"].as_array_mut().unwrap();
            match wrong {
                Wrong::Nothing => return None,
                Wrong::Short => list.truncate(list.len() / 2),
                Wrong::Empty => list.clear(),
                Wrong::Doubled => {
                    if let Some(first) = list.first().cloned() {
                        list.insert(0, first);
                        list.pop();
                    }
                }
                Wrong::Shifted => {}
                Wrong::Total(total) => reply["total_count"] = json!(total),
                Wrong::NoTotal => reply["total_count"] = Value::Null,
            }
            Some(Answer::reply(reply))
        });
        let platform = tenant.platform();
        let reading = begin_small(&platform, &settings(), DataStream::Endpoints, None).unwrap();
        let mut keys = BTreeSet::new();
        // A fault ends the run, and the next goes on.
        let mut faults = 0;
        let coverage = loop {
            match block_on(reading.next()) {
                Ok(Progress::Step(step)) => keys.extend(step.entries.into_iter().map(|entry| entry.key)),
                Ok(Progress::End(summary)) => break summary.coverage,
                Err(_) => faults += 1,
            }
            proptest::prop_assert!(faults < 100);
        };
        if let Coverage::Complete(slices) = coverage
            && slices.iter().all(|slice| slice.second_look && slice.ended_short)
        {
            let logged = platform.lines();
            proptest::prop_assert_eq!(keys, ids(times.len()), "{:?} {:?}", slices, logged);
        }
    }
}
