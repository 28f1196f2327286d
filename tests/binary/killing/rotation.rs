//! Killed while the master key is rotated: every connection of every tenant can be used, and the next rotation finishes it.

use super::victim::Victim;
use crate::rotation::{CONNECTIONS, connect_all, tiny};
use crate::runner::Runner;
use host_runner::store::commit_point::CommitPoint;
use serde_json::json;

const ROTATE: [&str; 3] = ["keys", "rotate", "--json"];

async fn expect_all_work(victim: &Victim<'_>, point: CommitPoint) {
    for [name, tenant] in CONNECTIONS {
        let tested = victim.run(&["test", name, "--tenant", tenant]).await;
        assert_eq!(
            tested.code,
            Some(0),
            "{point}, {name} of {tenant}: {tested:?}"
        );
    }
}

/// The ids of the keys that are here.
async fn ids(victim: &Victim<'_>) -> Vec<String> {
    let shown = victim.run(&["keys", "show", "--json"]).await.succeeded();
    let shown = shown.json();
    let keys = shown["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["here"] == json!(true)), "{shown}");
    keys.iter()
        .map(|key| key["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Files of the data directory that hold a key, or held one while it was written.
fn key_files(victim: &Victim<'_>) -> usize {
    std::fs::read_dir(victim.data())
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_str().unwrap().contains("master.key")
        })
        .count()
}

async fn killed_at(points: &[(CommitPoint, u32, bool)]) {
    let runner = Runner::new(tiny()).await;
    connect_all(&runner, &[]).await;
    let base = Victim::of(&runner);
    let old = ids(&base).await;
    for &(point, times, under_way) in points {
        let victim = base.copy();
        victim.dies_at(point, times, &ROTATE).await;
        let killed = ids(&victim).await;
        assert_eq!(killed.len(), if under_way { 2 } else { 1 }, "{point}");
        expect_all_work(&victim, point).await;

        let rotated = victim.run(&ROTATE).await.succeeded().json();
        assert_eq!(rotated["resumed"], under_way, "{point}: {rotated}");
        assert_eq!(rotated["lost"], json!([]));
        if under_way {
            assert_eq!(rotated["key"], killed[0], "{point}: another key was made");
        }
        let now = ids(&victim).await;
        assert_eq!(now, [rotated["key"].as_str().unwrap()], "{point}");
        assert_ne!(now, old, "{point}");
        assert_eq!(key_files(&victim), 1, "{point}: a key was left behind");
        expect_all_work(&victim, point).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_killed_before_anything_is_sealed_anew_loses_no_connection() {
    killed_at(&[
        (CommitPoint::RotationStaged, 1, false),
        (CommitPoint::RotationBegun, 1, true),
        (CommitPoint::ResealWritten, 1, true),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_killed_between_two_tenants_loses_no_connection() {
    killed_at(&[
        (CommitPoint::ResealCommitted, 1, true),
        (CommitPoint::ResealWritten, 2, true),
        (CommitPoint::ResealCommitted, 2, true),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_killed_at_its_end_loses_no_connection() {
    killed_at(&[
        (CommitPoint::RotationEnding, 1, true),
        (CommitPoint::RotationEnded, 1, false),
    ])
    .await;
}
