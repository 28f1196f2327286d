//! What a platform would hold after the steps of some syncs.

use super::*;
use crate::testing::FakePlatform;
use std::collections::BTreeMap;

/// A record that is held: its fingerprint and its open CVEs.
pub type Held = (String, BTreeSet<String>);

/// The platform's store, as far as the contract makes it.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Store {
    /// Open records by key.
    pub open: BTreeMap<String, Held>,
    /// Open records of the data stream `endpoints`.
    pub endpoints: BTreeSet<String>,
    /// The checkpoint at the end of the last sync.
    pub checkpoint: Option<Vec<u8>>,
}

impl Store {
    /// A platform in front of a tenant that holds this.
    pub fn platform(&self, tenant: &Rc<Xql>) -> FakePlatform {
        let platform = tenant.platform();
        for (key, (fingerprint, _)) in &self.open {
            platform.hold_as(STREAM.name(), key, 0, fingerprint);
        }
        for key in &self.endpoints {
            platform.hold("endpoints", key, 0);
        }
        platform
    }

    /// Reads to the end, and keeps what was read.
    pub fn sync(&mut self, tenant: &Rc<Xql>, settings: &Settings, mode: Mode) -> Synced {
        let platform = self.platform(tenant);
        let reading = begin(&platform, settings, mode, self.checkpoint.clone()).unwrap();
        let all = all(&reading).unwrap();
        self.keep(&all, mode);
        Synced { all, platform }
    }

    /// Keeps what a whole sync gave.
    pub fn keep(&mut self, all: &All, mode: Mode) {
        let mut seen = BTreeSet::new();
        for step in &all.steps {
            self.commit(step, &mut seen);
        }
        let end = all.end.as_ref().unwrap();
        let proven = matches!(&end.coverage, Coverage::Complete(slices) if slices.iter().all(|slice| slice.second_look));
        let keyless = all.quarantined().iter().any(Option::is_none);
        if mode == Mode::Full && proven && !keyless {
            self.open.retain(|key, _| seen.contains(key));
        }
        let told: u64 = all.steps.iter().map(records).sum();
        assert_eq!(end.read, told, "what is read adds up");
        self.checkpoint = Some(end.checkpoint.clone());
    }

    fn commit(&mut self, step: &Step, seen: &mut BTreeSet<String>) {
        for entry in &step.entries {
            assert!(seen.insert(entry.key.clone()), "handed over twice");
            let body: Value = serde_json::from_slice(&entry.body).unwrap();
            let cves = body["cves"].as_array().unwrap().iter();
            let mut names: BTreeSet<String> = cves
                .map(|cve| cve["name"].as_str().unwrap().to_owned())
                .collect();
            if let Some((fingerprint, held)) = self.open.get(&entry.key) {
                if *fingerprint == entry.fingerprint {
                    // The platform does not look into what did not change.
                    continue;
                }
                if entry.partial {
                    names.extend(held.iter().cloned());
                }
            }
            self.open
                .insert(entry.key.clone(), (entry.fingerprint.clone(), names));
        }
        for key in &step.confirmed {
            assert!(seen.insert(key.clone()), "handed over twice");
            assert!(self.open.contains_key(key), "{key} is not held");
        }
        for closure in &step.closures {
            assert!(seen.insert(closure.key.clone()), "handed over twice");
            assert!(matches!(closure.closing, Closing::OutOfScope(_)));
            self.open.remove(&closure.key);
        }
    }

    /// The CVEs that are held open, by endpoint.
    pub fn cves(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.open
            .iter()
            .map(|(key, (_, names))| (key.clone(), names.clone()))
            .collect()
    }
}

fn records(step: &Step) -> u64 {
    let skipped: u64 = step.skipped.iter().map(|(_, count)| count).sum();
    let keyed = step.entries.len() + step.closures.len() + step.confirmed.len();
    (keyed + step.quarantine.len()) as u64 + skipped
}

/// A sync that came to its end.
pub struct Synced {
    pub all: All,
    pub platform: FakePlatform,
}

impl Synced {
    pub fn confirmed(&self) -> Vec<String> {
        let steps = self.all.steps.iter();
        steps.flat_map(|step| step.confirmed.clone()).collect()
    }

    /// Keys of entries, and whether they are partial.
    pub fn entries(&self) -> Vec<(String, bool)> {
        let steps = self.all.steps.iter();
        steps
            .flat_map(|step| &step.entries)
            .map(|entry| (entry.key.clone(), entry.partial))
            .collect()
    }

    pub fn skipped(&self) -> Vec<(String, u64)> {
        let steps = self.all.steps.iter();
        steps.flat_map(|step| step.skipped.clone()).collect()
    }

    /// The ids of each look-up.
    pub fn looked_up(&self) -> Vec<Vec<String>> {
        self.platform
            .requests()
            .iter()
            .filter(|request| request.call == Call::GetEndpoint)
            .map(|request| {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let ids = body["request_data"]["filters"][0]["value"].as_array();
                let ids = ids.unwrap().iter();
                ids.map(|id| id.as_str().unwrap().to_owned()).collect()
            })
            .collect()
    }
}

/// Begins a read in either mode.
pub fn begin(
    platform: &FakePlatform,
    settings: &Settings,
    mode: Mode,
    checkpoint: Option<Vec<u8>>,
) -> Result<Reading<FakePlatform>, Fault> {
    let request = SyncRequest {
        config: Vec::new(),
        data_stream: STREAM.name().to_owned(),
        mode,
        checkpoint,
    };
    block_on(crate::sync::read(platform.clone(), settings, &request))
}

/// The id of an endpoint of these tests.
pub fn id(number: usize) -> String {
    format!("e{number:05}")
}

/// A tenant, and a store that holds all of it after a full sync.
pub fn synced(cves: &[usize]) -> (Rc<Xql>, Store) {
    let tenant = tenant(cves);
    let mut store = Store::default();
    store.sync(&tenant, &settings(), Mode::Full);
    assert_eq!(store.open.len(), cves.len());
    (tenant, store)
}

/// Gives an endpoint these rows instead of those that it has.
pub fn change(tenant: &Rc<Xql>, number: usize, new: Vec<Value>) {
    let mut rows = tenant.rows.borrow_mut();
    rows.retain(|row| row["endpoint_id"] != json!(id(number)));
    rows.extend(new);
    rows.sort_by_key(|row| row["endpoint_id"].as_str().unwrap().to_owned());
}
