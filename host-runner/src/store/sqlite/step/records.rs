//! Writes source records.

use serde::Serialize;
use sqlx::SqliteConnection;

use super::Context;
use super::sort::Written;
use crate::domain::Timestamp;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack::{self, Compressor, Pieces};

/// A record that was seen and is as it was.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::sqlite) struct Seen {
    pub(in crate::store::sqlite) id: i64,
    pub(in crate::store::sqlite) seen_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Row<'a>(
    i64,
    &'a str,
    &'a str,
    bool,
    i64,
    Option<u64>,
    Option<String>,
    i64,
);

/// Writes the records of entries whose documents were written.
pub(super) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    made_with: &str,
    written: &[Written<'_>],
) -> Result<(), Fail> {
    if written.is_empty() {
        return Ok(());
    }
    let making = making(tx, made_with).await?;
    let mut rows = Vec::with_capacity(written.len());
    let mut places = Vec::with_capacity(written.len());
    let mut pieces = Pieces::default();
    let mut compressor = Compressor::new()?;
    for record in written {
        let problems = if record.problems.is_empty() {
            None
        } else {
            Some(pack::json(record.problems)?)
        };
        rows.push(Row(
            record.id,
            &record.entry.key,
            &record.entry.fingerprint,
            record.parked,
            // What a list of open records "as before this sync" shows; a record that an earlier step of this sync wrote keeps it.
            record
                .before
                .as_ref()
                .map_or(ctx.now.as_i64(), |before| before.last_seen),
            record.entry.seen_at.map(Timestamp::as_ms),
            problems,
            making,
        ));
        let (place, length) = pieces.push(&compressor.compress(&record.entry.body)?);
        places.push((record.id, place, length));
    }
    sqlx::query(
        "INSERT INTO records (id, stream_id, key, fingerprint, state, parked, sync_id, first_seen, last_seen,
                              checked_before, seen_at, problems, making_id)
         SELECT j.value ->> 0, ?2, j.value ->> 1, j.value ->> 2, 0, j.value ->> 3, ?3, ?4, ?4,
                j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7
         FROM json_each(?1) AS j WHERE true
         ON CONFLICT (id) DO UPDATE SET
             fingerprint = excluded.fingerprint, state = 0, parked = excluded.parked,
             checked_before = CASE sync_id WHEN excluded.sync_id THEN checked_before ELSE excluded.checked_before END,
             sync_id = excluded.sync_id, last_seen = excluded.last_seen,
             seen_at = coalesce(excluded.seen_at, seen_at), problems = excluded.problems, making_id = excluded.making_id,
             closed_at = NULL, evidence = NULL",
    )
    .bind(pack::json(&rows)?)
    .bind(ctx.stream)
    .bind(ctx.sync.0)
    .bind(ctx.now.as_i64())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT OR REPLACE INTO bodies (id, body)
         SELECT j.value ->> 0, substr(?2, j.value ->> 1, j.value ->> 2) FROM json_each(?1) AS j",
    )
    .bind(pack::json(&places)?)
    .bind(pieces.bytes)
    .execute(tx)
    .await?;
    Ok(())
}

/// Marks records as seen: a few bytes each.
pub(super) async fn mark_seen(
    tx: &mut SqliteConnection,
    ctx: &Context,
    seen: &[Seen],
) -> Result<(), Fail> {
    if seen.is_empty() {
        return Ok(());
    }
    let rows: Vec<(i64, Option<u64>)> = seen
        .iter()
        .map(|seen| (seen.id, seen.seen_at.map(Timestamp::as_ms)))
        .collect();
    sqlx::query(
        "UPDATE records SET
             checked_before = CASE sync_id WHEN ?2 THEN checked_before ELSE last_seen END,
             sync_id = ?2, last_seen = ?3, seen_at = coalesce(j.value ->> 1, seen_at)
         FROM json_each(?1) AS j WHERE records.id = j.value ->> 0",
    )
    .bind(pack::json(&rows)?)
    .bind(ctx.sync.0)
    .bind(ctx.now.as_i64())
    .execute(tx)
    .await?;
    Ok(())
}

/// The number of what documents are made with.
async fn making(tx: &mut SqliteConnection, made_with: &str) -> Result<i64, Fail> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM makings WHERE made_with = ?1")
        .bind(made_with)
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let made = sqlx::query("INSERT INTO makings (made_with) VALUES (?1)")
        .bind(made_with)
        .execute(tx)
        .await?;
    Ok(made.last_insert_rowid())
}
