//! Findings of different records have different keys, whatever the map says.

use super::bundled::{full_record, model, named};
use super::{asset_map, entry_key, load, run};
use crate::configure::DataStream;
use crate::contract::{DocumentKind, MapContext, Outcome};
use crate::describe::source_key;
use crate::transform::{bundled, prepare};
use serde_json::{Value, json};

fn findings(outcome: &Outcome) -> Vec<&str> {
    let all = outcome.documents.iter();
    all.filter(|document| document.kind == DocumentKind::Finding)
        .map(|document| document.key.as_str())
        .collect()
}

#[test]
fn a_key_that_does_not_tell_its_record_gets_the_records_own_in_front() {
    for (key, expected) in [
        (json!("cves[].name"), ["e1|A", "e1|B"]),
        (
            json!({"source": ["id", "cves[].name"], "convert": {"concat": {"separator": "|"}}}),
            ["e1|A", "e1|B"],
        ),
        (
            json!({"source": ["id", "cves[].name"], "convert": {"concat": {"separator": "-"}}}),
            ["e1-A", "e1-B"],
        ),
        // Without a separator e1 and 2 are as e12 and nothing.
        (
            json!({"source": ["id", "cves[].name"], "convert": "concat"}),
            ["e1|e1A", "e1|e1B"],
        ),
    ] {
        let mut map = asset_map(json!([]));
        map["finding"] = json!({"key": key, "list": "finding[]", "each": "cves[]"});
        let record = json!({"id": "e1", "cves": [{"name": "A"}, {"name": "B"}, {"name": "A"}]});
        let outcome = run(&load(&map).unwrap(), &record);
        assert_eq!(findings(&outcome), expected, "{key}");
        let traces = load(&map)
            .unwrap()
            .explain(&entry_key(&record), &serde_json::to_vec(&record).unwrap())
            .unwrap();
        let explained: Vec<&str> = traces.iter().map(|trace| trace.key.as_str()).collect();
        assert_eq!(explained[1..], expected, "{key}");
    }
    let mut map = asset_map(json!([]));
    map.as_object_mut().unwrap().remove("asset");
    map["finding"] = json!({"key": "name"});
    let outcome = run(&load(&map).unwrap(), &json!({"id": "a1", "name": "A"}));
    assert_eq!(findings(&outcome), ["a1|A"]);
}

#[test]
fn the_same_cve_on_two_assets_is_two_findings_by_a_map_that_names_the_cve_alone() {
    let scoped = bundled()
        .iter()
        .find(|map| map.name == "qualys-etm-scoped" && map.data_stream == "vulnerabilities")
        .unwrap();
    let mut map: Value = serde_json::from_str(scoped.body).unwrap();
    map["finding"]["key"] = json!("cves[].name");
    let context = MapContext {
        data_stream: "vulnerabilities".into(),
        custom_fields: Vec::new(),
        model: model("qualys-etm"),
    };
    let mapper = prepare(&serde_json::to_vec(&map).unwrap(), &context).unwrap();
    for endpoint in ["e-1", "e-2"] {
        let record = json!({"endpoint_id": endpoint, "cves": [{"name": "CVE-2024-1234"}]});
        // Whatever whoever holds the record calls its entry: it says itself what it is.
        let outcome = mapper.apply_one("line-7", &serde_json::to_vec(&record).unwrap());
        assert_eq!(findings(&outcome), [format!("{endpoint}|CVE-2024-1234")]);
    }
}

#[test]
fn keys_by_the_bundled_maps_are_as_the_maps_make_them() {
    for map in bundled() {
        let record = full_record(map.data_stream);
        let outcome = run(&named(map.name, map.data_stream), &record);
        let expected = match map.data_stream {
            "alerts" => vec!["a-1"],
            "endpoints" => vec![],
            _ => vec!["e-1|CVE-2024-1234", "e-1|PAN-SA-2024-0001"],
        };
        assert_eq!(
            findings(&outcome),
            expected,
            "{} for {}",
            map.name,
            map.data_stream
        );
    }
}

#[test]
fn the_field_that_holds_a_records_key_is_required_of_it() {
    for stream in DataStream::ALL {
        let schema = crate::describe::source_schema(stream);
        let schema: Value = serde_json::from_slice(&schema).unwrap();
        let required = schema["required"].as_array().unwrap();
        assert!(
            required.contains(&json!(source_key(stream))),
            "{}",
            stream.name()
        );
    }
}
