//! What a connection says about keys, and that a failed one leaves nothing.

use crate::runner::Runner;
use cortex_xdr_simulator::{Options, Role, SecurityLevel};
use serde_json::json;

fn small() -> Options {
    Options {
        endpoints: 30,
        alerts: 30,
        ..Options::default()
    }
}

async fn nothing_is_connected(runner: &Runner) {
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    assert!(listed.out.is_empty(), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_key_configured_as_advanced_is_told_and_nothing_is_saved() {
    let options = Options {
        security_level: SecurityLevel::Standard,
        ..small()
    };
    let runner = Runner::new(options).await;
    let connected = runner.connect(json!({"securityLevel": "advanced"})).await;
    let connected = connected.failed(4, &["kind of key", "nothing was saved"]);
    let told = format!("{}{}", connected.out, connected.err);
    assert!(told.contains("Standard"), "{told}");
    nothing_is_connected(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_permissions_is_refused_and_nothing_is_saved() {
    let options = Options {
        role: Role::NoPermissions,
        ..small()
    };
    let runner = Runner::new(options).await;
    runner
        .connect(json!({}))
        .await
        .failed(4, &["permission for get_endpoint"]);
    nothing_is_connected(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_viewer_reads_everything() {
    let options = Options {
        role: Role::Viewer,
        ..small()
    };
    let runner = Runner::new(options).await;
    let streams = json!({"dataStreams": ["endpoints", "alerts", "vulnerabilities"]});
    runner.connect(streams).await.succeeded();
    let synced = runner.sync().await.succeeded().json();
    assert_eq!(synced["runs"].as_array().unwrap().len(), 3);
    assert!(!runner.findings().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_test_is_remembered() {
    let runner = Runner::new(small()).await;
    runner
        .connect_with(json!({}), &["--skip-test"])
        .await
        .succeeded();
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    assert_ne!(listed.lines()[0]["tested"]["state"], "passed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_is_used_by_the_next_sync_and_no_data_is_lost() {
    let options = Options {
        security_level: SecurityLevel::Standard,
        ..small()
    };
    let runner = Runner::new(options).await;
    runner.connect(json!({})).await.succeeded();
    runner.sync().await.succeeded();
    let (assets, findings) = (runner.assets().await, runner.findings().await);
    assert!(!assets.is_empty() && !findings.is_empty());
    let new_key = "test-key-that-replaces-the-first";
    runner.simulator.tenant().replace_key(new_key);
    runner.sync().await.failed_as_json(4);

    let file = runner.file("new-key.txt", new_key);
    let secret = format!("apiKey=file:{file}");
    let update = ["update", "xdr", "--tenant", "acme", "--secret", &secret];
    runner.run(&update).await.succeeded();
    assert_eq!(runner.assets().await, assets);
    assert_eq!(runner.findings().await, findings);
    runner.simulator.log().clear();
    let synced = runner.sync().await.succeeded().json();
    assert_eq!(runner.simulator.log().proofs(), [new_key.to_owned()].into());
    for run in synced["runs"].as_array().unwrap() {
        assert_eq!(run["state"], "processed", "{run}");
        // Each record is known: nothing is new, and nothing is closed.
        assert_eq!(run["ledger"]["new"], 0, "{run}");
    }
    let keys = |listed: &[serde_json::Value]| -> Vec<serde_json::Value> {
        listed
            .iter()
            .map(|each| each["firstSeen"].clone())
            .collect()
    };
    assert_eq!(keys(&runner.assets().await), keys(&assets));
    assert_eq!(runner.findings().await.len(), findings.len());
}
