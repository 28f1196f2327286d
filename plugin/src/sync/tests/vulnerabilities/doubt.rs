//! What may lack something closes nothing.

use super::store::{Store, change, id, synced};
use super::*;

const MODES: [Mode; 2] = [Mode::Full, Mode::Incremental];

/// Each endpoint that an entry was handed over for, and whether it is partial.
fn partial(synced: &super::store::Synced) -> Vec<(String, bool)> {
    synced.entries()
}

#[test]
fn after_partial_success_nothing_closes_and_what_is_new_comes() {
    for mode in MODES {
        let (tenant, mut store) = synced(&[3, 2, 1]);
        *tenant.status.borrow_mut() = "PARTIAL_SUCCESS".to_owned();
        change(&tenant, 0, rows(0, 1));
        change(&tenant, 1, rows(1, 0));
        change(&tenant, 2, rows(2, 4));
        let again = store.sync(&tenant, &settings(), mode);
        let all = [(id(0), true), (id(1), true), (id(2), true)];
        assert_eq!(partial(&again), all, "{mode:?}");
        let counts: Vec<usize> = store.cves().values().map(BTreeSet::len).collect();
        assert_eq!(counts, [3, 2, 4], "{mode:?}");
        assert!(!again.all.reasons().is_empty());
        // The same rows once more are nothing new, and as a whole they are.
        let again = store.sync(&tenant, &settings(), Mode::Incremental);
        assert_eq!(again.confirmed().len(), 3, "{mode:?}");
        *tenant.status.borrow_mut() = "SUCCESS".to_owned();
        store.sync(&tenant, &settings(), mode);
        let counts: Vec<usize> = store.cves().values().map(BTreeSet::len).collect();
        assert_eq!(counts, [1, 0, 4], "{mode:?}");
    }
}

#[test]
fn inline_rows_that_are_fewer_than_said_close_nothing() {
    for mode in MODES {
        let (tenant, mut store) = synced(&[2, 2]);
        *tenant.said.borrow_mut() = Some(json!(4));
        change(&tenant, 0, rows(0, 1));
        let before = store.cves();
        store.sync(&tenant, &settings(), mode);
        assert_eq!(store.cves(), before, "{mode:?}");
    }
}

#[test]
fn a_stream_that_ends_early_and_looks_whole_does_not_close_what_it_was_cut_within() {
    for said in [json!(12), Value::Null] {
        for mode in MODES {
            let (tenant, mut store) = synced(&[3, 3, 3, 3]);
            tenant.out.set(Out::Plain);
            *tenant.said.borrow_mut() = Some(said.clone());
            // Of the third endpoint one row is left, and the fourth is lost.
            tenant.rows.borrow_mut().truncate(7);
            change(&tenant, 1, rows(1, 2));
            let again = store.sync(&tenant, &settings(), mode);
            let partial = partial(&again);
            assert!(partial.contains(&(id(1), false)) && partial.contains(&(id(2), true)));
            let counts: Vec<usize> = store.cves().values().map(BTreeSet::len).collect();
            assert_eq!(counts, [3, 2, 3, 3], "{mode:?} {said}");
        }
    }
}

#[test]
fn a_row_that_can_not_be_read_leaves_its_neighbours_as_they_are_and_no_others() {
    for bad in [
        json!("text"),
        json!({"cves": "CVE-2024-0001"}),
        json!({"endpoint_id": null}),
    ] {
        for mode in MODES {
            let (tenant, mut store) = synced(&[2, 2, 2, 2, 2]);
            tenant.out.set(Out::Plain);
            // What was the second CVE of the second and of the fourth endpoint can't be read.
            tenant.rows.borrow_mut()[3] = bad.clone();
            let before = store.cves();
            let again = store.sync(&tenant, &settings(), mode);
            assert_eq!(again.all.quarantined(), [None]);
            assert_eq!(store.cves(), before, "{mode:?} {bad}");
            let whole: Vec<_> = partial(&again)
                .into_iter()
                .filter(|(_, partial)| !partial)
                .collect();
            match mode {
                Mode::Full => assert_eq!(whole.len(), 3),
                Mode::Incremental => assert_eq!(again.confirmed().len(), 4),
            }
        }
    }
}

#[test]
fn rows_that_do_not_say_which_cve_close_nothing() {
    for cves in [Value::Null, json!([]), json!(""), json!({"a": 1})] {
        for mode in MODES {
            let (tenant, mut store) = synced(&[2, 2]);
            let row = json!({"endpoint_id": id(0), "endpoint_name": "host-0", "cves": cves});
            change(&tenant, 0, vec![row]);
            let before = store.cves();
            let again = store.sync(&tenant, &settings(), mode);
            assert!(partial(&again).contains(&(id(0), true)), "{mode:?} {cves}");
            assert_eq!(store.cves(), before, "{mode:?} {cves}");
        }
    }
}

#[test]
fn a_look_up_that_lost_its_list_is_made_again_and_then_told_and_loses_no_cve() {
    let (tenant, mut store) = synced(&[1, 1, 1]);
    change(&tenant, 1, rows(1, 3));
    tenant.forgets_endpoints.set(true);
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.looked_up().len(), 2);
    assert!(again.all.reasons()[0].contains("get_endpoint"));
    assert_eq!(store.cves()[&id(1)].len(), 3);
    // The next run completes what this one could not.
    tenant.forgets_endpoints.set(false);
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.looked_up(), [[id(1)]]);
    assert_eq!(again.entries(), [(id(1), false)]);
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.confirmed().len(), 3);
}

#[test]
fn an_endpoint_that_is_missing_beside_one_that_is_there_is_unknown_and_the_read_is_complete() {
    let (tenant, mut store) = synced(&[1, 1, 1]);
    store.endpoints = (0..3).map(id).collect();
    change(&tenant, 1, rows(1, 3));
    tenant.endpoints.borrow_mut().remove(1);
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.looked_up(), [vec![id(1)], vec![id(1), id(0)]]);
    assert!(again.all.reasons().is_empty(), "{:?}", again.all.reasons());
    assert_eq!(store.cves()[&id(1)].len(), 3);
    // It is asked for again, and is still unknown: what is held stays as it is.
    let again = store.sync(&tenant, &settings(), Mode::Incremental);
    assert_eq!(again.confirmed().len(), 3);
    assert!(again.all.reasons().is_empty());
}

#[test]
fn where_tags_narrow_an_unknown_endpoint_is_left_out_and_nothing_is_closed_for_it() {
    let tenant = tenant(&[1, 1, 1]);
    let settings = Settings {
        tags: set(&["all"]),
        ..settings()
    };
    let mut store = Store::default();
    store.sync(&tenant, &settings, Mode::Full);
    let before = store.cves();
    tenant.endpoints.borrow_mut().remove(1);
    change(&tenant, 1, rows(1, 0));
    change(&tenant, 2, rows(2, 2));
    change(&tenant, 3, rows(3, 2));
    let again = store.sync(&tenant, &settings, Mode::Incremental);
    assert_eq!(again.skipped(), [("tags".to_owned(), 2)]);
    assert_eq!(again.entries(), [(id(2), false)]);
    assert!(again.all.closures().is_empty());
    assert_eq!(store.cves()[&id(1)], before[&id(1)]);
}

#[test]
fn a_lost_list_never_removes_anything_from_a_full_read() {
    let tenant = tenant(&[1, 1, 1]);
    let settings = Settings {
        tags: set(&["all"]),
        ..settings()
    };
    let mut store = Store::default();
    store.sync(&tenant, &settings, Mode::Full);
    let before = store.cves();
    tenant.forgets_endpoints.set(true);
    let again = store.sync(&tenant, &settings, Mode::Full);
    assert!(!again.all.reasons().is_empty());
    assert_eq!(store.cves(), before);
}

#[test]
fn a_full_read_does_not_take_an_endpoint_without_rows_for_gone_while_get_endpoint_knows_it() {
    for out in [Out::Inline, Out::Gzip] {
        let (tenant, mut store) = synced(&[2, 2, 2, 2, 2]);
        tenant.out.set(out);
        for number in [0, 2, 3, 4] {
            change(&tenant, number, Vec::new());
        }
        let before = store.cves();
        // The third is gone, the fourth is uninstalled.
        tenant.endpoints.borrow_mut().remove(2);
        tenant.endpoints.borrow_mut()[2]["endpoint_status"] = json!("UNINSTALLED");
        let again = store.sync(&tenant, &settings(), Mode::Full);
        assert!(again.all.reasons().is_empty(), "{:?}", again.all.reasons());
        assert_eq!(
            partial(&again),
            [(id(0), true), (id(1), false), (id(4), true)]
        );
        assert_eq!(again.all.closures().len(), 1);
        let kept = [id(0), id(1), id(4)];
        assert_eq!(store.open.keys().cloned().collect::<Vec<_>>(), kept);
        assert!(kept.iter().all(|key| store.cves()[key] == before[key]));
        // Once it has rows again they count.
        change(&tenant, 0, rows(0, 1));
        store.sync(&tenant, &settings(), Mode::Incremental);
        assert_eq!(store.cves()[&id(0)].len(), 1);
    }
}

#[test]
fn what_a_cut_full_read_did_not_come_to_is_not_looked_up_as_if_it_were_absent() {
    let (tenant, mut store) = synced(&[1; 300]);
    tenant.out.set(Out::Plain);
    *tenant.said.borrow_mut() = Some(json!(300));
    tenant.rows.borrow_mut().truncate(10);
    let before = store.cves();
    let again = store.sync(&tenant, &settings(), Mode::Full);
    assert_eq!(again.looked_up().concat().len(), 10);
    assert_eq!(store.cves(), before);
}

/// A tenant whose look-ups have only their first record, so many times.
fn cut_look_ups(tenant: &Rc<Xql>, times: usize, total: Value) {
    let endpoints = tenant.endpoints.borrow().clone();
    let times = std::cell::Cell::new(times);
    *tenant.instead.borrow_mut() = Box::new(move |_, request| {
        if request.call != Call::GetEndpoint || times.get() == 0 {
            return None;
        }
        times.set(times.get() - 1);
        Some(Answer::reply(
            json!({"total_count": total, "result_count": 1, "endpoints": [endpoints[0]]}),
        ))
    });
}

#[test]
fn a_look_up_that_was_cut_is_made_again_before_anything_is_concluded_from_it() {
    let tags = Settings {
        tags: set(&["all"]),
        ..settings()
    };
    for settings in [settings(), tags] {
        for (times, whole) in [(1, true), (2, false)] {
            let tenant = tenant(&[1, 1, 1]);
            let mut store = Store::default();
            store.sync(&tenant, &settings, Mode::Full);
            // The last one has no rows any more, and is there all the same.
            change(&tenant, 2, Vec::new());
            let before = store.cves();
            cut_look_ups(&tenant, times, json!(3));
            let again = store.sync(&tenant, &settings, Mode::Full);
            assert_eq!(again.all.reasons().is_empty(), whole, "{times}");
            assert_eq!(store.cves(), before, "{times}");
            assert!(again.all.closures().is_empty());
        }
    }
}
