//! The handle with which a test reads and changes the tenant while the simulator serves it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::alert::{AlertRow, On};
use super::endpoint::{Changes, EndpointRow};
use super::history::History;
use super::view::{
    AlertChange, AlertView, CveView, EndpointChange, EndpointView, NewAlert, NewEndpoint,
    VulnerabilityView,
};
use super::{Tenant, endpoint};
use crate::clock::{day, now_ms};
use crate::xql::engine::XqlEngine;

/// A handle to the tenant of a running simulator. Clones share the tenant; each call takes its lock once.
#[derive(Clone, Debug)]
pub struct TenantHandle {
    tenant: Arc<RwLock<Tenant>>,
    xql: Arc<Mutex<XqlEngine>>,
}

impl TenantHandle {
    pub(crate) fn new(tenant: Tenant, xql: XqlEngine) -> Self {
        TenantHandle {
            tenant: Arc::new(RwLock::new(tenant)),
            xql: Arc::new(Mutex::new(xql)),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tenant> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Tenant> {
        self.tenant.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn xql(&self) -> MutexGuard<'_, XqlEngine> {
        self.xql.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All endpoints, in no particular order.
    pub fn endpoints(&self) -> Vec<EndpointView> {
        let tenant = self.read();
        tenant
            .endpoints
            .iter()
            .filter(|row| row.alive)
            .map(|row| endpoint_view(&tenant, row))
            .collect()
    }

    /// One endpoint.
    pub fn endpoint(&self, id: &str) -> Option<EndpointView> {
        let tenant = self.read();
        let row = tenant.endpoint_row(parse_endpoint_id(id)?)?;
        tenant
            .endpoints
            .get(row as usize)
            .map(|row| endpoint_view(&tenant, row))
    }

    /// All alerts, in no particular order.
    pub fn alerts(&self) -> Vec<AlertView> {
        let tenant = self.read();
        tenant
            .alerts
            .iter()
            .filter(|row| row.alive)
            .map(|row| alert_view(&tenant, row))
            .collect()
    }

    /// One alert.
    pub fn alert(&self, id: &str) -> Option<AlertView> {
        let tenant = self.read();
        let row = tenant.alert_row(id.parse().ok()?)?;
        tenant
            .alerts
            .get(row as usize)
            .map(|row| alert_view(&tenant, row))
    }

    /// What `va_endpoints` holds: one row per endpoint that was ever scanned.
    pub fn vulnerabilities(&self) -> Vec<VulnerabilityView> {
        let tenant = self.read();
        let scanned = tenant
            .endpoints
            .iter()
            .zip(0..)
            .filter(|(row, _)| row.alive)
            .filter_map(|(row, at)| {
                Some(VulnerabilityView {
                    endpoint_id: format_endpoint_id(endpoint::endpoint_id(tenant.seed, row.serial)),
                    cves: tenant.cve_names(&tenant.scan(at)?),
                })
            });
        scanned.collect()
    }

    /// Names of the CVEs that the scan of an endpoint found; `None`: never scanned, or not there.
    pub fn endpoint_cves(&self, id: &str) -> Option<Vec<String>> {
        let tenant = self.read();
        let row = tenant.endpoint_row(parse_endpoint_id(id)?)?;
        Some(tenant.cve_names(&tenant.scan(row)?))
    }

    /// All CVEs that the tenant knows.
    pub fn cves(&self) -> Vec<CveView> {
        let tenant = self.read();
        let view = |cve: &super::cve::Cve| CveView {
            name: cve.name.to_string(),
            severity: cve.severity.to_owned(),
            severity_score: cve.score,
            description: cve.description.to_string(),
            publication_date: cve.published,
        };
        tenant.cves.iter().map(view).collect()
    }

    /// Adds an endpoint and returns its id.
    pub fn add_endpoint(&self, endpoint: NewEndpoint) -> String {
        let mut tenant = self.write();
        let now = tenant.now();
        let changes = Changes {
            name: endpoint.name,
            server_tags: endpoint.server_tags,
            endpoint_tags: endpoint.endpoint_tags,
            is_isolated: None,
            machine: None,
        };
        let status = endpoint.status.as_deref().unwrap_or("CONNECTED");
        let row = tenant.add_endpoint(
            status,
            endpoint.first_seen.unwrap_or(now),
            endpoint.last_seen.unwrap_or(now),
            changes,
        );
        format_endpoint_id(endpoint::endpoint_id(tenant.seed, row))
    }

    /// Installs the agent of an endpoint again: the same machine, with its name, addresses and tags, reports in under a new id, which is returned.
    /// The old one falls silent and stays. `None` where it is not there.
    pub fn reinstall_endpoint(&self, id: &str) -> Option<String> {
        let lost = EndpointChange {
            status: Some("LOST".to_owned()),
            ..EndpointChange::default()
        };
        if !self.change_endpoint(id, lost) {
            return None;
        }
        let mut tenant = self.write();
        let row = tenant.endpoint_row(parse_endpoint_id(id)?)?;
        let endpoint = tenant.endpoints.get(row as usize)?;
        let mut changes = endpoint.changes.as_deref().cloned().unwrap_or_default();
        changes.machine.get_or_insert(endpoint.serial);
        let now = tenant.now();
        let row = tenant.add_endpoint("CONNECTED", now, now, changes);
        Some(format_endpoint_id(endpoint::endpoint_id(tenant.seed, row)))
    }

    /// Removes an endpoint; whether it was there.
    pub fn remove_endpoint(&self, id: &str) -> bool {
        let mut tenant = self.write();
        let Some(row) = parse_endpoint_id(id).and_then(|id| tenant.endpoint_row(id)) else {
            return false;
        };
        tenant.remove_endpoint(row);
        true
    }

    /// Changes an endpoint; whether it was there.
    pub fn change_endpoint(&self, id: &str, change: EndpointChange) -> bool {
        let mut tenant = self.write();
        let Some(row) = parse_endpoint_id(id).and_then(|id| tenant.endpoint_row(id)) else {
            return false;
        };
        let status = change
            .status
            .as_deref()
            .map(|status| tenant.endpoint_statuses.intern(status));
        tenant.revision += 1;
        let (at, before) = (row, tenant.before_endpoint(row));
        let Some(row) = tenant.endpoints.get_mut(row as usize) else {
            return false;
        };
        row.status = status.unwrap_or(row.status);
        row.last_seen = change.last_seen.unwrap_or(row.last_seen);
        let changes = row.changes.get_or_insert_default();
        changes.name = change.name.or(changes.name.take());
        changes.server_tags = change.server_tags.or(changes.server_tags.take());
        changes.endpoint_tags = change.endpoint_tags.or(changes.endpoint_tags.take());
        changes.is_isolated = change.is_isolated.or(changes.is_isolated.take());
        if let Some(before) = before {
            tenant.after_endpoint(at, before);
        }
        true
    }

    /// Sets what a scan found on an endpoint, by CVE name (unknown names become new CVEs); `None`: never scanned. Whether the
    /// endpoint was there.
    pub fn set_cves(&self, endpoint_id: &str, cves: Option<Vec<String>>) -> bool {
        let mut tenant = self.write();
        let Some(row) = parse_endpoint_id(endpoint_id).and_then(|id| tenant.endpoint_row(id))
        else {
            return false;
        };
        tenant.set_scan(row, cves);
        true
    }

    /// Adds an alert and returns its id. An endpoint id that the tenant does not hold is taken for a deleted endpoint's,
    /// and another one is shown in its place.
    pub fn add_alert(&self, alert: NewAlert) -> String {
        let mut tenant = self.write();
        let now = tenant.now();
        let on = match alert.endpoint_id.as_deref() {
            None => On::Nothing,
            Some(id) => parse_endpoint_id(id)
                .and_then(|id| tenant.endpoint_row(id))
                .map_or(On::Ghost, On::Row),
        };
        let row = AlertRow {
            serial: 0,
            id: 0,
            alive: true,
            on,
            source: tenant
                .alert_sources
                .intern(alert.source.as_deref().unwrap_or("XDR BIOC")),
            status: tenant
                .alert_statuses
                .intern(alert.status.as_deref().unwrap_or("STATUS_010_NEW")),
            severity: tenant
                .alert_severities
                .intern(alert.severity.as_deref().unwrap_or("medium")),
            created: alert.creation_time.unwrap_or(now),
            inserted: alert.server_creation_time.unwrap_or(now),
            modified: 0,
        };
        tenant.add_alert(row).to_string()
    }

    /// Removes an alert; whether it was there.
    pub fn remove_alert(&self, id: &str) -> bool {
        let mut tenant = self.write();
        let Some(row) = id.parse().ok().and_then(|id| tenant.alert_row(id)) else {
            return false;
        };
        tenant.remove_alert(row);
        true
    }

    /// Changes an alert, whose `last_modified_ts` becomes now; whether it was there.
    pub fn change_alert(&self, id: &str, change: AlertChange) -> bool {
        let mut tenant = self.write();
        let Some(row) = id.parse().ok().and_then(|id| tenant.alert_row(id)) else {
            return false;
        };
        let now = tenant.now();
        let source = change
            .source
            .as_deref()
            .map(|source| tenant.alert_sources.intern(source));
        let status = change
            .status
            .as_deref()
            .map(|status| tenant.alert_statuses.intern(status));
        let severity = change
            .severity
            .as_deref()
            .map(|severity| tenant.alert_severities.intern(severity));
        tenant.revision += 1;
        let (at, before) = (row, tenant.alert_state(row));
        let Some(row) = tenant.alerts.get_mut(row as usize) else {
            return false;
        };
        row.source = source.unwrap_or(row.source);
        row.status = status.unwrap_or(row.status);
        row.severity = severity.unwrap_or(row.severity);
        row.modified = now;
        if let Some(before) = before {
            tenant.after_alert(at, before);
        }
        true
    }

    /// Gives an alert a resolution status, for example `STATUS_060_RESOLVED_FALSE_POSITIVE`; whether it was there.
    pub fn resolve_alert(&self, id: &str, status: &str) -> bool {
        self.change_alert(
            id,
            AlertChange {
                status: Some(status.to_owned()),
                ..AlertChange::default()
            },
        )
    }

    /// What the records ever were: whether an alert was ever resolved, an endpoint ever without its tag, a CVE ever removed.
    /// Goes over all records, so it is for tenants of a test's size.
    pub fn history(&self) -> History {
        History::of(&self.read())
    }

    /// Puts the tenant's time forward: the moment that new records are stamped with, heartbeats, the `Date` header, the age of
    /// signatures, and the day of the XQL quota. What was stamped before stays so, and is older now.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let mut tenant = self.write();
        tenant.ahead_ms = tenant.ahead_ms.saturating_add(by);
        tenant.revision += 1;
    }

    /// The day of the API's clock, counted from 1970-01-01.
    pub(crate) fn today(&self) -> i64 {
        day(now_ms().saturating_add(self.read().ahead_ms))
    }

    /// Makes the API key unknown: every request is answered with 401 until [`TenantHandle::restore_key`].
    pub fn revoke_key(&self) {
        self.write().revoked = true;
    }

    /// Makes a revoked key known again.
    pub fn restore_key(&self) {
        self.write().revoked = false;
    }

    /// Gives the tenant another API key of the same id and kind; the one before is refused from now on.
    pub fn replace_key(&self, key: &str) {
        self.write().replaced_key = Some(key.to_owned());
    }

    /// Takes the permission for a call, named as `endpoints/get_endpoint`, from the key: it answers 403.
    pub fn deny(&self, call: &str) {
        self.write().denied.insert(call.to_owned());
    }

    /// Gives a permission taken by [`TenantHandle::deny`] back.
    pub fn allow(&self, call: &str) {
        self.write().denied.remove(call);
    }

    /// XQL compute units used today.
    pub fn xql_used_quota(&self) -> f64 {
        self.xql().used()
    }

    /// Sets the XQL compute units used today.
    pub fn set_xql_used_quota(&self, used: f64) {
        self.xql().set_used(used);
    }

    /// XQL compute units that the licence grants per day.
    pub fn xql_licence_quota(&self) -> f64 {
        self.xql().granted()
    }
}

/// An endpoint's id as the API writes it.
pub(crate) fn format_endpoint_id(id: u128) -> String {
    format!("{id:032x}")
}

/// Reads an endpoint's id; `None` when it is not 32 lower-case hexadecimal digits.
pub(crate) fn parse_endpoint_id(id: &str) -> Option<u128> {
    let digits = id.len() == 32
        && id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits {
        u128::from_str_radix(id, 16).ok()
    } else {
        None
    }
}

fn endpoint_view(tenant: &Tenant, row: &EndpointRow) -> EndpointView {
    let profile = tenant.profile(row);
    let tags = row.tags(&profile);
    EndpointView {
        id: format_endpoint_id(profile.id),
        name: Tenant::endpoint_name(row, &profile),
        status: tenant.endpoint_statuses.get(row.status).to_owned(),
        os_type: profile.os.as_str().to_owned(),
        server_tags: tags.server.iter().map(|tag| (*tag).to_owned()).collect(),
        endpoint_tags: tags.endpoint.iter().map(|tag| (*tag).to_owned()).collect(),
        ip: profile.ip(),
        first_seen: row.first_seen,
        last_seen: tenant.last_seen(row),
    }
}

fn alert_view(tenant: &Tenant, row: &AlertRow) -> AlertView {
    AlertView {
        id: row.id.to_string(),
        source: tenant.alert_sources.get(row.source).to_owned(),
        status: tenant.alert_statuses.get(row.status).to_owned(),
        severity: tenant.alert_severities.get(row.severity).to_owned(),
        name: super::alert::AlertProfile::derive(tenant.seed, row.serial)
            .kind
            .name
            .to_owned(),
        endpoint_id: tenant.alert_endpoint(row).map(format_endpoint_id),
        creation_time: row.created,
        server_creation_time: row.inserted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_id_is_exactly_32_lower_case_digits() {
        let id = 0x0a1b_fa94_a47c_4dc6_8a97_38a4_7dc3_f18a_u128;
        assert_eq!(parse_endpoint_id(&format_endpoint_id(id)), Some(id));
        for wrong in [
            "",
            "0A1BFA94A47C4DC68A9738A47DC3F18A",
            "+a1bfa94a47c4dc68a9738a47dc3f18a",
            "0a1b",
        ] {
            assert_eq!(parse_endpoint_id(wrong), None, "{wrong}");
        }
    }
}
