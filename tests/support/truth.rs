//! The simulated tenant as the truth: what a store should hold of it, and how it differs.
//!
//! Knows the tenant, the connection's configuration and the store, and nothing of how one came to the other, so that it judges
//! any sequence of runs. The tests of the binary take this file in by its path.

use cortex_xdr_simulator::{AlertView, EndpointView, TenantHandle};
use futures_util::TryStreamExt;
use host_runner::domain::DataStreamName;
use host_runner::model::Model;
use host_runner::store::sqlite::SqliteStore;
use host_runner::store::{
    Asset, AssetFilter, AssetState, Connection, Finding, FindingFilter, FindingState, Record,
    RecordQuery, RecordState, Severity, Store,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// More than any test's tenant holds.
const ALL: u32 = 1_000_000;

/// How a record, and what came of it, should stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// The tenant has it, and the configuration wants it: it must be held and open.
    Open,
    /// The tenant says that it is resolved: where it is held, it is closed.
    Resolved,
    /// The tenant has it, and the configuration leaves it out: where it is held, it is out of scope, and not closed for absence.
    OutOfScope,
    /// The tenant says nothing that decides: held as it was.
    Undecided,
}

/// A finding that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Due {
    /// The endpoint that it is on.
    on: Option<String>,
    /// How bad it is, where the tenant says so of the finding itself.
    severity: Option<Severity>,
}

/// What the tenant holds at one moment, seen through a connection's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    streams: BTreeSet<String>,
    onboard: bool,
    update: bool,
    /// By data stream and key.
    records: BTreeMap<(String, String), Stands>,
    /// Host names of the endpoints that the configuration wants.
    hosts: BTreeMap<String, String>,
    /// All endpoints that the tenant has.
    there: BTreeSet<String>,
    /// Findings that must be held and open, by data stream and key.
    due: BTreeMap<(String, String), Due>,
}

/// What the configuration wants.
struct Wanted {
    tags: BTreeSet<String>,
    endpoint_statuses: BTreeSet<String>,
    alert_sources: BTreeSet<String>,
    alert_statuses: BTreeSet<String>,
}

impl Wanted {
    fn of(config: &Value) -> Self {
        let texts = |name: &str| -> BTreeSet<String> {
            config[name]
                .as_array()
                .into_iter()
                .flatten()
                .map(|text| text.as_str().expect("a text").to_owned())
                .collect()
        };
        let status = |name: String| format!("STATUS_{}", open_status(&name));
        Self {
            tags: texts("tags"),
            endpoint_statuses: texts("endpointStatuses")
                .into_iter()
                .map(|status| status.to_ascii_uppercase())
                .collect(),
            alert_sources: texts("alertSources"),
            alert_statuses: texts("alertStatuses").into_iter().map(status).collect(),
        }
    }

    fn endpoint(&self, endpoint: &EndpointView) -> Stands {
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let tagged = tags.is_empty() || endpoint.has_any_tag(&tags);
        if tagged && self.endpoint_statuses.contains(&endpoint.status) {
            Stands::Open
        } else {
            Stands::OutOfScope
        }
    }

    fn alert(&self, alert: &AlertView) -> Stands {
        if !self.alert_sources.contains(&alert.source) {
            Stands::OutOfScope
        } else if self.alert_statuses.contains(&alert.status) {
            Stands::Open
        } else if alert.status.contains("RESOLVED") {
            Stands::Resolved
        } else if ["STATUS_010_NEW", "STATUS_020_UNDER_INVESTIGATION"]
            .contains(&alert.status.as_str())
        {
            Stands::OutOfScope
        } else {
            Stands::Undecided
        }
    }
}

/// An open status under its name in the configuration, as the API writes it.
fn open_status(name: &str) -> &'static str {
    match name {
        "New" => "010_NEW",
        "Under Investigation" => "020_UNDER_INVESTIGATION",
        other => panic!("\"{other}\" is no open status"),
    }
}

impl Truth {
    /// What the tenant holds now. Data streams that the connection does not read are left out.
    ///
    /// # Panics
    /// Where the configuration is none of the connector's.
    #[must_use]
    pub fn of(tenant: &TenantHandle, connection: &Connection) -> Self {
        let wanted = Wanted::of(&connection.config);
        let model = Model::by_name(&connection.target).expect("a model");
        let switches = model.switches(&connection.policy);
        let mut truth = Self {
            streams: connection
                .data_streams
                .iter()
                .map(ToString::to_string)
                .collect(),
            onboard: switches.auto_onboard_assets,
            update: switches.update_existing_assets,
            ..Self::default()
        };
        for endpoint in tenant.endpoints() {
            truth.there.insert(endpoint.id.clone());
            let stands = wanted.endpoint(&endpoint);
            if stands == Stands::Open {
                truth.hosts.insert(endpoint.id.clone(), endpoint.name);
            }
            truth.expect("endpoints", endpoint.id, stands);
        }
        for alert in tenant.alerts() {
            let stands = wanted.alert(&alert);
            if stands == Stands::Open && truth.reads("alerts") {
                let due = Due {
                    on: alert.endpoint_id,
                    severity: Some(Severity::from_facet(&alert.severity)),
                };
                truth.due.insert(key("alerts", &alert.id), due);
            }
            truth.expect("alerts", alert.id, stands);
        }
        for scan in tenant.vulnerabilities() {
            let open = truth.hosts.contains_key(&scan.endpoint_id);
            let stands = if open {
                Stands::Open
            } else {
                Stands::OutOfScope
            };
            for cve in scan.cves.iter().filter(|_| open) {
                let due = Due {
                    on: Some(scan.endpoint_id.clone()),
                    severity: None,
                };
                let finding = format!("{}|{cve}", scan.endpoint_id);
                if truth.reads("vulnerabilities") {
                    truth.due.insert(key("vulnerabilities", &finding), due);
                }
            }
            truth.expect("vulnerabilities", scan.endpoint_id, stands);
        }
        truth.expect_unscanned();
        truth
    }

    fn reads(&self, stream: &str) -> bool {
        self.streams.contains(stream)
    }

    /// An endpoint without a scan says nothing of what an earlier scan found.
    fn expect_unscanned(&mut self) {
        let unscanned: Vec<String> = self
            .there
            .iter()
            .filter(|id| !self.records.contains_key(&key("vulnerabilities", id)))
            .cloned()
            .collect();
        for id in unscanned {
            let stands = if self.hosts.contains_key(&id) {
                Stands::Undecided
            } else {
                Stands::OutOfScope
            };
            self.expect("vulnerabilities", id, stands);
        }
    }

    fn expect(&mut self, stream: &str, id: String, stands: Stands) {
        if self.reads(stream) {
            self.records.insert((stream.to_owned(), id), stands);
        }
    }

    /// How many records must be held and open.
    #[must_use]
    pub fn open_records(&self) -> usize {
        self.records
            .values()
            .filter(|stands| **stands == Stands::Open)
            .count()
    }

    /// Whether an endpoint gives an asset that is active.
    fn on_an_asset(&self, due: &Due) -> bool {
        self.onboard
            && self.reads("endpoints")
            && due
                .on
                .as_ref()
                .is_some_and(|endpoint| self.hosts.contains_key(endpoint))
    }

    /// How the store differs from the tenant: what is missing, doubled, and otherwise than it should be. Holds after a full sync of each
    /// data stream that was proven complete; nothing then is the whole proof: no loss, no duplicate, no false closing.
    pub async fn differences(&self, connection: &Connection, store: &SqliteStore) -> Vec<String> {
        let held = Held::read(connection, store).await;
        let mut told = held.doubled.clone();
        for (at, stands) in &self.records {
            let said = told_record(at);
            match (stands, held.records.get(at)) {
                (Stands::Open, None) => told.push(format!("{said} is missing")),
                (_, None) | (Stands::Undecided, _) => {}
                (Stands::Open, Some(record)) if record.state != RecordState::Open => {
                    told.push(format!(
                        "{said} is {:?}, and the tenant has it open",
                        record
                    ));
                }
                (Stands::Resolved | Stands::OutOfScope, Some(record))
                    if record.state == RecordState::Open =>
                {
                    told.push(format!("{said} is open, and should be {stands:?}"));
                }
                (Stands::OutOfScope, Some(record))
                    if record.state == RecordState::Closed && record.gone =>
                {
                    told.push(format!(
                        "{said} is closed as gone; the tenant has it, and the configuration leaves it out"
                    ));
                }
                _ => {}
            }
        }
        for (at, record) in &held.records {
            if record.state == RecordState::Open && !self.records.contains_key(at) {
                told.push(format!(
                    "{} is open, and the tenant does not have it",
                    told_record(at)
                ));
            }
        }
        self.assets(&held, &mut told);
        self.findings(&held, &mut told);
        told
    }

    fn assets(&self, held: &Held, told: &mut Vec<String>) {
        if !self.onboard || !self.reads("endpoints") {
            return;
        }
        for (id, host) in &self.hosts {
            match held.assets.get(id) {
                None => told.push(format!("the asset of endpoint {id} ({host}) is missing")),
                Some(asset) if asset.state != AssetState::Active => told.push(format!(
                    "the asset of endpoint {id} ({host}) is {:?}, and the tenant has the endpoint",
                    asset.state
                )),
                Some(asset) if self.update && asset.host_name.as_ref() != Some(host) => {
                    told.push(format!(
                        "the asset of endpoint {id} is named {:?}, the endpoint is named {host}",
                        asset.host_name
                    ));
                }
                Some(_) => {}
            }
        }
        for (id, asset) in &held.assets {
            if asset.state == AssetState::Active && !self.hosts.contains_key(id) {
                told.push(format!(
                    "the asset of endpoint {id} is active, and the endpoint is {}",
                    if self.there.contains(id) {
                        "left out by the configuration"
                    } else {
                        "not there"
                    }
                ));
            }
        }
    }

    fn findings(&self, held: &Held, told: &mut Vec<String>) {
        for (at, due) in &self.due {
            let said = told_finding(at);
            let on_an_asset = self.on_an_asset(due);
            let Some(finding) = held.findings.get(at) else {
                told.push(format!("{said} is missing"));
                continue;
            };
            if !on_an_asset {
                // Parked, or left with its asset: either way its record is there, which was looked at before.
                continue;
            }
            if finding.state != FindingState::Open {
                told.push(format!(
                    "{said} is {:?} ({:?}), and the tenant has it open",
                    finding.state, finding.evidence
                ));
            }
            let on = due
                .on
                .as_ref()
                .and_then(|endpoint| held.assets.get(endpoint));
            if finding.asset != on.map(|asset| asset.id) {
                told.push(format!(
                    "{said} is on asset {:?} and should be on {:?}",
                    finding.asset,
                    on.map(|asset| asset.id)
                ));
            }
            if let Some(severity) = due.severity
                && severity != finding.severity
            {
                told.push(format!(
                    "{said} is {}, the tenant says {severity}",
                    finding.severity
                ));
            }
        }
        for (at, finding) in &held.findings {
            if finding.state == FindingState::Open
                && !self.due.contains_key(at)
                && self.records.get(&key(&at.0, &finding.record)) != Some(&Stands::Undecided)
            {
                told.push(format!("{} is open, and should not be", told_finding(at)));
            }
        }
    }

    /// What the store holds closed or out of scope although the tenant had it open, and the configuration wanted it, at each of these moments:
    /// the first is the last moment at which the store was known to equal the tenant, the last is now. Holds at any time, whatever failed.
    pub async fn false_closings(
        moments: &[Self],
        connection: &Connection,
        store: &SqliteStore,
    ) -> Vec<String> {
        let held = Held::read(connection, store).await;
        let always = |holds: &dyn Fn(&Self) -> bool| moments.iter().all(holds);
        let mut told = Vec::new();
        for (at, record) in &held.records {
            if record.state != RecordState::Open
                && always(&|truth| truth.records.get(at) == Some(&Stands::Open))
            {
                told.push(format!("{} is {record:?}", told_record(at)));
            }
        }
        for (id, asset) in &held.assets {
            if asset.state != AssetState::Active && always(&|truth| truth.hosts.contains_key(id)) {
                told.push(format!("the asset of endpoint {id} is {:?}", asset.state));
            }
        }
        for (at, finding) in &held.findings {
            let stays = |truth: &Self| truth.due.get(at).is_some_and(|due| truth.on_an_asset(due));
            if finding.state != FindingState::Open && always(&stays) {
                told.push(format!(
                    "{} is {:?} ({:?})",
                    told_finding(at),
                    finding.state,
                    finding.evidence
                ));
            }
        }
        told
    }
}

/// A record as far as it is compared.
#[derive(Debug)]
struct HeldRecord {
    state: RecordState,
    /// Whether it closed because a full sync did not see it.
    gone: bool,
}

/// All that a store holds of a connection.
struct Held {
    records: BTreeMap<(String, String), HeldRecord>,
    /// By the endpoint's id.
    assets: BTreeMap<String, Asset>,
    findings: BTreeMap<(String, String), Finding>,
    doubled: Vec<String>,
}

impl Held {
    async fn read(connection: &Connection, store: &SqliteStore) -> Self {
        let mut held = Self {
            records: BTreeMap::new(),
            assets: BTreeMap::new(),
            findings: BTreeMap::new(),
            doubled: Vec::new(),
        };
        for stream in &connection.data_streams {
            for record in records(connection, store, stream).await {
                let at = key(stream.as_str(), &record.key);
                let gone = record
                    .evidence
                    .is_some_and(|evidence| evidence.closing == host_runner::store::Closing::Gone);
                let state = record.state;
                if held
                    .records
                    .insert(at.clone(), HeldRecord { state, gone })
                    .is_some()
                {
                    held.doubled
                        .push(format!("{} is there twice", told_record(&at)));
                }
            }
        }
        let filter = AssetFilter {
            connection: Some(connection.id),
            include_inactive: true,
            include_out_of_scope: true,
            ..AssetFilter::default()
        };
        let assets: Vec<Asset> = store.assets(&filter).try_collect().await.expect("assets");
        for asset in assets {
            let keys: BTreeSet<String> = asset.keys.iter().map(|(_, key)| key.clone()).collect();
            for key in keys {
                if held.assets.insert(key.clone(), asset.clone()).is_some() {
                    held.doubled.push(format!("endpoint {key} has two assets"));
                }
            }
        }
        let filter = FindingFilter {
            connection: Some(connection.id),
            include_closed: true,
            include_out_of_scope: true,
            include_parked: true,
            ..FindingFilter::default()
        };
        let findings: Vec<Finding> = store
            .findings(&filter)
            .try_collect()
            .await
            .expect("findings");
        for finding in findings {
            let at = key(finding.stream.as_str(), &finding.key);
            if held.findings.insert(at.clone(), finding).is_some() {
                held.doubled
                    .push(format!("{} is there twice", told_finding(&at)));
            }
        }
        held
    }
}

/// All source records of a data stream.
///
/// # Panics
/// Where the store fails.
pub async fn records(
    connection: &Connection,
    store: &SqliteStore,
    stream: &DataStreamName,
) -> Vec<Record> {
    let query = RecordQuery {
        connection: connection.id,
        stream: stream.clone(),
        key: None,
        after: None,
        limit: ALL,
    };
    store.records(&query).await.expect("records")
}

fn key(stream: &str, key: &str) -> (String, String) {
    (stream.to_owned(), key.to_owned())
}

fn told_record((stream, key): &(String, String)) -> String {
    format!("record {key} of {stream}")
}

fn told_finding((stream, key): &(String, String)) -> String {
    format!("finding {key} of {stream}")
}
