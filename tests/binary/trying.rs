//! `sync --dry-run`: what would happen, and nothing of it kept.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

const SYNC: [&str; 6] = [
    "sync",
    "xdr",
    "--tenant",
    "acme",
    "--requests-per-second",
    "unlimited",
];

async fn dry(runner: &Runner) -> Value {
    let command = [&SYNC[..], &["--mode", "full", "--dry-run", "--json"]].concat();
    runner.run(&command).await.succeeded().json()
}

/// How many of one kind of change, over all data streams.
fn count(tried: &Value, change: &str) -> u64 {
    let runs = tried["runs"].as_array().unwrap().iter();
    let changes = runs.flat_map(|run| run["changes"].as_array().unwrap());
    changes
        .filter(|each| each["change"] == change)
        .map(|each| each["count"].as_u64().unwrap())
        .sum()
}

async fn all(runner: &Runner) -> Vec<Value> {
    let listed = ["--tenant", "acme", "--state", "all", "--json", "--history"];
    let mut held = Vec::new();
    for what in ["assets", "findings"] {
        let command = [&[what][..], &listed].concat();
        held.extend(runner.run(&command).await.succeeded().lines());
    }
    held
}

async fn runs(runner: &Runner) -> usize {
    let listed = runner.run(&["runs", "--tenant", "acme", "--json"]).await;
    listed.succeeded().lines().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_a_sync_then_does_and_writes_nothing() {
    let options = Options {
        endpoints: 60,
        alerts: 120,
        ..Options::default()
    };
    let runner = Runner::new(options).await;
    runner.connect(json!({})).await.succeeded();
    // What a killed process left behind is cleared away.
    let trials = runner.data().join("trials");
    std::fs::create_dir_all(trials.join("1-1")).unwrap();
    std::fs::write(trials.join("1-1.lock"), "").unwrap();

    let tried = dry(&runner).await;
    assert_eq!(tried["dryRun"], true);
    assert_eq!(tried["runs"][0]["id"], Value::Null);
    assert!(all(&runner).await.is_empty());
    assert_eq!(runs(&runner).await, 0);
    assert_eq!(std::fs::read_dir(&trials).unwrap().count(), 0);
    let examples = tried["runs"][0]["changes"][0]["examples"].as_array();
    assert_eq!(examples.unwrap().len(), 5, "{tried}");

    let synced = runner.sync().await.succeeded().json();
    assert_eq!(
        count(&tried, "assets-new"),
        synced["runs"][0]["ledger"]["documents"]["assetsCreated"]
            .as_u64()
            .unwrap()
    );
    let before = all(&runner).await;
    assert_eq!(
        count(&tried, "findings-new") + count(&tried, "findings-parked"),
        before
            .iter()
            .filter(|each| each["stream"] == "alerts")
            .count() as u64
    );

    // One is resolved, one is gone, one is new.
    let open: Vec<&Value> = before
        .iter()
        .filter(|each| each["stream"] == "alerts" && each["state"] == "open")
        .collect();
    let (resolved, gone) = (&open[0]["key"], &open[1]["key"]);
    let tenant = runner.simulator.tenant();
    let status = "STATUS_060_RESOLVED_FALSE_POSITIVE";
    assert!(tenant.resolve_alert(resolved.as_str().unwrap(), status));
    assert!(tenant.remove_alert(gone.as_str().unwrap()));
    let tried = dry(&runner).await;
    assert_eq!(all(&runner).await, before);
    assert_eq!(runs(&runner).await, 2);
    assert_eq!(count(&tried, "findings-new"), 0);
    let alerts = tried["runs"].as_array().unwrap();
    let alerts = alerts.iter().find(|run| run["stream"] == "alerts").unwrap();
    let closed = alerts["changes"].as_array().unwrap();
    let closed = closed
        .iter()
        .find(|each| each["change"] == "findings-closed")
        .unwrap();
    assert_eq!(closed["count"], 2);
    let reason = |key: &Value| {
        let examples = closed["examples"].as_array().unwrap();
        let example = examples.iter().find(|each| each["key"] == *key).unwrap();
        assert!(example["title"].is_string(), "{example}");
        example["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason(resolved).contains(status));
    assert!(reason(gone).starts_with("gone: "));

    let full = [&SYNC[..], &["--mode", "full"]].concat();
    runner.run(&full).await.succeeded();
    let after = all(&runner).await;
    let closed = after.iter().filter(|each| each["state"] == "closed");
    assert_eq!(closed.count(), 2);
    // And it comes back: not new, but reopened.
    let open = "STATUS_010_NEW";
    assert!(tenant.resolve_alert(resolved.as_str().unwrap(), open));
    assert_eq!(count(&dry(&runner).await, "findings-reopened"), 1);
    runner.run(&full).await.succeeded();
    let again = all(&runner).await;
    let found = |held: &[Value]| {
        let mut held = held.iter().filter(|each| each["key"] == *resolved);
        held.next().unwrap().clone()
    };
    let (first, again) = (found(&before), found(&again));
    assert_eq!(again["state"], "reopened");
    assert_eq!(again["firstSeen"], first["firstSeen"]);
    assert!(again["reopenedAt"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_for_people_shows_the_changes_and_says_that_nothing_is_written() {
    let options = Options {
        endpoints: 30,
        alerts: 30,
        ..Options::default()
    };
    let runner = Runner::new(options).await;
    runner.connect(json!({})).await.succeeded();
    let command = [&SYNC[..], &["--dry-run", "--examples", "1"]].concat();
    let told = runner.run(&command).await.succeeded().out;
    for text in ["dry run", "nothing is written", "assets, new: ", "more"] {
        assert!(told.contains(text), "`{text}` is missing: {told}");
    }
}
