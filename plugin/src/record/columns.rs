//! Parallel columns (one list per attribute) turned into a list of events.

use serde_json::{Map, Value};

/// Names of an event's attributes, beside those with one of [`EVENT_PREFIXES`].
const EVENT_NAMES: [&str; 30] = [
    "agent_host_boot_time",
    "agent_install_type",
    "association_strength",
    "cloud_provider",
    "cluster_name",
    "container_id",
    "container_name",
    "dns_query_name",
    "event_id",
    "event_sub_type",
    "event_timestamp",
    "event_type",
    "identity_invoked_by_type",
    "identity_sub_type",
    "identity_type",
    "image_id",
    "image_name",
    "module_id",
    "namespace",
    "operation_name",
    "project",
    "referenced_resource",
    "resource_sub_type",
    "resource_type",
    "story_id",
    "user_agent",
    "user_name",
    "dss_country",
    "dss_department",
    "dss_job_title",
];

const EVENT_PREFIXES: [&str; 6] = [
    "action_",
    "actor_",
    "causality_actor_",
    "os_actor_",
    "dst_",
    "fw_",
];

/// Attributes that an alert with a list of events has itself, and the columnar shape gives per event.
const EITHER_NAMES: [&str; 3] = [
    "contains_featured_host",
    "contains_featured_ip",
    "contains_featured_user",
];

/// What an alert has beside its events although a prefix would make it an event's.
const ALERT_NAMES: [&str; 1] = ["action_pretty"];

/// Whether an attribute is an event's.
fn of_an_event(name: &str) -> bool {
    !ALERT_NAMES.contains(&name)
        && (EVENT_NAMES.contains(&name)
            || EVENT_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// Takes the events' attributes out of an alert: scalars make one event, lists make as many events as the longest has items.
pub(super) fn taken(fields: &mut Map<String, Value>) -> Vec<Value> {
    let mut columns = Vec::new();
    let mut rest = Map::new();
    for (name, value) in std::mem::take(fields) {
        let column = value.is_array() && EITHER_NAMES.contains(&name.as_str());
        if column || of_an_event(&name) {
            columns.push((name, value));
        } else {
            rest.insert(name, value);
        }
    }
    *fields = rest;
    let rows = columns
        .iter()
        .map(|(_, value)| match value {
            Value::Array(items) => items.len(),
            Value::Null => 0,
            _ => 1,
        })
        .max()
        .unwrap_or(0);
    let mut events = vec![Map::new(); rows];
    for (name, value) in columns {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                for (event, item) in events.iter_mut().zip(items) {
                    if !item.is_null() {
                        event.insert(name.clone(), item);
                    }
                }
            }
            scalar => {
                if let Some(event) = events.first_mut() {
                    event.insert(name, scalar);
                }
            }
        }
    }
    events.into_iter().map(Value::Object).collect()
}
