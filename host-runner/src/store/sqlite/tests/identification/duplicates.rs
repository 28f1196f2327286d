//! Agents that were probably installed again, and values that too many have.

use super::*;

#[tokio::test]
async fn an_agent_that_was_installed_again_is_a_probable_duplicate() {
    let bench = Bench::new().await;
    let named = |key: &str, host: &str| machine(key, "1", &[("host-name", host), ("mac", MAC)]);
    bench
        .full(
            "endpoints",
            10,
            vec![named("e1", "srv-1"), named("e9", "srv-9")],
        )
        .await;
    assert!(bench.store.duplicates(None, None).await.unwrap().is_empty());
    let all = || {
        vec![
            named("e1", "srv-1"),
            named("e9", "srv-9"),
            named("e2", "SRV-1"),
        ]
    };
    bench.full("endpoints", 20, all()).await;
    let pairs = bench.store.duplicates(None, None).await.unwrap();
    assert_eq!(pairs.len(), 1);
    assert_eq!(
        (pairs[0].earlier.key.as_str(), pairs[0].later.key.as_str()),
        ("e1", "e2")
    );
    assert_eq!(pairs[0].later.asset.as_ref().map(|asset| asset.id), Some(3));
    assert_eq!(bench.store.doubts(None).await.unwrap().duplicates, 1);
    // The old id is proven gone: one is left.
    bench
        .full(
            "endpoints",
            30,
            vec![named("e9", "srv-9"), named("e2", "SRV-1")],
        )
        .await;
    assert!(bench.store.duplicates(None, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn both_ids_of_a_duplicate_may_come_in_one_step_and_be_called_alike_later() {
    let bench = Bench::new().await;
    let named = |key: &str, fingerprint: &str, host: &str| {
        machine(key, fingerprint, &[("host-name", host), ("mac", MAC)])
    };
    bench
        .full(
            "endpoints",
            10,
            vec![
                named("e1", "1", "a"),
                named("e2", "1", "a"),
                named("e3", "1", "b"),
            ],
        )
        .await;
    assert_eq!(bench.store.duplicates(None, None).await.unwrap().len(), 1);
    bench
        .full(
            "endpoints",
            20,
            vec![
                named("e1", "1", "a"),
                named("e2", "2", "b"),
                named("e3", "1", "b"),
            ],
        )
        .await;
    let pairs = bench.store.duplicates(None, None).await.unwrap();
    let keys: Vec<_> = pairs
        .iter()
        .map(|pair| BTreeSet::from([pair.earlier.key.as_str(), pair.later.key.as_str()]))
        .collect();
    assert_eq!(keys, [BTreeSet::from(["e2", "e3"])]);
}

#[tokio::test]
async fn a_value_that_more_than_a_hundred_assets_have_identifies_none() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let clones = (0..101)
        .map(|n| machine(&format!("e{n}"), "1", SRV))
        .collect();
    first.full("endpoints", 10, clones).await;
    let by_id = machine("x1", "1", &[&[("external-id", "e7")], SRV].concat());
    let ledger = without_onboarding(
        &second,
        "endpoints",
        20,
        vec![by_id, machine("x2", "1", SRV)],
    )
    .await;
    assert_eq!((ledger.new, ledger.parked), (1, 1));
    assert!(first.store.ambiguous(None, None).await.unwrap().is_empty());
}
