//! All that a store holds, as far as it follows from the tenant: no time of our own and no number of ours is in it.

use super::victim::Held;
use crate::truth;
use futures_util::TryStreamExt;
use host_runner::domain::{Ledger, Mode, RunState, SyncId, Timestamp};
use host_runner::store::{
    Asset, AssetFilter, Closing, Evidence, Finding, FindingFilter, QuarantineFilter, Run,
    RunFilter, Store,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is held.
#[derive(Debug, Default)]
pub struct State {
    /// What, and how it stands.
    things: BTreeMap<String, Value>,
    /// Assets and findings in the order in which they came.
    order: Vec<String>,
    /// The oldest first.
    pub runs: Vec<Run>,
}

impl State {
    pub async fn of(held: &Held) -> Self {
        let (store, connection) = (&held.store, &held.connection);
        let mut state = Self::default();
        for stream in &connection.data_streams {
            for record in truth::records(connection, store, stream).await {
                let stands = json!([
                    record.fingerprint,
                    format!("{:?}", record.state),
                    record.parked,
                    record.evidence.map(|evidence| evidence.closing),
                    String::from_utf8(record.body).unwrap(),
                ]);
                state.add(format!("record {} of {stream}", record.key), stands);
            }
        }
        let filter = AssetFilter {
            include_inactive: true,
            include_out_of_scope: true,
            ..AssetFilter::default()
        };
        let assets: Vec<Asset> = store.assets(&filter).try_collect().await.unwrap();
        let names: BTreeMap<i64, String> = assets
            .iter()
            .map(|asset| (asset.id, format!("asset {}", asset.keys[0].1)))
            .collect();
        for asset in assets {
            let times = [
                Some(asset.first_seen),
                Some(asset.last_seen),
                asset.closed_at,
            ];
            let stands = json!([
                format!("{:?}", asset.state),
                asset.onboarding_source,
                asset.facets,
                timeless(asset.body, &times),
            ]);
            let name = names[&asset.id].clone();
            state.order.push(name.clone());
            state.add(name, stands);
        }
        let filter = FindingFilter {
            include_closed: true,
            include_out_of_scope: true,
            include_parked: true,
            ..FindingFilter::default()
        };
        let findings: Vec<Finding> = store.findings(&filter).try_collect().await.unwrap();
        for finding in findings {
            let times = [
                Some(finding.first_seen),
                Some(finding.last_seen),
                finding.closed_at,
                finding.reopened_at,
            ];
            let stands = json!([
                finding.record,
                finding.state,
                finding.severity,
                finding.facets,
                finding.asset.map(|asset| &names[&asset]),
                finding.closed_at.is_some(),
                finding.reopened_at.is_some(),
                finding.evidence.map(told),
                timeless(finding.body, &times),
            ]);
            let name = format!("finding {} of {}", finding.key, finding.stream);
            state.order.push(name.clone());
            state.add(name, stands);
        }
        let filter = QuarantineFilter::default();
        let quarantined: Vec<_> = store.quarantine(&filter).try_collect().await.unwrap();
        for kept in quarantined {
            let stands = Value::from(String::from_utf8_lossy(&kept.raw).into_owned());
            state.add(format!("quarantined {:?}", kept.key), stands);
        }
        let filter = RunFilter::default();
        state.runs = store.runs(&filter).await.unwrap();
        state.runs.reverse();
        state
    }

    fn add(&mut self, what: String, stands: Value) {
        let before = self.things.insert(what.clone(), stands);
        assert_eq!(before, None, "{what} is there twice");
    }

    /// How this state differs from what it should be.
    pub fn differences(&self, should_be: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for (what, stands) in &should_be.things {
            match self.things.get(what) {
                None => told.push(format!("{what} is missing")),
                Some(other) if other != stands => {
                    told.push(format!("{what} is {other}, and should be {stands}"));
                }
                Some(_) => {}
            }
        }
        let more = self
            .things
            .keys()
            .filter(|what| !should_be.things.contains_key(*what));
        told.extend(more.map(|what| format!("{what} should not be there")));
        if told.is_empty() && self.order != should_be.order {
            told.push("assets or findings came in another order".to_owned());
        }
        told
    }

    /// What the runs of each sync read together, by data stream and in order. Runs that came to no sync have read nothing.
    pub fn accounts(&self) -> BTreeMap<(String, SyncId), Ledger> {
        let mut accounts: BTreeMap<(String, SyncId), Ledger> = BTreeMap::new();
        for run in &self.runs {
            match run.sync {
                Some(sync) => {
                    *accounts.entry((run.stream.to_string(), sync)).or_default() += &run.ledger
                }
                // What is made anew is no sync's doing.
                None if run.mode == Mode::Remake => {}
                None => assert_eq!(run.ledger, Ledger::default(), "{run:?}"),
            }
        }
        accounts
    }

    /// Fails the test unless each run has an end, and each that was killed is told as that. Called where nothing is under way.
    pub fn expect_told_runs(&self) {
        for run in &self.runs {
            match (run.state, &run.fault) {
                (RunState::Processed, None) => {}
                (RunState::Failed, Some(fault)) if fault["cause"] == "interrupted" => {}
                _ => panic!("{run:?}"),
            }
            assert!(run.ended_at.is_some(), "{run:?}");
        }
        for (sync, account) in self.accounts() {
            assert!(account.adds_up(), "{sync:?}: {account:?}");
        }
    }
}

/// Why something closed. Of what was not seen, and of what did not come back, the word tells how the read went, which is ours.
fn told(evidence: Evidence) -> Value {
    match evidence.closing {
        Closing::Gone | Closing::Deleted => json!([evidence.closing]),
        _ => json!([evidence.closing, evidence.word]),
    }
}

/// A document without the times that are ours.
fn timeless(mut document: Value, times: &[Option<Timestamp>]) -> Value {
    match &mut document {
        Value::String(text) => {
            let ours = times
                .iter()
                .flatten()
                .any(|time| time.to_rfc3339() == *text);
            if ours {
                *text = "a time".to_owned();
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = timeless(item.take(), times);
            }
        }
        Value::Object(fields) => {
            for (_, field) in fields.iter_mut() {
                *field = timeless(field.take(), times);
            }
        }
        _ => {}
    }
    document
}
