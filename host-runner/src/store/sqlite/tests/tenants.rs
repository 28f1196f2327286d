//! Tenants beside each other: what one has is none of the other's, whatever the names and files look like.

use std::fs;
use std::path::Path;

use super::support::*;
use crate::domain::{Mode, TenantName};
use crate::imports::Inventory;
use crate::pipeline::StoreInventory;
use crate::store::sqlite::{SqliteStore, Stores};
use crate::store::*;

/// A tenant with a connection `prod`, as every bench has, in the data directory of another.
async fn beside(bench: &Bench, name: &str) -> Bench {
    let tenant = TenantName::new(name).unwrap();
    let stores = Stores::new(bench.folder.path());
    let store: SqliteStore = stores.create(&tenant).await.unwrap();
    let connection = store
        .create_connection(&connection("prod"), no_secrets)
        .await
        .unwrap();
    Bench {
        connection: connection.id,
        store,
        folder: tempfile::tempdir().unwrap(),
    }
}

#[tokio::test]
async fn equal_names_and_ids_in_two_tenants_are_two_things() {
    let bench = Bench::new().await;
    let other = beside(&bench, "beta").await;
    assert_eq!(
        bench.connection, other.connection,
        "else this shows nothing"
    );
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    bench
        .store
        .put_secret(bench.connection, "apiKey", b"sealed")
        .await
        .unwrap();
    bench.store.add_custom_field("mine", at(1)).await.unwrap();
    assert!(other.assets().await.is_empty());
    assert!(other.record("endpoints", "e1").await.is_none());
    assert!(
        other
            .store
            .runs(&RunFilter::default())
            .await
            .unwrap()
            .is_empty()
    );
    let history = other
        .store
        .sync_history(other.connection, &stream("endpoints"))
        .await
        .unwrap();
    assert_eq!(history, SyncHistory::default(), "a checkpoint, say");
    let secret = other.store.secret(other.connection, "apiKey").await;
    assert_eq!(secret.unwrap(), None);
    assert!(other.store.custom_fields().await.unwrap().is_empty());
    // And locks: both can be synced at once.
    let locks = (
        bench.store.lock(bench.connection, at(1)).await,
        other.store.lock(other.connection, at(1)).await,
    );
    assert!(locks.0.is_ok() && locks.1.is_ok());
}

fn inventory(bench: &Bench, streams: &[&str]) -> StoreInventory<SqliteStore> {
    StoreInventory {
        store: bench.store.clone(),
        connection: bench.connection,
        streams: streams.iter().map(|name| stream(name)).collect(),
        before: None,
    }
}

async fn keys(
    inventory: &StoreInventory<SqliteStore>,
    of: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, String> {
    let mut listed = Vec::new();
    for oldest in [false, true] {
        let held = inventory.open(of.to_owned(), oldest, after.map(str::to_owned), limit);
        let mut held: Vec<String> = held.await?.into_iter().map(|record| record.key).collect();
        held.sort();
        listed.push(held);
    }
    let by_check = listed.pop().unwrap_or_default();
    let by_key = listed.pop().unwrap_or_default();
    if after.is_none() {
        assert_eq!(by_key, by_check);
    }
    Ok(by_key)
}

#[tokio::test]
async fn the_inventory_gives_the_connections_own_records_whatever_is_asked_for() {
    let bench = Bench::new().await;
    bench
        .full("endpoints", 10, vec![endpoint("b-own", "1")])
        .await;
    bench.full("hidden", 10, vec![endpoint("h-own", "1")]).await;
    let second = bench
        .store
        .create_connection(&connection("second"), no_secrets)
        .await
        .unwrap();
    let same_tenant = Bench {
        connection: second.id,
        store: bench.store.clone(),
        folder: tempfile::tempdir().unwrap(),
    };
    let other_tenant = beside(&bench, "beta").await;
    for (foreign, key) in [(&same_tenant, "a-second"), (&other_tenant, "c-beta")] {
        foreign
            .full("endpoints", 10, vec![endpoint(key, "1")])
            .await;
    }
    let own = inventory(&bench, &["endpoints"]);
    assert_eq!(
        keys(&own, "endpoints", None, u32::MAX).await.unwrap(),
        ["b-own"]
    );
    assert!(keys(&own, "endpoints", None, 0).await.unwrap().is_empty());
    for after in [
        "",
        "a",
        "a-second",
        "c-beta",
        "\0",
        "\u{10ffff}",
        "' OR 1=1 --",
        "%",
    ] {
        for key in keys(&own, "endpoints", Some(after), u32::MAX)
            .await
            .unwrap()
        {
            assert_eq!(key, "b-own", "after {after:?}");
        }
    }
    // A data stream that is not chosen, another connection's, another tenant's, another spelling.
    for name in [
        "hidden",
        "",
        "Endpoints",
        "endpoints ",
        "endpoints\0",
        "2/endpoints",
        "second/endpoints",
        "../beta/endpoints",
        "endpoints' OR '1'='1",
        "*",
    ] {
        let refused = keys(&own, name, None, 10).await.unwrap_err();
        assert!(refused.contains("no data stream"), "{refused}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_a_symbolic_link_is_no_tenants_data() {
    use std::os::unix::fs::symlink;
    let bench = Bench::new().await;
    let tenants = bench.folder.path().join("tenants");
    let stores = Stores::new(bench.folder.path());
    for (link, name) in [("evil.db", "evil"), ("half.db-wal", "half")] {
        symlink(tenants.join("acme.db"), tenants.join(link)).unwrap();
        let tenant = TenantName::new(name).unwrap();
        if name == "half" {
            fs::write(tenants.join("half.db"), b"").unwrap();
        }
        for opened in [stores.open(&tenant).await, stores.create(&tenant).await] {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains("symbolic link"), "{error}");
        }
        // What is erased is the link.
        assert!(stores.purge(&tenant).unwrap());
        assert!(fs::symlink_metadata(tenants.join(link)).is_err());
    }
    assert_eq!(bench.store.connections().await.unwrap().len(), 1);
    assert!(stores.open(&tenant()).await.is_ok());
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn a_tenants_files_are_for_this_user_alone_also_those_that_were_not() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let lock = bench.store.lock(bench.connection, at(1)).await.unwrap();
    let tenants = bench.folder.path().join("tenants");
    for file in ["acme.db", "acme.db-wal", "acme.db-shm"] {
        assert_eq!(mode(&tenants.join(file)), 0o600, "{file}");
    }
    for folder in ["tenants", "locks", "locks/acme"] {
        assert_eq!(mode(&bench.folder.path().join(folder)), 0o700, "{folder}");
    }
    drop(lock);
    let Bench { folder, store, .. } = bench;
    store.close().await;
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    open(&tenants, 0o755).unwrap();
    open(&tenants.join("acme.db"), 0o644).unwrap();
    let store = Stores::new(folder.path()).open(&tenant()).await.unwrap();
    assert_eq!(mode(&tenants), 0o700);
    assert_eq!(mode(&tenants.join("acme.db")), 0o600);
    assert_eq!(store.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_tenants_file_is_another_tenants() {
    let bench = Bench::new().await;
    let stores = Stores::new(bench.folder.path());
    // Names that look like the files beside another tenant's.
    let names = [
        "acme.db",
        "acme.db-wal",
        "acme.purge",
        "acme.db.db",
        "acme-wal",
    ];
    for name in names {
        beside(&bench, name).await.store.close().await;
    }
    assert_eq!(stores.tenants().unwrap().len(), names.len() + 1);
    let Bench { folder, store, .. } = bench;
    store.close().await;
    assert!(stores.purge(&tenant()).unwrap());
    assert_eq!(stores.tenants().unwrap().len(), names.len());
    for name in names {
        let opened = stores.open(&TenantName::new(name).unwrap()).await.unwrap();
        assert_eq!(opened.connections().await.unwrap().len(), 1, "{name}");
    }
    drop(folder);
}

#[tokio::test]
async fn a_tenant_that_is_made_anew_has_nothing_of_the_one_that_was_being_erased() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    let stores = Stores::new(bench.folder.path());
    let tenants = bench.folder.path().join("tenants");
    // As a killed purge leaves it: the file is gone, the log beside it with all that was written is not.
    let log = fs::read(tenants.join("acme.db-wal")).unwrap();
    let Bench { folder, store, .. } = bench;
    store.close().await;
    fs::remove_file(tenants.join("acme.db")).unwrap();
    fs::write(tenants.join("acme.db-wal"), log).unwrap();
    fs::write(tenants.join("acme.purge"), b"").unwrap();
    assert!(stores.tenants().unwrap().is_empty());
    let store = stores.create(&tenant()).await.unwrap();
    assert!(store.connections().await.unwrap().is_empty());
    assert!(!tenants.join("acme.purge").exists());
    drop((folder, store));
}

#[tokio::test]
async fn an_erasure_that_goes_on_is_left_to_who_does_it() {
    let bench = Bench::new().await;
    let stores = Stores::new(bench.folder.path());
    let tenants = bench.folder.path().join("tenants");
    // The bench's own store stands for a process that is not done.
    fs::write(tenants.join("acme.purge"), b"").unwrap();
    assert!(stores.finish_purges().unwrap().is_empty());
    for opened in [stores.open(&tenant()).await, stores.create(&tenant()).await] {
        assert!(matches!(opened, Err(StoreError::TenantBusy { .. })));
    }
    let sync = bench.begin("endpoints", Mode::Full, 10).await;
    bench.put(&sync, vec![endpoint("e1", "1")]).await;
    let Bench { folder, store, .. } = bench;
    store.close().await;
    assert_eq!(stores.finish_purges().unwrap(), [tenant()]);
    assert!(!tenants.join("acme.db").exists());
    drop(folder);
}
