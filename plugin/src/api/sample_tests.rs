//! The public samples of replies, read by the client.

use super::*;
use crate::configure::{SecurityLevel, Settings};
use crate::describe::Call;
use crate::testing::{Answer, FakePlatform, block_on, sample, sample_json};
use serde_json::{Value, json};

/// A client whose every call is answered so.
fn client(answer: Answer) -> Client<FakePlatform> {
    let config = json!({"baseUrl": "mycompany.xdr.us.paloaltonetworks.com", "apiKeyId": "7"});
    let mut settings = Settings::from_config(config.to_string().as_bytes()).unwrap();
    settings.security_level = SecurityLevel::Standard;
    Client::new(FakePlatform::new(move |_| Ok(answer.clone())), &settings)
}

fn results(answer: &Value) -> QueryAnswer {
    let client = client(Answer::json(200, answer));
    block_on(client.xql_results("id")).unwrap().value
}

#[test]
fn the_public_samples_of_xql_are_read() {
    for name in [
        "intezer-cortex-xdr-client/start_xql_response.json",
        "rapid7-insightconnect/start_xql_query.json.resp",
    ] {
        let Some(reply) = sample_json(name) else {
            continue;
        };
        let id = block_on(client(Answer::json(200, &reply)).start_xql_query("", 0)).unwrap();
        assert_eq!(Value::from(id.value), reply["reply"], "{name}");
    }
    for name in [
        "intezer-cortex-xdr-client/get_xql_results_response.json",
        "rapid7-insightconnect/get_query_results.json.resp",
    ] {
        let Some(reply) = sample_json(name) else {
            continue;
        };
        let answer = results(&reply);
        assert_eq!(answer.status, QueryStatus::Success, "{name}");
        assert_eq!(answer.number_of_results, Some(3), "{name}");
        assert!(answer.cost.is_some_and(|cost| cost > 0.0), "{name}");
        assert!(
            answer.remaining_quota.is_some_and(|left| left > 4.0),
            "{name}"
        );
        let Some(QueryRows::Inline(rows)) = answer.rows else {
            panic!("{name}: no rows");
        };
        assert_eq!(rows[0]["event_id"], "eventID1", "{name}");
    }
}

#[test]
fn the_public_sample_of_a_stream_is_read_row_by_row() {
    let name = "intezer-cortex-xdr-client/get_xql_result_stream_response.ndjson";
    let Some(bytes) = sample(name) else { return };
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let expected: Vec<StreamRow> = lines
        .map(|line| StreamRow::Row(serde_json::from_slice(line).unwrap()))
        .collect();
    let mut stream = block_on(client(Answer::new(200, bytes.clone())).xql_stream("id")).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = block_on(stream.next()).unwrap() {
        rows.push(row);
    }
    assert!(!rows.is_empty());
    assert_eq!(rows, expected);
}

#[test]
fn the_public_samples_of_query_states_quotas_and_errors_are_told_apart() {
    let Some(samples) = sample_json("stix-shifter/paloalto_transmission_mocks.json") else {
        return;
    };
    for (name, status) in [
        ("test_status_response", QueryStatus::Success),
        ("test_status_pending_response", QueryStatus::Pending),
        (
            "test_status_partial_success_exception",
            QueryStatus::PartialSuccess,
        ),
        ("test_status_fail_exception", QueryStatus::Failed),
    ] {
        assert_eq!(results(&samples[name][0]).status, status, "{name}");
    }
    for (name, daily, used) in [
        ("test_ping", None, 0.080_152_777_777_777_75),
        ("test_max_quota_exception", Some(5.0), 5.01),
        ("test_max_additional_quota_exception", Some(15.0), 12.0),
    ] {
        let client = client(Answer::json(200, &samples[name][0]));
        let quota = block_on(client.xql_quota()).unwrap().value;
        assert_eq!(
            (quota.daily(), quota.used_quota),
            (daily, Some(used)),
            "{name}"
        );
    }
    for (name, status, kind) in [
        ("test_ping_400_exception", 400, FaultKind::BadRequest),
        ("test_ping_401_auth_exception", 401, FaultKind::Unauthorized),
        (
            "test_ping_402_license_exception",
            402,
            FaultKind::Unlicensed,
        ),
        ("test_status_403_exception", 403, FaultKind::Forbidden),
        ("test_ping_500_exception", 500, FaultKind::QueryRefused),
        (
            "test_ping_internal_server_exception",
            500,
            FaultKind::Refused,
        ),
    ] {
        let client = client(Answer::json(status, &samples[name][0]));
        let fault = block_on(client.xql_quota()).unwrap_err();
        assert_eq!(fault.kind, kind, "{name}: {fault}");
        assert_eq!(fault.call, Call::GetXqlQuota);
    }
}

#[test]
fn the_public_sample_of_a_tenants_licences_is_read() {
    let Some(reply) = sample_json("demisto-content/get_tenant_info.json") else {
        return;
    };
    let info = block_on(client(Answer::json(200, &reply)).tenant_info()).unwrap();
    assert_eq!(info.value.host_insights(), Some(true));
    assert_eq!(info.value.0["purchased_pro_per_endpoint"]["agents"], 500);
}
