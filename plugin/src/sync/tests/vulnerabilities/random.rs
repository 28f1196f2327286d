//! Random tenants that change between syncs of either kind, with and without faults.

use super::store::{Store, begin, id};
use super::*;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What an endpoint's CVEs become: none where it has no rows at all.
type Change = (usize, Option<BTreeSet<u8>>);

/// What goes wrong in a sync.
#[derive(Debug, Clone)]
enum Trouble {
    Nothing,
    /// PARTIAL_SUCCESS without every so many-th row.
    Partial(usize),
    /// A stream with so many per cent of its rows, and whether the API says how many there should be.
    Cut(usize, bool),
    /// The row at so many per cent can't be read.
    Unreadable(usize),
    /// get_endpoint answers with empty lists.
    Forgetful,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        2 => Just(Trouble::Nothing),
        1 => (2_usize..6).prop_map(Trouble::Partial),
        1 => (0_usize..100, any::<bool>()).prop_map(|(share, said)| Trouble::Cut(share, said)),
        1 => (0_usize..100).prop_map(Trouble::Unreadable),
        1 => Just(Trouble::Forgetful),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    (
        0_usize..30,
        prop_oneof![
            6 => btree_set(0_u8..6, 0..4).prop_map(Some),
            1 => Just(None),
        ],
    )
}

/// The truth.
type Truth = BTreeMap<usize, BTreeSet<u8>>;

fn name(cve: u8) -> String {
    format!("CVE-2024-{cve:04}")
}

fn rows_of(truth: &Truth) -> Vec<Value> {
    let row = |number: usize, cve: &str| json!({"endpoint_id": id(number), "endpoint_name": format!("host-{number}"), "cves": cve});
    let mut all = Vec::new();
    for (number, cves) in truth {
        if cves.is_empty() {
            all.push(row(*number, "No CVEs Found"));
        }
        for cve in cves {
            let mut row = row(*number, &name(*cve));
            row["name"] = json!(name(*cve));
            row["severity"] = json!("HIGH");
            all.push(row);
        }
    }
    all
}

/// Makes the tenant answer with the truth, or with less of it.
fn answer(tenant: &Rc<Xql>, truth: &Truth, trouble: &Trouble, out: Out) {
    let mut rows = rows_of(truth);
    let count = rows.len();
    tenant.out.set(out);
    *tenant.status.borrow_mut() = "SUCCESS".to_owned();
    *tenant.said.borrow_mut() = None;
    tenant.forgets_endpoints.set(false);
    match trouble {
        Trouble::Nothing => {}
        Trouble::Partial(step) => {
            *tenant.status.borrow_mut() = "PARTIAL_SUCCESS".to_owned();
            let mut at = 0;
            rows.retain(|_| {
                at += 1;
                at % step != 0
            });
        }
        Trouble::Cut(share, said) => {
            tenant.out.set(Out::Plain);
            rows.truncate(count * share / 100);
            let truth = json!(count);
            *tenant.said.borrow_mut() = Some(if *said { truth } else { Value::Null });
        }
        Trouble::Unreadable(share) => {
            if let Some(row) = rows.get_mut(count * share / 100) {
                *row = json!({"cves": row["cves"]});
            }
        }
        Trouble::Forgetful => tenant.forgets_endpoints.set(true),
    }
    *tenant.rows.borrow_mut() = rows;
}

fn held(store: &Store) -> BTreeMap<String, BTreeSet<String>> {
    store.cves()
}

fn expected(truth: &Truth) -> BTreeMap<String, BTreeSet<String>> {
    let names = |cves: &BTreeSet<u8>| cves.iter().map(|cve| name(*cve)).collect();
    truth
        .iter()
        .map(|(number, cves)| (id(*number), names(cves)))
        .collect()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(128))]

    #[test]
    fn while_things_go_wrong_nothing_is_closed_falsely_and_afterwards_the_store_is_the_tenant(
        rounds in vec((vec(change(), 0..12), trouble(), any::<bool>(), 0_usize..4), 1..6),
        last_is_full in any::<bool>(),
    ) {
        let tenant = Xql::new(Vec::new(), (0..30).map(|number| endpoint(number, 1)).collect());
        let outs = [Out::Inline, Out::Plain, Out::Gzip, Out::TwiceGzip];
        let mut truth: Truth = (0..30).map(|number| (number, BTreeSet::from([number as u8 % 6]))).collect();
        let mut store = Store::default();
        answer(&tenant, &truth, &Trouble::Nothing, Out::Gzip);
        store.sync(&tenant, &settings(), Mode::Full);
        for (changes, trouble, full, out) in rounds {
            for (number, cves) in changes {
                match cves {
                    Some(cves) => truth.insert(number, cves),
                    None => truth.remove(&number),
                };
            }
            let before = held(&store);
            answer(&tenant, &truth, &trouble, outs[out]);
            let mode = if full { Mode::Full } else { Mode::Incremental };
            store.sync(&tenant, &settings(), mode);
            let (now, real) = (held(&store), expected(&truth));
            for (key, cves) in &before {
                let Some(real) = real.get(key) else { continue };
                let lost: Vec<_> = cves
                    .intersection(real)
                    .filter(|cve| !now.get(key).is_some_and(|now| now.contains(*cve)))
                    .collect();
                prop_assert!(lost.is_empty(), "{key} lost {lost:?} with {trouble:?}");
            }
            if let Trouble::Nothing = trouble {
                for (key, real) in &real {
                    prop_assert_eq!(now.get(key), Some(real), "{}", key);
                }
            }
        }
        answer(&tenant, &truth, &Trouble::Nothing, Out::Gzip);
        let before = held(&store);
        store.sync(&tenant, &settings(), if last_is_full { Mode::Full } else { Mode::Incremental });
        let (mut now, real) = (held(&store), expected(&truth));
        // An endpoint that lost its rows lives on, and so does what is known of it.
        for (key, cves) in before.iter().filter(|(key, _)| !real.contains_key(*key)) {
            let kept = now.remove(key);
            prop_assert_eq!(kept.as_ref(), Some(cves), "{}", key);
        }
        prop_assert_eq!(now, real);
    }

    #[test]
    fn an_incremental_read_that_is_cut_after_any_steps_gives_what_a_whole_one_does(
        changes in vec(change(), 0..20),
        cuts in vec(1_usize..5, 1..8),
        out in 0_usize..4,
    ) {
        let tenant = Xql::new(Vec::new(), (0..30).map(|number| endpoint(number, 1)).collect());
        let mut truth: Truth = (0..25).map(|number| (number, BTreeSet::from([1, 2]))).collect();
        let mut store = Store::default();
        answer(&tenant, &truth, &Trouble::Nothing, Out::Gzip);
        store.sync(&tenant, &settings(), Mode::Full);
        for (number, cves) in changes {
            if let Some(cves) = cves {
                truth.insert(number, cves);
            }
        }
        answer(&tenant, &truth, &Trouble::Nothing, [Out::Inline, Out::Plain, Out::Gzip, Out::TwiceGzip][out]);
        tenant.pending.set(2);
        let mut whole = store.clone();
        let started = tenant.started.get();
        let platform = store.platform(&tenant);
        let mut gathered = All::default();
        let mut checkpoint = store.checkpoint.clone();
        let mut cuts = cuts.into_iter();
        'runs: loop {
            let reading = begin(&platform, &settings(), Mode::Incremental, checkpoint.clone()).unwrap();
            for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                match block_on(reading.next()).unwrap() {
                    Progress::Step(step) => {
                        checkpoint = Some(step.checkpoint.clone());
                        gathered.steps.push(step);
                    }
                    Progress::End(summary) => {
                        gathered.end = Some(summary);
                        break 'runs;
                    }
                }
            }
        }
        store.keep(&gathered, Mode::Incremental);
        prop_assert_eq!(tenant.started.get() - started, 1);
        prop_assert_eq!(gathered.end.as_ref().map(|end| end.read), Some(truth.len() as u64));
        whole.sync(&tenant, &settings(), Mode::Incremental);
        prop_assert_eq!(&store.open, &whole.open);
        prop_assert_eq!(store.cves(), expected(&truth));
    }
}
