//! Asking the host for too much, too often, or for ever.

use crate::bench::Bench;
use hostile_connector::order::{Attack, Order};

fn with(bench: &Bench, attack: Attack, path: &str) -> Order {
    Order {
        path: path.to_owned(),
        steps: 0,
        ..bench.order(attack)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_end_are_bounded_one_by_one_at_once_and_unread() {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    for attack in [Attack::Requests, Attack::RequestsAtOnce, Attack::BodiesHeld] {
        let attacked = bench.attacked(&with(&bench, attack, "/small")).await;
        attacked.met_limit("step-requests").kept(0).await;
        assert!(bench.server.seen().len() <= 1_000);
    }
    bystander.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_are_bounded_whatever_they_unpack_to() {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    for path in ["/giant", "/bomb"] {
        let attacked = bench.attacked(&with(&bench, Attack::ReadAll, path)).await;
        attacked.met_limit("step-response");
    }
    let attacked = bench
        .attacked(&with(&bench, Attack::ReadAll, "/headers"))
        .await;
    attacked.told("Limit(\"headers\")");
    bystander.goes_on().await;
}

/// One reply may have 2 GiB: here it may have one MiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_longer_than_one_may_be_is_cut_and_the_connector_is_told_the_limits_name() {
    let bench = Bench::limited(|limits| limits.response_mib = 1).await;
    for path in ["/giant", "/bomb"] {
        let attacked = bench.attacked(&with(&bench, Attack::ReadAll, path)).await;
        attacked.told("Limit(\"response\")");
    }
}

/// A step may take five minutes by the clock: here it may take a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_slow_on_purpose_costs_a_step_and_no_more() {
    let bench = Bench::limited(|limits| limits.step_wall_s = 1).await;
    let bystander = bench.bystander().await;
    for path in ["/silent", "/slow", "/trickle"] {
        let attacked = bench.attacked(&with(&bench, Attack::ReadAll, path)).await;
        attacked.met_limit("step-wall").kept(0).await;
    }
    bystander.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_larger_than_any_query_is_not_sent() {
    let bench = Bench::new().await;
    let attacked = bench
        .attacked(&with(&bench, Attack::RequestLarge, "/small"))
        .await;
    attacked.told("Limit(\"request\")");
    assert!(bench.server.seen().is_empty());
}

/// It would cost the host a gigabyte of work, or of memory, for each request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipe_that_covers_the_body_over_and_over_is_not_carried_out() {
    let bench = Bench::new().await;
    for attack in [Attack::RecipeHash, Attack::RecipeBase64] {
        let attacked = bench.attacked(&with(&bench, attack, "")).await;
        attacked.told("Limit(\"headers\")");
    }
    assert!(bench.server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_read_by_one_reader_at_a_time() {
    let bench = Bench::new().await;
    let attacked = bench
        .attacked(&with(&bench, Attack::ReadTwice, "/slow"))
        .await;
    attacked.told("body met Failure::Busy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn millions_of_tiny_calls_end_with_a_limit() {
    let bench = Bench::limited(|limits| limits.step_host_calls = 20_000).await;
    let bystander = bench.bystander().await;
    for (attack, path) in [
        (Attack::ReadBytes, "/giant"),
        (Attack::Inventory, ""),
        (Attack::Log, ""),
    ] {
        let attacked = bench.attacked(&with(&bench, attack, path)).await;
        attacked.met_limit("step-host-calls").kept(0).await;
    }
    bystander.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_lines_is_announced_once_dropped_and_ends_with_the_calls() {
    let bench = Bench::new().await;
    let attacked = bench.attacked(&bench.order(Attack::Log)).await;
    attacked
        .met_limit("step-host-calls")
        .told("limit=step-log-lines");
    assert!(attacked.report.warnings.len() < 10);
    let attacked = bench.attacked(&bench.order(Attack::LogLarge)).await;
    attacked.met_limit("call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_what_is_held_hundreds_of_times_at_once_is_answered_one_at_a_time() {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    let order = Order {
        steps: 0,
        ..bench.order(Attack::InventoryAtOnce)
    };
    let attacked = bench.attacked(&order).await;
    assert!(attacked.report.fault.is_none(), "{:?}", attacked.report);
    bystander.goes_on().await;
}
