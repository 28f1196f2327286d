//! A configuration as the rest of the connector sees it: checked, complete, typed.

use std::collections::BTreeSet;

/// How the API key signs (the vendor's "security level").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityLevel {
    /// Signed with a nonce and the time, anew for each request.
    Advanced,
    /// The key itself in the header.
    Standard,
}

impl SecurityLevel {
    /// All of them, the default first.
    pub const ALL: [SecurityLevel; 2] = [SecurityLevel::Advanced, SecurityLevel::Standard];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            SecurityLevel::Advanced => "advanced",
            SecurityLevel::Standard => "standard",
        }
    }

    /// The other one: what a key that is refused may really be.
    pub fn other(self) -> SecurityLevel {
        match self {
            SecurityLevel::Advanced => SecurityLevel::Standard,
            SecurityLevel::Standard => SecurityLevel::Advanced,
        }
    }
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

impl DataStream {
    /// All of them, in the manifest's order: assets before the findings that attach to them.
    pub const ALL: [DataStream; 3] = [
        DataStream::Endpoints,
        DataStream::Alerts,
        DataStream::Vulnerabilities,
    ];

    /// The name in the manifest, the configuration and the contract's calls.
    pub fn name(self) -> &'static str {
        match self {
            DataStream::Endpoints => "endpoints",
            DataStream::Alerts => "alerts",
            DataStream::Vulnerabilities => "vulnerabilities",
        }
    }

    /// The stream of exactly this name.
    pub fn from_name(name: &str) -> Option<DataStream> {
        DataStream::ALL
            .into_iter()
            .find(|stream| stream.name() == name)
    }
}

/// An open status of an alert, by which alerts are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertStatus {
    /// STATUS_010_NEW
    New,
    /// STATUS_020_UNDER_INVESTIGATION
    UnderInvestigation,
}

impl AlertStatus {
    /// All of them.
    pub const ALL: [AlertStatus; 2] = [AlertStatus::New, AlertStatus::UnderInvestigation];

    /// The name in the configuration, as the console shows it.
    pub fn name(self) -> &'static str {
        match self {
            AlertStatus::New => "New",
            AlertStatus::UnderInvestigation => "Under Investigation",
        }
    }
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
    /// Values of `endpoint_status`, in lower case: connected, disconnected, lost, uninstalled; never empty.
    pub endpoint_statuses: BTreeSet<String>,
    /// Whether mapped values overwrite what the platform holds; the platform's own default where none.
    pub update_existing_assets: Option<bool>,
    /// Whether new assets are created; the platform's own default where none.
    pub auto_onboard_assets: Option<bool>,
    /// Days between full syncs.
    pub full_sync_every_days: u16,
    /// The least hours between two sweeps over all endpoints that were seen; 0 sweeps in each incremental sync.
    pub endpoint_sweep_hours: u16,
    /// The most of the day's XQL quota that a run may use, above 0 and at most 1.
    pub xql_daily_share: f64,
}
