//! Files that are missing, foreign, damaged or from the future; and tenants beside each other.

use std::fs;

use super::support::*;
use crate::domain::TenantName;
use crate::store::sqlite::{SCHEMA_VERSION, Stores};
use crate::store::*;

fn file(bench: &Bench) -> std::path::PathBuf {
    bench.folder.path().join("tenants/acme.db")
}

async fn write(bench: &Bench, sql: &'static str) {
    sqlx::raw_sql(sql)
        .execute(&bench.store.inner.writer)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_unknown_tenant_is_told_with_those_that_there_are() {
    let bench = Bench::new().await;
    let stores = Stores::new(bench.folder.path());
    let error = stores
        .open(&TenantName::new("other").unwrap())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("there is acme"), "{error}");
    assert!(!bench.folder.path().join("tenants/other.db").exists());
    let nowhere = Stores::new(bench.folder.path().join("nowhere"));
    assert!(nowhere.tenants().unwrap().is_empty());
    assert!(matches!(
        nowhere.open(&tenant()).await,
        Err(StoreError::NoSuchTenant { .. })
    ));
}

#[tokio::test]
async fn a_file_from_the_future_is_refused_and_left_as_it_is() {
    let bench = Bench::new().await;
    write(
        &bench,
        "PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .await;
    bench.store.inner.writer.close().await;
    let before = fs::read(file(&bench)).unwrap();
    match Stores::new(bench.folder.path()).open(&tenant()).await {
        Err(StoreError::FutureSchema { found, known, .. }) => {
            assert_eq!((found, known), (999, SCHEMA_VERSION))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(file(&bench)).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tenants")).unwrap();
    let stores = Stores::new(folder.path());
    let path = folder.path().join("tenants/acme.db");
    for bytes in [
        &b"x"[..],
        b"a text that is long enough to hold a header, and holds none",
        b"SQLite format 3\0",
    ] {
        fs::write(&path, bytes).unwrap();
        let error = stores.create(&tenant()).await.unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::NotADatabase { .. } | StoreError::Damaged { .. }
            ),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(stores.open(&tenant()).await.is_err());
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let bench = Bench::new().await;
    write(&bench, "PRAGMA application_id = 7").await;
    let error = Stores::new(bench.folder.path())
        .open(&tenant())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::NotADatabase { reason, .. } if reason.contains("another program")),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_file_is_told_as_one() {
    let bench = Bench::new().await;
    let alerts = (0..200).map(|n| alert(&format!("a{n}"), "e1")).collect();
    bench.full("alerts", 10, alerts).await;
    write(&bench, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    bench.store.inner.writer.close().await;
    let mut bytes = fs::read(file(&bench)).unwrap();
    let middle = 4096 * 4..bytes.len() - 4096;
    bytes[middle].fill(0xff);
    fs::write(file(&bench), bytes).unwrap();
    let query = RecordQuery {
        connection: bench.connection,
        stream: stream("alerts"),
        key: None,
        after: None,
        limit: 1000,
    };
    // What is hit first decides whether opening it or reading it tells.
    let error = match Stores::new(bench.folder.path()).open(&tenant()).await {
        Ok(store) => store.records(&query).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn folders_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Stores::new(&data).create(&tenant()).await.unwrap();
    for path in [&data, &data.join("tenants")] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}

#[tokio::test]
async fn a_full_disk_is_told_as_one_and_what_was_committed_stays() {
    let bench = Bench::new().await;
    bench.full("endpoints", 10, vec![endpoint("e1", "1")]).await;
    // SQLite answers the same when the disk is full and when its own limit of pages is reached.
    write(&bench, "PRAGMA max_page_count = 1").await;
    let sync = bench
        .begin("endpoints", crate::domain::Mode::Full, 20)
        .await;
    let big = (0..2_000)
        .map(|n| endpoint(&format!("b{n}"), "1"))
        .collect();
    let error = bench
        .store
        .commit_step(bench.step(&sync, big))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    write(&bench, "PRAGMA max_page_count = 1000000").await;
    assert_eq!(bench.assets().await.len(), 1);
    let ledger = bench.put(&sync, vec![unchanged("e1", "1")]).await;
    assert_eq!(ledger.unchanged, 1);
}

#[tokio::test]
async fn tenants_are_listed_and_one_is_erased_without_the_other() {
    let bench = Bench::new().await;
    let stores = Stores::new(bench.folder.path());
    let other = TenantName::new("beta").unwrap();
    stores.create(&other).await.unwrap();
    fs::write(bench.folder.path().join("tenants/Not A Tenant.db"), b"").unwrap();
    assert_eq!(stores.tenants().unwrap(), [tenant(), other.clone()]);
    bench
        .store
        .lock(bench.connection, at(1))
        .await
        .map(drop)
        .unwrap();
    assert!(matches!(
        stores.purge(&tenant()),
        Err(StoreError::TenantBusy { .. })
    ));
    let Bench { folder, store, .. } = bench;
    store.close().await;
    assert!(stores.purge(&tenant()).unwrap());
    assert!(!stores.purge(&tenant()).unwrap());
    assert_eq!(stores.tenants().unwrap(), [other]);
    let left: Vec<_> = fs::read_dir(folder.path().join("tenants"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("acme"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
