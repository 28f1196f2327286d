//! The pitfalls that other connectors fell into, each as a test named after what went wrong.
//!
//! [`ROWS`] says for every row of the list where its test is. What can be shown by the real component in the real runner is tested here; what
//! is a matter of one module is tested there.

mod credentials;
mod findings;
mod reading_pages;
mod state;
mod weight;

use cortex_xdr_simulator::{NewAlert, NewEndpoint, Options};
use cross_crate_tests::Rig;
use host_runner::pipeline::{ModeChoice, SyncOptions};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub const HOUR: i64 = 60 * 60_000;
pub const DAY: i64 = 24 * HOUR;

/// One row of the list: how it begins, and the tests that show that it does not happen here, or why it can't.
struct Row {
    begins: &'static str,
    tests: &'static [(&'static str, &'static str)],
    /// Where no test applies, or what the tests do not say.
    because: &'static str,
}

const fn row(begins: &'static str, tests: &'static [(&'static str, &'static str)]) -> Row {
    Row {
        begins,
        tests,
        because: "",
    }
}

const PAGES: &str = "tests/end_to_end/pitfalls/reading_pages.rs";
const STATE: &str = "tests/end_to_end/pitfalls/state.rs";
const FINDINGS: &str = "tests/end_to_end/pitfalls/findings.rs";
const CREDENTIALS: &str = "tests/end_to_end/pitfalls/credentials.rs";
const WEIGHT: &str = "tests/end_to_end/pitfalls/weight.rs";
const PAGING: &str = "plugin/src/sync/tests/paging.rs";
const VULNERABILITIES: &str = "plugin/src/sync/tests/vulnerabilities.rs";
const REPLY: &str = "plugin/src/api/page.rs";
const BASE_URL: &str = "plugin/src/configure/base_url/tests.rs";
const WHOLE_TENANT: &str = "tests/binary/whole_tenant.rs";

/// Every row, in the order of the list.
const ROWS: &[Row] = &[
    // Reading pages
    row(
        "the offset ran past the end and ingestion stalled",
        &[
            (PAGES, "the_offset_ran_past_the_end_and_ingestion_stalled"),
            (
                PAGES,
                "the_last_timestamp_stood_still_where_a_moment_held_more_than_a_page",
            ),
            (
                PAGES,
                "sort_and_filter_went_by_different_times_and_pages_overlapped",
            ),
            (PAGING, "a_time_is_filtered_and_sorted_by_the_same_field"),
        ],
    ),
    row(
        "pagination that never ended",
        &[
            (PAGES, "pagination_never_ended"),
            (
                PAGING,
                "an_api_that_ignores_the_offset_ends_in_a_fault_and_not_in_a_million_duplicates",
            ),
        ],
    ),
    row(
        "only the first page was read",
        &[(PAGES, "only_the_first_page_was_read")],
    ),
    row(
        "120 to 200 requests a minute with a fixed start time",
        &[
            (
                PAGES,
                "requests_came_faster_than_the_limit_and_all_were_answered_with_429_and_no_row_came",
            ),
            (
                PAGING,
                "a_tenant_that_refuses_all_with_429_is_not_asked_again_and_again",
            ),
        ],
    ),
    row(
        "99.99 % duplicates",
        &[
            (PAGES, "the_same_rows_were_stored_again_in_each_run"),
            (
                PAGING,
                "an_api_that_ignores_the_offset_ends_in_a_fault_and_not_in_a_million_duplicates",
            ),
        ],
    ),
    row(
        "duplicates after a 429",
        &[
            (PAGES, "a_429_doubled_the_records_of_its_page"),
            (
                PAGING,
                "a_429_on_any_request_skips_no_record_and_doubles_none",
            ),
        ],
    ),
    row(
        "new alerts arriving during a descending read",
        &[
            (
                PAGES,
                "alerts_that_arrived_during_the_read_shifted_every_later_page",
            ),
            (
                PAGING,
                "the_range_ends_at_the_start_so_that_what_arrives_meanwhile_shifts_no_page",
            ),
        ],
    ),
    row(
        "the cursor on `creation_time` misses alerts that arrive late",
        &[(
            PAGES,
            "an_alert_that_arrived_late_was_missed_because_the_cursor_went_by_its_creation_time",
        )],
    ),
    row(
        "the total sticks at 9,999",
        &[
            (
                "tests/end_to_end/alerts.rs",
                "the_total_sticks_at_9999_and_nothing_is_lost",
            ),
            (PAGING, "past_9_999_records_the_real_limits_slice_too"),
        ],
    ),
    row(
        "a new status (`LOST`, `resolved_auto`) crashed the client",
        &[(PAGES, "a_new_status_crashed_the_client")],
    ),
    row(
        "ids beyond 2^53 were rounded",
        &[
            (PAGES, "ids_beyond_two_to_the_53_were_rounded"),
            (
                "plugin/src/record/alert.rs",
                "ids_beyond_two_to_the_53_stay_exact",
            ),
        ],
    ),
    row(
        "`reply` was a list where an object was expected",
        &[
            (PAGES, "a_reply_was_a_list_where_an_object_was_expected"),
            (PAGES, "a_total_that_was_null_ended_the_read"),
            (REPLY, "a_reply_that_is_a_list_is_a_page_of_its_items"),
            (REPLY, "a_reply_wrapped_in_a_list_of_one_is_unwrapped"),
        ],
    ),
    // State
    row(
        "a 429 moved the cursor forward",
        &[
            (
                STATE,
                "a_429_moved_the_cursor_forward_and_data_was_skipped_for_good",
            ),
            (
                PAGING,
                "a_429_on_any_request_skips_no_record_and_doubles_none",
            ),
        ],
    ),
    row(
        "a worklist outside the cursor made each run start over",
        &[
            (
                STATE,
                "a_worklist_outside_the_cursor_made_each_run_start_over",
            ),
            (
                "tests/end_to_end/state.rs",
                "a_cancelled_sync_goes_on_from_its_last_checkpoint_and_reads_nothing_twice",
            ),
        ],
    ),
    row(
        "a pagination cursor kept across runs became invalid",
        &[
            (
                STATE,
                "a_cursor_kept_across_runs_pointed_elsewhere_and_assets_went_missing",
            ),
            (
                VULNERABILITIES,
                "a_query_that_the_api_forgot_is_started_anew_and_said_so",
            ),
        ],
    ),
    row(
        "a full refresh that failed half-way wiped the destination",
        &[(
            STATE,
            "a_full_refresh_that_failed_half_way_wiped_the_destination",
        )],
    ),
    row(
        "rows deleted as stale after an incremental run",
        &[
            (STATE, "rows_were_deleted_as_stale_after_an_incremental_run"),
            (
                "host-runner/src/store/sqlite/tests/closing.rs",
                "an_incomplete_full_sync_and_an_incremental_one_remove_nothing",
            ),
        ],
    ),
    row(
        "a malformed answer and an empty inventory looked alike",
        &[
            (
                STATE,
                "a_page_that_was_wrong_once_was_believed_and_open_findings_were_closed",
            ),
            (
                STATE,
                "a_malformed_answer_looked_like_an_empty_inventory_and_devices_were_deleted",
            ),
            (
                STATE,
                "an_empty_inventory_was_believed_and_devices_were_deleted",
            ),
            (
                REPLY,
                "a_malformed_answer_and_an_empty_inventory_do_not_look_alike",
            ),
            (
                VULNERABILITIES,
                "no_rows_at_all_are_incomplete_and_not_an_empty_tenant",
            ),
        ],
    ),
    // Findings that are wrong
    row(
        "closed at the source, open here",
        &[(FINDINGS, "closed_at_the_source_and_open_here")],
    ),
    row(
        "closed here, still open at the source",
        &[
            (FINDINGS, "closed_here_and_still_open_at_the_source"),
            (
                FINDINGS,
                "what_a_narrower_filter_left_out_was_shown_as_closed",
            ),
        ],
    ),
    row(
        "`last_seen` changes with every heartbeat",
        &[
            (FINDINGS, "a_heartbeat_made_every_endpoint_a_new_one"),
            ("plugin/src/record/endpoint.rs", "a_heartbeat_is_no_change"),
        ],
    ),
    row(
        "every failing check mapped to Critical",
        &[(FINDINGS, "every_severity_was_mapped_to_critical")],
    ),
    row(
        "the CVE id alone used as the finding's id",
        &[
            (FINDINGS, "the_same_cve_on_two_endpoints_was_one_finding"),
            (
                "plugin/src/transform/tests/bundled.rs",
                "the_same_cve_on_two_assets_is_two_findings",
            ),
        ],
    ),
    row(
        "publication date of a CVE taken for the day it was found",
        &[
            (
                FINDINGS,
                "the_day_a_cve_was_published_passed_for_the_day_it_was_found_on_the_asset",
            ),
            (
                "plugin/src/transform/tests/bundled.rs",
                "a_publication_date_is_not_taken_for_the_day_of_the_finding_by_the_scoped_map",
            ),
        ],
    ),
    // Credentials and permissions
    row(
        "the connection test passed, the sync then lacked a permission",
        &[
            (
                CREDENTIALS,
                "the_test_passed_and_the_sync_lacked_a_permission",
            ),
            (
                "plugin/src/check/tests.rs",
                "every_call_that_a_sync_makes_is_tried_by_the_test",
            ),
        ],
    ),
    row(
        "secrets in logs and traces",
        &[
            (
                "tests/binary/taint.rs",
                "no_command_tells_or_keeps_a_standard_key_in_any_form",
            ),
            (
                "tests/taint/sweep.rs",
                "no_trace_of_an_advanced_key_or_a_signature_is_anywhere_after_syncs_with_faults",
            ),
            (
                "host-runner/src/cli/logging.rs",
                "what_goes_over_the_wire_is_never_logged",
            ),
            (
                "host-runner/src/egress/tests/taint.rs",
                "no_failure_tells_a_secret_or_what_is_made_of_one",
            ),
        ],
    ),
    Row {
        begins: "the scan for leaked secrets ran after the host had filled them in",
        tests: &[(
            "host-runner/src/egress/policy/tests.rs",
            "only_declared_secrets_can_be_used_wherever_they_stand",
        )],
        because: "Nothing is scanned: a component never holds a secret. A request is judged as the component describes it, before the host fills a \
                  secret into a header.",
    },
    row(
        "a secret was stored and shown as connected, and never sent",
        &[(
            CREDENTIALS,
            "a_secret_was_stored_and_shown_as_connected_and_never_sent",
        )],
    ),
    row(
        "one key for all tenants behind a tenant id column",
        &[
            (
                "host-runner/src/secrets/keyring/tests.rs",
                "tenants_have_keys_of_their_own",
            ),
            (
                "host-runner/src/secrets/seal.rs",
                "it_opens_in_no_other_place",
            ),
        ],
    ),
    row(
        "the base URL pasted with `api-` already there",
        &[
            (BASE_URL, "every_way_to_paste_a_tenant_gives_its_one_origin"),
            (BASE_URL, "a_prefix_typed_twice_is_taken_once_and_told"),
        ],
    ),
    // Weight
    row(
        "memory grows with the number of records",
        &[(
            WHOLE_TENANT,
            "twenty_thousand_endpoints_and_alerts_become_exactly_their_assets_and_findings_within_64_mib",
        )],
    ),
    row(
        "450 MB before the first record",
        &[(
            WHOLE_TENANT,
            "twenty_thousand_endpoints_and_alerts_become_exactly_their_assets_and_findings_within_64_mib",
        )],
    ),
    row(
        "five seconds to check a connection",
        &[(WEIGHT, "checking_a_connection_took_five_seconds")],
    ),
    Row {
        begins: "wasm plugins dropped for speed and for lack of documentation",
        tests: &[(
            "tests/fuel/main.rs",
            "a_fixed_transform_uses_the_recorded_fuel",
        )],
        because: "What the sandbox costs in time is measured by tests/benches; the contract's documentation is wit/README.md.",
    },
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_test_that_the_rows_name_is_there() {
    for row in ROWS {
        assert!(
            !row.tests.is_empty() || !row.because.is_empty(),
            "{}",
            row.begins
        );
        for (file, test) in row.tests {
            let source = std::fs::read_to_string(workspace().join(file)).unwrap();
            assert!(source.contains(&format!("fn {test}(")), "{file}: {test}");
        }
    }
}

#[test]
fn every_row_of_the_list_has_its_place_here() {
    let path = workspace().join("../shared/pitfalls.md");
    let Ok(list) = std::fs::read_to_string(&path) else {
        println!("skipped: the list is not here ({})", path.display());
        return;
    };
    let listed: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter(|line| !line.starts_with("what went wrong"))
        .collect();
    assert_eq!(listed.len(), ROWS.len());
    for (line, row) in listed.iter().zip(ROWS) {
        assert!(line.starts_with(row.begins), "{line}");
    }
}

/// A tenant of so many records.
fn tenant(endpoints: usize, alerts: usize) -> Options {
    Options {
        endpoints,
        alerts,
        xql_pending_polls: 0,
        ..Options::default()
    }
}

fn full() -> SyncOptions {
    SyncOptions {
        mode: ModeChoice::Full,
        ..SyncOptions::default()
    }
}

fn now_ms() -> i64 {
    i64::try_from(cross_crate_tests::now().as_ms()).unwrap()
}

/// Adds connected endpoints, first seen at the given times, and tells their ids.
fn added_endpoints(rig: &Rig, count: i64, first_seen: impl Fn(i64) -> i64) -> BTreeSet<String> {
    let add = |n| {
        rig.simulator.tenant().add_endpoint(NewEndpoint {
            first_seen: Some(first_seen(n)),
            last_seen: Some(first_seen(n)),
            ..NewEndpoint::default()
        })
    };
    (0..count).map(add).collect()
}

/// Adds open alerts of a chosen source on endpoints that are held, with creation and server time, and tells their ids.
fn alerts_on(rig: &Rig, count: i64, times: impl Fn(i64) -> (i64, i64)) -> BTreeSet<String> {
    let endpoints: Vec<String> = in_scope(rig).into_iter().collect();
    let add = |n: i64| {
        let (created, inserted) = times(n);
        rig.simulator.tenant().add_alert(NewAlert {
            endpoint_id: Some(endpoints[usize::try_from(n).unwrap() % endpoints.len()].clone()),
            creation_time: Some(created),
            server_creation_time: Some(inserted),
            ..NewAlert::default()
        })
    };
    (0..count).map(add).collect()
}

/// The endpoints that the default configuration reads.
fn in_scope(rig: &Rig) -> BTreeSet<String> {
    rig.simulator
        .tenant()
        .endpoints()
        .into_iter()
        .filter(|endpoint| endpoint.status != "UNINSTALLED")
        .map(|endpoint| endpoint.id)
        .collect()
}

/// The endpoints whose assets are shown.
async fn assets(rig: &Rig) -> BTreeSet<String> {
    let assets = rig.assets().await.into_iter();
    assets.map(|asset| asset.keys[0].1.clone()).collect()
}

/// The keys of the findings that are shown.
async fn findings(rig: &Rig) -> BTreeSet<String> {
    let findings = rig.findings().await.into_iter();
    findings.map(|finding| finding.key).collect()
}
