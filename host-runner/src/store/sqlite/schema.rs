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
const MIGRATIONS: &[&str] = &[include_str!("schema/0001.sql")];

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
