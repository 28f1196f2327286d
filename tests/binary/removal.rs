//! What is withheld until someone confirms it, and what leaves the scope and comes back.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

fn options() -> Options {
    Options {
        endpoints: 200,
        alerts: 100,
        ..Options::default()
    }
}

fn sync<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let sync = ["sync", "xdr", "--tenant", "acme"];
    [&sync[..], &["--requests-per-second", "unlimited"], more].concat()
}

async fn history(runner: &Runner, state: &str) -> Vec<Value> {
    let listed = runner
        .run(&[
            "findings",
            "--tenant",
            "acme",
            "--state",
            state,
            "--json",
            "--history",
        ])
        .await;
    listed.succeeded().lines()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_of_too_much_is_withheld_shown_and_confirmed_with_the_command_that_is_named() {
    let runner = Runner::new(options()).await;
    let endpoints = json!({"dataStreams": ["endpoints"]});
    runner.connect(endpoints).await.succeeded();
    runner.run(&sync(&[])).await.succeeded();
    let held = runner.assets().await.len();
    let tenant = runner.simulator.tenant();
    let endpoints = tenant.endpoints();
    for endpoint in endpoints.iter().take(120) {
        tenant.remove_endpoint(&endpoint.id);
    }
    let confirm =
        "host-runner sync xdr --tenant acme --stream endpoints --mode full --confirm-removals";
    let withheld = runner.run(&sync(&["--mode", "full"])).await;
    assert!(
        withheld.out.contains("would be closed as gone"),
        "{withheld:?}"
    );
    withheld.failed(8, &["withholds removals", confirm, "runs show 2"]);
    assert_eq!(runner.assets().await.len(), held);

    let shown = ["runs", "show", "2", "--tenant", "acme"];
    let text = runner.run(&shown).await.succeeded().out;
    assert!(text.contains("withheld: "), "{text}");
    let shown = runner.run(&[&shown[..], &["--json"]].concat()).await;
    let removal = &shown.succeeded().json()["removal"];
    assert_eq!(removal["verdict"], "withheld");
    assert_eq!(removal["held"], held);
    assert_eq!(removal["sample"].as_array().unwrap().len(), 10);
    assert!(removal["sample"][0]["host"].is_string(), "{removal}");

    // A larger share lets it go as well; the same command as it is named does.
    let mut named = confirm.split_whitespace().skip(1).collect::<Vec<_>>();
    named.extend(["--requests-per-second", "unlimited", "--json"]);
    let confirmed = runner.run(&named).await.succeeded().json();
    assert_eq!(confirmed["runs"][0]["removal"]["verdict"], "complete");
    let removed = removal["unseen"].as_u64().unwrap();
    assert_eq!(confirmed["runs"][0]["removal"]["removed"], removed);
    assert_eq!(runner.assets().await.len() as u64, held as u64 - removed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_stream_that_is_deselected_is_out_of_scope_at_once_and_back_when_it_is_chosen_again()
{
    let runner = Runner::new(options()).await;
    runner.connect(json!({})).await.succeeded();
    runner.run(&sync(&[])).await.succeeded();
    let before = runner.findings().await.len();
    assert!(before > 0);
    let parked = history(&runner, "parked").await.len();

    let update = ["update", "xdr", "--tenant", "acme", "--config"];
    let fewer = runner.config(json!({"dataStreams": ["endpoints"]}));
    let deselect = [&update[..], &[&fewer, "--allow-loopback"]].concat();
    runner.run(&deselect).await.succeeded();
    assert!(runner.findings().await.is_empty());
    assert!(history(&runner, "closed").await.is_empty());
    let out = history(&runner, "out-of-scope").await;
    assert_eq!(out.len(), before + parked);
    for finding in &out {
        assert_eq!(finding["evidence"]["reason"], "dataStreams", "{finding}");
        assert_eq!(finding["closedAt"], Value::Null);
    }

    let all = runner.config(json!({}));
    let choose = [&update[..], &[&all, "--allow-loopback"]].concat();
    runner.run(&choose).await.succeeded();
    let status = runner
        .run(&["status", "xdr", "--tenant", "acme", "--json"])
        .await;
    let next = status.succeeded().json()["nextSync"].clone();
    let alerts = next["streams"].as_array().unwrap().iter();
    let alerts = alerts.clone().find(|each| each["stream"] == "alerts");
    assert_eq!(alerts.unwrap()["type"], "full", "{next}");
    let synced = runner.run(&sync(&["--json"])).await.succeeded().json();
    let alerts = &synced["runs"][1];
    assert_eq!(
        (&alerts["stream"], &alerts["mode"]),
        (&json!("alerts"), &json!("full"))
    );
    assert_eq!(runner.findings().await.len(), before);
    assert!(history(&runner, "out-of-scope").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn history_without_json_and_a_share_beside_a_confirmation_are_usage_errors() {
    let runner = Runner::new(options()).await;
    let history = ["findings", "--tenant", "acme", "--history"];
    runner.connect(json!({})).await.succeeded();
    runner.run(&history).await.failed(2, &["--json"]);
    let both = sync(&["--confirm-removals", "--removal-share", "30"]);
    assert_eq!(runner.run(&both).await.code, Some(2));
}
