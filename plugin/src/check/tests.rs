//! Whole reports, against an API of canned answers.

use super::*;
use crate::configure::SecurityLevel;
use crate::contract::Verdict;
use crate::platform::{Failure, Request};
use crate::testing::{Answer, FakePlatform, NOW, block_on};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DATE: &str = "Thu, 29 Feb 2024 00:00:00 GMT";

/// A tenant with everything: what a test takes away from it is the test's subject.
fn healthy(request: &Request) -> Result<Answer, Failure> {
    let answer = match request.call {
        Call::Healthcheck => Answer::json(200, &json!({"status": "Healthy"})),
        Call::GetTenantInfo => Answer::reply(json!({
            "purchased_pro_per_endpoint": {"agents": 500},
            "pro_per_endpoint_expiration": "May 18th 2030 08:51:59",
            "purchased_host_insights": 500,
            "enabled_host_insights": 437,
        })),
        Call::GetEndpoint => Answer::reply(
            json!({"total_count": 500, "result_count": 1, "endpoints": [{"endpoint_id": "a"}]}),
        ),
        Call::GetAlertsMultiEvents => Answer::reply(
            json!({"total_count": 9999, "result_count": 1, "alerts": [{"alert_id": "1"}]}),
        ),
        Call::GetXqlQuota => Answer::reply(
            json!({"license_quota": 5.0, "additional_purchased_quota": 10.0, "used_quota": 1.0}),
        ),
        Call::StartXqlQuery => Answer::reply(json!("query_inv")),
        Call::GetXqlResults => Answer::reply(json!({
            "status": "SUCCESS", "number_of_results": 1, "query_cost": {"tenant": 0.004}, "results": {"data": [{"endpoint_id": "a"}]},
        })),
        Call::GetXqlResultsStream => Answer::new(200, "{\"endpoint_id\": \"a\"}\n"),
    };
    Ok(answer.with_header("date", DATE))
}

fn unauthorized() -> Result<Answer, Failure> {
    let body = json!({"reply": {"err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null}});
    Ok(Answer::json(401, &body).with_header("date", DATE))
}

fn forbidden() -> Result<Answer, Failure> {
    let body = json!({"reply": {"err_code": 403, "err_msg": "Insufficient permissions for api key", "err_extra": null}});
    Ok(Answer::json(403, &body))
}

/// Whether a request is signed, as an Advanced key signs.
fn signed(request: &Request) -> bool {
    request
        .headers
        .iter()
        .any(|(name, _)| name == "x-xdr-nonce")
}

fn settings(more: Value) -> Settings {
    let mut config = json!({"baseUrl": "mycompany.xdr.us.paloaltonetworks.com", "apiKeyId": "7"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Settings::from_config(config.to_string().as_bytes()).unwrap()
}

fn all_streams() -> Settings {
    settings(json!({"dataStreams": "endpoints,alerts,vulnerabilities"}))
}

struct Seen(Vec<Check>);

impl Seen {
    #[track_caller]
    fn check(&self, item: Item) -> &Check {
        self.0
            .iter()
            .find(|check| check.name == item.name())
            .unwrap()
    }

    #[track_caller]
    fn is(&self, item: Item, verdict: Verdict, words: &str) {
        let check = self.check(item);
        assert!(check.verdict == verdict, "{check:?}");
        let text = format!("{} {}", check.detail, check.remedy);
        assert!(text.contains(words), "{check:?}");
    }

    fn with(&self, verdict: Verdict) -> Vec<&str> {
        self.0
            .iter()
            .filter(|check| check.verdict == verdict)
            .map(|check| check.name.as_str())
            .collect()
    }
}

fn run_on(platform: &FakePlatform, settings: &Settings) -> Seen {
    let checks = block_on(check(platform, settings));
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(
        names,
        Item::ALL.map(Item::name),
        "every report has every check, once, in order"
    );
    for check in &checks {
        assert!(!check.detail.is_empty(), "{check:?}");
        assert!(
            check.verdict != Verdict::Failed || !check.remedy.is_empty(),
            "no remedy: {check:?}"
        );
    }
    Seen(checks)
}

fn run_with(
    settings: &Settings,
    api: impl Fn(&Request) -> Result<Answer, Failure> + 'static,
) -> Seen {
    run_on(&FakePlatform::new(api), settings)
}

/// A healthy tenant, but for what `api` answers.
fn run_but(
    settings: &Settings,
    api: impl Fn(&Request) -> Option<Result<Answer, Failure>> + 'static,
) -> Seen {
    run_with(settings, move |request| {
        api(request).unwrap_or_else(|| healthy(request))
    })
}

#[test]
fn a_healthy_tenant_passes_every_check() {
    let seen = run_with(&all_streams(), healthy);
    assert_eq!(
        seen.with(Verdict::Passed).len(),
        Item::ALL.len(),
        "{:?}",
        seen.0
    );
    seen.is(Item::Endpoints, Verdict::Passed, "500 endpoints");
    seen.is(Item::Alerts, Verdict::Passed, "9999 alerts or more");
    seen.is(
        Item::Licence,
        Verdict::Passed,
        "Cortex XDR Pro per Endpoint (500 agents, until May 18th 2030 08:51:59)",
    );
    seen.is(Item::Quota, Verdict::Passed, "15 units a day, 1.0 of them used today; a sync may use 7.5 of them (xqlDailyShare 0.5) and will need about 2.0");
}

#[test]
fn what_no_chosen_stream_needs_is_skipped_and_not_even_asked() {
    let platform = FakePlatform::new(healthy);
    let seen = run_on(&platform, &settings(json!({"dataStreams": ["alerts"]})));
    assert!(seen.with(Verdict::Failed).is_empty());
    for item in [
        Item::Endpoints,
        Item::HostInsights,
        Item::QuotaPermission,
        Item::StartQuery,
        Item::QueryResults,
        Item::Quota,
    ] {
        seen.is(item, Verdict::Skipped, "Not needed");
    }
    let called: BTreeSet<Call> = platform
        .requests()
        .iter()
        .map(|request| request.call)
        .collect();
    assert_eq!(
        called,
        [
            Call::Healthcheck,
            Call::GetTenantInfo,
            Call::GetAlertsMultiEvents
        ]
        .into()
    );
}

#[test]
fn each_call_is_made_once_and_asks_for_one_record_with_the_filters_of_a_sync() {
    let platform = FakePlatform::new(healthy);
    run_on(
        &platform,
        &settings(json!({"alertSources": ["XDR Agent"], "endpointStatuses": ["lost"]})),
    );
    let bodies: Vec<Value> = platform
        .requests()
        .iter()
        .filter(|request| [Call::GetEndpoint, Call::GetAlertsMultiEvents].contains(&request.call))
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(
        bodies,
        [("endpoint_status", "lost"), ("alert_source", "XDR Agent")].map(|(field, value)| json!({"request_data": {
            "filters": [{"field": field, "operator": "in", "value": [value]}], "search_from": 0, "search_to": 1,
        }}))
    );
}

#[test]
fn a_host_that_is_not_reached_is_told_apart_from_a_certificate_that_is_refused() {
    let unreached = run_with(&all_streams(), |_| {
        Err(Failure::Connect("no such name".into()))
    });
    assert_eq!(unreached.with(Verdict::Failed), ["host reached"]);
    unreached.is(Item::Host, Verdict::Failed, "no such name");
    unreached.is(Item::Tls, Verdict::Skipped, "Not tried");
    unreached.is(Item::Key, Verdict::Skipped, "Not tried");

    let untrusted = run_with(&all_streams(), |_| {
        Err(Failure::Tls("certificate expired".into()))
    });
    assert_eq!(untrusted.with(Verdict::Failed), ["TLS"]);
    untrusted.is(Item::Host, Verdict::Passed, "answers");
    untrusted.is(Item::Tls, Verdict::Failed, "certificate expired");

    let slow = run_with(&all_streams(), |_| Err(Failure::Timeout));
    assert_eq!(slow.with(Verdict::Failed), ["host reached"]);
    let denied = run_with(&all_streams(), |_| {
        Err(Failure::Denied("private-address".into()))
    });
    denied.is(Item::Host, Verdict::Failed, "private-address");
}

#[test]
fn a_tenant_without_a_healthcheck_is_still_a_tenant() {
    let waitress = "Internal Server Error\r\n\r\nThe server encountered an unexpected internal server error\r\n\r\n(generated by waitress)";
    let seen = run_but(&all_streams(), move |request| {
        (request.call == Call::Healthcheck).then(|| Ok(Answer::new(500, waitress)))
    });
    assert!(seen.with(Verdict::Failed).is_empty(), "{:?}", seen.0);
    seen.is(Item::Host, Verdict::Passed, "answers");
}

#[test]
fn a_portal_in_the_way_is_told() {
    let seen = run_with(&all_streams(), |_| {
        Ok(Answer::new(200, "<html><title>Sign in</title></html>"))
    });
    seen.is(Item::Host, Verdict::Warned, "web page");
    seen.is(Item::Key, Verdict::Skipped, "does not tell");
    seen.is(Item::Endpoints, Verdict::Failed, "web page");
}

#[test]
fn plain_http_to_a_simulator_has_no_certificate_to_check() {
    let seen = run_with(
        &settings(json!({"baseUrl": "http://127.0.0.1:4010"})),
        healthy,
    );
    seen.is(Item::Tls, Verdict::Skipped, "Plain http");
    assert!(seen.with(Verdict::Failed).is_empty());
}

#[test]
fn a_wrong_clock_fails_an_advanced_key_only() {
    for (level, verdict) in [("advanced", Verdict::Failed), ("standard", Verdict::Warned)] {
        let platform = FakePlatform::new(healthy);
        platform.set_now(NOW + 11 * 60_000);
        let seen = run_on(&platform, &settings(json!({"securityLevel": level})));
        seen.is(Item::Clock, verdict, "660 s ahead of");
    }
}

#[test]
fn a_refused_key_is_tried_as_the_other_kind_once_and_nothing_else_is_asked() {
    let platform = FakePlatform::new(|request| match request.call {
        Call::Healthcheck => healthy(request),
        _ => unauthorized(),
    });
    let seen = run_on(&platform, &all_streams());
    assert_eq!(seen.with(Verdict::Failed), ["API key and ID"]);
    seen.is(Item::Key, Verdict::Failed, "apiKeyId (7)");
    seen.is(
        Item::Endpoints,
        Verdict::Skipped,
        "the key was not accepted",
    );
    let asked: Vec<bool> = platform
        .requests()
        .iter()
        .filter(|request| request.call != Call::Healthcheck)
        .map(signed)
        .collect();
    assert_eq!(asked, [true, false]);
}

#[test]
fn a_refused_key_and_a_wrong_clock_are_told_together() {
    let platform = FakePlatform::new(|request| match request.call {
        Call::Healthcheck => healthy(request),
        _ => unauthorized(),
    });
    platform.set_now(NOW - 20 * 60_000);
    let seen = run_on(&platform, &all_streams());
    seen.is(Item::Key, Verdict::Failed, "Set the host's clock first");
    seen.is(Item::Clock, Verdict::Failed, "behind");
}

#[test]
fn a_key_of_the_other_kind_is_named_and_the_rest_is_checked_with_it() {
    for (level, other) in [
        (SecurityLevel::Advanced, SecurityLevel::Standard),
        (SecurityLevel::Standard, SecurityLevel::Advanced),
    ] {
        let needs_signature = other == SecurityLevel::Advanced;
        let mut settings = all_streams();
        settings.security_level = level;
        let seen = run_but(&settings, move |request| {
            let free = request.call == Call::Healthcheck;
            (!free && signed(request) != needs_signature).then(unauthorized)
        });
        assert_eq!(seen.with(Verdict::Failed), ["kind of key"], "{:?}", seen.0);
        seen.is(
            Item::KindOfKey,
            Verdict::Failed,
            &format!("Set securityLevel to {}.", other.name()),
        );
        seen.is(Item::Quota, Verdict::Passed, "15 units");
    }
}

// The same threads: what a sync calls, the test has called.
#[test]
fn every_call_that_a_sync_makes_is_tried_by_the_test() {
    let platform = FakePlatform::new(healthy);
    run_on(&platform, &all_streams());
    let mut called: BTreeSet<Call> = platform
        .requests()
        .iter()
        .map(|request| request.call)
        .collect();
    // A stream's id is only given for more rows than the test asks for; it needs the permission of the results.
    called.insert(Call::GetXqlResultsStream);
    assert_eq!(
        Call::GetXqlResultsStream.permission(),
        Call::GetXqlResults.permission()
    );
    assert_eq!(called, Call::ALL.into());
}

// airbytehq/airbyte #12911, PostHog/posthog #78035: the connection test passed, the sync then lacked a permission.
#[test]
fn a_missing_permission_is_named_with_its_call_and_the_rest_goes_on() {
    for (call, item) in [
        (Call::GetEndpoint, Item::Endpoints),
        (Call::GetAlertsMultiEvents, Item::Alerts),
        (Call::GetXqlQuota, Item::QuotaPermission),
        (Call::StartXqlQuery, Item::StartQuery),
        (Call::GetXqlResults, Item::QueryResults),
    ] {
        let seen = run_but(&all_streams(), move |request| {
            (request.call == call).then(forbidden)
        });
        assert_eq!(seen.with(Verdict::Failed), [item.name()], "{:?}", seen.0);
        seen.is(item, Verdict::Failed, call.permission());
        seen.is(Item::Key, Verdict::Passed, "Accepted");
    }
}

#[test]
fn a_licence_that_cannot_be_read_is_a_warning() {
    for answer in [forbidden, || {
        let body = json!({"reply": {"err_code": 500, "err_msg": "An error occurred while processing XDR public API", "err_extra": "No identity threat"}});
        Ok(Answer::json(500, &body))
    }] {
        let seen = run_but(&all_streams(), move |request| {
            (request.call == Call::GetTenantInfo).then(answer)
        });
        assert_eq!(seen.with(Verdict::Warned), ["licence"], "{:?}", seen.0);
        assert!(seen.with(Verdict::Failed).is_empty());
    }
}

#[test]
fn a_call_that_the_licence_does_not_cover_fails() {
    let seen = run_but(&all_streams(), |request| {
        (request.call == Call::GetEndpoint).then(|| {
            Ok(Answer::json(
                402,
                &json!({"reply": {"err_code": 402, "err_msg": "no license"}}),
            ))
        })
    });
    assert_eq!(seen.with(Verdict::Failed), ["permission for get_endpoint"]);
    seen.is(Item::Key, Verdict::Passed, "Accepted");
}

#[test]
fn an_api_that_is_busy_is_a_warning_and_one_that_is_down_is_not() {
    let busy = run_but(&all_streams(), |request| {
        (request.call == Call::GetAlertsMultiEvents).then(|| Ok(Answer::json(429, &json!({}))))
    });
    assert_eq!(
        busy.with(Verdict::Warned),
        ["permission for get_alerts_multi_events"]
    );
    let down = run_but(&all_streams(), |request| {
        (request.call == Call::GetAlertsMultiEvents).then(|| Ok(Answer::new(503, "down")))
    });
    assert_eq!(
        down.with(Verdict::Failed),
        ["permission for get_alerts_multi_events"]
    );
}

#[test]
fn a_tenant_without_endpoints_in_the_chosen_states_is_told() {
    let seen = run_but(&all_streams(), |request| {
        (request.call == Call::GetEndpoint).then(|| {
            Ok(Answer::reply(
                json!({"total_count": 0, "result_count": 0, "endpoints": []}),
            ))
        })
    });
    seen.is(Item::Endpoints, Verdict::Warned, "endpointStatuses");
}

#[test]
fn a_total_that_the_api_does_not_give_is_no_error() {
    let seen = run_but(&all_streams(), |request| {
        (request.call == Call::GetEndpoint).then(|| {
            Ok(Answer::reply(
                json!({"total_count": null, "endpoints": [{}]}),
            ))
        })
    });
    seen.is(Item::Endpoints, Verdict::Passed, "does not say how many");
    seen.is(Item::Quota, Verdict::Passed, "15 units a day");
}

#[test]
fn the_quota_is_held_against_what_a_sync_costs() {
    for (quota, total, verdict, words) in [
        (
            json!({"license_quota": 5, "used_quota": 0}),
            500,
            Verdict::Passed,
            "about 2.0",
        ),
        (
            json!({"license_quota": 5, "used_quota": 0}),
            1000,
            Verdict::Warned,
            "Raise xqlDailyShare",
        ),
        (
            json!({"license_quota": 5, "used_quota": 4.5}),
            500,
            Verdict::Warned,
            "after 00:00 UTC",
        ),
        (
            json!({"license_quota": 5, "used_quota": 5}),
            1,
            Verdict::Warned,
            "used up",
        ),
        (
            json!({"license_quota": 0, "used_quota": 0}),
            1,
            Verdict::Failed,
            "no XQL quota",
        ),
        (json!({}), 1, Verdict::Warned, "does not tell"),
    ] {
        let shown = quota.to_string();
        let seen = run_but(&all_streams(), move |request| match request.call {
            Call::GetXqlQuota => Some(Ok(Answer::reply(quota.clone()))),
            Call::GetEndpoint => Some(Ok(Answer::reply(
                json!({"total_count": total, "endpoints": [{}]}),
            ))),
            _ => None,
        });
        let check = seen.check(Item::Quota);
        assert!(
            check.verdict == verdict && format!("{check:?}").contains(words),
            "{shown}: {check:?}"
        );
    }
}

#[test]
fn no_query_is_started_when_the_quota_is_used_up() {
    let platform = FakePlatform::new(|request| match request.call {
        Call::GetXqlQuota => Ok(Answer::reply(json!({"license_quota": 1, "used_quota": 1}))),
        _ => healthy(request),
    });
    let seen = run_on(&platform, &all_streams());
    seen.is(Item::StartQuery, Verdict::Skipped, "used up");
    assert!(
        platform
            .requests()
            .iter()
            .all(|request| request.call != Call::StartXqlQuery)
    );
    // The licence still tells.
    seen.is(Item::HostInsights, Verdict::Passed, "Bought");
}

#[test]
fn host_insights_is_judged_by_its_data_before_the_licence() {
    let bought = json!({"purchased_host_insights": 1});
    let not_bought = json!({"purchased_host_insights": 0});
    let silent = json!({});
    let rows = json!([{"endpoint_id": "a"}]);
    let none = json!([]);
    for (info, data, verdict) in [
        (&bought, &rows, Verdict::Passed),
        (&not_bought, &rows, Verdict::Passed),
        (&silent, &rows, Verdict::Passed),
        (&bought, &none, Verdict::Warned),
        (&silent, &none, Verdict::Warned),
        (&not_bought, &none, Verdict::Failed),
    ] {
        let (info, data) = (info.clone(), data.clone());
        let shown = format!("{info} {data}");
        let seen = run_but(&all_streams(), move |request| match request.call {
            Call::GetTenantInfo => Some(Ok(Answer::reply(info.clone()))),
            Call::GetXqlResults => Some(Ok(Answer::reply(
                json!({"status": "SUCCESS", "results": {"data": data.clone()}}),
            ))),
            _ => None,
        });
        assert!(
            seen.check(Item::HostInsights).verdict == verdict,
            "{shown}: {:?}",
            seen.0
        );
    }
}

#[test]
fn a_tenant_without_the_dataset_is_told_what_to_buy() {
    let seen = run_but(&all_streams(), |request| {
        (request.call == Call::StartXqlQuery).then(|| {
            Ok(Answer::json(500, &json!({"reply": {"err_code": 500, "err_msg": "An error occurred", "err_extra": {"parse_err": "unknown dataset va_endpoints"}}})))
        })
    });
    seen.is(Item::StartQuery, Verdict::Failed, "Host Insights");
}

#[test]
fn a_query_is_waited_for_and_given_up_in_the_end() {
    let platform = FakePlatform::new(|request| match request.call {
        Call::GetXqlResults => Ok(Answer::reply(json!({"status": "PENDING"}))),
        _ => healthy(request),
    });
    let seen = run_on(&platform, &all_streams());
    seen.is(Item::QueryResults, Verdict::Warned, "still running");
    assert!(seen.with(Verdict::Failed).is_empty());
    let polls = platform
        .requests()
        .iter()
        .filter(|request| request.call == Call::GetXqlResults)
        .count();
    assert!((2..=10).contains(&polls), "{polls}");
}

#[test]
fn a_query_that_fails_is_told_with_the_reason() {
    let seen = run_but(&all_streams(), |request| {
        (request.call == Call::GetXqlResults).then(|| {
            Ok(Answer::reply(
                json!({"status": "FAIL", "error": "out of luck"}),
            ))
        })
    });
    seen.is(Item::QueryResults, Verdict::Failed, "out of luck");
}
