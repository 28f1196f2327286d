//! Each cell of the table of switches, for each way in which an asset may be there: onboarded by the connection itself, by another one, or imported.

use serde_json::json;

use super::support::*;
use crate::domain::{Ledger, Mode};
use crate::store::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Ourselves,
    Another,
    Import,
}

const ALL: [By; 3] = [By::Ourselves, By::Another, By::Import];

fn row(key: &str, body: serde_json::Value) -> ImportedAsset {
    ImportedAsset {
        line: 1,
        key: key.to_owned(),
        identity: vec![("external-id".to_owned(), key.to_owned())],
        host_name: Some(format!("host-{key}")),
        body,
        first_seen: None,
    }
}

async fn import(bench: &Bench, now: u64, rows: &[ImportedAsset]) -> Imported {
    bench
        .store
        .import_assets("cmdb", rows, at(now))
        .await
        .unwrap()
}

fn old() -> serde_json::Value {
    json!({"name": "old", "os": "Windows", "customFields": {"tags": ["a"], "other": 1}})
}

/// A connection, and an asset "e1" that is there already.
async fn with_asset(by: By) -> Bench {
    let bench = Bench::new().await;
    match by {
        By::Ourselves => {
            let entries = vec![entry("e1", "1", vec![asset("e1", old())])];
            bench.full("endpoints", 10, entries).await;
        }
        By::Another => {
            let other = bench.beside("other").await;
            let mut document = asset("x7", old());
            document.identity = vec![("external-id".to_owned(), "e1".to_owned())];
            let entries = vec![entry("x7", "1", vec![document])];
            other.full("endpoints", 10, entries).await;
        }
        By::Import => {
            import(&bench, 10, &[row("e1", old())]).await;
        }
    }
    bench
}

fn source_of(by: By) -> &'static str {
    match by {
        By::Import => "cmdb",
        By::Ourselves | By::Another => "test.source",
    }
}

/// Reads "e1" with these switches, and a machine "e2" that is not there.
async fn read(bench: &Bench, now: u64, fingerprint: &str, update: bool, onboard: bool) -> Ledger {
    let mut sync = bench.begin("endpoints", Mode::Full, now).await;
    sync.switches = switches(update, onboard);
    sync.made_with = format!("update {update}, onboard {onboard}");
    let mut document = asset(
        "e1",
        json!({"name": "new", "os": null, "onboardingSource": "ours", "customFields": {"tags": []}}),
    );
    document
        .facets
        .retain(|(name, _)| name != "onboarding-source");
    document
        .facets
        .push(("onboarding-source".to_owned(), "ours".to_owned()));
    let known = entry(
        "e1",
        fingerprint,
        vec![document, finding("f1", Some("e1"), "low")],
    );
    let unknown = entry(
        "e2",
        fingerprint,
        vec![
            asset("e2", json!({"name": "two"})),
            finding("f2", Some("e2"), "low"),
        ],
    );
    let ledger = bench.put(&sync, vec![known, unknown]).await;
    bench.end(&sync).await;
    ledger
}

fn linked<'a>(bench: &Bench, assets: &'a [Asset], key: &str) -> Option<&'a Asset> {
    assets
        .iter()
        .find(|asset| asset.keys.contains(&(bench.connection, key.to_owned())))
}

#[tokio::test]
async fn each_cell_holds_for_each_way_in_which_an_asset_may_be_there() {
    for by in ALL {
        for (update, onboard) in [(true, false), (true, true), (false, false), (false, true)] {
            let cell = format!("{by:?}, update {update}, onboard {onboard}");
            let bench = with_asset(by).await;
            let ledger = read(&bench, 20, "2", update, onboard).await;
            let assets = bench.assets().await;
            let known = linked(&bench, &assets, "e1").expect(&cell);
            let expected = if update {
                // The document says who brought it: that stays who it was.
                json!({"name": "new", "os": "Windows", "onboardingSource": source_of(by), "customFields": {"tags": [], "other": 1}})
            } else {
                json!({"name": "old", "os": "Windows", "customFields": {"tags": [], "other": 1}})
            };
            assert_eq!(known.body, expected, "{cell}");
            assert_eq!(
                known.onboarding_source.as_deref(),
                Some(source_of(by)),
                "{cell}"
            );
            assert_eq!(known.last_seen, at(20), "{cell}");
            assert_eq!(known.state, AssetState::Active, "{cell}");
            let created = linked(&bench, &assets, "e2");
            assert_eq!(created.is_some(), onboard, "{cell}");
            assert_eq!(assets.len(), 1 + usize::from(onboard), "{cell}");
            assert_eq!(ledger.parked, u64::from(!onboard), "{cell}");
            if let Some(created) = created {
                assert_eq!(
                    created.onboarding_source.as_deref(),
                    Some("test.source"),
                    "{cell}"
                );
                assert_eq!(created.body, json!({"name": "two"}), "{cell}");
            }
            let findings = bench.findings().await;
            let on = |key: &str| {
                findings
                    .iter()
                    .find(|finding| finding.key == key)
                    .unwrap()
                    .asset
            };
            assert_eq!(on("f1"), Some(known.id), "{cell}");
            assert_eq!(on("f2"), created.map(|asset| asset.id), "{cell}");
        }
    }
}

#[tokio::test]
async fn each_switch_turned_either_way_does_what_it_says_from_then_on() {
    for by in ALL {
        let bench = with_asset(by).await;
        read(&bench, 20, "2", false, false).await;
        // On: what waited attaches, and values overwrite, though nothing of the records changed.
        let ledger = read(&bench, 30, "2", true, true).await;
        assert_eq!(ledger.parked, 0, "{by:?}");
        let assets = bench.assets().await;
        assert_eq!(assets.len(), 2, "{by:?}");
        assert_eq!(linked(&bench, &assets, "e1").unwrap().body["name"], "new");
        let findings = bench.findings().await;
        assert!(findings.iter().all(|finding| finding.asset.is_some()));
        // Off again: what is there stays, also what we onboarded.
        read(&bench, 40, "3", false, false).await;
        let after = bench.assets().await;
        assert_eq!(after.len(), 2);
        let bodies = |assets: &[Asset]| {
            assets
                .iter()
                .map(|asset| asset.body.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(bodies(&after), bodies(&assets));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_proven_gone_closes_our_findings_and_the_asset_stays_where_something_else_feeds_it()
 {
    for by in ALL {
        let bench = with_asset(by).await;
        read(&bench, 20, "2", true, false).await;
        let sync = bench.begin("endpoints", Mode::Incremental, 30).await;
        bench
            .close(&sync, vec![closure("e1", Closing::Deleted)])
            .await;
        bench.end(&sync).await;
        let assets = bench.assets().await;
        assert_eq!(assets.len(), 1, "none is deleted");
        let state = match by {
            By::Ourselves => AssetState::Inactive,
            By::Another | By::Import => AssetState::Active,
        };
        assert_eq!(assets[0].state, state, "{by:?}");
        let findings = bench.findings().await;
        let ours = findings.iter().find(|finding| finding.key == "f1").unwrap();
        assert_eq!(ours.state, FindingState::Closed, "{by:?}");
    }
}

#[tokio::test]
async fn an_import_brings_in_what_waited_and_a_purge_of_the_connection_leaves_it() {
    let bench = Bench::new().await;
    read(&bench, 10, "1", true, false).await;
    assert!(bench.assets().await.is_empty());
    assert!(bench.store.tried_again().await.unwrap().is_empty());
    let imported = import(&bench, 20, &[row("e1", old()), row("e9", json!({}))]).await;
    assert_eq!(
        (imported.created, imported.linked, imported.known),
        (2, 0, 0)
    );
    let retried = bench.store.tried_again().await.unwrap();
    assert_eq!((retried.len(), retried[0].records), (1, 1));
    let sync = bench.begin("endpoints", Mode::Incremental, 30).await;
    let stands = Sync {
        made_with: "update true, onboard false".to_owned(),
        ..sync.clone()
    };
    assert_eq!(
        bench.stands(&stands, &[("e1", "1"), ("e2", "1")]).await,
        [Standing::NeedsTransform, Standing::Unchanged]
    );
    bench.end(&sync).await;
    read(&bench, 40, "2", true, false).await;
    let assets = bench.assets().await;
    assert_eq!(linked(&bench, &assets, "e1").unwrap().body["name"], "new");

    bench
        .store
        .remove_connection(bench.connection, Purge::Data)
        .await
        .unwrap();
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 2);
    assert!(assets.iter().all(|asset| asset.state == AssetState::Active));
}

#[tokio::test]
async fn importing_again_fills_gaps_and_doubles_and_overwrites_nothing() {
    let bench = Bench::new().await;
    let first = import(
        &bench,
        10,
        &[row("e1", json!({"a": 1, "b": null})), row("e2", json!({}))],
    )
    .await;
    assert_eq!(first.created, 2);
    let same = import(
        &bench,
        20,
        &[row("e1", json!({"a": 1})), row("e2", json!({}))],
    )
    .await;
    assert_eq!((same.created, same.known, same.filled), (0, 2, 0));
    // The same key twice in one file is one asset too.
    let more = [
        row("e1", json!({"a": 9, "b": 2})),
        row("e3", json!({})),
        row("e3", json!({"c": 3})),
    ];
    let filled = import(&bench, 30, &more).await;
    assert_eq!((filled.created, filled.known, filled.filled), (1, 2, 1));
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 3);
    assert_eq!(assets[0].body, json!({"a": 1, "b": 2}));
    assert_eq!(assets[2].body, json!({"c": 3}));
    assert_eq!(assets[0].created_by, None);
}

#[tokio::test]
async fn a_row_that_is_known_by_the_rules_is_linked_and_one_that_fits_several_is_not_loaded() {
    let bench = Bench::new().await;
    let machine = |key: &str| {
        let mut document = asset(key, json!({"name": key}));
        document
            .identity
            .push(("host-name".to_owned(), "srv".to_owned()));
        document
            .identity
            .push(("domain".to_owned(), "corp.example.com".to_owned()));
        entry(key, "1", vec![document])
    };
    let named = |key: &str| ImportedAsset {
        identity: vec![
            ("host-name".to_owned(), "SRV".to_owned()),
            ("domain".to_owned(), "corp.example.com".to_owned()),
        ],
        ..row(key, json!({"name": "other", "owner": "ops"}))
    };
    bench.full("endpoints", 10, vec![machine("e1")]).await;
    // Two rows of one source are two assets, whatever they are called.
    let imported = import(&bench, 20, &[named("k1"), named("k2")]).await;
    assert_eq!(
        (imported.linked, imported.created, imported.filled),
        (1, 1, 1)
    );
    let assets = bench.assets().await;
    assert_eq!(assets[0].body, json!({"name": "e1", "owner": "ops"}));
    assert_eq!(assets[0].onboarding_source.as_deref(), Some("test.source"));
    let other = bench
        .store
        .import_assets("second", &[named("z")], at(30))
        .await
        .unwrap();
    assert_eq!(other.ambiguous, [(1, "host-name+domain".to_owned(), 2)]);
    assert_eq!((other.created, other.linked), (0, 0));
    assert_eq!(bench.assets().await.len(), 2);
}
