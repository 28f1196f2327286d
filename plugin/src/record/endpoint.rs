//! One record of `endpoints/get_endpoint`.

use super::{Record, field, key, object};
use crate::contract::Quarantined;
use crate::json_text::json_text;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What changes without the endpoint having changed: every heartbeat moves `last_seen`, every log-on `users`, and content updates
/// come several times a day to all endpoints alike.
const VOLATILE: [&str; 6] = [
    "last_seen",
    "users",
    "content_version",
    "content_status",
    "content_release_timestamp",
    "last_content_update_time",
];

const LISTS: [&str; 6] = [
    "ip",
    "ipv6",
    "mac_address",
    "users",
    "group_name",
    "active_directory",
];

const TEXTS: [&str; 8] = [
    "endpoint_name",
    "alias",
    "os_version",
    "endpoint_version",
    "content_version",
    "cloud_provider_account_id",
    "cloud_instance_id",
    "cloud_id",
];

const TIMES: [&str; 6] = [
    "first_seen",
    "last_seen",
    "install_date",
    "isolated_date",
    "content_release_timestamp",
    "last_content_update_time",
];

const TAG_KINDS: [&str; 2] = ["server_tags", "endpoint_tags"];

/// A set of configured tags.
pub type Tags = BTreeSet<String>;

/// Reads an endpoint, or says why it can't be read.
pub fn endpoint(raw: Value) -> Result<Record, Box<Quarantined>> {
    let mut fields = object(raw, "an endpoint")?;
    let key = key(&mut fields, "endpoint_id", "an endpoint")?;
    shape(&mut fields);
    let seen_at = field::latest(&fields, &["last_seen"]);
    Ok(Record::new(key, seen_at, fields, &VOLATILE))
}

/// Volatile fields of an endpoint, for records that contain one.
pub(super) fn volatile() -> &'static [&'static str] {
    &VOLATILE
}

/// Brings an endpoint's fields into their documented shape.
pub(super) fn shape(fields: &mut Map<String, Value>) {
    field::drop_nulls(fields);
    for name in LISTS {
        field::texts(fields, name);
    }
    for name in TEXTS {
        field::text(fields, name);
    }
    for name in TIMES {
        field::time(fields, name);
    }
    tags(fields);
    let mut addresses: Vec<&str> = Vec::new();
    for address in field::items(fields, "ip").chain(field::items(fields, "ipv6")) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let addresses: Value = addresses.into();
    fields.insert("allIPs".into(), addresses);
}

/// `tags` as {server_tags, endpoint_tags}; the older `endpointTags` (a text, perhaps with commas, or a list) stands in for
/// endpoint_tags where `tags` has none.
fn tags(fields: &mut Map<String, Value>) {
    let legacy = fields.remove("endpointTags");
    let tags = fields.entry("tags").or_insert_with(|| json!({}));
    if let Value::Array(_) | Value::String(_) = tags {
        // Seen on old agents: the tags themselves, without a kind.
        *tags = json!({"endpoint_tags": tags.take()});
    }
    let Value::Object(tags) = tags else {
        return;
    };
    field::drop_nulls(tags);
    if let Some(legacy) = legacy
        && field::items(tags, "endpoint_tags").next().is_none()
        && !tags.get("endpoint_tags").is_some_and(Value::is_string)
    {
        let legacy = match legacy {
            Value::String(text) => text
                .split(',')
                .map(str::trim)
                .filter(|tag| !tag.is_empty())
                .map(Value::from)
                .collect::<Vec<Value>>()
                .into(),
            other => other,
        };
        tags.insert("endpoint_tags".into(), legacy);
    }
    for kind in TAG_KINDS {
        field::texts(tags, kind);
        tags.entry(kind).or_insert_with(|| json!([]));
    }
}

/// The tags of these that an endpoint bears, server or endpoint tags, exact and case-sensitive.
pub fn has_tag<'a>(
    fields: &'a Map<String, Value>,
    wanted: &'a Tags,
) -> impl Iterator<Item = &'a str> {
    let tags = fields.get("tags").and_then(Value::as_object);
    TAG_KINDS
        .into_iter()
        .filter_map(move |kind| tags.map(|tags| field::items(tags, kind)))
        .flatten()
        .filter(|tag| wanted.contains(*tag))
}

/// An endpoint's tags as the record has them, in JSON: what shows that it bears none of those that are wanted.
pub fn tags_text(fields: &Map<String, Value>) -> String {
    fields.get("tags").map(json_text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: Value) -> Value {
        Value::Object(endpoint(raw).unwrap().fields)
    }

    #[test]
    fn nulls_are_absent_scalars_for_lists_are_lists_and_unknown_fields_stay() {
        assert_eq!(
            read(json!({
                "endpoint_id": 7, "group_name": null, "ip": "10.0.0.1", "users": "root", "mac_address": [""],
                "new_field": {"a": [null]}, "isolated_date": null
            })),
            json!({
                "endpoint_id": "7", "ip": ["10.0.0.1"], "users": ["root"], "mac_address": [], "allIPs": ["10.0.0.1"],
                "new_field": {"a": [null]}, "tags": {"server_tags": [], "endpoint_tags": []}
            })
        );
    }

    #[test]
    fn all_ips_are_ip_then_ipv6_without_repeats_and_without_the_gateway() {
        let record = read(json!({
            "endpoint_id": "a", "ip": ["10.0.0.2", "10.0.0.1", "10.0.0.2"], "ipv6": ["fe80::1", "10.0.0.1"], "public_ip": "203.0.113.9"
        }));
        assert_eq!(record["allIPs"], json!(["10.0.0.2", "10.0.0.1", "fe80::1"]));
    }

    #[test]
    fn legacy_tags_stand_in_where_tags_are_missing_and_only_there() {
        let tags = |raw: Value| read(raw)["tags"].clone();
        assert_eq!(
            tags(json!({"endpoint_id": "a", "endpointTags": "one, two,"})),
            json!({"server_tags": [], "endpoint_tags": ["one", "two"]})
        );
        assert_eq!(
            tags(
                json!({"endpoint_id": "a", "endpointTags": ["old"], "tags": {"server_tags": ["s"], "endpoint_tags": ["new"]}})
            ),
            json!({"server_tags": ["s"], "endpoint_tags": ["new"]})
        );
        assert_eq!(
            tags(
                json!({"endpoint_id": "a", "endpointTags": ["old"], "tags": {"server_tags": "s", "endpoint_tags": null}})
            ),
            json!({"server_tags": ["s"], "endpoint_tags": ["old"]})
        );
    }

    #[test]
    fn tags_match_exactly_in_both_kinds() {
        let record = endpoint(json!({"endpoint_id": "a", "tags": {"server_tags": ["Prod"], "endpoint_tags": ["web"]}})).unwrap();
        let wanted = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Tags>();
        assert_eq!(
            has_tag(&record.fields, &wanted(&["web", "Prod"])).count(),
            2
        );
        assert_eq!(has_tag(&record.fields, &wanted(&["prod", "we"])).count(), 0);
    }

    // wazuh/integrations #116: last_seen changes with every heartbeat, and every endpoint was new on every run.
    #[test]
    fn a_heartbeat_is_no_change() {
        let at = |last_seen: u64| {
            endpoint(json!({"endpoint_id": "a", "last_seen": last_seen, "users": [last_seen.to_string()]})).unwrap()
        };
        let (one, two) = (at(1_700_000_000_000), at(1_700_000_060_000));
        assert_eq!(one.fingerprint, two.fingerprint);
        assert_ne!(one.seen_at, two.seen_at);
        let moved = endpoint(json!({"endpoint_id": "a", "ip": ["10.0.0.1"]})).unwrap();
        assert_ne!(one.fingerprint, moved.fingerprint);
    }

    #[test]
    fn a_record_without_an_id_or_that_is_no_object_goes_into_quarantine_as_it_came() {
        let quarantined = endpoint(json!({"endpoint_id": "", "endpoint_name": "h"})).unwrap_err();
        assert_eq!(quarantined.key, None);
        assert_eq!(
            quarantined.raw,
            br#"{"endpoint_id":"","endpoint_name":"h"}"#
        );
        assert_eq!(quarantined.problems[0].pointer, "/endpoint_id");
        assert_eq!(endpoint(json!("text")).unwrap_err().raw, br#""text""#);
    }
}
