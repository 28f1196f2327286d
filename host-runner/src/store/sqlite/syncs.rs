//! Syncs and their checkpoints.

use sqlx::SqliteConnection;

use super::fail::Fail;
use super::{SqliteStore, pack, scope};
use crate::domain::{ConnectionId, DataStreamName, Ledger, Mode, SyncId, Timestamp};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{BeginSync, FinishedSync, StoreError, SyncHistory, SyncState};

/// The short id of a data stream; makes one where there is none.
async fn stream_id_or_new(
    tx: &mut SqliteConnection,
    connection: ConnectionId,
    stream: &DataStreamName,
) -> Result<i64, Fail> {
    sqlx::query("INSERT OR IGNORE INTO streams (connection_id, name) VALUES (?1, ?2)")
        .bind(connection.0)
        .bind(stream.as_str())
        .execute(&mut *tx)
        .await?;
    let id = sqlx::query_scalar("SELECT id FROM streams WHERE connection_id = ?1 AND name = ?2")
        .bind(connection.0)
        .bind(stream.as_str())
        .fetch_one(tx)
        .await?;
    Ok(id)
}

pub(super) async fn begin_or_resume(
    store: &SqliteStore,
    begin: &BeginSync,
) -> Result<SyncState, Fail> {
    let mut tx = store.begin().await?;
    let stream = stream_id_or_new(&mut tx, begin.connection, &begin.stream).await?;
    let scope_changed = scope::read_since(&mut tx, stream, None)
        .await?
        .iter()
        .any(|scope| *scope != begin.scope);
    type Found = (i64, String, i64, Option<Vec<u8>>, String);
    let open: Option<Found> = sqlx::query_as(
        "SELECT id, scope, started_at, checkpoint, ledger FROM syncs
         WHERE stream_id = ?1 AND mode = ?2 AND state = 'open' ORDER BY id DESC LIMIT 1",
    )
    .bind(stream)
    .bind(begin.mode.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let state = match open {
        Some((id, scope, started_at, checkpoint, ledger))
            if scope == begin.scope && !begin.restart =>
        {
            SyncState {
                sync: SyncId(id),
                checkpoint,
                started_at: Timestamp::from_i64(started_at)?,
                resumed: true,
                scope_changed,
                ledger: serde_json::from_str(&ledger)?,
            }
        }
        _ => {
            let (sync, checkpoint) = begin_anew(&mut tx, stream, begin).await?;
            SyncState {
                sync,
                checkpoint,
                started_at: begin.now,
                resumed: false,
                scope_changed,
                ledger: Ledger::default(),
            }
        }
    };
    sqlx::query("UPDATE runs SET sync_id = ?2, resumed = ?3 WHERE id = ?1")
        .bind(begin.run.0)
        .bind(state.sync.0)
        .bind(state.resumed)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    reach(CommitPoint::SyncBegun);
    Ok(state)
}

async fn begin_anew(
    tx: &mut SqliteConnection,
    stream: i64,
    begin: &BeginSync,
) -> Result<(SyncId, Option<Vec<u8>>), Fail> {
    // A full sync reads all that an interrupted incremental one would have, and its end says where the next begins.
    sqlx::query(
        "UPDATE syncs SET state = 'abandoned', checkpoint = NULL, ended_at = ?3
         WHERE stream_id = ?1 AND state = 'open' AND (mode = ?2 OR ?2 = 'full')",
    )
    .bind(stream)
    .bind(begin.mode.as_str())
    .bind(begin.now.as_i64())
    .execute(&mut *tx)
    .await?;
    // A full sync reads anew whatever it is given: from the end of the last one it learns what that cost, say. Whoever asks for a restart
    // does not trust it.
    let checkpoint: Option<Vec<u8>> = if begin.restart {
        None
    } else {
        sqlx::query_scalar("SELECT body FROM checkpoints WHERE stream_id = ?1 AND scope = ?2")
            .bind(stream)
            .bind(begin.scope.as_str())
            .fetch_optional(&mut *tx)
            .await?
    };
    let inserted = sqlx::query(
        "INSERT INTO syncs (stream_id, mode, scope, state, started_at, checkpoint, ledger)
         VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?6)",
    )
    .bind(stream)
    .bind(begin.mode.as_str())
    .bind(begin.scope.as_str())
    .bind(begin.now.as_i64())
    .bind(checkpoint.as_deref())
    .bind(pack::json(&Ledger::default())?)
    .execute(&mut *tx)
    .await?;
    Ok((SyncId(inserted.last_insert_rowid()), checkpoint))
}

pub(super) async fn abandon(store: &SqliteStore, sync: SyncId) -> Result<(), Fail> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(
        "UPDATE syncs SET state = 'abandoned', checkpoint = NULL WHERE id = ?1 AND state = 'open'",
    )
    .bind(sync.0)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NoSuchSync(sync).into());
    }
    tx.commit().await?;
    Ok(())
}

pub(super) async fn history(
    store: &SqliteStore,
    connection: ConnectionId,
    stream: &DataStreamName,
) -> Result<SyncHistory, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let id: Option<i64> =
        sqlx::query_scalar("SELECT id FROM streams WHERE connection_id = ?1 AND name = ?2")
            .bind(connection.0)
            .bind(stream.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    let Some(id) = id else {
        return Ok(SyncHistory::default());
    };
    let checkpoint: Option<i64> =
        sqlx::query_scalar("SELECT sync_id FROM checkpoints WHERE stream_id = ?1")
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
    Ok(SyncHistory {
        last_complete_full: finished(&mut tx, id, "complete", "").await?,
        last_finished: finished(&mut tx, id, "", "").await?,
        last_finished_full: finished(&mut tx, id, "", "full").await?,
        last_incremental: finished(&mut tx, id, "", "incremental").await?,
        interrupted_full: interrupted(&mut tx, id, Mode::Full).await?,
        interrupted_incremental: interrupted(&mut tx, id, Mode::Incremental).await?,
        has_incremental_checkpoint: checkpoint.is_some(),
        scopes: scope::read_since(&mut tx, id, None).await?,
        quarantined: quarantined(&mut tx, id).await?,
    })
}

/// The sync of this mode that is not at its end.
async fn interrupted(
    tx: &mut SqliteConnection,
    stream: i64,
    mode: Mode,
) -> Result<Option<(Timestamp, String)>, Fail> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT started_at, scope FROM syncs
         WHERE stream_id = ?1 AND state = 'open' AND mode = ?2 ORDER BY id DESC LIMIT 1",
    )
    .bind(stream)
    .bind(mode.as_str())
    .fetch_optional(tx)
    .await?;
    Ok(match row {
        Some((started_at, scope)) => Some((Timestamp::from_i64(started_at)?, scope)),
        None => None,
    })
}

async fn quarantined(tx: &mut SqliteConnection, stream: i64) -> Result<u64, Fail> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM quarantine WHERE stream_id = ?1")
        .bind(stream)
        .fetch_one(tx)
        .await?;
    Ok(count.unsigned_abs())
}

/// The last sync that ended, in this state and of this mode, or in any where it is "".
async fn finished(
    tx: &mut SqliteConnection,
    stream: i64,
    state: &str,
    mode: &str,
) -> Result<Option<FinishedSync>, Fail> {
    type Found = (i64, String, String, i64, i64, Option<String>);
    let row: Option<Found> = sqlx::query_as(
        "SELECT id, mode, scope, started_at, ended_at, made_with FROM syncs
         WHERE stream_id = ?1 AND ended_at IS NOT NULL AND state <> 'abandoned'
           AND (?2 = '' OR state = ?2) AND (?3 = '' OR mode = ?3)
         ORDER BY id DESC LIMIT 1",
    )
    .bind(stream)
    .bind(state)
    .bind(mode)
    .fetch_optional(tx)
    .await?;
    let Some((id, mode, scope, started_at, ended_at, made_with)) = row else {
        return Ok(None);
    };
    Ok(Some(FinishedSync {
        sync: SyncId(id),
        mode: mode
            .parse()
            .map_err(|e: crate::domain::UnknownMode| Fail::Damaged(e.to_string()))?,
        scope,
        started_at: Timestamp::from_i64(started_at)?,
        ended_at: Timestamp::from_i64(ended_at)?,
        made_with,
    }))
}
