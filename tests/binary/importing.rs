//! `assets import`, as far as its files go: none of their rows is lost in silence.

use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;
use serde_json::json;

async fn runner() -> Runner {
    let runner = Runner::new(Options {
        endpoints: 5,
        alerts: 5,
        cves: 2,
        ..Options::default()
    })
    .await;
    runner.connect(json!({})).await.succeeded();
    runner
}

async fn import(runner: &Runner, text: &str, more: &[&str]) -> Ended {
    let file = runner.file("rows", text);
    let arguments = [
        "assets", "import", &file, "--source", "cmdb", "--tenant", "acme",
    ];
    runner.run(&[&arguments[..], more].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_list_is_loaded_or_told() {
    let runner = runner().await;
    let two = "[{\"hostName\":\"l1\"}]\n[{\"hostName\":\"l2\"}]\n{\"hostName\":\"l3\"}\n";
    let loaded = import(&runner, two, &["--json"]).await.succeeded().json();
    assert_eq!(
        (&loaded["rows"], &loaded["created"]),
        (&json!(3), &json!(3))
    );
    let garbage = import(&runner, "[{\"hostName\":\"l4\"}]\n}garbage\n", &[]).await;
    assert_eq!(garbage.code, Some(3), "{garbage:?}");
    assert!(garbage.err.contains("line 2: it is no JSON"), "{garbage:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_of_one_name_are_several_assets_and_what_can_t_be_told_apart_is_told() {
    let runner = runner().await;
    let rows = "{\"hostName\":\"pc1\",\"macAddresses\":[\"00:11:22:33:44:01\"],\"asset\":{\"owner\":\"anna\"}}
{\"hostName\":\"pc1\",\"macAddresses\":[\"00:11:22:33:44:02\"],\"asset\":{\"owner\":\"ben\"}}
{\"hostName\":\"pc2\",\"asset\":{\"owner\":\"carl\"}}
{\"hostName\":\"pc2\",\"asset\":{\"owner\":\"dora\"}}\n";
    let first = import(&runner, rows, &["--json"]).await;
    assert_eq!(first.code, Some(3), "{first:?}");
    let first = first.json();
    assert_eq!(first["created"], 3);
    assert_eq!(first["badRows"][0]["line"], 4);
    let reason = first["badRows"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("line 3"), "{reason}");
    let assets = runner.assets().await;
    for owner in ["anna", "ben", "carl"] {
        let owned = assets.iter().filter(|asset| asset["owner"] == owner);
        assert_eq!(owned.count(), 1, "{owner}: {assets:?}");
    }
    let again = import(&runner, rows, &["--json"]).await.json();
    assert_eq!((&again["known"], &again["created"]), (&json!(3), &json!(0)));
    assert_eq!(runner.assets().await, assets);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_kind_is_told_once() {
    let runner = runner().await;
    let csv: String = (0..3_000).map(|n| format!("host{n};ops\n")).collect();
    let told = import(&runner, &csv, &[]).await;
    assert!(told.err.lines().count() < 20, "{told:?}");
    told.failed(3, &["is JSON", "one JSON object per line is wanted"]);
    let bad: String = (0..300)
        .map(|n| format!("{{\"hostname\":\"h{n}\"}}\n"))
        .collect();
    let told = import(&runner, &bad, &[]).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    assert!(told.err.contains("did you mean hostName?"), "{told:?}");
    assert_eq!(told.err.lines().count(), 100, "{told:?}");
    assert!(
        told.out
            .contains("300 rows could not be loaded: the first 100"),
        "{told:?}"
    );
    let nobody = ["assets", "import", "-", "--source", "x", "--tenant", "new"];
    runner.run(&nobody).await.failed(
        3,
        &[
            "there is no tenant \"new\"",
            "host-runner connect NAME --tenant new",
        ],
    );
}
