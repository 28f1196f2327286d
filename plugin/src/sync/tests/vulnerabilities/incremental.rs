//! Incremental reads.

use super::store::{Store, begin, change, id, synced};
use super::*;

#[test]
fn unchanged_endpoints_are_confirmed_without_a_look_up() {
    for out in [Out::Inline, Out::TwiceGzip] {
        let (tenant, mut store) = synced(&[3, 0, 1, 12]);
        tenant.out.set(out);
        let before = store.cves();
        let synced = store.sync(&tenant, &settings(), Mode::Incremental);
        assert_eq!(synced.confirmed(), [id(0), id(1), id(2), id(3)]);
        assert_eq!(synced.looked_up(), Vec::<Vec<String>>::new());
        assert!(synced.all.reasons().is_empty());
        assert_eq!(store.cves(), before);
    }
}

#[test]
fn requests_are_in_proportion_to_what_changed() {
    let cves: Vec<usize> = (0..3_000).map(|number| number % 3).collect();
    let (tenant, mut store) = synced(&cves);
    tenant.out.set(Out::Gzip);
    for number in [5, 700, 2_999] {
        change(&tenant, number, rows(number, 4));
    }
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    let changed = [id(5), id(700), id(2_999)];
    assert_eq!(again.all.entries(), changed);
    assert_eq!(again.looked_up().concat(), changed);
    assert_eq!(again.confirmed().len(), 2_997);
    // Licence, quota, the query, whether it is done, its rows, and the look-ups.
    assert!(again.platform.requests().len() <= 8);
}

#[test]
fn an_endpoint_that_is_new_to_the_dataset_is_looked_up_and_handed_over() {
    let (tenant, mut store) = synced(&[1, 1]);
    change(&tenant, 2, rows(2, 2));
    tenant.endpoints.borrow_mut().push(endpoint(2, 1));
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.entries(), [(id(2), false)]);
    assert_eq!(again.looked_up(), [[id(2)]]);
}

#[test]
fn a_cve_that_is_no_longer_listed_closes_with_the_endpoints_entry() {
    let (tenant, mut store) = synced(&[3, 1]);
    change(&tenant, 0, rows(0, 2));
    change(&tenant, 1, rows(1, 0));
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.entries(), [(id(0), false), (id(1), false)]);
    assert_eq!(store.cves()[&id(0)].len(), 2);
    assert_eq!(
        store.cves()[&id(1)].len(),
        0,
        "\"No CVEs Found\" is a proof"
    );
}

#[test]
fn a_cve_whose_severity_changed_is_a_change() {
    let (tenant, mut store) = synced(&[2, 2]);
    tenant.rows.borrow_mut()[3]["severity"] = json!("LOW");
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.entries(), [(id(1), false)]);
}

#[test]
fn an_endpoint_without_rows_is_neither_closed_nor_confirmed() {
    let (tenant, mut store) = synced(&[2, 2, 2]);
    change(&tenant, 1, Vec::new());
    let before = store.cves();
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.confirmed(), [id(0), id(2)]);
    assert!(again.all.entries().is_empty() && again.all.closures().is_empty());
    assert_eq!(store.cves(), before);
}

#[test]
fn records_of_an_older_connector_are_read_anew_once() {
    let (tenant, mut store) = synced(&[2, 2]);
    for held in store.open.values_mut() {
        held.0 = "778a4ca9147a1b66".to_owned();
    }
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.all.entries().len(), 2);
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.confirmed().len(), 2);
}

#[test]
fn what_the_query_cost_is_known_to_the_next_one_in_either_mode() {
    let (tenant, mut store) = synced(&[1]);
    store.sync(&tenant, &settings(), Mode::Incremental);
    // 2.5 are the share; the query cost 0.1.
    *tenant.quota.borrow_mut() = json!({"license_quota": 5, "used_quota": 2.45});
    for mode in [Mode::Incremental, Mode::Full] {
        let platform = store.platform(&tenant);
        let reading = begin(&platform, &settings(), mode, store.checkpoint.clone()).unwrap();
        let fault = all(&reading).unwrap_err();
        assert!(
            fault.message.contains("cost 0.1 the last time"),
            "{}",
            fault.message
        );
    }
}

#[test]
fn a_cut_incremental_read_goes_on_with_the_same_query_and_hands_nothing_over_twice() {
    let cves = vec![1; 2_400];
    let (tenant, mut store) = synced(&cves);
    for number in (0..2_400).step_by(300) {
        change(&tenant, number, rows(number, 2));
    }
    let platform = store.platform(&tenant);
    let started = tenant.started.get();
    let mut gathered = All::default();
    let mut checkpoint = store.checkpoint.clone();
    while gathered.end.is_none() {
        // One step, and the next run.
        let reading = begin(&platform, &settings(), Mode::Incremental, checkpoint).unwrap();
        match block_on(reading.next()).unwrap() {
            Progress::Step(step) => {
                checkpoint = Some(step.checkpoint.clone());
                gathered.steps.push(step);
            }
            Progress::End(end) => {
                checkpoint = None;
                gathered.end = Some(end);
            }
        }
    }
    assert_eq!(tenant.started.get() - started, 1);
    assert_eq!(gathered.entries().len(), 8);
    store.keep(&gathered, Mode::Incremental);
    assert_eq!(gathered.end.unwrap().read, 2_400);
}

#[test]
fn endpoints_that_the_tags_leave_out_are_not_looked_up_in_every_run() {
    let tenant = tenant(&[1; 2_600]);
    for endpoint in tenant.endpoints.borrow_mut().iter_mut().skip(2) {
        endpoint["tags"] = json!({"endpoint_tags": ["other"]});
    }
    let settings = Settings {
        tags: set(&["all"]),
        ..settings()
    };
    let mut store = Store {
        endpoints: [id(0), id(1)].into(),
        ..Store::default()
    };
    store.sync(&tenant, &settings, Mode::Full);
    assert_eq!(store.open.len(), 2);
    // Each has its turn all the same, so that one that the other data stream missed is found in the end.
    let mut looked_up = BTreeSet::new();
    for _ in 0..3 {
        let again = store.sync(&tenant, &settings, Mode::Incremental);
        assert_eq!(again.confirmed(), [id(0), id(1)]);
        assert!(again.looked_up().len() <= 10, "{}", again.looked_up().len());
        let skipped: u64 = again.skipped().iter().map(|(_, count)| count).sum();
        assert_eq!(skipped + again.looked_up().concat().len() as u64, 2_598);
        looked_up.extend(again.looked_up().concat());
    }
    assert_eq!(looked_up.len(), 2_598);
    // One that bears the tag now, as the other data stream tells.
    tenant.endpoints.borrow_mut()[2_500]["tags"] = json!({"endpoint_tags": ["all"]});
    store.endpoints.insert(id(2_500));
    let again = store.sync(&tenant, &settings, Mode::Incremental);
    assert_eq!(again.all.entries(), [id(2_500)]);
}

#[test]
fn an_endpoint_that_lost_its_tag_is_out_of_scope_at_the_next_incremental_sync() {
    let (tenant, mut store) = synced(&[1, 1]);
    let settings = Settings {
        tags: set(&["all"]),
        ..settings()
    };
    store.checkpoint = None;
    store.sync(&tenant, &settings, Mode::Full);
    tenant.endpoints.borrow_mut()[0]["tags"] = json!({"endpoint_tags": ["other"]});
    store.endpoints = [id(1)].into();
    let again = store.sync(&tenant, &settings, Mode::Incremental);
    let closed: Vec<_> = again.all.closures();
    assert_eq!(closed.len(), 1);
    assert_eq!(
        (closed[0].0.as_str(), closed[0].1.as_str()),
        (id(0).as_str(), "out of scope: tags")
    );
}

#[test]
fn without_the_data_stream_endpoints_every_new_endpoint_is_looked_up() {
    let (tenant, mut store) = synced(&[1; 1_200]);
    store.open.clear();
    // What it held before it was left out of the configuration tells nothing.
    store.endpoints = [id(7)].into();
    let settings = Settings {
        data_streams: [STREAM].into(),
        ..settings()
    };
    let again = store.sync(&tenant, &settings, Mode::Incremental);
    assert_eq!(again.all.entries().len(), 1_200);
}

#[test]
fn without_a_checkpoint_or_with_one_of_a_full_read_that_has_not_ended_there_is_no_incremental_read()
{
    let tenant = tenant(&[1]);
    let platform = tenant.platform();
    let reading = begin(&platform, &settings(), Mode::Full, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    for checkpoint in [None, Some(step.checkpoint)] {
        let Err(fault) = begin(&platform, &settings(), Mode::Incremental, checkpoint) else {
            panic!("taken");
        };
        assert!(matches!(fault.cause, Cause::Checkpoint));
    }
}
