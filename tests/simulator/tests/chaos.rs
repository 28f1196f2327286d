//! Chaos as a client meets it: each fault over real HTTP, and what tests do to steer them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

use cortex_xdr_simulator::{Chaos, ChaosAct, Fault, InjectError, Mutation, NewAlert, Options};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use support::{Tenant, now_ms, signed, small, start, texts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ENDPOINT: &str = "v1/endpoints/get_endpoint";
const ALERTS: &str = "v1/alerts/get_alerts_multi_events";
const START: &str = "v1/xql/start_xql_query";
const RESULTS: &str = "v1/xql/get_query_results";
const STREAM: &str = "v1/xql/get_query_results_stream";

fn chaos(text: &str) -> Options {
    Options {
        chaos: Some(text.parse().unwrap()),
        ..small()
    }
}

/// The name of a call, as faults and permissions are given.
fn name(call: &str) -> &str {
    call.split_once('/').unwrap().1
}

/// An answer as far as it came: status, head and body, or why there is none.
type Answer = Result<(u16, HeaderMap, Vec<u8>), reqwest::Error>;

async fn ask(tenant: &Tenant, call: &str, data: Value) -> Answer {
    let request = tenant
        .request(call)
        .json(&json!({ "request_data": data }))
        .send();
    let reply = request.await?;
    let (status, head) = (reply.status().as_u16(), reply.headers().clone());
    let body = reply.bytes().await?;
    Ok((status, head, body.to_vec()))
}

/// The answer to the one request that a fault comes to.
async fn struck(tenant: &Tenant, fault: Fault, call: &str, data: Value) -> Answer {
    tenant
        .simulator
        .chaos()
        .inject(name(call), fault, 1)
        .unwrap();
    ask(tenant, call, data).await
}

fn second_page() -> Value {
    json!({
        "search_from": 100, "search_to": 200,
        "sort": { "field": "first_seen", "keyword": "ASC" },
    })
}

fn ids(page: &Value) -> Vec<String> {
    texts(
        page["reply"]["endpoints"].as_array().unwrap(),
        "endpoint_id",
    )
}

#[tokio::test]
async fn every_fault_of_a_page_is_seen_by_a_client_as_it_says() {
    let tenant = start(small()).await;
    let healthy = |answer: Answer| -> Value {
        let (status, _, body) = answer.expect("an answer");
        assert_eq!(status, 200);
        serde_json::from_slice(&body).expect("JSON")
    };
    let truth = healthy(ask(&tenant, ENDPOINT, second_page()).await);
    let first = healthy(
        ask(
            &tenant,
            ENDPOINT,
            json!({ "search_to": 100, "sort": second_page()["sort"] }),
        )
        .await,
    );
    let whole = ids(&truth);
    assert_eq!(
        (whole.len(), &truth["reply"]["total_count"]),
        (100, &json!(250))
    );

    for fault in Fault::ALL.iter().copied() {
        if fault.name().starts_with("xql-") {
            continue; // They have tests of their own.
        }
        let answer = struck(&tenant, fault, ENDPOINT, second_page()).await;
        let entry = tenant.simulator.chaos().log().pop().unwrap();
        assert_eq!(entry.act, ChaosAct::Fault(fault));
        let (status, head, body) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                assert!(
                    matches!(
                        fault,
                        Fault::Reset
                            | Fault::ResetBody
                            | Fault::CutBody
                            | Fault::NotGzip
                            | Fault::CutGzip
                    ),
                    "{fault}: {error:?}"
                );
                continue;
            }
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        let parsed: Option<Value> = serde_json::from_slice(&body).ok();
        let reply = || parsed.clone().expect(&text)["reply"].take();
        let seen = || ids(parsed.as_ref().expect(&text));
        let total = || reply().get("total_count").cloned();
        let extra = || reply()["err_extra"].take();
        let wait = head.get("retry-after").map(|value| value.to_str().unwrap());
        let html = || {
            assert!(text.starts_with("<html>"), "{fault}: {text}");
            assert_eq!(head["content-type"], "text/html");
        };
        match fault {
            Fault::RateLimited => assert_eq!((status, wait), (429, None)),
            Fault::RateLimitedSeconds => assert_eq!((status, wait), (429, Some("1"))),
            Fault::RateLimitedDate => {
                assert!(status == 429 && wait.unwrap().ends_with(" GMT"), "{wait:?}");
            }
            Fault::ErrorText => assert!(status == 500 && text.ends_with("by waitress)")),
            Fault::ErrorJson => assert!(status == 500 && extra().is_string()),
            Fault::ErrorObject => assert!(status == 500 && extra().is_object()),
            Fault::ErrorList => assert!(status == 500 && extra().is_array()),
            Fault::ErrorHtml => {
                html();
                assert_eq!(status, 500);
            }
            Fault::ErrorEmpty => assert_eq!((status, text.as_str()), (500, "")),
            Fault::BadGateway => {
                html();
                assert_eq!(status, 502);
            }
            Fault::Unavailable => {
                html();
                assert_eq!((status, wait), (503, None));
            }
            Fault::UnavailableSeconds => assert_eq!((status, wait), (503, Some("1"))),
            Fault::GatewayTimeout => assert_eq!(status, 504),
            Fault::Reset | Fault::ResetBody | Fault::CutBody | Fault::NotGzip | Fault::CutGzip => {
                panic!("{fault} was answered with {status} {text}")
            }
            Fault::CutJson => {
                assert!(status == 200 && parsed.is_none() && text.starts_with("{\"reply\""));
            }
            Fault::SlowBody => assert_eq!(seen(), whole),
            Fault::ErrorIn200 => assert_eq!((status, &reply()["err_code"]), (200, &json!(500))),
            Fault::ReplyNull => assert_eq!((status, reply()), (200, Value::Null)),
            Fault::ReplyList => assert!(reply()[0]["endpoints"].is_array()),
            Fault::ReplyMissing => assert_eq!((status, text.as_str()), (200, "{}")),
            Fault::HtmlPage => {
                html();
                assert_eq!(status, 200);
            }
            Fault::EmptyBody => assert_eq!((status, text.as_str()), (200, "")),
            Fault::EmptyList => assert!(seen().is_empty() && total() == Some(json!(0))),
            Fault::EmptyPage => assert!(seen().is_empty() && total() == Some(json!(250))),
            Fault::ShortPage => assert!(seen().len() < 100 && whole.starts_with(&seen())),
            Fault::RepeatedPage => assert_eq!(seen(), ids(&first)),
            Fault::ShiftedPage => {
                let (seen, true_ids): (BTreeSet<_>, BTreeSet<_>) = (
                    seen().into_iter().collect(),
                    whole.iter().cloned().collect(),
                );
                let shared = seen.intersection(&true_ids).count();
                assert!((90..100).contains(&shared) && seen.len() == 100, "{shared}");
            }
            Fault::RepeatedRow => {
                let seen = seen();
                let distinct: BTreeSet<&String> = seen.iter().collect();
                assert_eq!((seen.len(), distinct.len()), (100, 99));
            }
            Fault::DisorderedPage => {
                assert!(seen().iter().rev().eq(&whole));
            }
            Fault::NullTotal => assert_eq!((total(), seen()), (Some(Value::Null), whole.clone())),
            Fault::MissingTotal => assert_eq!((total(), seen()), (None, whole.clone())),
            Fault::TextTotal => assert_eq!(total(), Some(json!("250"))),
            Fault::LyingTotal => {
                assert!(total() != Some(json!(250)) && seen() == whole);
            }
            Fault::Unauthorized | Fault::KeyRevoked | Fault::ClockSkew => assert_eq!(status, 401),
            Fault::Forbidden | Fault::PermissionRemoved => assert_eq!(status, 403),
            Fault::ClockDrift => assert_eq!(seen(), whole),
            Fault::XqlBusy
            | Fault::XqlQuota
            | Fault::XqlPending
            | Fault::XqlPartial
            | Fault::XqlFail
            | Fault::XqlEmpty
            | Fault::XqlForgotten
            | Fault::XqlShortStream => unreachable!(),
        }
        tenant.simulator.chaos().restore();
        let after = healthy(ask(&tenant, ENDPOINT, second_page()).await);
        assert_eq!(ids(&after), whole, "after {fault} all is well again");
    }
}

/// Everything that comes over a connection of its own, and how it ends.
async fn raw(tenant: &Tenant) -> (Vec<u8>, Result<(), ErrorKind>) {
    let body = json!({ "request_data": second_page() }).to_string();
    let mut head = format!(
        "POST /public_api/{ENDPOINT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in tenant.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(tenant.simulator.address())
        .await
        .unwrap();
    let request = format!("{head}\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    let end = stream.read_to_end(&mut seen).await;
    (seen, end.map(|_| ()).map_err(|error| error.kind()))
}

#[tokio::test]
async fn a_reset_connection_is_reset_and_a_cut_body_ends_too_early() {
    let tenant = start(small()).await;
    let control = tenant.simulator.chaos();
    let inject = |fault| control.inject(name(ENDPOINT), fault, 1).unwrap();

    inject(Fault::Reset);
    let (seen, end) = raw(&tenant).await;
    assert_eq!((seen.len(), end), (0, Err(ErrorKind::ConnectionReset)));
    let log = tenant.simulator.log();
    assert_eq!(log.requests().last().unwrap().status, 0, "nothing was sent");

    inject(Fault::CutBody);
    let (seen, end) = raw(&tenant).await;
    assert_eq!(end, Ok(()));
    let text = String::from_utf8_lossy(&seen);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    assert!(body.len() == length / 2, "{} of {length}", body.len());

    // How much of a body is read before the reset is up to the system; that the end is one is not.
    inject(Fault::ResetBody);
    let (_, end) = raw(&tenant).await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_key_that_is_revoked_in_the_middle_stays_so_until_it_is_restored() {
    let tenant = start(small()).await;
    let control = tenant.simulator.chaos();
    control
        .inject_after(name(ENDPOINT), 2, Fault::KeyRevoked, 1)
        .unwrap();
    let mut statuses = Vec::new();
    for call in [ENDPOINT, ENDPOINT, ALERTS, ENDPOINT, ENDPOINT, ALERTS] {
        statuses.push(tenant.send(call, json!({})).await.0);
    }
    assert_eq!(statuses, [200, 200, 200, 401, 401, 401]);
    control.restore();
    tenant.ok(ENDPOINT, json!({})).await;
}

#[tokio::test]
async fn a_permission_is_removed_for_one_call_and_the_others_go_on() {
    let tenant = start(small()).await;
    let control = tenant.simulator.chaos();
    control
        .inject(name(ALERTS), Fault::PermissionRemoved, 1)
        .unwrap();
    assert_eq!(tenant.send(ALERTS, json!({})).await.0, 403);
    assert_eq!(tenant.send(ALERTS, json!({})).await.0, 403);
    tenant.ok(ENDPOINT, json!({})).await;
    control.stop();
    tenant.ok(ALERTS, json!({})).await;
}

#[tokio::test]
async fn a_clock_that_jumped_tells_its_time_in_the_date_and_takes_signatures_of_that_time() {
    let tenant = start(small()).await;
    let answer = struck(&tenant, Fault::ClockSkew, ENDPOINT, json!({})).await;
    let (status, head, _) = answer.unwrap();
    assert!(status == 401 && head.contains_key("date"));
    let entry = tenant.simulator.chaos().log().pop().unwrap();
    let seconds: i64 = entry.detail.trim_end_matches(" s").parse().unwrap();
    assert_eq!(seconds.abs(), 1_200);
    let (id, key) = (tenant.simulator.api_key_id(), tenant.simulator.api_key());
    let url = format!("{}/public_api/{ENDPOINT}", tenant.simulator.url());
    let request = signed(id, key, now_ms() + seconds * 1_000)
        .into_iter()
        .fold(tenant.client.post(url), |request, (name, value)| {
            request.header(name, value)
        });
    let reply = request.json(&json!({ "request_data": {} })).send().await;
    assert_eq!(reply.unwrap().status(), 200);
}

#[tokio::test]
async fn queries_are_refused_pending_partial_failed_empty_and_forgotten() {
    let tenant = start(small()).await;
    let query = json!({ "query": "dataset = va_cves | fields name" });
    let json_of = |answer: Answer| -> (u16, Value) {
        let (status, _, body) = answer.unwrap();
        (
            status,
            serde_json::from_slice::<Value>(&body).unwrap()["reply"].take(),
        )
    };
    let (status, reply) = json_of(struck(&tenant, Fault::XqlBusy, START, query.clone()).await);
    let text = reply["err_extra"]["err_msg"].as_str().unwrap();
    assert!(
        status == 500 && text.contains("parallel running queries"),
        "{text}"
    );
    let (status, reply) = json_of(struck(&tenant, Fault::XqlQuota, START, query.clone()).await);
    assert_eq!(status, 500);
    assert_eq!(
        reply["err_extra"]["quota_info"]["error_type"],
        "QUOTA_EXCEEDED"
    );

    for fault in [
        Fault::XqlPending,
        Fault::XqlPartial,
        Fault::XqlFail,
        Fault::XqlEmpty,
        Fault::XqlForgotten,
    ] {
        let id = tenant.ok(START, query.clone()).await;
        let wanted = json!({ "query_id": id, "pending_flag": false, "format": "json" });
        let (status, reply) = json_of(struck(&tenant, fault, RESULTS, wanted.clone()).await);
        let (after, later) = tenant.send(RESULTS, wanted).await;
        let later = &later["reply"];
        let rows = |reply: &Value| reply["results"]["data"].as_array().map(Vec::len);
        match fault {
            Fault::XqlPending => {
                assert_eq!(reply, json!({ "status": "PENDING" }));
                assert_eq!(
                    (&later["status"], rows(later)),
                    (&json!("SUCCESS"), Some(30))
                );
            }
            Fault::XqlPartial => {
                assert_eq!(
                    (&reply["status"], rows(&reply)),
                    (&json!("PARTIAL_SUCCESS"), Some(15))
                );
                assert_eq!(*later, reply, "a partial result stays one");
            }
            Fault::XqlFail => assert_eq!((status, &reply["status"]), (200, &json!("FAIL"))),
            Fault::XqlEmpty => {
                assert_eq!(
                    (&reply["status"], rows(&reply)),
                    (&json!("SUCCESS"), Some(0))
                );
                assert_eq!(rows(later), Some(30));
            }
            _ => assert_eq!((status, after), (500, 500), "forgotten for good"),
        }
    }
}

#[tokio::test]
async fn a_stream_ends_too_early_in_good_order_or_is_cut() {
    let tenant = start(Options {
        endpoints: 1_500,
        ..small()
    })
    .await;
    let query = json!({ "query": "dataset = endpoints | fields endpoint_id" });
    let id = tenant.ok(START, query).await;
    let results = json!({ "query_id": id, "pending_flag": false, "format": "json" });
    let stream = tenant.ok(RESULTS, results).await["results"]["stream_id"].take();
    for packed in [false, true] {
        let wanted = json!({ "stream_id": stream, "is_gzip_compressed": packed });
        let rows = |body: Vec<u8>| {
            let mut plain = body;
            if packed {
                let mut unpacked = Vec::new();
                let mut reader = flate2::read::GzDecoder::new(plain.as_slice());
                std::io::Read::read_to_end(&mut reader, &mut unpacked).unwrap();
                plain = unpacked;
            }
            let lines = String::from_utf8(plain).unwrap();
            lines
                .lines()
                .filter(|line| serde_json::from_str::<Value>(line).is_ok())
                .count()
        };
        let (_, _, whole) = ask(&tenant, STREAM, wanted.clone()).await.unwrap();
        let (_, _, short) = struck(&tenant, Fault::XqlShortStream, STREAM, wanted.clone())
            .await
            .unwrap();
        let (whole, short) = (rows(whole), rows(short));
        assert!(whole == 1_500 && short < whole, "{short} of {whole} rows");
        for fault in [Fault::CutBody, Fault::ResetBody, Fault::CutGzip] {
            let cut = struck(&tenant, fault, STREAM, wanted.clone()).await;
            assert!(cut.is_err(), "{fault} {packed}");
        }
    }
    let forgotten = struck(
        &tenant,
        Fault::XqlForgotten,
        STREAM,
        json!({ "stream_id": stream }),
    )
    .await;
    assert_eq!(forgotten.unwrap().0, 500);
}

/// What a client sees that sends one request after the other.
async fn experience(options: Options, requests: usize) -> (Vec<Option<u16>>, Vec<String>) {
    let tenant = start(options).await;
    let mut seen = Vec::new();
    for number in 0..requests {
        let call = [ENDPOINT, ALERTS][number % 2];
        let from = number % 3 * 100;
        let answer = ask(
            &tenant,
            call,
            json!({ "search_from": from, "search_to": from + 100 }),
        )
        .await;
        seen.push(answer.ok().map(|(status, _, _)| status));
    }
    let log = tenant.simulator.chaos().log();
    (seen, log.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_same_seed_is_the_same_experience_and_another_one_another() {
    let text = "7:storm+key-revoked=0.01,until=80,retry-after=0";
    let (one, two) = (
        experience(chaos(text), 100).await,
        experience(chaos(text), 100).await,
    );
    assert_eq!(one, two, "{text}");
    assert!(one.0[80..].iter().all(|status| *status == Some(200)));
    assert!(one.0[..80].iter().any(|status| *status != Some(200)));
    let other = experience(chaos("8:storm"), 100).await;
    assert_ne!(one, other);
}

#[tokio::test]
async fn once_chaos_is_stopped_everything_is_well_and_nothing_changes() {
    let tenant = start(chaos("7:all+alert-added=1")).await;
    let control = tenant.simulator.chaos();
    for _ in 0..50 {
        let _ = ask(&tenant, ENDPOINT, json!({})).await;
    }
    assert!(control.is_running() && control.log().len() > 50);
    control.stop();
    let (alerts, log) = (tenant.simulator.tenant().alerts(), control.log());
    for _ in 0..50 {
        tenant.ok(ENDPOINT, json!({})).await;
    }
    assert_eq!(tenant.simulator.tenant().alerts(), alerts);
    assert_eq!(control.log(), log);
    control.start();
    tenant.ok("v1/xql/get_quota", json!({})).await;
    assert!(control.log().len() > log.len());
}

#[tokio::test]
async fn a_living_tenant_changes_between_pages_and_its_history_tells_how() {
    let tenant = start(chaos("3:living")).await;
    let handle = tenant.simulator.tenant();
    let before: BTreeSet<String> = handle.alerts().into_iter().map(|alert| alert.id).collect();
    for _ in 0..150 {
        tenant.ok(ENDPOINT, json!({})).await;
    }
    let log = tenant.simulator.chaos().log();
    for mutation in Mutation::ALL {
        assert!(
            log.iter()
                .any(|entry| entry.act == ChaosAct::Mutation(*mutation)),
            "{mutation} never came"
        );
    }
    let history = handle.history();
    let resolved = |entry: &&cortex_xdr_simulator::ChaosEntry| {
        entry.act == ChaosAct::Mutation(Mutation::AlertResolved)
    };
    for entry in log.iter().filter(resolved) {
        let id = entry.detail.split(' ').next().unwrap();
        assert!(history.alerts_resolved.contains(id), "{entry}");
    }
    let now: BTreeSet<String> = handle.alerts().into_iter().map(|alert| alert.id).collect();
    let gone: BTreeSet<&String> = before.difference(&now).collect();
    assert!(!gone.is_empty() && gone.iter().all(|id| history.alerts_deleted.contains(*id)));
}

#[tokio::test]
async fn a_fault_that_no_call_can_have_is_refused_before_a_test_waits_for_it() {
    let tenant = start(small()).await;
    let control = tenant.simulator.chaos();
    let unknown = control.inject("alerts/get_alert", Fault::Reset, 1);
    assert!(matches!(unknown, Err(InjectError::UnknownCall { .. })));
    let useless = control.inject(name(ALERTS), Fault::XqlBusy, 1);
    assert!(matches!(useless, Err(InjectError::DoesNotApply { .. })));
    assert_eq!(control.pending(), 0);
}

#[tokio::test]
async fn another_plan_begins_at_its_own_first_request() {
    let tenant = start(small()).await;
    tenant.ok(ENDPOINT, json!({})).await;
    let control = tenant.simulator.chaos();
    let plan: Chaos = "7:unavailable=1,from=2,until=3".parse().unwrap();
    control.set(Some(plan.clone()));
    assert_eq!(control.plan(), Some(plan));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&tenant, ENDPOINT, json!({})).await.unwrap().0);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    assert!(!control.is_running());
}

#[tokio::test]
async fn time_that_is_put_forward_moves_new_records_the_date_and_the_quota() {
    let tenant = start(small()).await;
    let handle = tenant.simulator.tenant();
    let first = handle.add_alert(NewAlert::default());
    handle.set_xql_used_quota(1_000.0);
    handle.advance(Duration::from_secs(24 * 3_600));
    let second = handle.add_alert(NewAlert::default());
    let created = |id: &str| handle.alert(id).unwrap().server_creation_time;
    assert!(created(&second) - created(&first) >= 86_400_000);
    assert_eq!(
        tenant.send(ENDPOINT, json!({})).await.0,
        401,
        "signed a day ago"
    );
    let url = format!("{}/public_api/{START}", tenant.simulator.url());
    let (id, key) = (tenant.simulator.api_key_id(), tenant.simulator.api_key());
    let request = signed(id, key, now_ms() + 86_400_000)
        .into_iter()
        .fold(tenant.client.post(url), |request, (name, value)| {
            request.header(name, value)
        });
    let query = json!({ "request_data": { "query": "dataset = va_cves | limit 1" } });
    let reply = request.json(&query).send().await.unwrap();
    assert_eq!(reply.status(), 200, "the quota of another day");
}
