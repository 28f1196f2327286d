//! Writes source records.

use sqlx::SqliteConnection;

use super::Context;
use super::sort::Written;
use crate::domain::Timestamp;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack::{self, Compressor};

/// A record that was seen and is as it was.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::sqlite) struct Seen {
    pub(in crate::store::sqlite) id: i64,
    pub(in crate::store::sqlite) seen_at: Option<Timestamp>,
}

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
    let now = ctx.now.as_i64();
    let mut compressor = Compressor::new()?;
    let mut rows = Vec::with_capacity(written.len());
    for record in written {
        let problems = if record.problems.is_empty() {
            None
        } else {
            Some(pack::json(record.problems)?)
        };
        rows.push((record, problems, compressor.compress(&record.entry.body)?));
    }
    pack::insert(
        tx,
        "INSERT INTO records (id, stream_id, key, fingerprint, state, parked, sync_id, first_seen, last_seen,
                              checked_before, seen_at, problems, making_id) ",
        &rows,
        " ON CONFLICT (id) DO UPDATE SET
             fingerprint = excluded.fingerprint, state = 0, parked = excluded.parked,
             checked_before = CASE sync_id WHEN excluded.sync_id THEN checked_before ELSE excluded.checked_before END,
             sync_id = excluded.sync_id, last_seen = excluded.last_seen,
             seen_at = coalesce(excluded.seen_at, seen_at), problems = excluded.problems, making_id = excluded.making_id,
             tried_id = NULL, stale = 0, closed_at = NULL, evidence = NULL",
        |row, (record, problems, _)| {
            row.push_bind(record.id)
                .push_bind(ctx.stream)
                .push_bind(record.entry.key.as_str())
                .push_bind(record.entry.fingerprint.as_str())
                .push_bind(0)
                .push_bind(record.parked)
                .push_bind(ctx.sync.0)
                .push_bind(now)
                .push_bind(now)
                // What a list of open records "as before this sync" shows; a record that an earlier step of this sync wrote keeps it.
                .push_bind(record.before.as_ref().map_or(now, |before| before.last_seen))
                .push_bind(record.entry.seen_at.map(Timestamp::as_i64))
                .push_bind(problems.as_deref())
                .push_bind(making);
        },
    )
    .await?;
    pack::insert(
        tx,
        "INSERT OR REPLACE INTO bodies (id, body) ",
        &rows,
        "",
        |row, (record, _, body)| {
            row.push_bind(record.id).push_bind(body.as_slice());
        },
    )
    .await
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
pub(in crate::store::sqlite) async fn making(
    tx: &mut SqliteConnection,
    made_with: &str,
) -> Result<i64, Fail> {
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
