//! What a connection's way out is set up with: the manifest's declarations, the connection's origins, the host's limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::origin::Origin;
use super::proxy::ProxyConfig;
use super::resolve::{Resolve, SystemResolver};
use crate::secrets::SecretSet;

/// A request that the manifest declares; all others are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredCall {
    /// Unique in the manifest; usage counts by it.
    pub name: String,
    /// The name of the origin that it goes to.
    pub origin: String,
    /// Its method.
    pub method: Method,
    /// Its path, exactly as sent.
    pub path: String,
}

/// A limit of the API's own: so many requests in so many seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many requests.
    pub requests: u32,
    /// In how many seconds.
    pub seconds: u32,
    /// Names of the calls that share it; none means all calls.
    pub calls: Vec<String>,
}

/// How much of the API's budgets this connection takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// This share of each budget, above 0 and at most 1. The rest is for the tenant's other tools.
    Share(f64),
    /// So many requests per second over all calls. The manifest's budgets still hold, whole.
    PerSecond(f64),
    /// No pacing; only where every origin is loopback.
    Unlimited,
}

impl Default for Rate {
    fn default() -> Self {
        Rate::Share(0.8)
    }
}

/// What one exchange may cost. Each has a default that suits a paged JSON API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressLimits {
    /// Bytes of a request's body.
    pub request_bytes: u64,
    /// Bytes of a response's body, counted after Content-Encoding is undone.
    pub response_bytes: u64,
    /// Bytes of the header lines of a request, and of a response.
    pub header_bytes: u64,
    /// How long the server is waited for until its answer begins, and from then on for each next byte.
    pub idle_timeout: Duration,
    /// How long one attempt may wait for the server in all, head and body. Time in which the connector does not read does not
    /// count.
    pub attempt_timeout: Duration,
    /// How long a connection may take to be made, TLS included.
    pub connect_timeout: Duration,
    /// How often a repeatable request is sent in all, at least 1.
    pub attempts: u32,
    /// Requests that wait, are under way or whose body is still held.
    pub concurrent_requests: u32,
    /// The longest that one Retry-After or back-off is waited for.
    pub longest_wait: Duration,
}

impl Default for EgressLimits {
    fn default() -> Self {
        EgressLimits {
            // Bodies of such an API are queries of a few kilobytes.
            request_bytes: 4 << 20,
            // A page of 100 alerts with all their events stays under 10 MiB; XQL streams hold up to a million rows.
            response_bytes: 1 << 30,
            header_bytes: 64 << 10,
            // Big tenants take half a minute for a page.
            idle_timeout: Duration::from_secs(120),
            // A stream of a million rows over a slow line; a server that trickles is stopped nevertheless.
            attempt_timeout: Duration::from_secs(900),
            connect_timeout: Duration::from_secs(15),
            attempts: 5,
            concurrent_requests: 64,
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// All that egress needs to know of one connection.
#[derive(Clone)]
pub struct EgressConfig {
    /// Name and origin; already judged against the manifest's rules.
    pub origins: Vec<(String, Origin)>,
    /// The manifest's calls.
    pub calls: Vec<DeclaredCall>,
    /// The manifest's budgets.
    pub budgets: Vec<Budget>,
    /// How much of them is taken.
    pub rate: Rate,
    /// Whether loopback addresses, and plain HTTP to them, are allowed.
    pub allow_loopback: bool,
    /// The secrets that `configure` declared.
    pub secrets: Arc<SecretSet>,
    /// What one exchange may cost.
    pub limits: EgressLimits,
    /// How names become addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Certificates (DER) of authorities trusted beside the machine's own.
    pub extra_roots: Vec<Vec<u8>>,
    /// The company's proxy, for origins that are not loopback.
    pub proxy: Option<ProxyConfig>,
}

impl EgressConfig {
    /// The defaults, for these origins, calls and budgets.
    pub fn new(
        origins: Vec<(String, Origin)>,
        calls: Vec<DeclaredCall>,
        budgets: Vec<Budget>,
        secrets: Arc<SecretSet>,
    ) -> Self {
        EgressConfig {
            origins,
            calls,
            budgets,
            rate: Rate::default(),
            allow_loopback: false,
            secrets,
            limits: EgressLimits::default(),
            resolver: Arc::new(SystemResolver),
            extra_roots: Vec::new(),
            proxy: None,
        }
    }
}

impl EgressConfig {
    /// The proxy that requests to an origin go through, where one is set up: all but those that stay on this machine.
    pub(super) fn proxy_for(&self, origin: &Origin) -> Option<&ProxyConfig> {
        self.proxy.as_ref().filter(|_| !origin.is_loopback())
    }
}

impl fmt::Debug for EgressConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressConfig")
            .field("origins", &self.origins)
            .field("calls", &self.calls)
            .field("budgets", &self.budgets)
            .field("rate", &self.rate)
            .field("allow_loopback", &self.allow_loopback)
            .field("secrets", &self.secrets)
            .field("limits", &self.limits)
            .field("extra_roots", &self.extra_roots.len())
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}
