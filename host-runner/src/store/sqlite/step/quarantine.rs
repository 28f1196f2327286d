//! What could not be read or mapped.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::Context;
use super::records::Seen;
use super::sort::Rejected;
use crate::domain::sha256_hex;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::held::Held;
use crate::store::sqlite::pack::{self, Compressor};
use crate::store::{Problem, StepCommit, Unreadable};

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
    for rejected in rejected {
        if let Some(held) = held.get(&rejected.entry.key) {
            seen.push(Seen {
                id: held.id,
                seen_at: rejected.entry.seen_at,
            });
        }
    }
    for unreadable in &step.quarantine {
        if let Some(held) = unreadable.key.as_ref().and_then(|key| held.get(key)) {
            seen.push(Seen {
                id: held.id,
                seen_at: None,
            });
        }
    }
    keep(tx, ctx, rejected, &step.quarantine).await
}

/// Keeps what could not be read or mapped.
pub(in crate::store::sqlite) async fn keep(
    tx: &mut SqliteConnection,
    ctx: &Context,
    rejected: &[Rejected<'_>],
    unreadable: &[Unreadable],
) -> Result<(), Fail> {
    let mut rows = Rows::new()?;
    for rejected in rejected {
        rows.push(
            Some(&rejected.entry.key),
            &rejected.entry.body,
            rejected.problems,
        )?;
    }
    for unreadable in unreadable {
        rows.push(
            unreadable.key.as_deref(),
            &unreadable.raw,
            &unreadable.problems,
        )?;
    }
    let now = ctx.now.as_i64();
    pack::insert(
        tx,
        "INSERT INTO quarantine (connection_id, stream_id, ident, key, raw, problems, first_seen, last_seen, times) ",
        &rows.rows,
        " ON CONFLICT (stream_id, ident) DO UPDATE SET
             raw = excluded.raw, problems = excluded.problems, last_seen = excluded.last_seen, times = times + 1",
        |row, kept| {
            row.push_bind(ctx.connection.0)
                .push_bind(ctx.stream)
                .push_bind(kept.ident.as_str())
                .push_bind(kept.key.as_deref())
                .push_bind(kept.raw.as_slice())
                .push_bind(kept.problems.as_str())
                .push_bind(now)
                .push_bind(now)
                .push_bind(1);
        },
    )
    .await
}

struct Row {
    ident: String,
    key: Option<String>,
    raw: Vec<u8>,
    problems: String,
}

struct Rows {
    rows: Vec<Row>,
    compressor: Compressor,
}

impl Rows {
    fn new() -> Result<Self, Fail> {
        Ok(Self {
            rows: Vec::new(),
            compressor: Compressor::new()?,
        })
    }

    fn push(&mut self, key: Option<&str>, raw: &[u8], problems: &[Problem]) -> Result<(), Fail> {
        let ident = match key {
            Some(key) => format!("k{key}"),
            None => format!("h{}", sha256_hex(raw)),
        };
        self.rows.push(Row {
            ident,
            key: key.map(str::to_owned),
            raw: self.compressor.compress(raw)?,
            problems: pack::json(problems)?,
        });
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

/// Lets go of records that were rejected as they are kept, and are not any more. One that was rejected in a later form than the kept one stays until it is
/// read again.
pub(in crate::store::sqlite) async fn let_go(
    tx: &mut SqliteConnection,
    ctx: &Context,
    kept: &[(&str, &[u8])],
) -> Result<(), Fail> {
    let idents: Vec<String> = kept.iter().map(|(key, _)| format!("k{key}")).collect();
    let rows: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(
        "SELECT q.id, q.key, q.raw FROM json_each(?1) AS j
         CROSS JOIN quarantine AS q ON q.stream_id = ?2 AND q.ident = j.value",
    )
    .bind(pack::json(&idents)?)
    .bind(ctx.stream)
    .fetch_all(&mut *tx)
    .await?;
    for (id, key, raw) in rows {
        let raw = pack::decompress(&raw)?;
        if kept
            .iter()
            .any(|(held, body)| *held == key && *body == raw.as_slice())
        {
            sqlx::query("DELETE FROM quarantine WHERE id = ?1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(())
}
