//! Source records as the simulator's tenants give them, for transform benchmarks and the fuel test: always the same.

use crate::{Native, Rig};
use cortex_xdr::contract::{Entry, Mode, Progress, SyncRequest};
use cortex_xdr_simulator::{Options, SecurityLevel};
use host_runner::pipeline::SyncOptions;
use serde_json::json;

/// The moment that the fixed tenant stands still at: 2026-01-01.
const NOW_MS: u64 = 1_767_225_600_000;

/// A tenant that is the same in every run.
#[must_use]
pub fn fixed_tenant(endpoints: usize, alerts: usize) -> Options {
    Options {
        endpoints,
        alerts,
        seed: 7,
        now_ms: Some(NOW_MS),
        gzip: false,
        // An Advanced key's signatures are held to the tenant's clock, which stands still.
        security_level: SecurityLevel::Standard,
        ..Options::default()
    }
}

/// All entries that the connector, natively, reads of one data stream.
///
/// # Panics
/// Where the sync fails.
pub async fn entries(rig: &Rig, stream: &str) -> Vec<Entry> {
    let job = rig.job(stream, SyncOptions::default()).await;
    let request = SyncRequest {
        config: job.connection.config.to_string().into_bytes(),
        data_stream: stream.to_owned(),
        mode: Mode::Full,
        checkpoint: None,
    };
    let reading = cortex_xdr::sync::sync(Native::new(rig.egress().await), request)
        .await
        .expect("a sync");
    let mut entries = Vec::new();
    loop {
        match reading.next().await.expect("a step") {
            Progress::Step(step) => entries.extend(step.entries),
            Progress::End(_) => return entries,
        }
    }
}

/// A connection to the fixed tenant.
pub async fn fixed_rig(endpoints: usize, alerts: usize) -> Rig {
    Rig::untested(fixed_tenant(endpoints, alerts), json!({})).await
}
