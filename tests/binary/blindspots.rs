//! `blindspots`, as a person types it and as a program reads it.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

fn small() -> Options {
    Options {
        endpoints: 60,
        alerts: 1_000,
        ..Options::default()
    }
}

const ASK: [&str; 4] = ["blindspots", "xdr", "--tenant", "acme"];

async fn document(runner: &Runner, flags: &[&str]) -> Value {
    let asked = [&ASK[..], &["--json"], flags].concat();
    runner.run(&asked).await.succeeded().json()
}

fn count(document: &Value, name: &str) -> Value {
    let spots = document["blindSpots"].as_array().unwrap();
    let found = spots.iter().find(|spot| spot["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {document}"))["count"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_a_table_and_what_to_do_and_a_program_the_same_numbers() {
    let runner = Runner::new(small()).await;
    runner
        .connect(json!({"alertStatuses": ["New"]}))
        .await
        .succeeded();
    let before = document(&runner, &[]).await;
    assert!(count(&before, "alerts: left out by filters").is_null());
    runner.sync().await.succeeded();

    let asked = document(&runner, &["--silent-days", "7"]).await;
    assert_eq!(asked["connection"], "xdr");
    assert_eq!(asked["tenant"], "acme");
    assert_eq!(asked["silentDays"], 7);
    let alerts = runner.simulator.tenant().alerts();
    let agent = alerts.iter().filter(|alert| alert.source == "XDR Agent");
    // More than a page of them: their status is known of the newest 100 only.
    assert_eq!(
        count(&asked, "alerts from XDR Agent in any status"),
        agent.count()
    );
    let parked = count(&asked, "alerts: parked records");
    assert!(parked.as_u64() > Some(0), "{asked}");
    for spot in asked["blindSpots"].as_array().unwrap() {
        let keys: Vec<&String> = spot.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "count", "detail", "examples", "name", "orMore", "remedy", "toldBy"
            ]
        );
    }

    let told = runner.run(&ASK).await.succeeded();
    let heading: Vec<&str> = told
        .out
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(heading, ["BLIND", "SPOT", "COUNT", "DETAIL"]);
    for text in [
        "agents silent for 30 days or more",
        "unknown",
        "alerts: parked records",
        "-> Add the source to alertSources",
    ] {
        assert!(told.out.contains(text), "{text}: {}", told.out);
    }
    assert!(
        told.out
            .lines()
            .all(|line| line.chars().count() <= 140 || line.starts_with("  ->"))
    );
    assert!(!told.out.contains(runner.simulator.api_key()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_makes_numbers_unknown_and_is_no_failure() {
    let runner = Runner::new(small()).await;
    runner.connect(json!({})).await.succeeded();
    runner.sync().await.succeeded();
    runner.simulator.tenant().revoke_key();
    let asked = document(&runner, &[]).await;
    assert!(count(&asked, "untagged endpoints").is_null());
    // What the platform holds needs no key.
    assert!(count(&asked, "alerts: parked records").as_u64() > Some(0));
    let told = runner.run(&ASK).await.succeeded();
    assert!(told.out.contains("Check the API key"), "{}", told.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_days_or_a_name_that_can_not_be_is_refused() {
    let runner = Runner::new(small()).await;
    runner.connect(json!({})).await.succeeded();
    for days in ["0", "4000", "week"] {
        let asked = [&ASK[..], &["--silent-days", days]].concat();
        runner.run(&asked).await.failed(2, &["--silent-days"]);
    }
    runner
        .run(&["blindspots", "other", "--tenant", "acme"])
        .await
        .failed(3, &["other", "xdr"]);
}
