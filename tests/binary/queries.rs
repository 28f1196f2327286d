//! Queries as users of the platforms type them, whatever map made the documents.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

async fn tenant(map: &[&str]) -> Runner {
    let runner = Runner::new(Options {
        endpoints: 60,
        alerts: 60,
        cves: 20,
        ..Options::default()
    })
    .await;
    let streams = json!({"dataStreams": ["endpoints", "vulnerabilities"]});
    runner.connect_with(streams, map).await.succeeded();
    runner.sync().await.succeeded();
    runner
}

async fn asked(runner: &Runner, what: &str, query: &str) -> Vec<Value> {
    let asked = runner
        .run(&[what, "--tenant", "acme", "--json", "--query", query])
        .await;
    asked.succeeded().lines()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_that_the_products_print_find_what_was_synced_with_either_map() {
    for map in [&["--map", "qualys-etm"][..], &["--map", "safe"][..]] {
        let runner = tenant(map).await;
        let (assets, findings) = (runner.assets().await, runner.findings().await);
        assert!(!assets.is_empty() && !findings.is_empty());
        let of_source = asked(&runner, "assets", "asset.inventory:(source:`Cortex XDR`)").await;
        assert_eq!(of_source, assets);
        let of_product = asked(
            &runner,
            "findings",
            "finding.vendorProductName:`Cortex XDR`",
        )
        .await;
        assert_eq!(of_product, findings);

        for nothing in [
            "asset.inventory:(source:`Other XDR`)",
            "not asset.inventory:(source:`Cortex XDR`)",
        ] {
            assert!(
                asked(&runner, "assets", nothing).await.is_empty(),
                "{nothing}"
            );
        }
        let severe = asked(
            &runner,
            "findings",
            "finding.severity >= high and finding.lastSeen > now-1d",
        )
        .await;
        let filtered = [
            "findings",
            "--tenant",
            "acme",
            "--json",
            "--severity",
            "high",
            "--severity",
            "critical",
        ];
        let filtered = runner.run(&filtered).await.succeeded().lines();
        assert_eq!(severe, filtered);
        assert!(!severe.is_empty() && severe.len() < findings.len());
        let scored = asked(&runner, "findings", "finding.sourceRiskScore:[9 .. 10]").await;
        assert!(!scored.is_empty() && scored.len() < findings.len());
        let windows = asked(&runner, "assets", "asset.operatingSystem.name:windows").await;
        let others = asked(&runner, "assets", "not asset.operatingSystem.name:windows").await;
        assert!(!windows.is_empty() && !others.is_empty());
        assert_eq!(windows.len() + others.len(), assets.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_of_the_other_product_finds_what_was_synced() {
    let runner = tenant(&["--map", "safe"]).await;
    let filter = "finding source equals PAN Cortex XDR and Onboarding source equals security.safe.cortex.xdr";
    assert_eq!(
        asked(&runner, "assets", filter).await,
        runner.assets().await
    );
    assert_eq!(
        asked(&runner, "findings", filter).await,
        runner.findings().await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_query_is_answered_with_the_place_and_the_fields_that_exist() {
    let runner = tenant(&[]).await;
    let query = "asset.inventory:(sorce:`Cortex XDR`)";
    let wrong = ["assets", "--tenant", "acme", "--query", query];
    let told = runner.run(&wrong).await.failed(
        2,
        &[
            query,
            "character 18",
            "did you mean asset.inventory.source?",
            "asset.lastSeen",
            "finding.severity",
        ],
    );
    let lines: Vec<&str> = told.err.lines().collect();
    let at = lines.iter().position(|line| line.contains(query)).unwrap();
    assert_eq!(lines[at].find("sorce"), lines[at + 1].find("^^^^^"));

    let told = runner.run(&[&wrong[..], &["--json"]].concat()).await;
    assert_eq!(told.code, Some(2));
    let told: Value = serde_json::from_str(&told.err).unwrap();
    assert_eq!(told["error"]["query"], query);
    assert_eq!(told["error"]["place"], json!({"from": 17, "to": 22}));
    let fields = told["error"]["fields"].as_array().unwrap();
    assert!(fields.contains(&json!("asset.inventory.source")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_asks_how_assets_stand_is_not_narrowed_to_the_active_ones() {
    let runner = tenant(&[]).await;
    let held = runner.assets().await;
    let all = asked(
        &runner,
        "assets",
        "asset.state:[active, inactive, out-of-scope]",
    )
    .await;
    let outside = asked(&runner, "assets", "not asset.state:active").await;
    assert_eq!(all.len(), held.len() + outside.len());
    let narrowed = [
        "assets",
        "--tenant",
        "acme",
        "--json",
        "--state",
        "inactive",
        "--query",
        "asset.state:active",
    ];
    assert!(runner.run(&narrowed).await.succeeded().lines().is_empty());
}
