//! What is held of a connection, in numbers.

use sqlx::Row;

use super::SqliteStore;
use super::fail::Fail;
use super::runs::time;
use crate::domain::{ConnectionId, DataStreamName};
use crate::store::{StreamSummary, Summary};

const ASSETS: &str = "
    SELECT coalesce(sum(state = 0 AND fed), 0), coalesce(sum(state = 0 AND fed AND created_by = ?1), 0), coalesce(sum(state = 1), 0)
    FROM (SELECT state, created_by,
                 EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = assets.id AND k.connection_id = ?1 AND k.state = 0) AS fed
          FROM assets WHERE id IN (SELECT asset_id FROM links WHERE connection_id = ?1 AND asset_id IS NOT NULL))";

const STREAMS: &str = "
    SELECT s.name, r.open, r.closed, r.out, r.parked, f.open AS f_open, f.closed AS f_closed, f.out AS f_out,
           f.parked AS f_parked, (SELECT count(*) FROM quarantine AS q WHERE q.stream_id = s.id) AS quarantined,
           (SELECT max(committed_at) FROM runs WHERE connection_id = ?1 AND stream = s.name) AS committed_at
    FROM streams AS s
    LEFT JOIN (SELECT stream_id, sum(state = 0) AS open, sum(state = 1) AS closed, sum(state = 2) AS out,
                      sum(state = 0 AND parked) AS parked FROM records GROUP BY stream_id) AS r ON r.stream_id = s.id
    LEFT JOIN (SELECT stream_id, sum(state = 0 AND asset_id IS NOT NULL) AS open, sum(state = 1) AS closed,
                      sum(state = 2) AS out, sum(state = 0 AND asset_id IS NULL) AS parked
               FROM findings GROUP BY stream_id) AS f ON f.stream_id = s.id
    WHERE s.connection_id = ?1 ORDER BY s.id";

pub(super) async fn of(store: &SqliteStore, connection: ConnectionId) -> Result<Summary, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let (assets, onboarded, inactive): (i64, i64, i64) = sqlx::query_as(ASSETS)
        .bind(connection.0)
        .fetch_one(&mut *tx)
        .await?;
    let rows = sqlx::query(STREAMS)
        .bind(connection.0)
        .fetch_all(&mut *tx)
        .await?;
    let mut streams = Vec::with_capacity(rows.len());
    for row in &rows {
        let count = |column: &str| -> Result<u64, Fail> {
            Ok(row
                .try_get::<Option<i64>, _>(column)?
                .unwrap_or(0)
                .unsigned_abs())
        };
        streams.push(StreamSummary {
            stream: DataStreamName::new(row.try_get::<String, _>("name")?)?,
            records_open: count("open")?,
            records_closed: count("closed")?,
            records_out_of_scope: count("out")?,
            records_parked: count("parked")?,
            findings_open: count("f_open")?,
            findings_closed: count("f_closed")?,
            findings_out_of_scope: count("f_out")?,
            findings_parked: count("f_parked")?,
            quarantined: count("quarantined")?,
            committed_at: time(row, "committed_at")?,
        });
    }
    Ok(Summary {
        assets: assets.unsigned_abs(),
        assets_onboarded: onboarded.unsigned_abs(),
        assets_inactive: inactive.unsigned_abs(),
        streams,
    })
}
