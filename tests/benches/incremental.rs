//! What an incremental sync costs, beside the full one that it spares: requests and time at 1,000, 10,000 and 100,000 endpoints and as
//! many alerts, with 100 changes between the two, heartbeats on.
//!
//!     cargo bench -p cross-crate-tests --bench incremental
//!
//! Requests are exact and the same in every run. Times are of one run; compare them within a line. The simulator answers at once and nothing
//! is paced; against a real tenant each request takes a tenth of a second of the API's own limit, so requests are what one waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark"
)]

use cortex_xdr_simulator::{NewAlert, NewEndpoint, Options};
use cross_crate_tests::Rig;
use host_runner::domain::RunState;
use host_runner::pipeline::{ModeChoice, RunReport, SyncOptions};
use serde_json::json;
use std::time::{Duration, Instant};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Changes of each data stream between the full sync and the incremental one.
const CHANGES: usize = 100;

fn main() {
    // `cargo test --benches` asks for a look, not for figures.
    let sizes = if std::env::args().any(|argument| argument == "--bench") {
        &SIZES[..]
    } else {
        &SIZES[..1]
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    println!(
        "{:>8}  {:<16}{:>14}{:>14}{:>10}{:>13}",
        "records", "stream", "full: requests", "incremental", "full: ms", "incremental"
    );
    for size in sizes {
        runtime.block_on(measure(*size));
    }
}

async fn measure(size: usize) {
    let options = Options {
        endpoints: size,
        alerts: size,
        cves: 200,
        heartbeat: true,
        ..Options::default()
    };
    let streams = ["endpoints", "alerts", "vulnerabilities"];
    let rig = Rig::new(
        options,
        json!({"dataStreams": streams, "xqlDailyShare": 1.0}),
    )
    .await;
    let mut full = Vec::new();
    for stream in streams {
        full.push(timed(&rig, stream, ModeChoice::Full).await);
    }
    change(&rig);
    for (stream, (full_requests, full_time)) in streams.into_iter().zip(full) {
        let (requests, time) = timed(&rig, stream, ModeChoice::Incremental).await;
        println!(
            "{size:>8}  {stream:<16}{full_requests:>14}{requests:>14}{:>10}{:>13}",
            full_time.as_millis(),
            time.as_millis()
        );
    }
}

async fn timed(rig: &Rig, stream: &str, mode: ModeChoice) -> (u64, Duration) {
    rig.simulator.log().clear();
    let options = SyncOptions {
        mode,
        ..SyncOptions::default()
    };
    let began = Instant::now();
    let report: RunReport = rig.sync_with(stream, options).await;
    let time = began.elapsed();
    assert_eq!(
        report.state,
        RunState::Processed,
        "{stream}: {:?}",
        report.fault
    );
    (rig.simulator.log().total(), time)
}

/// A hundred changes of each data stream: new endpoints, new and resolved alerts, CVEs that are gone.
fn change(rig: &Rig) {
    let tenant = rig.simulator.tenant();
    for _ in 0..CHANGES {
        tenant.add_endpoint(NewEndpoint::default());
    }
    let long_ago = i64::try_from(rig.desk.clock.now().as_ms()).unwrap() - 10 * 60 * 1_000;
    for _ in 0..CHANGES / 2 {
        tenant.add_alert(NewAlert {
            server_creation_time: Some(long_ago),
            ..NewAlert::default()
        });
    }
    let open = tenant
        .alerts()
        .into_iter()
        .filter(|alert| alert.source == "XDR BIOC" && alert.status == "STATUS_010_NEW");
    for alert in open.take(CHANGES / 2) {
        assert!(tenant.resolve_alert(&alert.id, "STATUS_060_RESOLVED_FALSE_POSITIVE"));
    }
    let scanned = tenant
        .vulnerabilities()
        .into_iter()
        .filter(|host| host.cves.len() > 1);
    for host in scanned.take(CHANGES) {
        assert!(tenant.set_cves(&host.endpoint_id, Some(host.cves[1..].to_vec())));
    }
}
