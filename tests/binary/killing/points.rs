//! A sync killed at each named commit point, once for each data stream and type of sync.

use super::draw::Draw;
use super::state::State;
use super::tenant::{config, small, stir};
use super::victim::{SYNC, Victim};
use crate::runner::Runner;
use host_runner::domain::{Ledger, SyncId};
use host_runner::store::commit_point::CommitPoint;

/// The points that a sync comes by, in this order.
const POINTS: [CommitPoint; 17] = [
    CommitPoint::RunBegun,
    CommitPoint::SyncBegun,
    CommitPoint::StepBegun,
    CommitPoint::StepAssets,
    CommitPoint::StepFindings,
    CommitPoint::StepRecords,
    CommitPoint::StepQuarantine,
    CommitPoint::StepClosings,
    CommitPoint::StepSeen,
    CommitPoint::StepCheckpoint,
    CommitPoint::StepCommitted,
    CommitPoint::EndBegun,
    CommitPoint::EndClosings,
    CommitPoint::EndSync,
    CommitPoint::EndCheckpoint,
    CommitPoint::EndCommitted,
    CommitPoint::RunFinished,
];

const START_XQL: &str = "/public_api/v1/xql/start_xql_query";

/// A tenant that was synced once and has changed since.
async fn synced_and_changed() -> Runner {
    let runner = Runner::new(small(11)).await;
    runner
        .connect_with(config(), &["--skip-test"])
        .await
        .succeeded();
    runner.run(&SYNC).await.succeeded();
    let now = host_runner::domain::Clock::now(&host_runner::domain::SystemClock).as_i64();
    stir(&runner.simulator.tenant(), &mut Draw::new(12), now);
    runner
}

/// The account of the first sync that is not among the earlier ones.
fn first_new(state: &State, earlier: &State) -> Option<(SyncId, Ledger)> {
    let known = earlier.accounts();
    state
        .accounts()
        .into_iter()
        .find(|(sync, _)| !known.contains_key(sync))
        .map(|((_, sync), account)| (sync, account))
}

/// Whether the connector reads a data stream incrementally.
async fn reads_incrementally(runner: &Runner, stream: &str) -> bool {
    let inspected = runner.run(&["inspect", "--json"]).await.succeeded().json();
    let streams = inspected["manifest"]["dataStreams"].as_array().unwrap();
    let declared = streams.iter().find(|declared| declared["name"] == stream);
    declared.unwrap()["incremental"].as_bool().unwrap()
}

async fn killed_at_each_point(stream: &str, mode: &str) {
    let runner = synced_and_changed().await;
    if mode == "incremental" && !reads_incrementally(&runner, stream).await {
        let sync = [&SYNC[..], &["--stream", stream, "--mode", mode]].concat();
        let refused = runner.run(&sync).await;
        assert_eq!(refused.code, Some(3), "{refused:?}");
        return;
    }
    let log = runner.simulator.log();
    let sync = [&SYNC[..], &["--stream", stream, "--mode", mode]].concat();
    let base = Victim::of(&runner);
    let earlier = State::of(&base.held().await).await;

    let plain = base.copy();
    log.clear();
    plain.run(&sync).await.succeeded();
    let requests = log.total();
    let undisturbed = State::of(&plain.held().await).await;
    let steps = undisturbed.runs.last().unwrap().steps;
    let (_, account) = first_new(&undisturbed, &earlier).expect("a sync");
    assert!(steps > 0 && account.read > 0, "{account:?}");
    // Behind the first step where there is a second, so that there is something to go on from.
    let times = u32::try_from(steps.min(2)).unwrap();

    for point in POINTS {
        let in_a_step = point.name().starts_with("step-");
        let victim = base.copy();
        log.clear();
        victim
            .dies_at(point, if in_a_step { times } else { 1 }, &sync)
            .await;
        let queries = log.count(START_XQL);
        log.clear();
        let killed = State::of(&victim.held().await).await;
        let committed = killed.runs.last().unwrap().steps;
        victim.run(&sync).await.succeeded();
        let again = log.total();

        let state = State::of(&victim.held().await).await;
        let told = state.differences(&undisturbed);
        assert!(told.is_empty(), "{stream}, {mode}, {point}: {told:#?}");
        state.expect_told_runs();
        let (_, read) = first_new(&state, &earlier).expect("a sync");
        assert_eq!(
            read, account,
            "{stream}, {mode}, {point}: what its runs read together"
        );

        let ended = matches!(point, CommitPoint::EndCommitted | CommitPoint::RunFinished);
        if !ended {
            assert!(
                again + committed.saturating_sub(1) <= requests,
                "{stream}, {mode}, {point}: {again} requests after {committed} steps, {requests} undisturbed"
            );
            if stream == "vulnerabilities" && committed > 0 {
                assert_eq!(
                    queries + log.count(START_XQL),
                    1,
                    "{mode}, {point}: XQL queries"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_of_endpoints_killed_at_any_commit_point_ends_as_if_it_had_not_been() {
    killed_at_each_point("endpoints", "full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_of_alerts_killed_at_any_commit_point_ends_as_if_it_had_not_been() {
    killed_at_each_point("alerts", "full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_of_vulnerabilities_killed_at_any_commit_point_ends_as_if_it_had_not_been_and_starts_no_second_query()
 {
    killed_at_each_point("vulnerabilities", "full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_sync_of_endpoints_killed_at_any_commit_point_ends_as_if_it_had_not_been() {
    killed_at_each_point("endpoints", "incremental").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_sync_of_alerts_killed_at_any_commit_point_ends_as_if_it_had_not_been() {
    killed_at_each_point("alerts", "incremental").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_sync_of_vulnerabilities_killed_at_any_commit_point_ends_as_if_it_had_not_been_and_starts_no_second_query()
 {
    killed_at_each_point("vulnerabilities", "incremental").await;
}
