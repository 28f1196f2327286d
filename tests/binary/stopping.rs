//! Ctrl-C, and two syncs at once.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::json;
use std::process::Output;
use tokio::process::Child;

/// Slow enough that a sync is still under way when its first step was seen.
const SLOWLY: [&str; 6] = [
    "sync",
    "xdr",
    "--tenant",
    "acme",
    "--requests-per-second",
    "2",
];

async fn slow_tenant() -> Runner {
    let runner = Runner::new(Options {
        endpoints: 3_000,
        alerts: 0,
        ..Options::default()
    })
    .await;
    let config = json!({"dataStreams": ["endpoints"]});
    runner.connect(config).await.succeeded();
    runner
}

/// What Ctrl-C does.
async fn interrupt(child: Child) -> Output {
    let id = child.id().expect("it is under way").to_string();
    let sent = tokio::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .await;
    assert!(sent.unwrap().success());
    child.wait_with_output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_keeps_what_was_committed_and_the_next_sync_goes_on_from_there() {
    let runner = slow_tenant().await;
    let under_way = runner.command(&SLOWLY).spawn().unwrap();
    runner.until_something_is_stored().await;
    let output = interrupt(under_way).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(
        told.contains("was stopped") && told.contains("is kept"),
        "{told}"
    );

    let in_scope = runner.simulator.tenant().endpoints();
    let in_scope = in_scope
        .iter()
        .filter(|endpoint| endpoint.status != "UNINSTALLED")
        .count();
    let kept = runner.assets().await.len();
    assert!(0 < kept && kept < in_scope, "{kept} of {in_scope}");
    let status = runner
        .run(&["status", "xdr", "--tenant", "acme", "--json"])
        .await;
    assert_eq!(status.succeeded().json()["state"], "cancelled");

    let resumed = runner.sync().await.succeeded().json();
    assert_eq!(resumed["runs"][0]["resumed"], true);
    assert_eq!(runner.assets().await.len(), in_scope);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_a_connection_is_refused_by_its_name_while_the_first_is_under_way() {
    let runner = slow_tenant().await;
    let first = runner.command(&SLOWLY).spawn().unwrap();
    let process = first.id().unwrap().to_string();
    runner.until_something_is_stored().await;
    let second = runner.run(&SLOWLY).await;
    second.failed(9, &["connection \"xdr\" is being synced", &process]);
    let purge = runner.run(&["purge", "--tenant", "acme", "--yes"]).await;
    purge.failed(9, &["connection \"xdr\" is being synced", &process]);
    let status = runner
        .run(&["status", "xdr", "--tenant", "acme", "--json"])
        .await;
    assert_eq!(status.succeeded().json()["state"], "running");
    assert_eq!(interrupt(first).await.status.code(), Some(130));
}
