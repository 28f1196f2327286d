//! Records as the connector reads them, held against the schemas that maps are checked with.

use super::source_schema;
use crate::configure::DataStream;
use crate::record;
use crate::testing::sample_json;
use serde_json::{Map, Value, json};

/// Places where a value is of another type than the schema says.
fn misfits(place: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let of_type = |name: &str| match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place}: a type that JSON Schema does not have: {other}"),
    };
    let fits = match &schema["type"] {
        Value::String(name) => of_type(name),
        Value::Array(names) => names.iter().any(|name| of_type(name.as_str().unwrap())),
        _ => true,
    };
    if !fits {
        found.push(format!("{place}: {value}"));
    }
    if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    {
        for (name, value) in fields {
            if let Some(schema) = properties.get(name) {
                misfits(&format!("{place}.{name}"), schema, value, found);
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(required.as_str().unwrap()) {
                found.push(format!("{place}: {required} is missing"));
            }
        }
    }
    if let Some(items) = value.as_array() {
        for (position, item) in items.iter().enumerate() {
            misfits(
                &format!("{place}[{position}]"),
                &schema["items"],
                item,
                found,
            );
        }
    }
}

#[track_caller]
fn fits(stream: DataStream, record: &Map<String, Value>) {
    let schema: Value = serde_json::from_slice(&source_schema(stream)).unwrap();
    let mut found = Vec::new();
    misfits(
        stream.name(),
        &schema,
        &Value::Object(record.clone()),
        &mut found,
    );
    assert!(found.is_empty(), "{found:#?}");
}

fn old_endpoint() -> Value {
    json!({
        "endpoint_id": "0a1b", "endpoint_name": "host", "ip": "10.0.0.1", "ipv6": null, "mac_address": null, "group_name": null,
        "active_directory": null, "endpointTags": "a,b", "users": "root", "first_seen": "1606218417067", "os_version": 10,
        "operational_status_details": [{"title": "t", "reason": "r"}],
    })
}

#[test]
fn an_endpoint_from_loose_types_fits() {
    let record = record::endpoint(old_endpoint()).unwrap();
    fits(DataStream::Endpoints, &record.fields);
}

#[test]
fn an_endpoint_with_cves_fits() {
    let row = json!({
        "endpoint_id": "0a1b", "name": "CVE-2024-0001", "severity": "HIGH", "severity_score": 9.8, "publication_date": "2021-05-18 09:59:28 UTC",
        "affected_products": "product", "os_type": "AGENT_OS_LINUX", "description": "text",
    });
    let mut cves = record::Cves::default();
    cves.add(row.as_object().unwrap().clone());
    let record = record::vulnerability(old_endpoint(), &cves).unwrap();
    let fields: Map<String, Value> = serde_json::from_slice(&record.body).unwrap();
    assert_eq!(fields["cves"].as_array().unwrap().len(), 1);
    fits(DataStream::Vulnerabilities, &fields);
}

#[test]
fn an_alert_of_each_shape_fits() {
    for raw in [
        json!({"alert_id": 7, "host_ip": "10.0.0.1", "mitre_tactic_id_and_name": "T", "tags": "DS:x", "user_name": "u", "event_type": "File Event",
               "case_id": 12, "mac_address": "m", "is_pcap": false}),
        json!({"alert_id": "7", "host_ip": ["10.0.0.1"], "events": [{"event_type": "File Event", "event_timestamp": 1_603_279_888_980_u64}]}),
        json!({"alert_id": "7", "host_ip": null, "events": null, "event_type": ["File Event"], "actor_process_os_pid": [996]}),
    ] {
        let record = record::alert(raw).unwrap();
        fits(DataStream::Alerts, &record.fields);
    }
}

#[test]
fn records_of_public_samples_fit_where_the_samples_are_there() {
    for name in [
        "intezer-cortex-xdr-client/get_endpoint_response.json",
        "demisto-content/get_endpoints.json",
    ] {
        let Some(reply) = sample_json(name) else {
            continue;
        };
        let records = reply["reply"]["endpoints"].as_array().unwrap().clone();
        assert!(!records.is_empty(), "{name}");
        for raw in records {
            fits(
                DataStream::Endpoints,
                &record::endpoint(raw).unwrap().fields,
            );
        }
    }
    for name in [
        "intezer-cortex-xdr-client/get_alerts_response.json",
        "rapid7-insightconnect/monitor_alerts.json.resp",
    ] {
        let Some(reply) = sample_json(name) else {
            continue;
        };
        let records = reply["reply"]["alerts"].as_array().unwrap().clone();
        assert!(!records.is_empty(), "{name}");
        for raw in records {
            fits(DataStream::Alerts, &record::alert(raw).unwrap().fields);
        }
    }
}

#[test]
fn what_tells_who_or_where_somebody_is_says_so() {
    const STREAMS: [DataStream; 3] = [
        DataStream::Endpoints,
        DataStream::Alerts,
        DataStream::Vulnerabilities,
    ];
    fn marks(schema: &Value, found: &mut Vec<(String, String)>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(mark) = property.get("x-personal") {
                found.push((name.clone(), mark.as_str().unwrap().to_owned()));
            }
            marks(property, found);
            marks(&property["items"], found);
        }
    }
    for stream in STREAMS {
        let schema: Value = serde_json::from_slice(&source_schema(stream)).unwrap();
        let mut found = Vec::new();
        marks(&schema, &mut found);
        for (name, mark) in &found {
            assert!(
                ["user", "host", "address", "id"].contains(&mark.as_str()),
                "{name}: {mark}"
            );
        }
        let user = match stream {
            DataStream::Alerts => "user_name",
            DataStream::Endpoints | DataStream::Vulnerabilities => "users",
        };
        assert!(found.contains(&(user.to_owned(), "user".to_owned())));
        assert!(found.contains(&("endpoint_id".to_owned(), "id".to_owned())));
    }
}
