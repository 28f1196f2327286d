//! Each row of the table that Qualys prints for its connector, at work.

use super::bundled::{full_record, named};
use super::run;
use crate::transform::bundled;
use serde_json::{Value, json};

/// The table: source field, target field.
const ROWS: [(&str, &str); 22] = [
    ("endpoint_id", "externalAssetId"),
    ("endpoint_name", "hostName"),
    ("operating_system", "operatingSystem.name"),
    ("os_version", "operatingSystem.version"),
    ("domain", "domain"),
    ("endpoint_type", "type"),
    ("first_seen", "firstFoundDate"),
    ("allIPs", "networkInterfaces[].ipAddress"),
    ("ip", "networkInterfaces[].ipv4Address"),
    ("ipv6", "networkInterfaces[].ipv6Address"),
    ("mac_address[]", "networkInterfaces[].macAddress"),
    ("tags.server_tags", "temp_q_customAttributes.serverTags"),
    ("tags.endpoint_tags", "temp_q_customAttributes.endPointTags"),
    ("cves[].name", "finding[].externalFindingId"),
    ("cves[].name", "finding[].findingType.vulnerability.cveId"),
    ("cves[].severity", "finding[].severity"),
    ("cves[].description", "finding[].description"),
    ("cves[].publication_date", "finding[].firstFoundOn"),
    ("cves[].severity_score", "finding[].sourceRiskScore"),
    ("cves[].severity", "finding[].sourceSeverity"),
    ("cves[].name", "finding[].name"),
    ("cloud_provider", "asset.assetDetail.cloudInfo.provider"),
];

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
fn the_bundled_map_is_the_table_row_by_row() {
    let map = bundled()
        .iter()
        .find(|map| map.name == "qualys-etm")
        .unwrap();
    let map: Value = serde_json::from_str(map.body).unwrap();
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
    let rules: Vec<(String, String)> = map["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (text(rule, "source"), text(rule, "target")))
        .collect();
    let rows: Vec<(String, String)> = ROWS
        .iter()
        .map(|&(source, target)| (source.to_owned(), target.to_owned()))
        .collect();
    assert_eq!(rules, rows);
}

#[test]
fn the_table_here_is_the_one_in_the_seed() {
    let seed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/seeds/qualys-etm-cortex-xdr.txt"
    );
    let Ok(text) = std::fs::read_to_string(seed) else {
        println!("skipped: {seed} is not there");
        return;
    };
    let (_, table) = text.split_once("Target Field").unwrap();
    // The seed's last row runs into what follows it.
    let (table, _) = table
        .split_once("About this document")
        .unwrap_or((table, ""));
    let rows: Vec<(&str, &str)> = table
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .collect();
    assert_eq!(rows, ROWS);
}

#[test]
fn each_row_carries_the_values_of_its_source_to_its_target() {
    let record = full_record("vulnerabilities");
    let document = asset(&record).unwrap();
    for (source, target) in ROWS {
        let mut expected = values(&record, source);
        match target {
            "firstFoundDate" => expected = vec![json!("2023-11-14T22:13:20.123Z")],
            "finding[].firstFoundOn" => expected = vec![json!("2021-05-18T09:59:28.000Z"); 2],
            "finding[].sourceRiskScore" => expected = vec![json!(9.8), json!(4.3)],
            "finding[].findingType.vulnerability.cveId" => expected.truncate(1),
            // The third element repeats the first one's name and is the same finding.
            _ if target.starts_with("finding[]") => expected.truncate(2),
            _ => {}
        }
        assert!(!expected.is_empty(), "{source}");
        assert_eq!(values(&document, target), expected, "{source} to {target}");
    }
}

#[test]
fn each_target_is_empty_without_its_source() {
    for (source, target) in ROWS {
        let mut record = full_record("vulnerabilities");
        remove(&mut record, source);
        match asset(&record) {
            None => assert_eq!(target, "externalAssetId", "only the key is required"),
            Some(document) => assert_eq!(
                values(&document, target),
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
