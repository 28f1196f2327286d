//! The tenant's own transform maps.

use super::SqliteStore;
use super::fail::{Fail, refused};
use crate::domain::{MapName, Timestamp};
use crate::store::{MapVersion, NewMap, SavedMap, Saving};

/// Name, number, hash, when it was saved.
type Row = (String, i64, String, i64);

pub(super) async fn save(store: &SqliteStore, map: &NewMap<'_>) -> Result<Saving, Fail> {
    let mut tx = store.begin().await?;
    // The row of a removed map has no text, and its number counts all the same.
    let newest: Option<(i64, String, Option<String>, i64)> = sqlx::query_as(
        "SELECT number, hash, body, saved_at FROM maps WHERE name = ?1 ORDER BY number DESC LIMIT 1",
    )
    .bind(map.name.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let mut last = 0;
    let mut there = None;
    if let Some((number, hash, body, saved_at)) = newest {
        last = number;
        if let Some(body) = body {
            let row = (map.name.to_string(), number, hash, saved_at);
            there = Some((read(row)?, body));
        }
    }
    let standing = there.as_ref().map(|(version, _)| version.number);
    if map.after.is_some() && map.after != standing {
        return Ok(Saving::Overtaken(standing));
    }
    if let Some((version, body)) = there
        && body == map.body
    {
        return Ok(Saving::Unchanged(version));
    }
    let number = last.saturating_add(1);
    sqlx::query(
        "INSERT INTO maps (name, number, hash, body, saved_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(map.name.as_str())
    .bind(number)
    .bind(map.hash)
    .bind(map.body)
    .bind(map.now.as_i64())
    .execute(&mut *tx)
    .await?;
    // No longer needed to keep the number.
    sqlx::query("DELETE FROM maps WHERE name = ?1 AND body IS NULL")
        .bind(map.name.as_str())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let row = (
        map.name.to_string(),
        number,
        map.hash.to_owned(),
        map.now.as_i64(),
    );
    Ok(Saving::Saved(read(row)?))
}

pub(super) async fn newest(store: &SqliteStore) -> Result<Vec<SavedMap>, Fail> {
    let rows: Vec<(String, i64, String, i64, String)> = sqlx::query_as(
        "SELECT name, number, hash, saved_at, body FROM maps AS m
         WHERE body IS NOT NULL AND number = (SELECT max(number) FROM maps WHERE name = m.name) ORDER BY name",
    )
    .fetch_all(&store.inner.readers)
    .await?;
    rows.into_iter()
        .map(|(name, number, hash, saved_at, body)| {
            Ok(SavedMap {
                version: read((name, number, hash, saved_at))?,
                body,
            })
        })
        .collect()
}

pub(super) async fn one(
    store: &SqliteStore,
    name: &MapName,
    number: u32,
) -> Result<Option<SavedMap>, Fail> {
    let row: Option<(String, i64, String, i64, String)> = sqlx::query_as(
        "SELECT name, number, hash, saved_at, body FROM maps WHERE name = ?1 AND number = ?2 AND body IS NOT NULL",
    )
    .bind(name.as_str())
    .bind(i64::from(number))
    .fetch_optional(&store.inner.readers)
    .await?;
    row.map(|(name, number, hash, saved_at, body)| {
        Ok(SavedMap {
            version: read((name, number, hash, saved_at))?,
            body,
        })
    })
    .transpose()
}

pub(super) async fn versions(store: &SqliteStore, name: &MapName) -> Result<Vec<MapVersion>, Fail> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT name, number, hash, saved_at FROM maps WHERE name = ?1 AND body IS NOT NULL ORDER BY number DESC",
    )
    .bind(name.as_str())
    .fetch_all(&store.inner.readers)
    .await?;
    rows.into_iter().map(read).collect()
}

pub(super) async fn remove(store: &SqliteStore, name: &MapName) -> Result<u64, Fail> {
    let mut tx = store.begin().await?;
    let removed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM maps WHERE name = ?1 AND body IS NOT NULL")
            .bind(name.as_str())
            .fetch_one(&mut *tx)
            .await?;
    for statement in [
        "DELETE FROM maps WHERE name = ?1 AND number < (SELECT max(number) FROM maps WHERE name = ?1)",
        "UPDATE maps SET body = NULL WHERE name = ?1",
    ] {
        sqlx::query(statement)
            .bind(name.as_str())
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(removed.unsigned_abs())
}

fn read((name, number, hash, saved_at): Row) -> Result<MapVersion, Fail> {
    let number = u32::try_from(number)
        .map_err(|_| refused(format!("the map {name}"), "it has too many versions"))?;
    Ok(MapVersion {
        name: MapName::new(name)?,
        number,
        hash,
        saved_at: Timestamp::from_i64(saved_at)?,
    })
}
