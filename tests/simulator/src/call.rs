//! The calls of the API that are simulated: their paths, who may use them and under which licence.

use crate::options::{Licence, Role};

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Healthcheck,
    TenantInfo,
    GetEndpoints,
    GetEndpoint,
    Isolate,
    Unisolate,
    AssignTag,
    RemoveTag,
    GetAlerts,
    GetAlertsMultiEvents,
    GetAlertsMultiEventsV2,
    UpdateAlerts,
    GetIncidents,
    GetIncidentExtraData,
    StartXqlQuery,
    GetQueryResults,
    GetQueryResultsStream,
    GetQuota,
    GetDatasets,
}

/// What is known of a call.
struct Entry {
    call: Call,
    method: &'static str,
    /// Below `/public_api/`.
    path: &'static str,
    changes: bool,
    /// The licences of which any will do; empty: all.
    licences: &'static [Licence],
}

const fn reads(call: Call, path: &'static str, licences: &'static [Licence]) -> Entry {
    Entry {
        call,
        method: "POST",
        path,
        changes: false,
        licences,
    }
}

const fn changes(call: Call, path: &'static str, licences: &'static [Licence]) -> Entry {
    Entry {
        call,
        method: "POST",
        path,
        changes: true,
        licences,
    }
}

const ANY: &[Licence] = &[];
const ENDPOINTS: &[Licence] = &[Licence::Prevent, Licence::ProPerEndpoint];
const PRO: &[Licence] = &[Licence::ProPerEndpoint, Licence::ProPerGb];

const CALLS: [Entry; 19] = [
    Entry {
        call: Call::Healthcheck,
        method: "GET",
        path: "v1/healthcheck",
        changes: false,
        licences: ANY,
    },
    reads(Call::TenantInfo, "v1/system/get_tenant_info", ANY),
    reads(Call::GetEndpoints, "v1/endpoints/get_endpoints", ENDPOINTS),
    reads(Call::GetEndpoint, "v1/endpoints/get_endpoint", ENDPOINTS),
    changes(Call::Isolate, "v1/endpoints/isolate", ENDPOINTS),
    changes(Call::Unisolate, "v1/endpoints/unisolate", ENDPOINTS),
    changes(Call::AssignTag, "v1/tags/agents/assign", ENDPOINTS),
    changes(Call::RemoveTag, "v1/tags/agents/remove", ENDPOINTS),
    reads(Call::GetAlerts, "v1/alerts/get_alerts", ANY),
    reads(
        Call::GetAlertsMultiEvents,
        "v1/alerts/get_alerts_multi_events",
        ANY,
    ),
    reads(
        Call::GetAlertsMultiEventsV2,
        "v2/alerts/get_alerts_multi_events",
        ANY,
    ),
    changes(Call::UpdateAlerts, "v1/alerts/update_alerts", ANY),
    reads(Call::GetIncidents, "v1/incidents/get_incidents", ANY),
    reads(
        Call::GetIncidentExtraData,
        "v1/incidents/get_incident_extra_data",
        ANY,
    ),
    reads(Call::StartXqlQuery, "v1/xql/start_xql_query", PRO),
    reads(Call::GetQueryResults, "v1/xql/get_query_results", PRO),
    reads(
        Call::GetQueryResultsStream,
        "v1/xql/get_query_results_stream",
        PRO,
    ),
    reads(Call::GetQuota, "v1/xql/get_quota", PRO),
    reads(Call::GetDatasets, "v1/xql/get_datasets", PRO),
];

impl Call {
    /// The call at a path, with or without a trailing slash.
    pub fn find(method: &str, path: &str) -> Option<Self> {
        let below = path.strip_prefix("/public_api/")?;
        let below = below.strip_suffix('/').unwrap_or(below);
        CALLS
            .iter()
            .find(|entry| entry.path == below && entry.method == method)
            .map(|entry| entry.call)
    }

    fn entry(self) -> Option<&'static Entry> {
        CALLS.iter().find(|entry| entry.call == self)
    }

    /// The name by which permissions are denied: `endpoints/get_endpoint`.
    pub fn name(self) -> &'static str {
        let path = self.entry().map_or("", |entry| entry.path);
        path.split_once('/').map_or(path, |(_, name)| name)
    }

    /// A call of a name. Of the two versions of a call that share their name, either.
    pub fn named(name: &str) -> Option<Self> {
        let mut calls = CALLS.iter().map(|entry| entry.call);
        calls.find(|call| call.name() == name)
    }

    /// The key of the records in the reply of a call that answers pages.
    pub fn list(self) -> Option<&'static str> {
        match self {
            Call::GetEndpoint => Some("endpoints"),
            Call::GetAlerts | Call::GetAlertsMultiEvents | Call::GetAlertsMultiEventsV2 => {
                Some("alerts")
            }
            Call::GetIncidents => Some("incidents"),
            _ => None,
        }
    }

    /// Whether a licence covers it.
    pub fn licensed(self, licence: Licence) -> bool {
        self.entry()
            .is_some_and(|entry| entry.licences.is_empty() || entry.licences.contains(&licence))
    }

    /// Whether a role permits it. Everyone may ask for the health.
    pub fn permitted(self, role: &Role) -> bool {
        let changes = self.entry().is_none_or(|entry| entry.changes);
        match role {
            _ if self == Call::Healthcheck => true,
            Role::InstanceAdministrator => true,
            Role::NoPermissions => false,
            Role::Viewer => !changes && self != Call::GetDatasets,
            Role::Custom { denied } => {
                !changes && self != Call::GetDatasets && !denied.contains(self.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_with_and_without_a_slash_and_by_its_method_only() {
        let path = "/public_api/v1/endpoints/get_endpoint";
        assert_eq!(Call::find("POST", path), Some(Call::GetEndpoint));
        assert_eq!(
            Call::find("POST", &format!("{path}/")),
            Some(Call::GetEndpoint)
        );
        assert_eq!(Call::find("POST", &format!("{path}//")), None);
        assert_eq!(Call::find("GET", path), None);
        assert_eq!(
            Call::find("POST", "/public_api/v2/endpoints/get_endpoint"),
            None
        );
        assert_eq!(Call::find("GET", "/public_api/v1/health_check/"), None);
    }

    #[test]
    fn a_viewer_may_call_nothing_that_changes_the_tenant() {
        for entry in &CALLS {
            assert!(
                !(entry.changes && entry.call.permitted(&Role::Viewer)),
                "{}",
                entry.path
            );
            assert!(entry.call.permitted(&Role::InstanceAdministrator));
        }
        assert!(Call::StartXqlQuery.permitted(&Role::Viewer));
        let denied = ["xql/get_quota".to_owned()].into();
        assert!(!Call::GetQuota.permitted(&Role::Custom { denied }));
    }

    #[test]
    fn licences_cover_what_the_vendor_says() {
        assert!(
            Call::GetEndpoint.licensed(Licence::Prevent)
                && !Call::StartXqlQuery.licensed(Licence::Prevent)
        );
        assert!(
            !Call::GetEndpoint.licensed(Licence::ProPerGb)
                && Call::StartXqlQuery.licensed(Licence::ProPerGb)
        );
        assert!(Call::GetAlertsMultiEvents.licensed(Licence::ProPerGb));
    }
}
