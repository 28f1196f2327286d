//! What went wrong with credentials and permissions.

use super::tenant;
use cortex_xdr_simulator::{Options, Role, Simulator};
use cross_crate_tests::{Rig, loopback, plugin, request};
use host_runner::connection::{self, ConnectionError, Desk};
use host_runner::contract::connector::Verdict;
use host_runner::domain::RunState;
use host_runner::secrets::Secret;
use host_runner::store::Tested;
use serde_json::json;

/// airbytehq/airbyte #12911; PostHog/posthog #78035.
#[tokio::test(flavor = "multi_thread")]
async fn the_test_passed_and_the_sync_lacked_a_permission() {
    let manifest = plugin().await;
    let manifest = manifest.manifest();
    let needed: Vec<_> = manifest
        .calls
        .iter()
        .filter(|call| !call.data_streams.is_empty())
        .collect();
    assert!(needed.len() > 3);
    for call in needed {
        let denied = call.path.trim_start_matches("/public_api/v1/").to_owned();
        let options = Options {
            role: Role::Custom {
                denied: [denied].into(),
            },
            xql_pending_polls: 0,
            ..tenant(20, 20)
        };
        let simulator = Simulator::start(options, loopback()).await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let desk = Desk::new(plugin().await, data.path());
        let streams = json!({"dataStreams": ["endpoints", "alerts", "vulnerabilities"]});
        match connection::connect(&desk, request(&simulator, streams), &()).await {
            Err(ConnectionError::TestFailed(checks)) => {
                let said = checks.iter().any(|check| {
                    check.verdict == Verdict::Failed
                        && format!("{} {}", check.name, check.detail).contains(&call.name)
                });
                assert!(said, "{}: {checks:?}", call.name);
            }
            Err(other) => panic!("{}: {other}", call.name),
            // What is not asked for strictly, a sync must do without.
            Ok(connection) => {
                let store = desk
                    .stores
                    .open(&cross_crate_tests::tenant())
                    .await
                    .unwrap();
                let rig = Rig::over(simulator, desk, connection, store, data);
                for stream in &call.data_streams {
                    let report = rig.sync(stream.as_ref()).await;
                    assert_eq!(
                        report.state,
                        RunState::Processed,
                        "{} passed the test and failed {stream}: {:?}",
                        call.name,
                        report.fault
                    );
                }
            }
        }
    }
}

/// nearai/ironclaw #1537.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_was_stored_and_shown_as_connected_and_never_sent() {
    let rig = Rig::new(tenant(10, 0), json!({})).await;
    assert!(matches!(rig.connection.tested, Tested::Passed { .. }));
    // Each run tells which secrets went out with it, and the simulator answers nobody without the key.
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert_eq!(report.usage.secrets, ["apiKey".to_owned()].into());

    let other = Simulator::start(tenant(10, 0), loopback()).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::new(plugin().await, data.path());
    let mut wrong = request(&other, json!({}));
    let key = Secret::new("test-key-of-another-tenant".to_owned());
    wrong.typed.secrets.insert("apiKey".to_owned(), key);
    let refused = connection::connect(&desk, wrong, &()).await;
    assert!(matches!(refused, Err(ConnectionError::TestFailed(_))));
    assert!(
        desk.stores
            .open(&cross_crate_tests::tenant())
            .await
            .is_err()
    );
}
