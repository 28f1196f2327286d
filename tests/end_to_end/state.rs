//! What is remembered from one run to the next.

use cortex_xdr_simulator::Options;
use cross_crate_tests::Rig;
use host_runner::component::Source;
use host_runner::domain::{Mode, RunState};
use host_runner::engine::{Limits, Runtime, RuntimeOptions};
use host_runner::pipeline::{self, Observer, Progress, SyncOptions};
use host_runner::store::Verdict;
use serde_json::json;
use std::sync::Arc;

/// Stops a sync after a number of steps.
struct StopAfter {
    steps: std::sync::atomic::AtomicU32,
    cancel: pipeline::Cancel,
}

impl Observer for StopAfter {
    fn step(&self, _progress: &Progress) {
        if self.steps.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            self.cancel.stop();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_sync_goes_on_from_its_last_checkpoint_and_reads_nothing_twice() {
    let rig = Rig::new(
        Options {
            endpoints: 1_500,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    let mut job = rig.job("endpoints", SyncOptions::default()).await;
    job.observer = Arc::new(StopAfter {
        steps: 5.into(),
        cancel: job.cancel.clone(),
    });
    let first = pipeline::sync(&job).await.unwrap();
    assert_eq!(first.state, RunState::Cancelled);
    assert!(first.ledger.new >= 400, "{:?}", first.ledger);

    let second = rig.sync("endpoints").await;
    assert!(second.resumed);
    assert_eq!(second.state, RunState::Processed, "{:?}", second.fault);
    assert_eq!(second.ledger.duplicate, 0);
    let in_scope = rig
        .simulator
        .tenant()
        .endpoints()
        .iter()
        .filter(|endpoint| endpoint.status != "UNINSTALLED")
        .count();
    assert_eq!(rig.assets().await.len(), in_scope);
    assert_eq!(first.ledger.new + second.ledger.new, in_scope as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_a_proven_full_sync_did_not_see_is_closed_and_its_return_reopens_it() {
    let rig = Rig::new(
        Options {
            endpoints: 100,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    rig.sync("endpoints").await;
    let gone = rig.assets().await[7].keys[0].1.clone();
    rig.simulator.tenant().remove_endpoint(&gone);
    let full = SyncOptions {
        mode: pipeline::ModeChoice::Full,
        ..SyncOptions::default()
    };
    let report = rig.sync_with("endpoints", full).await;
    assert_eq!(report.mode, Mode::Full);
    assert!(
        matches!(report.verdict, Some(Verdict::Complete { removed: 1, .. })),
        "{:?}",
        report.verdict
    );
}

/// lobu-ai/lobu #2213: a malformed answer and an empty inventory looked alike, and devices were deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_suddenly_empty_is_withheld_and_nothing_is_removed() {
    let rig = Rig::new(
        Options {
            endpoints: 200,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    rig.sync("endpoints").await;
    let before = rig.assets().await.len();
    for endpoint in rig.simulator.tenant().endpoints() {
        rig.simulator.tenant().remove_endpoint(&endpoint.id);
    }
    let full = SyncOptions {
        mode: pipeline::ModeChoice::Full,
        ..SyncOptions::default()
    };
    let report = rig.sync_with("endpoints", full).await;
    assert_eq!(report.state, RunState::Withheld, "{:?}", report.verdict);
    assert_eq!(rig.assets().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_has_grown_is_replaced_and_no_record_is_lost_or_read_twice() {
    let limits = Limits {
        recycle_mib: 2,
        ..Limits::default()
    };
    let runtime = Runtime::new(RuntimeOptions {
        limits,
        ..RuntimeOptions::default()
    })
    .unwrap();
    let plugin = runtime.load(&Source::Bundled).await.unwrap();
    let options = Options {
        endpoints: 100,
        alerts: 2_000,
        ..Options::default()
    };
    let rig = Rig::with_plugin(plugin, options, json!({}), true).await;
    rig.sync("endpoints").await;
    let report = rig.sync("alerts").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert!(report.peak_memory > 2 << 20, "{}", report.peak_memory);
    let read = |log: &cortex_xdr_simulator::RequestLog| {
        log.count("/public_api/v1/alerts/get_alerts_multi_events")
    };
    assert!(
        read(&rig.simulator.log()) > report.steps,
        "an instance that is replaced asks again for what was in flight"
    );
    assert_eq!(report.ledger.duplicate, 0);
    assert!(report.ledger.adds_up());
}
