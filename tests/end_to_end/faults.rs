//! What an administrator is told when the API says no.

use cortex_xdr_simulator::Options;
use cross_crate_tests::Rig;
use host_runner::domain::RunState;
use host_runner::pipeline::FaultKind;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_revoked_is_unauthorized_and_nothing_is_removed() {
    let rig = Rig::new(
        Options {
            endpoints: 150,
            alerts: 0,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    rig.sync("endpoints").await;
    let before = rig.assets().await.len();
    rig.simulator.tenant().revoke_key();
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Failed);
    let fault = report.fault.expect("a fault");
    assert_eq!(
        (fault.kind, fault.status),
        (FaultKind::Unauthorized, Some(401))
    );
    assert_eq!(rig.assets().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_role_lacks_is_forbidden_by_name() {
    let rig = Rig::new(
        Options {
            endpoints: 10,
            alerts: 10,
            ..Options::default()
        },
        json!({}),
    )
    .await;
    rig.simulator
        .tenant()
        .deny("alerts/get_alerts_multi_events");
    let report = rig.sync("alerts").await;
    let fault = report.fault.expect("a fault");
    assert_eq!(fault.kind, FaultKind::Forbidden, "{fault:?}");
    assert_eq!(fault.call, "get_alerts_multi_events");
    assert!(!fault.remedy.is_empty());
}
