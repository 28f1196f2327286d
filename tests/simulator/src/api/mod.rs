//! What each call answers. One file per family of calls.

pub mod alert_shape;
pub mod alerts;
pub mod changes;
pub mod endpoints;
pub mod incidents;
pub mod system;
pub mod xql;

use std::sync::Arc;

use serde_json::Value;

use crate::call::Call;
use crate::json::Json;
use crate::options::{AlertShape, Options};
use crate::reply::Reply;
use crate::selection::SelectionCache;
use crate::tenant::handle::TenantHandle;

/// What calls work with.
#[derive(Debug)]
pub struct Context {
    pub options: Arc<Options>,
    pub tenant: TenantHandle,
    pub selections: SelectionCache,
}

/// A request that was let through.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub call: Call,
    pub body: &'a [u8],
    /// Whether the client accepts gzip.
    pub accepts_gzip: bool,
}

/// Answers a request.
pub async fn answer(context: &Context, request: Request<'_>) -> Reply {
    // These two take no arguments, and clients send all kinds of bodies, or none.
    match request.call {
        Call::Healthcheck => return system::healthcheck(),
        Call::GetEndpoints if request.body.is_empty() => return endpoints::get_endpoints(context),
        _ => {}
    }
    let Ok(body) = serde_json::from_slice::<Value>(request.body) else {
        return Reply::invalid_json();
    };
    match request.call {
        Call::Healthcheck => system::healthcheck(),
        Call::TenantInfo => system::get_tenant_info(context),
        Call::GetEndpoints => endpoints::get_endpoints(context),
        Call::GetEndpoint => endpoints::get_endpoint(context, &body),
        Call::Isolate => changes::isolate(context, &body, "AGENT_PENDING_ISOLATION"),
        Call::Unisolate => changes::isolate(context, &body, "AGENT_UNISOLATED"),
        Call::AssignTag => changes::tag(context, &body, true),
        Call::RemoveTag => changes::tag(context, &body, false),
        Call::GetAlerts => alerts::get_alerts(context, &body, AlertShape::Flat),
        Call::GetAlertsMultiEvents => {
            alerts::get_alerts(context, &body, context.options.alert_shape)
        }
        Call::GetAlertsMultiEventsV2 => alerts::get_alerts(context, &body, AlertShape::Columnar),
        Call::UpdateAlerts => changes::update_alerts(context, &body),
        Call::GetIncidents => incidents::get_incidents(context, &body),
        Call::GetIncidentExtraData => incidents::get_incident_extra_data(context, &body),
        Call::StartXqlQuery => xql::start_xql_query(context, &body).await,
        Call::GetQueryResults => xql::get_query_results(context, &body),
        Call::GetQueryResultsStream => {
            xql::get_query_results_stream(context, &body, request.accepts_gzip)
        }
        Call::GetQuota => xql::get_quota(context),
        Call::GetDatasets => xql::get_datasets(context),
    }
}

/// Writes `total_count` (null where the options say so) and `result_count`.
fn counts(json: &mut Json, context: &Context, total: usize, rows: usize) {
    json.key("total_count");
    match context.options.total_null {
        true => json.null(),
        false => json.int(i64::try_from(total).unwrap_or(i64::MAX)),
    }
    json.key_int("result_count", i64::try_from(rows).unwrap_or(i64::MAX));
}
