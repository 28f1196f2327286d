//! Interrupted syncs, and that a step is there whole or not at all.

use super::support::*;
use crate::domain::{Ledger, Mode};
use crate::store::sqlite::Stores;
use crate::store::*;

#[tokio::test]
async fn an_interrupted_sync_goes_on_with_its_id_checkpoint_and_counts() {
    let bench = Bench::new().await;
    let first = bench.begin("endpoints", Mode::Full, 10).await;
    assert_eq!(
        (first.state.resumed, first.state.checkpoint.clone()),
        (false, None)
    );
    bench.put(&first, vec![endpoint("e1", "1")]).await;
    // The process dies; another opens the file.
    let store = Stores::new(bench.folder.path())
        .open(&tenant())
        .await
        .unwrap();
    let bench = Bench { store, ..bench };
    let second = bench.begin("endpoints", Mode::Full, 20).await;
    assert_eq!(second.sync, first.sync);
    assert!(second.state.resumed);
    assert_eq!(second.state.started_at, at(10));
    assert_eq!(
        second.state.checkpoint.as_deref(),
        Some(&b"{\"page\":1}"[..])
    );
    assert_eq!(second.state.ledger.new, 1);
    bench.put(&second, vec![endpoint("e2", "1")]).await;
    // What its first run saw counts as seen.
    let report = bench.end(&second).await;
    assert_eq!(report.ledger.removed, 0);
    assert_eq!(bench.store.run(second.run).await.unwrap().ledger.read, 1);
}

#[tokio::test]
async fn a_sync_of_another_scope_or_begun_anew_does_not_go_on_with_an_interrupted_one() {
    let bench = Bench::new().await;
    let first = bench.begin("endpoints", Mode::Full, 10).await;
    bench.put(&first, vec![endpoint("e1", "1")]).await;
    let second = bench
        .begin_scoped("endpoints", Mode::Full, 20, "narrower")
        .await;
    assert!(second.sync > first.sync);
    assert_eq!(second.state.checkpoint, None);
    let step = bench.step(&first, vec![]);
    assert!(matches!(
        bench.store.commit_step(step).await,
        Err(StoreError::NoSuchSync(_))
    ));
    bench.store.abandon_sync(second.sync).await.unwrap();
    let third = bench
        .begin_scoped("endpoints", Mode::Full, 30, "narrower")
        .await;
    assert!(third.sync > second.sync && !third.state.resumed);
}

#[tokio::test]
async fn an_incremental_sync_begins_where_the_last_sync_ended() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let history = bench
        .store
        .sync_history(bench.connection, &stream("endpoints"))
        .await
        .unwrap();
    assert!(history.has_incremental_checkpoint);
    assert_eq!(history.last_complete_full.unwrap().ended_at, at(10));
    let sync = bench.begin("endpoints", Mode::Incremental, 20).await;
    assert_eq!(
        sync.state.checkpoint.as_deref(),
        Some(&b"{\"since\":1}"[..])
    );
    // A full one that begins meanwhile reads anew, and its end supersedes the interrupted one.
    bench.put(&sync, vec![]).await;
    let full = bench.begin("endpoints", Mode::Full, 30).await;
    assert!(!full.state.resumed);
    assert_eq!(
        bench
            .store
            .sync_history(bench.connection, &stream("endpoints"))
            .await
            .unwrap()
            .interrupted_full,
        Some((at(30), "all".to_owned()))
    );
    bench.put(&full, vec![unchanged("e1", "1")]).await;
    bench.end(&full).await;
    let sync = bench.begin("endpoints", Mode::Incremental, 40).await;
    assert!(!sync.state.resumed);
}

#[tokio::test]
async fn a_full_sync_that_begins_anew_gets_the_end_of_the_last_one_of_its_scope_unless_it_is_a_restart()
 {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let full = bench.begin("endpoints", Mode::Full, 20).await;
    assert!(!full.state.resumed);
    let finished = Some(&b"{\"since\":1}"[..]);
    assert_eq!(full.state.checkpoint.as_deref(), finished);
    // It was killed before its first step.
    let again = bench.begin("endpoints", Mode::Full, 30).await;
    assert_eq!(
        (again.state.resumed, again.state.checkpoint.as_deref()),
        (true, finished)
    );
    let restart = BeginSync {
        run: again.run,
        connection: bench.connection,
        stream: stream("endpoints"),
        mode: Mode::Full,
        scope: "all".to_owned(),
        restart: true,
        now: at(40),
    };
    let restarted = bench.store.begin_or_resume_sync(&restart).await.unwrap();
    assert_eq!(restarted.checkpoint, None);
    let other = bench
        .begin_scoped("endpoints", Mode::Full, 50, "narrower")
        .await;
    assert_eq!(other.state.checkpoint, None);
}

#[tokio::test]
async fn what_an_incremental_sync_saw_after_a_full_one_began_is_not_removed_by_it() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("e1", "1"), endpoint("e2", "1")],
        )
        .await;
    let full = bench.begin("endpoints", Mode::Full, 20).await;
    bench.put(&full, vec![unchanged("e1", "1")]).await;
    let incremental = bench.begin("endpoints", Mode::Incremental, 30).await;
    bench.put(&incremental, vec![unchanged("e2", "1")]).await;
    bench.end(&incremental).await;
    let full = bench.begin("endpoints", Mode::Full, 40).await;
    assert!(full.state.resumed);
    assert_eq!(bench.end(&full).await.ledger.removed, 0);
}

#[tokio::test]
async fn a_commit_dropped_at_any_moment_leaves_all_or_nothing() {
    let bench = Bench::new().await;
    bench.full("alerts", 5, vec![alert("a1", "e1")]).await;
    let mut polls = 0;
    let whole = loop {
        let sync = bench.begin("endpoints", Mode::Full, 10).await;
        let step = bench.step(&sync, vec![endpoint("e1", "1"), endpoint("e2", "1")]);
        let mut commit = Box::pin(bench.store.commit_step(step));
        // Polled so often and then dropped, as a killed run would be.
        let mut left = polls;
        let done = std::future::poll_fn(|cx| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            commit.as_mut().poll(cx).map(Some)
        })
        .await;
        drop(commit);
        // What was under way is done, or undone, before the next writer has its turn.
        drop(bench.store.begin().await.unwrap());
        let assets = bench.assets().await.len();
        let records = [
            bench.record("endpoints", "e1").await,
            bench.record("endpoints", "e2").await,
        ];
        let records = records.iter().flatten().count();
        let attached = bench
            .findings()
            .await
            .iter()
            .filter(|finding| finding.asset.is_some())
            .count();
        let state = bench.begin("endpoints", Mode::Full, 10).await.state;
        let checkpoints = usize::from(state.checkpoint.is_some());
        assert!(
            matches!(
                (assets, records, attached, checkpoints),
                (0, 0, 0, 0) | (2, 2, 1, 1)
            ),
            "{assets} assets, {records} records, {attached} attached, {checkpoints} checkpoints after {polls} polls"
        );
        if done.is_some() || assets == 2 {
            break assets;
        }
        polls += 1;
    };
    assert_eq!(whole, 2);
    let sync = bench.begin("endpoints", Mode::Full, 20).await;
    let ledger: Ledger = bench
        .put(&sync, vec![endpoint("e1", "1"), endpoint("e2", "1")])
        .await;
    assert_eq!(ledger.new + ledger.duplicate, 2);
    assert_eq!(bench.assets().await.len(), 2);
}
