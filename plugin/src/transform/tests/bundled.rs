//! The maps that come with the connector, over records that fill every field of their source.

use super::{run, shown, told};
use crate::configure::DataStream;
use crate::contract::{MapContext, Outcome};
use crate::describe::source_schema;
use crate::transform::{BundledMap, Mapper, bundled, prepare};
use serde_json::{Value, json};

/// The schema of a target model, as a host would hand it over.
pub(super) fn model(target: &str) -> Vec<u8> {
    let file: Value = serde_json::from_str(match target {
        "safe" => include_str!("../../../../host-runner/models/safe.json"),
        "ocsf" => include_str!("../../../../host-runner/models/ocsf.json"),
        _ => include_str!("../../../../host-runner/models/qualys-etm.json"),
    })
    .unwrap();
    assert_eq!(file["name"], target);
    serde_json::to_vec(&file["schema"]).unwrap()
}

pub(super) fn mapper(map: &BundledMap, custom_fields: &[&str]) -> Mapper {
    let context = MapContext {
        data_stream: map.data_stream.into(),
        custom_fields: custom_fields.iter().map(|&name| name.to_owned()).collect(),
        model: model(map.target),
    };
    prepare(map.body.as_bytes(), &context)
        .unwrap_or_else(|problems| panic!("{} for {}: {problems:#?}", map.name, map.data_stream))
}

pub(super) fn named(name: &str, data_stream: &str) -> Mapper {
    let map = bundled()
        .iter()
        .find(|map| map.name == name && map.data_stream == data_stream)
        .unwrap();
    mapper(map, &["cortexXdr-tags"])
}

/// A value of each property that a schema names, so that nothing is left out by accident.
fn filled(schema: &Value, name: &str) -> Value {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str().unwrap().to_owned(),
        kind => kind.as_str().unwrap_or("string").to_owned(),
    };
    match kind.as_str() {
        "object" => {
            let properties = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            properties
                .iter()
                .map(|(name, schema)| (name.clone(), filled(schema, name)))
                .collect()
        }
        "array" => json!([
            filled(&schema["items"], &format!("{name}-1")),
            filled(&schema["items"], &format!("{name}-2"))
        ]),
        "integer" => json!(1_700_000_000_123_u64),
        "number" => json!(9.8),
        "boolean" => json!(true),
        _ => json!(format!("the {name}")),
    }
}

/// A record of a data stream with a value in every field; where the form of a value matters, a likely one.
pub(super) fn full_record(data_stream: &str) -> Value {
    let schema: Value =
        serde_json::from_slice(&source_schema(DataStream::from_name(data_stream).unwrap()))
            .unwrap();
    let mut record = filled(&schema, "record");
    let known: Value = match data_stream {
        "alerts" => json!({
            "alert_id": "a-1", "endpoint_id": "e-1", "severity": "high", "source": "XDR BIOC", "host_name": "host-1",
            "host_ip": ["10.0.0.1", "10.0.0.2"], "mac": "00:50:56:00:00:01", "mac_addresses": ["00:50:56:00:00:01", "00:50:56:00:00:02"],
            "resolution_status": "STATUS_010_NEW", "mitre_tactic_id_and_name": ["TA0011 - Command and Control"],
        }),
        _ => json!({
            "endpoint_id": "e-1", "endpoint_name": "host-1", "endpoint_type": "AGENT_TYPE_SERVER", "operating_system": "Ubuntu 22.04",
            "os_version": "22.04.3", "ip": ["10.0.0.1", "172.17.0.1"], "ipv6": ["fe80::1"], "allIPs": ["10.0.0.1", "172.17.0.1", "fe80::1"],
            "mac_address": ["00:50:56:00:00:01", "00:50:56:00:00:02"], "cloud_provider": "AWS",
            "tags": {"server_tags": ["s-1", "s-2"], "endpoint_tags": ["t-1"]},
        }),
    };
    for (name, value) in known.as_object().unwrap() {
        record[name] = value.clone();
    }
    if data_stream == "vulnerabilities" {
        let first = &record["cves"][0];
        let (mut a, mut b) = (first.clone(), first.clone());
        a["name"] = json!("CVE-2024-1234");
        a["severity"] = json!("CRITICAL");
        a["publication_date"] = json!(1_621_331_968_000_u64);
        b["name"] = json!("PAN-SA-2024-0001");
        b["severity"] = json!("LOW");
        b["severity_score"] = json!("4.3");
        b["publication_date"] = json!("2021-05-18 09:59:28 UTC");
        let mut repeated = a.clone();
        repeated["description"] = json!("the same once more");
        record["cves"] = json!([a, b, repeated]);
    }
    record
}

/// The places of a record that a schema names and that hold nothing.
fn unfilled(schema: &Value, value: Option<&Value>, at: &str, found: &mut Vec<String>) {
    let empty = match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    };
    if empty {
        found.push(at.to_owned());
        return;
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, schema) in properties {
            let value = value.and_then(|value| value.get(name));
            unfilled(schema, value, &format!("{at}.{name}"), found);
        }
    }
    // What the first element of a list has, the list has.
    let first = value.and_then(|value| value.get(0));
    if schema.get("items").is_some() {
        unfilled(&schema["items"], first, &format!("{at}[]"), found);
    }
}

#[test]
fn the_record_that_the_snapshots_are_made_of_fills_every_field_of_its_schema() {
    for stream in DataStream::ALL {
        let schema: Value = serde_json::from_slice(&source_schema(stream)).unwrap();
        let record = full_record(stream.name());
        let mut found = Vec::new();
        unfilled(&schema, Some(&record), stream.name(), &mut found);
        assert_eq!(found, Vec::<String>::new());
        // And the test would see one that is missing.
        let names: Vec<&String> = record.as_object().unwrap().keys().collect();
        for name in names {
            let mut less = record.clone();
            less.as_object_mut().unwrap().remove(name);
            let mut found = Vec::new();
            unfilled(&schema, Some(&less), "", &mut found);
            assert!(found.contains(&format!(".{name}")), "{name}");
        }
    }
}

/// The snapshots show what is read: a path that a map reads has a value in the record that they are made of.
#[test]
fn every_path_that_a_bundled_map_reads_has_a_value_in_that_record() {
    fn reaches(value: &Value, path: &str) -> bool {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let (name, list) = match name.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let below = &value[name];
        let below = if list { &below[0] } else { below };
        !below.is_null() && (rest.is_empty() || reaches(below, rest))
    }
    for map in bundled() {
        let record = full_record(map.data_stream);
        let file: Value = serde_json::from_str(map.body).unwrap();
        let streams = file["source"].as_array().map_or(1, Vec::len);
        for path in mapper(map, &["cortexXdr-tags"]).reads() {
            // A map for several streams may read what only one of them has.
            assert!(
                reaches(&record, path) || streams > 1 && path.starts_with("cves"),
                "{}: {path}",
                map.name
            );
        }
    }
}

fn outcome(name: &str, data_stream: &str) -> Outcome {
    run(&named(name, data_stream), &full_record(data_stream))
}

#[test]
fn every_bundled_map_loads_against_its_schemas_and_says_who_it_is() {
    for map in bundled() {
        mapper(map, &[]);
        let json: Value = serde_json::from_str(map.body).unwrap();
        assert_eq!(json["name"], map.name);
        assert_eq!(json["target"], map.target);
    }
}

#[test]
fn names_are_unique_within_a_data_stream_and_safe_comes_first() {
    let mut names: Vec<_> = bundled()
        .iter()
        .map(|map| (map.name, map.data_stream))
        .collect();
    assert_eq!(names[0].0, "safe");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), bundled().len());
}

#[test]
fn whole_documents_of_the_bundled_maps_are_as_recorded() {
    for map in bundled() {
        let outcome = run(
            &mapper(map, &["cortexXdr-tags"]),
            &full_record(map.data_stream),
        );
        assert_eq!(
            told(&outcome),
            Vec::<String>::new(),
            "{} for {}",
            map.name,
            map.data_stream
        );
        insta::assert_json_snapshot!(format!("{}-{}", map.name, map.data_stream), shown(&outcome));
    }
}

#[test]
fn a_record_with_its_key_alone_gives_a_document_and_no_problem() {
    for map in bundled() {
        let key = if map.data_stream == "alerts" {
            "alert_id"
        } else {
            "endpoint_id"
        };
        let outcome = run(&mapper(map, &[]), &json!({key: "k"}));
        assert_eq!(
            (outcome.documents.len(), told(&outcome)),
            (1, Vec::new()),
            "{} for {}",
            map.name,
            map.data_stream
        );
        assert_eq!(outcome.documents[0].key, "k");
        let outcome = run(&mapper(map, &[]), &json!({key: null}));
        assert!(
            outcome.documents.is_empty() && !outcome.problems.is_empty(),
            "{} for {}",
            map.name,
            map.data_stream
        );
    }
}

#[test]
fn safe_fills_the_tags_only_into_a_custom_field_of_exactly_that_name() {
    let map = bundled()
        .iter()
        .find(|map| map.name == "safe" && map.data_stream == "endpoints")
        .unwrap();
    let tags = |custom_fields: &[&str], tags: Value| {
        let outcome = run(
            &mapper(map, custom_fields),
            &json!({"endpoint_id": "e", "tags": {"endpoint_tags": tags}}),
        );
        let body: Value = serde_json::from_slice(&outcome.documents[0].body).unwrap();
        body.get("customFields").cloned()
    };
    assert_eq!(
        tags(&["cortexXdr-tags"], json!(["a", "b"])),
        Some(json!({"cortexXdr-tags": ["a", "b"]}))
    );
    assert_eq!(
        tags(&["cortexXdr-tags"], json!([])),
        Some(json!({"cortexXdr-tags": []})),
        "an empty list clears the field"
    );
    assert_eq!(tags(&["cortexXdr-tags"], json!(null)), None);
    for near in ["cortexxdr-tags", "cortexXdr_tags", "cortexXdr-tags "] {
        assert_eq!(tags(&[near], json!(["a"])), None, "{near}");
    }
    assert_eq!(tags(&[], json!(["a"])), None);
}

// Qualys ETM's import rules: with the CVE's id alone as key, the same CVE on two assets is one finding.
#[test]
fn the_same_cve_on_two_assets_is_two_findings() {
    for name in ["safe", "qualys-etm", "qualys-etm-scoped"] {
        let key = |endpoint: &str| {
            let record = json!({"endpoint_id": endpoint, "cves": [{"name": "CVE-2024-1234"}]});
            let outcome = run(&named(name, "vulnerabilities"), &record);
            let finding = outcome.documents.last().unwrap();
            assert_eq!(finding.asset.as_deref(), Some(endpoint));
            finding.key.clone()
        };
        assert_eq!(
            (key("a"), key("b")),
            ("a|CVE-2024-1234".into(), "b|CVE-2024-1234".into()),
            "{name}"
        );
    }
}

#[test]
fn a_publication_date_is_not_taken_for_the_day_of_the_finding_by_the_scoped_map() {
    let body = |name: &str| -> Value {
        serde_json::from_slice(&outcome(name, "vulnerabilities").documents[1].body).unwrap()
    };
    assert_eq!(
        body("qualys-etm")["firstFoundOn"],
        "2021-05-18T09:59:28.000Z"
    );
    let scoped = body("qualys-etm-scoped");
    assert_eq!(
        (scoped.get("firstFoundOn"), &scoped["externalFindingId"]),
        (None, &json!("e-1|CVE-2024-1234"))
    );
    assert_eq!(
        (&scoped["severity"], &scoped["sourceSeverity"]),
        (&json!(5), &json!("CRITICAL"))
    );
    let outcome = outcome("qualys-etm-scoped", "vulnerabilities");
    assert!(
        outcome.documents[1]
            .placeholders
            .iter()
            .any(|held| held.pointer == "/firstFoundOn")
    );
}

// mondoohq/cnspec #3558: every failing check became Critical.
#[test]
fn an_unknown_severity_is_never_taken_for_a_bad_one() {
    for (word, facet, problems) in [
        ("UNKNOWN", "unknown", 0),
        ("Catastrophic", "unknown", 1),
        ("", "unknown", 0),
        ("info", "informational", 1),
    ] {
        for (name, may_tell) in [("safe", false), ("qualys-etm-scoped", true)] {
            let outcome = run(
                &named(name, "alerts"),
                &json!({"alert_id": "a", "severity": word}),
            );
            assert!(
                outcome.documents[0]
                    .facets
                    .contains(&("severity".into(), facet.into())),
                "{name} {word}"
            );
            assert_eq!(
                outcome.problems.len(),
                if may_tell { problems } else { 0 },
                "{name} {word}"
            );
        }
    }
}

#[test]
fn first_seen_that_is_no_time_is_a_problem_and_no_key() {
    for bad in [
        json!(0),
        json!(-1),
        json!(1_700_000_000),
        json!("yesterday"),
        json!({"a": 1}),
    ] {
        let outcome = run(
            &named("qualys-etm", "endpoints"),
            &json!({"endpoint_id": "e", "endpoint_name": "n", "first_seen": bad}),
        );
        assert_eq!(
            outcome.documents[0].body,
            br#"{"externalAssetId":"e","hostName":"n"}"#
        );
        assert!(
            told(&outcome).len() == 1 && told(&outcome)[0].starts_with("/first_seen: "),
            "{:?}",
            told(&outcome)
        );
    }
}

/// The JSON documents in the indented blocks of the maps' README, in order.
fn examples() -> Vec<Value> {
    let readme = include_str!("../../../maps/README.md");
    let mut blocks = vec![String::new()];
    for line in readme.lines() {
        match (line.strip_prefix("    "), blocks.last_mut()) {
            (Some(code), Some(block)) => block.push_str(code),
            (None, Some(block)) if !line.is_empty() && !block.is_empty() => {
                blocks.push(String::new())
            }
            _ => {}
        }
    }
    blocks
        .iter()
        .filter_map(|block| serde_json::from_str(block).ok())
        .collect()
}

#[test]
fn the_example_of_the_readme_gives_what_the_readme_says() {
    let examples = examples();
    let (record, map, asset) = (&examples[0], &examples[1], &examples[2]);
    let context = MapContext {
        data_stream: "vulnerabilities".into(),
        custom_fields: Vec::new(),
        model: model("qualys-etm"),
    };
    let outcome = run(
        &prepare(&serde_json::to_vec(map).unwrap(), &context).unwrap(),
        record,
    );
    assert_eq!(told(&outcome), Vec::<String>::new());
    let body = |at: usize| serde_json::from_slice::<Value>(&outcome.documents[at].body).unwrap();
    let keys: Vec<_> = outcome
        .documents
        .iter()
        .map(|document| document.key.as_str())
        .collect();
    assert_eq!(keys, ["e-1", "e-1|CVE-2024-1234", "e-1|PAN-SA-2024-0001"]);
    assert_eq!(body(0), *asset);
    assert_eq!(
        (body(1), body(2)),
        (asset["finding"][0].clone(), asset["finding"][1].clone())
    );
}
