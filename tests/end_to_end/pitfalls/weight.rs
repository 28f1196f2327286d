//! What weighed too much.

use super::tenant;
use cross_crate_tests::Rig;
use serde_json::json;

/// airbytehq/airbyte #10154. Time is not measured here: requests are what takes it.
#[tokio::test(flavor = "multi_thread")]
async fn checking_a_connection_took_five_seconds() {
    let rig = Rig::new(tenant(5_000, 5_000), json!({})).await;
    let log = rig.simulator.log();
    assert!(log.total() <= 6, "{:?}", log.counts());
    let bytes: usize = log.requests().iter().map(|seen| seen.reply_bytes).sum();
    assert!(bytes < 32 << 10, "{bytes} bytes");
}
