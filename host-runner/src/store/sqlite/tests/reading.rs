//! What can be read out, and by which filters.

use futures_util::TryStreamExt;
use serde_json::json;

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

async fn held() -> Bench {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("e1", "1"), endpoint("e2", "1")],
        )
        .await;
    let alerts = vec![
        entry("a1", "1", vec![finding("a1", Some("e1"), "high")]),
        entry("a2", "1", vec![finding("a2", Some("e2"), "low")]),
        entry("a3", "1", vec![finding("a3", Some("e9"), "critical")]),
    ];
    bench.full("alerts", 20, alerts).await;
    bench
}

async fn asset_keys(bench: &Bench, filter: AssetFilter) -> Vec<String> {
    let assets: Vec<Asset> = bench.store.assets(&filter).try_collect().await.unwrap();
    assets
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect()
}

async fn finding_keys(bench: &Bench, filter: FindingFilter) -> Vec<String> {
    let findings: Vec<Finding> = bench.store.findings(&filter).try_collect().await.unwrap();
    findings.into_iter().map(|finding| finding.key).collect()
}

#[tokio::test]
async fn assets_are_filtered_by_source_severity_host_and_number() {
    let bench = held().await;
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (AssetFilter::default(), vec!["e1", "e2"]),
        (
            AssetFilter {
                onboarding_source: some("test.source"),
                ..AssetFilter::default()
            },
            vec!["e1", "e2"],
        ),
        (
            AssetFilter {
                onboarding_source: some("none"),
                ..AssetFilter::default()
            },
            vec![],
        ),
        (
            AssetFilter {
                finding_source: some("Test XDR"),
                ..AssetFilter::default()
            },
            vec!["e1", "e2"],
        ),
        (
            AssetFilter {
                finding_source: some("none"),
                ..AssetFilter::default()
            },
            vec![],
        ),
        (
            AssetFilter {
                severities: vec![Severity::High],
                ..AssetFilter::default()
            },
            vec!["e1"],
        ),
        (
            AssetFilter {
                severities: vec![Severity::High, Severity::Low],
                ..AssetFilter::default()
            },
            vec!["e1", "e2"],
        ),
        (
            AssetFilter {
                severities: vec![Severity::Critical],
                ..AssetFilter::default()
            },
            vec![],
        ),
        (
            AssetFilter {
                host: some("HOST-E2"),
                ..AssetFilter::default()
            },
            vec!["e2"],
        ),
        (
            AssetFilter {
                limit: Some(1),
                ..AssetFilter::default()
            },
            vec!["e1"],
        ),
        (
            AssetFilter {
                connection: Some(bench.connection),
                ..AssetFilter::default()
            },
            vec!["e1", "e2"],
        ),
    ];
    for (filter, keys) in cases {
        assert_eq!(asset_keys(&bench, filter.clone()).await, keys, "{filter:?}");
    }
}

#[tokio::test]
async fn findings_are_filtered_and_the_parked_closed_and_out_of_scope_are_hidden_by_default() {
    let bench = held().await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    bench
        .close(&sync, vec![closure("a2", Closing::Resolved)])
        .await;
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (FindingFilter::default(), vec!["a1"]),
        (
            FindingFilter {
                include_closed: true,
                ..FindingFilter::default()
            },
            vec!["a1", "a2"],
        ),
        (
            FindingFilter {
                include_out_of_scope: true,
                ..FindingFilter::default()
            },
            vec!["a1"],
        ),
        (
            FindingFilter {
                include_parked: true,
                ..FindingFilter::default()
            },
            vec!["a1", "a3"],
        ),
        (
            FindingFilter {
                host: some("host-e1"),
                ..FindingFilter::default()
            },
            vec!["a1"],
        ),
        (
            FindingFilter {
                host: some("host-e3"),
                ..FindingFilter::default()
            },
            vec![],
        ),
        (
            FindingFilter {
                onboarding_source: some("test.source"),
                include_parked: true,
                ..FindingFilter::default()
            },
            vec!["a1"],
        ),
        (
            FindingFilter {
                finding_source: some("none"),
                ..FindingFilter::default()
            },
            vec![],
        ),
        (
            FindingFilter {
                severities: vec![Severity::Critical],
                include_parked: true,
                ..FindingFilter::default()
            },
            vec!["a3"],
        ),
        (
            FindingFilter {
                stream: Some(stream("vulnerabilities")),
                ..FindingFilter::default()
            },
            vec![],
        ),
        (
            FindingFilter {
                include_closed: true,
                limit: Some(1),
                ..FindingFilter::default()
            },
            vec!["a1"],
        ),
    ];
    for (filter, keys) in cases {
        assert_eq!(
            finding_keys(&bench, filter.clone()).await,
            keys,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn placeholders_are_filled_in_from_the_platforms_own_times() {
    let bench = Bench::new().await;
    let places = |document: &mut Document| {
        document.placeholders = [
            ("/first", Lifecycle::FirstSeen, "epoch-ms"),
            ("/last", Lifecycle::LastSeen, "rfc3339"),
            ("/closed", Lifecycle::ClosedAt, "epoch-ms"),
            (
                "/state",
                Lifecycle::State,
                r#"{"new": 1, "changed": 2, "closed": 3, "reopened": 4}"#,
            ),
        ]
        .map(|(pointer, value, format)| Placeholder {
            pointer: pointer.to_owned(),
            value,
            format: format.to_owned(),
        })
        .to_vec();
    };
    let mut e1 = asset("e1", json!({}));
    places(&mut e1);
    let mut f1 = finding("f1", Some("e1"), "low");
    f1.body = b"{}".to_vec();
    places(&mut f1);
    bench
        .full("endpoints", 10, vec![entry("e1", "1", vec![e1])])
        .await;
    bench
        .full("alerts", 20, vec![entry("f1", "1", vec![f1])])
        .await;
    bench.full("alerts", 30, vec![unchanged("f1", "1")]).await;
    assert_eq!(
        bench.assets().await[0].body,
        json!({"first": 10, "last": "1970-01-01T00:00:00.010Z", "state": 1})
    );
    assert_eq!(
        bench.findings().await[0].body,
        json!({"first": 20, "last": "1970-01-01T00:00:00.030Z", "state": 1})
    );
    let sync = bench.begin("alerts", Mode::Incremental, 40).await;
    bench
        .close(&sync, vec![closure("f1", Closing::Resolved)])
        .await;
    assert_eq!(
        bench.findings().await[0].body,
        json!({"first": 20, "last": "1970-01-01T00:00:00.030Z", "closed": 40, "state": 3})
    );
}

#[tokio::test]
async fn open_records_are_listed_as_they_were_before_the_sync_began() {
    let bench = Bench::new().await;
    bench.full("alerts", 10, vec![alert("b", "e1")]).await;
    let sync = bench.begin("alerts", Mode::Incremental, 20).await;
    bench
        .put(&sync, vec![alert("a", "e1"), alert("c", "e1")])
        .await;
    bench.end(&sync).await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    let list = async |order, after: Option<&str>, limit| {
        let query = OpenRecords {
            connection: bench.connection,
            stream: stream("alerts"),
            before: Some(sync.sync),
            order,
            after: after.map(str::to_owned),
            limit,
        };
        let open = bench.store.open_records(&query).await.unwrap();
        open.into_iter()
            .map(|record| (record.key, record.checked.as_ms()))
            .collect::<Vec<_>>()
    };
    let pair = |key: &str, ms| (key.to_owned(), ms);
    assert_eq!(
        list(Order::Key, None, 9).await,
        [pair("a", 20), pair("b", 10), pair("c", 20)]
    );
    assert_eq!(list(Order::Key, Some("a"), 1).await, [pair("b", 10)]);
    assert_eq!(
        list(Order::OldestCheck, None, 2).await,
        [pair("b", 10), pair("a", 20)]
    );
    // What the sync confirms, adds and closes meanwhile does not change where the list goes on.
    bench
        .put(
            &sync,
            vec![unchanged("b", "1"), unchanged("a", "1"), alert("d", "e1")],
        )
        .await;
    assert_eq!(
        list(Order::OldestCheck, Some("a"), 9).await,
        [pair("c", 20)]
    );
    assert_eq!(
        list(Order::OldestCheck, Some("b"), 9).await,
        [pair("a", 20), pair("c", 20)]
    );
    bench
        .close(&sync, vec![closure("a", Closing::Resolved)])
        .await;
    assert_eq!(
        list(Order::OldestCheck, Some("a"), 9).await,
        [pair("c", 20)]
    );
    assert_eq!(
        list(Order::Key, None, 9).await,
        [pair("b", 10), pair("c", 20)]
    );
}

#[tokio::test]
async fn a_summary_counts_what_is_held() {
    let bench = held().await;
    let sync = bench.begin("alerts", Mode::Incremental, 30).await;
    let mut step = bench.step(&sync, vec![]);
    step.closures = vec![closure("a2", Closing::Resolved)];
    step.quarantine = vec![Unreadable {
        key: Some("a7".to_owned()),
        raw: b"?".to_vec(),
        problems: vec![],
    }];
    bench.commit(step).await;
    let summary = bench.store.summary(bench.connection).await.unwrap();
    assert_eq!(
        (
            summary.assets,
            summary.assets_onboarded,
            summary.assets_inactive
        ),
        (2, 2, 0)
    );
    assert_eq!(summary.streams[0].records_open, 2);
    let alerts = &summary.streams[1];
    assert_eq!(
        (
            alerts.records_open,
            alerts.records_closed,
            alerts.records_parked
        ),
        (2, 1, 1)
    );
    assert_eq!(
        (
            alerts.findings_open,
            alerts.findings_closed,
            alerts.findings_parked
        ),
        (1, 1, 1)
    );
    assert_eq!((alerts.quarantined, alerts.committed_at), (1, Some(at(30))));
}
