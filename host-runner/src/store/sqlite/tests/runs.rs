//! Runs, and that only one works on a connection at a time.

use std::process::{Command, Stdio};

use serde_json::json;

use super::support::*;
use crate::domain::{Mode, RunId, RunState};
use crate::store::sqlite::Stores;
use crate::store::*;

#[tokio::test]
async fn a_run_is_kept_with_its_counts_and_how_it_ended() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    bench.put(&sync, vec![endpoint("e1", "1")]).await;
    bench.end(&sync).await;
    let end = RunEnd {
        state: RunState::Processed,
        now: at(20),
        calls: json!({"get_endpoint": {"count": 1}}),
        fault: None,
        conduct: Conduct::Sound,
        warnings: vec!["a tag that no endpoint bears".to_owned()],
        peak_memory: Some(1 << 20),
        details: json!({"mapHash": "abc"}),
    };
    bench.store.finish_run(sync.run, &end).await.unwrap();
    let run = bench.store.run(sync.run).await.unwrap();
    assert_eq!(
        (run.state, run.ended_at, run.steps),
        (RunState::Processed, Some(at(20)), 1)
    );
    assert_eq!(
        (run.sync, run.resumed, run.ledger.new),
        (Some(sync.sync), false, 1)
    );
    assert_eq!(
        (run.calls, run.warnings, run.peak_memory, run.details),
        (end.calls, end.warnings, end.peak_memory, end.details)
    );
    assert!(matches!(
        bench.store.finish_run(RunId(99), &bench_end()).await,
        Err(StoreError::NoSuchRun { .. })
    ));
    assert!(matches!(
        bench.store.run(RunId(99)).await,
        Err(StoreError::NoSuchRun { .. })
    ));
}

fn bench_end() -> RunEnd {
    RunEnd {
        state: RunState::Failed,
        now: at(1),
        calls: json!({}),
        fault: None,
        conduct: Conduct::Silent,
        warnings: vec![],
        peak_memory: None,
        details: json!(null),
    }
}

#[tokio::test]
async fn runs_are_listed_newest_first_by_connection_and_stream() {
    let bench = Bench::new().await;
    for name in ["endpoints", "alerts", "endpoints"] {
        bench.begin(name, Mode::Full, 10).await;
    }
    let filter = RunFilter {
        syncs_only: false,
        connection: Some(bench.connection),
        stream: Some(stream("endpoints")),
        limit: None,
    };
    let runs = bench.store.runs(&filter).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id.0).collect::<Vec<_>>(), [3, 1]);
    let limited = RunFilter {
        limit: Some(1),
        ..RunFilter::default()
    };
    assert_eq!(bench.store.runs(&limited).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_lock_is_refused_with_the_holder_until_the_first_is_dropped() {
    let bench = Bench::new().await;
    let lock = bench.store.lock(bench.connection, at(42)).await.unwrap();
    let other = Stores::new(bench.folder.path())
        .open(&tenant())
        .await
        .unwrap();
    match other.lock(bench.connection, at(50)).await {
        Err(StoreError::Busy {
            since,
            pid,
            connection,
        }) => {
            assert_eq!((since, pid), (at(42), std::process::id()));
            assert_eq!(connection, "\"prod\"");
        }
        other => panic!("{other:?}"),
    }
    let busy = other.remove_connection(bench.connection, Purge::Data).await;
    assert!(matches!(busy, Err(StoreError::Busy { .. })));
    assert!(matches!(
        Stores::new(bench.folder.path()).purge(&tenant()),
        Err(StoreError::Busy { .. })
    ));
    drop(lock);
    other
        .lock(bench.connection, at(60))
        .await
        .map(drop)
        .unwrap();
}

#[tokio::test]
async fn a_run_that_a_killed_process_left_is_marked_interrupted_when_the_lock_is_taken() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    let mut late = sync.clone();
    late.now = at(15);
    bench.put(&late, vec![]).await;
    let _lock = bench.store.lock(bench.connection, at(20)).await.unwrap();
    let run = bench.store.run(sync.run).await.unwrap();
    assert_eq!((run.state, run.ended_at), (RunState::Failed, Some(at(15))));
    assert_eq!(run.fault.unwrap()["cause"], "interrupted");
}

/// Set for the child process of the test below: the file that it is to lock.
const LOCK: &str = "HOST_RUNNER_TEST_LOCK";

#[test]
fn a_lock_of_a_killed_process_is_recovered() {
    if let Some(folder) = std::env::var_os(LOCK) {
        let _lock =
            crate::store::lock::take(folder.as_ref(), crate::domain::ConnectionId(1), at(42))
                .unwrap();
        println!("locked");
        // Until it is killed, or its parent is gone.
        let _ = std::io::stdin().read_line(&mut String::new());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["a_lock_of_a_killed_process_is_recovered", "--nocapture"])
        .env(LOCK, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("locked")));
    let take = || crate::store::lock::take(folder.path(), crate::domain::ConnectionId(1), at(50));
    match take() {
        Err(StoreError::Busy { since, pid, .. }) => assert_eq!((since, pid), (at(42), child.id())),
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    take().map(drop).unwrap();
}
