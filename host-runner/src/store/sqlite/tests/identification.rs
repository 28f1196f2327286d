//! Whose asset a document means where no link says so, what waits for one, and what is in doubt.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::support::*;
use crate::domain::Mode;
use crate::identification::{Key, Rules, Sources};
use crate::store::*;

const MAC: &str = "00:1b:44:11:3a:b7";

fn rules(text: &str) -> Rules {
    let rules = text.split_whitespace().map(|rule| rule.parse().unwrap());
    Rules::new(rules.collect()).unwrap()
}

fn said(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// An endpoint that says this of itself, beside its id.
fn machine(key: &str, fingerprint: &str, pairs: &[(&str, &str)]) -> Entry {
    let mut document = asset(key, json!({"from": key}));
    document.identity.extend(said(pairs));
    entry(key, fingerprint, vec![document])
}

/// An alert that names no endpoint.
fn stray(key: &str, pairs: &[(&str, &str)]) -> Entry {
    let mut document = finding(key, None, "high");
    document.identity = said(pairs);
    entry(key, "1", vec![document])
}

const SRV: &[(&str, &str)] = &[("host-name", "SRV-1"), ("domain", "corp.example.com")];
const SRV_TOO: &[(&str, &str)] = &[("host-name", "srv-1."), ("domain", "CORP.example.com")];

/// A full sync that onboards nothing, as a pipeline does it: what needs no transform is handed over as it is.
async fn without_onboarding(
    bench: &Bench,
    stream: &str,
    now: u64,
    entries: Vec<Entry>,
) -> crate::domain::Ledger {
    let mut sync = bench.begin(stream, Mode::Full, now).await;
    sync.switches = switches(true, false);
    let ledger = read(bench, &sync, entries).await;
    bench.end(&sync).await;
    ledger
}

async fn read(
    bench: &Bench,
    sync: &super::support::Sync,
    mut entries: Vec<Entry>,
) -> crate::domain::Ledger {
    let asked: Vec<(String, String)> = entries
        .iter()
        .map(|entry| (entry.key.clone(), entry.fingerprint.clone()))
        .collect();
    let asked: Vec<(&str, &str)> = asked
        .iter()
        .map(|(key, fingerprint)| (key.as_str(), fingerprint.as_str()))
        .collect();
    let standings = bench.stands(sync, &asked).await;
    for (entry, standing) in entries.iter_mut().zip(standings) {
        if !standing.needs_transform() {
            entry.outcome = Outcome::Unchanged;
        }
    }
    bench.put(sync, entries).await
}

#[tokio::test]
async fn an_asset_of_another_connection_is_known_again_by_name_and_domain() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let ledger =
        without_onboarding(&second, "endpoints", 20, vec![machine("x1", "1", SRV_TOO)]).await;
    assert_eq!((ledger.new, ledger.parked), (1, 0));
    let assets = first.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(
        assets[0].keys,
        [
            (first.connection, "e1".to_owned()),
            (second.connection, "x1".to_owned())
        ]
    );
    assert_eq!(assets[0].body, json!({"from": "x1"}));
    assert_eq!(assets[0].created_by, Some(first.connection));
}

#[tokio::test]
async fn a_document_without_all_fields_of_a_rule_is_not_known_by_it() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let host_alone = machine("x1", "1", &[("host-name", "srv-1")]);
    let workgroup = machine(
        "x2",
        "1",
        &[("host-name", "srv-1"), ("domain", "WORKGROUP")],
    );
    let ledger = without_onboarding(&second, "endpoints", 20, vec![host_alone, workgroup]).await;
    assert_eq!(ledger.parked, 2);
}

#[tokio::test]
async fn two_ids_of_a_connection_never_become_one_asset() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    // In one step: the first that comes gets it.
    let twins = vec![machine("x1", "1", SRV), machine("x2", "1", SRV)];
    let ledger = without_onboarding(&second, "endpoints", 20, twins).await;
    assert_eq!((ledger.new, ledger.parked), (1, 1));
    // And later, also where the id that has it is gone.
    let sync = second.begin("endpoints", Mode::Incremental, 30).await;
    second
        .close(&sync, vec![closure("x1", Closing::Deleted)])
        .await;
    second.end(&sync).await;
    let ledger = without_onboarding(&second, "endpoints", 40, vec![machine("x2", "2", SRV)]).await;
    assert_eq!(ledger.parked, 1);
    let assets = first.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(assets[0].keys.len(), 2);
}

#[tokio::test]
async fn a_rule_that_finds_several_matches_none_and_asks_no_lower_rule() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .store
        .set_identification(&rules("external-id host-name+domain mac"))
        .await
        .unwrap();
    let third = machine("e3", "1", &[("mac", MAC)]);
    let held = vec![machine("e1", "1", SRV), machine("e2", "1", SRV_TOO), third];
    first.full("endpoints", 10, held).await;
    let asking = [SRV, &[("mac", MAC)]].concat();
    let ledger =
        without_onboarding(&second, "endpoints", 20, vec![machine("x1", "1", &asking)]).await;
    assert_eq!(ledger.parked, 1);
    let listed = first.store.ambiguous(None, None).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].key.as_str(), listed[0].parked), ("x1", true));
    assert_eq!(listed[0].rule.to_string(), "host-name+domain");
    let names: Vec<_> = listed[0].candidates.iter().map(|asset| asset.id).collect();
    assert_eq!(names, [1, 2]);
    let doubts = |bench: &Bench| {
        let (store, connection) = (bench.store.clone(), bench.connection);
        async move { store.doubts(Some(connection)).await.unwrap().ambiguous }
    };
    assert_eq!((doubts(&first).await, doubts(&second).await), (0, 1));

    // One of them is called otherwise now: that leaves one, and what waited is tried again.
    let other = machine(
        "e2",
        "2",
        &[("host-name", "other"), ("domain", "corp.example.com")],
    );
    first
        .full(
            "endpoints",
            30,
            vec![
                machine("e1", "1", SRV),
                other,
                machine("e3", "1", &[("mac", MAC)]),
            ],
        )
        .await;
    assert!(first.store.ambiguous(None, None).await.unwrap().is_empty());
    let ledger =
        without_onboarding(&second, "endpoints", 40, vec![machine("x1", "1", &asking)]).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    let assets = first.assets().await;
    assert!(
        assets[0]
            .keys
            .contains(&(second.connection, "x1".to_owned()))
    );
}

#[tokio::test]
async fn an_ambiguous_match_that_is_onboarded_stays_listed_while_there_are_several() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full(
            "endpoints",
            10,
            vec![machine("e1", "1", SRV), machine("e2", "1", SRV)],
        )
        .await;
    second
        .full("endpoints", 20, vec![machine("x1", "1", SRV)])
        .await;
    second
        .full("endpoints", 30, vec![machine("x1", "2", SRV)])
        .await;
    assert_eq!(first.assets().await.len(), 3);
    let listed = first.store.ambiguous(None, None).await.unwrap();
    assert_eq!((listed.len(), listed[0].parked), (1, false));
    assert_eq!(listed[0].candidates.len(), 2);
    first
        .store
        .remove_connection(first.connection, Purge::Data)
        .await
        .unwrap();
    assert!(first.store.ambiguous(None, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_waits_is_not_made_anew_until_an_asset_comes_that_it_may_be() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let waiting = || vec![machine("x1", "1", SRV)];
    without_onboarding(&second, "endpoints", 10, waiting()).await;
    let sync = second.begin("endpoints", Mode::Incremental, 20).await;
    assert_eq!(
        second.stands(&sync, &[("x1", "1")]).await,
        [Standing::Unchanged]
    );
    second.end(&sync).await;
    without_onboarding(&second, "endpoints", 25, waiting()).await;

    first
        .full(
            "endpoints",
            30,
            vec![machine("e9", "1", &[("host-name", "other")])],
        )
        .await;
    let sync = second.begin("endpoints", Mode::Full, 35).await;
    assert_eq!(
        second.stands(&sync, &[("x1", "1")]).await,
        [Standing::Unchanged]
    );
    first
        .full("endpoints", 40, vec![machine("e1", "1", SRV)])
        .await;
    assert_eq!(
        second.stands(&sync, &[("x1", "1")]).await,
        [Standing::NeedsTransform]
    );
    let ledger = read(&second, &sync, waiting()).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert!(!second.record("endpoints", "x1").await.unwrap().parked);
}

#[tokio::test]
async fn an_alert_without_an_endpoint_attaches_by_the_rules_or_waits() {
    let bench = Bench::new().await;
    bench.store.set_identification(&rules("mac")).await.unwrap();
    bench
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let alerts = || vec![stray("a1", SRV_TOO), stray("a2", &[("host-name", "srv-1")])];
    let (ledger, _) = bench.full("alerts", 20, alerts()).await;
    assert_eq!((ledger.new, ledger.parked), (0, 2));
    // By name and domain, which the second does not have.
    bench
        .store
        .set_identification(&Rules::default())
        .await
        .unwrap();
    read_alerts(&bench, 30, alerts()).await;
    let findings = bench.findings().await;
    assert_eq!((findings[0].asset, findings[1].asset), (Some(1), None));
    assert_eq!(bench.assets().await.len(), 1);
}

#[tokio::test]
async fn an_alert_that_waits_attaches_when_its_asset_comes_by_another_connection() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    second.full("alerts", 10, vec![stray("a1", SRV)]).await;
    assert!(second.record("alerts", "a1").await.unwrap().parked);
    first
        .full("endpoints", 20, vec![machine("e1", "1", SRV)])
        .await;
    let (ledger, _) = (read_alerts(&second, 30, vec![stray("a1", SRV)]).await, ());
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert_eq!(second.findings().await[0].asset, Some(1));
    // Its asset is called otherwise: the alert stays where it is.
    first
        .full(
            "endpoints",
            40,
            vec![machine("e1", "2", &[("host-name", "new")])],
        )
        .await;
    let mut again = stray("a1", SRV);
    again.fingerprint = "2".to_owned();
    read_alerts(&second, 50, vec![again]).await;
    assert_eq!(second.findings().await[0].asset, Some(1));
}

async fn read_alerts(bench: &Bench, now: u64, entries: Vec<Entry>) -> crate::domain::Ledger {
    let sync = bench.begin("alerts", Mode::Full, now).await;
    let ledger = read(bench, &sync, entries).await;
    bench.end(&sync).await;
    ledger
}

#[tokio::test]
async fn an_alert_of_an_endpoint_that_is_not_read_attaches_to_what_it_says_of_it_until_the_link_says_more()
 {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let of_x1 = || {
        let mut document = finding("a1", Some("x1"), "high");
        document.identity = said(SRV);
        vec![entry("a1", "1", vec![document])]
    };
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    second.full("alerts", 20, of_x1()).await;
    assert_eq!(second.findings().await[0].asset, Some(1));
    // The endpoint itself turns out to be another asset.
    first
        .full(
            "endpoints",
            30,
            vec![
                machine("e1", "1", SRV),
                machine("e2", "1", &[("external-id", "x1")]),
            ],
        )
        .await;
    second
        .full("endpoints", 40, vec![machine("x1", "1", SRV)])
        .await;
    let linked = second.assets().await;
    let of_link = linked
        .iter()
        .find(|asset| asset.keys.contains(&(second.connection, "x1".to_owned())));
    let of_link = of_link.unwrap().id;
    assert_ne!(of_link, 1);
    read_alerts(&second, 50, of_x1()).await;
    assert_eq!(second.findings().await[0].asset, Some(of_link));
}

#[tokio::test]
async fn other_rules_make_all_keys_anew_and_try_what_waits_again() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let by_mac = |key: &str| machine(key, "1", &[("mac", MAC)]);
    first.full("endpoints", 10, vec![by_mac("e1")]).await;
    without_onboarding(&second, "endpoints", 20, vec![by_mac("x1")]).await;
    assert!(second.record("endpoints", "x1").await.unwrap().parked);

    let same = second
        .store
        .set_identification(&Rules::default())
        .await
        .unwrap();
    assert!(same.retried.is_empty());
    let changed = second
        .store
        .set_identification(&rules("mac external-id"))
        .await
        .unwrap();
    assert_eq!(changed.before, Rules::default());
    assert_eq!((changed.assets, changed.keys), (1, 2));
    assert_eq!(changed.retried.len(), 1);
    assert_eq!(
        (changed.retried[0].name.as_str(), changed.retried[0].records),
        ("second", 1)
    );
    assert_eq!(
        second.store.identification().await.unwrap(),
        rules("mac external-id")
    );

    let ledger = without_onboarding(&second, "endpoints", 30, vec![by_mac("x1")]).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert_eq!(first.assets().await[0].keys.len(), 2);
    expect_exact_keys(&first).await;
}

#[tokio::test]
async fn an_agent_that_was_installed_again_is_a_probable_duplicate() {
    let bench = Bench::new().await;
    let named = |key: &str, host: &str| machine(key, "1", &[("host-name", host), ("mac", MAC)]);
    bench
        .full(
            "endpoints",
            10,
            vec![named("e1", "srv-1"), named("e9", "srv-9")],
        )
        .await;
    assert!(bench.store.duplicates(None, None).await.unwrap().is_empty());
    let all = || {
        vec![
            named("e1", "srv-1"),
            named("e9", "srv-9"),
            named("e2", "SRV-1"),
        ]
    };
    bench.full("endpoints", 20, all()).await;
    let pairs = bench.store.duplicates(None, None).await.unwrap();
    assert_eq!(pairs.len(), 1);
    assert_eq!(
        (pairs[0].earlier.key.as_str(), pairs[0].later.key.as_str()),
        ("e1", "e2")
    );
    assert_eq!(pairs[0].later.asset.as_ref().map(|asset| asset.id), Some(3));
    assert_eq!(bench.store.doubts(None).await.unwrap().duplicates, 1);
    // The old id is proven gone: one is left.
    bench
        .full(
            "endpoints",
            30,
            vec![named("e9", "srv-9"), named("e2", "SRV-1")],
        )
        .await;
    assert!(bench.store.duplicates(None, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn both_ids_of_a_duplicate_may_come_in_one_step_and_be_called_alike_later() {
    let bench = Bench::new().await;
    let named = |key: &str, fingerprint: &str, host: &str| {
        machine(key, fingerprint, &[("host-name", host), ("mac", MAC)])
    };
    bench
        .full(
            "endpoints",
            10,
            vec![
                named("e1", "1", "a"),
                named("e2", "1", "a"),
                named("e3", "1", "b"),
            ],
        )
        .await;
    assert_eq!(bench.store.duplicates(None, None).await.unwrap().len(), 1);
    bench
        .full(
            "endpoints",
            20,
            vec![
                named("e1", "1", "a"),
                named("e2", "2", "b"),
                named("e3", "1", "b"),
            ],
        )
        .await;
    let pairs = bench.store.duplicates(None, None).await.unwrap();
    let keys: Vec<_> = pairs
        .iter()
        .map(|pair| BTreeSet::from([pair.earlier.key.as_str(), pair.later.key.as_str()]))
        .collect();
    assert_eq!(keys, [BTreeSet::from(["e2", "e3"])]);
}

#[tokio::test]
async fn a_value_that_more_than_a_hundred_assets_have_identifies_none() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let clones = (0..101)
        .map(|n| machine(&format!("e{n}"), "1", SRV))
        .collect();
    first.full("endpoints", 10, clones).await;
    let by_id = machine("x1", "1", &[&[("external-id", "e7")], SRV].concat());
    let ledger = without_onboarding(
        &second,
        "endpoints",
        20,
        vec![by_id, machine("x2", "1", SRV)],
    )
    .await;
    assert_eq!((ledger.new, ledger.parked), (1, 1));
    assert!(first.store.ambiguous(None, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_purged_connection_takes_its_word_with_it() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let third = first.beside("third").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let known = machine("x1", "1", &[SRV, &[("external-id", "e1")]].concat());
    second.full("endpoints", 20, vec![known]).await;
    without_onboarding(&third, "alerts", 25, vec![stray("a1", SRV)]).await;
    assert_eq!(first.assets().await.len(), 1);
    first
        .store
        .remove_connection(first.connection, Purge::Data)
        .await
        .unwrap();
    expect_exact_keys(&second).await;
    let assets = second.assets().await;
    assert_eq!((assets.len(), assets[0].state), (1, AssetState::Active));
    assert_eq!(third.findings().await[0].asset, Some(1));

    second
        .store
        .remove_connection(second.connection, Purge::Data)
        .await
        .unwrap();
    expect_exact_keys(&third).await;
    let assets = third.assets().await;
    assert_eq!((assets.len(), assets[0].state), (1, AssetState::Inactive));
}

#[tokio::test]
async fn findings_of_others_on_an_asset_that_is_purged_wait_again() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    second.full("alerts", 20, vec![stray("a1", SRV)]).await;
    first
        .store
        .remove_connection(first.connection, Purge::Data)
        .await
        .unwrap();
    assert!(second.assets().await.is_empty());
    assert!(second.record("alerts", "a1").await.unwrap().parked);
    let third = first.beside("third").await;
    third
        .full("endpoints", 30, vec![machine("y1", "1", SRV)])
        .await;
    let ledger = read_alerts(&second, 40, vec![stray("a1", SRV)]).await;
    assert_eq!(ledger.parked, 0);
    assert_eq!(
        second.findings().await[0].asset,
        Some(second.assets().await[0].id)
    );
}

/// The keys are those that follow from what the assets' sources say: no more, no less.
async fn expect_exact_keys(bench: &Bench) {
    let rules = bench.store.identification().await.unwrap();
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, identity FROM assets")
        .fetch_all(&bench.store.inner.readers)
        .await
        .unwrap();
    let follow: BTreeSet<(Key, i64)> = rows
        .iter()
        .flat_map(|(id, identity)| {
            let sources: Sources = serde_json::from_str(identity).unwrap();
            sources.keys(&rules).into_iter().map(|key| (key, *id))
        })
        .collect();
    let held: Vec<(i64, i64)> = sqlx::query_as("SELECT key, asset_id FROM asset_keys")
        .fetch_all(&bench.store.inner.readers)
        .await
        .unwrap();
    let held: BTreeSet<(Key, i64)> = held.into_iter().map(|(key, id)| (Key(key), id)).collect();
    assert_eq!(held, follow);
}

/// What a record says, in a random case.
#[derive(Debug, Clone)]
struct Said {
    connection: usize,
    alert: bool,
    key: u8,
    host: Option<u8>,
    mac: Option<u8>,
    of: Option<u8>,
}

#[derive(Debug, Clone)]
enum Act {
    Read { records: Vec<Said>, onboard: bool },
    Rules(usize),
    Close { connection: usize, key: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    let option = || proptest::option::weighted(0.8, 0..3_u8);
    let said = (
        0..2_usize,
        proptest::bool::weighted(0.3),
        0..4_u8,
        option(),
        option(),
        option(),
    )
        .prop_map(|(connection, alert, key, host, mac, of)| Said {
            connection,
            alert,
            key,
            host,
            mac,
            of,
        });
    prop_oneof![
        6 => (proptest::collection::vec(said, 1..4), any::<bool>()).prop_map(|(records, onboard)| Act::Read { records, onboard }),
        1 => (0..3_usize).prop_map(Act::Rules),
        1 => (0..2_usize, 0..4_u8).prop_map(|(connection, key)| Act::Close { connection, key }),
    ]
}

impl Said {
    fn entry(&self, fingerprint: &str) -> Entry {
        let mut pairs: Vec<(String, String)> = Vec::new();
        if let Some(host) = self.host {
            pairs.push(("host-name".to_owned(), format!("h{host}")));
            pairs.push(("domain".to_owned(), "corp.example.com".to_owned()));
        }
        if let Some(mac) = self.mac {
            pairs.push(("mac".to_owned(), format!("00:1b:44:11:3a:0{mac}")));
        }
        let key = format!("c{}-{}", self.connection, self.key);
        let mut document = if self.alert {
            let of = self.of.map(|of| format!("c{}-{of}", self.connection));
            finding(&key, of.as_deref(), "low")
        } else {
            asset(&key, json!({}))
        };
        document.identity = pairs;
        entry(&key, fingerprint, vec![document])
    }

    fn stream(&self) -> &'static str {
        if self.alert { "alerts" } else { "endpoints" }
    }
}

/// Which asset each link and each finding has.
async fn standing(bench: &Bench) -> BTreeMap<String, Option<i64>> {
    let links: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT 'link ' || record_id || ' ' || key, asset_id FROM links")
            .fetch_all(&bench.store.inner.readers)
            .await
            .unwrap();
    let findings = bench.findings().await;
    links
        .into_iter()
        .chain(
            findings
                .into_iter()
                .map(|finding| (format!("finding {}", finding.key), finding.asset)),
        )
        .collect()
}

/// Reads all that was said last again, as often as it takes for nothing to be due.
async fn read_all(
    benches: &[Bench],
    now: &mut u64,
    last: &BTreeMap<(usize, &'static str, u8), (Said, String)>,
    onboard: bool,
    made_with: &str,
) {
    for _ in 0..3 {
        for (at, bench) in benches.iter().enumerate() {
            for stream in ["endpoints", "alerts"] {
                *now += 10;
                let mut sync = bench.begin(stream, Mode::Incremental, *now).await;
                sync.switches = switches(true, onboard);
                sync.made_with = made_with.to_owned();
                let entries = last
                    .iter()
                    .filter(|((connection, of, _), _)| *connection == at && *of == stream)
                    .map(|(_, (said, fingerprint))| said.entry(fingerprint))
                    .collect();
                read(bench, &sync, entries).await;
                bench.end(&sync).await;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn ids_never_merge_keys_are_exact_and_what_waits_waits_for_good_reason(acts in proptest::collection::vec(act(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let first = Bench::new().await;
            let second = first.beside("second").await;
            let benches = [first, second];
            let mut now = 10;
            let mut last: BTreeMap<(usize, &'static str, u8), (Said, String)> = BTreeMap::new();
            let mut onboards = true;
            for act in acts {
                match act {
                    Act::Rules(which) => {
                        let text = ["external-id host-name+domain", "mac host-name+domain", "mac"][which];
                        benches[0].store.set_identification(&rules(text)).await.unwrap();
                    }
                    Act::Close { connection, key } => {
                        now += 10;
                        let bench = &benches[connection];
                        let sync = bench.begin("endpoints", Mode::Incremental, now).await;
                        bench.close(&sync, vec![closure(&format!("c{connection}-{key}"), Closing::Deleted)]).await;
                        bench.end(&sync).await;
                        last.remove(&(connection, "endpoints", key));
                    }
                    Act::Read { records, onboard } => {
                        onboards = onboard;
                        for said in records {
                            now += 10;
                            let bench = &benches[said.connection];
                            // Each reading is another: the same key may come twice in one act.
                            let fingerprint = now.to_string();
                            let mut sync = bench.begin(said.stream(), Mode::Incremental, now).await;
                            sync.switches = switches(true, onboard);
                            sync.made_with = format!("onboard {onboard}");
                            read(bench, &sync, vec![said.entry(&fingerprint)]).await;
                            bench.end(&sync).await;
                            last.insert((said.connection, said.stream(), said.key), (said, fingerprint));
                        }
                    }
                }
                for asset in benches[0].assets().await {
                    let connections: BTreeSet<_> = asset.keys.iter().map(|(connection, _)| connection.0).collect();
                    assert_eq!(connections.len(), asset.keys.len(), "{:?}", asset.keys);
                }
                expect_exact_keys(&benches[0]).await;
            }
            // What is not due would be no other if it were made anew: nothing was forgotten that should have been woken.
            let made_with = format!("onboard {onboards}");
            read_all(&benches, &mut now, &last, onboards, &made_with).await;
            let settled = standing(&benches[0]).await;
            read_all(&benches, &mut now, &last, onboards, "all anew").await;
            assert_eq!(standing(&benches[0]).await, settled);
        });
    }
}
