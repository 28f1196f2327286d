//! Syncs killed at random moments, again and again, while the tenant changes between them.

use super::draw::Draw;
use super::state::State;
use super::tenant::{config, small, stir};
use super::victim::{Moment, SYNC, Victim};
use crate::runner::Runner;
use crate::truth::Truth;
use futures_util::StreamExt;
use host_runner::domain::{Clock, RunState, SyncId, SystemClock};
use std::collections::BTreeSet;
use std::time::Duration;

/// Kills of one sequence.
const KILLS: u64 = 30;

/// The seeds, unless `XDR_SEED` names one.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;

/// Kills between two changes of the tenant.
const IN_A_ROW: u64 = 6;

/// How long after a request a process may live on, in microseconds at most: into the commit behind it, and past all of them.
const LATER: [u64; 4] = [1, 3_000, 30_000, 150_000];

/// Sequences at a time.
const AT_ONCE: usize = 4;

const START_XQL: &str = "/public_api/v1/xql/start_xql_query";

fn seeds() -> Vec<u64> {
    match std::env::var("XDR_SEED") {
        Ok(seed) => vec![seed.parse().expect("XDR_SEED is a number")],
        Err(_) => SEEDS.collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_killed_at_300_random_moments_end_as_if_they_had_not_been() {
    let all = futures_util::stream::iter(seeds()).map(|seed| async move {
        // Each in a task of its own, so that the seed of one that fails can be told.
        if tokio::spawn(sequence(seed)).await.is_err() {
            panic!("play it again: XDR_SEED={seed} cargo test -p host-runner --test binary killing::moments");
        }
    });
    all.buffer_unordered(AT_ONCE).collect::<()>().await;
}

async fn sequence(seed: u64) {
    let mut draw = Draw::new(seed);
    let runner = Runner::new(small(seed)).await;
    runner
        .connect_with(config(), &["--skip-test"])
        .await
        .succeeded();
    let (victim, twin) = (Victim::of(&runner), Victim::of(&runner));
    let log = runner.simulator.log();
    let full = [&SYNC[..], &["--mode", "full"]].concat();
    let (mut kills, mut queries) = (0, 0);
    let tenant = runner.simulator.tenant();
    let connection = victim.held().await.connection;
    let mut moments = vec![Truth::of(&tenant, &connection)];
    while kills < KILLS {
        if kills > 0 {
            stir(&tenant, &mut draw, SystemClock.now().as_i64());
            moments.push(Truth::of(&tenant, &connection));
        }
        let sync = match draw.below(3) {
            0 => &full[..],
            _ => &SYNC[..],
        };
        let before = log.total();
        twin.run(sync).await.succeeded();
        let requests = log.total() - before;

        let (asked, due) = (log.count(START_XQL), kills + IN_A_ROW);
        while kills < due.min(KILLS) {
            let moment = Moment {
                requests: draw.below(requests + 1),
                later: Duration::from_micros(draw.next() % *draw.pick(&LATER)),
            };
            kills += u64::from(victim.killed(moment, sync).await);
        }
        let held = victim.held().await;
        let told = Truth::false_closings(&moments, &connection, &held.store).await;
        assert!(told.is_empty(), "{told:#?}");
        compare(&victim, &twin, sync).await;
        if sync.contains(&"full") {
            // Only then the store is known to equal the tenant: an alert that was opened again is met by a full sync.
            moments.drain(..moments.len() - 1);
        }
        queries += log.count(START_XQL) - asked;
    }
    expect_no_query_twice(&victim, queries).await;

    twin.run(&full).await.succeeded();
    compare(&victim, &twin, &full).await;
    let held = victim.held().await;
    let truth = Truth::of(&tenant, &held.connection);
    assert!(truth.open_records() > 200);
    let told = truth.differences(&held.connection, &held.store).await;
    assert!(told.is_empty(), "{told:#?}");
}

/// Lets the victim come to an end and compares it with the one that was never killed.
async fn compare(victim: &Victim<'_>, twin: &Victim<'_>, sync: &[&str]) {
    victim.run(sync).await.succeeded();
    let state = State::of(&victim.held().await).await;
    let should_be = State::of(&twin.held().await).await;
    let told = state.differences(&should_be);
    assert!(told.is_empty(), "{told:#?}");
    state.expect_told_runs();
}

/// A query is asked for once in a sync. Only a process that died between that and its first commit can't know that it has asked.
async fn expect_no_query_twice(victim: &Victim<'_>, asked: u64) {
    let state = State::of(&victim.held().await).await;
    let runs = state
        .runs
        .iter()
        .filter(|run| run.stream.as_str() == "vulnerabilities");
    let syncs: BTreeSet<SyncId> = runs.clone().filter_map(|run| run.sync).collect();
    let in_the_dark = runs
        .filter(|run| run.state == RunState::Failed && run.steps == 0)
        .count();
    let most = u64::try_from(syncs.len() + in_the_dark).unwrap();
    assert!(asked <= most, "{asked} queries, {} syncs", syncs.len());
}
