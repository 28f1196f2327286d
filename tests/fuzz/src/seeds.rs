//! Where the search begins: a few inputs of each target that lead behind the first checks. A fuzzer finds the rest.

use crate::BETWEEN;
use cortex_xdr::transform::bundled;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

/// Where a target's seeds are written before the search, if anywhere.
const PLACE: &str = "FUZZ_SEEDS";

/// Writes a target's seeds into the folder that the environment names, which the fuzzer reads after that.
///
/// # Panics
/// Where the folder can't be written to.
pub fn plant(target: &str) {
    let Some(folder) = std::env::var_os(PLACE).map(std::path::PathBuf::from) else {
        return;
    };
    for (number, (of, seed)) in seeds().into_iter().enumerate() {
        if of == target {
            std::fs::write(folder.join(format!("seed-{number:02}")), seed).expect("a seed is written");
        }
    }
}

/// The target and the input, of each seed.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    seeds.extend(replies().into_iter().map(|seed| ("replies", seed)));
    seeds.extend(rows().into_iter().map(|seed| ("rows", seed)));
    seeds.extend(maps().into_iter().map(|seed| ("maps", seed)));
    seeds.extend(configurations().into_iter().map(|seed| ("configuration", seed)));
    seeds.extend(siftings().into_iter().map(|seed| ("sift", seed)));
    seeds.extend(components().into_iter().map(|seed| ("component", seed)));
    seeds
}

fn endpoint() -> Value {
    json!({
        "endpoint_id": "0123456789abcdef0123456789abcdef", "endpoint_name": "host-1", "endpoint_type": "AGENT_TYPE_SERVER",
        "endpoint_status": "CONNECTED", "os_type": "AGENT_OS_LINUX", "ip": ["192.0.2.1"], "ipv6": [], "domain": "example",
        "first_seen": 1_700_000_000_000_u64, "last_seen": 1_709_000_000_000_u64, "users": ["a user"],
        "mac_address": ["00:00:5e:00:53:01"], "tags": {"server_tags": ["a tag"], "endpoint_tags": []},
    })
}

fn alert() -> Value {
    json!({
        "alert_id": "7", "detection_timestamp": 1_700_000_000_000_u64, "severity": "SEV_030_MEDIUM", "name": "an alert",
        "status": "STATUS_010_NEW", "endpoint_id": "0123456789abcdef0123456789abcdef", "host_name": "host-1", "events": [{"a": 1}],
    })
}

fn row() -> Value {
    json!({
        "endpoint_id": "0123456789abcdef0123456789abcdef", "endpoint_name": "host-1", "cves": "CVE-2024-0001", "name": "CVE-2024-0001",
        "severity": "HIGH", "severity_score": 8.5, "publication_date": 1_700_000_000_000_u64, "description": "what it is",
    })
}

/// A verb and its answers, all of status 200.
fn answered(verb: u8, answers: &[Value]) -> Vec<u8> {
    let mut seed = vec![verb];
    for (number, answer) in answers.iter().enumerate() {
        if number > 0 {
            seed.push(BETWEEN);
        }
        seed.push(0);
        seed.extend(answer.to_string().bytes());
    }
    seed
}

fn replies() -> Vec<Vec<u8>> {
    let page = |list: &str, records: &[Value]| {
        json!({"reply": {"total_count": records.len(), "result_count": records.len(), list: records}})
    };
    let endpoints = page("endpoints", &[endpoint()]);
    let alerts = page("alerts", &[alert()]);
    let refused = json!({"reply": {"err_code": 500, "err_msg": "An error occurred", "err_extra": "why"}});
    let quota = json!({"reply": {"license_quota": 5, "used_quota": 1.5, "remaining_quota": 4.0}});
    let results = json!({"reply": {"status": "SUCCESS", "number_of_results": 1, "results": {"data": [row()]}}});
    vec![
        answered(0, &[json!({"status": "available"}), endpoints.clone(), alerts.clone(), quota.clone()]),
        answered(1, &[endpoints.clone(), endpoints.clone(), alerts.clone()]),
        answered(2, &[endpoints.clone(), page("endpoints", &[])]),
        answered(3, &[endpoints.clone(), page("endpoints", &[])]),
        answered(4, &[alerts, page("alerts", &[])]),
        answered(5, &[json!({"reply": {}}), quota, json!({"reply": "query-1"}), results, endpoints]),
        answered(2, &[refused]),
    ]
}

fn rows() -> Vec<Vec<u8>> {
    let lines = format!("{}\n{}\n", row(), row());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = packed.write_all(lines.as_bytes()).and_then(|()| packed.finish());
    vec![
        [&[2][..], lines.as_bytes()].concat(),
        [&[2][..], &packed.unwrap_or_default()].concat(),
        [&[0][..], b"{\"reply\": {\"err_code\": 500}}"].concat(),
    ]
}

fn maps() -> Vec<Vec<u8>> {
    let with = |first: &[u8], record: Value| [first, &[BETWEEN], record.to_string().as_bytes()].concat();
    let mut seeds = Vec::new();
    for (number, map) in bundled().iter().enumerate() {
        let record = if map.data_stream == "alerts" { alert() } else { endpoint() };
        seeds.push(with(&[u8::try_from(number).unwrap_or_default()], record.clone()));
        if map.body.len() < 8_000 {
            seeds.push(with(map.body.as_bytes(), record));
        }
    }
    seeds
}

fn configurations() -> Vec<Vec<u8>> {
    let whole = json!({
        "baseUrl": "https://api-example.xdr.us.paloaltonetworks.com", "apiKeyId": "7", "securityLevel": "standard",
        "dataStreams": ["endpoints", "alerts"], "tags": "a, b", "fullSyncEveryDays": 7, "autoOnboardAssets": true,
    });
    [
        "https://api-example.xdr.us.paloaltonetworks.com/public_api/v1",
        "example.xdr.eu.paloaltonetworks.com",
        "HTTPS://API-EXAMPLE.xdr.us.paloaltonetworks.com:443//",
        "http://127.0.0.1:8732",
        "https://[::1]:1",
        "https://user@example.com",
        &whole.to_string(),
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

fn siftings() -> Vec<Vec<u8>> {
    let config = json!({
        "baseUrl": "https://api-example.xdr.us.paloaltonetworks.com", "apiKeyId": "7", "dataStreams": ["endpoints", "alerts", "vulnerabilities"],
        "tags": ["a tag"], "endpointStatuses": ["connected"], "alertSources": ["XDR BIOC"], "alertStatuses": ["New"],
    });
    [(0, endpoint()), (1, alert()), (2, endpoint())]
        .into_iter()
        .map(|(stream, record)| [&[stream][..], config.to_string().as_bytes(), &[BETWEEN], record.to_string().as_bytes()].concat())
        .collect()
}

fn components() -> Vec<Vec<u8>> {
    [
        "(component)",
        "(module)",
        "(component (import \"connector:platform/log@0.1.0\" (instance)))",
        "(component (component (import \"a\" (func))) (core module (func (result i32) i32.const 0)))",
        "(component (type $t (func)) (import \"f\" (func $f (type $t))) (export \"g\" (func $f)))",
    ]
    .into_iter()
    .filter_map(|text| wat::parse_str(text).ok())
    .collect()
}
