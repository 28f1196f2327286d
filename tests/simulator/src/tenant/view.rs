//! What a test reads of the tenant, and what it asks to be changed: plain values, no references into the tenant.

/// One endpoint as the tenant holds it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointView {
    /// The endpoint's id: 32 hexadecimal digits.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// `CONNECTED`, `DISCONNECTED`, `LOST`, `UNINSTALLED`, or what a test set.
    pub status: String,
    /// `AGENT_OS_WINDOWS` and its like.
    pub os_type: String,
    /// Tags set on the server (empty where the record has no tags at all).
    pub server_tags: Vec<String>,
    /// Tags set on the endpoint.
    pub endpoint_tags: Vec<String>,
    /// IPv4 addresses.
    pub ip: Vec<String>,
    /// When the agent was first seen, in epoch milliseconds.
    pub first_seen: i64,
    /// When the agent was last seen, in epoch milliseconds (moves with the heartbeat).
    pub last_seen: i64,
}

impl EndpointView {
    /// Whether any of the tags is borne by the endpoint, exactly as written.
    pub fn has_any_tag(&self, tags: &[&str]) -> bool {
        self.server_tags
            .iter()
            .chain(&self.endpoint_tags)
            .any(|tag| tags.contains(&tag.as_str()))
    }
}

/// One alert as the tenant holds it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertView {
    /// The alert's id: digits, some beyond 2^53.
    pub id: String,
    /// Display name of the source, for example `XDR BIOC`.
    pub source: String,
    /// The resolution status, for example `STATUS_010_NEW`.
    pub status: String,
    /// `informational`, `low`, `medium`, `high`, `critical`, or what a test set.
    pub severity: String,
    /// Name of the alert.
    pub name: String,
    /// The endpoint it is on; `None` for network and third-party alerts.
    pub endpoint_id: Option<String>,
    /// `detection_timestamp`, what the filter `creation_time` looks at, in epoch milliseconds.
    pub creation_time: i64,
    /// `local_insert_ts`, what the filter `server_creation_time` looks at, in epoch milliseconds.
    pub server_creation_time: i64,
}

/// One CVE as the tenant's `va_cves` has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CveView {
    /// `CVE-2024-1234`.
    pub name: String,
    /// `CRITICAL`, `HIGH`, `MEDIUM` or `LOW`.
    pub severity: String,
    /// CVSS base score.
    pub severity_score: f64,
    /// Text.
    pub description: String,
    /// Epoch milliseconds.
    pub publication_date: i64,
}

/// What `va_endpoints` holds of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VulnerabilityView {
    /// The endpoint.
    pub endpoint_id: String,
    /// Names of its CVEs; empty when a scan found none.
    pub cves: Vec<String>,
}

/// An endpoint to add. What is left `None` is derived from the seed.
#[derive(Clone, Debug, Default)]
pub struct NewEndpoint {
    /// Host name.
    pub name: Option<String>,
    /// Status; `CONNECTED` when not given.
    pub status: Option<String>,
    /// When the agent was first seen; now when not given.
    pub first_seen: Option<i64>,
    /// When the agent was last seen; now when not given.
    pub last_seen: Option<i64>,
    /// Server tags.
    pub server_tags: Option<Vec<String>>,
    /// Endpoint tags.
    pub endpoint_tags: Option<Vec<String>>,
}

/// What to change on an endpoint. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// Host name.
    pub name: Option<String>,
    /// Status.
    pub status: Option<String>,
    /// When the agent was last seen.
    pub last_seen: Option<i64>,
    /// Server tags.
    pub server_tags: Option<Vec<String>>,
    /// Endpoint tags.
    pub endpoint_tags: Option<Vec<String>>,
    /// Value of `is_isolated`.
    pub is_isolated: Option<String>,
}

/// An alert to add. What is left `None` is derived from the seed.
#[derive(Clone, Debug, Default)]
pub struct NewAlert {
    /// Display name of the source; `XDR BIOC` when not given.
    pub source: Option<String>,
    /// Resolution status; `STATUS_010_NEW` when not given.
    pub status: Option<String>,
    /// Severity in lower case; `medium` when not given.
    pub severity: Option<String>,
    /// The endpoint it is on (must exist); none when not given.
    pub endpoint_id: Option<String>,
    /// `detection_timestamp`; now when not given.
    pub creation_time: Option<i64>,
    /// `local_insert_ts`; now when not given.
    pub server_creation_time: Option<i64>,
}

/// What to change on an alert. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct AlertChange {
    /// Display name of the source.
    pub source: Option<String>,
    /// Resolution status.
    pub status: Option<String>,
    /// Severity in lower case.
    pub severity: Option<String>,
}
