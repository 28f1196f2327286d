//! Runs, and the lock that lets one of them work at a time.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::fail::Fail;
use super::stores::private_folder;
use super::{SqliteStore, pack, set_aside};
use crate::domain::{
    ConnectionId, DataStreamName, Ledger, Mode, RunId, RunState, SyncId, Timestamp,
};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{Conduct, NewRun, Run, RunEnd, RunFilter, RunLock, SetAside, StoreError, lock};

pub(super) async fn take_lock(
    store: &SqliteStore,
    id: ConnectionId,
    now: Timestamp,
) -> Result<RunLock, Fail> {
    private_folder(&store.inner.locks)?;
    let held = lock::take(&store.inner.locks, id, now)?;
    // Whoever holds the lock knows that no run is under way: what says so was killed.
    let fault = json!({
        "cause": "interrupted",
        "call": "",
        "status": null,
        "message": "the process that ran it ended before the run did",
        "remedy": "nothing is lost: the next run goes on from its last step",
    });
    let mut tx = store.begin().await?;
    sqlx::query(
        "UPDATE runs SET state = 'failed', ended_at = coalesce(committed_at, started_at), fault = ?2
         WHERE connection_id = ?1 AND state IN ('queued', 'running')",
    )
    .bind(id.0)
    .bind(pack::json(&fault)?)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(held)
}

pub(super) async fn begin(store: &SqliteStore, run: &NewRun) -> Result<RunId, Fail> {
    let mut tx = store.begin().await?;
    let inserted = sqlx::query(
        "INSERT INTO runs (connection_id, stream, mode, reason, state, started_at, ledger, map)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(run.connection.0)
    .bind(run.stream.as_str())
    .bind(run.mode.as_str())
    .bind(run.reason.as_str())
    .bind(RunState::Running.as_str())
    .bind(run.now.as_i64())
    .bind(pack::json(&Ledger::default())?)
    .bind(run.map.as_ref().map(pack::json).transpose()?)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    reach(CommitPoint::RunBegun);
    Ok(RunId(inserted.last_insert_rowid()))
}

pub(super) async fn finish(
    store: &SqliteStore,
    run: RunId,
    end: &RunEnd,
) -> Result<Option<SetAside>, Fail> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(
        "UPDATE runs SET state = ?2, ended_at = ?3, calls = ?4, fault = ?5, warnings = ?6, peak_memory = ?7, details = ?8,
             conduct = ?9
         WHERE id = ?1",
    )
    .bind(run.0)
    .bind(end.state.as_str())
    .bind(end.now.as_i64())
    .bind(pack::json(&end.calls)?)
    .bind(end.fault.as_ref().map(pack::json).transpose()?)
    .bind(pack::json(&end.warnings)?)
    .bind(end.peak_memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)))
    .bind(pack::json(&end.details)?)
    .bind(end.conduct.number())
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(no_such_run(store, run));
    }
    let set_aside = match end.conduct {
        Conduct::Broken => set_aside::judge(&mut tx, run, end).await?,
        Conduct::Sound | Conduct::Silent => None,
    };
    tx.commit().await?;
    reach(CommitPoint::RunFinished);
    Ok(set_aside)
}

pub(super) async fn list(store: &SqliteStore, filter: &RunFilter) -> Result<Vec<Run>, Fail> {
    let rows = sqlx::query(
        "SELECT * FROM runs
         WHERE (?1 IS NULL OR connection_id = ?1) AND (?2 IS NULL OR stream = ?2) AND (NOT ?3 OR mode <> ?4)
         ORDER BY id DESC LIMIT ?5",
    )
    .bind(filter.connection.map(|id| id.0))
    .bind(filter.stream.as_ref().map(DataStreamName::as_str))
    .bind(filter.syncs_only)
    .bind(Mode::Remake.as_str())
    .bind(filter.limit.map_or(-1, i64::from))
    .fetch_all(&store.inner.readers)
    .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn load(store: &SqliteStore, id: RunId) -> Result<Run, Fail> {
    let row = sqlx::query("SELECT * FROM runs WHERE id = ?1")
        .bind(id.0)
        .fetch_optional(&store.inner.readers)
        .await?;
    match row {
        Some(row) => read(&row),
        None => Err(no_such_run(store, id)),
    }
}

fn no_such_run(store: &SqliteStore, run: RunId) -> Fail {
    StoreError::NoSuchRun {
        tenant: store.inner.tenant.clone(),
        run,
    }
    .into()
}

fn read(row: &SqliteRow) -> Result<Run, Fail> {
    let mode: String = row.try_get("mode")?;
    let state: String = row.try_get("state")?;
    Ok(Run {
        id: RunId(row.try_get("id")?),
        connection: ConnectionId(row.try_get("connection_id")?),
        stream: DataStreamName::new(row.try_get::<String, _>("stream")?)?,
        mode: mode
            .parse()
            .map_err(|e: crate::domain::UnknownMode| Fail::Damaged(e.to_string()))?,
        reason: row.try_get("reason")?,
        map: document(row, "map")?,
        state: state
            .parse()
            .map_err(|e: crate::domain::UnknownRunState| Fail::Damaged(e.to_string()))?,
        sync: row.try_get::<Option<i64>, _>("sync_id")?.map(SyncId),
        resumed: row.try_get("resumed")?,
        started_at: Timestamp::from_i64(row.try_get("started_at")?)?,
        ended_at: time(row, "ended_at")?,
        committed_at: time(row, "committed_at")?,
        steps: row.try_get::<i64, _>("steps")?.unsigned_abs(),
        ledger: document(row, "ledger")?.unwrap_or_default(),
        calls: document(row, "calls")?.unwrap_or(Value::Null),
        fault: document(row, "fault")?,
        warnings: document(row, "warnings")?.unwrap_or_default(),
        peak_memory: row
            .try_get::<Option<i64>, _>("peak_memory")?
            .map(i64::unsigned_abs),
        details: document(row, "details")?.unwrap_or(Value::Null),
    })
}

/// A time that may be missing.
pub(super) fn time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, Fail> {
    let ms: Option<i64> = row.try_get(column)?;
    Ok(ms.map(Timestamp::from_i64).transpose()?)
}

/// A JSON document that may be missing.
pub(super) fn document<T: DeserializeOwned>(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<T>, Fail> {
    let text: Option<String> = row.try_get(column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}
