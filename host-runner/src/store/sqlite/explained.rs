//! What documents came from.

use sqlx::Row;

use super::SqliteStore;
use super::fail::Fail;
use super::remake::read_kept;
use crate::domain::{ConnectionId, DataStreamName};
use crate::store::{DocumentKind, Feeder, HeldDocument};

/// `?1` the key, `?2` the connection or null. An asset's own key is found through its record, any other by itself.
const KEYED: &str = "
    SELECT 0 AS kind, l.asset_id AS id FROM streams AS s
    CROSS JOIN records AS r ON r.stream_id = s.id AND r.key = ?1
    CROSS JOIN links AS l ON l.record_id = r.id AND l.key = ?1
    WHERE l.asset_id IS NOT NULL AND (?2 IS NULL OR s.connection_id = ?2)
    UNION
    SELECT 0, l.asset_id FROM links AS l
    WHERE l.key = ?1 AND l.own = 0 AND l.asset_id IS NOT NULL AND (?2 IS NULL OR l.connection_id = ?2)
    UNION
    SELECT 1, f.id FROM streams AS s CROSS JOIN findings AS f ON f.stream_id = s.id AND f.key = ?1
    WHERE ?2 IS NULL OR s.connection_id = ?2
    ORDER BY 1, 2";

const NAMED: &str = "
    SELECT 0 AS kind, a.id FROM assets AS a
    WHERE a.host_name = ?1 COLLATE NOCASE
      AND (?2 IS NULL OR EXISTS (SELECT 1 FROM links AS l WHERE l.asset_id = a.id AND l.connection_id = ?2))
    ORDER BY 2 LIMIT 20";

pub(super) async fn known_by(
    store: &SqliteStore,
    key: &str,
    connection: Option<ConnectionId>,
) -> Result<Vec<HeldDocument>, Fail> {
    for sql in [KEYED, NAMED] {
        let rows: Vec<(i64, i64)> = sqlx::query_as(sql)
            .bind(key)
            .bind(connection.map(|id| id.0))
            .fetch_all(&store.inner.readers)
            .await?;
        if !rows.is_empty() {
            return Ok(rows.into_iter().map(held).collect());
        }
    }
    Ok(Vec::new())
}

fn held((kind, id): (i64, i64)) -> HeldDocument {
    HeldDocument {
        kind: if kind == 0 {
            DocumentKind::Asset
        } else {
            DocumentKind::Finding
        },
        id,
    }
}

/// `?1` the key, `?2` its beginning, `?3` how many.
const LIKE: &str = "
    SELECT DISTINCT name FROM (
        SELECT l.key AS name FROM links AS l WHERE l.asset_id IS NOT NULL
        UNION ALL SELECT a.host_name FROM assets AS a WHERE a.host_name IS NOT NULL
        UNION ALL SELECT f.key FROM findings AS f)
    WHERE instr(lower(name), lower(?1)) > 0 OR instr(lower(name), lower(?2)) = 1
    LIMIT ?3";

pub(super) async fn known_like(
    store: &SqliteStore,
    key: &str,
    limit: u32,
) -> Result<Vec<String>, Fail> {
    let half = key.chars().count().div_ceil(2).max(2);
    let beginning: String = key.chars().take(half).collect();
    Ok(sqlx::query_scalar(LIKE)
        .bind(key)
        .bind(beginning)
        .bind(i64::from(limit))
        .fetch_all(&store.inner.readers)
        .await?)
}

const OF_ASSET: &str = "
    SELECT r.*, b.body, m.made_with, s.name AS stream, l.connection_id, l.key AS document, l.state = 0 AS live
    FROM links AS l JOIN records AS r ON r.id = l.record_id JOIN bodies AS b ON b.id = r.id
    JOIN streams AS s ON s.id = r.stream_id LEFT JOIN makings AS m ON m.id = r.making_id
    WHERE l.asset_id = ?1 ORDER BY l.state = 0, s.id, r.id LIMIT 200";

const OF_FINDING: &str = "
    SELECT r.*, b.body, m.made_with, s.name AS stream, f.connection_id, f.key AS document, r.state = 0 AS live
    FROM findings AS f JOIN records AS r ON r.id = f.record_id JOIN bodies AS b ON b.id = r.id
    JOIN streams AS s ON s.id = r.stream_id LEFT JOIN makings AS m ON m.id = r.making_id
    WHERE f.id = ?1";

pub(super) async fn feeders(
    store: &SqliteStore,
    document: HeldDocument,
) -> Result<Vec<Feeder>, Fail> {
    let sql = match document.kind {
        DocumentKind::Asset => OF_ASSET,
        DocumentKind::Finding => OF_FINDING,
    };
    let rows = sqlx::query(sql)
        .bind(document.id)
        .fetch_all(&store.inner.readers)
        .await?;
    rows.iter()
        .map(|row| {
            let stream = DataStreamName::new(row.try_get::<String, _>("stream")?)?;
            Ok(Feeder {
                connection: ConnectionId(row.try_get("connection_id")?),
                key: row.try_get("document")?,
                live: row.try_get("live")?,
                kept: read_kept(row, stream)?,
            })
        })
        .collect()
}
