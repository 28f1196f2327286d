//! Lists what a person may want to look at: what a rule found several assets for, and what looks like one machine under two ids.
//!
//! What is in doubt was written when it came up. Whether it still is follows from what is held now, so that nothing has to be taken back.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::fail::Fail;
use super::held::state_of;
use super::{SqliteStore, pack};
use crate::domain::{ConnectionId, ConnectionName, DataStreamName, Timestamp};
use crate::identification::RuleError;
use crate::store::{
    AmbiguousMatch, AssetState, DocumentKind, Doubts, MOST_CANDIDATES, NamedAsset,
    ProbableDuplicate, RecordState, Twin,
};

/// `?1` the connection, or null for all. Assets that documents of open records may be: as the rules choose, those that are inactive step back behind
/// others.
const FITTING: &str = "
    WITH doubt AS (
        SELECT d.*, s.connection_id, s.name AS stream, r.key AS record, r.parked
        FROM ambiguous AS d JOIN records AS r ON r.id = d.record_id AND r.state = 0 JOIN streams AS s ON s.id = r.stream_id
        WHERE ?1 IS NULL OR s.connection_id = ?1),
    candidate AS (
        SELECT DISTINCT d.id AS doubt, x.id AS asset, x.state = 1 AS inactive
        FROM doubt AS d CROSS JOIN json_each(d.keys) AS j CROSS JOIN asset_keys AS k ON k.key = j.value
        JOIN assets AS x ON x.id = k.asset_id
        WHERE NOT (d.others AND EXISTS (SELECT 1 FROM links AS l WHERE l.asset_id = x.id AND l.connection_id = d.connection_id))),
    fitting AS (
        SELECT c.doubt, c.asset FROM candidate AS c
        WHERE c.inactive = (SELECT min(o.inactive) FROM candidate AS o WHERE o.doubt = c.doubt)),
    several AS (SELECT doubt FROM fitting GROUP BY doubt HAVING count(*) > 1)";

/// `?1` the connection, or null for all. A pair of ids counts once, whatever the data streams that name them. Where one id is gone, it is of interest for
/// as long as its asset is there without it.
const ALIKE: &str = "
    SELECT min(d.id) AS id, s.connection_id, d.key, d.other_key, min(d.at) AS at,
           r.first_seen AS first_seen, r.last_seen AS last_seen, o.first_seen AS other_first_seen, o.last_seen AS other_last_seen,
           x.id AS asset, y.id AS other_asset
    FROM duplicates AS d
    JOIN records AS r ON r.id = d.record_id JOIN records AS o ON o.id = d.other_record_id
    JOIN streams AS s ON s.id = r.stream_id
    LEFT JOIN links AS lr ON lr.record_id = r.id AND lr.key = d.key LEFT JOIN assets AS x ON x.id = lr.asset_id
    LEFT JOIN links AS lo ON lo.record_id = o.id AND lo.key = d.other_key LEFT JOIN assets AS y ON y.id = lo.asset_id
    WHERE (?1 IS NULL OR s.connection_id = ?1)
      AND (r.state = 0 OR x.state = 0) AND (o.state = 0 OR y.state = 0)
      AND x.id IS NOT y.id
    GROUP BY s.connection_id, d.key, d.other_key";

pub(super) async fn count(
    store: &SqliteStore,
    connection: Option<ConnectionId>,
) -> Result<Doubts, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let mut number = async |sql: String| -> Result<u64, Fail> {
        let number: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(connection.map(|id| id.0))
            .fetch_one(&mut *tx)
            .await?;
        Ok(number.unsigned_abs())
    };
    Ok(Doubts {
        ambiguous: number(format!("{FITTING} SELECT count(*) FROM several")).await?,
        duplicates: number(format!("SELECT count(*) FROM ({ALIKE})")).await?,
    })
}

pub(super) async fn ambiguous(
    store: &SqliteStore,
    connection: Option<ConnectionId>,
    limit: Option<u64>,
) -> Result<Vec<AmbiguousMatch>, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let sql = format!(
        "{FITTING}
         SELECT d.id, c.name AS connection, d.stream, d.record, d.kind, d.key, d.parked, d.rule, d.at,
                (SELECT json_group_array(asset) FROM (SELECT f.asset FROM fitting AS f WHERE f.doubt = d.id ORDER BY 1 LIMIT ?3)) AS candidates
         FROM doubt AS d JOIN several AS v ON v.doubt = d.id JOIN connections AS c ON c.id = d.connection_id
         ORDER BY d.id LIMIT ?2"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(connection.map(|id| id.0))
        .bind(all_or(limit))
        .bind(i64::try_from(MOST_CANDIDATES).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
    let mut matches = Vec::with_capacity(rows.len());
    for row in &rows {
        let candidates: String = row.try_get("candidates")?;
        let rule: String = row.try_get("rule")?;
        matches.push(AmbiguousMatch {
            connection: name(row, "connection")?,
            stream: DataStreamName::new(row.try_get::<String, _>("stream")?)?,
            record: row.try_get("record")?,
            kind: match row.try_get::<i64, _>("kind")? {
                0 => DocumentKind::Asset,
                _ => DocumentKind::Finding,
            },
            key: row.try_get("key")?,
            parked: row.try_get("parked")?,
            rule: rule
                .parse()
                .map_err(|error: RuleError| Fail::Damaged(error.to_string()))?,
            at: Timestamp::from_i64(row.try_get("at")?)?,
            candidates: named(&mut tx, &serde_json::from_str::<Vec<i64>>(&candidates)?).await?,
        });
    }
    Ok(matches)
}

pub(super) async fn duplicates(
    store: &SqliteStore,
    connection: Option<ConnectionId>,
    limit: Option<u64>,
) -> Result<Vec<ProbableDuplicate>, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let sql = format!(
        "SELECT a.*, c.name AS connection FROM ({ALIKE}) AS a JOIN connections AS c ON c.id = a.connection_id
         ORDER BY a.id LIMIT ?2"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(connection.map(|id| id.0))
        .bind(all_or(limit))
        .fetch_all(&mut *tx)
        .await?;
    let mut pairs = Vec::with_capacity(rows.len());
    for row in &rows {
        let one = twin(&mut tx, row, ["key", "first_seen", "last_seen", "asset"]).await?;
        let columns = [
            "other_key",
            "other_first_seen",
            "other_last_seen",
            "other_asset",
        ];
        let other = twin(&mut tx, row, columns).await?;
        // By when they came; else by which of them is still heard of.
        let order = |twin: &Twin| (twin.first_seen, twin.last_seen);
        let (earlier, later) = if order(&one) < order(&other) {
            (one, other)
        } else {
            (other, one)
        };
        pairs.push(ProbableDuplicate {
            connection: name(row, "connection")?,
            earlier,
            later,
            at: Timestamp::from_i64(row.try_get("at")?)?,
        });
    }
    Ok(pairs)
}

async fn twin(
    tx: &mut SqliteConnection,
    row: &SqliteRow,
    [key, first_seen, last_seen, asset]: [&str; 4],
) -> Result<Twin, Fail> {
    let asset: Option<i64> = row.try_get(asset)?;
    Ok(Twin {
        key: row.try_get(key)?,
        first_seen: Timestamp::from_i64(row.try_get(first_seen)?)?,
        last_seen: Timestamp::from_i64(row.try_get(last_seen)?)?,
        asset: named(tx, asset.as_slice()).await?.pop(),
    })
}

/// Assets by their ids, in that order.
async fn named(tx: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<NamedAsset>, Fail> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, Option<String>, i64, Option<String>)> = sqlx::query_as(
        "SELECT a.id, coalesce(a.host_name, a.title), a.state, a.onboarding_source
         FROM json_each(?1) AS j JOIN assets AS a ON a.id = j.value ORDER BY j.key",
    )
    .bind(pack::json(ids)?)
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, name, state, onboarding_source)| NamedAsset {
            id,
            name,
            state: match state_of(state) {
                RecordState::Open => AssetState::Active,
                RecordState::Closed => AssetState::Inactive,
                RecordState::OutOfScope => AssetState::OutOfScope,
            },
            onboarding_source,
        })
        .collect())
}

fn name(row: &SqliteRow, column: &str) -> Result<ConnectionName, Fail> {
    Ok(ConnectionName::new(row.try_get::<String, _>(column)?)?)
}

/// SQLite takes -1 for "all".
fn all_or(limit: Option<u64>) -> i64 {
    limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}
