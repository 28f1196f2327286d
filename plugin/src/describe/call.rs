//! Every request that the connector can make. The API client takes a [`Call`] and nothing else, so this list is the whole
//! truth, and the manifest is made from it.

use crate::configure::DataStream;
use http::Method;

/// A call of the Cortex XDR public API. All of them only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// Whether the API is up; needs no permission.
    Healthcheck,
    /// Licences bought and in use.
    GetTenantInfo,
    /// Endpoints in detail, filtered, sorted and paged.
    GetEndpoint,
    /// Alerts with their events.
    GetAlertsMultiEvents,
    /// The day's XQL quota and what is used of it.
    GetXqlQuota,
    /// Starts an XQL query; it reads, and it costs quota.
    StartXqlQuery,
    /// Whether a query is done, and its rows where they are few.
    GetXqlResults,
    /// The rows of a query that found many, as NDJSON.
    GetXqlResultsStream,
}

impl Call {
    /// All calls, in the manifest's order.
    pub const ALL: [Call; 8] = [
        Call::Healthcheck,
        Call::GetTenantInfo,
        Call::GetEndpoint,
        Call::GetAlertsMultiEvents,
        Call::GetXqlQuota,
        Call::StartXqlQuery,
        Call::GetXqlResults,
        Call::GetXqlResultsStream,
    ];

    /// The name that the manifest, runs and faults use.
    pub fn name(self) -> &'static str {
        match self {
            Call::Healthcheck => "healthcheck",
            Call::GetTenantInfo => "get_tenant_info",
            Call::GetEndpoint => "get_endpoint",
            Call::GetAlertsMultiEvents => "get_alerts_multi_events",
            Call::GetXqlQuota => "get_quota",
            Call::StartXqlQuery => "start_xql_query",
            Call::GetXqlResults => "get_query_results",
            Call::GetXqlResultsStream => "get_query_results_stream",
        }
    }

    /// The HTTP method.
    pub fn method(self) -> Method {
        match self {
            Call::Healthcheck => Method::GET,
            _ => Method::POST,
        }
    }

    /// The path below the origin, without a trailing slash: the API takes both forms.
    pub fn path(self) -> &'static str {
        match self {
            Call::Healthcheck => "/public_api/v1/healthcheck",
            Call::GetTenantInfo => "/public_api/v1/system/get_tenant_info",
            Call::GetEndpoint => "/public_api/v1/endpoints/get_endpoint",
            Call::GetAlertsMultiEvents => "/public_api/v1/alerts/get_alerts_multi_events",
            Call::GetXqlQuota => "/public_api/v1/xql/get_quota",
            Call::StartXqlQuery => "/public_api/v1/xql/start_xql_query",
            Call::GetXqlResults => "/public_api/v1/xql/get_query_results",
            Call::GetXqlResultsStream => "/public_api/v1/xql/get_query_results_stream",
        }
    }

    /// What the key's role must allow, by the components that the console lists under a role. The role Viewer has all of them.
    pub fn permission(self) -> &'static str {
        match self {
            Call::Healthcheck => "none",
            Call::GetTenantInfo => "any role; the connection test goes on without it",
            Call::GetEndpoint => "Endpoint Administration: View (role Viewer)",
            Call::GetAlertsMultiEvents => "Alerts & Incidents: View (role Viewer)",
            Call::GetXqlQuota | Call::GetXqlResults | Call::GetXqlResultsStream => {
                "Query Center: View (role Viewer)"
            }
            Call::StartXqlQuery => {
                "Query Center: View, Host Insights: View, and access to the datasets va_endpoints and va_cves (role Viewer)"
            }
        }
    }

    /// The licence that the vendor's reference asks for, where it asks for one.
    pub fn licence(self) -> Option<&'static str> {
        match self {
            Call::Healthcheck | Call::GetTenantInfo => None,
            Call::GetEndpoint => Some("Cortex XDR Prevent or Cortex XDR Pro per Endpoint"),
            Call::GetAlertsMultiEvents => {
                Some("Cortex XDR Prevent, Cortex XDR Pro per Endpoint or Cortex XDR Pro per GB")
            }
            Call::GetXqlQuota | Call::GetXqlResults | Call::GetXqlResultsStream => {
                Some("Cortex XDR Pro per Endpoint or Cortex XDR Pro per GB")
            }
            Call::StartXqlQuery => Some("Cortex XDR Pro per Endpoint with Host Insights"),
        }
    }

    /// The data streams whose sync makes this call; none where only the connection test does.
    pub fn data_streams(self) -> &'static [DataStream] {
        match self {
            Call::Healthcheck | Call::GetTenantInfo => &[],
            Call::GetEndpoint => &[DataStream::Endpoints, DataStream::Vulnerabilities],
            Call::GetAlertsMultiEvents => &[DataStream::Alerts],
            Call::GetXqlQuota
            | Call::StartXqlQuery
            | Call::GetXqlResults
            | Call::GetXqlResultsStream => &[DataStream::Vulnerabilities],
        }
    }
}
