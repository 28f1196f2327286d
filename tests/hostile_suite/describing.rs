//! `describe`, which runs before anybody has agreed to anything.

use crate::bench::{Bench, default_runtime, load, mallory, marked};
use host_runner::component::Source;
use host_runner::domain::{FixedClock, Timestamp};
use host_runner::engine::{Runtime, RuntimeOptions};
use hostile_connector::order::{Attack, Order, Verb};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_is_bounded_and_what_fails_in_describe_names_the_limit() {
    for (attack, what) in [
        (Attack::ManifestGiant, "`manifest` (4 MiB)"),
        (Attack::ManifestDeep, "recursion limit"),
        (Attack::Memory, "`memory` (64 MiB)"),
        (Attack::Recursion, "`stack` (512 KiB)"),
        (Attack::Handles, "`handles` (1000 handles)"),
        (Attack::Clock, "`step-host-calls` (1000000 calls)"),
        (Attack::Trap, "unreachable"),
    ] {
        let loaded = load(&default_runtime(), marked(attack)).await;
        let error = loaded.err().unwrap().to_string();
        assert!(error.contains(what), "{attack:?}: {error}");
    }
}

/// What was looked at is what is run: a component that knew the time could show one manifest today and another one tomorrow.
#[tokio::test]
async fn a_manifest_is_the_same_at_any_time() {
    let mut manifests = Vec::new();
    for now in [1_700_000_000_000, 1_800_000_000_000] {
        let runtime = Runtime::new(RuntimeOptions {
            clock: Arc::new(FixedClock::at(Timestamp::from_ms(now).unwrap())),
            ..RuntimeOptions::default()
        });
        let bytes = marked(Attack::ManifestDiffers);
        let source = Source::Bytes("hostile".to_owned(), bytes);
        let plugin = runtime.unwrap().load(&source).await.unwrap();
        manifests.push(serde_json::to_value(plugin.manifest()).unwrap());
    }
    assert_eq!(manifests[0], manifests[1]);
    assert_eq!(manifests[0]["title"], "Hostile at 0");
}

/// A verb that is not `async` in the contract can't wait for an import that is; one that does not have to be waited for says no.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verbs_that_are_pure_have_no_way_out() {
    let bench = Bench::new().await;
    let loaded = load(&default_runtime(), marked(Attack::Escape)).await;
    let error = loaded.err().unwrap().to_string();
    assert!(error.contains("cannot block"), "{error}");
    let order = Order {
        at: Verb::Configure,
        ..bench.order(Attack::Escape)
    };
    let error = bench.connect(&mallory(), &order, true).await.unwrap_err();
    assert!(error.to_string().contains("`configure`"), "{error}");
    let order = Order {
        at: Verb::Apply,
        ..bench.order(Attack::Escape)
    };
    bench
        .attacked(&order)
        .await
        .broke("`transform`")
        .kept(0)
        .await;
    assert!(bench.server.seen().is_empty());
}
