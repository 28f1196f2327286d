//! Counts the runs that a component ended, and sets its connection aside.

use serde_json::Value;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fail::Fail;
use crate::domain::{ConnectionId, RunId, Timestamp};
use crate::store::set_aside::IN_A_ROW;
use crate::store::{RunEnd, SetAside, StoreError};

/// Sets a connection aside where this run, which its component ended, is one too many.
pub(super) async fn judge(
    tx: &mut SqliteConnection,
    run: RunId,
    end: &RunEnd,
) -> Result<Option<SetAside>, Fail> {
    let found: Option<(i64, String, i64)> = sqlx::query_as(
        "SELECT r.connection_id, r.stream, c.looked_at_run FROM runs AS r JOIN connections AS c ON c.id = r.connection_id
         WHERE r.id = ?1",
    )
    .bind(run.0)
    .fetch_optional(&mut *tx)
    .await?;
    let Some((connection, stream, looked_at)) = found else {
        return Ok(None);
    };
    let mut too_many = false;
    for stream in [None, Some(stream.as_str())] {
        let last: Vec<i64> = sqlx::query_scalar(
            "SELECT conduct FROM runs
             WHERE connection_id = ?1 AND id > ?2 AND conduct IS NOT NULL AND (?3 IS NULL OR stream = ?3)
             ORDER BY id DESC LIMIT ?4",
        )
        .bind(connection)
        .bind(looked_at)
        .bind(stream)
        .bind(i64::from(IN_A_ROW))
        .fetch_all(&mut *tx)
        .await?;
        let broken = last.iter().filter(|conduct| **conduct == 1).count();
        too_many |= u32::try_from(broken).is_ok_and(|broken| broken == IN_A_ROW);
    }
    if !too_many {
        return Ok(None);
    }
    let set_aside = SetAside {
        at: end.now,
        run,
        in_a_row: IN_A_ROW,
        reason: end
            .fault
            .as_ref()
            .and_then(|fault| fault.get("message"))
            .and_then(Value::as_str)
            .unwrap_or("no reason is on record")
            .to_owned(),
    };
    sqlx::query(
        "INSERT OR IGNORE INTO set_aside (connection_id, at, run_id, in_a_row, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(connection)
    .bind(set_aside.at.as_i64())
    .bind(run.0)
    .bind(i64::from(set_aside.in_a_row))
    .bind(set_aside.reason.as_str())
    .execute(tx)
    .await?;
    Ok(Some(set_aside))
}

/// Someone looked: the connection may run again, and the count begins anew.
pub(super) async fn clear(
    tx: &mut SqliteConnection,
    connection: ConnectionId,
) -> Result<bool, Fail> {
    let was = sqlx::query("DELETE FROM set_aside WHERE connection_id = ?1")
        .bind(connection.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "UPDATE connections SET looked_at_run = (SELECT coalesce(max(id), 0) FROM runs WHERE connection_id = ?1)
         WHERE id = ?1",
    )
    .bind(connection.0)
    .execute(tx)
    .await?;
    Ok(was.rows_affected() > 0)
}

pub(super) async fn reinstate(store: &SqliteStore, connection: ConnectionId) -> Result<bool, Fail> {
    let mut tx = store.begin().await?;
    let there: Option<i64> =
        sqlx::query_scalar("SELECT id FROM connections WHERE id = ?1 AND removed_at IS NULL")
            .bind(connection.0)
            .fetch_optional(&mut *tx)
            .await?;
    if there.is_none() {
        return Err(StoreError::ConnectionGone(connection).into());
    }
    let was = clear(&mut tx, connection).await?;
    tx.commit().await?;
    Ok(was)
}

/// Time, run, number and reason, each null where a connection is not set aside.
pub(super) type Columns = (Option<i64>, Option<i64>, Option<i64>, Option<String>);

pub(super) fn read(columns: Columns) -> Result<Option<SetAside>, Fail> {
    let (Some(at), Some(run), Some(in_a_row), Some(reason)) = columns else {
        return Ok(None);
    };
    Ok(Some(SetAside {
        at: Timestamp::from_i64(at)?,
        run: RunId(run),
        in_a_row: u32::try_from(in_a_row).unwrap_or(IN_A_ROW),
        reason,
    }))
}
