//! The platform's custom fields.

use super::SqliteStore;
use super::fail::{Fail, refused};
use crate::domain::Timestamp;

/// The longest name, in characters.
const MAX_LENGTH: usize = 128;

pub(super) async fn list(store: &SqliteStore) -> Result<Vec<String>, Fail> {
    Ok(
        sqlx::query_scalar("SELECT name FROM custom_fields ORDER BY name")
            .fetch_all(&store.inner.readers)
            .await?,
    )
}

pub(super) async fn add(store: &SqliteStore, name: &str, now: Timestamp) -> Result<bool, Fail> {
    let length = name.chars().count();
    if name.trim() != name
        || name.is_empty()
        || length > MAX_LENGTH
        || name.chars().any(char::is_control)
    {
        return Err(refused(
            format!("the custom field {name:?}"),
            format!(
                "its name needs 1 to {MAX_LENGTH} characters, without spaces around it or control characters in it"
            ),
        ));
    }
    let mut tx = store.begin().await?;
    let done =
        sqlx::query("INSERT OR IGNORE INTO custom_fields (name, created_at) VALUES (?1, ?2)")
            .bind(name)
            .bind(now.as_i64())
            .execute(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn remove(store: &SqliteStore, name: &str) -> Result<bool, Fail> {
    let mut tx = store.begin().await?;
    let done = sqlx::query("DELETE FROM custom_fields WHERE name = ?1")
        .bind(name)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}
