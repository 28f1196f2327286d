//! Endless loops, in each verb of the contract, all at once: the other tenant's sync goes on between them.

use crate::bench::{Bench, default_runtime, entry, load, mallory, marked};
use futures_util::future::{BoxFuture, join_all};
use host_runner::connection;
use hostile_connector::order::{Attack, Order, Verb};

/// What ended the verb.
async fn ended(bench: &Bench, verb: Verb) -> String {
    let order = Order {
        at: verb,
        ..bench.order(Attack::Loop)
    };
    match verb {
        Verb::Describe => {
            let loaded = load(&default_runtime(), marked(Attack::Loop)).await;
            loaded.err().unwrap().to_string()
        }
        Verb::Configure | Verb::Test => {
            let connected = bench.connect(&mallory(), &order, false).await;
            connected.unwrap_err().to_string()
        }
        Verb::Survey => {
            let connected = bench.connect(&mallory(), &order, true).await.unwrap();
            let tenant = mallory();
            let survey = connection::survey(&bench.desk, &tenant, &connected.name, 1, bench.rate);
            survey.await.unwrap_err().to_string()
        }
        Verb::Transform => bench.mapper(&order).await.err().unwrap().to_string(),
        Verb::Explain => {
            let mapper = bench.mapper(&order).await.unwrap();
            let error = mapper.explain(entry(&order)).await.unwrap_err();
            // The instance is gone: whoever asks again is told the same.
            assert_eq!(mapper.reads().await.unwrap_err(), error);
            error.to_string()
        }
        Verb::Sift => bench.sift(&order).await.unwrap_err().to_string(),
        Verb::Sync | Verb::Next | Verb::Apply => {
            let attacked = bench.attacked(&order).await;
            attacked.met_limit("step-cpu").kept(0).await;
            attacked.fault().message.clone()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_ends_in_each_verb_and_another_tenants_steps_are_committed_meanwhile() {
    let bench = Bench::new().await;
    let mut bystander = bench.bystander().await;
    let before = bystander.steps();
    let verbs = [
        Verb::Describe,
        Verb::Configure,
        Verb::Test,
        Verb::Survey,
        Verb::Sync,
        Verb::Next,
        Verb::Transform,
        Verb::Apply,
        Verb::Explain,
        Verb::Sift,
    ];
    let attacks: Vec<BoxFuture<'_, String>> = verbs
        .into_iter()
        .map(|verb| Box::pin(ended(&bench, verb)) as _)
        .collect();
    for (verb, message) in verbs.into_iter().zip(join_all(attacks).await) {
        assert!(
            message.contains("the limit `step-cpu` (10000 milliseconds) was reached"),
            "{verb:?}: {message}"
        );
    }
    let meanwhile = bystander.steps() - before;
    assert!(meanwhile >= 10, "{meanwhile} steps while ten loops ran");
    bystander.commits(1).await;
    bystander.goes_on().await;
}

/// Those that do not stand in the verb's own code. A second of the processor is enough to tell them from work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_in_what_the_host_calls_between_the_lines_ends_too() {
    let bench = Bench::limited(|limits| limits.step_cpu_ms = 1_000).await;
    let bystander = bench.bystander().await;
    for attack in [Attack::LoopInRealloc, Attack::LoopInFree, Attack::Yield] {
        let attacked = bench.attacked(&bench.order(attack)).await;
        attacked.met_limit("step-cpu");
    }
    // Where the result is freed after it was given: what was given before is kept.
    let order = Order {
        at: Verb::Apply,
        ..bench.order(Attack::LoopInFree)
    };
    bench.attacked(&order).await.met_limit("step-cpu");
    let order = Order {
        at: Verb::Configure,
        ..bench.order(Attack::LoopInFree)
    };
    let error = bench.connect(&mallory(), &order, true).await.unwrap_err();
    assert!(error.to_string().contains("`step-cpu`"), "{error}");
    bystander.goes_on().await;
}
