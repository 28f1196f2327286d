//! Rotations over several tenants, without a component.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::connection::{ConnectionError, link};
use crate::domain::{ConnectionId, ConnectionName, DataStreamName, TenantName, Timestamp};
use crate::secrets::{
    KeyLock, KeySource, Keyring, KeyringError, SealError, Secret, SecretSet, sealed_with,
};
use crate::store::sqlite::{SqliteStore, Stores};
use crate::store::{ComponentRef, Connection, Policy, Store, Tested};

fn tenant(name: &str) -> TenantName {
    TenantName::new(name).unwrap()
}

fn connection(name: &str) -> Connection {
    let now = Timestamp::from_ms(1).unwrap();
    Connection {
        id: ConnectionId(0),
        name: ConnectionName::new(name).unwrap(),
        description: String::new(),
        component: ComponentRef {
            name: "test".to_owned(),
            version: "0.1.0".to_owned(),
            sha256: "0".repeat(64),
        },
        typed_config: json!({}),
        config: json!({}),
        origins: Vec::new(),
        secrets: vec!["apiKey".to_owned(), "other".to_owned()],
        data_streams: vec![DataStreamName::new("things").unwrap()],
        scope: Vec::new(),
        policy: Policy::default(),
        target: "safe".to_owned(),
        maps: BTreeMap::new(),
        allow_loopback: false,
        way_out: crate::store::WayOut::default(),
        tested: Tested::Untested {
            reason: "not tested".to_owned(),
        },
        leave_out_users: false,
        set_aside: None,
        reach: None,
        secrets_changed_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// The value of a connection's first secret: each has one of its own.
fn value(tenant: &str, name: &str) -> String {
    format!("test-key of {name} of {tenant}")
}

async fn connect(stores: &Stores, of: &str, name: &str) -> SqliteStore {
    let store = stores.create(&tenant(of)).await.unwrap();
    let keyring = HeldKeyring::open(stores.data()).await.unwrap();
    let secrets: SecretSet = [("apiKey", value(of, name)), ("other", "test".to_owned())]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Secret::new(value)))
        .collect();
    store
        .create_connection(&connection(name), |id| {
            link::sealed(&keyring, &tenant(of), id, &secrets)
        })
        .await
        .unwrap();
    store
}

/// Fails the test unless this connection's secrets open, whatever was done to the keys.
async fn opens(stores: &Stores, of: &str, name: &str) {
    let store = stores.open(&tenant(of)).await.unwrap();
    let saved = store
        .connection(&ConnectionName::new(name).unwrap())
        .await
        .unwrap();
    let keyring = HeldKeyring::open(stores.data()).await.unwrap();
    let sealed = store.secret(saved.id, "apiKey").await.unwrap().unwrap();
    let id = saved.id.to_string();
    let tenant = tenant(of);
    let place = link::place(&tenant, &id, "apiKey");
    let opened = keyring.open_sealed(&place, &sealed).unwrap();
    assert_eq!(opened.expose(), value(of, name));
    assert_eq!(sealed_with(&sealed), Some(keyring.current().id()));
}

const CONNECTIONS: [(&str, &str); 4] = [
    ("acme", "one"),
    ("acme", "two"),
    ("other", "one"),
    ("third", "one"),
];

async fn several(data: &Path) -> Stores {
    let stores = Stores::new(data);
    for (tenant, name) in CONNECTIONS {
        connect(&stores, tenant, name).await;
    }
    stores
}

#[tokio::test]
async fn a_rotation_loses_no_connection_of_any_tenant_and_forgets_the_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let stores = several(folder.path()).await;
    let before = standing(&stores).await.unwrap();
    let old = before.keys[0].id;
    assert_eq!(
        before.keys,
        [KeyCount {
            id: old,
            here: true,
            seals: true,
            connections: 4,
            secrets: 8
        }]
    );

    let rotation = rotate(&stores).await.unwrap();
    assert_ne!(rotation.key, old);
    assert_eq!(rotation.retired, [old]);
    assert_eq!(
        (rotation.tenants, rotation.resealed, rotation.unchanged),
        (3, 8, 0)
    );
    assert!(!rotation.resumed && rotation.lost.is_empty());
    for (tenant, name) in CONNECTIONS {
        opens(&stores, tenant, name).await;
    }
    let after = standing(&stores).await.unwrap();
    assert_eq!(after.keys.len(), 1);
    assert_eq!((after.keys[0].id, after.keys[0].secrets), (rotation.key, 8));
    assert!(after.lost.is_empty());
    assert!(!Keyring::open(stores.data()).unwrap().is_rotating());
}

#[tokio::test]
async fn a_rotation_that_was_interrupted_is_finished_with_the_key_that_it_made() {
    let folder = tempfile::tempdir().unwrap();
    let stores = several(folder.path()).await;
    let begun = Keyring::open(stores.data()).unwrap();
    let made = begun.begin_rotation().unwrap().place().unwrap();
    // One tenant came to be sealed anew, and one connection was made since.
    let one = stores.open(&tenant("acme")).await.unwrap();
    one.reseal_secrets(|kept| {
        let id = kept.connection.to_string();
        let tenant = tenant("acme");
        let place = link::place(&tenant, &id, &kept.name);
        made.reseal(&place, &kept.sealed).unwrap()
    })
    .await
    .unwrap();
    connect(&stores, "third", "later").await;

    let rotation = rotate(&stores).await.unwrap();
    assert!(rotation.resumed);
    assert_eq!(rotation.key, made.current().id());
    assert_eq!((rotation.resealed, rotation.unchanged), (4, 6));
    for (tenant, name) in CONNECTIONS.into_iter().chain([("third", "later")]) {
        opens(&stores, tenant, name).await;
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_keeps_a_rotation_from_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let stores = several(folder.path()).await;
    let key = Keyring::open(stores.data()).unwrap().current().id();
    std::fs::write(stores.data().join("tenants/broken.db"), "damaged").unwrap();
    let refused = rotate(&stores).await.unwrap_err();
    assert!(matches!(refused, ConnectionError::Store(_)), "{refused}");
    let keyring = Keyring::open(stores.data()).unwrap();
    assert!(keyring.current().id() == key && !keyring.is_rotating());
}

#[tokio::test]
async fn what_was_lost_before_is_told_and_keeps_nothing_else_from_being_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let stores = several(folder.path()).await;
    let lost_key = Keyring::open(stores.data()).unwrap().current().id();
    std::fs::remove_file(stores.data().join("master.key")).unwrap();
    connect(&stores, "acme", "later").await;

    let stands = standing(&stores).await.unwrap();
    assert_eq!(stands.lost.len(), 8);
    assert_eq!(stands.lost[0].connection.as_str(), "one");
    let gone = &stands.keys[1];
    assert!(!gone.here && gone.id == lost_key && gone.connections == 4);

    let rotation = rotate(&stores).await.unwrap();
    assert_eq!((rotation.resealed, rotation.lost.len()), (2, 8));
    assert!(
        matches!(&rotation.lost[0].reason, SealError::UnknownKey { key, .. } if *key == lost_key)
    );
    opens(&stores, "acme", "later").await;
}

#[tokio::test]
async fn nothing_is_made_where_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not-there");
    let stores = Stores::new(&data);
    let stands = standing(&stores).await.unwrap();
    assert!(stands.source.is_none() && stands.keys.is_empty());
    assert!(!data.exists());
    assert!(matches!(rotate(&stores).await, Err(ConnectionError::NoKey)));
    assert!(!data.join("master.key").exists());
}

#[tokio::test]
async fn a_sealed_secret_opens_for_no_other_tenant_connection_or_name() {
    let folder = tempfile::tempdir().unwrap();
    let stores = several(folder.path()).await;
    let acme = stores.open(&tenant("acme")).await.unwrap();
    let other = stores.open(&tenant("other")).await.unwrap();
    let kept = acme.sealed_secrets().await.unwrap();
    let (one, named_other, two) = (&kept[0], &kept[1], &kept[2]);
    assert_eq!(named_other.name, "other");
    let there = other.sealed_secrets().await.unwrap();
    // The other tenant's connection has the very number that this one has.
    assert_eq!(there[0].connection, one.connection);
    for (store, place, moved) in [
        (&other, &there[0], one),
        (&acme, two, one),
        (&acme, one, named_other),
    ] {
        let before = place.sealed.clone();
        store
            .put_secret(place.connection, &place.name, &moved.sealed)
            .await
            .unwrap();
        let stands = standing(&stores).await.unwrap();
        assert_eq!(stands.lost.len(), 1, "{stands:?}");
        assert_eq!(
            stands.lost[0].reason,
            SealError::Tampered {
                name: "apiKey".to_owned()
            }
        );
        store
            .put_secret(place.connection, &place.name, &before)
            .await
            .unwrap();
    }
    assert!(standing(&stores).await.unwrap().lost.is_empty());
}

/// Time stands still, and goes on at once where everybody waits.
#[tokio::test(start_paused = true)]
async fn a_rotation_waits_for_who_seals_and_who_seals_for_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let stores = Stores::new(folder.path());
    let held = HeldKeyring::open(stores.data()).await.unwrap();
    assert!(matches!(
        rotate(&stores).await,
        Err(ConnectionError::Keyring(KeyringError::Busy))
    ));
    drop(held);
    rotate(&stores).await.unwrap();
    let _alone = KeyLock::alone(stores.data()).await.unwrap();
    assert!(matches!(
        HeldKeyring::open(stores.data()).await,
        Err(KeyringError::Busy)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_while_keys_are_rotated_again_and_again_can_all_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let stores = several(folder.path()).await;
    let sealing = (0..3).map(|which| {
        let stores = stores.clone();
        tokio::spawn(async move {
            let of = ["acme", "other", "third"][which];
            for n in 0..8 {
                connect(&stores, of, &format!("new-{n}")).await;
            }
        })
    });
    let sealing: Vec<_> = sealing.collect();
    for _ in 0..8 {
        rotate(&stores).await.unwrap();
    }
    for each in sealing {
        each.await.unwrap();
    }
    rotate(&stores).await.unwrap();
    let stands = standing(&stores).await.unwrap();
    assert!(stands.lost.is_empty(), "{stands:?}");
    assert_eq!((stands.keys.len(), stands.keys[0].connections), (1, 4 + 24));
}

#[test]
fn the_source_is_told_by_its_word_and_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::open(folder.path()).unwrap();
    let KeySource::File(path) = keyring.source() else {
        panic!("{:?}", keyring.source());
    };
    assert!(path.ends_with("master.key"));
    assert_eq!(keyring.source().word(), "file");
}
