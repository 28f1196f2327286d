//! Which records are to be made anew.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::domain::{ConnectionId, DataStreamName};
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::reading::read_record;
use crate::store::sqlite::{SqliteStore, pack};
use crate::store::{Due, DueRecords, KeptRecord};

/// A page holds no more bytes of bodies than this, but for its last record.
const BYTES: usize = 4 << 20;

/// The most other records of the same assets that are looked at for one page. An asset with more of them is not made up again.
const BESIDE: i64 = 2_000;

/// `?1` the data stream, `?2` what documents are made with now. The plus keeps SQLite from going by key: ids are in the order of the file.
const COUNT: &str = "
    SELECT m.made_with, count(*) AS records FROM records AS r LEFT JOIN makings AS m ON m.id = r.making_id
    WHERE +r.stream_id = ?1 AND (r.making_id IS NULL OR r.making_id <> ?2) AND (r.tried_id IS NULL OR r.tried_id <> ?2)
    GROUP BY r.making_id";

const PAGE: &str = "
    SELECT r.*, b.body, m.made_with FROM records AS r JOIN bodies AS b ON b.id = r.id
    LEFT JOIN makings AS m ON m.id = r.making_id
    WHERE +r.stream_id = ?1 AND (r.making_id IS NULL OR r.making_id <> ?2) AND (r.tried_id IS NULL OR r.tried_id <> ?2)
      AND r.id > ?3 ORDER BY r.id LIMIT ?4";

pub(in crate::store::sqlite) async fn due(
    store: &SqliteStore,
    query: &DueRecords<'_>,
) -> Result<Due, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let Some((stream, making)) = numbers(&mut tx, query).await? else {
        return Ok(Due::default());
    };
    let rows: Vec<(Option<String>, i64)> = sqlx::query_as(COUNT)
        .bind(stream)
        .bind(making)
        .fetch_all(&mut *tx)
        .await?;
    Ok(Due {
        records: rows.iter().map(|(_, count)| count.unsigned_abs()).sum(),
        made_with: rows.into_iter().map(|(made_with, _)| made_with).collect(),
    })
}

pub(in crate::store::sqlite) async fn due_records(
    store: &SqliteStore,
    query: &DueRecords<'_>,
) -> Result<Vec<KeptRecord>, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let Some((stream, making)) = numbers(&mut tx, query).await? else {
        return Ok(Vec::new());
    };
    let mut rows = sqlx::query(PAGE)
        .bind(stream)
        .bind(making)
        .bind(query.after)
        .bind(i64::from(query.limit))
        .fetch(&mut *tx);
    let mut records = Vec::new();
    let mut bytes = 0_usize;
    while bytes < BYTES
        && let Some(row) = rows.try_next().await?
    {
        let record = read_kept(&row, query.stream.clone())?;
        bytes = bytes.saturating_add(record.record.body.len());
        records.push(record);
    }
    Ok(records)
}

/// The data stream's number, and that of what documents are made with now: 0 where none was made with it yet.
async fn numbers(
    tx: &mut SqliteConnection,
    query: &DueRecords<'_>,
) -> Result<Option<(i64, i64)>, Fail> {
    Ok(sqlx::query_as(
        "SELECT id, coalesce((SELECT id FROM makings WHERE made_with = ?3), 0)
         FROM streams WHERE connection_id = ?1 AND name = ?2",
    )
    .bind(query.connection.0)
    .bind(query.stream.as_str())
    .bind(query.made_with)
    .fetch_optional(tx)
    .await?)
}

/// `?1` the records, `?2` the connection: the assets that they feed or fed and that nothing but the connection ever fed.
pub(super) const OWN_ASSETS: &str = "
    SELECT DISTINCT l.asset_id FROM json_each(?1) AS j CROSS JOIN links AS l ON l.record_id = j.value
    JOIN assets AS a ON a.id = l.asset_id
    WHERE a.created_by = ?2
      AND NOT EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = a.id AND k.connection_id <> ?2)
      AND NOT EXISTS (SELECT 1 FROM imported AS i WHERE i.asset_id = a.id)";

pub(in crate::store::sqlite) async fn beside(
    store: &SqliteStore,
    connection: ConnectionId,
    records: &[i64],
) -> Result<Vec<KeptRecord>, Fail> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT r.*, b.body, m.made_with, s.name AS stream FROM
             (SELECT DISTINCT k.record_id FROM ({OWN_ASSETS}) AS o CROSS JOIN links AS k ON k.asset_id = o.asset_id
              WHERE k.record_id NOT IN (SELECT value FROM json_each(?1)) LIMIT ?3) AS other
         CROSS JOIN records AS r ON r.id = other.record_id
         JOIN bodies AS b ON b.id = r.id JOIN streams AS s ON s.id = r.stream_id
         LEFT JOIN makings AS m ON m.id = r.making_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(pack::json(records)?)
        .bind(connection.0)
        .bind(BESIDE)
        .fetch_all(&store.inner.readers)
        .await?;
    rows.iter()
        .map(|row| {
            read_kept(
                row,
                DataStreamName::new(row.try_get::<String, _>("stream")?)?,
            )
        })
        .collect()
}

/// A record with its body and what its documents were made with.
pub(in crate::store::sqlite) fn read_kept(
    row: &SqliteRow,
    stream: DataStreamName,
) -> Result<KeptRecord, Fail> {
    Ok(KeptRecord {
        stream,
        record: read_record(row)?,
        made_with: row.try_get("made_with")?,
        stale: row.try_get("stale")?,
    })
}
