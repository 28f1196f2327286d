//! The handle with which a test reads and changes the tenant while the simulator serves it.

use super::view::*;

/// A handle to the tenant of a running simulator. Clones share the tenant; each call takes its lock once.
#[derive(Clone, Debug, Default)]
pub struct TenantHandle {}

impl TenantHandle {
    /// All endpoints, in no particular order.
    pub fn endpoints(&self) -> Vec<EndpointView> {
        Vec::new()
    }

    /// One endpoint.
    pub fn endpoint(&self, _id: &str) -> Option<EndpointView> {
        None
    }

    /// All alerts, in no particular order.
    pub fn alerts(&self) -> Vec<AlertView> {
        Vec::new()
    }

    /// One alert.
    pub fn alert(&self, _id: &str) -> Option<AlertView> {
        None
    }

    /// What `va_endpoints` holds: one row per endpoint that was ever scanned.
    pub fn vulnerabilities(&self) -> Vec<VulnerabilityView> {
        Vec::new()
    }

    /// All CVEs that the tenant knows.
    pub fn cves(&self) -> Vec<CveView> {
        Vec::new()
    }

    /// Adds an endpoint and returns its id.
    pub fn add_endpoint(&self, _endpoint: NewEndpoint) -> String {
        String::new()
    }

    /// Removes an endpoint; whether it was there.
    pub fn remove_endpoint(&self, _id: &str) -> bool {
        false
    }

    /// Changes an endpoint; whether it was there.
    pub fn change_endpoint(&self, _id: &str, _change: EndpointChange) -> bool {
        false
    }

    /// Sets what a scan found on an endpoint, by CVE name (unknown names become new CVEs); `None`: never scanned. Whether the
    /// endpoint was there.
    pub fn set_cves(&self, _endpoint_id: &str, _cves: Option<Vec<String>>) -> bool {
        false
    }

    /// Adds an alert and returns its id.
    pub fn add_alert(&self, _alert: NewAlert) -> String {
        String::new()
    }

    /// Removes an alert; whether it was there.
    pub fn remove_alert(&self, _id: &str) -> bool {
        false
    }

    /// Changes an alert; whether it was there.
    pub fn change_alert(&self, _id: &str, _change: AlertChange) -> bool {
        false
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

    /// Makes the API key unknown: every request is answered with 401 until [`TenantHandle::restore_key`].
    pub fn revoke_key(&self) {}

    /// Makes a revoked key known again.
    pub fn restore_key(&self) {}

    /// Takes the permission for a call, named as `endpoints/get_endpoint`, from the key: it answers 403.
    pub fn deny(&self, _call: &str) {}

    /// Gives a permission taken by [`TenantHandle::deny`] back.
    pub fn allow(&self, _call: &str) {}

    /// XQL compute units used today.
    pub fn xql_used_quota(&self) -> f64 {
        0.0
    }

    /// Sets the XQL compute units used today.
    pub fn set_xql_used_quota(&self, _used: f64) {}
}
