//! Leaves users out of what is kept already.
//!
//! The names are those of all of a connection's records together: more than a sync leaves out, which looks at each record alone. So nothing of them
//! stays, and the next sync, which is a full one, writes anew what was hidden beyond need.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fail::Fail;
use super::pack::{self, Compressor};
use crate::domain::{ConnectionId, DataStreamName, sha256_hex};
use crate::personal::{LeaveOut, Names, hide_in_document};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{StoreError, Unreadable};

/// Rows that are looked at together.
const ROWS: i64 = 200;

/// Does this with each row, a few at a time. A macro, because the future of an async closure can't be told to be `Send` here.
macro_rules! each {
    ($tx:ident, $sql:expr, $connection:expr, $row:ident: $type:ty, $act:block) => {{
        let mut after = 0;
        loop {
            let rows: Vec<$type> = page(&mut $tx, $sql, $connection, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.0;
            for $row in rows $act
        }
    }};
}

pub(super) async fn leave_out(
    store: &SqliteStore,
    connection: ConnectionId,
    by: &BTreeMap<DataStreamName, LeaveOut>,
) -> Result<(), Fail> {
    let nobody = LeaveOut::of(&Value::Null);
    let by = |stream: &str| {
        by.iter()
            .find(|(name, _)| name.as_str() == stream)
            .map_or(&nobody, |(_, leave_out)| leave_out)
    };
    let mut tx = store.begin().await?;
    let mut names = Names::default();
    each!(tx, BODIES, connection, row: Body, {
        // What can't be read holds no value that could be found in it; it is emptied below.
        let _ = by(&row.1).add_names(&pack::decompress(&row.2)?, &mut names);
    });
    each!(tx, QUARANTINE, connection, row: Kept, {
        let _ = by(&row.1).add_names(&pack::decompress(&row.3)?, &mut names);
    });

    let mut compressor = Compressor::new()?;
    each!(tx, BODIES, connection, row: Body, {
        let body = pack::decompress(&row.2)?;
        let left = by(&row.1).record_without(&body, &names);
        let left = left.unwrap_or_else(|_| b"{}".to_vec());
        if left == body {
            continue;
        }
        sqlx::query("UPDATE bodies SET body = ?2 WHERE id = ?1")
            .bind(row.0)
            .bind(compressor.compress(&left)?)
            .execute(&mut *tx)
            .await?;
    });
    let mut compressor = Compressor::new()?;
    each!(tx, QUARANTINE, connection, row: Kept, {
        let kept = Unreadable {
            key: row.2,
            raw: pack::decompress(&row.3)?,
            problems: Vec::new(),
        }
        .without_raw();
        let ident = match &kept.key {
            Some(key) => format!("k{key}"),
            None => format!("h{}", sha256_hex(&kept.raw)),
        };
        sqlx::query("UPDATE OR REPLACE quarantine SET ident = ?2, raw = ?3 WHERE id = ?1")
            .bind(row.0)
            .bind(ident)
            .bind(compressor.compress(&kept.raw)?)
            .execute(&mut *tx)
            .await?;
    });
    documents(&mut tx, connection, &names).await?;
    texts(&mut tx, connection, &names).await?;
    // Their documents are made anew, and their bodies written anew when they are read next: more was hidden than need be.
    sqlx::query(
        "UPDATE records SET making_id = NULL, stale = 1 WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1)",
    )
    .bind(connection.0)
    .execute(&mut *tx)
    .await?;
    reach(CommitPoint::UsersLeftOut);
    tx.commit().await?;
    shrink(store).await
}

/// Writes the file anew, so that nothing is left in it of what was removed or overwritten.
pub(super) async fn shrink(store: &SqliteStore) -> Result<(), Fail> {
    let mut writer = store.inner.writer.acquire().await?;
    sqlx::raw_sql("VACUUM").execute(&mut *writer).await?;
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut *writer)
        .await?;
    if busy != 0 {
        return Err(StoreError::Locked {
            file: store.inner.file.clone(),
        }
        .into());
    }
    Ok(())
}

/// Id, data stream, record.
type Body = (i64, String, Vec<u8>);
const BODIES: &str = "SELECT r.id, s.name, b.body FROM streams AS s
     JOIN records AS r ON r.stream_id = s.id JOIN bodies AS b ON b.id = r.id
     WHERE s.connection_id = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3";

/// Id, data stream, key, what could not be read.
type Kept = (i64, String, Option<String>, Vec<u8>);
const QUARANTINE: &str =
    "SELECT q.id, s.name, q.key, q.raw FROM quarantine AS q JOIN streams AS s ON s.id = q.stream_id
     WHERE q.connection_id = ?1 AND q.id > ?2 ORDER BY q.id LIMIT ?3";

/// Id, title, host name, facets, identity, document.
type Document = (i64, Option<String>, Option<String>, String, String, String);
const FINDINGS: &str = "SELECT id, title, host_name, facets, identity, body FROM findings
     WHERE connection_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
const ASSETS: &str = "SELECT id, title, host_name, facets, identity, body FROM assets
     WHERE id IN (SELECT asset_id FROM links WHERE connection_id = ?1 AND asset_id IS NOT NULL) AND id > ?2 ORDER BY id LIMIT ?3";

/// Id, and texts or JSON.
type Three = (i64, Option<String>, Option<String>, Option<String>);

/// Rows after an id.
async fn page<R>(
    tx: &mut SqliteConnection,
    sql: &'static str,
    connection: ConnectionId,
    after: i64,
) -> Result<Vec<R>, Fail>
where
    R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
{
    Ok(sqlx::query_as(sql)
        .bind(connection.0)
        .bind(after)
        .bind(ROWS)
        .fetch_all(tx)
        .await?)
}

/// What an asset or a finding is identified by stays as it is.
async fn documents(
    mut tx: &mut SqliteConnection,
    connection: ConnectionId,
    names: &Names,
) -> Result<(), Fail> {
    for (list, write) in [
        (
            FINDINGS,
            "UPDATE findings SET title = ?2, facets = ?3, body = ?4 WHERE id = ?1",
        ),
        (
            ASSETS,
            "UPDATE assets SET title = ?2, facets = ?3, body = ?4 WHERE id = ?1",
        ),
    ] {
        each!(tx, list, connection, row: Document, {
            let (id, title, host_name, facets, identity, body) = row;
            let identity: Vec<Vec<String>> = serde_json::from_str(&identity)?;
            let spared: HashSet<String> = identity
                .into_iter()
                // Name, value, and of an asset who says so.
                .filter_map(|said| said.into_iter().nth(1))
                .chain(host_name)
                .collect();
            let hide = |text: &str| {
                hide_in_document(text, names, &spared).map_err(|unfit| Fail::Damaged(unfit.to_string()))
            };
            let hidden_title = title
                .as_deref()
                .filter(|title| !spared.contains(*title))
                .and_then(|title| names.hide(title));
            let (hidden_facets, hidden_body) = (hide(&facets)?, hide(&body)?);
            if hidden_title.is_none() && hidden_facets.is_none() && hidden_body.is_none() {
                continue;
            }
            sqlx::query(write)
                .bind(id)
                .bind(hidden_title.or(title))
                .bind(hidden_facets.unwrap_or(facets))
                .bind(hidden_body.unwrap_or(body))
                .execute(&mut *tx)
                .await?;
        });
    }
    Ok(())
}

/// JSON beside the documents: problems, evidence, and what runs tell.
async fn texts(
    mut tx: &mut SqliteConnection,
    connection: ConnectionId,
    names: &Names,
) -> Result<(), Fail> {
    for (list, write) in [
        (
            "SELECT id, problems, evidence, NULL FROM records
             WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1) AND id > ?2
               AND (problems IS NOT NULL OR evidence IS NOT NULL) ORDER BY id LIMIT ?3",
            "UPDATE records SET problems = ?2, evidence = ?3 WHERE id = ?1 AND ?4 IS NULL",
        ),
        (
            "SELECT id, evidence, NULL, NULL FROM findings
             WHERE connection_id = ?1 AND id > ?2 AND evidence IS NOT NULL ORDER BY id LIMIT ?3",
            "UPDATE findings SET evidence = ?2 WHERE id = ?1 AND ?3 IS NULL AND ?4 IS NULL",
        ),
        (
            "SELECT id, problems, NULL, NULL FROM quarantine WHERE connection_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            "UPDATE quarantine SET problems = ?2 WHERE id = ?1 AND ?3 IS NULL AND ?4 IS NULL",
        ),
        (
            "SELECT id, warnings, fault, details FROM runs WHERE connection_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            "UPDATE runs SET warnings = ?2, fault = ?3, details = ?4 WHERE id = ?1",
        ),
    ] {
        each!(tx, list, connection, row: Three, {
            let (id, first, second, third) = row;
            let hide = |text: &Option<String>| match text {
                Some(text) => hide_in_document(text, names, &HashSet::new())
                    .map_err(|unfit| Fail::Damaged(unfit.to_string())),
                None => Ok(None),
            };
            let (one, two, three) = (hide(&first)?, hide(&second)?, hide(&third)?);
            if one.is_none() && two.is_none() && three.is_none() {
                continue;
            }
            sqlx::query(write)
                .bind(id)
                .bind(one.or(first))
                .bind(two.or(second))
                .bind(three.or(third))
                .execute(&mut *tx)
                .await?;
        });
    }
    Ok(())
}
