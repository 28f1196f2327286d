//! What went wrong where others read pages.

use super::{DAY, HOUR, added_endpoints, alerts_on, assets, findings, full, now_ms, tenant};
use cortex_xdr_simulator::{Fault, NewAlert, NewEndpoint, Options};
use cross_crate_tests::Rig;
use futures_util::StreamExt;
use host_runner::domain::RunState;
use host_runner::egress::Rate;
use host_runner::store::{QuarantineFilter, Store, Verdict};
use serde_json::json;
use std::collections::BTreeSet;

const ENDPOINTS: &str = "/public_api/v1/endpoints/get_endpoint";

/// elastic/integrations #18124, #18195.
#[tokio::test(flavor = "multi_thread")]
async fn the_offset_ran_past_the_end_and_ingestion_stalled() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    // As many as fill whole pages: the last page does not tell that it is the last.
    let expected = added_endpoints(&rig, 300, |n| now_ms() - DAY - n);
    rig.simulator.log().clear();
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert_eq!(assets(&rig).await, expected);
    let asked = rig.simulator.log().count(ENDPOINTS);
    assert!(asked <= 6, "{asked} requests for three pages");

    // And it does not stall for good.
    let new = rig.simulator.tenant().add_endpoint(NewEndpoint::default());
    rig.sync("endpoints").await;
    assert!(assets(&rig).await.contains(&new));
}

/// elastic/integrations #18124, #18195.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_timestamp_stood_still_where_a_moment_held_more_than_a_page() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    let moment = now_ms() - DAY;
    let mut expected = added_endpoints(&rig, 250, |_| moment);
    expected.extend(added_endpoints(&rig, 130, |n| moment + 1 + n % 2));
    for _ in 0..2 {
        let report = rig.sync("endpoints").await;
        assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
        assert_eq!(report.ledger.duplicate, 0);
        assert_eq!(assets(&rig).await, expected);
    }
}

/// elastic/integrations #18124, #18195.
#[tokio::test(flavor = "multi_thread")]
async fn sort_and_filter_went_by_different_times_and_pages_overlapped() {
    let rig = Rig::new(tenant(20, 0), json!({})).await;
    rig.sync("endpoints").await;
    // The later an alert was created, the earlier it came to the server.
    let alerts = alerts_on(&rig, 350, |n| (now_ms() - DAY + n, now_ms() - HOUR - n));
    let report = rig.sync("alerts").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert_eq!((report.ledger.new, report.ledger.duplicate), (350, 0));
    assert_eq!(findings(&rig).await, alerts);
}

/// elastic/integrations #3767; Azure/Azure-Sentinel #13013.
#[tokio::test(flavor = "multi_thread")]
async fn pagination_never_ended() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    let expected = added_endpoints(&rig, 450, |n| now_ms() - DAY - n);
    let chaos = rig.simulator.chaos();
    // Each page is the one before it, for as long as anyone asks.
    let for_ever = chaos.inject_after("endpoints/get_endpoint", 1, Fault::RepeatedPage, u64::MAX);
    for_ever.unwrap();
    rig.simulator.log().clear();
    let report = rig.sync("endpoints").await;
    // It fails, or ends and says that it is incomplete; it goes on no longer than that.
    assert!(
        matches!(report.verdict, None | Some(Verdict::Incomplete { .. })),
        "{:?}",
        report.verdict
    );
    let asked = rig.simulator.log().count(ENDPOINTS);
    assert!(asked < 30, "{asked} requests for five pages");

    chaos.stop();
    let report = rig.sync_with("endpoints", full()).await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert_eq!(assets(&rig).await, expected);
}

/// Azure/Azure-Sentinel #8504; demisto/content #17589, #39913.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_page_was_read() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    let expected = added_endpoints(&rig, 450, |n| now_ms() - DAY - n);
    let alerts = alerts_on(&rig, 450, |n| (now_ms() - DAY - n, now_ms() - HOUR));
    rig.sync("endpoints").await;
    rig.sync("alerts").await;
    assert_eq!(assets(&rig).await, expected);
    assert_eq!(findings(&rig).await, alerts);
}

/// Azure/Azure-Sentinel #14384: 120 to 200 requests a minute with a fixed start time.
#[tokio::test(flavor = "multi_thread")]
async fn requests_came_faster_than_the_limit_and_all_were_answered_with_429_and_no_row_came() {
    let options = Options {
        rate: Some(10),
        ..tenant(700, 0)
    };
    let mut rig = Rig::untested(options, json!({})).await;
    rig.rate = Rate::default();
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert!(assets(&rig).await.len() > 600);
    let counts = rig.simulator.log().counts();
    let statuses = &counts[ENDPOINTS].by_status;
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [200]);
}

/// Azure/Azure-Sentinel #13603: 1,195,500 rows, 100 unique.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_rows_were_stored_again_in_each_run() {
    let rig = Rig::new(tenant(150, 400), json!({})).await;
    rig.sync("endpoints").await;
    rig.sync("alerts").await;
    let before = (rig.assets().await.len(), rig.findings().await.len());
    for _ in 0..3 {
        for stream in ["endpoints", "alerts"] {
            let again = rig.sync_with(stream, full()).await;
            assert_eq!((again.ledger.new, again.ledger.changed), (0, 0), "{stream}");
            assert_eq!(again.ledger.duplicate, 0, "{stream}");
        }
    }
    let after = (rig.assets().await.len(), rig.findings().await.len());
    assert_eq!(after, before);
}

/// Azure/Azure-Sentinel #12335.
#[tokio::test(flavor = "multi_thread")]
async fn a_429_doubled_the_records_of_its_page() {
    let options = Options {
        rate: Some(6),
        ..tenant(900, 0)
    };
    let rig = Rig::untested(options, json!({})).await;
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    let refused = report.usage.calls["get_endpoint"].statuses.get(&429);
    assert!(
        refused.is_some_and(|count| *count > 0),
        "{:?}",
        report.usage
    );
    assert_eq!(report.ledger.duplicate, 0);
    let keys: Vec<String> = rig
        .assets()
        .await
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect();
    assert_eq!(keys.len() as u64, report.ledger.new);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

/// elastic/integrations #18124.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_arrived_during_the_read_shifted_every_later_page() {
    let rig = Rig::new(tenant(20, 0), json!({})).await;
    rig.sync("endpoints").await;
    let there_before = alerts_on(&rig, 1_150, |n| (now_ms() - DAY - n, now_ms() - HOUR - n));
    let arriving = rig.simulator.tenant();
    let report = rig
        .sync_watched("alerts", full(), move |_, _| {
            for _ in 0..7 {
                arriving.add_alert(NewAlert::default());
            }
        })
        .await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    let held = findings(&rig).await;
    let missing: Vec<_> = there_before.difference(&held).collect();
    assert!(missing.is_empty(), "{} are missing", missing.len());
}

/// SEKOIA-IO/automation-library #1446.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_arrived_late_was_missed_because_the_cursor_went_by_its_creation_time() {
    let rig = Rig::new(tenant(20, 0), json!({})).await;
    rig.sync("endpoints").await;
    alerts_on(&rig, 120, |n| (now_ms() - DAY - n, now_ms() - DAY));
    rig.sync("alerts").await;
    // Detected a month ago on a machine that was offline, and inserted by the server just now.
    let late = alerts_on(&rig, 1, |_| (now_ms() - 30 * DAY, now_ms() - 6 * 60_000));
    let report = rig.sync("alerts").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert!(findings(&rig).await.is_superset(&late));
    assert_eq!(report.ledger.new, 1);
}

/// ebarti/cortex-xdr-client #31; demisto/content #29669: `LOST`, `resolved_auto`.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_status_crashed_the_client() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    let tenant = rig.simulator.tenant();
    let lost = NewEndpoint {
        status: Some("LOST".to_owned()),
        ..NewEndpoint::default()
    };
    let known = [
        tenant.add_endpoint(lost),
        tenant.add_endpoint(NewEndpoint::default()),
    ];
    let alerts: Vec<String> = alerts_on(&rig, 3, |n| (now_ms() - DAY - n, now_ms() - HOUR))
        .into_iter()
        .collect();
    tenant.add_endpoint(NewEndpoint {
        status: Some("HIBERNATED".to_owned()),
        ..NewEndpoint::default()
    });
    tenant.resolve_alert(&alerts[0], "STATUS_080_RESOLVED_AUTO");
    tenant.resolve_alert(&alerts[1], "STATUS_999_SLEEPING");
    for stream in ["endpoints", "alerts"] {
        let report = rig.sync(stream).await;
        assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
        assert!(report.ledger.adds_up());
    }
    let held = assets(&rig).await;
    assert!(known.iter().all(|id| held.contains(id)), "{held:?}");
    assert_eq!(findings(&rig).await, [alerts[2].clone()].into());
    // The unknown one is neither opened nor closed, and said.
    let filter = QuarantineFilter::default();
    let kept: Vec<_> = rig.store.quarantine(&filter).collect().await;
    assert_eq!(kept.len(), 1);
    let kept = kept[0].as_ref().unwrap();
    assert_eq!(kept.key.as_ref(), Some(&alerts[1]));
    assert!(kept.problems[0].message.contains("STATUS_999_SLEEPING"));
}

/// elastic/integrations #19109; Azure/Azure-Sentinel #11777.
#[tokio::test(flavor = "multi_thread")]
async fn ids_beyond_two_to_the_53_were_rounded() {
    let rig = Rig::new(tenant(30, 600), json!({})).await;
    rig.sync("endpoints").await;
    rig.sync("alerts").await;
    let real: BTreeSet<String> = rig
        .simulator
        .tenant()
        .alerts()
        .into_iter()
        .map(|alert| alert.id)
        .collect();
    let held = findings(&rig).await;
    assert!(held.is_subset(&real));
    let beyond = |id: &String| id.parse::<u64>().unwrap() > 1 << 53;
    assert!(held.iter().any(beyond));
}

/// rapid7/insightconnect-plugins: `total_count` null.
#[tokio::test(flavor = "multi_thread")]
async fn a_total_that_was_null_ended_the_read() {
    let options = Options {
        total_null: true,
        ..tenant(0, 0)
    };
    let rig = Rig::new(options, json!({})).await;
    let expected = added_endpoints(&rig, 320, |n| now_ms() - DAY - n);
    let alerts = alerts_on(&rig, 320, |n| (now_ms() - DAY - n, now_ms() - HOUR));
    rig.sync("endpoints").await;
    rig.sync("alerts").await;
    assert_eq!(assets(&rig).await, expected);
    assert_eq!(findings(&rig).await, alerts);
}

/// rapid7/insightconnect-plugins.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_was_a_list_where_an_object_was_expected() {
    let rig = Rig::new(tenant(0, 0), json!({})).await;
    let expected = added_endpoints(&rig, 220, |n| now_ms() - DAY - n);
    let chaos = rig.simulator.chaos();
    let list = chaos.inject("endpoints/get_endpoint", Fault::ReplyList, 3);
    list.unwrap();
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert_eq!(chaos.pending(), 0);
    assert_eq!(assets(&rig).await, expected);
}
