//! What could not be read or mapped.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::Context;
use super::records::Seen;
use super::sort::Rejected;
use crate::domain::sha256_hex;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::held::Held;
use crate::store::sqlite::pack::{self, Compressor, Pieces};
use crate::store::{Problem, StepCommit};

/// Keeps what could not be read or mapped, and lets go of what reads well now. A held record that is in quarantine now was seen all the same.
pub(super) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    step: &StepCommit,
    rejected: &[Rejected<'_>],
    held: &HashMap<String, Held>,
    has_quarantine: bool,
    seen: &mut Vec<Seen>,
) -> Result<(), Fail> {
    if has_quarantine {
        clear(tx, ctx, step, rejected).await?;
    }
    if rejected.is_empty() && step.quarantine.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new()?;
    for rejected in rejected {
        rows.push(
            Some(&rejected.entry.key),
            &rejected.entry.body,
            rejected.problems,
        )?;
        if let Some(held) = held.get(&rejected.entry.key) {
            seen.push(Seen {
                id: held.id,
                seen_at: rejected.entry.seen_at,
            });
        }
    }
    for unreadable in &step.quarantine {
        rows.push(
            unreadable.key.as_deref(),
            &unreadable.raw,
            &unreadable.problems,
        )?;
        if let Some(held) = unreadable.key.as_ref().and_then(|key| held.get(key)) {
            seen.push(Seen {
                id: held.id,
                seen_at: None,
            });
        }
    }
    sqlx::query(
        "INSERT INTO quarantine (connection_id, stream_id, ident, key, raw, problems, first_seen, last_seen, times)
         SELECT ?3, ?4, j.value ->> 0, j.value ->> 1, substr(?2, j.value ->> 2, j.value ->> 3), j.value ->> 4, ?5, ?5, 1
         FROM json_each(?1) AS j WHERE true
         ON CONFLICT (stream_id, ident) DO UPDATE SET
             raw = excluded.raw, problems = excluded.problems, last_seen = excluded.last_seen, times = times + 1",
    )
    .bind(pack::json(&rows.rows)?)
    .bind(rows.pieces.bytes)
    .bind(ctx.connection.0)
    .bind(ctx.stream)
    .bind(ctx.now.as_i64())
    .execute(tx)
    .await?;
    Ok(())
}

struct Rows {
    rows: Vec<(String, Option<String>, usize, usize, String)>,
    pieces: Pieces,
    compressor: Compressor,
}

impl Rows {
    fn new() -> Result<Self, Fail> {
        Ok(Self {
            rows: Vec::new(),
            pieces: Pieces::default(),
            compressor: Compressor::new()?,
        })
    }

    fn push(&mut self, key: Option<&str>, raw: &[u8], problems: &[Problem]) -> Result<(), Fail> {
        let ident = match key {
            Some(key) => format!("k{key}"),
            None => format!("h{}", sha256_hex(raw)),
        };
        let (place, length) = self.pieces.push(&self.compressor.compress(raw)?);
        self.rows.push((
            ident,
            key.map(str::to_owned),
            place,
            length,
            pack::json(problems)?,
        ));
        Ok(())
    }
}

/// Lets go of records that read well in this step.
async fn clear(
    tx: &mut SqliteConnection,
    ctx: &Context,
    step: &StepCommit,
    rejected: &[Rejected<'_>],
) -> Result<(), Fail> {
    let bad = |key: &str| rejected.iter().any(|rejected| rejected.entry.key == key);
    let good: Vec<String> = step
        .entries
        .iter()
        .filter(|entry| !bad(&entry.key))
        .map(|entry| format!("k{}", entry.key))
        .collect();
    sqlx::query("DELETE FROM quarantine WHERE stream_id = ?2 AND ident IN (SELECT value FROM json_each(?1))")
        .bind(pack::json(&good)?)
        .bind(ctx.stream)
        .execute(tx)
        .await?;
    Ok(())
}
