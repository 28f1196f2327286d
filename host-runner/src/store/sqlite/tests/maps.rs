//! A tenant's own maps and their versions.

use super::support::*;
use crate::domain::{MapName, Mode};
use crate::store::*;

fn name(text: &str) -> MapName {
    MapName::new(text).unwrap()
}

async fn save(bench: &Bench, map: &str, body: &str, after: Option<u32>, now: u64) -> Saving {
    let map = NewMap {
        name: &name(map),
        hash: body,
        body,
        after,
        now: at(now),
    };
    bench.store.save_map(&map).await.unwrap()
}

async fn numbers(bench: &Bench, map: &str) -> Vec<u32> {
    let versions = bench.store.map_versions(&name(map)).await.unwrap();
    versions.iter().map(|version| version.number).collect()
}

#[tokio::test]
async fn each_save_appends_a_version_and_the_same_text_again_none() {
    let bench = Bench::new().await;
    let Saving::Saved(first) = save(&bench, "mine", "one", None, 1).await else {
        panic!("not saved");
    };
    assert_eq!((first.number, first.saved_at), (1, at(1)));
    assert_eq!(
        save(&bench, "mine", "one", None, 2).await,
        Saving::Unchanged(first.clone())
    );
    assert!(matches!(
        save(&bench, "mine", "two", Some(1), 3).await,
        Saving::Saved(MapVersion { number: 2, .. })
    ));
    save(&bench, "mine", "one", None, 4).await;
    save(&bench, "other", "three", None, 5).await;
    assert_eq!(numbers(&bench, "mine").await, [3, 2, 1]);
    let newest = bench.store.maps().await.unwrap();
    let newest: Vec<(&str, u32, &str)> = newest
        .iter()
        .map(|map| {
            (
                map.version.name.as_str(),
                map.version.number,
                map.body.as_str(),
            )
        })
        .collect();
    assert_eq!(newest, [("mine", 3, "one"), ("other", 1, "three")]);
    let second = bench.store.map(&name("mine"), 2).await.unwrap().unwrap();
    assert_eq!(
        (second.body.as_str(), second.version.hash.as_str()),
        ("two", "two")
    );
    assert_eq!(bench.store.map(&name("mine"), 4).await.unwrap(), None);
    assert_eq!(bench.store.map(&name("none"), 1).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_made_from_an_older_version_is_not_saved_over_a_newer_one() {
    let bench = Bench::new().await;
    save(&bench, "mine", "one", None, 1).await;
    save(&bench, "mine", "two", Some(1), 2).await;
    assert_eq!(
        save(&bench, "mine", "three", Some(1), 3).await,
        Saving::Overtaken(Some(2))
    );
    assert_eq!(numbers(&bench, "mine").await, [2, 1]);
    bench.store.remove_map(&name("mine")).await.unwrap();
    assert_eq!(
        save(&bench, "mine", "three", Some(2), 4).await,
        Saving::Overtaken(None)
    );
}

#[tokio::test]
async fn a_removed_map_is_gone_and_its_numbers_are_not_given_again() {
    let bench = Bench::new().await;
    save(&bench, "mine", "one", None, 1).await;
    save(&bench, "mine", "two", None, 2).await;
    save(&bench, "other", "one", None, 3).await;
    assert_eq!(bench.store.remove_map(&name("mine")).await.unwrap(), 2);
    assert_eq!(bench.store.remove_map(&name("mine")).await.unwrap(), 0);
    assert!(numbers(&bench, "mine").await.is_empty());
    assert_eq!(bench.store.map(&name("mine"), 2).await.unwrap(), None);
    assert_eq!(bench.store.maps().await.unwrap().len(), 1);
    assert!(matches!(
        save(&bench, "mine", "two", None, 4).await,
        Saving::Saved(MapVersion { number: 3, .. })
    ));
    assert_eq!(numbers(&bench, "mine").await, [3]);
    assert_eq!(bench.store.remove_map(&name("mine")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_run_says_which_map_it_uses_from_its_beginning() {
    let bench = Bench::new().await;
    let used = UsedMap {
        name: "mine".to_owned(),
        version: Some("1.0".to_owned()),
        number: Some(2),
        sha256: "0".repeat(64),
    };
    let run = bench
        .store
        .begin_run(&NewRun {
            connection: bench.connection,
            stream: stream("alerts"),
            mode: Mode::Full,
            reason: String::new(),
            map: Some(used.clone()),
            now: at(1),
        })
        .await
        .unwrap();
    assert_eq!(bench.store.run(run).await.unwrap().map, Some(used));
}
