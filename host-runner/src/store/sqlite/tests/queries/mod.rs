//! Queries over real files.

mod naive;
mod places;
mod plan;
mod random;

use futures_util::TryStreamExt;
use serde_json::json;

use super::support::*;
use crate::domain::Mode;
use crate::query::tests::now;
use crate::query::{AssetQuery, FindingQuery};
use crate::store::*;

/// Keys of the assets that a query asks for, whatever their state.
async fn assets(bench: &Bench, query: &str) -> Vec<String> {
    let filter = AssetFilter {
        query: Some(
            AssetQuery::parse(query, now()).unwrap_or_else(|error| panic!("{query}: {error}")),
        ),
        include_inactive: true,
        include_out_of_scope: true,
        ..AssetFilter::default()
    };
    let found: Vec<Asset> = bench.store.assets(&filter).try_collect().await.unwrap();
    found
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect()
}

/// Keys of the findings that a query asks for, whatever their state.
async fn findings(bench: &Bench, query: &str) -> Vec<String> {
    let filter = FindingFilter {
        query: Some(
            FindingQuery::parse(query, now()).unwrap_or_else(|error| panic!("{query}: {error}")),
        ),
        include_closed: true,
        include_out_of_scope: true,
        include_parked: true,
        ..FindingFilter::default()
    };
    let found: Vec<Finding> = bench.store.findings(&filter).try_collect().await.unwrap();
    found.into_iter().map(|finding| finding.key).collect()
}

/// Two assets as two maps make them, two findings on the first, one that waits for its asset.
async fn small() -> Bench {
    let bench = Bench::new().await;
    let mut first = asset(
        "e1",
        json!({
            "operatingSystem": {"name": "Windows Server 2022"},
            "networkInterfaces": [{"ipAddress": "192.0.2.1"}, {"ipAddress": "192.0.2.2"}, {"macAddress": "00:11"}],
            "temp_q_customAttributes": {"endPointTags": ["prod", "Frankfurt"], "serverTags": []},
            "firstFoundDate": "2026-01-31T12:00:00.000Z",
        }),
    );
    first.facets = vec![
        ("vendor-product".to_owned(), "Example XDR".to_owned()),
        ("host-name".to_owned(), "srv-db-1".to_owned()),
    ];
    let second = asset(
        "e2",
        json!({"operatingSystem": "Ubuntu 24.04", "customFields": {"tags": ["test"]}}),
    );
    let sync = bench.begin("endpoints", Mode::Full, 1_000).await;
    bench
        .put(
            &sync,
            vec![
                entry("e1", "1", vec![first]),
                entry("e2", "1", vec![second]),
            ],
        )
        .await;
    bench.end(&sync).await;
    let mut critical = finding("a1", Some("e1"), "critical");
    critical
        .facets
        .push(("vendor-product".to_owned(), "Example XDR".to_owned()));
    critical.body = json!({"sourceRiskScore": 9.8, "firstFoundOn": "2026-03-30T00:00:00.000Z"})
        .to_string()
        .into_bytes();
    bench
        .full(
            "alerts",
            2_000,
            vec![
                entry("a1", "1", vec![critical]),
                entry("a2", "1", vec![finding("a2", Some("e1"), "SEV_999")]),
                entry("a3", "1", vec![finding("a3", None, "high")]),
            ],
        )
        .await;
    bench
}

#[tokio::test]
async fn each_kind_of_field_finds_what_it_should_whatever_the_map() {
    let bench = small().await;
    for (query, keys) in [
        ("asset.inventory:(source:`Example XDR`)", vec!["e1"]),
        ("asset.inventory:(source:`example xdr`)", vec!["e1"]),
        ("asset.inventory:(source:`Example`)", vec![]),
        (
            "finding source equals Test XDR and Onboarding source equals test.source",
            vec!["e2"],
        ),
        ("operatingSystem.name:windows", vec!["e1"]),
        ("operatingSystem.name:ubuntu", vec!["e2"]),
        ("operatingSystem.name:(Server and 2022)", vec!["e1"]),
        ("networkInterfaces[].ipAddress:`192.0.2.2`", vec!["e1"]),
        ("not ip:*", vec!["e2"]),
        ("tags:[frankfurt, test]", vec!["e1", "e2"]),
        ("document.networkInterfaces.macAddress:`00:11`", vec!["e1"]),
        ("document.customFields.tags:*", vec!["e2"]),
        ("asset.name:srv-*-1", vec!["e1"]),
        ("firstFoundDate:2026-01-31", vec!["e1"]),
        ("firstFoundDate > 2026-01-31", vec![]),
        ("externalAssetId:e2", vec!["e2"]),
        ("connection:prod and stream:endpoints", vec!["e1", "e2"]),
        ("connection:other", vec![]),
        ("state:active", vec!["e1", "e2"]),
        ("firstSeen:1970 and lastSeen < 1971", vec!["e1", "e2"]),
        ("severity:critical", vec!["e1"]),
        ("not severity:critical", vec!["e2"]),
        ("finding:(severity:critical and title:`finding a2`)", vec![]),
        (
            "severity:critical and finding.title:`finding a2`",
            vec!["e1"],
        ),
        ("finding.status:closed", vec![]),
    ] {
        assert_eq!(assets(&bench, query).await, keys, "{query}");
    }
    for (query, keys) in [
        ("finding.vendorProductName:`Example XDR`", vec!["a1"]),
        ("finding.vendorProductName is null", vec!["a2", "a3"]),
        ("severity >= medium", vec!["a1", "a3"]),
        ("severity < critical", vec!["a3"]),
        ("severity:unknown", vec!["a2"]),
        ("severity:[low .. high]", vec!["a3"]),
        ("not severity >= medium", vec!["a2"]),
        ("score > 9 and finding.firstFoundOn > now-7d", vec!["a1"]),
        ("status:parked", vec!["a3"]),
        ("status:open", vec!["a1", "a2"]),
        ("asset.tags:prod", vec!["a1", "a2"]),
        ("not asset.tags:prod", vec!["a3"]),
        ("asset.state:active", vec!["a1", "a2"]),
        ("not asset.state:active", vec!["a3"]),
        (
            "stream:alerts and connection:prod and record:a3",
            vec!["a3"],
        ),
        ("host:srv-db-1 or assetKey:e2", vec!["a1", "a2"]),
        (
            "finding.title:finding and not finding.title:a2",
            vec!["a1", "a3"],
        ),
    ] {
        assert_eq!(findings(&bench, query).await, keys, "{query}");
    }
}

#[tokio::test]
async fn a_query_narrows_what_the_other_filters_let_through() {
    let bench = small().await;
    let filter = FindingFilter {
        query: Some(FindingQuery::parse("title:finding", now()).unwrap()),
        severities: vec![Severity::Critical, Severity::High],
        host: Some("SRV-DB-1".to_owned()),
        limit: Some(5),
        ..FindingFilter::default()
    };
    let found: Vec<Finding> = bench.store.findings(&filter).try_collect().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key, "a1");
}

#[tokio::test]
async fn texts_of_a_query_are_values_and_never_sql() {
    let bench = small().await;
    for text in [
        "' or 1=1 --",
        "x' COLLATE BINARY",
        "%",
        "_",
        "\\",
        "?1",
        "\";DROP TABLE assets",
    ] {
        let quoted = text.replace('"', "\"\"");
        assert!(
            assets(&bench, &format!("name:\"{quoted}\""))
                .await
                .is_empty(),
            "{text}"
        );
        assert!(
            assets(&bench, &format!("name:`{text}`")).await.is_empty(),
            "{text}"
        );
    }
    assert!(assets(&bench, "document.$.a/b#-1:x").await.is_empty());
    assert_eq!(bench.assets().await.len(), 2);
}

#[tokio::test]
async fn the_largest_queries_that_are_read_are_run() {
    let bench = small().await;
    let deep = format!(
        "{}severity:low{}",
        "not (name:a or ".repeat(15),
        ")".repeat(15)
    );
    assets(&bench, &deep).await;
    findings(
        &bench,
        &format!("asset:{}", deep.replacen("not ", "(", 1) + ")"),
    )
    .await;
    let values = vec!["a*b"; crate::query::MOST_VALUES].join(", ");
    assets(&bench, &format!("source:[{values}]")).await;
    let tests = vec!["source:a"; crate::query::MOST_VALUES].join(" or ");
    assert!(assets(&bench, &tests).await.len() <= 2);
    let tests = vec!["finding.document.a.b.c.d.e.f.g.h:a"; crate::query::MOST_VALUES].join(" and ");
    assert!(assets(&bench, &tests).await.is_empty());
}
