//! Queries over what stands in a document as it is printed, and over what feeds an asset.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::support::*;
use super::{assets, findings};
use crate::domain::Mode;
use crate::store::*;

fn place(pointer: &str, value: Lifecycle, format: &str) -> Placeholder {
    Placeholder {
        pointer: pointer.to_owned(),
        value,
        format: format.to_owned(),
    }
}

fn with_body(key: &str, body: &Value) -> Document {
    let mut document = finding(key, Some("e1"), "low");
    document.body = body.to_string().into_bytes();
    document
}

#[tokio::test]
async fn what_the_platform_fills_in_is_found_as_it_is_printed() {
    let bench = Bench::new().await;
    let mut endpoint = asset("e1", json!({"name": "srv"}));
    endpoint.placeholders = vec![
        place("/lastSeen", Lifecycle::LastSeen, "rfc3339"),
        place("/status", Lifecycle::State, "words"),
    ];
    bench
        .full("endpoints", 1_000, vec![entry("e1", "1", vec![endpoint])])
        .await;
    let document = |key: &str| {
        let mut document = with_body(key, &json!({"closed": "stale", "info": {}}));
        document.placeholders = vec![
            place(
                "/status",
                Lifecycle::State,
                r#"{"new": "open", "changed": "open", "closed": "closed"}"#,
            ),
            place(
                "/activity_id",
                Lifecycle::State,
                r#"{"new": 1, "closed": 3}"#,
            ),
            place(
                "/is_alert",
                Lifecycle::State,
                r#"{"new": true, "closed": false}"#,
            ),
            place("/info/first~1seen", Lifecycle::FirstSeen, "epoch-ms"),
            place("/lastSeen", Lifecycle::LastSeen, "rfc3339"),
            place("/closed", Lifecycle::ClosedAt, "epoch-ms"),
        ];
        document
    };
    let sync = bench.begin("alerts", Mode::Full, 2_000).await;
    let entries = ["a1", "a2"]
        .map(|key| entry(key, "1", vec![document(key)]))
        .to_vec();
    bench.put(&sync, entries).await;
    bench
        .close(&sync, vec![closure("a2", Closing::Resolved)])
        .await;
    for (query, keys) in [
        ("document.status:open", vec!["a1"]),
        ("document.status:closed", vec!["a2"]),
        ("document.status:*", vec!["a1", "a2"]),
        ("document.status is null", vec![]),
        ("document.activity_id:1", vec!["a1"]),
        ("document.activity_id > 1", vec!["a2"]),
        ("document.is_alert:true", vec!["a1"]),
        ("document.info.first/seen:*", vec!["a1", "a2"]),
        ("document.info.first/seen:`2000`", vec!["a1", "a2"]),
        ("document.info.first/seen > 1999", vec!["a1", "a2"]),
        (
            "document.lastSeen:`1970-01-01T00:00:02.000Z`",
            vec!["a1", "a2"],
        ),
        ("document.lastSeen > 1970-01-02", vec![]),
        // What stood there is not printed where the platform fills the place in.
        ("document.closed:stale", vec![]),
        ("document.closed is null", vec!["a1"]),
        ("document.closed:`2000`", vec!["a2"]),
        ("asset.document.status:new", vec!["a1", "a2"]),
    ] {
        assert_eq!(findings(&bench, query).await, keys, "{query}");
    }
    assert_eq!(
        assets(&bench, "document.lastSeen:`1970-01-01T00:00:01.000Z`").await,
        ["e1"]
    );
}

#[tokio::test]
async fn what_feeds_an_asset_is_found_where_its_values_are_not_overwritten_and_only_while_it_does()
{
    let bench = Bench::new().await;
    let map = json!({"asset": {"facets": {"vendor-product": {"constant": "Example XDR"}}}});
    let stored = StoredMap {
        name: "mine".to_owned(),
        version: None,
        hash: "0".repeat(64),
        body: map.to_string(),
        origin: MapOrigin::default(),
    };
    let with_map = Connection {
        maps: BTreeMap::from([(stream("endpoints"), stored)]),
        ..connection("feeding")
    };
    let feeding = Bench {
        folder: tempfile::tempdir().unwrap(),
        connection: bench
            .store
            .create_connection(&with_map, no_secrets)
            .await
            .unwrap()
            .id,
        store: bench.store.clone(),
    };
    let row = |key: &str| ImportedAsset {
        line: 1,
        key: key.to_owned(),
        identity: vec![("external-id".to_owned(), key.to_owned())],
        host_name: None,
        body: json!({}),
        first_seen: None,
    };
    let rows = [row("e1"), row("e2"), row("other")];
    bench
        .store
        .import_assets("cmdb", &rows, at(10))
        .await
        .unwrap();
    let named = |key: &str| {
        let mut document = asset(key, json!({}));
        let product = ("vendor-product".to_owned(), "Example XDR".to_owned());
        document.facets.push(product);
        entry(key, "1", vec![document])
    };
    let mut sync = feeding.begin("endpoints", Mode::Full, 20).await;
    sync.switches = switches(false, true);
    feeding.put(&sync, vec![named("e1"), named("e3")]).await;
    sync.switches = switches(true, true);
    feeding.put(&sync, vec![named("e2")]).await;
    let by_product = "asset.inventory:(source:`Example XDR`)";
    let by_source = "asset.findingSource:`Test XDR`";
    for query in [by_product, by_source] {
        assert_eq!(assets(&bench, query).await, ["e1", "e2", "e3"], "{query}");
    }
    let gone = ["e1", "e2", "e3"].map(|key| closure(key, Closing::Resolved));
    feeding.close(&sync, gone.to_vec()).await;
    // It brought the last of them.
    assert_eq!(assets(&bench, by_product).await, ["e3"]);
    assert_eq!(assets(&bench, by_source).await, [""; 0]);
}

#[tokio::test]
async fn a_field_means_the_same_under_each_map() {
    let bench = Bench::new().await;
    let addresses = ["10.56.146.194", "2001:db8::1"];
    let assets_of = [
        ("e1", json!({"ipAddresses": addresses})),
        (
            "e2",
            json!({"device": {"network_interfaces": [{"ip": addresses[0]}, {"ip": addresses[1]}]}}),
        ),
        (
            "e3",
            json!({"networkInterfaces": [{"ipv4Address": addresses[0]}, {"ipv6Address": addresses[1]}]}),
        ),
    ];
    let entries = assets_of.map(|(key, body)| entry(key, "1", vec![asset(key, body)]));
    bench.full("endpoints", 1_000, entries.to_vec()).await;
    for (query, finds) in [
        ("networkInterfaces.ipv4Address:10.56.146.194", true),
        ("networkInterfaces.ipv6Address:`2001:db8::1`", true),
        ("networkInterfaces.ipv6Address:10.56.146.194", false),
        ("networkInterfaces.ipv4Address:`2001:db8::1`", false),
    ] {
        let keys: &[&str] = if finds { &["e1", "e2", "e3"] } else { &[] };
        assert_eq!(assets(&bench, query).await, keys, "{query}");
    }
    let (published, detected) = ("2026-01-31T00:00:00.000Z", "2026-02-28T00:00:00.000Z");
    let bodies = [
        (
            "v1",
            json!({"publishedAt": published, "sourceSeverity": "SEV_1"}),
        ),
        (
            "v2",
            json!({"vulnerabilities": [{"severity": "SEV_1", "cve": {"created_time": 1_769_817_600_000_i64}}]}),
        ),
        (
            "v3",
            json!({"firstFoundOn": published, "sourceSeverity": "SEV_1", "findingType": {"vulnerability": {}}}),
        ),
        ("d1", json!({"detectedAt": detected})),
        (
            "d2",
            json!({"finding_info": {"created_time": 1_772_236_800_000_i64}}),
        ),
        (
            "d3",
            json!({"firstFoundOn": detected, "findingType": {"detection": {"detector": "x"}}}),
        ),
    ];
    let mut entries: Vec<Entry> = bodies
        .iter()
        .map(|(key, body)| entry(key, "1", vec![with_body(key, body)]))
        .collect();
    // When the platform first saw it is neither.
    let mut scoped = with_body("x", &json!({}));
    scoped.placeholders = vec![place("/firstFoundOn", Lifecycle::FirstSeen, "rfc3339")];
    entries.push(entry("x", "1", vec![scoped]));
    bench.full("alerts", 2_000, entries).await;
    for (query, keys) in [
        ("finding.publishedAt:2026-01-31", vec!["v1", "v2", "v3"]),
        ("finding.publishedAt:*", vec!["v1", "v2", "v3"]),
        ("finding.detectedAt:2026-02-28", vec!["d1", "d2", "d3"]),
        ("finding.detectedAt:*", vec!["d1", "d2", "d3"]),
        ("finding.sourceSeverity:SEV_1", vec!["v1", "v2", "v3"]),
        ("finding.firstFoundOn < 1971", vec!["x"]),
    ] {
        assert_eq!(findings(&bench, query).await, keys, "{query}");
    }
}
