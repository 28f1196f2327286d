//! Whether each closing in the store has a truth behind it: something that the tenant was since the store last equalled it.

use cortex_xdr_simulator::{AlertState, EndpointState, History};
use cross_crate_tests::Rig;
use cross_crate_tests::truth::records;
use futures_util::TryStreamExt;
use host_runner::domain::Timestamp;
use host_runner::store::{
    AssetFilter, AssetState, Closing, Evidence, Finding, FindingFilter, FindingState, RecordState,
    RunFilter, Store,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// When the store was last known to equal the tenant.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// How far the tenant's history had come.
    history: History,
    /// The last run until then.
    run: i64,
    /// The time.
    at: Option<Timestamp>,
}

impl Since {
    /// Now.
    pub async fn now(rig: &Rig) -> Self {
        let filter = RunFilter {
            limit: Some(1),
            ..RunFilter::default()
        };
        let runs = rig.store.runs(&filter).await.unwrap();
        Self {
            history: rig.simulator.tenant().history(),
            run: runs.first().map_or(0, |run| run.id.0),
            at: Some(rig.desk.clock.now()),
        }
    }

    /// Whether it was closed later.
    fn is_before(&self, evidence: &Evidence) -> bool {
        evidence.run.is_none_or(|run| run.0 > self.run)
    }
}

/// What may have happened.
struct Truth {
    since: History,
    now: History,
    tags: Vec<String>,
    statuses: Vec<String>,
    open: Vec<String>,
}

impl Truth {
    fn of(rig: &Rig, since: &Since) -> Self {
        let config = &rig.connection.config;
        let texts = |name: &str| -> Vec<String> {
            let list = config[name].as_array().into_iter().flatten();
            list.map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let upper = |text: String| text.to_ascii_uppercase();
        Self {
            since: since.history.clone(),
            now: rig.simulator.tenant().history(),
            tags: texts("tags"),
            statuses: texts("endpointStatuses").into_iter().map(upper).collect(),
            open: texts("alertStatuses")
                .into_iter()
                .map(|name| upper(name).replace(' ', "_"))
                .collect(),
        }
    }

    /// The states that an endpoint was in since then, the one that it had then among them.
    fn endpoint(&self, id: &str) -> &[EndpointState] {
        later(self.now.endpoints.get(id), self.since.endpoints.get(id))
    }

    fn alert(&self, id: &str) -> &[AlertState] {
        later(self.now.alerts.get(id), self.since.alerts.get(id))
    }

    fn endpoint_left_out(&self, id: &str) -> bool {
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        self.endpoint(id).iter().any(|state| {
            !self.statuses.contains(&state.status) || !(tags.is_empty() || state.has_any_tag(&tags))
        })
    }

    fn endpoint_deleted(&self, id: &str) -> bool {
        self.now.endpoints_deleted.contains(id)
    }

    fn alert_closed(&self, id: &str, closing: &Closing) -> bool {
        match closing {
            Closing::Resolved => self.alert(id).iter().any(AlertState::is_resolved),
            Closing::OutOfScope(_) => self.alert(id).iter().any(|state| {
                !state.is_resolved() && !self.open.iter().any(|open| state.status.ends_with(open))
            }),
            _ => self.now.alerts_deleted.contains(id),
        }
    }

    fn cve_gone(&self, endpoint: &str, cve: &str) -> bool {
        self.now.cve_was_removed(endpoint, cve) || self.endpoint_deleted(endpoint)
    }

    fn record(&self, stream: &str, key: &str, closing: &Closing) -> bool {
        match (stream, closing) {
            ("alerts", closing) => self.alert_closed(key, closing),
            (_, Closing::OutOfScope(_)) => self.endpoint_left_out(key),
            (_, _) => self.endpoint_deleted(key),
        }
    }

    fn finding(&self, finding: &Finding, closing: &Closing) -> bool {
        // What happens to an asset happens to its findings.
        let with_its_asset =
            finding
                .asset_key
                .as_deref()
                .is_some_and(|id| match (finding.state, closing) {
                    (FindingState::OutOfScope, Closing::AssetGone | Closing::OutOfScope(_)) => {
                        self.endpoint_left_out(id)
                    }
                    (_, Closing::AssetGone) => self.endpoint_deleted(id),
                    _ => false,
                });
        with_its_asset
            || match (finding.stream.as_str(), closing) {
                ("alerts", closing) => self.alert_closed(&finding.key, closing),
                (_, Closing::OutOfScope(_)) => false,
                _ => finding
                    .key
                    .split_once('|')
                    .is_some_and(|(endpoint, cve)| self.cve_gone(endpoint, cve)),
            }
    }
}

fn later<'a, T>(now: Option<&'a Vec<T>>, since: Option<&Vec<T>>) -> &'a [T] {
    let from = since.map_or(0, |states| states.len().saturating_sub(1));
    now.and_then(|states| states.get(from..))
        .unwrap_or_default()
}

/// Tells each record, asset and finding that is closed or out of scope without a truth behind it.
pub async fn false_ones(rig: &Rig, since: &Since) -> Vec<String> {
    let truth = Truth::of(rig, since);
    let mut told = Vec::new();
    for stream in &rig.connection.data_streams {
        for record in records(&rig.connection, &rig.store, stream).await {
            if record.state == RecordState::Open {
                continue;
            }
            let holds = |evidence: &Evidence| {
                !since.is_before(evidence)
                    || truth.record(stream.as_str(), &record.key, &evidence.closing)
            };
            if !record.evidence.as_ref().is_some_and(holds) {
                let (key, evidence) = (&record.key, &record.evidence);
                told.push(format!(
                    "record {key} of {stream} is {:?}: {evidence:?}",
                    record.state
                ));
            }
        }
    }
    assets(rig, &truth, since, &mut told).await;
    findings(rig, &truth, since, &mut told).await;
    told
}

async fn assets(rig: &Rig, truth: &Truth, since: &Since, told: &mut Vec<String>) {
    let filter = AssetFilter {
        include_inactive: true,
        include_out_of_scope: true,
        ..AssetFilter::default()
    };
    let assets: Vec<_> = rig.store.assets(&filter).try_collect().await.unwrap();
    for asset in assets {
        if asset.closed_at <= since.at {
            continue;
        }
        let ids: BTreeSet<&String> = asset.keys.iter().map(|(_, key)| key).collect();
        let possible = |id: &str| match asset.state {
            AssetState::Active => true,
            AssetState::Inactive => truth.endpoint_deleted(id),
            AssetState::OutOfScope => truth.endpoint_left_out(id),
        };
        if !ids.iter().all(|id| possible(id)) {
            told.push(format!("the asset of {ids:?} is {:?}", asset.state));
        }
    }
}

async fn findings(rig: &Rig, truth: &Truth, since: &Since, told: &mut Vec<String>) {
    let filter = FindingFilter {
        include_closed: true,
        include_out_of_scope: true,
        include_parked: true,
        ..FindingFilter::default()
    };
    let findings: Vec<_> = rig.store.findings(&filter).try_collect().await.unwrap();
    for finding in findings {
        if finding.state == FindingState::Open {
            continue;
        }
        let holds = |evidence: &Evidence| {
            !since.is_before(evidence) || truth.finding(&finding, &evidence.closing)
        };
        if !finding.evidence.as_ref().is_some_and(holds) {
            told.push(format!(
                "finding {} of {} is {:?}: {:?}",
                finding.key, finding.stream, finding.state, finding.evidence
            ));
        }
    }
}

/// What a configuration says, for whom a case is told.
pub fn shown(config: &Value) -> String {
    let keys = [
        "dataStreams",
        "tags",
        "alertSources",
        "alertStatuses",
        "endpointStatuses",
        "autoOnboardAssets",
        "updateExistingAssets",
    ];
    let shown = keys.map(|key| format!("{key}={}", config[key]));
    shown.join(" ")
}
