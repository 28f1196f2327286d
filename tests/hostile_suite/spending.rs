//! Memory, stack, tables and handles; and sleeping.

use crate::bench::Bench;
use host_runner::domain::RunState;
use hostile_connector::order::{Attack, Order, Verb};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stack_and_handles_are_bounded_and_the_limit_is_named() {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    for (attack, limit) in [
        (Attack::Memory, "memory"),
        (Attack::Recursion, "stack"),
        (Attack::Handles, "handles"),
        (Attack::WaitableSets, "handles"),
        (Attack::SleepsAtOnce, "handles"),
        (Attack::Clock, "step-host-calls"),
    ] {
        for at in [Verb::Next, Verb::Apply] {
            if at == Verb::Apply && attack == Attack::SleepsAtOnce {
                // A pure verb can't wait.
                continue;
            }
            let order = Order {
                at,
                after: 1,
                ..bench.order(attack)
            };
            let attacked = bench.attacked(&order).await;
            // `apply` sees the first step already.
            let kept = if at == Verb::Next { 2 } else { 0 };
            attacked.met_limit(limit).kept(kept).await;
        }
    }
    bystander.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_ends_the_run_and_nothing_else() {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    let order = Order {
        after: 2,
        ..bench.order(Attack::Trap)
    };
    let attacked = bench.attacked(&order).await;
    // What the two steps before it brought is committed.
    attacked.broke("unreachable").kept(4).await;
    bystander.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_run_after_a_trap_goes_on_from_the_last_committed_step() {
    let bench = Bench::new().await;
    let order = Order {
        after: 2,
        ..bench.order(Attack::Trap)
    };
    let attacked = bench.attacked(&order).await;
    let mended = bench
        .reordered(&attacked.connection, &bench.order(Attack::Behave))
        .await;
    assert_eq!(mended.state, RunState::Processed, "{mended:?}");
    assert!(mended.resumed);
    assert_eq!(mended.ledger.new, 2);
    attacked.kept(6).await;
}

/// A step may take five minutes by the clock: here it may take a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sleeping_for_ever_ends_with_the_steps_time() {
    let bench = Bench::limited(|limits| limits.step_wall_s = 1).await;
    let bystander = bench.bystander().await;
    for at in [Verb::Sync, Verb::Next] {
        let order = Order {
            at,
            ..bench.order(Attack::Sleep)
        };
        bench
            .attacked(&order)
            .await
            .met_limit("step-wall")
            .kept(0)
            .await;
    }
    bystander.goes_on().await;
}
