//! What was read and is not shown as an asset or finding.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fail::Fail;
use crate::domain::{ConnectionId, DataStreamName, Ledger, Timestamp};
use crate::store::{Closing, Filtered, LeftOut, Sample};

/// Streams, how many of their findings are parked, and the end of their last complete full sync.
const STREAMS: &str = "
    SELECT s.id, s.name,
           (SELECT count(*) FROM findings AS f WHERE f.stream_id = s.id AND f.state = 0 AND f.asset_id IS NULL),
           y.ended_at, y.ledger
    FROM streams AS s
    LEFT JOIN syncs AS y ON y.id = (SELECT max(id) FROM syncs WHERE stream_id = s.id AND state = 'complete')
    WHERE s.connection_id = ?1 ORDER BY s.id";

/// Parked records (no filter) and those out of scope, by the filter's name, with the first keys of each group.
const RECORDS: &str = "
    SELECT stream_id, filter, number, key FROM (
        SELECT stream_id, filter, key,
               count(*) OVER (PARTITION BY stream_id, filter) AS number,
               row_number() OVER (PARTITION BY stream_id, filter ORDER BY id) AS place
        FROM (SELECT r.id, r.stream_id, r.key,
                     CASE r.state WHEN 2 THEN coalesce(r.evidence ->> '$.detail', r.evidence ->> '$.reason', '') END AS filter
              FROM streams AS s JOIN records AS r ON r.stream_id = s.id
              WHERE s.connection_id = ?1 AND (r.state = 2 OR (r.state = 0 AND r.parked))))
    WHERE place <= ?2 ORDER BY stream_id, filter, place";

/// The same of what is in quarantine, where keys may be missing.
const QUARANTINE: &str = "
    SELECT stream_id, NULL, number, key FROM (
        SELECT stream_id, key,
               count(*) OVER (PARTITION BY stream_id) AS number,
               row_number() OVER (PARTITION BY stream_id ORDER BY key IS NULL, id) AS place
        FROM quarantine WHERE connection_id = ?1)
    WHERE place <= ?2 ORDER BY stream_id, place";

/// A data stream, and the filter where one leaves it out.
type Group = (i64, Option<String>);

pub(super) async fn of(
    store: &SqliteStore,
    connection: ConnectionId,
    examples: u32,
) -> Result<Vec<LeftOut>, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    type Stream = (i64, String, i64, Option<i64>, Option<String>);
    let streams: Vec<Stream> = sqlx::query_as(STREAMS)
        .bind(connection.0)
        .fetch_all(&mut *tx)
        .await?;
    let mut records = samples(&mut tx, RECORDS, connection, examples).await?;
    let mut quarantine = samples(&mut tx, QUARANTINE, connection, examples).await?;
    let mut left_out = Vec::with_capacity(streams.len());
    for (id, name, findings_parked, ended_at, ledger) in streams {
        let parked = records.remove(&(id, None)).unwrap_or_default();
        let mut out_of_scope: Vec<(String, Sample)> = records
            .extract_if(|(stream, _), _| *stream == id)
            .filter_map(|((_, filter), sample)| Some((filter?, sample)))
            .collect();
        out_of_scope.sort_by(|one, other| one.0.cmp(&other.0));
        left_out.push(LeftOut {
            stream: DataStreamName::new(name)?,
            parked,
            findings_parked: findings_parked.unsigned_abs(),
            quarantined: quarantine.remove(&(id, None)).unwrap_or_default(),
            out_of_scope,
            filtered: filtered(ended_at, ledger)?,
        });
    }
    Ok(left_out)
}

async fn samples(
    tx: &mut SqliteConnection,
    sql: &'static str,
    connection: ConnectionId,
    examples: u32,
) -> Result<HashMap<Group, Sample>, Fail> {
    // A group is known by its first row.
    type Row = (i64, Option<String>, i64, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(sql)
        .bind(connection.0)
        .bind(i64::from(examples.max(1)))
        .fetch_all(tx)
        .await?;
    let mut samples: HashMap<Group, Sample> = HashMap::new();
    for (stream, filter, number, key) in rows {
        let sample = samples.entry((stream, filter)).or_default();
        sample.count = number.unsigned_abs();
        sample.examples.extend(key.filter(|_| examples > 0));
    }
    Ok(samples)
}

fn filtered(ended_at: Option<i64>, ledger: Option<String>) -> Result<Option<Filtered>, Fail> {
    let (Some(ended_at), Some(ledger)) = (ended_at, ledger) else {
        return Ok(None);
    };
    let ledger: Ledger = serde_json::from_str(&ledger)?;
    let closed = [Closing::Resolved, Closing::Deleted];
    Ok(Some(Filtered {
        ended_at: Timestamp::from_i64(ended_at)?,
        by: ledger
            .filtered
            .into_iter()
            .filter(|(name, _)| closed.iter().all(|closing| closing.filter_name() != name))
            .collect(),
    }))
}
