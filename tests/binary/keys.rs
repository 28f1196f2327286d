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

/// elastic/beats #52224; airbytehq/airbyte #15576: secrets in logs and traces.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_stood_in_logs_and_traces_and_files() {
    let runner = Runner::new(small()).await;
    let config = runner.config(json!({}));
    let connect = [
        "connect",
        "xdr",
        "--tenant",
        "acme",
        "--config",
        &config,
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
        "--allow-loopback",
        "-vvv",
    ];
    let sync = ["sync", "xdr", "--tenant", "acme", "-vvv"];
    let test = ["test", "xdr", "--tenant", "acme", "-vvv"];
    let mut told = String::new();
    for arguments in [&connect[..], &sync, &test] {
        let mut command = runner.command(arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        told.push_str(&String::from_utf8_lossy(&output.stdout));
        told.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    // And of a request that is refused.
    runner.simulator.tenant().revoke_key();
    let refused = runner.command(&sync).env("RUST_LOG", "trace").output();
    let refused = refused.await.unwrap();
    assert!(!refused.status.success());
    told.push_str(&String::from_utf8_lossy(&refused.stderr));
    assert!(told.contains("answered"), "nothing was traced: {told}");
    let key = runner.simulator.api_key();
    assert!(!told.contains(key));

    let mut folders = vec![runner.data()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(key.len()).any(|part| part == key.as_bytes());
            assert!(!found, "the key stands in {}", path.display());
        }
    }
    assert!(files > 1);
}
