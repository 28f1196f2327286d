//! What the tenant was before: enough for a test to tell whether a record that was closed was ever closable.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Tenant;
use super::endpoint::EndpointRow;
use super::handle::format_endpoint_id;

/// What decides whether an endpoint is read: one of the states that it was in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointState {
    /// Its host name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// Its server tags.
    pub server_tags: Vec<String>,
    /// Its endpoint tags.
    pub endpoint_tags: Vec<String>,
}

impl EndpointState {
    /// Whether any of the tags is borne, exactly as written.
    pub fn has_any_tag(&self, tags: &[&str]) -> bool {
        let mut borne = self.server_tags.iter().chain(&self.endpoint_tags);
        borne.any(|tag| tags.contains(&tag.as_str()))
    }
}

/// What decides whether an alert is read and open: one of the states that it was in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertState {
    /// Display name of its source.
    pub source: String,
    /// Its resolution status.
    pub status: String,
    /// Its severity.
    pub severity: String,
}

impl AlertState {
    /// Whether its status is one of the resolved ones.
    pub fn is_resolved(&self) -> bool {
        self.status.contains("_RESOLVED")
    }
}

/// Everything that the tenant's records ever were, from the start on, deleted ones included.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The states of each endpoint by its id, oldest first; the last is what it is now, or was when it was deleted.
    pub endpoints: BTreeMap<String, Vec<EndpointState>>,
    /// The states of each alert by its id, oldest first; the last is what it is now, or was when it was deleted.
    pub alerts: BTreeMap<String, Vec<AlertState>>,
    /// Ids of endpoints that were deleted.
    pub endpoints_deleted: BTreeSet<String>,
    /// Ids of alerts that were deleted.
    pub alerts_deleted: BTreeSet<String>,
    /// Ids of alerts that were resolved at any time, be it from the start and be it until they were opened again.
    pub alerts_resolved: BTreeSet<String>,
    /// Pairs of an endpoint's id and a CVE that a scan found and a later one no longer, or whose endpoint left `va_endpoints` while it
    /// was still listed elsewhere. Pairs of a deleted endpoint are not among them for that.
    pub cves_removed: BTreeSet<(String, String)>,
}

impl History {
    /// Whether an endpoint was ever in a state of some kind.
    pub fn endpoint_was_ever(&self, id: &str, kind: impl Fn(&EndpointState) -> bool) -> bool {
        self.endpoints
            .get(id)
            .is_some_and(|states| states.iter().any(kind))
    }

    /// Whether an alert was ever in a state of some kind.
    pub fn alert_was_ever(&self, id: &str, kind: impl Fn(&AlertState) -> bool) -> bool {
        self.alerts
            .get(id)
            .is_some_and(|states| states.iter().any(kind))
    }

    /// Whether a CVE was ever removed from an endpoint.
    pub fn cve_was_removed(&self, endpoint_id: &str, cve: &str) -> bool {
        self.cves_removed
            .contains(&(endpoint_id.to_owned(), cve.to_owned()))
    }

    /// Puts together what changed and what is.
    pub(crate) fn of(tenant: &Tenant) -> Self {
        let past = &tenant.past;
        let mut history = History::default();
        for (row, at) in tenant.endpoints.iter().zip(0..) {
            let id = format_endpoint_id(tenant.profile(row).id);
            let mut states = past.endpoints.get(&at).cloned().unwrap_or_default();
            states.push(tenant.endpoint_state(row));
            if !row.alive {
                history.endpoints_deleted.insert(id.clone());
            }
            history.endpoints.insert(id, states);
        }
        for (row, at) in tenant.alerts.iter().zip(0..) {
            let id = row.id.to_string();
            let mut states = past.alerts.get(&at).cloned().unwrap_or_default();
            states.extend(tenant.alert_state(at));
            if !row.alive {
                history.alerts_deleted.insert(id.clone());
            }
            if states.iter().any(AlertState::is_resolved) {
                history.alerts_resolved.insert(id.clone());
            }
            history.alerts.insert(id, states);
        }
        history.cves_removed = past.cves_removed.clone();
        history
    }
}

/// What is kept while the tenant changes: the earlier states of what changed, by row.
#[derive(Debug, Default)]
pub struct Past {
    endpoints: HashMap<u32, Vec<EndpointState>>,
    alerts: HashMap<u32, Vec<AlertState>>,
    cves_removed: BTreeSet<(String, String)>,
}

/// What an endpoint was before a change.
#[derive(Debug)]
pub struct Before {
    state: EndpointState,
    cves: Option<Vec<u32>>,
}

impl Tenant {
    fn endpoint_state(&self, row: &EndpointRow) -> EndpointState {
        let profile = self.profile(row);
        let tags = row.tags(&profile);
        let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        EndpointState {
            name: Tenant::endpoint_name(row, &profile),
            status: self.endpoint_statuses.get(row.status).to_owned(),
            server_tags: owned(&tags.server),
            endpoint_tags: owned(&tags.endpoint),
        }
    }

    /// The state of the alert in a row, if there is one.
    pub fn alert_state(&self, row: u32) -> Option<AlertState> {
        let row = self.alerts.get(row as usize)?;
        Some(AlertState {
            source: self.alert_sources.get(row.source).to_owned(),
            status: self.alert_statuses.get(row.status).to_owned(),
            severity: self.alert_severities.get(row.severity).to_owned(),
        })
    }

    /// To be asked before an endpoint is changed.
    pub fn before_endpoint(&self, row: u32) -> Option<Before> {
        let endpoint = self.endpoints.get(row as usize)?;
        Some(Before {
            state: self.endpoint_state(endpoint),
            cves: self.scan(row),
        })
    }

    /// To be told after an endpoint was changed, with what it was before. A heartbeat is no change.
    pub fn after_endpoint(&mut self, row: u32, before: Before) {
        let Some(endpoint) = self.endpoints.get(row as usize) else {
            return;
        };
        let id = format_endpoint_id(self.profile(endpoint).id);
        let changed = self.endpoint_state(endpoint) != before.state;
        let cves = self.scan(row).unwrap_or_default();
        let mut gone = before.cves.unwrap_or_default();
        gone.retain(|cve| !cves.contains(cve));
        let gone = self.cve_names(&gone);
        if changed {
            self.past
                .endpoints
                .entry(row)
                .or_default()
                .push(before.state);
        }
        let pairs = gone.into_iter().map(|cve| (id.clone(), cve));
        self.past.cves_removed.extend(pairs);
    }

    /// To be told after an alert was changed, with what it was before.
    pub fn after_alert(&mut self, row: u32, before: AlertState) {
        if self.alert_state(row).as_ref() != Some(&before) {
            self.past.alerts.entry(row).or_default().push(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::tenant::handle::TenantHandle;
    use crate::tenant::view::{EndpointChange, NewAlert, NewEndpoint};
    use crate::xql::engine::XqlEngine;

    fn tenant() -> TenantHandle {
        let options = Options {
            endpoints: 5,
            alerts: 5,
            ..Options::default()
        };
        TenantHandle::new(
            Tenant::generate(&options, 1_750_000_000_000),
            XqlEngine::new(&options, 20_000),
        )
    }

    #[test]
    fn an_alert_that_was_resolved_stays_known_as_such_when_it_is_open_again() {
        let tenant = tenant();
        let (open, other) = (
            tenant.add_alert(NewAlert::default()),
            tenant.add_alert(NewAlert::default()),
        );
        tenant.resolve_alert(&open, "STATUS_080_RESOLVED_AUTO");
        tenant.resolve_alert(&open, "STATUS_010_NEW");
        tenant.remove_alert(&other);
        let history = tenant.history();
        assert!(
            history.alerts_resolved.contains(&open) && !history.alerts_resolved.contains(&other)
        );
        assert!(history.alerts_deleted.contains(&other) && !history.alerts_deleted.contains(&open));
        assert_eq!(history.alerts[&open].len(), 3);
        assert!(history.alert_was_ever(&open, |state| state.status == "STATUS_080_RESOLVED_AUTO"));
        let from_the_start = tenant.alerts();
        for alert in from_the_start {
            let resolved = alert.status.contains("_RESOLVED") || alert.id == open;
            assert_eq!(history.alerts_resolved.contains(&alert.id), resolved);
        }
    }

    #[test]
    fn a_tag_and_a_status_that_an_endpoint_once_had_are_known() {
        let tenant = tenant();
        let id = tenant.add_endpoint(NewEndpoint {
            server_tags: Some(vec!["pci".into()]),
            ..NewEndpoint::default()
        });
        let change = |tags: &[&str], status: &str| EndpointChange {
            server_tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
            status: Some(status.to_owned()),
            ..EndpointChange::default()
        };
        tenant.change_endpoint(&id, change(&[], "LOST"));
        tenant.change_endpoint(&id, change(&["pci"], "CONNECTED"));
        let heartbeat = EndpointChange {
            last_seen: Some(5),
            ..EndpointChange::default()
        };
        tenant.change_endpoint(&id, heartbeat);
        let history = tenant.history();
        assert_eq!(history.endpoints[&id].len(), 3, "a heartbeat is no change");
        assert!(history.endpoint_was_ever(&id, |state| !state.has_any_tag(&["pci"])));
        assert!(history.endpoint_was_ever(&id, |state| state.status == "LOST"));
        assert!(!history.endpoint_was_ever(&id, |state| state.status == "UNINSTALLED"));
        assert!(history.endpoints_deleted.is_empty());
        tenant.remove_endpoint(&id);
        assert!(tenant.history().endpoints_deleted.contains(&id));
    }

    #[test]
    fn cves_that_were_removed_are_known_also_when_the_agent_was_uninstalled() {
        let tenant = tenant();
        let id = tenant.add_endpoint(NewEndpoint::default());
        let set = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            tenant.set_cves(&id, Some(names));
        };
        set(&["CVE-2099-1", "CVE-2099-2"]);
        set(&["CVE-2099-2"]);
        set(&["CVE-2099-1", "CVE-2099-2"]);
        let history = tenant.history();
        assert!(history.cve_was_removed(&id, "CVE-2099-1"));
        assert!(!history.cve_was_removed(&id, "CVE-2099-2"));
        let scanned = tenant.vulnerabilities();
        let vulnerable = scanned
            .iter()
            .find(|row| !row.cves.is_empty() && row.endpoint_id != id);
        let vulnerable = vulnerable.expect("a tenant with a vulnerable endpoint");
        let uninstalled = EndpointChange {
            status: Some("UNINSTALLED".into()),
            ..EndpointChange::default()
        };
        tenant.change_endpoint(&vulnerable.endpoint_id, uninstalled);
        let history = tenant.history();
        for cve in &vulnerable.cves {
            assert!(history.cve_was_removed(&vulnerable.endpoint_id, cve));
        }
    }
}
