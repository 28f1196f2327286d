//! Who is let in, and what the others are told: keys, roles, licences, rates, wrong paths and bodies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use cortex_xdr_simulator::{Licence, Options, Role, SecurityLevel, Simulator, StartError};
use serde_json::json;
use support::{now_ms, signed, small, start};

const ENDPOINT: &str = "v1/endpoints/get_endpoint";
const UNAUTHORIZED: &str = r#"{"reply": {"err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null}}"#;

#[tokio::test]
async fn both_kinds_of_key_open_and_each_is_refused_in_place_of_the_other() {
    for (level, other) in [
        (SecurityLevel::Advanced, SecurityLevel::Standard),
        (SecurityLevel::Standard, SecurityLevel::Advanced),
    ] {
        let tenant = start(Options {
            security_level: level,
            ..small()
        })
        .await;
        tenant.ok(ENDPOINT, json!({})).await;
        let url = format!("{}/public_api/{ENDPOINT}", tenant.simulator.url());
        let (id, key) = (tenant.simulator.api_key_id(), tenant.simulator.api_key());
        let headers = match other {
            SecurityLevel::Advanced => signed(id, key, now_ms()),
            SecurityLevel::Standard => {
                vec![("x-xdr-auth-id", id.into()), ("authorization", key.into())]
            }
        };
        let request = headers
            .into_iter()
            .fold(tenant.client.post(url), |request, (name, value)| {
                request.header(name, value)
            });
        let reply = request.body("{}").send().await.unwrap();
        assert_eq!(reply.status(), 401);
        assert_eq!(reply.text().await.unwrap(), UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_signature_from_before_the_clock_tolerance_is_refused_also_when_the_tenants_clock_is_off()
{
    let hour = 3_600_000;
    let tenant = start(Options {
        clock_skew_ms: hour,
        ..small()
    })
    .await;
    let send = |time: i64| {
        let url = format!("{}/public_api/{ENDPOINT}", tenant.simulator.url());
        let headers = signed(
            tenant.simulator.api_key_id(),
            tenant.simulator.api_key(),
            time,
        );
        let request = headers
            .into_iter()
            .fold(tenant.client.post(url), |request, (name, value)| {
                request.header(name, value)
            });
        request.json(&json!({ "request_data": {} })).send()
    };
    assert_eq!(send(now_ms()).await.unwrap().status(), 401);
    let reply = send(now_ms() + hour).await.unwrap();
    assert_eq!(reply.status(), 200);
    let date = reply.headers()["date"].to_str().unwrap().to_owned();
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
}

#[tokio::test]
async fn a_revoked_key_and_a_denied_call_are_refused_until_given_back() {
    let tenant = start(small()).await;
    let handle = tenant.simulator.tenant();
    handle.revoke_key();
    assert_eq!(tenant.send(ENDPOINT, json!({})).await.0, 401);
    handle.restore_key();
    handle.deny("endpoints/get_endpoint");
    let (status, body) = tenant.send(ENDPOINT, json!({})).await;
    assert_eq!(
        (status, &body["reply"]["err_msg"]),
        (403, &json!("Insufficient permissions for api key"))
    );
    tenant.ok("v1/alerts/get_alerts", json!({})).await;
    handle.allow("endpoints/get_endpoint");
    tenant.ok(ENDPOINT, json!({})).await;
}

#[tokio::test]
async fn a_viewer_reads_everything_and_changes_nothing() {
    let tenant = start(small()).await;
    for call in [
        "v1/system/get_tenant_info",
        "v1/endpoints/get_endpoints",
        ENDPOINT,
        "v1/alerts/get_alerts",
        "v1/alerts/get_alerts_multi_events",
        "v2/alerts/get_alerts_multi_events",
        "v1/incidents/get_incidents",
        "v1/xql/get_quota",
    ] {
        tenant.ok(call, json!({})).await;
        tenant.ok(&format!("{call}/"), json!({})).await;
    }
    let before = tenant.simulator.tenant().endpoints();
    let id = &before[0].id;
    for (call, data) in [
        ("v1/endpoints/isolate", json!({ "endpoint_id": id })),
        ("v1/endpoints/unisolate", json!({ "endpoint_id": id })),
        (
            "v1/tags/agents/assign",
            json!({ "endpoint_id": id, "tag": "t" }),
        ),
        (
            "v1/tags/agents/remove",
            json!({ "endpoint_id": id, "tag": "t" }),
        ),
        (
            "v1/alerts/update_alerts",
            json!({ "alert_id_list": ["100000"], "update_data": { "severity": "low" } }),
        ),
        ("v1/xql/get_datasets", json!({})),
    ] {
        assert_eq!(tenant.send(call, data).await.0, 403, "{call}");
    }
    assert_eq!(tenant.simulator.tenant().endpoints(), before);
}

#[tokio::test]
async fn an_administrator_changes_endpoints_tags_and_alerts() {
    let tenant = start(Options {
        role: Role::InstanceAdministrator,
        ..small()
    })
    .await;
    let handle = tenant.simulator.tenant();
    let id = handle.endpoints()[0].id.clone();
    let named = json!([{ "field": "endpoint_id_list", "operator": "in", "value": [id] }]);
    tenant
        .ok(
            "v1/tags/agents/assign",
            json!({ "filters": named, "tag": "new-tag" }),
        )
        .await;
    assert!(
        handle
            .endpoint(&id)
            .unwrap()
            .server_tags
            .contains(&"new-tag".to_owned())
    );
    tenant
        .ok("v1/endpoints/isolate", json!({ "endpoint_id": id }))
        .await;
    let found = tenant.ok(ENDPOINT, json!({ "filters": named })).await;
    assert_eq!(
        found["endpoints"][0]["is_isolated"],
        "AGENT_PENDING_ISOLATION"
    );
    let alert = handle.alerts()[0].id.clone();
    let status = "STATUS_070_RESOLVED_OTHER";
    let update = json!({ "alert_id_list": [alert], "update_data": { "status": status } });
    assert_eq!(
        tenant.ok("v1/alerts/update_alerts", update).await["alerts_ids"],
        json!([alert])
    );
    assert_eq!(handle.alert(&alert).unwrap().status, status);
    let datasets = tenant.ok("v1/xql/get_datasets", json!({})).await;
    assert_eq!(datasets.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_key_without_permissions_gets_403_and_a_small_licence_402() {
    let tenant = start(Options {
        role: Role::NoPermissions,
        ..small()
    })
    .await;
    assert_eq!(tenant.send(ENDPOINT, json!({})).await.0, 403);
    let tenant = start(Options {
        licence: Licence::Prevent,
        ..small()
    })
    .await;
    tenant.ok(ENDPOINT, json!({})).await;
    let (status, body) = tenant.send("v1/xql/get_quota", json!({})).await;
    assert_eq!((status, &body["reply"]["err_code"]), (402, &json!(402)));
    let info = tenant.ok("v1/system/get_tenant_info", json!({})).await;
    assert_eq!(
        (
            &info["host_insights_expiration"],
            &info["enabled_host_insights"]
        ),
        (&json!(0), &json!(0))
    );
    assert!(info["prevent_expiration"].is_string());
}

#[tokio::test]
async fn health_is_22_bytes_and_a_wrong_path_is_plain_text_of_waitress() {
    let tenant = start(small()).await;
    let get = |path: &str| {
        let request = tenant
            .client
            .get(format!("{}{path}", tenant.simulator.url()));
        tenant
            .headers()
            .into_iter()
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            })
            .send()
    };
    let reply = get("/public_api/v1/healthcheck").await.unwrap();
    assert_eq!(
        reply.text().await.unwrap(),
        r#"{"status": "Healthy"}"#.to_owned()
    );
    for wrong in [
        "/",
        "/public_api/v1/health_check/",
        "/public_api/v1/endpoints/get_endpoint",
        "/public_api/v9/x",
    ] {
        let reply = get(wrong).await.unwrap();
        assert_eq!(
            (
                reply.status().as_u16(),
                reply.headers()["content-type"].to_str().unwrap()
            ),
            (500, "text/plain")
        );
        let text = reply.text().await.unwrap();
        assert!(
            text.len() == 110 && text.ends_with("(generated by waitress)"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_400_and_one_without_request_data_a_500() {
    let tenant = start(small()).await;
    let reply = tenant
        .request(ENDPOINT)
        .body("{\"request_data\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 400);
    let reply = tenant.request(ENDPOINT).body("[]").send().await.unwrap();
    assert_eq!(reply.status(), 500);
    let reply = tenant
        .request("v1/endpoints/get_endpoints")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200, "this call takes any body, also none");
}

#[tokio::test]
async fn more_requests_than_the_rate_are_answered_with_429() {
    let options = Options {
        rate: Some(3),
        retry_after: Some(2),
        ..small()
    };
    let tenant = start(options).await;
    let calls = (0..12).map(|_| {
        tenant
            .request(ENDPOINT)
            .json(&json!({ "request_data": {} }))
            .send()
    });
    let replies = futures_util::future::join_all(calls).await;
    let limited: Vec<_> = replies
        .iter()
        .flatten()
        .filter(|reply| reply.status() == 429)
        .collect();
    assert!(
        !limited.is_empty() && limited.len() <= 9,
        "{} of 12 were refused",
        limited.len()
    );
    assert_eq!(limited[0].headers()["retry-after"], "2");
    let counts = &tenant.simulator.log().counts()["/public_api/v1/endpoints/get_endpoint"];
    assert_eq!(
        (counts.requests, counts.by_status[&429] as usize),
        (12, limited.len())
    );
}

#[tokio::test]
async fn replies_are_compressed_for_those_who_accept_it_and_only_when_that_pays() {
    let tenant = start(Options {
        latency: Duration::from_millis(1),
        ..small()
    })
    .await;
    let encoding = |gzip: bool, to: usize| {
        let client = reqwest::Client::builder().gzip(gzip).build().unwrap();
        let request = client.post(format!("{}/public_api/{ENDPOINT}", tenant.simulator.url()));
        let request = tenant
            .headers()
            .into_iter()
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            });
        let request = request.json(&json!({ "request_data": { "search_to": to } }));
        let log = tenant.simulator.log();
        async move {
            let body: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(body["reply"]["endpoints"].as_array().unwrap().len(), to);
            log.requests().last().unwrap().reply_bytes
        }
    };
    let (plain, packed) = (encoding(false, 100).await, encoding(true, 100).await);
    assert!(packed * 3 < plain, "{packed} of {plain} bytes");
    assert_eq!(encoding(false, 0).await, encoding(true, 0).await);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let tenant = start(small()).await;
    let taken: SocketAddr = tenant.simulator.address();
    match Simulator::start(small(), taken).await {
        Err(StartError::AddressInUse { address }) => assert_eq!(address, taken),
        other => panic!("{other:?}"),
    }
    tenant.simulator.shutdown().await;
    Simulator::start(small(), taken)
        .await
        .expect("the port is free again")
        .shutdown()
        .await;
}
