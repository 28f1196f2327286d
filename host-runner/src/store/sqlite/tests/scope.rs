//! What the configuration leaves out is kept, hidden, not closed, and comes back.

use super::support::*;
use crate::domain::Mode;
use crate::store::*;
use serde_json::json;

const FIRST: &str = "source=a,b";
const OTHER: &str = "source=a";

async fn whole(bench: &Bench, scope: &str, now: u64, entries: Vec<Entry>) -> EndReport {
    let sync = bench.begin_scoped("alerts", Mode::Full, now, scope).await;
    bench.put(&sync, entries).await;
    bench.end(&sync).await
}

async fn incomplete(bench: &Bench, scope: &str, now: u64, entries: Vec<Entry>) {
    let sync = bench.begin_scoped("alerts", Mode::Full, now, scope).await;
    bench.put(&sync, entries).await;
    let end = EndCommit {
        coverage: Coverage::Incomplete {
            reasons: vec!["a page was short".to_owned()],
        },
        ..bench.ending(&sync)
    };
    bench.store.commit_end(&end).await.unwrap();
}

async fn state(bench: &Bench, key: &str) -> RecordState {
    bench.record("alerts", key).await.unwrap().state
}

/// Two alerts on an endpoint, read under the first scope.
async fn with_two() -> Bench {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    whole(
        &bench,
        FIRST,
        20,
        vec![alert("a0", "e1"), alert("a1", "e1")],
    )
    .await;
    bench
}

#[tokio::test]
async fn what_a_change_of_scope_left_out_stays_so_in_the_next_full_sync() {
    let bench = with_two().await;
    for now in [30, 40] {
        let entries = vec![unchanged("a0", "1")];
        whole(&bench, OTHER, now, entries).await;
        assert_eq!(state(&bench, "a1").await, RecordState::OutOfScope, "{now}");
        assert_eq!(bench.findings().await[1].state, FindingState::OutOfScope);
    }
    // The scope widens: it is there again, and was never closed.
    let report = whole(
        &bench,
        FIRST,
        50,
        vec![unchanged("a0", "1"), alert("a1", "e1")],
    )
    .await;
    assert_eq!(report.ledger.removed, 0);
    let finding = &bench.findings().await[1];
    assert_eq!(
        (finding.state, finding.first_seen, finding.reopened_at),
        (FindingState::Open, at(20), None)
    );
}

#[tokio::test]
async fn an_incomplete_full_sync_in_between_does_not_make_the_left_out_look_gone() {
    let bench = with_two().await;
    incomplete(&bench, OTHER, 30, vec![unchanged("a0", "1")]).await;
    assert_eq!(state(&bench, "a1").await, RecordState::Open);
    whole(&bench, OTHER, 40, vec![unchanged("a0", "1")]).await;
    assert_eq!(state(&bench, "a1").await, RecordState::OutOfScope);
}

#[tokio::test]
async fn what_only_an_incomplete_sync_of_a_wider_scope_saw_is_out_of_scope_not_gone() {
    let bench = Bench::new().await;
    whole(&bench, OTHER, 20, vec![alert("a0", "e1")]).await;
    incomplete(
        &bench,
        FIRST,
        30,
        vec![unchanged("a0", "1"), alert("a1", "e1")],
    )
    .await;
    // Back to the narrow one.
    whole(&bench, OTHER, 40, vec![unchanged("a0", "1")]).await;
    assert_eq!(state(&bench, "a1").await, RecordState::OutOfScope);
    // From here on that scope alone was read: what is missing is gone.
    whole(&bench, OTHER, 50, vec![]).await;
    assert_eq!(state(&bench, "a0").await, RecordState::Closed);
    assert_eq!(state(&bench, "a1").await, RecordState::OutOfScope);
}

#[tokio::test]
async fn what_is_withheld_after_a_change_of_scope_is_out_of_scope_once_confirmed() {
    let bench = with_two().await;
    let guard = RemovalGuard {
        at_least: 1,
        ..RemovalGuard::default()
    };
    for (now, confirmed) in [(30, false), (40, true)] {
        let sync = bench.begin_scoped("alerts", Mode::Full, now, OTHER).await;
        bench.put(&sync, vec![unchanged("a0", "1")]).await;
        let mut end = bench.ending(&sync);
        end.guard = RemovalGuard {
            confirmed,
            ..guard.clone()
        };
        let verdict = bench.store.commit_end(&end).await.unwrap().verdict;
        if confirmed {
            let expected = Verdict::Complete {
                removed: 1,
                unseen: Unseen::OutOfScope,
            };
            assert_eq!(verdict, expected);
        } else {
            assert!(matches!(verdict, Verdict::Withheld { .. }), "{verdict:?}");
        }
    }
    assert_eq!(state(&bench, "a1").await, RecordState::OutOfScope);
}

#[tokio::test]
async fn what_a_replaced_key_does_not_see_is_withheld_and_then_out_of_scope() {
    let bench = with_two().await;
    let guard = RemovalGuard {
        hold: Some("the key was replaced".to_owned()),
        ..RemovalGuard::default()
    };
    let sync = bench.begin_scoped("alerts", Mode::Full, 30, FIRST).await;
    bench.put(&sync, vec![unchanged("a0", "1")]).await;
    let mut end = bench.ending(&sync);
    end.guard = guard.clone();
    let Verdict::Withheld { reason, preview } = bench.store.commit_end(&end).await.unwrap().verdict
    else {
        panic!("it was not withheld");
    };
    assert_eq!(reason, "the key was replaced");
    assert_eq!(
        (
            preview.held,
            preview.unseen,
            preview.findings,
            preview.would_be
        ),
        (2, 1, 1, Unseen::OutOfScope)
    );
    let seen = UnseenRecord {
        key: "a1".to_owned(),
        host: Some("host-e1".to_owned()),
        title: Some("finding a1".to_owned()),
    };
    assert_eq!(preview.sample, [seen]);

    let sync = bench.begin_scoped("alerts", Mode::Full, 40, FIRST).await;
    bench.put(&sync, vec![unchanged("a0", "1")]).await;
    let mut end = bench.ending(&sync);
    end.guard = RemovalGuard {
        confirmed: true,
        ..guard
    };
    bench.store.commit_end(&end).await.unwrap();
    let finding = &bench.findings().await[1];
    assert_eq!(finding.state, FindingState::OutOfScope);
    let evidence = finding.evidence.as_ref().unwrap();
    assert_eq!(
        evidence.closing,
        Closing::OutOfScope("permissions".to_owned())
    );
}

#[tokio::test]
async fn an_endpoints_removal_is_previewed_with_the_findings_on_its_asset() {
    let bench = with_two().await;
    let sync = bench.begin("endpoints", Mode::Full, 30).await;
    let preview = bench
        .store
        .preview_removal(sync.sync, &RemovalGuard::default())
        .await
        .unwrap();
    assert_eq!((preview.unseen, preview.findings), (1, 2));
    assert_eq!(preview.sample[0].host.as_deref(), Some("host-e1"));
}

async fn choose(bench: &Bench, streams: &[&str], now: u64) {
    let mut connections = bench.store.connections().await.unwrap();
    let mut connection = connections.remove(0);
    connection.data_streams = streams.iter().map(|name| stream(name)).collect();
    connection.updated_at = at(now);
    bench
        .store
        .update_connection(&connection, &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_data_stream_that_is_not_chosen_any_more_is_out_of_scope_at_once_and_comes_back() {
    let bench = with_two().await;
    let running = bench.begin_scoped("alerts", Mode::Full, 25, FIRST).await;
    choose(&bench, &["endpoints"], 30).await;
    assert_eq!(state(&bench, "a0").await, RecordState::OutOfScope);
    let findings = bench.findings().await;
    for finding in &findings {
        assert_eq!(finding.state, FindingState::OutOfScope);
        let evidence = finding.evidence.as_ref().unwrap();
        let filter = Closing::OutOfScope("dataStreams".to_owned());
        assert_eq!((&evidence.closing, evidence.run), (&filter, None));
    }
    assert_eq!(bench.assets().await[0].state, AssetState::Active);
    let shown = FindingFilter::default();
    let shown: Vec<_> = futures_util::TryStreamExt::try_collect(bench.store.findings(&shown))
        .await
        .unwrap();
    assert!(shown.is_empty(), "{shown:?}");
    // The same again changes nothing.
    choose(&bench, &["endpoints"], 31).await;
    assert_eq!(bench.findings().await, findings);

    // Chosen again: what was interrupted is not gone on with, and only a full sync brings all back.
    choose(&bench, &["endpoints", "alerts"], 40).await;
    let history = bench
        .store
        .sync_history(bench.connection, &stream("alerts"))
        .await
        .unwrap();
    assert_eq!(history.interrupted_full, None);
    assert!(history.scopes.iter().any(|scope| scope != FIRST));
    let sync = bench.begin_scoped("alerts", Mode::Full, 50, FIRST).await;
    assert!(sync.sync > running.sync && sync.state.scope_changed);
    bench
        .put(&sync, vec![alert("a0", "e1"), alert("a1", "e1")])
        .await;
    bench.end(&sync).await;
    for finding in bench.findings().await {
        assert_eq!(
            (finding.state, finding.first_seen, finding.reopened_at),
            (FindingState::Open, at(20), None)
        );
    }
    let history = bench
        .store
        .sync_history(bench.connection, &stream("alerts"))
        .await
        .unwrap();
    assert_eq!(history.scopes, [FIRST]);
}

#[tokio::test]
async fn assets_of_a_data_stream_that_is_not_chosen_are_out_of_scope_with_what_is_on_them() {
    let bench = with_two().await;
    choose(&bench, &["alerts"], 30).await;
    assert_eq!(bench.assets().await[0].state, AssetState::OutOfScope);
    for finding in bench.findings().await {
        assert_eq!(finding.state, FindingState::OutOfScope);
    }
    choose(&bench, &["endpoints", "alerts"], 40).await;
    bench.full("endpoints", 50, vec![endpoint("e1", "1")]).await;
    assert_eq!(bench.assets().await[0].state, AssetState::Active);
    for finding in bench.findings().await {
        assert_eq!(
            (finding.state, finding.reopened_at),
            (FindingState::Open, None)
        );
    }
}

#[tokio::test]
async fn an_asset_that_is_out_of_scope_does_not_say_that_it_was_closed() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    let mut document = asset("e1", json!({}));
    document.placeholders = vec![Placeholder {
        pointer: "/closed".to_owned(),
        value: Lifecycle::ClosedAt,
        format: "epoch-ms".to_owned(),
    }];
    bench
        .put(&sync, vec![entry("e1", "1", vec![document])])
        .await;
    for (closing, closed) in [
        (Closing::OutOfScope("tags".to_owned()), json!({})),
        (Closing::Deleted, json!({"closed": 10})),
    ] {
        bench.close(&sync, vec![closure("e1", closing)]).await;
        assert_eq!(bench.assets().await[0].body, closed);
    }
}
