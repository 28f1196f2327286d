//! What a person asks before and after a change: where a value came from, and what a change would do.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

async fn tenant() -> Runner {
    let runner = Runner::new(Options {
        endpoints: 60,
        alerts: 60,
        cves: 20,
        ..Options::default()
    })
    .await;
    let streams = json!({"dataStreams": ["endpoints", "vulnerabilities"]});
    runner
        .connect_with(streams, &["--map", "safe"])
        .await
        .succeeded();
    runner.sync().await.succeeded();
    runner
}

/// An asset with what the platform knows of it.
async fn asset(runner: &Runner) -> Value {
    let listed = ["assets", "--tenant", "acme", "--json", "--history"];
    runner.run(&listed).await.succeeded().lines().remove(0)
}

async fn finding(runner: &Runner) -> Value {
    let listed = ["findings", "--tenant", "acme", "--json", "--history"];
    runner.run(&listed).await.succeeded().lines().remove(0)
}

/// What is told of one place of a document.
fn of<'d>(document: &'d Value, target: &str) -> &'d Value {
    let mut fields = document["fields"].as_array().unwrap().iter();
    fields
        .find(|field| field["target"] == target)
        .unwrap_or_else(|| panic!("no {target}: {document:#}"))
}

async fn explained(runner: &Runner, arguments: &[&str]) -> Value {
    let command = [&["explain"][..], arguments, &["--tenant", "acme", "--json"]].concat();
    runner.run(&command).await.succeeded().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_value_of_an_asset_and_of_a_finding_is_told_with_where_it_came_from() {
    let runner = tenant().await;
    let asset = asset(&runner).await;
    let (key, host) = (
        asset["keys"][0].as_str().unwrap(),
        asset["host"].as_str().unwrap(),
    );
    runner.simulator.log().clear();
    let by_key = explained(&runner, &[key]).await;
    let by_host = explained(&runner, &[host]).await;
    assert_eq!(by_key["documents"][0], by_host["documents"][0]);
    let fields = by_key["documents"][0]["fields"].as_array().unwrap();
    assert!(fields.len() > 5, "{fields:#?}");
    for field in fields {
        assert_ne!(field["origin"], "earlier", "{field:#}");
        if field["origin"] == "record" || field["origin"] == "platform" {
            let given = field["given"].as_array().unwrap().last().unwrap();
            assert!(
                given["rule"].as_str().unwrap().starts_with('/'),
                "{field:#}"
            );
            assert_eq!(given["value"], field["value"], "{field:#}");
        }
    }
    let name = explained(&runner, &[key, "name"]).await;
    let name = &name["documents"][0]["fields"];
    assert_eq!(name.as_array().unwrap().len(), 1, "{name:#}");
    assert_eq!(name[0]["value"], host);
    assert_eq!(name[0]["given"][0]["sources"][0]["path"], "endpoint_name");
    assert_eq!(name[0]["given"][0]["sources"][0]["value"], host);

    let finding = finding(&runner).await;
    let finding = explained(&runner, &[finding["key"].as_str().unwrap()]).await;
    let document = &finding["documents"][0];
    assert_eq!(document["kind"], "finding");
    assert_eq!(document["records"][0]["stream"], "vulnerabilities");
    let status = of(document, "status");
    assert_eq!(status["platform"], "new or changed");
    assert_eq!(status["given"][0]["ruleText"]["placeholder"], "state");
    let text = runner
        .run(&["explain", key, "name", "--tenant", "acme"])
        .await
        .succeeded()
        .out;
    assert!(
        text.contains("endpoint_name") && text.contains("/rules/"),
        "{text}"
    );
    assert_eq!(runner.simulator.log().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_left_its_record_is_told_with_the_rules_of_what_the_platform_knows() {
    let runner = tenant().await;
    let finding = finding(&runner).await;
    let endpoint = finding["record"].as_str().unwrap();
    let simulated = runner.simulator.tenant();
    let mut cves = simulated.endpoint_cves(endpoint).unwrap();
    cves.retain(|cve| finding["title"] != *cve);
    assert!(simulated.set_cves(endpoint, Some(cves)));
    runner.sync().await.succeeded();
    let explained = explained(&runner, &[finding["key"].as_str().unwrap()]).await;
    let document = &explained["documents"][0];
    assert_eq!(document["state"], "closed");
    for (target, word) in [("status", "closed"), ("closedAt", "closed 2")] {
        let field = of(document, target);
        assert_eq!(field["origin"], "platform", "{field:#}");
        assert!(
            field["platform"].as_str().unwrap().starts_with(word),
            "{field:#}"
        );
        assert!(field["given"][0]["rule"].is_string(), "{field:#}");
    }
    // Its own values are those of an earlier record.
    assert_eq!(of(document, "title")["origin"], "earlier");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_path_that_are_not_there_are_told_with_what_is_near() {
    let runner = tenant().await;
    let asset = asset(&runner).await;
    let key = asset["keys"][0].as_str().unwrap();
    let (most, _) = key.split_at(key.len() - 1);
    runner
        .run(&["explain", most, "--tenant", "acme"])
        .await
        .failed(3, &["holds no asset or finding", key]);
    runner
        .run(&["explain", key, "nmae", "--tenant", "acme"])
        .await
        .failed(3, &["no value at \"nmae\"", "name"]);
    runner
        .run(&["explain", key, "--tenant", "acme", "--connection", "nope"])
        .await
        .failed(3, &["nope"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_would_do_is_told_and_nothing_is_changed_or_asked() {
    let runner = tenant().await;
    let before = (runner.assets().await, runner.findings().await);
    let runs = runner.run(&["runs", "--tenant", "acme", "--json"]).await;
    let connections = ["connections", "--tenant", "acme", "--json"];
    let connection = runner.run(&connections).await.succeeded().out;
    let what_if = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--map",
        "qualys-etm",
        "--what-if",
    ];
    runner.simulator.log().clear();
    let told = runner.run(&what_if).await.succeeded().out;
    assert!(told.contains("have other values"), "{told}");
    let json = [&what_if[..], &["--json"]].concat();
    let json = runner.run(&json).await.succeeded().json();
    assert!(json["changes"].as_array().unwrap().len() > 1, "{json:#}");
    assert_eq!(runner.simulator.log().total(), 0);
    assert_eq!(before, (runner.assets().await, runner.findings().await));
    let runs_now = runner.run(&["runs", "--tenant", "acme", "--json"]).await;
    assert_eq!(runs.out, runs_now.out);
    let now = runner.run(&connections).await.succeeded().out;
    assert_eq!(connection, now);
    let trials = std::fs::read_dir(runner.data().join("trials")).unwrap();
    assert_eq!(trials.count(), 0);

    // Done, it is as it was told: the names of an asset's values, say.
    let done = [&what_if[..6], &["--json"]].concat();
    let done = runner.run(&done).await.succeeded().json();
    assert_eq!(runner.simulator.log().total(), 0);
    assert_eq!(done["remade"].as_array().unwrap().len(), 2);
    let asset = asset(&runner).await;
    assert!(
        asset["document"]["externalAssetId"].is_string(),
        "{asset:#}"
    );
}
