//! When a connection is set aside, and what lets it run again.

use serde_json::json;

use super::support::*;
use crate::domain::{ConnectionId, Mode, RunState};
use crate::store::*;

const S: Conduct = Conduct::Sound;
const B: Conduct = Conduct::Broken;
const N: Conduct = Conduct::Silent;

/// One run of a data stream; whether it set the connection aside.
async fn run_of(bench: &Bench, on: &str, now: u64, conduct: Conduct) -> Option<SetAside> {
    let run = NewRun {
        connection: bench.connection,
        stream: stream(on),
        mode: Mode::Full,
        map: None,
        reason: String::new(),
        now: at(now),
    };
    let run = bench.store.begin_run(&run).await.unwrap();
    let end = RunEnd {
        state: if conduct == S {
            RunState::Processed
        } else {
            RunState::Failed
        },
        now: at(now + 1),
        calls: json!({}),
        fault: (conduct != S).then(|| json!({"message": format!("trap at {now}")})),
        conduct,
        warnings: vec![],
        peak_memory: None,
        details: json!(null),
    };
    let set_aside = bench.store.finish_run(run, &end).await.unwrap();
    if let Some(set_aside) = &set_aside {
        assert_eq!((set_aside.run, set_aside.at), (run, at(now + 1)));
    }
    set_aside
}

async fn runs(bench: &Bench, conducts: &[Conduct]) -> bool {
    let mut last = None;
    for (now, conduct) in (0..).zip(conducts) {
        assert!(last.is_none(), "set aside too early: {conducts:?}");
        last = run_of(bench, "alerts", now, *conduct).await;
    }
    assert_eq!(last.is_some(), is_set_aside(bench).await);
    last.is_some()
}

async fn saved(bench: &Bench) -> Connection {
    let name = "prod".parse().unwrap();
    bench.store.connection(&name).await.unwrap()
}

async fn is_set_aside(bench: &Bench) -> bool {
    let alone = saved(bench).await.set_aside;
    assert_eq!(bench.store.connections().await.unwrap()[0].set_aside, alone);
    alone.is_some()
}

#[tokio::test]
async fn three_runs_in_a_row_that_the_component_ended_set_it_aside_and_no_fewer() {
    for (conducts, expected) in [
        (&[B, B, B][..], true),
        (&[B, B], false),
        (&[B, B, S, B], false),
        (&[B, B, S, B, B, B], true),
        (&[B, N, B, N, N, B], true),
        (&[N, N, N, N], false),
        (&[S, B, B, N], false),
    ] {
        let bench = Bench::new().await;
        assert_eq!(runs(&bench, conducts).await, expected, "{conducts:?}");
    }
}

#[tokio::test]
async fn why_and_since_when_and_by_which_run_is_kept_with_the_connection() {
    let bench = Bench::new().await;
    assert!(runs(&bench, &[B, B, B]).await);
    let set_aside = saved(&bench).await.set_aside.unwrap();
    assert_eq!(set_aside.in_a_row, IN_A_ROW);
    assert_eq!(set_aside.at, at(3));
    assert_eq!(
        set_aside.to_string(),
        format!(
            "its component ended 3 runs in a row, the last (run {}) with: trap at 2",
            set_aside.run
        )
    );
}

#[tokio::test]
async fn a_data_stream_that_breaks_each_time_counts_beside_others_that_end_well() {
    let bench = Bench::new().await;
    for now in 0..3 {
        assert!(run_of(&bench, "endpoints", now * 10, S).await.is_none());
        let broken = run_of(&bench, "alerts", now * 10 + 5, B).await;
        assert_eq!(broken.is_some(), now == 2);
    }
}

#[tokio::test]
async fn runs_of_several_data_streams_are_runs_in_a_row_of_their_connection() {
    let bench = Bench::new().await;
    assert!(run_of(&bench, "endpoints", 0, B).await.is_none());
    assert!(run_of(&bench, "alerts", 1, B).await.is_none());
    assert!(run_of(&bench, "vulnerabilities", 2, B).await.is_some());
}

#[tokio::test]
async fn another_connection_is_not_set_aside_with_it() {
    let bench = Bench::new().await;
    let other = bench
        .store
        .create_connection(&connection("other"), no_secrets)
        .await
        .unwrap();
    let beside = Bench {
        connection: other.id,
        store: bench.store.clone(),
        folder: tempfile::tempdir().unwrap(),
    };
    assert!(run_of(&bench, "alerts", 0, B).await.is_none());
    assert!(run_of(&beside, "alerts", 1, B).await.is_none());
    assert!(run_of(&bench, "alerts", 2, B).await.is_none());
    assert!(run_of(&bench, "alerts", 3, B).await.is_some());
    assert!(run_of(&beside, "alerts", 4, B).await.is_none());
    let name = "other".parse().unwrap();
    assert_eq!(bench.store.connection(&name).await.unwrap().set_aside, None);
}

#[tokio::test]
async fn a_reinstated_connection_has_three_runs_again() {
    let bench = Bench::new().await;
    assert!(!bench.store.reinstate(bench.connection).await.unwrap());
    assert!(runs(&bench, &[B, B, B]).await);
    assert!(bench.store.reinstate(bench.connection).await.unwrap());
    assert!(!is_set_aside(&bench).await);
    assert!(runs(&bench, &[B, B, B]).await);
    assert!(matches!(
        bench.store.reinstate(ConnectionId(99)).await,
        Err(StoreError::ConnectionGone(_))
    ));
}

#[tokio::test]
async fn another_build_lets_it_run_again_and_another_description_does_not() {
    let bench = Bench::new().await;
    assert!(runs(&bench, &[B, B, B]).await);
    let mut changed = saved(&bench).await;
    changed.description = "looked at by nobody".to_owned();
    // Whatever the caller thinks of it: it may have been set aside since it was read.
    changed.set_aside = None;
    bench.store.update_connection(&changed, &[]).await.unwrap();
    assert!(is_set_aside(&bench).await);
    changed.component.sha256 = "f".repeat(64);
    bench.store.update_connection(&changed, &[]).await.unwrap();
    assert!(!is_set_aside(&bench).await);
    assert!(runs(&bench, &[B, B, B]).await);
}

#[tokio::test]
async fn a_connection_that_is_connected_again_is_not_set_aside_any_more() {
    for purge in [Purge::KeepData, Purge::Data] {
        let mut bench = Bench::new().await;
        assert!(runs(&bench, &[B, B, B]).await);
        let removed = bench.store.remove_connection(bench.connection, purge);
        removed.await.unwrap();
        let again = bench
            .store
            .create_connection(&connection("prod"), no_secrets)
            .await
            .unwrap();
        bench.connection = again.id;
        assert!(!is_set_aside(&bench).await, "{purge:?}");
        assert!(!runs(&bench, &[B, B]).await, "{purge:?}");
    }
}

#[tokio::test]
async fn a_killed_process_is_not_the_components_doing() {
    let bench = Bench::new().await;
    assert!(!runs(&bench, &[B, B]).await);
    for now in 10..14 {
        let sync = bench.begin("alerts", Mode::Full, now).await;
        // The process ended; the next one takes the lock.
        drop(bench.store.lock(bench.connection, at(now)).await.unwrap());
        let run = bench.store.run(sync.run).await.unwrap();
        assert_eq!(run.state, RunState::Failed);
    }
    assert!(!is_set_aside(&bench).await);
    assert!(run_of(&bench, "alerts", 20, B).await.is_some());
}
