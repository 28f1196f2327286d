//! Documents that are made anew, killed at each point on the way: the next command ends as if nothing had been.

use super::state::State;
use super::tenant::{config, small};
use super::victim::{SYNC, Victim};
use crate::runner::Runner;
use host_runner::domain::{Mode, RunState};
use host_runner::store::commit_point::CommitPoint;

const UPDATE: [&str; 8] = [
    "update",
    "xdr",
    "--tenant",
    "acme",
    "--map",
    "qualys-etm",
    "--skip-test",
    "--json",
];

/// The points that it comes by, from the one where the change is saved and nothing is made anew yet.
const POINTS: [(CommitPoint, u32); 9] = [
    (CommitPoint::ConnectionCommitted, 1),
    (CommitPoint::RunBegun, 1),
    (CommitPoint::RunBegun, 2),
    (CommitPoint::RemakeBegun, 1),
    (CommitPoint::RemakeAssets, 2),
    (CommitPoint::RemakeFindings, 3),
    (CommitPoint::RemakeRecords, 2),
    (CommitPoint::RemakeCommitted, 2),
    (CommitPoint::RunFinished, 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn documents_made_anew_and_killed_at_any_point_are_all_made_anew_before_the_next_request() {
    let runner = Runner::new(small(21)).await;
    runner
        .connect_with(config(), &["--skip-test"])
        .await
        .succeeded();
    runner.run(&SYNC).await.succeeded();
    let base = Victim::of(&runner);

    let plain = base.copy();
    base.log().clear();
    let updated = plain.run(&UPDATE).await.succeeded().json();
    assert_eq!(base.log().total(), 0);
    let remade = updated["remade"].as_array().unwrap().clone();
    assert_eq!(remade.len(), 3, "{remade:#?}");
    let undisturbed = State::of(&plain.held().await).await;

    // Begun again by the next command that may: here by the same one.
    for (point, times) in POINTS {
        let victim = base.copy();
        victim.dies_at(point, times, &UPDATE).await;
        base.log().clear();
        victim.run(&UPDATE).await.succeeded();
        assert_eq!(base.log().total(), 0, "{point}");
        let state = State::of(&victim.held().await).await;
        let told = state.differences(&undisturbed);
        assert!(told.is_empty(), "{point}: {told:#?}");
        for run in state.runs.iter().filter(|run| run.mode == Mode::Remake) {
            let ended = matches!(run.state, RunState::Processed | RunState::Failed);
            assert!(ended && run.ledger.adds_up(), "{run:?}");
        }
    }

    // Or by a sync, before it reads.
    let victim = base.copy();
    victim
        .dies_at(CommitPoint::RemakeCommitted, 1, &UPDATE)
        .await;
    let synced = victim.run(&SYNC).await.succeeded().json();
    assert!(!synced["remade"].as_array().unwrap().is_empty());
    for run in synced["runs"].as_array().unwrap() {
        assert_eq!(run["mode"], "incremental", "{run}");
    }
    let synced = plain.run(&SYNC).await.succeeded().json();
    assert_eq!(synced["remade"].as_array().unwrap().len(), 0);
    let told = State::of(&victim.held().await)
        .await
        .differences(&State::of(&plain.held().await).await);
    assert!(told.is_empty(), "{told:#?}");
}
