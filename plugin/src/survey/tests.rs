//! Whole reports, against a tenant in memory that answers as the API does.

use super::*;
use crate::describe::Call;
use crate::platform::{Failure, Request};
use crate::testing::{Answer, FakePlatform, NOW, block_on};
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;

const DAY: u64 = 86_400_000;

/// What the API's filters ask for.
struct Asked {
    data: Value,
}

impl Asked {
    fn of(request: &Request) -> Asked {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        Asked {
            data: body["request_data"].clone(),
        }
    }

    fn filter(&self, field: &str) -> Option<&Value> {
        let filters = self.data["filters"].as_array()?;
        let found = filters.iter().find(|filter| filter["field"] == field)?;
        Some(&found["value"])
    }

    fn any_of(&self, field: &str, value: &Value) -> bool {
        let meant = |wanted: &Vec<Value>| {
            wanted.iter().any(|wanted| {
                let (wanted, value) = (wanted.as_str().unwrap(), value.as_str().unwrap_or(""));
                wanted.eq_ignore_ascii_case(value)
            })
        };
        self.filter(field)
            .is_none_or(|wanted| meant(wanted.as_array().unwrap()))
    }

    fn page(&self, list: &str, records: Vec<&Value>) -> Answer {
        let from = self.data["search_from"].as_u64().unwrap() as usize;
        let to = self.data["search_to"].as_u64().unwrap() as usize;
        let total = records.len().min(9_999);
        let page: Vec<&Value> = records.into_iter().skip(from).take(to - from).collect();
        Answer::reply(json!({"total_count": total, "result_count": page.len(), list: page}))
    }
}

/// A tenant: endpoints by first_seen, alerts with the newest first.
#[derive(Default)]
struct Tenant {
    endpoints: Vec<Value>,
    alerts: Vec<Value>,
}

impl Tenant {
    fn endpoint(mut self, name: &str, status: &str, silent_days: u64, tags: &[&str]) -> Self {
        self.endpoints.push(json!({
            "endpoint_id": format!("id-{name}"), "endpoint_name": name, "endpoint_status": status,
            "last_seen": NOW - silent_days * DAY, "tags": {"server_tags": tags, "endpoint_tags": []},
        }));
        self
    }

    fn alerts(mut self, source: Option<&str>, status: &str, number: usize) -> Self {
        for at in 0..number {
            self.alerts.push(json!({
                "alert_id": at.to_string(), "source": source, "resolution_status": status, "name": format!("alert {}", at % 7),
            }));
        }
        self
    }

    fn answer(&self, request: &Request) -> Answer {
        let asked = Asked::of(request);
        match request.call {
            Call::GetEndpoint => {
                assert_eq!(asked.data["sort"]["keyword"], "ASC");
                let latest = asked.filter("last_seen").and_then(Value::as_u64);
                let found = self.endpoints.iter().filter(|endpoint| {
                    asked.any_of("endpoint_status", &endpoint["endpoint_status"])
                        && latest.is_none_or(|at| endpoint["last_seen"].as_u64() <= Some(at))
                });
                asked.page("endpoints", found.collect())
            }
            Call::GetAlertsMultiEvents => {
                assert_eq!(asked.data["sort"]["keyword"], "desc");
                let found = self
                    .alerts
                    .iter()
                    .filter(|alert| asked.any_of("alert_source", &alert["source"]));
                asked.page("alerts", found.collect())
            }
            other => panic!("{other:?} is not needed"),
        }
    }

    fn platform(self) -> FakePlatform {
        FakePlatform::new(move |request| Ok(self.answer(request)))
    }
}

fn report(platform: &FakePlatform, more: Value) -> Vec<BlindSpot> {
    let mut config = json!({"baseUrl": "mycompany.xdr.us.paloaltonetworks.com", "apiKeyId": "7"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    block_on(survey(platform.clone(), config.to_string().as_bytes(), 30))
}

#[track_caller]
fn named<'a>(spots: &'a [BlindSpot], name: &str) -> &'a BlindSpot {
    let mut found = spots.iter().filter(|spot| spot.name == name);
    let spot = found
        .next()
        .unwrap_or_else(|| panic!("no {name:?} in {spots:#?}"));
    assert!(found.next().is_none(), "{name:?} is there twice");
    spot
}

fn counts(spots: &[BlindSpot], about: &str) -> Vec<(String, Option<u64>, bool)> {
    let about = spots.iter().filter(|spot| spot.name.contains(about));
    about
        .map(|spot| (spot.name.clone(), spot.count, spot.or_more))
        .collect()
}

#[test]
fn open_alerts_of_sources_that_are_left_out_are_counted_source_by_source() {
    let platform = Tenant::default()
        .alerts(Some("XDR BIOC"), "STATUS_010_NEW", 5)
        .alerts(Some("ASM"), "STATUS_010_NEW", 3)
        .alerts(Some("ASM"), "STATUS_020_UNDER_INVESTIGATION", 2)
        .alerts(Some("ASM"), "STATUS_070_RESOLVED_OTHER", 4)
        .alerts(Some("ASM"), "STATUS_999_WHATEVER", 1)
        .alerts(Some("DLP"), "STATUS_070_RESOLVED_OTHER", 9)
        .platform();
    let spots = report(&platform, json!({}));
    assert_eq!(
        counts(&spots, "alerts"),
        [("open alerts from ASM".to_owned(), Some(6), false)]
    );
    let asm = named(&spots, "open alerts from ASM");
    assert_eq!(asm.detail, "Of 10 in any status.");
    assert_eq!(asm.examples, ["alert 0", "alert 1", "alert 2"]);
    assert!(asm.remedy.contains("alertSources"));
}

#[test]
fn where_the_newest_page_does_not_hold_all_alerts_of_a_source_it_says_so() {
    let platform = Tenant::default()
        .alerts(Some("ASM"), "STATUS_010_NEW", 40)
        .alerts(Some("ASM"), "STATUS_070_RESOLVED_OTHER", 1_164)
        .platform();
    let spots = report(&platform, json!({}));
    let asm = named(&spots, "alerts from ASM in any status");
    assert_eq!((asm.count, asm.or_more), (Some(1_204), false));
    assert_eq!(asm.detail, "Of the newest 100, 40 are open.");
}

#[test]
fn where_the_api_stops_counting_there_may_be_more() {
    let platform = Tenant::default()
        .alerts(Some("XDR Agent"), "STATUS_010_NEW", 12_000)
        .platform();
    let spots = report(&platform, json!({}));
    let agent = named(&spots, "alerts from XDR Agent in any status");
    assert_eq!((agent.count, agent.or_more), (Some(9_999), true));
    let others = named(&spots, "alerts from sources without a name here");
    assert_eq!(others.count, None);
    assert!(others.detail.contains("9,999"), "{}", others.detail);
}

#[test]
fn a_null_total_beside_a_full_page_is_a_hundred_or_more() {
    let tenant = Tenant::default().alerts(Some("ASM"), "STATUS_010_NEW", 250);
    let platform = FakePlatform::new(move |request| {
        if request.call == Call::GetAlertsMultiEvents {
            let asked = Asked::of(request);
            let found = tenant
                .alerts
                .iter()
                .filter(|alert| asked.any_of("alert_source", &alert["source"]));
            let page: Vec<&Value> = found.take(100).collect();
            return Ok(Answer::reply(json!({"total_count": null, "alerts": page})));
        }
        Ok(tenant.answer(request))
    });
    let spots = report(&platform, json!({}));
    let asm = named(&spots, "alerts from ASM in any status");
    assert_eq!((asm.count, asm.or_more), (Some(100), true));
}

#[test]
fn alerts_of_other_vendors_and_of_no_source_at_all_are_not_forgotten() {
    let platform = Tenant::default()
        .alerts(Some("Fortinet - FortiGate"), "STATUS_010_NEW", 3)
        .alerts(Some("xdr bioc"), "STATUS_010_NEW", 50)
        .alerts(None, "STATUS_010_NEW", 2)
        .alerts(Some("XDR BIOC"), "STATUS_010_NEW", 200)
        .alerts(Some("Seldom - Seen"), "STATUS_010_NEW", 4)
        .platform();
    let spots = report(&platform, json!({}));
    assert_eq!(
        counts(&spots, "alerts"),
        [
            (
                "open alerts from Fortinet - FortiGate".to_owned(),
                Some(3),
                false
            ),
            (
                "alerts from sources without a name here".to_owned(),
                Some(6),
                false
            ),
        ]
    );
}

#[test]
fn a_tenant_whose_alerts_are_not_read_leaves_out_all_sources() {
    let platform = Tenant::default()
        .alerts(Some("XDR BIOC"), "STATUS_010_NEW", 5)
        .platform();
    let spots = report(&platform, json!({"dataStreams": ["endpoints"]}));
    assert_eq!(
        counts(&spots, "alerts"),
        [("open alerts from XDR BIOC".to_owned(), Some(5), false)]
    );
    let sources = platform
        .requests()
        .iter()
        .filter(|request| request.call == Call::GetAlertsMultiEvents)
        .count();
    assert_eq!(sources, 1 + crate::configure::KNOWN_ALERT_SOURCES.len());
}

#[test]
fn silent_agents_are_installed_and_did_not_report_for_so_long() {
    let platform = Tenant::default()
        .endpoint("a", "CONNECTED", 0, &[])
        .endpoint("b", "LOST", 29, &[])
        .endpoint("c", "LOST", 30, &[])
        .endpoint("d", "DISCONNECTED", 400, &[])
        .endpoint("e", "UNINSTALLED", 400, &[])
        .platform();
    let spots = report(&platform, json!({}));
    let silent = named(&spots, "agents silent for 30 days or more");
    assert_eq!(silent.count, Some(2));
    assert_eq!(silent.examples, ["c", "d"]);
    let config = json!({"baseUrl": "mycompany.xdr.us.paloaltonetworks.com", "apiKeyId": "7"});
    let one_day = block_on(survey(platform, config.to_string().as_bytes(), 1));
    assert_eq!(
        named(&one_day, "agents silent for 1 day or more").count,
        Some(3)
    );
}

#[test]
fn endpoints_in_states_that_are_left_out_are_counted_with_one_request() {
    let tenant = || {
        Tenant::default()
            .endpoint("a", "CONNECTED", 0, &[])
            .endpoint("b", "LOST", 0, &[])
            .endpoint("c", "UNINSTALLED", 0, &[])
            .platform()
    };
    let name = "endpoints in states that are left out";
    let spots = report(&tenant(), json!({"endpointStatuses": ["connected"]}));
    let spot = named(&spots, name);
    assert_eq!(spot.count, Some(2));
    assert_eq!(
        spot.detail,
        "endpointStatuses leaves out: disconnected, lost, uninstalled."
    );
    assert_eq!(spot.examples, ["b", "c"]);

    let all = json!({"endpointStatuses": ["connected", "disconnected", "lost", "uninstalled"]});
    assert!(counts(&report(&tenant(), all), name).is_empty());

    let none = report(&tenant(), json!({"dataStreams": ["alerts"]}));
    assert_eq!(named(&none, "endpoints").count, Some(3));
}

#[test]
fn endpoints_without_a_tag_and_without_a_wanted_one_are_counted() {
    let platform = || {
        Tenant::default()
            .endpoint("bare", "CONNECTED", 0, &[])
            .endpoint("other", "CONNECTED", 0, &["other"])
            .endpoint("wanted", "CONNECTED", 0, &["other", "wanted"])
            .endpoint("gone", "UNINSTALLED", 0, &[])
            .platform()
    };
    let spots = report(&platform(), json!({"tags": "wanted"}));
    let untagged = named(&spots, "untagged endpoints");
    assert_eq!((untagged.count, untagged.or_more), (Some(1), false));
    assert_eq!(untagged.examples, ["bare"]);
    assert_eq!(untagged.detail, "Of all 3 endpoints in the chosen states.");
    let unwanted = named(&spots, "endpoints without a wanted tag");
    assert_eq!(unwanted.count, Some(2));
    assert_eq!(unwanted.examples, ["bare", "other"]);

    let without = report(&platform(), json!({}));
    assert!(counts(&without, "wanted").is_empty());
}

#[test]
fn tags_are_looked_for_on_no_more_than_two_thousand_endpoints() {
    let mut tenant = Tenant::default();
    for at in 0..2_500 {
        let tags: &[&str] = if at % 10 == 0 { &[] } else { &["t"] };
        tenant = tenant.endpoint(&format!("e{at}"), "CONNECTED", 0, tags);
    }
    let platform = tenant.platform();
    let spots = report(&platform, json!({}));
    let untagged = named(&spots, "untagged endpoints");
    assert_eq!((untagged.count, untagged.or_more), (Some(200), true));
    assert!(
        untagged.detail.starts_with("Of the 2,000 first seen."),
        "{}",
        untagged.detail
    );
    // Pages of tags, silent agents, and states that are left out.
    let requests = platform.requests();
    let asked = requests.iter().filter(|r| r.call == Call::GetEndpoint);
    assert_eq!(asked.count(), 20 + 1 + 1);
}

#[test]
fn a_tenant_that_tells_no_tags_is_not_taken_for_one_without_tags() {
    let platform = FakePlatform::new(|request| {
        Ok(match request.call {
            Call::GetEndpoint => Answer::reply(
                json!({"total_count": 1, "endpoints": [{"endpoint_id": "a", "endpoint_name": "a"}]}),
            ),
            _ => Answer::reply(json!({"total_count": 0, "alerts": []})),
        })
    });
    let spots = report(&platform, json!({}));
    assert_eq!(named(&spots, "untagged endpoints").count, None);
}

#[test]
fn a_page_of_endpoints_that_comes_again_ends_the_reading() {
    let page: Vec<Value> = (0..100)
        .map(|at| json!({"endpoint_id": at.to_string(), "tags": {}}))
        .collect();
    let platform = FakePlatform::new(move |request| {
        Ok(match request.call {
            Call::GetEndpoint => Answer::reply(json!({"total_count": 9_999, "endpoints": page})),
            _ => Answer::reply(json!({"total_count": 0, "alerts": []})),
        })
    });
    let spots = report(&platform, json!({}));
    let untagged = named(&spots, "untagged endpoints");
    assert_eq!((untagged.count, untagged.or_more), (Some(100), true));
}

#[test]
fn endpoints_never_scanned_are_those_held_without_a_scan() {
    let platform = Tenant::default().platform();
    for at in 0..2_345 {
        platform.hold("endpoints", &format!("{at:05}"), 0);
        if at % 3 != 0 {
            platform.hold("vulnerabilities", &format!("{at:05}"), 0);
        }
    }
    // Scanned, and not held as an endpoint.
    platform.hold("vulnerabilities", "00000-before", 0);
    platform.hold("vulnerabilities", "99999", 0);
    let streams = json!({"dataStreams": ["endpoints", "alerts", "vulnerabilities"]});
    let spots = report(&platform, streams);
    let spot = named(&spots, "endpoints never scanned for CVEs");
    assert_eq!((spot.count, spot.or_more), (Some(782), false));
    assert_eq!(spot.examples, ["00000", "00003", "00006", "00009", "00012"]);
    assert!(spot.detail.contains("2,345 endpoints"), "{}", spot.detail);
}

#[test]
fn what_was_never_scanned_is_unknown_where_scans_are_not_read_or_not_held() {
    let name = "endpoints never scanned for CVEs";
    let platform = Tenant::default().platform();
    platform.hold("endpoints", "a", 0);
    let spots = report(&platform, json!({}));
    let spot = named(&spots, name);
    assert_eq!(spot.count, None);
    assert!(
        spot.detail.contains("vulnerabilities are not among"),
        "{}",
        spot.detail
    );
    assert!(spot.remedy.contains("Host Insights"), "{}", spot.remedy);

    let streams = json!({"dataStreams": ["endpoints", "vulnerabilities"]});
    let spot = report(&platform, streams.clone());
    assert!(
        named(&spot, name)
            .detail
            .contains("Nothing of vulnerabilities")
    );
    platform.hold("vulnerabilities", "a", 0);
    let spot = report(&platform, streams);
    assert_eq!(named(&spot, name).count, Some(0));
    assert_eq!(named(&spot, name).remedy, "");
}

#[test]
fn a_call_without_permission_leaves_its_own_blind_spots_unknown_and_no_others() {
    let tenant = Tenant::default().alerts(Some("ASM"), "STATUS_010_NEW", 1);
    let platform = FakePlatform::new(move |request| {
        if request.call == Call::GetEndpoint {
            let body = json!({"reply": {"err_code": 403, "err_msg": "Insufficient permissions for api key", "err_extra": null}});
            return Ok(Answer::json(403, &body));
        }
        Ok(tenant.answer(request))
    });
    let spots = report(&platform, json!({"tags": ["t"]}));
    for name in [
        "agents silent for 30 days or more",
        "endpoints in states that are left out",
        "untagged endpoints",
        "endpoints without a wanted tag",
    ] {
        let spot = named(&spots, name);
        assert_eq!(spot.count, None, "{name}");
        assert!(spot.detail.contains("Insufficient permissions"), "{name}");
        assert!(spot.remedy.contains("Endpoint Administration"), "{name}");
    }
    assert_eq!(named(&spots, "open alerts from ASM").count, Some(1));
    let asked = platform.requests();
    let endpoints = asked.iter().filter(|r| r.call == Call::GetEndpoint);
    assert_eq!(endpoints.count(), 1, "it is not asked again");
}

#[test]
fn a_key_that_is_refused_is_tried_once() {
    let platform = FakePlatform::new(|_| {
        let body = json!({"reply": {"err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null}});
        Ok(Answer::json(401, &body))
    });
    let spots = report(&platform, json!({}));
    assert_eq!(platform.requests().len(), 1);
    assert!(spots.iter().all(|spot| spot.count.is_none()), "{spots:#?}");
    assert!(
        named(&spots, "alerts from sources that are left out")
            .detail
            .contains("unauthorized")
    );
}

#[test]
fn a_failure_in_the_middle_leaves_one_source_unknown_and_the_rest_told() {
    let tenant = Tenant::default()
        .alerts(Some("ASM"), "STATUS_010_NEW", 1)
        .alerts(Some("DLP"), "STATUS_010_NEW", 2)
        .alerts(Some("Health"), "STATUS_010_NEW", 3);
    let platform = FakePlatform::new(move |request| {
        let asked = Asked::of(request);
        if asked.filter("alert_source") == Some(&json!(["DLP"])) {
            let body = json!({"reply": {"err_code": 500, "err_msg": "An error occurred", "err_extra": "a reason"}});
            return Ok(Answer::json(500, &body));
        }
        Ok(tenant.answer(request))
    });
    let spots = report(&platform, json!({}));
    assert_eq!(named(&spots, "open alerts from ASM").count, Some(1));
    assert_eq!(named(&spots, "open alerts from DLP").count, None);
    assert_eq!(named(&spots, "open alerts from Health").count, Some(3));
    // 2 alerts can't be told from those of unknown sources.
    assert_eq!(
        named(&spots, "alerts from sources without a name here").count,
        None
    );
}

#[test]
fn a_key_that_is_revoked_on_the_way_ends_the_asking_and_is_told_once() {
    let tenant = Tenant::default().alerts(Some("XDR Agent"), "STATUS_010_NEW", 1);
    let left = Rc::new(Cell::new(5));
    let platform = FakePlatform::new(move |request| {
        if left.get() == 0 {
            let body = json!({"reply": {"err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null}});
            return Ok(Answer::json(401, &body));
        }
        left.set(left.get() - 1);
        Ok(tenant.answer(request))
    });
    let spots = report(&platform, json!({}));
    assert_eq!(platform.requests().len(), 6);
    assert_eq!(named(&spots, "open alerts from XDR Agent").count, Some(1));
    assert_eq!(
        named(&spots, "alerts from the remaining sources").count,
        None
    );
}

#[test]
fn nobody_is_asked_again_and_again_where_nobody_answers() {
    let platform = FakePlatform::new(|_| Err(Failure::Connect("refused".to_owned())));
    let spots = report(&platform, json!({}));
    assert_eq!(platform.requests().len(), 1);
    assert!(spots.iter().all(|spot| spot.count.is_none()));
}

#[test]
fn a_configuration_that_can_not_be_read_is_the_report() {
    let platform = Tenant::default().platform();
    let spots = block_on(survey(platform.clone(), b"{}", 30));
    assert!(!spots.is_empty() && spots.iter().all(|spot| spot.count.is_none()));
    assert!(platform.requests().is_empty());
}

#[test]
fn a_total_is_believed_only_as_far_as_the_page_does_not_prove_it_wrong() {
    use super::spot::Count;
    use crate::api::Page;
    let page = |records: usize, total| Page {
        records: vec![Value::Null; records],
        total,
    };
    for (records, total, number, or_more) in [
        (0, Some(0), 0, false),
        (3, Some(3), 3, false),
        (3, Some(0), 3, false),
        (3, None, 3, false),
        (100, Some(5), 100, true),
        (100, None, 100, true),
        (100, Some(9_998), 9_998, false),
        (100, Some(9_999), 9_999, true),
        (100, Some(20_000), 20_000, true),
        (100, Some(100), 100, false),
    ] {
        let count = Count { number, or_more };
        assert_eq!(Count::of(&page(records, total), 100), count);
    }
}

#[test]
fn numbers_are_grouped_by_three() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (1_234_567, "1,234,567"),
    ] {
        assert_eq!(super::spot::grouped(number), text);
    }
}
