//! The simulated tenant: its records, its indexes, and how they change.

pub mod alert;
pub mod cve;
pub mod endpoint;
pub mod handle;
pub mod history;
pub mod mix;
pub mod view;
pub mod words;

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use alert::{AlertRow, On};
use cve::Cve;
use endpoint::{CONNECTED, Changes, EndpointRow, Profile, UNINSTALLED};
use history::Past;
use mix::{Mix, Purpose};
use words::Words;

use crate::options::Options;

/// Everything the tenant holds. Rows are never moved: a removed one is marked dead, so that row numbers stay valid.
#[derive(Debug)]
pub struct Tenant {
    pub seed: u64,
    /// The moment, in epoch milliseconds, that generated data is relative to.
    pub epoch: i64,
    started: Instant,
    /// By how many milliseconds a test put time forward.
    pub ahead_ms: i64,
    heartbeat: bool,
    /// Counts changes: what was computed at another revision is stale.
    pub revision: u64,

    pub endpoint_statuses: Words,
    pub endpoints: Vec<EndpointRow>,
    endpoint_rows: HashMap<u128, u32>,
    /// Live endpoints by `first_seen`, then row.
    pub by_first_seen: Vec<(i64, u32)>,

    pub alert_sources: Words,
    pub alert_statuses: Words,
    pub alert_severities: Words,
    pub alerts: Vec<AlertRow>,
    alert_rows: HashMap<u64, u32>,
    /// Live alerts by `detection_timestamp`, then row.
    pub by_creation: Vec<(i64, u32)>,

    pub cves: Vec<Cve>,
    cve_rows: HashMap<String, u32>,
    generated_cves: u32,
    /// Scans that a test set.
    scans: HashMap<u32, Option<Vec<u32>>>,

    /// Whether the API key was revoked.
    pub revoked: bool,
    /// The API key that was put in the place of the first.
    pub replaced_key: Option<String>,
    /// Calls denied at run time.
    pub denied: BTreeSet<String>,
    /// What records were before they changed.
    pub past: Past,
}

impl Tenant {
    /// The tenant that `options` describe, with data relative to `epoch` (epoch milliseconds).
    pub fn generate(options: &Options, epoch: i64) -> Self {
        let count = |wanted: usize| u32::try_from(wanted).unwrap_or(u32::MAX);
        let (seed, endpoints, alerts) = (
            options.seed,
            count(options.endpoints),
            count(options.alerts),
        );
        let rows: Vec<EndpointRow> = (0..endpoints)
            .map(|serial| EndpointRow::generate(seed, serial, epoch))
            .collect();
        let alert_list: Vec<AlertRow> = (0..alerts)
            .map(|serial| AlertRow::generate(seed, serial, epoch, endpoints))
            .collect();
        let cves: Vec<Cve> = (0..count(options.cves))
            .map(|serial| Cve::generate(seed, serial, epoch, None))
            .collect();
        let mut by_first_seen: Vec<(i64, u32)> = rows
            .iter()
            .zip(0..)
            .map(|(row, at)| (row.first_seen, at))
            .collect();
        by_first_seen.sort_unstable();
        let mut by_creation: Vec<(i64, u32)> = alert_list
            .iter()
            .zip(0..)
            .map(|(row, at)| (row.created, at))
            .collect();
        by_creation.sort_unstable();
        Tenant {
            seed,
            epoch,
            started: Instant::now(),
            ahead_ms: 0,
            heartbeat: options.heartbeat,
            revision: 0,
            endpoint_statuses: Words::new(&endpoint::STATUSES),
            endpoint_rows: (0..endpoints)
                .map(|serial| (endpoint::endpoint_id(seed, serial), serial))
                .collect(),
            endpoints: rows,
            by_first_seen,
            alert_sources: Words::new(&alert::SOURCES.map(|(source, _, _)| source)),
            alert_statuses: Words::new(&alert::STATUSES.map(|(status, _)| status)),
            alert_severities: Words::new(&alert::SEVERITIES.map(|(severity, _)| severity)),
            alert_rows: alert_list.iter().map(|row| (row.id, row.serial)).collect(),
            alerts: alert_list,
            by_creation,
            cve_rows: cves
                .iter()
                .zip(0..)
                .map(|(cve, at)| (cve.name.to_string(), at))
                .collect(),
            generated_cves: count(cves.len()),
            cves,
            scans: HashMap::new(),
            revoked: false,
            replaced_key: None,
            denied: BTreeSet::new(),
            past: Past::default(),
        }
    }

    /// The tenant's idea of now, in epoch milliseconds: the epoch plus the time since the start, plus what a test put it forward.
    pub fn now(&self) -> i64 {
        let since = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        self.epoch
            .saturating_add(since)
            .saturating_add(self.ahead_ms)
    }

    /// Whether `last_seen` changes by itself, so that nothing about it may be kept.
    pub fn moves(&self) -> bool {
        self.heartbeat
    }

    /// When an endpoint was last seen: with the heartbeat on, connected ones report every five minutes.
    pub fn last_seen(&self, row: &EndpointRow) -> i64 {
        if !self.heartbeat || row.status != CONNECTED {
            return row.last_seen;
        }
        const BEAT: i64 = 300_000;
        let since = (self.now() - row.last_seen).max(0);
        row.last_seen + since / BEAT * BEAT
    }

    pub fn endpoint_row(&self, id: u128) -> Option<u32> {
        let row = *self.endpoint_rows.get(&id)?;
        self.endpoints
            .get(row as usize)
            .filter(|row| row.alive)
            .map(|_| row)
    }

    pub fn alert_row(&self, id: u64) -> Option<u32> {
        let row = *self.alert_rows.get(&id)?;
        self.alerts
            .get(row as usize)
            .filter(|row| row.alive)
            .map(|_| row)
    }

    /// What follows from the seed: of its own machine, or of that on which its agent was installed again.
    pub fn profile(&self, row: &EndpointRow) -> Profile {
        let machine = row.changes.as_ref().and_then(|changes| changes.machine);
        Profile {
            id: endpoint::endpoint_id(self.seed, row.serial),
            ..Profile::derive(self.seed, machine.unwrap_or(row.serial))
        }
    }

    /// The host name of an endpoint.
    pub fn endpoint_name(row: &EndpointRow, profile: &Profile) -> String {
        match row
            .changes
            .as_ref()
            .and_then(|changes| changes.name.clone())
        {
            Some(name) => name,
            None => profile.name(),
        }
    }

    /// The id of the endpoint that an alert is on.
    pub fn alert_endpoint(&self, alert: &AlertRow) -> Option<u128> {
        match alert.on {
            On::Nothing => None,
            On::Ghost => Some(alert::ghost_id(self.seed, alert.serial)),
            On::Row(row) => self
                .endpoints
                .get(row as usize)
                .map(|row| endpoint::endpoint_id(self.seed, row.serial)),
        }
    }

    /// What the scan of an endpoint found, as rows of [`Tenant::cves`]; `None`: not in `va_endpoints`.
    pub fn scan(&self, row: u32) -> Option<Vec<u32>> {
        if let Some(set) = self.scans.get(&row) {
            return set.clone();
        }
        let endpoint = self.endpoints.get(row as usize)?;
        if endpoint.status == UNINSTALLED {
            return None;
        }
        let os = self.profile(endpoint).os;
        cve::scanned(self.seed, endpoint.serial, os, self.generated_cves)
    }

    /// The names of CVEs given as rows of [`Tenant::cves`].
    pub fn cve_names(&self, rows: &[u32]) -> Vec<String> {
        let name = |row: &u32| self.cves.get(*row as usize).map(|cve| cve.name.to_string());
        rows.iter().filter_map(name).collect()
    }

    /// Sets what a scan found; unknown names become new CVEs.
    pub fn set_scan(&mut self, row: u32, names: Option<Vec<String>>) {
        let found = names.map(|names| {
            let mut rows: Vec<u32> = names.iter().map(|name| self.cve_row(name)).collect();
            rows.sort_unstable();
            rows.dedup();
            rows
        });
        let before = self.before_endpoint(row);
        self.scans.insert(row, found);
        self.revision += 1;
        if let Some(before) = before {
            self.after_endpoint(row, before);
        }
    }

    fn cve_row(&mut self, name: &str) -> u32 {
        if let Some(known) = self.cve_rows.get(name) {
            return *known;
        }
        let at = u32::try_from(self.cves.len()).unwrap_or(u32::MAX);
        self.cves
            .push(Cve::generate(self.seed, at, self.epoch, Some(name)));
        self.cve_rows.insert(name.to_owned(), at);
        at
    }

    /// Adds an endpoint and returns its row.
    pub fn add_endpoint(
        &mut self,
        status: &str,
        first_seen: i64,
        last_seen: i64,
        changes: Changes,
    ) -> u32 {
        let serial = u32::try_from(self.endpoints.len()).unwrap_or(u32::MAX);
        let status = self.endpoint_statuses.intern(status);
        let changes = Some(Box::new(changes));
        self.endpoints.push(EndpointRow {
            serial,
            status,
            alive: true,
            first_seen,
            last_seen,
            changes,
        });
        self.endpoint_rows
            .insert(endpoint::endpoint_id(self.seed, serial), serial);
        insert(&mut self.by_first_seen, (first_seen, serial));
        self.revision += 1;
        serial
    }

    pub fn remove_endpoint(&mut self, row: u32) {
        if let Some(endpoint) = self.endpoints.get_mut(row as usize) {
            endpoint.alive = false;
            remove(&mut self.by_first_seen, (endpoint.first_seen, row));
            self.revision += 1;
        }
    }

    /// Adds an alert and returns its id. The words must come from this tenant's lists.
    pub fn add_alert(&mut self, mut alert: AlertRow) -> u64 {
        let row = u32::try_from(self.alerts.len()).unwrap_or(u32::MAX);
        alert.serial = row;
        alert.id = alert::alert_id(row);
        insert(&mut self.by_creation, (alert.created, row));
        self.alert_rows.insert(alert.id, row);
        self.revision += 1;
        let id = alert.id;
        self.alerts.push(alert);
        id
    }

    pub fn remove_alert(&mut self, row: u32) {
        if let Some(alert) = self.alerts.get_mut(row as usize) {
            alert.alive = false;
            remove(&mut self.by_creation, (alert.created, row));
            self.revision += 1;
        }
    }
}

fn insert(index: &mut Vec<(i64, u32)>, entry: (i64, u32)) {
    let at = index.partition_point(|known| *known < entry);
    index.insert(at, entry);
}

fn remove(index: &mut Vec<(i64, u32)>, entry: (i64, u32)) {
    if let Ok(at) = index.binary_search(&entry) {
        index.remove(at);
    }
}

/// The id and the secret of the API key that belong to a seed. The words say that it is not a real one.
pub fn api_key(seed: u64) -> (String, String) {
    let mut mix = Mix::new(seed, Purpose::Key, 0);
    let id = 1 + mix.below(900);
    (
        id.to_string(),
        format!("simulated-key-{:032x}{:032x}", mix.wide(), mix.wide()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        Tenant::generate(
            &Options {
                endpoints: 50,
                alerts: 50,
                ..Options::default()
            },
            1_750_000_000_000,
        )
    }

    #[test]
    fn what_is_added_and_removed_is_in_the_indexes_and_out_of_them() {
        let mut tenant = tenant();
        let row = tenant.add_endpoint("CONNECTED", 5, 6, Changes::default());
        assert_eq!(tenant.by_first_seen[0], (5, row));
        let id = endpoint::endpoint_id(tenant.seed, row);
        assert_eq!(tenant.endpoint_row(id), Some(row));
        tenant.remove_endpoint(row);
        assert_eq!(tenant.endpoint_row(id), None);
        assert_eq!(tenant.by_first_seen.len(), 50);
        assert!(tenant.by_first_seen.is_sorted());

        let first = tenant.by_creation[0].1;
        tenant.remove_alert(first);
        assert_eq!(tenant.by_creation.len(), 49);
        assert!(tenant.by_creation.iter().all(|(_, row)| *row != first));
    }

    #[test]
    fn a_scan_that_a_test_sets_replaces_the_generated_one_and_adds_unknown_cves() {
        let mut tenant = tenant();
        let known = tenant.cves.len();
        let first = tenant.cves[0].name.to_string();
        tenant.set_scan(3, Some(vec!["CVE-2099-1".into(), first.clone(), first]));
        assert_eq!(tenant.scan(3), Some(vec![0, known as u32]));
        assert_eq!(&*tenant.cves[known].name, "CVE-2099-1");
        tenant.set_scan(3, None);
        assert_eq!(tenant.scan(3), None);
    }

    #[test]
    fn the_key_follows_from_the_seed_and_names_itself() {
        assert_eq!(api_key(1), api_key(1));
        assert_ne!(api_key(1), api_key(2));
        let (_, key) = api_key(1);
        assert!(key.starts_with("simulated-key-") && key.len() == 14 + 64);
    }

    #[test]
    fn only_connected_endpoints_have_a_heartbeat() {
        let options = Options {
            endpoints: 200,
            heartbeat: true,
            ..Options::default()
        };
        let mut tenant = Tenant::generate(&options, 1_750_000_000_000);
        tenant.epoch += 3_600_000;
        for row in &tenant.endpoints {
            let moved = tenant.last_seen(row) - row.last_seen;
            assert_eq!(
                moved >= 3_300_000,
                row.status == CONNECTED,
                "moved by {moved}"
            );
        }
    }
}
