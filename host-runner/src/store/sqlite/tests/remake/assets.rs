//! Assets that another map makes up again.

use super::*;

#[tokio::test]
async fn an_asset_of_our_own_is_made_up_again_by_another_map_and_nothing_counts_as_seen() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("e1", "1"), endpoint("e2", "1")],
        )
        .await;
    let before = bench.record("endpoints", "e1").await.unwrap();
    let open = |before| OpenRecords {
        connection: bench.connection,
        stream: stream("endpoints"),
        before,
        order: Order::Key,
        after: None,
        limit: 9,
    };
    let listed = bench.store.open_records(&open(None)).await.unwrap();
    let remaking = Remaking::begin(&bench, "endpoints", "map-2", 50).await;
    let ledger = remaking.all(other_model, None).await;
    assert_eq!((ledger.read, ledger.unchanged), (2, 2));
    assert_eq!(ledger.documents.assets_updated, 2);
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 2);
    assert_eq!(assets[0].body, json!({"other": {"id": "e1"}}));
    assert_eq!(assets[0].onboarding_source.as_deref(), Some("other.source"));
    assert_eq!(
        (assets[0].first_seen, assets[0].last_seen),
        (at(10), at(10))
    );
    assert_eq!(assets[0].created_by, Some(bench.connection));
    let after = bench.record("endpoints", "e1").await.unwrap();
    assert_eq!(record_as_seen(&after), record_as_seen(&before));
    assert_eq!(bench.store.open_records(&open(None)).await.unwrap(), listed);
    assert!(remaking.due().await.is_empty());
    let sync = bench.begin("endpoints", Mode::Full, 60).await;
    let mut sync = sync;
    sync.made_with = "map-2".to_owned();
    assert_eq!(
        bench.stands(&sync, &[("e1", "1")]).await,
        [Standing::Unchanged]
    );
}

#[tokio::test]
async fn an_asset_that_was_there_before_takes_on_values_and_loses_none() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    sqlx::query("UPDATE assets SET created_by = NULL")
        .execute(&bench.store.inner.writer)
        .await
        .unwrap();
    Remaking::begin(&bench, "endpoints", "map-2", 50)
        .await
        .all(other_model, None)
        .await;
    let assets = bench.assets().await;
    assert_eq!(
        assets[0].body,
        json!({"id": "e1", "version": "1", "other": {"id": "e1"}})
    );
    assert_eq!(assets[0].onboarding_source.as_deref(), Some("test.source"));
}

#[tokio::test]
async fn where_existing_assets_are_not_updated_another_map_writes_only_what_is_always_written() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let mut remaking = Remaking::begin(&bench, "endpoints", "map-2", 50).await;
    remaking.switches = switches(false, true);
    let fields: Map = |kept| {
        given(vec![asset(
            &kept.record.key,
            json!({"id": 7, "customFields": {"tags": ["a"]}}),
        )])
    };
    remaking.all(fields, None).await;
    assert_eq!(
        bench.assets().await[0].body,
        json!({"id": "e1", "version": "1", "customFields": {"tags": ["a"]}})
    );
}

/// An endpoint and its vulnerabilities: two records, one asset.
async fn two_feeders() -> Bench {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let documents = vec![
        asset("e1", json!({"cves": 1})),
        finding("f", Some("e1"), "low"),
    ];
    bench
        .full("vulnerabilities", 20, vec![entry("e1", "1", documents)])
        .await;
    bench
}

#[tokio::test]
async fn an_asset_that_two_records_feed_is_made_up_again_from_both_in_the_order_of_reading() {
    let bench = two_feeders().await;
    let map: Map = |kept| {
        let stream = kept.stream.as_str();
        given(vec![asset("e1", json!({"last": stream, stream: true}))])
    };
    for stream in ["vulnerabilities", "endpoints"] {
        let with = format!("map-2 {stream}");
        Remaking::begin(&bench, stream, &with, 50)
            .await
            .all(map, Some(map))
            .await;
        assert_eq!(
            bench.assets().await[0].body,
            json!({"last": "vulnerabilities", "endpoints": true, "vulnerabilities": true}),
            "{stream}"
        );
    }
}

#[tokio::test]
async fn an_asset_of_which_a_record_is_not_given_keeps_what_it_has() {
    let bench = two_feeders().await;
    for (stream, beside) in [
        ("endpoints", None),
        ("vulnerabilities", Some(reject as Map)),
    ] {
        let remaking = Remaking::begin(&bench, stream, "map-2", 50).await;
        remaking.all(other_model, beside).await;
        let body = bench.assets().await[0].body.clone();
        assert_eq!(
            body,
            json!({"id": "e1", "version": "1", "cves": 1, "other": {"id": "e1"}})
        );
    }
}
