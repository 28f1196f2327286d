//! What needs to be transformed, and what a step is counted as.

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

#[tokio::test]
async fn only_what_is_new_or_changed_or_made_otherwise_needs_a_transform() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![endpoint("same", "1"), endpoint("other", "1")],
        )
        .await;
    let mut sync = bench.begin("endpoints", Mode::Full, 20).await;
    let asked = [("same", "1"), ("other", "2"), ("none", "1"), ("same", "1")];
    assert_eq!(
        bench.stands(&sync, &asked).await,
        [
            Standing::Unchanged,
            Standing::Changed,
            Standing::New,
            Standing::Duplicate
        ]
    );
    sync.made_with = "map-2".to_owned();
    assert_eq!(
        bench.stands(&sync, &[("same", "1")]).await,
        [Standing::NeedsTransform]
    );
}

#[tokio::test]
async fn an_entry_as_it_was_is_not_written_again_though_its_last_seen_moves_on() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let before = bench.record("endpoints", "e1").await.unwrap();
    let sync = bench.begin("endpoints", Mode::Full, 20).await;
    let mut again = unchanged("e1", "1");
    again.body = b"{\"volatile\":2}".to_vec();
    again.seen_at = Some(at(19));
    let ledger = bench.put(&sync, vec![again]).await;
    assert_eq!((ledger.unchanged, ledger.documents.assets_updated), (1, 0));
    let after = bench.record("endpoints", "e1").await.unwrap();
    assert_eq!(after.body, before.body);
    assert_eq!(
        (after.first_seen, after.last_seen, after.seen_at),
        (at(10), at(20), Some(at(19)))
    );
    assert_eq!(bench.assets().await[0].last_seen, at(20));
}

#[tokio::test]
async fn a_key_that_comes_twice_is_one_record_and_counted_as_a_duplicate() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    let ledger = bench
        .put(
            &sync,
            vec![
                endpoint("e1", "1"),
                endpoint("e1", "2"),
                unchanged("e1", "2"),
            ],
        )
        .await;
    assert_eq!((ledger.read, ledger.new, ledger.duplicate), (3, 1, 2));
    let ledger = bench.put(&sync, vec![endpoint("e1", "2")]).await;
    assert_eq!((ledger.unchanged, ledger.duplicate), (0, 1));
    assert_eq!(
        bench.record("endpoints", "e1").await.unwrap().fingerprint,
        "2"
    );
    assert_eq!(bench.assets().await.len(), 1);
}

#[tokio::test]
async fn an_unchanged_entry_that_is_not_held_is_refused() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    let step = bench.step(&sync, vec![unchanged("e1", "1")]);
    assert!(matches!(
        bench.store.commit_step(step).await,
        Err(StoreError::Refused { .. })
    ));
}

#[tokio::test]
async fn what_was_skipped_is_filtered_by_name_and_adds_up() {
    let bench = Bench::new().await;
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    let mut step = bench.step(&sync, vec![endpoint("e1", "1")]);
    step.skipped = vec![
        ("tags".to_owned(), 3),
        ("tags".to_owned(), 1),
        ("none".to_owned(), 0),
    ];
    let ledger = bench.commit(step).await;
    assert_eq!(ledger.read, 5);
    assert_eq!(
        ledger.filtered.into_iter().collect::<Vec<_>>(),
        [("tags".to_owned(), 4)]
    );
}

#[tokio::test]
async fn keys_that_look_like_numbers_json_or_sql_are_texts() {
    let bench = Bench::new().await;
    let keys = [
        "1",
        "01",
        "1e3",
        "null",
        "[]",
        "\"",
        "';--",
        "\u{0}x",
        "\u{1f600}",
        " ",
        "9007199254740993",
    ];
    let entries = keys.iter().map(|key| endpoint(key, "1")).collect();
    let (ledger, _) = bench.full("endpoints", 10, entries).await;
    assert_eq!(ledger.new, keys.len() as u64);
    let sync = bench.begin("endpoints", Mode::Full, 20).await;
    for key in keys {
        assert_eq!(
            bench.stands(&sync, &[(key, "1")]).await,
            [Standing::Unchanged],
            "{key:?}"
        );
    }
}
