//! Findings in another form.

use super::*;

#[tokio::test]
async fn findings_take_on_the_new_form_and_what_is_given_no_more_is_out_of_scope_and_not_closed() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let both = vec![
        finding("a1", Some("e1"), "low"),
        finding("a1-more", Some("e1"), "low"),
    ];
    bench.full("alerts", 20, vec![entry("a1", "1", both)]).await;
    let remaking = Remaking::begin(&bench, "alerts", "map-2", 50).await;
    let ledger = remaking.all(other_finding, None).await;
    assert_eq!(
        (
            ledger.documents.findings_changed,
            ledger.documents.findings_closed,
            ledger.documents.findings_out_of_scope
        ),
        (1, 0, 1)
    );
    let findings = bench.findings().await;
    assert_eq!(findings[0].body, json!({"other": true}));
    assert_eq!(findings[0].severity, Severity::Critical);
    assert_eq!(
        (findings[0].first_seen, findings[0].last_seen),
        (at(20), at(20))
    );
    // Nothing was heard of it at its source, and so it is not closed.
    assert_eq!(findings[1].state, FindingState::OutOfScope);
    assert_eq!(findings[1].last_seen, at(20));
    let evidence = findings[1].evidence.clone().unwrap();
    assert_eq!(evidence.closing, Closing::OutOfScope("map".to_owned()));
    assert_eq!(
        evidence.word,
        "its record was made anew by another map and gives it no more"
    );
    assert_eq!(evidence.run, Some(remaking.run));
    // And back: it is open again, as it was first seen.
    let back: Map = |_| {
        given(vec![
            finding("a1", Some("e1"), "low"),
            finding("a1-more", Some("e1"), "low"),
        ])
    };
    Remaking::begin(&bench, "alerts", "map-1", 60)
        .await
        .all(back, None)
        .await;
    let findings = bench.findings().await;
    assert_eq!(findings[1].state, FindingState::Open);
    assert_eq!(findings[1].first_seen, at(20));
}

#[tokio::test]
async fn only_facets_changed_and_they_are_written_all_the_same() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
    let map: Map = |_| {
        let mut document = finding("a1", Some("e1"), "high");
        document.facets[1].1 = "low".to_owned();
        given(vec![document])
    };
    let remaking = Remaking::begin(&bench, "alerts", "map-2", 50).await;
    assert_eq!(remaking.all(map, None).await.documents.findings_changed, 1);
    assert_eq!(bench.findings().await[0].severity, Severity::Low);
}

#[tokio::test]
async fn what_is_closed_or_out_of_scope_takes_on_the_new_form_and_stays_as_it_stands() {
    for closing in [
        Closing::Resolved,
        Closing::Deleted,
        Closing::OutOfScope("status".to_owned()),
    ] {
        let bench = Bench::new().await;
        bench
            .full(
                "endpoints",
                10,
                vec![endpoint("e1", "1"), endpoint("e2", "1")],
            )
            .await;
        bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
        for (stream, key) in [("alerts", "a1"), ("endpoints", "e1")] {
            let sync = bench.begin(stream, Mode::Incremental, 30).await;
            bench
                .close(&sync, vec![closure(key, closing.clone())])
                .await;
            bench.end(&sync).await;
        }
        let record = bench.record("alerts", "a1").await.unwrap();
        let (finding, asset) = (
            bench.findings().await.remove(0),
            bench.assets().await.remove(0),
        );
        assert_ne!(asset.state, AssetState::Active);
        let ledger = Remaking::begin(&bench, "alerts", "map-2", 50)
            .await
            .all(other_finding, None)
            .await;
        assert_eq!((ledger.read, ledger.reopened), (1, 0));
        Remaking::begin(&bench, "endpoints", "map-2", 50)
            .await
            .all(other_model, None)
            .await;
        let after = bench.record("alerts", "a1").await.unwrap();
        assert_eq!(record_as_seen(&after), record_as_seen(&record));
        let now = bench.findings().await.remove(0);
        assert_eq!(now.body, json!({"other": true}), "{closing:?}");
        assert_eq!(now.severity, Severity::Critical);
        let stands = |finding: &Finding| {
            let at = (finding.first_seen, finding.last_seen, finding.closed_at);
            (finding.state, at, finding.evidence.clone(), finding.asset)
        };
        assert_eq!(stands(&now), stands(&finding));
        let now = bench.assets().await.remove(0);
        assert_eq!(now.body, json!({"other": {"id": "e1"}}), "{closing:?}");
        assert_eq!((now.state, now.closed_at), (asset.state, asset.closed_at));
    }
}

#[tokio::test]
async fn a_finding_that_left_with_its_asset_stays_closed_as_it_was() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("e1", "1"), endpoint("e2", "1")],
        )
        .await;
    bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
    let sync = bench.begin("endpoints", Mode::Incremental, 30).await;
    bench
        .close(&sync, vec![closure("e1", Closing::Deleted)])
        .await;
    bench.end(&sync).await;
    let before = bench.findings().await.remove(0);
    assert_eq!(before.state, FindingState::Closed);
    Remaking::begin(&bench, "alerts", "map-2", 50)
        .await
        .all(other_finding, None)
        .await;
    let after = bench.findings().await.remove(0);
    assert_eq!(after.body, json!({"other": true}));
    assert_eq!(
        (after.state, after.closed_at, after.evidence),
        (before.state, before.closed_at, before.evidence)
    );
}

/// A document in this form, that tells whether it is new or changed.
fn told(mut document: Document, form: &str) -> Document {
    document.body = json!({"form": form}).to_string().into_bytes();
    document.placeholders = vec![Placeholder {
        pointer: "/state".to_owned(),
        value: Lifecycle::State,
        format: json!({"new": "create", "changed": "update"}).to_string(),
    }];
    document
}

#[tokio::test]
async fn another_form_of_an_asset_or_finding_is_no_change_of_the_thing_itself() {
    let bench = Bench::new().await;
    let read = |fingerprint: &str, form: &str| {
        let documents = vec![
            told(asset("e1", json!({})), form),
            told(finding("f1", Some("e1"), "low"), form),
        ];
        vec![entry("e1", fingerprint, documents)]
    };
    bench.full("endpoints", 10, read("1", "one")).await;
    let other: Map = |_| {
        given(vec![
            told(asset("e1", json!({})), "two"),
            told(finding("f1", Some("e1"), "low"), "two"),
        ])
    };
    Remaking::begin(&bench, "endpoints", "map-2", 20)
        .await
        .all(other, None)
        .await;
    let created = json!({"form": "two", "state": "create"});
    assert_eq!(bench.assets().await[0].body, created);
    assert_eq!(bench.findings().await[0].body, created);

    bench.full("endpoints", 30, read("2", "three")).await;
    let updated = json!({"form": "three", "state": "update"});
    assert_eq!(bench.assets().await[0].body, updated);
    assert_eq!(bench.findings().await[0].body, updated);
}

#[tokio::test]
async fn an_asset_that_a_map_gives_no_more_is_out_of_scope_and_not_gone() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench.full("alerts", 20, vec![alert("a1", "e1")]).await;
    let nothing_of_it: Map = |_| given(vec![finding("f1", None, "low")]);
    Remaking::begin(&bench, "endpoints", "map-2", 30)
        .await
        .all(nothing_of_it, None)
        .await;
    let assets = bench.assets().await;
    assert_eq!(assets[0].state, AssetState::OutOfScope);
    let findings = bench.findings().await;
    let alert = findings.iter().find(|finding| finding.key == "a1").unwrap();
    assert_eq!(alert.state, FindingState::OutOfScope);
}
