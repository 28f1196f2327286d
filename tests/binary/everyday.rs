//! The commands of every day, and the shapes of what they tell.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::json;

fn small() -> Options {
    Options {
        endpoints: 60,
        alerts: 120,
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_made_tested_synced_looked_at_and_removed() {
    let runner = Runner::new(small()).await;
    let connected = runner
        .connect_with(json!({}), &["--json"])
        .await
        .succeeded();
    assert!(!connected.out.contains(runner.simulator.api_key()));
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    let connection = &listed.lines()[0];
    assert_eq!(connection["name"], "xdr");
    assert_eq!(connection["tenant"], "acme");
    assert_eq!(connection["secrets"], json!(["apiKey"]));
    assert_eq!(connection["tested"]["state"], "passed");
    assert!(!listed.out.contains(runner.simulator.api_key()));

    let named = ["xdr", "--tenant", "acme", "--json"];
    let with = |verb: &'static str| [&[verb][..], &named[..]].concat();
    let tested = runner.run(&with("test")).await.succeeded().json();
    assert_eq!(tested["passed"], true);
    assert!(tested["checks"].as_array().unwrap().len() > 5);

    let before = runner.run(&with("status")).await.succeeded().json();
    assert!(before["state"].is_null() && before["lastSync"].is_null());
    assert_eq!(before["nextSync"]["type"], "full");
    let synced = runner.sync().await.succeeded().json();
    let after = runner.run(&with("status")).await.succeeded().json();
    assert_eq!(after["state"], "processed");
    assert!(after["runningSync"].is_null());
    assert_eq!(after["lastSync"]["id"], synced["runs"][1]["id"]);
    assert_eq!(after["streams"].as_array().unwrap().len(), 2);

    let listed = runner.run(&["runs", "--tenant", "acme", "--json"]).await;
    assert_eq!(listed.succeeded().lines().len(), 2);
    let shown = runner
        .run(&["runs", "show", "1", "--tenant", "acme", "--json"])
        .await;
    let shown = shown.succeeded().json();
    assert_eq!(
        shown["ledger"]["documents"]["assetsCreated"],
        shown["ledger"]["new"]
    );
    assert_eq!(shown["calls"]["secrets"], json!(["apiKey"]));
    assert!(shown["calls"]["calls"]["get_endpoint"]["statuses"]["200"].as_u64() > Some(0));

    let removed = [&with("disconnect")[..], &["--purge"]].concat();
    let removed = runner.run(&removed).await.succeeded().json();
    assert_eq!(
        (&removed["disconnected"], &removed["purged"]),
        (&json!("xdr"), &json!(true))
    );
    assert!(runner.assets().await.is_empty());
    assert!(
        runner
            .run(&["connections", "--json"])
            .await
            .succeeded()
            .out
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_to_another_origin_is_refused_and_a_new_key_is_tested() {
    let runner = Runner::new(small()).await;
    runner.connect(json!({})).await.succeeded();
    let elsewhere = runner.simulator.url().replace("127.0.0.1", "localhost");
    let config = runner.config(json!({"baseUrl": elsewhere}));
    let update = ["update", "xdr", "--tenant", "acme"];
    let moved = [&update[..], &["--config", &config, "--allow-loopback"]].concat();
    runner
        .run(&moved)
        .await
        .failed(3, &["localhost", "another name"]);

    let wrong = runner.file("wrong.txt", "test-key");
    let wrong = format!("apiKey=file:{wrong}");
    let replaced = [&update[..], &["--secret", &wrong]].concat();
    runner
        .run(&replaced)
        .await
        .failed(4, &["the test failed", "nothing was saved"]);
    runner
        .run(&["test", "xdr", "--tenant", "acme"])
        .await
        .succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_stores_nothing_says_why() {
    let runner = Runner::new(small()).await;
    let config = json!({"tags": ["borne-by-nobody"], "dataStreams": ["endpoints"]});
    runner.connect(config).await.succeeded();
    let sync = [
        "sync",
        "xdr",
        "--tenant",
        "acme",
        "--requests-per-second",
        "unlimited",
    ];
    let synced = runner.run(&sync).await.succeeded();
    assert!(synced.out.contains("nothing was stored of"), "{synced:?}");
    assert!(synced.out.contains("tags"), "{synced:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_connects_with_the_map_as_printed_is_told_what_is_wrong_with_it() {
    let runner = Runner::new(small()).await;
    let streams = || json!({"dataStreams": ["endpoints", "vulnerabilities"]});
    let told = runner
        .connect_with(streams(), &["--map", "qualys-etm"])
        .await
        .succeeded();
    let cautions: Vec<&str> = told
        .out
        .lines()
        .filter(|line| line.starts_with("caution: "))
        .collect();
    assert_eq!(cautions.len(), 1, "{}", told.out);
    assert!(cautions[0].contains("`qualys-etm-scoped`"), "{}", told.out);
    let told = runner
        .run(&[
            "update",
            "xdr",
            "--tenant",
            "acme",
            "--map",
            "endpoints=qualys-etm-scoped",
            "--map",
            "vulnerabilities=qualys-etm-scoped",
        ])
        .await
        .succeeded();
    assert!(!told.out.contains("caution"), "{}", told.out);
}
