//! Connections and their secrets.

use super::support::*;
use crate::domain::{ConnectionId, Mode};
use crate::store::*;

#[tokio::test]
async fn a_connection_reads_back_as_it_was_saved() {
    let bench = Bench::new().await;
    let name = "prod".parse().unwrap();
    let mut saved = bench.store.connection(&name).await.unwrap();
    assert_eq!(
        saved,
        Connection {
            id: bench.connection,
            ..connection("prod")
        }
    );
    saved.description = "changed".to_owned();
    saved.tested = Tested::Passed { at: at(5) };
    saved.maps.insert(
        stream("alerts"),
        StoredMap {
            name: "safe".to_owned(),
            version: None,
            hash: "0".repeat(64),
            body: "{}".to_owned(),
            origin: MapOrigin::Own(3),
        },
    );
    bench.store.update_connection(&saved, &[]).await.unwrap();
    assert_eq!(bench.store.connections().await.unwrap(), [saved]);
}

#[tokio::test]
async fn a_name_is_given_once_and_an_unknown_one_is_told_with_those_that_there_are() {
    let bench = Bench::new().await;
    let twice = bench
        .store
        .create_connection(&connection("prod"), no_secrets)
        .await;
    assert!(matches!(twice, Err(StoreError::NameTaken { .. })));
    let mut other = bench
        .store
        .create_connection(&connection("test"), no_secrets)
        .await
        .unwrap();
    other.name = "prod".parse().unwrap();
    assert!(matches!(
        bench.store.update_connection(&other, &[]).await,
        Err(StoreError::NameTaken { .. })
    ));
    let error = bench
        .store
        .connection(&"none".parse().unwrap())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("there is prod, test"), "{error}");
    other.id = ConnectionId(99);
    other.name = "new".parse().unwrap();
    assert!(matches!(
        bench.store.update_connection(&other, &[]).await,
        Err(StoreError::ConnectionGone(_))
    ));
    assert!(matches!(
        bench
            .store
            .remove_connection(ConnectionId(99), Purge::Data)
            .await,
        Err(StoreError::ConnectionGone(_) | StoreError::Io { .. })
    ));
}

#[tokio::test]
async fn sealed_secrets_are_kept_by_name_and_replaced() {
    let bench = Bench::new().await;
    let store = &bench.store;
    store
        .put_secret(bench.connection, "apiKey", b"sealed-1")
        .await
        .unwrap();
    store
        .put_secret(bench.connection, "apiKey", b"sealed-2")
        .await
        .unwrap();
    assert_eq!(
        store
            .secret(bench.connection, "apiKey")
            .await
            .unwrap()
            .as_deref(),
        Some(&b"sealed-2"[..])
    );
    assert_eq!(
        store.secret(ConnectionId(99), "apiKey").await.unwrap(),
        None
    );
    assert_eq!(
        store.secret_names(bench.connection).await.unwrap(),
        ["apiKey"]
    );
}

fn sealed(name: &str) -> SealedSecret {
    SealedSecret {
        name: name.to_owned(),
        sealed: b"sealed".to_vec(),
    }
}

#[tokio::test]
async fn a_connection_whose_secrets_cannot_be_sealed_is_not_saved() {
    let bench = Bench::new().await;
    let failed = bench
        .store
        .create_connection(&connection("test"), |_| {
            Err(StoreError::NoSuchSync(crate::domain::SyncId(7)))
        })
        .await;
    assert!(matches!(failed, Err(StoreError::NoSuchSync(_))));
    assert_eq!(bench.store.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_comes_with_its_secrets_and_keeps_only_those_that_it_uses() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let told = std::sync::Mutex::new(None);
    let mut saved = store
        .create_connection(&connection("test"), |id| {
            *told.lock().unwrap() = Some(id);
            Ok::<_, StoreError>(vec![sealed("apiKey")])
        })
        .await
        .unwrap();
    assert_eq!(*told.lock().unwrap(), Some(saved.id));
    assert_eq!(store.secret_names(saved.id).await.unwrap(), ["apiKey"]);
    saved.secrets = vec!["token".to_owned()];
    store
        .update_connection(&saved, &[sealed("token")])
        .await
        .unwrap();
    assert_eq!(store.secret_names(saved.id).await.unwrap(), ["token"]);
}

#[tokio::test]
async fn a_connection_removed_with_its_data_kept_comes_back_with_it() {
    let bench = Bench::new().await;
    bench
        .store
        .put_secret(bench.connection, "apiKey", b"sealed")
        .await
        .unwrap();
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench
        .store
        .remove_connection(bench.connection, Purge::KeepData)
        .await
        .unwrap();
    assert!(bench.store.connections().await.unwrap().is_empty());
    assert_eq!(
        bench
            .store
            .secret(bench.connection, "apiKey")
            .await
            .unwrap(),
        None
    );
    assert_eq!(bench.assets().await.len(), 1);
    let mut elsewhere = connection("prod");
    elsewhere.origins[0].1 = "https://api-y.example.com".to_owned();
    let other = bench
        .store
        .create_connection(&elsewhere, no_secrets)
        .await
        .unwrap();
    assert_ne!(other.id, bench.connection);
    bench
        .store
        .remove_connection(other.id, Purge::Data)
        .await
        .unwrap();
    let back = bench
        .store
        .create_connection(&connection("prod"), no_secrets)
        .await
        .unwrap();
    assert_eq!(back.id, bench.connection);
    let sync = bench.begin("endpoints", Mode::Incremental, 20).await;
    assert_eq!(sync.state.checkpoint, None);
    assert_eq!(
        bench.stands(&sync, &[("e1", "1")]).await,
        [Standing::Unchanged]
    );
}

#[tokio::test]
async fn a_purge_takes_all_that_the_connection_brought_and_nothing_else() {
    let bench = Bench::new().await;
    let documents = vec![
        asset("e1", serde_json::json!({})),
        finding("f1", Some("e1"), "low"),
    ];
    bench
        .full("endpoints", 10, vec![entry("e1", "1", documents)])
        .await;
    let other = bench
        .store
        .create_connection(&connection("other"), no_secrets)
        .await
        .unwrap()
        .id;
    let beside = Bench {
        connection: other,
        store: bench.store.clone(),
        folder: tempfile::tempdir().unwrap(),
    };
    beside
        .full("endpoints", 20, vec![endpoint("e2", "1")])
        .await;
    assert_eq!(bench.assets().await.len(), 2);
    bench
        .store
        .remove_connection(bench.connection, Purge::Data)
        .await
        .unwrap();
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(assets[0].created_by, Some(other));
    assert!(bench.findings().await.is_empty());
    assert!(bench.record("endpoints", "e1").await.is_none());
    assert!(beside.record("endpoints", "e2").await.is_some());
    assert_eq!(
        bench.store.runs(&RunFilter::default()).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn custom_fields_are_added_once_and_removed() {
    let bench = Bench::new().await;
    let store = &bench.store;
    assert!(
        store
            .add_custom_field("cortexXdr-tags", at(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .add_custom_field("cortexXdr-tags", at(2))
            .await
            .unwrap()
    );
    assert_eq!(store.custom_fields().await.unwrap(), ["cortexXdr-tags"]);
    assert!(store.remove_custom_field("cortexXdr-tags").await.unwrap());
    assert!(!store.remove_custom_field("cortexXdr-tags").await.unwrap());
    for bad in ["", " x", "a\nb", &"x".repeat(129)] {
        assert!(
            matches!(
                store.add_custom_field(bad, at(1)).await,
                Err(StoreError::Refused { .. })
            ),
            "{bad:?}"
        );
    }
}
