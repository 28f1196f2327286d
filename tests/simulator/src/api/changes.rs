//! The calls that change a tenant: a key with the role Viewer may use none of them.

use serde_json::Value;

use super::Context;
use crate::query::{read_filters, request_data};
use crate::reply::{PROCESSING_ERROR, Reply};
use crate::tenant::mix::{Mix, Purpose};
use crate::tenant::view::{AlertChange, EndpointChange};

/// The endpoint ids that a request names: `endpoint_id` (text or list) or the filter `endpoint_id_list`.
fn endpoint_ids(body: &Value) -> Result<Vec<String>, String> {
    let data = request_data(body)?;
    match data.get("endpoint_id") {
        Some(Value::String(id)) => return Ok(vec![id.clone()]),
        Some(Value::Array(ids)) => {
            return Ok(ids
                .iter()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect());
        }
        _ => {}
    }
    let mut ids = Vec::new();
    for filter in read_filters(data.get("filters"))? {
        if filter.field != "endpoint_id_list" {
            return Err(filter.unknown());
        }
        filter.allow(&["in"])?;
        ids.extend(filter.texts()?);
    }
    if ids.is_empty() {
        Err("no endpoint was named".to_owned())
    } else {
        Ok(ids)
    }
}

/// `endpoints/isolate` and `endpoints/unisolate`.
pub fn isolate(context: &Context, body: &Value, state: &str) -> Reply {
    let ids = match endpoint_ids(body) {
        Ok(ids) => ids,
        Err(reason) => return Reply::business(&reason),
    };
    let change = EndpointChange {
        is_isolated: Some(state.to_owned()),
        ..EndpointChange::default()
    };
    let changed = ids
        .iter()
        .filter(|id| context.tenant.change_endpoint(id, change.clone()))
        .count();
    if changed == 0 {
        let message =
            format!("{PROCESSING_ERROR} - No endpoint was found for creating the requested action");
        return Reply::error(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            &message,
            crate::json::Json::null,
        );
    }
    let tenant = context.tenant.read();
    let action = Mix::new(tenant.seed, Purpose::Action, tenant.revision).below(1_000_000);
    Reply::of(|json| {
        json.begin_object();
        json.key("action_id");
        json.plain(format_args!("{action}"));
        json.key_int("status", 1);
        json.key_int("endpoints_count", changed as i64);
        json.end_object();
    })
}

/// `tags/agents/assign` and `tags/agents/remove`: server tags.
pub fn tag(context: &Context, body: &Value, assign: bool) -> Reply {
    let read = endpoint_ids(body).and_then(|ids| {
        let tag = request_data(body)?
            .get("tag")
            .and_then(Value::as_str)
            .ok_or("tag is missing")?;
        Ok((ids, tag.to_owned()))
    });
    let (ids, tag) = match read {
        Ok(read) => read,
        Err(reason) => return Reply::business(&reason),
    };
    for id in ids {
        let Some(endpoint) = context.tenant.endpoint(&id) else {
            continue;
        };
        let mut tags = endpoint.server_tags;
        tags.retain(|known| *known != tag);
        if assign {
            tags.push(tag.clone());
        }
        context.tenant.change_endpoint(
            &id,
            EndpointChange {
                server_tags: Some(tags),
                ..EndpointChange::default()
            },
        );
    }
    Reply::of(|json| json.bool(true))
}

/// `alerts/update_alerts`: severity and status.
pub fn update_alerts(context: &Context, body: &Value) -> Reply {
    let data = match request_data(body) {
        Ok(data) => data,
        Err(reason) => return Reply::business(&reason),
    };
    let Some(ids) = data.get("alert_id_list").and_then(Value::as_array) else {
        return Reply::business("alert_id_list is missing");
    };
    let wanted = |key: &str| {
        data.get("update_data")
            .and_then(|update| update.get(key))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let change = AlertChange {
        source: None,
        status: wanted("status"),
        severity: wanted("severity"),
    };
    let mut changed = Vec::new();
    for id in ids {
        let id = match id {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if context.tenant.change_alert(&id, change.clone()) {
            changed.push(id);
        }
    }
    Reply::of(|json| {
        json.begin_object();
        json.key_list("alerts_ids", &changed);
        json.end_object();
    })
}
