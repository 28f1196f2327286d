//! What kind of tenant to simulate, and which of the API's quirks it shows.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::chaos::spec::Chaos;
use crate::tls::Tls;

/// Everything that can be chosen about a simulated tenant. Plain data: take [`Options::default`] and set fields.
///
/// The same options give the same tenant, byte for byte, when [`Options::now_ms`] is set too.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Number of endpoints (agents), of every status.
    pub endpoints: usize,
    /// Number of alerts, of every source and status.
    pub alerts: usize,
    /// Number of distinct CVEs, shared between the endpoints that were scanned.
    pub cves: usize,
    /// What all names, numbers and the API key are derived from.
    pub seed: u64,
    /// How long each reply is held back.
    pub latency: Duration,
    /// Requests per second that the tenant accepts; one more within a second is answered with 429. `None`: no limit.
    pub rate: Option<u32>,
    /// Seconds named in the `Retry-After` header of a 429. `None`: no such header (it is documented nowhere).
    pub retry_after: Option<u32>,
    /// Whether `last_seen` of connected endpoints moves on with time, as agents report every few minutes.
    pub heartbeat: bool,
    /// The kind of API key that the tenant expects.
    pub security_level: SecurityLevel,
    /// What the API key may do.
    pub role: Role,
    /// The licence that the tenant bought.
    pub licence: Licence,
    /// Whether the Host Insights add-on is active (the `va_*` datasets of XQL).
    pub host_insights: bool,
    /// What a tenant without Host Insights says about the `va_*` datasets.
    pub without_host_insights: WithoutHostInsights,
    /// The shape in which `v1/alerts/get_alerts_multi_events` answers.
    pub alert_shape: AlertShape,
    /// Whether `total_count` is null in paged replies, as some tenants answer.
    pub total_null: bool,
    /// XQL compute units that were used today before the start.
    pub xql_quota: f64,
    /// XQL compute units that the licence grants per day; `None`: 5, and more for large estates (as large tenants have).
    pub xql_licence_quota: Option<f64>,
    /// How the result stream of XQL is compressed.
    pub xql_stream_gzip: StreamGzip,
    /// How many times `get_query_results` answers PENDING before a query is done.
    pub xql_pending_polls: u32,
    /// How each XQL query ends.
    pub xql_outcome: XqlOutcome,
    /// Milliseconds by which the tenant's clock (the `Date` header, the check of signatures) is ahead; negative: behind.
    pub clock_skew_ms: i64,
    /// How far a signature's timestamp may be from the tenant's clock.
    pub clock_tolerance: Duration,
    /// Whether replies are compressed for clients that accept gzip.
    pub gzip: bool,
    /// The moment, in epoch milliseconds, that the data is relative to; `None`: the start of the simulator.
    pub now_ms: Option<u64>,
    /// How TLS is served. `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Faults and changes that the tenant goes through. `None`: none, but what a test asks for ([`crate::ChaosHandle`]).
    pub chaos: Option<Chaos>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoints: 1_000,
            alerts: 1_000,
            cves: 200,
            seed: 1,
            latency: Duration::ZERO,
            rate: None,
            retry_after: None,
            heartbeat: false,
            security_level: SecurityLevel::Advanced,
            role: Role::Viewer,
            licence: Licence::ProPerEndpoint,
            host_insights: true,
            without_host_insights: WithoutHostInsights::UnknownDataset,
            alert_shape: AlertShape::Events,
            total_null: false,
            xql_quota: 0.0,
            xql_licence_quota: None,
            xql_stream_gzip: StreamGzip::AsAsked,
            xql_pending_polls: 1,
            xql_outcome: XqlOutcome::Success,
            clock_skew_ms: 0,
            clock_tolerance: Duration::from_secs(15 * 60),
            gzip: true,
            now_ms: None,
            tls: None,
            chaos: None,
        }
    }
}

/// The security level of an API key: how a request proves that it knows the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityLevel {
    /// `Authorization` is the SHA-256 of key, nonce and timestamp.
    #[default]
    Advanced,
    /// `Authorization` is the key itself.
    Standard,
}

impl SecurityLevel {
    /// The word for it in configurations: `advanced` or `standard`.
    pub fn as_str(self) -> &'static str {
        match self {
            SecurityLevel::Advanced => "advanced",
            SecurityLevel::Standard => "standard",
        }
    }
}

/// The role of the API key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Reads everything that a read-only integration needs, changes nothing; may not list datasets (seen live).
    #[default]
    Viewer,
    /// May do everything.
    InstanceAdministrator,
    /// A key whose role has no permission at all.
    NoPermissions,
    /// A viewer that is denied more calls, named as `endpoints/get_endpoint`.
    Custom {
        /// The calls that answer 403.
        denied: BTreeSet<String>,
    },
}

/// The licence of the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Licence {
    /// Cortex XDR Prevent: endpoints and alerts, no XQL.
    Prevent,
    /// Cortex XDR Pro per Endpoint: everything.
    #[default]
    ProPerEndpoint,
    /// Cortex XDR Pro per GB: alerts and XQL, no endpoint management.
    ProPerGb,
}

/// What a tenant without Host Insights answers to a query of `va_endpoints` or `va_cves` (unconfirmed, so both).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutHostInsights {
    /// 500 with a `parse_err`: the dataset is not known.
    #[default]
    UnknownDataset,
    /// The dataset is there and empty.
    EmptyDataset,
}

/// The three shapes in which the alert calls answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertShape {
    /// The first event's fields at the top level, as scalars (`alerts/get_alerts`).
    Flat,
    /// A list `events` of objects (`v1/alerts/get_alerts_multi_events`).
    #[default]
    Events,
    /// Fields of the events as parallel arrays, `events` null (`v2/alerts/get_alerts_multi_events`).
    Columnar,
}

/// How `get_query_results_stream` compresses its body (by `is_gzip_compressed`, apart from `Content-Encoding`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamGzip {
    /// As the request's `is_gzip_compressed` says.
    #[default]
    AsAsked,
    /// Never.
    None,
    /// Always once: by `is_gzip_compressed`, with no `Content-Encoding`.
    Once,
    /// Always twice: the body is gzip, sent with `Content-Encoding: gzip` on top, whatever was asked (seen live).
    Twice,
}

/// How an XQL query ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XqlOutcome {
    /// SUCCESS with all rows.
    #[default]
    Success,
    /// PARTIAL_SUCCESS: the second half of the rows is missing.
    PartialSuccess,
    /// FAIL, with an `error`.
    Fail,
}
