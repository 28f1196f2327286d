//! Whose asset a document means where no link says so, what waits for one, and what is in doubt.

mod duplicates;
mod matching;
mod older;
mod purging;
mod random;
mod waiting;

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

async fn read_alerts(bench: &Bench, now: u64, entries: Vec<Entry>) -> crate::domain::Ledger {
    let sync = bench.begin("alerts", Mode::Full, now).await;
    let ledger = read(bench, &sync, entries).await;
    bench.end(&sync).await;
    ledger
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
