//! What was read and is not shown: counted by reason, with examples.

use super::support::*;
use crate::domain::Mode;
use crate::store::*;

fn unreadable(key: Option<&str>, raw: &str) -> Unreadable {
    Unreadable {
        key: key.map(str::to_owned),
        raw: raw.as_bytes().to_vec(),
        problems: vec![],
    }
}

fn left_out_by(key: &str, filter: &str) -> Closure {
    closure(key, Closing::OutOfScope(filter.to_owned()))
}

#[tokio::test]
async fn nothing_is_left_out_of_what_was_never_synced() {
    let bench = Bench::new().await;
    assert!(
        bench
            .store
            .left_out(bench.connection, 5)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn each_record_that_is_not_shown_is_counted_under_its_reason() {
    let bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![
                endpoint("e1", "1"),
                endpoint("e2", "1"),
                endpoint("e3", "1"),
            ],
        )
        .await;
    let sync = bench.begin("alerts", Mode::Full, 20).await;
    let alerts = vec![
        alert("a1", "e1"),
        alert("a2", "nowhere"),
        alert("a3", "nowhere"),
        alert("a4", "e1"),
    ];
    let mut step = bench.step(&sync, alerts);
    step.closures = vec![
        left_out_by("a7", "alertStatuses"),
        left_out_by("a8", "alertStatuses"),
        closure("a9", Closing::Resolved),
    ];
    step.quarantine = vec![unreadable(None, "x"), unreadable(Some("q1"), "y")];
    step.skipped = vec![("sources".to_owned(), 30)];
    bench.commit(step).await;
    let before = bench.store.left_out(bench.connection, 5).await.unwrap();
    assert_eq!(before[1].filtered, None, "the sync has not ended");
    // What has no key makes a sync incomplete: the next is whole.
    bench.end(&sync).await;
    let sync = bench.begin("alerts", Mode::Full, 30).await;
    let mut step = bench.step(
        &sync,
        vec![
            alert("a1", "e1"),
            alert("a2", "nowhere"),
            alert("a3", "nowhere"),
        ],
    );
    step.closures = vec![
        left_out_by("a4", "alertStatuses"),
        left_out_by("a7", "alertStatuses"),
        left_out_by("a8", "alertStatuses"),
        closure("a9", Closing::Resolved),
    ];
    step.quarantine = vec![unreadable(Some("q1"), "y")];
    step.skipped = vec![("sources".to_owned(), 30)];
    bench.commit(step).await;
    bench.end(&sync).await;
    let sync = bench.begin("endpoints", Mode::Incremental, 40).await;
    bench
        .close(
            &sync,
            vec![left_out_by("e2", "tags"), left_out_by("e3", "tags")],
        )
        .await;

    let left_out = bench.store.left_out(bench.connection, 1).await.unwrap();
    let sample = |count, examples: &[&str]| Sample {
        count,
        examples: examples.iter().map(|key| (*key).to_owned()).collect(),
    };
    assert_eq!(
        left_out,
        [
            LeftOut {
                stream: stream("endpoints"),
                parked: sample(0, &[]),
                findings_parked: 0,
                quarantined: sample(0, &[]),
                out_of_scope: vec![("tags".to_owned(), sample(2, &["e2"]))],
                filtered: Some(Filtered {
                    ended_at: at(10),
                    by: vec![]
                }),
            },
            LeftOut {
                stream: stream("alerts"),
                parked: sample(2, &["a2"]),
                findings_parked: 2,
                quarantined: sample(1, &["q1"]),
                out_of_scope: vec![("alertStatuses".to_owned(), sample(1, &["a4"]))],
                filtered: Some(Filtered {
                    ended_at: at(30),
                    by: vec![("alertStatuses".to_owned(), 2), ("sources".to_owned(), 30)],
                }),
            },
        ]
    );
    let counted = bench.store.left_out(bench.connection, 0).await.unwrap();
    assert_eq!(counted[1].parked, sample(2, &[]));
}

#[tokio::test]
async fn what_another_connection_leaves_out_is_not_told() {
    let bench = Bench::new().await;
    let sync = bench.begin("alerts", Mode::Full, 20).await;
    let mut step = bench.step(&sync, vec![alert("a1", "nowhere")]);
    step.quarantine = vec![unreadable(None, "x")];
    bench.commit(step).await;
    let other = bench
        .store
        .create_connection(&connection("other"), no_secrets)
        .await
        .unwrap();
    assert!(bench.store.left_out(other.id, 5).await.unwrap().is_empty());
}
