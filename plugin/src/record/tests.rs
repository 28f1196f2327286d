//! What holds for all source records, and the public samples of replies.

use super::*;
use crate::testing::sample_json;
use proptest::prelude::*;
use serde_json::json;

/// JSON of any kind, with the field names that the records know among others.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2021-05-18 09:59:28 UTC")),
        Just(json!("")),
        Just(json!("a,b")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map(name(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("endpoint_id"),
        Just("alert_id"),
        Just("tags"),
        Just("server_tags"),
        Just("endpoint_tags"),
        Just("endpointTags"),
        Just("ip"),
        Just("ipv6"),
        Just("allIPs"),
        Just("users"),
        Just("events"),
        Just("user_name"),
        Just("mac"),
        Just("mac_address"),
        Just("mac_addresses"),
        Just("event_timestamp"),
        Just("actor_process_os_pid"),
        Just("action"),
        Just("action_pretty"),
        Just("host_ip"),
        Just("resolution_status"),
        Just("last_seen"),
        Just("cves"),
        Just("name"),
        Just("unknown"),
        Just("publication_date"),
    ]
    .prop_map(str::to_owned)
}

fn fields() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map(name(), anything(), 0..20)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

fn with_id(mut fields: Value, name: &str) -> Value {
    fields[name] = json!("id");
    fields
}

proptest! {
    #[test]
    fn nothing_that_the_api_gives_makes_a_reader_panic(raw in anything(), fields in fields()) {
        for value in [raw, fields] {
            let _ = endpoint(value.clone());
            let _ = alert(value.clone());
            let mut cves = Cves::default();
            if let Value::Object(row) = &value {
                cves.add(row.clone());
            }
            let _ = vulnerability(value, &cves);
        }
    }

    #[test]
    fn reading_a_source_record_again_gives_the_same_record(fields in fields()) {
        let once = endpoint(with_id(fields.clone(), "endpoint_id")).unwrap();
        prop_assert_eq!(&endpoint(Value::Object(once.fields.clone())).unwrap(), &once);
        let once = alert(with_id(fields, "alert_id")).unwrap();
        prop_assert_eq!(&alert(Value::Object(once.fields.clone())).unwrap(), &once);
    }

    #[test]
    fn the_body_is_the_record_and_its_keys_are_sorted(fields in fields()) {
        let record = endpoint(with_id(fields, "endpoint_id")).unwrap();
        prop_assert_eq!(Value::Object(record.fields).to_string().into_bytes(), record.body);
    }
}

#[test]
fn a_large_record_in_quarantine_is_cut() {
    let raw = json!({"text": "x".repeat(200_000)});
    assert_eq!(quarantined(None, &raw, "", "why").raw.len(), KEPT_BYTES);
}

fn records(reply: Value, list: &str) -> Vec<Value> {
    let reply = &reply["reply"];
    reply
        .get(list)
        .unwrap_or(reply)
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[test]
fn the_public_samples_of_endpoints_are_read() {
    for name in [
        "vendor-examples/get_endpoint.v3.json",
        "vendor-examples/get_endpoint.v5.json",
        "intezer-cortex-xdr-client/get_endpoint_response.json",
        "demisto-content/get_endpoints.json",
        "demisto-content/get_all_endpoints.json",
    ] {
        let Some(reply) = sample_json(name) else {
            continue;
        };
        let all = records(reply, "endpoints");
        assert!(!all.is_empty(), "{name}");
        for raw in all {
            let record = endpoint(raw.clone())
                .unwrap_or_else(|quarantined| panic!("{name}: {:?}", quarantined.problems));
            assert_eq!(record.key, raw["endpoint_id"].as_str().unwrap(), "{name}");
            for list in ["ip", "users", "group_name", "allIPs"] {
                assert!(
                    record.fields.get(list).is_none_or(Value::is_array),
                    "{name}: {list}"
                );
            }
            // Nothing is lost: what is not null is there, but for the older name of the tags.
            for (field, value) in raw.as_object().unwrap() {
                assert!(
                    value.is_null() || field == "endpointTags" || record.fields.contains_key(field),
                    "{name}: {field}"
                );
            }
        }
    }
}

#[test]
fn the_public_samples_of_alerts_are_read_from_each_shape() {
    for (name, events) in [
        ("intezer-cortex-xdr-client/get_alerts_response.json", 1),
        ("rapid7-insightconnect/monitor_alerts.json.resp", 1),
        ("rapid7-insightconnect/monitor_alerts_empty.json.resp", 0),
    ] {
        let Some(reply) = sample_json(name) else {
            continue;
        };
        for raw in records(reply, "alerts") {
            let record = alert(raw)
                .unwrap_or_else(|quarantined| panic!("{name}: {:?}", quarantined.problems));
            assert!(
                record.fields["events"].as_array().unwrap().len() >= events,
                "{name}"
            );
            for list in [
                "host_ip",
                "mitre_tactic_id_and_name",
                "mitre_technique_id_and_name",
                "tags",
            ] {
                let value = record.fields.get(list);
                assert!(value.is_none_or(Value::is_array), "{name}: {list}");
                assert!(
                    field::items(&record.fields, list).all(|item| !item.is_empty()),
                    "{name}: {list}"
                );
            }
            assert!(record.seen_at.is_some(), "{name}");
        }
    }
}
