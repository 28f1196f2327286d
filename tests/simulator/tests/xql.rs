//! XQL over HTTP: start, poll, inline results, streams, quota.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::io::Read;

use cortex_xdr_simulator::{Options, StreamGzip, XqlOutcome};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use support::{Tenant, small, start};

const JOINED: &str = "dataset = va_endpoints | arrayexpand cves | join type = left (dataset = va_cves \
    | fields name, description, severity, severity_score, publication_date) as c c.name = cves \
    | fields endpoint_id, endpoint_name, cves, description, severity, severity_score, publication_date | sort asc endpoint_id, asc cves";

async fn query(tenant: &Tenant, text: &str) -> String {
    let id = tenant
        .ok(
            "v1/xql/start_xql_query",
            json!({ "query": text, "tenants": [] }),
        )
        .await;
    id.as_str().expect("a bare text").to_owned()
}

async fn results(tenant: &Tenant, text: &str, mut data: Value) -> Value {
    data["query_id"] = json!(query(tenant, text).await);
    data["pending_flag"] = json!(false);
    tenant.ok("v1/xql/get_query_results", data).await
}

/// Pairs of endpoint and CVE as the tenant holds them, sorted.
fn truth(tenant: &Tenant) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for endpoint in tenant.simulator.tenant().vulnerabilities() {
        if endpoint.cves.is_empty() {
            pairs.push((endpoint.endpoint_id.clone(), "No CVEs Found".to_owned()));
        }
        pairs.extend(
            endpoint
                .cves
                .into_iter()
                .map(|cve| (endpoint.endpoint_id.clone(), cve)),
        );
    }
    pairs.sort();
    pairs
}

fn pair(row: &Value) -> (String, String) {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    (text("endpoint_id"), text("cves"))
}

async fn stream(tenant: &Tenant, id: &str, ask_gzip: bool, accept: bool) -> (Vec<u8>, bool) {
    let client = reqwest::Client::builder().gzip(false).build().unwrap();
    let mut request = client.post(format!(
        "{}/public_api/v1/xql/get_query_results_stream",
        tenant.simulator.url()
    ));
    for (name, value) in tenant.headers() {
        request = request.header(name, value);
    }
    if accept {
        request = request.header("accept-encoding", "gzip");
    }
    let body = json!({ "request_data": { "stream_id": id, "is_gzip_compressed": ask_gzip } });
    let reply = request.json(&body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let encoded = reply.headers().contains_key("content-encoding");
    (reply.bytes().await.unwrap().to_vec(), encoded)
}

fn unpack(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    std::str::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_joined_query_gives_every_cve_of_every_scanned_endpoint() {
    let tenant = start(Options {
        endpoints: 60,
        ..small()
    })
    .await;
    let reply = results(&tenant, JOINED, json!({})).await;
    assert_eq!(reply["status"], "SUCCESS");
    let rows = reply["results"]["data"].as_array().unwrap();
    assert_eq!(rows.iter().map(pair).collect::<Vec<_>>(), truth(&tenant));
    let cves = tenant.simulator.tenant().cves();
    for row in rows {
        match cves.iter().find(|cve| row["cves"] == json!(cve.name)) {
            Some(cve) => {
                assert_eq!(row["severity"], json!(cve.severity));
                assert_eq!(row["severity_score"], json!(cve.severity_score));
                assert_eq!(row["publication_date"], json!(cve.publication_date));
            }
            None => assert!(row["cves"] == "No CVEs Found" && row["severity"].is_null()),
        }
    }
    assert!(
        tenant.simulator.tenant().vulnerabilities().len() < 60,
        "some were never scanned"
    );
    assert!(rows.iter().any(|row| row["cves"] == "No CVEs Found"));
}

#[tokio::test]
async fn more_than_a_thousand_rows_need_a_stream_and_a_limit_cuts_silently() {
    let tenant = start(Options {
        endpoints: 800,
        ..small()
    })
    .await;
    let expected = truth(&tenant);
    assert!(expected.len() > 2_000);
    let reply = results(&tenant, JOINED, json!({})).await;
    assert_eq!(
        (&reply["number_of_results"], &reply["results"]["data"]),
        (&json!(expected.len()), &json!(null))
    );
    let id = reply["results"]["stream_id"].as_str().unwrap();
    let (bytes, _) = stream(&tenant, id, false, false).await;
    let rows = lines(&bytes);
    assert_eq!(rows.iter().map(pair).collect::<Vec<_>>(), expected);
    let dated = rows
        .iter()
        .find_map(|row| row["publication_date"].as_str())
        .unwrap();
    assert!(dated.ends_with(" UTC"), "{dated}");

    let reply = results(&tenant, JOINED, json!({ "limit": 1000 })).await;
    assert_eq!(reply["number_of_results"], json!(1000));
    assert_eq!(reply["results"]["data"].as_array().unwrap().len(), 1000);
    let reply = results(&tenant, JOINED, json!({ "limit": 1500 })).await;
    let id = reply["results"]["stream_id"].as_str().unwrap();
    assert_eq!(
        lines(&stream(&tenant, id, false, false).await.0).len(),
        1500
    );
}

#[tokio::test]
async fn streams_are_compressed_not_at_all_once_or_twice() {
    let text = "dataset = va_endpoints | arrayexpand cves | fields endpoint_id, cves";
    for (option, ask, accept, times, encoded) in [
        (StreamGzip::AsAsked, false, false, 0, false),
        (StreamGzip::AsAsked, true, false, 1, false),
        (StreamGzip::AsAsked, false, true, 1, true),
        (StreamGzip::AsAsked, true, true, 2, true),
        (StreamGzip::None, true, true, 0, false),
        (StreamGzip::Once, false, true, 1, false),
        (StreamGzip::Twice, false, false, 2, true),
    ] {
        let tenant = start(Options {
            endpoints: 400,
            xql_stream_gzip: option,
            ..small()
        })
        .await;
        let reply = results(&tenant, text, json!({})).await;
        let id = reply["results"]["stream_id"].as_str().unwrap();
        let (mut bytes, has_encoding) = stream(&tenant, id, ask, accept).await;
        assert_eq!(has_encoding, encoded, "{option:?} {ask} {accept}");
        for _ in 0..times {
            assert!(bytes.starts_with(&[0x1f, 0x8b]));
            bytes = unpack(&bytes);
        }
        assert_eq!(json!(lines(&bytes).len()), reply["number_of_results"]);
    }
}

#[tokio::test]
async fn a_query_is_pending_as_often_as_the_options_say_and_blocks_when_asked_to() {
    let tenant = start(Options {
        xql_pending_polls: 2,
        ..small()
    })
    .await;
    let id = query(&tenant, "dataset = va_cves | limit 3").await;
    let poll = || {
        tenant.ok(
            "v1/xql/get_query_results",
            json!({ "query_id": id, "pending_flag": true }),
        )
    };
    assert_eq!(poll().await, json!({ "status": "PENDING" }));
    assert_eq!(poll().await, json!({ "status": "PENDING" }));
    let done = poll().await;
    assert_eq!(
        (&done["status"], &done["number_of_results"]),
        (&json!("SUCCESS"), &json!(3))
    );
    assert!(done["query_cost"].is_object() && done["remaining_quota"].is_f64());
    let reply = results(
        &tenant,
        "dataset = va_cves | fields name | limit 2",
        json!({ "format": "csv" }),
    )
    .await;
    assert_eq!(
        reply["results"]["data"]
            .as_str()
            .unwrap()
            .matches("\r\n")
            .count(),
        3
    );
}

#[tokio::test]
async fn what_is_not_understood_is_a_parse_error() {
    let tenant = start(small()).await;
    for wrong in [
        "dataset = va_cves | comp count() by name",
        "dataset = nothing",
        "dataset = va_cves | fields nothing",
        "",
    ] {
        let extra = tenant
            .refused("v1/xql/start_xql_query", json!({ "query": wrong }))
            .await;
        assert!(extra["parse_err"].is_string(), "{wrong} {extra}");
    }
    tenant
        .refused("v1/xql/get_query_results", json!({ "query_id": "unknown" }))
        .await;
    tenant
        .refused(
            "v1/xql/get_query_results_stream",
            json!({ "stream_id": "unknown" }),
        )
        .await;
    let tenant = start(Options {
        host_insights: false,
        ..small()
    })
    .await;
    let extra = tenant
        .refused("v1/xql/start_xql_query", json!({ "query": JOINED }))
        .await;
    assert_eq!(extra["parse_err"], "unknown dataset va_endpoints");
}

#[tokio::test]
async fn the_fifth_query_at_once_and_one_over_the_quota_are_refused() {
    let tenant = start(Options {
        xql_pending_polls: 1,
        ..small()
    })
    .await;
    for _ in 0..4 {
        query(&tenant, "dataset = va_cves").await;
    }
    let extra = tenant
        .refused(
            "v1/xql/start_xql_query",
            json!({ "query": "dataset = va_cves" }),
        )
        .await;
    assert_eq!(
        extra["err_msg"],
        "reached max allowed amount of parallel running queries"
    );
    let quota = tenant.ok("v1/xql/get_quota", json!({})).await;
    assert_eq!(quota["current_concurrent_active_queries_count"], json!(4));
    assert_eq!(quota["total_daily_concurrent_rejected_queries"], json!(1));

    let tenant = start(Options {
        xql_licence_quota: Some(1.0),
        xql_quota: 1.0,
        ..small()
    })
    .await;
    let extra = tenant
        .refused(
            "v1/xql/start_xql_query",
            json!({ "query": "dataset = va_cves" }),
        )
        .await;
    assert_eq!(extra["quota_info"]["error_type"], "QUOTA_EXCEEDED");
    tenant.simulator.tenant().set_xql_used_quota(0.25);
    query(&tenant, "dataset = va_cves").await;
    let used = tenant.ok("v1/xql/get_quota", json!({})).await["used_quota"]
        .as_f64()
        .unwrap();
    assert!(used > 0.25 && used < 0.3, "{used}");
}

#[tokio::test]
async fn a_query_can_end_in_part_or_fail() {
    let tenant = start(Options {
        xql_outcome: XqlOutcome::PartialSuccess,
        ..small()
    })
    .await;
    let reply = results(&tenant, "dataset = va_cves", json!({})).await;
    assert_eq!(
        (&reply["status"], &reply["number_of_results"]),
        (&json!("PARTIAL_SUCCESS"), &json!(15))
    );
    let tenant = start(Options {
        xql_outcome: XqlOutcome::Fail,
        ..small()
    })
    .await;
    assert_eq!(
        results(&tenant, "dataset = va_cves", json!({})).await["status"],
        "FAIL"
    );
}
