//! Reads out what is held, row by row, so that memory does not grow with it.

use futures_util::stream::{BoxStream, StreamExt};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::fail::Fail;
use super::held::state_of;
use super::runs::{document, time};
use super::{SqliteStore, condition, pack};
use crate::domain::{ConnectionId, DataStreamName, Timestamp};
use crate::store::placeholders::{Known, fill};
use crate::store::{
    Asset, AssetFilter, AssetState, Finding, FindingFilter, FindingState, OpenRecord, OpenRecords,
    Order, Placeholder, Problem, QuarantineFilter, Quarantined, Record, RecordQuery, RecordState,
    Severity, StoreError,
};

/// A filter that is left out matches everything. One pass over the table in the order of ids, whatever the filters.
const ASSETS: &str = "
    SELECT a.*,
        (SELECT max(r.last_seen) FROM links AS l JOIN records AS r ON r.id = l.record_id WHERE l.asset_id = a.id) AS last_seen,
        (SELECT json_group_array(json_array(k.connection_id, k.key))
           FROM (SELECT DISTINCT connection_id, key FROM links WHERE asset_id = a.id ORDER BY 1, 2) AS k) AS keys,
        CASE WHEN a.nests IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM findings AS f JOIN links AS k ON k.record_id = f.record_id AND k.asset_id = a.id
                              WHERE f.asset_id = a.id AND f.state = 0) THEN a.nests END AS emptied
    FROM assets AS a
    WHERE ((a.state = 0 AND NOT ?9) OR (a.state = 1 AND ?1) OR (a.state = 2 AND ?2))
      AND (?3 IS NULL OR a.onboarding_source = ?3)
      AND (?4 IS NULL OR a.host_name = ?4 COLLATE NOCASE)
      AND (?5 IS NULL OR EXISTS (SELECT 1 FROM links AS l WHERE l.asset_id = a.id AND l.connection_id = ?5))
      AND (?6 IS NULL OR EXISTS (SELECT 1 FROM links AS l WHERE l.asset_id = a.id AND l.finding_source = ?6
                                     AND (l.state = 0 OR a.state <> 0))
                      OR EXISTS (SELECT 1 FROM findings AS f WHERE f.asset_id = a.id AND f.state = 0 AND f.finding_source = ?6))
      AND (?7 = '[]' OR EXISTS (SELECT 1 FROM findings AS f WHERE f.asset_id = a.id AND f.state = 0
                                AND f.severity IN (SELECT value FROM json_each(?7))))
      AND (?10 IS NULL OR a.id IN (SELECT value FROM json_each(?10)))
      AND ";

const ASSETS_ORDER: &str = " ORDER BY a.id LIMIT ?8";

/// The number of the first parameter that a condition may use, after those of `ASSETS`.
const ASSETS_NEXT: usize = 11;

pub(super) fn assets<'a>(
    store: &'a SqliteStore,
    filter: &AssetFilter,
) -> BoxStream<'a, Result<Asset, StoreError>> {
    let condition = condition::of_assets(filter.query.as_ref(), ASSETS_NEXT);
    let sql = format!("{ASSETS}{}{ASSETS_ORDER}", condition.sql);
    // Of a query only its structure is in the text; its words are bound.
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(filter.include_inactive)
        .bind(filter.include_out_of_scope)
        .bind(filter.onboarding_source.clone())
        .bind(filter.host.clone())
        .bind(filter.connection.map(|id| id.0))
        .bind(filter.finding_source.clone())
        .bind(severities(&filter.severities))
        .bind(limit(filter.limit))
        .bind(filter.without_active)
        .bind(filter.ids.as_deref().map(numbers));
    let rows = condition.bind(query).fetch(&store.inner.readers);
    let as_stored = filter.as_stored;
    each(store, rows, move |row| read_asset(row, as_stored))
}

const FINDINGS: &str = "
    SELECT f.*, s.name AS stream, r.key AS record, r.last_seen AS record_last_seen,
           coalesce(f.host_name, a.host_name) AS host
    FROM findings AS f
    JOIN streams AS s ON s.id = f.stream_id
    JOIN records AS r ON r.id = f.record_id
    LEFT JOIN assets AS a ON a.id = f.asset_id
    WHERE ((f.state = 0 AND f.asset_id IS NOT NULL AND NOT ?11) OR (f.state = 0 AND f.asset_id IS NULL AND ?3)
           OR (f.state = 1 AND ?1) OR (f.state = 2 AND ?2))
      AND (?4 IS NULL OR f.finding_source = ?4)
      AND (?5 IS NULL OR a.onboarding_source = ?5)
      AND (?6 IS NULL OR coalesce(f.host_name, a.host_name) = ?6 COLLATE NOCASE)
      AND (?7 IS NULL OR f.connection_id = ?7)
      AND (?8 IS NULL OR s.name = ?8)
      AND (?9 = '[]' OR f.severity IN (SELECT value FROM json_each(?9)))
      AND (?12 IS NULL OR f.id IN (SELECT value FROM json_each(?12)))
      AND ";

const FINDINGS_ORDER: &str = " ORDER BY f.id LIMIT ?10";

/// The number of the first parameter that a condition may use, after those of `FINDINGS`.
const FINDINGS_NEXT: usize = 13;

pub(super) fn findings<'a>(
    store: &'a SqliteStore,
    filter: &FindingFilter,
) -> BoxStream<'a, Result<Finding, StoreError>> {
    let condition = condition::of_findings(filter.query.as_ref(), FINDINGS_NEXT);
    let sql = format!("{FINDINGS}{}{FINDINGS_ORDER}", condition.sql);
    // Of a query only its structure is in the text; its words are bound.
    let query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(filter.include_closed)
        .bind(filter.include_out_of_scope)
        .bind(filter.include_parked)
        .bind(filter.finding_source.clone())
        .bind(filter.onboarding_source.clone())
        .bind(filter.host.clone())
        .bind(filter.connection.map(|id| id.0))
        .bind(
            filter
                .stream
                .as_ref()
                .map(|stream| stream.as_str().to_owned()),
        )
        .bind(severities(&filter.severities))
        .bind(limit(filter.limit))
        .bind(filter.without_open)
        .bind(filter.ids.as_deref().map(numbers));
    let rows = condition.bind(query).fetch(&store.inner.readers);
    let as_stored = filter.as_stored;
    each(store, rows, move |row| read_finding(row, as_stored))
}

const QUARANTINE: &str = "
    SELECT q.*, s.name AS stream FROM quarantine AS q JOIN streams AS s ON s.id = q.stream_id
    WHERE (?1 IS NULL OR q.connection_id = ?1) AND (?2 IS NULL OR s.name = ?2) ORDER BY q.id LIMIT ?3";

pub(super) fn quarantine<'a>(
    store: &'a SqliteStore,
    filter: &QuarantineFilter,
) -> BoxStream<'a, Result<Quarantined, StoreError>> {
    let rows = sqlx::query(QUARANTINE)
        .bind(filter.connection.map(|id| id.0))
        .bind(
            filter
                .stream
                .as_ref()
                .map(|stream| stream.as_str().to_owned()),
        )
        .bind(limit(filter.limit))
        .fetch(&store.inner.readers);
    each(store, rows, read_quarantined)
}

fn each<'a, T: 'a>(
    store: &'a SqliteStore,
    rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>,
    read: impl Fn(&SqliteRow) -> Result<T, Fail> + Send + 'a,
) -> BoxStream<'a, Result<T, StoreError>> {
    rows.map(move |row| {
        row.map_err(Fail::from)
            .and_then(|row| read(&row))
            .map_err(|fail| store.explain(fail))
    })
    .boxed()
}

fn severities(severities: &[Severity]) -> String {
    let ranks: Vec<String> = severities
        .iter()
        .map(|severity| severity.rank().to_string())
        .collect();
    format!("[{}]", ranks.join(","))
}

/// A list of numbers as JSON.
fn numbers(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("[{}]", ids.join(","))
}

/// SQLite takes -1 for "all".
fn limit(limit: Option<u64>) -> i64 {
    limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

fn read_asset(row: &SqliteRow, as_stored: bool) -> Result<Asset, Fail> {
    let first_seen = Timestamp::from_i64(row.try_get("first_seen")?)?;
    let last_seen = time(row, "last_seen")?.unwrap_or(first_seen);
    let closed_at = time(row, "closed_at")?;
    let updated_at = Timestamp::from_i64(row.try_get("updated_at")?)?;
    let state = match state_of(row.try_get("state")?) {
        RecordState::Open => AssetState::Active,
        RecordState::Closed => AssetState::Inactive,
        RecordState::OutOfScope => AssetState::OutOfScope,
    };
    let word = match state {
        AssetState::Inactive => "closed",
        AssetState::OutOfScope => "out-of-scope",
        AssetState::Active if updated_at > first_seen => "changed",
        AssetState::Active => "new",
    };
    let keys: Vec<(i64, String)> = document(row, "keys")?.unwrap_or_default();
    let mut body = body(
        row,
        as_stored,
        &Known {
            first_seen,
            last_seen,
            // What is out of scope is not closed, and its document must not say so.
            closed_at: closed_at.filter(|_| state == AssetState::Inactive),
            state: word,
        },
    )?;
    if let Some(pointer) = row.try_get::<Option<String>, _>("emptied")? {
        take_out(&mut body, &pointer);
    }
    Ok(Asset {
        id: row.try_get("id")?,
        keys: keys
            .into_iter()
            .map(|(connection, key)| (ConnectionId(connection), key))
            .collect(),
        state,
        created_by: row
            .try_get::<Option<i64>, _>("created_by")?
            .map(ConnectionId),
        onboarding_source: row.try_get("onboarding_source")?,
        host_name: row.try_get("host_name")?,
        title: row.try_get("title")?,
        facets: document(row, "facets")?.unwrap_or_default(),
        identity: document(row, "identity")?.unwrap_or_default(),
        first_seen,
        last_seen,
        closed_at,
        body,
    })
}

fn read_finding(row: &SqliteRow, as_stored: bool) -> Result<Finding, Fail> {
    let first_seen = Timestamp::from_i64(row.try_get("first_seen")?)?;
    let last_seen = match time(row, "last_seen")? {
        Some(last_seen) => last_seen,
        None => Timestamp::from_i64(row.try_get("record_last_seen")?)?,
    };
    let closed_at = time(row, "closed_at")?;
    let reopened_at = time(row, "reopened_at")?;
    let updated_at = Timestamp::from_i64(row.try_get("updated_at")?)?;
    let (state, word) = match state_of(row.try_get("state")?) {
        RecordState::Closed => (FindingState::Closed, "closed"),
        RecordState::OutOfScope => (FindingState::OutOfScope, "out-of-scope"),
        RecordState::Open if reopened_at.is_some() => (FindingState::Open, "reopened"),
        RecordState::Open if updated_at > first_seen => (FindingState::Open, "changed"),
        RecordState::Open => (FindingState::Open, "new"),
    };
    Ok(Finding {
        id: row.try_get("id")?,
        connection: ConnectionId(row.try_get("connection_id")?),
        stream: DataStreamName::new(row.try_get::<String, _>("stream")?)?,
        key: row.try_get("key")?,
        record: row.try_get("record")?,
        asset_key: row.try_get("asset_key")?,
        asset: row.try_get("asset_id")?,
        state,
        severity: Severity::from_rank(row.try_get("severity")?),
        finding_source: row.try_get("finding_source")?,
        host_name: row.try_get("host")?,
        title: row.try_get("title")?,
        facets: document(row, "facets")?.unwrap_or_default(),
        first_seen,
        last_seen,
        closed_at,
        reopened_at,
        evidence: document(row, "evidence")?,
        body: body(
            row,
            as_stored,
            &Known {
                first_seen,
                last_seen,
                // What is out of scope is not closed.
                closed_at: closed_at.filter(|_| state == FindingState::Closed),
                state: word,
            },
        )?,
    })
}

/// Takes the member at a JSON Pointer out of a document.
fn take_out(body: &mut Value, pointer: &str) {
    let Some((parent, member)) = pointer.rsplit_once('/') else {
        return;
    };
    if let Some(Value::Object(parent)) = body.pointer_mut(parent) {
        parent.remove(&member.replace("~1", "/").replace("~0", "~"));
    }
}

fn body(row: &SqliteRow, as_stored: bool, known: &Known<'_>) -> Result<Value, Fail> {
    let mut body: Value = document(row, "body")?.unwrap_or(Value::Null);
    if as_stored {
        return Ok(body);
    }
    let placeholders: Vec<Placeholder> = document(row, "placeholders")?.unwrap_or_default();
    fill(&mut body, &placeholders, known);
    Ok(body)
}

fn read_quarantined(row: &SqliteRow) -> Result<Quarantined, Fail> {
    let problems: Vec<Problem> = document(row, "problems")?.unwrap_or_default();
    Ok(Quarantined {
        connection: ConnectionId(row.try_get("connection_id")?),
        stream: DataStreamName::new(row.try_get::<String, _>("stream")?)?,
        key: row.try_get("key")?,
        raw: pack::decompress(row.try_get("raw")?)?,
        problems,
        first_seen: Timestamp::from_i64(row.try_get("first_seen")?)?,
        last_seen: Timestamp::from_i64(row.try_get("last_seen")?)?,
        times: row.try_get::<i64, _>("times")?.unsigned_abs(),
    })
}

const RECORDS: &str = "
    SELECT r.*, b.body FROM streams AS s
    JOIN records AS r ON r.stream_id = s.id
    JOIN bodies AS b ON b.id = r.id
    WHERE s.connection_id = ?1 AND s.name = ?2 AND (?3 IS NULL OR r.key = ?3) AND r.id > ?4 ORDER BY r.id LIMIT ?5";

pub(super) async fn records(store: &SqliteStore, query: &RecordQuery) -> Result<Vec<Record>, Fail> {
    let rows = sqlx::query(RECORDS)
        .bind(query.connection.0)
        .bind(query.stream.as_str())
        .bind(query.key.as_deref())
        .bind(query.after.unwrap_or(0))
        .bind(i64::from(query.limit))
        .fetch_all(&store.inner.readers)
        .await?;
    rows.iter().map(read_record).collect()
}

pub(super) fn read_record(row: &SqliteRow) -> Result<Record, Fail> {
    Ok(Record {
        id: row.try_get("id")?,
        key: row.try_get("key")?,
        fingerprint: row.try_get("fingerprint")?,
        state: state_of(row.try_get("state")?),
        parked: row.try_get("parked")?,
        first_seen: Timestamp::from_i64(row.try_get("first_seen")?)?,
        last_seen: Timestamp::from_i64(row.try_get("last_seen")?)?,
        seen_at: time(row, "seen_at")?,
        closed_at: time(row, "closed_at")?,
        evidence: document(row, "evidence")?,
        body: pack::decompress(row.try_get("body")?)?,
    })
}

/// By key, after `?4`. Records that came with the sync `?3` were not there before it.
const OPEN_BY_KEY: &str = "
    SELECT r.key, CASE r.sync_id WHEN ?3 THEN r.checked_before ELSE r.last_seen END AS checked, r.fingerprint
    FROM records AS r
    WHERE r.stream_id = (SELECT id FROM streams WHERE connection_id = ?1 AND name = ?2) AND r.state = 0
      AND (?4 IS NULL OR r.key > ?4)
      AND (?3 IS NULL OR r.first_seen < (SELECT started_at FROM syncs WHERE id = ?3) OR r.sync_id < ?3)
    ORDER BY r.key LIMIT ?5";

/// By the time of the last confirmation before the sync, then key, after the record of key `?4`.
const OPEN_BY_CHECK: &str = "
    WITH open AS (
        SELECT r.key, CASE r.sync_id WHEN ?3 THEN r.checked_before ELSE r.last_seen END AS checked, r.fingerprint
        FROM records AS r
        WHERE r.stream_id = (SELECT id FROM streams WHERE connection_id = ?1 AND name = ?2)
          AND (r.state = 0 OR r.key = ?4)
          AND (?3 IS NULL OR r.first_seen < (SELECT started_at FROM syncs WHERE id = ?3) OR r.sync_id < ?3))
    SELECT key, checked, fingerprint FROM open
    WHERE ?4 IS NULL OR (checked, key) > (SELECT checked, key FROM open WHERE key = ?4)
    ORDER BY checked, key LIMIT ?5";

pub(super) async fn open_records(
    store: &SqliteStore,
    query: &OpenRecords,
) -> Result<Vec<OpenRecord>, Fail> {
    let sql = match query.order {
        Order::Key => OPEN_BY_KEY,
        Order::OldestCheck => OPEN_BY_CHECK,
    };
    let rows: Vec<(String, i64, String)> = sqlx::query_as(sql)
        .bind(query.connection.0)
        .bind(query.stream.as_str())
        .bind(query.before.map(|sync| sync.0))
        .bind(query.after.as_deref())
        .bind(i64::from(query.limit))
        .fetch_all(&store.inner.readers)
        .await?;
    rows.into_iter()
        .map(|(key, checked, fingerprint)| {
            Ok(OpenRecord {
                key,
                checked: Timestamp::from_i64(checked)?,
                fingerprint,
            })
        })
        .collect()
}
