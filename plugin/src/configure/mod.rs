//! The configuration: read, checked and completed.

use std::collections::BTreeSet;

/// How the API key signs (the vendor's "security level").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityLevel {
    /// Signed with a nonce and the time, anew for each request.
    Advanced,
    /// The key itself in the header.
    Standard,
}

/// What the connector can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataStream {
    /// Endpoints.
    Endpoints,
    /// Alerts.
    Alerts,
    /// Endpoints with their CVEs.
    Vulnerabilities,
}

/// An open status of an alert, by which alerts are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertStatus {
    /// STATUS_010_NEW
    New,
    /// STATUS_020_UNDER_INVESTIGATION
    UnderInvestigation,
}

/// A completed configuration, checked: whoever holds one need not check again.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// "https://api-example.xdr.us.paloaltonetworks.com"
    pub origin: String,
    /// The value of `x-xdr-auth-id`.
    pub api_key_id: String,
    /// How the key signs.
    pub security_level: SecurityLevel,
    /// Only endpoints with one of these tags; all where empty.
    pub tags: BTreeSet<String>,
    /// What to read.
    pub data_streams: BTreeSet<DataStream>,
    /// `alert_source` display names; never empty.
    pub alert_sources: BTreeSet<String>,
    /// Never empty.
    pub alert_statuses: BTreeSet<AlertStatus>,
    /// `endpoint_status` filter values: connected, disconnected, lost, uninstalled; never empty.
    pub endpoint_statuses: BTreeSet<String>,
    /// Whether mapped values overwrite what the platform holds; the platform's own default where none.
    pub update_existing_assets: Option<bool>,
    /// Whether new assets are created; the platform's own default where none.
    pub auto_onboard_assets: Option<bool>,
    /// Days between full syncs.
    pub full_sync_every_days: u16,
    /// The most of the day's XQL quota that a run may use, above 0 and at most 1.
    pub xql_daily_share: f64,
}
