//! The table that Qualys prints for its connector, each row at work. The table itself is not in the tree: the bundled map is it, row by row, which is
//! held against the printed page where that is at hand.

use super::bundled::{full_record, named};
use super::{run, told};
use crate::transform::bundled;
use serde_json::{Value, json};

/// The rows of the bundled map: source field, target field.
fn rows() -> Vec<(String, String)> {
    let map = bundled()
        .iter()
        .find(|map| map.name == "qualys-etm")
        .unwrap();
    let map: Value = serde_json::from_str(map.body).unwrap();
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
    let rules = map["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| (text(rule, "source"), text(rule, "target")))
        .collect()
}

/// The rows of the printed page; none where it is not at hand.
fn printed() -> Option<Vec<(String, String)>> {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/seeds/qualys-etm-cortex-xdr.txt"
    );
    let Ok(text) = std::fs::read_to_string(page) else {
        println!("{page} is not there: the bundled map is held against nothing but itself");
        return None;
    };
    let (_, table) = text.split_once("Target Field").unwrap();
    // The last row runs into what follows it.
    let (table, _) = table
        .split_once("About this document")
        .unwrap_or((table, ""));
    let rows = table.lines().filter_map(|line| {
        let (source, target) = line.trim().split_once(' ')?;
        Some((source.to_owned(), target.trim().to_owned()))
    });
    Some(rows.collect())
}

/// All values at a path, lists laid out flat.
fn values(json: &Value, path: &str) -> Vec<Value> {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let below = json.get(name.trim_end_matches("[]"));
    let each: Vec<Value> = match below {
        Some(Value::Array(items)) => items.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    };
    match rest {
        Some(rest) => each.iter().flat_map(|value| values(value, rest)).collect(),
        None => each,
    }
}

/// Removes what stands at a path from every list element.
fn remove(json: &mut Value, path: &str) {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let name = name.trim_end_matches("[]");
    match rest {
        None => {
            json.as_object_mut().unwrap().remove(name);
        }
        Some(rest) => match json.get_mut(name) {
            Some(Value::Array(items)) => items.iter_mut().for_each(|item| remove(item, rest)),
            Some(below) => remove(below, rest),
            None => {}
        },
    }
}

fn asset(record: &Value) -> Option<Value> {
    let outcome = run(&named("qualys-etm", "vulnerabilities"), record);
    outcome
        .documents
        .first()
        .map(|document| serde_json::from_slice(&document.body).unwrap())
}

#[test]
fn the_bundled_map_is_the_printed_table_row_by_row() {
    let rows = rows();
    assert_eq!(rows.len(), 22);
    for (at, row) in rows.iter().enumerate() {
        assert!(!rows[..at].contains(row), "{row:?} stands there twice");
    }
    if let Some(printed) = printed() {
        assert_eq!(rows, printed);
    }
}

#[test]
fn each_row_carries_the_values_of_its_source_to_its_target() {
    let record = full_record("vulnerabilities");
    let document = asset(&record).unwrap();
    for (source, target) in rows() {
        let mut expected = values(&record, &source);
        match target.as_str() {
            "firstFoundDate" => expected = vec![json!("2023-11-14T22:13:20.123Z")],
            "finding[].firstFoundOn" => expected = vec![json!("2021-05-18T09:59:28.000Z"); 2],
            "finding[].sourceRiskScore" => expected = vec![json!(9.8), json!(4.3)],
            "finding[].findingType.vulnerability.cveId" => expected.truncate(1),
            // The third element repeats the first one's name and is the same finding.
            _ if target.starts_with("finding[]") => expected.truncate(2),
            _ => {}
        }
        assert!(!expected.is_empty(), "{source}");
        assert_eq!(values(&document, &target), expected, "{source} to {target}");
    }
}

#[test]
fn each_target_is_empty_without_its_source() {
    for (source, target) in rows() {
        let mut record = full_record("vulnerabilities");
        remove(&mut record, &source);
        match asset(&record) {
            None => assert_eq!(target, "externalAssetId", "only the key is required"),
            Some(document) => assert_eq!(
                values(&document, &target),
                Vec::<Value>::new(),
                "{source} to {target}"
            ),
        }
    }
}

#[test]
fn addresses_stand_in_the_element_of_the_same_address_and_macs_alone() {
    let record = json!({
        "endpoint_id": "e", "ip": "10.0.0.1", "ipv6": ["fe80::1"], "allIPs": ["10.0.0.1", "fe80::1", "10.0.0.1"],
        "mac_address": ["m1", "m2"]
    });
    let document = asset(&record).unwrap();
    assert_eq!(
        document["networkInterfaces"],
        json!([
            {"ipAddress": "10.0.0.1", "ipv4Address": "10.0.0.1"},
            {"ipAddress": "fe80::1", "ipv6Address": "fe80::1"},
            {"macAddress": "m1"},
            {"macAddress": "m2"},
        ])
    );
}

#[test]
fn os_type_is_never_taken_for_the_operating_system() {
    let document = asset(
        &json!({"endpoint_id": "e", "os_type": "AGENT_OS_LINUX", "public_ip": "203.0.113.7"}),
    )
    .unwrap();
    assert_eq!(document, json!({"externalAssetId": "e"}));
}

/// The documents and problems of a record whose CVEs these are.
fn findings(cves: Value) -> (Vec<Value>, Vec<String>) {
    let record = json!({"endpoint_id": "e", "cves": cves});
    let outcome = run(&named("qualys-etm", "vulnerabilities"), &record);
    let asset: Value = serde_json::from_slice(&outcome.documents[0].body).unwrap();
    let findings: Vec<Value> = outcome.documents[1..]
        .iter()
        .map(|document| serde_json::from_slice(&document.body).unwrap())
        .collect();
    let nested = asset["finding"].as_array().cloned().unwrap_or_default();
    assert_eq!(nested, findings, "nested as they are on their own");
    (findings, told(&outcome))
}

#[test]
fn a_publication_date_is_milliseconds_or_the_streams_text() {
    for (written, expected) in [
        (json!(1_621_331_968_000_u64), "2021-05-18T09:59:28.000Z"),
        (json!(1_621_331_968_123_u64), "2021-05-18T09:59:28.123Z"),
        (json!("1621331968000"), "2021-05-18T09:59:28.000Z"),
        (json!("2021-05-18 09:59:28 UTC"), "2021-05-18T09:59:28.000Z"),
        (json!("2021-05-18T09:59:28Z"), "2021-05-18T09:59:28.000Z"),
    ] {
        let (found, problems) =
            findings(json!([{"name": "CVE-2024-1234", "publication_date": written}]));
        assert_eq!(found[0]["firstFoundOn"], expected, "{written}");
        assert_eq!(problems, Vec::<String>::new());
    }
    for bad in [json!(0), json!(-1), json!(1_621_331_968), json!("May")] {
        let (found, problems) =
            findings(json!([{"name": "CVE-2024-1234", "publication_date": bad}]));
        assert_eq!(found[0].get("firstFoundOn"), None, "{bad}");
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
        assert!(problems[0].starts_with("/cves/0/publication_date"));
    }
}

#[test]
fn a_repeated_name_is_one_finding_and_only_a_cve_id_is_a_cve_id() {
    let (found, problems) = findings(json!([
        {"name": "CVE-2024-1234", "severity": "HIGH"},
        {"name": "PAN-SA-2024-0001", "severity_score": "9.8"},
        {"name": "CVE-2024-1234", "severity": "LOW", "severity_score": 9.8},
    ]));
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        found,
        [
            json!({
                "externalFindingId": "CVE-2024-1234", "name": "CVE-2024-1234", "severity": "HIGH", "sourceSeverity": "HIGH", "sourceRiskScore": 9.8,
                "findingType": {"vulnerability": {"cveId": "CVE-2024-1234"}},
            }),
            json!({"externalFindingId": "PAN-SA-2024-0001", "name": "PAN-SA-2024-0001", "sourceRiskScore": 9.8}),
        ]
    );
}

#[test]
fn what_is_absent_null_or_empty_gives_no_key_and_no_empty_parent() {
    for nothing in [json!(null), json!("")] {
        let mut record = full_record("vulnerabilities");
        for (name, value) in record.as_object_mut().unwrap() {
            if name != "endpoint_id" {
                *value = nothing.clone();
            }
        }
        assert_eq!(asset(&record), Some(json!({"externalAssetId": "e-1"})));
    }
    let tags = json!({"endpoint_id": "e", "tags": {"server_tags": [], "endpoint_tags": []}});
    assert_eq!(
        asset(&tags).unwrap()["temp_q_customAttributes"],
        json!({"serverTags": [], "endPointTags": []}),
        "arrays as arrays, empty ones too"
    );
}
