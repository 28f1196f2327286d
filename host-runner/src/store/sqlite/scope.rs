//! Which scope was read when, and data streams that the configuration does not choose any more.

use sqlx::SqliteConnection;

use super::closing;
use super::fail::Fail;
use super::pack;
use super::step::Context;
use crate::domain::{ConnectionId, DataStreamName, Ledger, Mode, SyncId, Timestamp};
use crate::store::{Closing, Evidence};

/// The scope under which a data stream that is not chosen is remembered. No connector's text is like it.
const NOT_CHOSEN: &str = "(not chosen)";

/// The scopes of the last complete full sync and of all syncs begun since, up to this sync where one is given: each once. One scope alone means
/// that a record that is not seen in it was never let in by another.
pub(super) async fn read_since(
    tx: &mut SqliteConnection,
    stream: i64,
    up_to: Option<SyncId>,
) -> Result<Vec<String>, Fail> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT scope FROM syncs WHERE stream_id = ?1 AND id <= coalesce(?2, id)
           AND id >= coalesce((SELECT max(id) FROM syncs WHERE stream_id = ?1 AND state = 'complete'), 0)",
    )
    .bind(stream)
    .bind(up_to.map(|sync| sync.0))
    .fetch_all(tx)
    .await?)
}

/// Moves what is open of data streams that are chosen no more out of scope: it is not gone, and nobody looks any more. What their syncs had left to
/// do is given up, so that the streams begin with a full sync when they are chosen again.
pub(super) async fn leave(
    tx: &mut SqliteConnection,
    connection: ConnectionId,
    before: &[DataStreamName],
    after: &[DataStreamName],
    now: Timestamp,
) -> Result<(), Fail> {
    for stream in before.iter().filter(|stream| !after.contains(stream)) {
        let id: Option<i64> =
            sqlx::query_scalar("SELECT id FROM streams WHERE connection_id = ?1 AND name = ?2")
                .bind(connection.0)
                .bind(stream.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        // One that was never read has nothing to leave.
        if let Some(id) = id {
            leave_one(tx, connection, id, now).await?;
        }
    }
    Ok(())
}

async fn leave_one(
    tx: &mut SqliteConnection,
    connection: ConnectionId,
    stream: i64,
    now: Timestamp,
) -> Result<(), Fail> {
    sqlx::query(
        "UPDATE syncs SET state = 'abandoned', checkpoint = NULL WHERE stream_id = ?1 AND state = 'open'",
    )
    .bind(stream)
    .execute(&mut *tx)
    .await?;
    let marker = sqlx::query(
        "INSERT INTO syncs (stream_id, mode, scope, state, started_at, ended_at, ledger)
         VALUES (?1, ?2, ?3, 'abandoned', ?4, ?4, ?5)",
    )
    .bind(stream)
    .bind(Mode::Full.as_str())
    .bind(NOT_CHOSEN)
    .bind(now.as_i64())
    .bind(pack::json(&Ledger::default())?)
    .execute(&mut *tx)
    .await?;
    let ctx = Context {
        connection,
        stream,
        sync: SyncId(marker.last_insert_rowid()),
        run: None,
        now,
    };
    let evidence = Evidence {
        closing: Closing::OutOfScope("dataStreams".to_owned()),
        word: "the configuration does not choose its data stream any more".to_owned(),
        at: None,
        sync: ctx.sync,
        run: None,
    };
    closing::clear(tx).await?;
    sqlx::query(
        "INSERT INTO temp.leaving (record_id, state, evidence)
         SELECT id, 2, ?2 FROM records WHERE stream_id = ?1 AND state = 0",
    )
    .bind(stream)
    .bind(pack::json(&evidence)?)
    .execute(&mut *tx)
    .await?;
    closing::apply(tx, &ctx, &mut Ledger::default()).await
}
