//! What becomes of vulnerabilities.

mod doubt;
mod incremental;
mod random;
mod store;

use super::tenant::endpoint;
use super::xql::{Out, Xql, gzip, rows};
use super::*;
use crate::contract::log::Level;
use crate::contract::types::Cause;
use crate::describe::Call;
use crate::testing::{Answer, NOW};
use serde_json::{Value, json};
use std::rc::Rc;

const STREAM: DataStream = DataStream::Vulnerabilities;

/// A tenant whose endpoint number n has as many CVEs as the list says at n.
fn tenant(cves: &[usize]) -> Rc<Xql> {
    let all = cves
        .iter()
        .enumerate()
        .flat_map(|(number, cves)| rows(number, *cves))
        .collect();
    Xql::new(
        all,
        (0..cves.len()).map(|number| endpoint(number, 1)).collect(),
    )
}

fn read(tenant: &Rc<Xql>) -> All {
    all(&begin(&tenant.platform(), &settings(), STREAM, None).unwrap()).unwrap()
}

fn fault(tenant: &Rc<Xql>) -> Fault {
    all(&begin(&tenant.platform(), &settings(), STREAM, None).unwrap()).unwrap_err()
}

/// Key and CVE names of each entry, in order.
fn found(all: &All) -> Vec<(String, Vec<String>)> {
    all.steps
        .iter()
        .flat_map(|step| &step.entries)
        .map(|entry| {
            let body: Value = serde_json::from_slice(&entry.body).unwrap();
            let cves = body["cves"].as_array().unwrap();
            (
                entry.key.clone(),
                cves.iter()
                    .map(|cve| cve["name"].as_str().unwrap().to_owned())
                    .collect(),
            )
        })
        .collect()
}

fn expected(cves: &[usize]) -> Vec<(String, Vec<String>)> {
    let names = |count: usize| (0..count).map(|cve| format!("CVE-2024-{cve:04}")).collect();
    cves.iter()
        .enumerate()
        .map(|(number, count)| (format!("e{number:05}"), names(*count)))
        .collect()
}

fn error(extra: Value) -> Answer {
    Answer::json(
        500,
        &json!({"reply": {"err_code": 500, "err_msg": "An error occurred while processing XDR public API", "err_extra": extra}}),
    )
}

#[test]
fn inline_rows_and_streams_in_every_compression_give_the_same_records() {
    let cves = [3, 0, 1, 12, 2];
    for out in [Out::Inline, Out::Plain, Out::Gzip, Out::TwiceGzip] {
        let tenant = tenant(&cves);
        tenant.out.set(out);
        let read = read(&tenant);
        assert_eq!(found(&read), expected(&cves), "{out:?}");
        assert!(read.reasons().is_empty(), "{out:?}: {:?}", read.reasons());
    }
}

#[test]
fn a_record_has_the_endpoints_columns_and_its_cves() {
    let read = read(&tenant(&[1]));
    let body: Value = serde_json::from_slice(&read.steps.last().unwrap().entries[0].body).unwrap();
    assert_eq!(body["allIPs"], json!(["10.0.0.1"]));
    assert_eq!(
        body["cves"],
        json!([{
            "name": "CVE-2024-0000", "severity": "HIGH", "severity_score": 8.5, "publication_date": 1_709_164_800_000_u64,
            "description": "what it is",
        }])
    );
}

#[test]
fn endpoints_are_looked_up_by_the_hundred() {
    let cves: Vec<usize> = (0..250).map(|number| number % 3).collect();
    let tenant = tenant(&cves);
    tenant.out.set(Out::Gzip);
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), STREAM, None).unwrap()).unwrap();
    assert_eq!(found(&read), expected(&cves));
    let lookups = platform
        .requests()
        .iter()
        .filter(|request| request.call == Call::GetEndpoint)
        .count();
    assert_eq!(lookups, 3);
}

#[test]
fn the_query_id_is_in_a_checkpoint_before_the_first_poll_and_is_used_again() {
    let tenant = tenant(&[1, 2]);
    let platform = tenant.platform();
    let reading = begin(&platform, &settings(), STREAM, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    assert!(step.entries.is_empty());
    assert!(
        String::from_utf8(step.checkpoint.clone())
            .unwrap()
            .contains("query-1")
    );
    assert!(
        platform
            .requests()
            .iter()
            .all(|request| request.call != Call::GetXqlResults)
    );
    drop(reading);
    let read = all(&begin(&platform, &settings(), STREAM, Some(step.checkpoint)).unwrap()).unwrap();
    assert_eq!(found(&read), expected(&[1, 2]));
    assert_eq!(tenant.started.get(), 1, "no quota is spent twice");
}

#[test]
fn a_query_that_runs_is_asked_for_with_growing_pauses_and_every_step_has_a_new_checkpoint() {
    let tenant = tenant(&[1]);
    tenant.pending.set(12);
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), STREAM, None).unwrap()).unwrap();
    assert_eq!(found(&read), expected(&[1]));
    let mut checkpoints: Vec<_> = read
        .steps
        .iter()
        .map(|step| step.checkpoint.clone())
        .collect();
    let count = checkpoints.len();
    checkpoints.dedup();
    assert_eq!(checkpoints.len(), count);
    // 0.5 + 1 + 2 + 4 + 8 seconds, then 10 seconds each.
    assert_eq!(
        crate::platform::Platform::now(&platform) - NOW,
        15_500 + 8 * 10_000
    );
}

#[test]
fn a_query_that_never_ends_is_given_up_and_kept_for_the_next_run() {
    let tenant = tenant(&[1]);
    tenant.pending.set(100_000);
    let fault = fault(&tenant);
    assert!(
        matches!(fault.cause, Cause::Unavailable),
        "{}",
        fault.message
    );
}

#[test]
fn a_query_that_the_api_forgot_is_started_anew_and_said_so() {
    let tenant = tenant(&[1, 1]);
    let platform = tenant.platform();
    let reading = begin(&platform, &settings(), STREAM, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    tenant.known.borrow_mut().clear();
    let read = all(&begin(&platform, &settings(), STREAM, Some(step.checkpoint)).unwrap()).unwrap();
    assert_eq!(found(&read), expected(&[1, 1]));
    assert_eq!(tenant.started.get(), 2);
    assert!(
        platform
            .lines()
            .iter()
            .any(|(_, line)| line.contains("started anew"))
    );
}

#[test]
fn a_query_that_is_forgotten_again_and_again_is_a_fault() {
    let tenant = tenant(&[1]);
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        (request.call == Call::GetXqlResults).then(|| error(json!("Query not found")))
    });
    fault(&tenant);
    assert_eq!(tenant.started.get(), 3);
}

#[test]
fn the_share_of_the_daily_quota_is_kept() {
    let tenant = tenant(&[1]);
    *tenant.quota.borrow_mut() = json!({"license_quota": 5, "used_quota": 2.6});
    let fault = fault(&tenant);
    assert!(
        matches!(fault.cause, Cause::Exhausted(Some(at)) if at == NOW + 86_400_000),
        "{}",
        fault.message
    );
    assert_eq!(tenant.started.get(), 0);
}

#[test]
fn the_cost_of_the_last_query_is_said_and_kept_so_that_the_next_does_not_overstep_the_share() {
    let tenant = tenant(&[1]);
    let platform = tenant.platform();
    let first = all(&begin(&platform, &settings(), STREAM, None).unwrap()).unwrap();
    assert!(
        platform
            .lines()
            .iter()
            .any(|(_, line)| line.contains("its cost"))
    );
    let checkpoint = first.end.unwrap().checkpoint;
    // 2.5 are the share; the query cost 0.1.
    for (used, starts) in [(2.45, false), (2.3, true)] {
        *tenant.quota.borrow_mut() = json!({"license_quota": 5, "used_quota": used});
        let again = begin(&platform, &settings(), STREAM, Some(checkpoint.clone())).unwrap();
        let before = tenant.started.get();
        match all(&again) {
            Ok(_) => assert!(starts),
            Err(fault) => assert!(
                !starts && fault.message.contains("cost 0.1 the last time"),
                "{}",
                fault.message
            ),
        }
        assert_eq!(tenant.started.get() - before, u32::from(starts));
    }
}

#[test]
fn a_quota_that_is_not_told_is_warned_of_and_stops_nothing() {
    let tenant = tenant(&[1]);
    *tenant.quota.borrow_mut() = json!({"used_quota": 2.6});
    let platform = tenant.platform();
    all(&begin(&platform, &settings(), STREAM, None).unwrap()).unwrap();
    assert!(
        platform
            .lines()
            .iter()
            .any(|(level, line)| matches!(level, Level::Warn) && line.contains("quota"))
    );
}

#[test]
fn without_host_insights_the_fault_says_unlicensed_and_no_quota_is_spent() {
    let tenant = tenant(&[]);
    *tenant.tenant_info.borrow_mut() =
        json!({"purchased_host_insights": 0, "enabled_host_insights": 0});
    let fault = fault(&tenant);
    assert!(
        matches!(fault.cause, Cause::Unlicensed),
        "{}",
        fault.message
    );
    assert!(fault.remedy.contains("Host Insights"), "{}", fault.remedy);
    assert_eq!(tenant.started.get(), 0);
}

#[test]
fn an_unknown_dataset_is_a_matter_of_the_licence() {
    for text in ["Unknown dataset va_endpoints", ""] {
        let tenant = tenant(&[1]);
        *tenant.tenant_info.borrow_mut() = json!({});
        *tenant.instead.borrow_mut() = Box::new(move |_, request| {
            (request.call == Call::StartXqlQuery).then(|| error(json!({"parse_err": text})))
        });
        let fault = fault(&tenant);
        assert!(
            matches!(fault.cause, Cause::Unlicensed),
            "{text}: {}",
            fault.message
        );
    }
}

#[test]
fn a_query_that_fails_says_why() {
    let tenant = tenant(&[1]);
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        (request.call == Call::GetXqlResults)
            .then(|| Answer::reply(json!({"status": "FAIL", "error": {"reason": "out of memory"}})))
    });
    let fault = fault(&tenant);
    assert!(matches!(fault.cause, Cause::Protocol));
    assert!(fault.message.contains("out of memory"), "{}", fault.message);
}

#[test]
fn a_query_that_failed_is_not_asked_for_again_by_the_next_run() {
    let answers = [
        json!({"status": "FAIL", "error": "out of memory"}),
        json!({"status": "SHRUG"}),
        json!({"status": "SUCCESS", "number_of_results": 3}),
    ];
    for answer in answers {
        let tenant = tenant(&[1, 2]);
        *tenant.instead.borrow_mut() = Box::new(move |_, request| {
            (request.call == Call::GetXqlResults).then(|| Answer::reply(answer.clone()))
        });
        let platform = tenant.platform();
        let reading = begin(&platform, &settings(), STREAM, None).unwrap();
        let mut checkpoint = None;
        let told = loop {
            match block_on(reading.next()) {
                Ok(Progress::Step(step)) => checkpoint = Some(step.checkpoint),
                Ok(Progress::End(_)) => panic!("it failed"),
                Err(fault) => break fault,
            }
        };
        // Asked again, the same run tells the same and spends no more of the quota.
        assert_eq!(block_on(reading.next()).unwrap_err().message, told.message);
        assert_eq!(tenant.started.get(), 1);
        *tenant.instead.borrow_mut() = Box::new(|_, _| None);
        let read = all(&begin(&platform, &settings(), STREAM, checkpoint).unwrap()).unwrap();
        assert_eq!(found(&read), expected(&[1, 2]));
        assert_eq!(tenant.started.get(), 2);
    }
}

#[test]
fn partial_success_is_incomplete() {
    let tenant = tenant(&[2, 1]);
    *tenant.status.borrow_mut() = "partial_success".to_owned();
    let read = read(&tenant);
    assert_eq!(found(&read), expected(&[2, 1]));
    assert!(
        read.reasons()[0].contains("PARTIAL_SUCCESS"),
        "{:?}",
        read.reasons()
    );
}

#[test]
fn fewer_rows_than_the_api_said_are_incomplete() {
    let tenant = tenant(&[2, 1]);
    *tenant.said.borrow_mut() = Some(json!(5_000));
    assert!(read(&tenant).reasons()[0].contains("has 5000 rows, and gave 3"));
}

#[test]
fn no_rows_at_all_are_incomplete_and_not_an_empty_tenant() {
    let tenant = tenant(&[]);
    assert!(read(&tenant).reasons()[0].contains("is empty"));
}

#[test]
fn a_success_without_rows_or_a_stream_is_a_fault() {
    let tenant = tenant(&[1]);
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        (request.call == Call::GetXqlResults)
            .then(|| Answer::reply(json!({"status": "SUCCESS", "number_of_results": 100})))
    });
    assert!(matches!(fault(&tenant).cause, Cause::Protocol));
}

#[test]
fn rows_out_of_order_are_a_fault_and_not_half_an_endpoint() {
    let tenant = tenant(&[2, 2]);
    tenant.rows.borrow_mut().swap(1, 2);
    let fault = fault(&tenant);
    assert!(matches!(fault.cause, Cause::Protocol));
    assert!(fault.message.contains("order"), "{}", fault.message);
}

#[test]
fn an_endpoint_that_get_endpoint_does_not_know_still_has_its_cves() {
    let tenant = tenant(&[1, 1]);
    tenant.endpoints.borrow_mut().remove(0);
    let platform = tenant.platform();
    let read = all(&begin(&platform, &settings(), STREAM, None).unwrap()).unwrap();
    assert_eq!(found(&read), expected(&[1, 1]));
    assert!(
        platform
            .lines()
            .iter()
            .any(|(_, line)| line.contains("not known to get_endpoint"))
    );
    assert!(read.reasons().is_empty());
    tenant.forgets_endpoints.set(true);
    assert!(
        !self::read(&tenant).reasons().is_empty(),
        "a list that lost all its records is no proof"
    );
}

#[test]
fn tags_and_statuses_narrow_endpoints_here_too() {
    let tenant = tenant(&[1, 1, 1]);
    tenant.endpoints.borrow_mut()[0]["endpoint_status"] = json!("UNINSTALLED");
    tenant.endpoints.borrow_mut()[1]["tags"] = json!({"endpoint_tags": ["other"]});
    let settings = Settings {
        tags: set(&["all"]),
        ..settings()
    };
    let read = all(&begin(&tenant.platform(), &settings, STREAM, None).unwrap()).unwrap();
    assert_eq!(read.entries(), ["e00002"]);
    let why: Vec<_> = read
        .closures()
        .into_iter()
        .map(|(key, why, _)| (key, why))
        .collect();
    assert_eq!(
        why,
        [
            ("e00000".into(), "out of scope: endpointStatuses".into()),
            ("e00001".into(), "out of scope: tags".into())
        ]
    );
}

#[test]
fn lines_that_are_no_rows_go_into_quarantine_and_lose_no_other() {
    let tenant = tenant(&[1, 1]);
    tenant.out.set(Out::Plain);
    tenant.rows.borrow_mut().insert(1, json!({"cves": "CVE-1"}));
    tenant.rows.borrow_mut().insert(1, json!("text"));
    let read = read(&tenant);
    assert_eq!(found(&read), expected(&[1, 1]));
    assert_eq!(read.quarantined(), [None, None]);
}

#[test]
fn too_many_parallel_queries_are_waited_for() {
    let tenant = tenant(&[1]);
    *tenant.instead.borrow_mut() = Box::new(|number, request| {
        (request.call == Call::StartXqlQuery && number < 6).then(|| {
            error(json!({"err_msg": "reached max allowed amount of parallel running queries"}))
        })
    });
    let read = read(&tenant);
    assert_eq!(found(&read), expected(&[1]));
}

#[test]
fn a_stream_cut_short_is_a_fault_and_the_next_run_goes_on() {
    let cves: Vec<usize> = vec![2; 230];
    let tenant = tenant(&cves);
    tenant.out.set(Out::Gzip);
    let platform = tenant.platform();
    let lines: Vec<u8> = tenant
        .rows
        .borrow()
        .iter()
        .flat_map(|row| format!("{row}\n").into_bytes())
        .collect();
    let mut cut = gzip(&lines);
    cut.truncate(cut.len() - 20);
    *tenant.instead.borrow_mut() = Box::new(move |_, request| {
        (request.call == Call::GetXqlResultsStream).then(|| Answer::new(200, cut.clone()))
    });
    let reading = begin(&platform, &settings(), STREAM, None).unwrap();
    let mut checkpoint = None;
    let mut keys = Vec::new();
    let fault = loop {
        match block_on(reading.next()) {
            Ok(Progress::Step(step)) => {
                keys.extend(step.entries.into_iter().map(|entry| entry.key));
                checkpoint = Some(step.checkpoint);
            }
            Ok(Progress::End(_)) => panic!("half a stream is no end"),
            Err(fault) => break fault,
        }
    };
    assert!(fault.message.contains("stops short"), "{}", fault.message);
    *tenant.instead.borrow_mut() = Box::new(|_, _| None);
    let read = all(&begin(&platform, &settings(), STREAM, checkpoint).unwrap()).unwrap();
    keys.extend(read.entries());
    assert_eq!(
        keys,
        (0..230)
            .map(|number| format!("e{number:05}"))
            .collect::<Vec<_>>()
    );
    assert_eq!(tenant.started.get(), 1);
}

#[test]
fn an_error_instead_of_a_stream_is_told_as_what_it_is() {
    let tenant = tenant(&[1]);
    tenant.out.set(Out::Plain);
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        (request.call == Call::GetXqlResultsStream).then(|| {
            Answer::reply(
                json!({"err_code": 403, "err_msg": "Insufficient permissions for api key"}),
            )
        })
    });
    assert!(matches!(fault(&tenant).cause, Cause::Forbidden));
}

#[test]
fn an_endpoint_with_very_many_cves_does_not_fill_memory_with_others() {
    let cves = [4_000, 2_000, 1, 3_000, 3_000];
    let tenant = tenant(&cves);
    tenant.out.set(Out::TwiceGzip);
    let read = read(&tenant);
    assert_eq!(found(&read), expected(&cves));
    assert!(read.steps.iter().all(|step| step.entries.len() <= 3));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn a_read_that_is_cut_after_any_step_gives_every_endpoint_once(
        cves in proptest::collection::vec(0_usize..4, 1..350),
        cuts in proptest::collection::vec(1_usize..5, 1..8),
        out in 0_usize..4,
    ) {
        let tenant = tenant(&cves);
        tenant.out.set([Out::Inline, Out::Plain, Out::Gzip, Out::TwiceGzip][out]);
        tenant.pending.set(2);
        let platform = tenant.platform();
        let mut checkpoint = None;
        let mut gathered = All::default();
        let mut cuts = cuts.into_iter();
        'runs: loop {
            let reading = begin(&platform, &settings(), STREAM, checkpoint.clone()).unwrap();
            for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                match block_on(reading.next()).unwrap() {
                    Progress::Step(step) => {
                        checkpoint = Some(step.checkpoint.clone());
                        gathered.steps.push(step);
                    }
                    Progress::End(summary) => {
                        gathered.end = Some(summary);
                        break 'runs;
                    }
                }
            }
        }
        proptest::prop_assert_eq!(found(&gathered), expected(&cves));
        proptest::prop_assert!(gathered.reasons().is_empty());
        proptest::prop_assert_eq!(gathered.end.as_ref().map(|end| end.read), Some(cves.len() as u64));
        proptest::prop_assert_eq!(tenant.started.get(), 1);
    }
}
