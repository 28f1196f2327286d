//! The tables, and how older files become newer ones.
//!
//! `PRAGMA user_version` counts the migrations that a file has been through. A migration is frozen once it was released: a change is a
//! new file, appended to the list. Each runs in one transaction, so that a file is never between two versions.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use super::error::explain;
use crate::store::StoreError;

/// Marks the file as ours ("cxhr"), in SQLite's own header.
const APPLICATION_ID: i64 = 0x6378_6872;

/// In order; the first makes an empty file version 1.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
];

/// The version that this build writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Checks that the file is ours and brings it to this build's version.
///
/// # Errors
/// [`StoreError::FutureSchema`], [`StoreError::NotADatabase`], and whatever goes wrong with the file.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    file: &Path,
) -> Result<(), StoreError> {
    migrate_with(connection, file, MIGRATIONS).await
}

async fn migrate_with(
    connection: &mut SqliteConnection,
    file: &Path,
    migrations: &'static [&'static str],
) -> Result<(), StoreError> {
    let failed = |error| explain(file, error);
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if version(connection, file).await? == known {
        return Ok(());
    }
    // Another process may do the same: look again inside the transaction.
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(failed)?;
    let found = version(&mut transaction, file).await?;
    if found > known {
        return Err(StoreError::FutureSchema {
            file: file.to_owned(),
            found,
            known,
        });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for migration in migrations.iter().skip(done) {
        sqlx::raw_sql(*migration)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    // A pragma takes no parameters; both numbers are ours.
    let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {known};");
    sqlx::raw_sql(sqlx::AssertSqlSafe(marks))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// How many migrations the file has been through; 0 for an empty file.
async fn version(connection: &mut SqliteConnection, file: &Path) -> Result<i64, StoreError> {
    let failed = |error| explain(file, error);
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let empty = version == 0 && application == 0 && tables == 0;
    if empty || (application == APPLICATION_ID && version > 0) {
        return Ok(version);
    }
    Err(StoreError::NotADatabase {
        file: file.to_owned(),
        reason: "it is a database of another program".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE a (x)";
    const TWO: &str = "ALTER TABLE a ADD COLUMN y; INSERT INTO a (x, y) VALUES (1, 2)";
    const BROKEN: &str = "INSERT INTO a (x) VALUES (3); CREATE TABLE a (x)";

    async fn memory() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    async fn count(connection: &mut SqliteConnection) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM a")
            .fetch_one(connection)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn an_older_file_goes_through_the_migrations_that_it_lacks_and_no_other() {
        let mut db = memory().await;
        let file = Path::new("x.db");
        migrate_with(&mut db, file, &[ONE]).await.unwrap();
        assert_eq!(version(&mut db, file).await.unwrap(), 1);
        for _ in 0..2 {
            migrate_with(&mut db, file, &[ONE, TWO]).await.unwrap();
            assert_eq!(version(&mut db, file).await.unwrap(), 2);
            assert_eq!(count(&mut db).await, 1);
        }
        let future = migrate_with(&mut db, file, &[ONE]).await;
        assert!(matches!(
            future,
            Err(StoreError::FutureSchema {
                found: 2,
                known: 1,
                ..
            })
        ));
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let mut db = memory().await;
        let file = Path::new("x.db");
        migrate_with(&mut db, file, &[ONE]).await.unwrap();
        assert!(
            migrate_with(&mut db, file, &[ONE, TWO, BROKEN])
                .await
                .is_err()
        );
        assert_eq!(version(&mut db, file).await.unwrap(), 1);
        assert_eq!(count(&mut db).await, 0);
    }

    #[tokio::test]
    async fn what_goes_by_key_uses_an_index() {
        let mut db = memory().await;
        migrate(&mut db, Path::new("x.db")).await.unwrap();
        sqlx::raw_sql("CREATE TEMP TABLE leaving (record_id INTEGER PRIMARY KEY)")
            .execute(&mut db)
            .await
            .unwrap();
        for (sql, table) in [
            ("SELECT r.id FROM json_each('[]') AS j CROSS JOIN records AS r ON r.stream_id = 1 AND r.key = j.value", "r"),
            ("UPDATE records SET last_seen = 1 FROM json_each('[]') AS j WHERE records.id = j.value ->> 0", "records"),
            ("UPDATE findings SET state = 1 WHERE state <> 1 AND record_id IN (SELECT record_id FROM temp.leaving)", "findings"),
            ("UPDATE links SET state = 1 WHERE record_id IN (SELECT record_id FROM temp.leaving)", "links"),
            ("UPDATE findings SET asset_id = 1 FROM json_each('[]') AS j WHERE findings.asset_key = j.value ->> 0
              AND findings.connection_id = 1 AND findings.asset_id IS NULL", "findings"),
            ("UPDATE links SET asset_id = 1 FROM json_each('[]') AS j WHERE links.key = j.value ->> 0
              AND links.connection_id = 1 AND links.asset_id IS NULL", "links"),
        ] {
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(&mut db).await.unwrap();
            let search = format!("SEARCH {table} USING");
            assert!(plan.iter().any(|(.., step)| step.starts_with(&search)), "{sql}: {plan:?}");
        }
    }
}
