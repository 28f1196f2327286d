//! Connections and their sealed secrets.

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::fail::Fail;
use super::step::identify::Source;
use super::stores::private_folder;
use super::{SqliteStore, identification, pack, scope, secrets, set_aside};
use crate::domain::{Clock, ConnectionId, ConnectionName, SystemClock, Timestamp};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{Connection, Purge, SealedSecret, StoreError, lock};

/// Writes a new connection. It is there once [`commit`] has added its secrets.
pub(super) async fn create(
    store: &SqliteStore,
    connection: &Connection,
) -> Result<(Transaction<'static, Sqlite>, Connection), Fail> {
    let mut tx = store.begin().await?;
    let live: Option<i64> =
        sqlx::query_scalar("SELECT id FROM connections WHERE name = ?1 AND removed_at IS NULL")
            .bind(connection.name.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    if live.is_some() {
        return Err(StoreError::NameTaken {
            tenant: store.inner.tenant.clone(),
            name: connection.name.clone(),
        }
        .into());
    }
    let mut saved = connection.clone();
    match removed_twin(&mut tx, connection).await? {
        Some(twin) => {
            saved.id = twin.id;
            saved.created_at = twin.created_at;
            // Whoever connects again may do so with another key.
            saved.secrets_changed_at = Some(saved.updated_at);
            scope::leave(
                &mut tx,
                saved.id,
                &twin.data_streams,
                &saved.data_streams,
                saved.updated_at,
            )
            .await?;
            sqlx::query("UPDATE connections SET document = ?2, updated_at = ?3, removed_at = NULL WHERE id = ?1")
                .bind(saved.id.0)
                .bind(pack::json(&saved)?)
                .bind(saved.updated_at.as_i64())
                .execute(&mut *tx)
                .await?;
        }
        None => {
            let inserted = sqlx::query(
                "INSERT INTO connections (name, component, document, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .bind(saved.name.as_str())
            .bind(saved.component.name.as_str())
            .bind(pack::json(&saved)?)
            .bind(saved.created_at.as_i64())
            .bind(saved.updated_at.as_i64())
            .execute(&mut *tx)
            .await?;
            saved.id = ConnectionId(inserted.last_insert_rowid());
        }
    }
    Ok((tx, saved))
}

/// Writes a connection's secrets into the transaction that wrote the connection, forgets those that it does not use, and commits.
pub(super) async fn commit(
    mut tx: Transaction<'static, Sqlite>,
    connection: &Connection,
    sealed: &[SealedSecret],
) -> Result<(), Fail> {
    reach(CommitPoint::ConnectionRow);
    for secret in sealed {
        secrets::write(&mut tx, connection.id, &secret.name, &secret.sealed).await?;
    }
    sqlx::query(
        "DELETE FROM secrets WHERE connection_id = ?1 AND name NOT IN (SELECT value FROM json_each(?2))",
    )
    .bind(connection.id.0)
    .bind(pack::json(&connection.kept_secrets())?)
    .execute(&mut *tx)
    .await?;
    reach(CommitPoint::ConnectionSecrets);
    tx.commit().await?;
    reach(CommitPoint::ConnectionCommitted);
    Ok(())
}

/// The connection of the same name, connector and origins that was removed with its data kept.
async fn removed_twin(
    tx: &mut SqliteConnection,
    connection: &Connection,
) -> Result<Option<Connection>, Fail> {
    let removed: Vec<Row> = sqlx::query_as(
        "SELECT id, name, document, NULL, NULL, NULL, NULL FROM connections
         WHERE name = ?1 AND component = ?2 AND removed_at IS NOT NULL ORDER BY id DESC",
    )
    .bind(connection.name.as_str())
    .bind(connection.component.name.as_str())
    .fetch_all(tx)
    .await?;
    for row in removed {
        let twin = read(row)?;
        if twin.origins == connection.origins {
            return Ok(Some(twin));
        }
    }
    Ok(None)
}

pub(super) async fn update(
    store: &SqliteStore,
    connection: &Connection,
    secrets: &[SealedSecret],
) -> Result<(), Fail> {
    let mut tx = store.begin().await?;
    let taken: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM connections WHERE name = ?1 AND removed_at IS NULL AND id <> ?2",
    )
    .bind(connection.name.as_str())
    .bind(connection.id.0)
    .fetch_optional(&mut *tx)
    .await?;
    if taken.is_some() {
        return Err(StoreError::NameTaken {
            tenant: store.inner.tenant.clone(),
            name: connection.name.clone(),
        }
        .into());
    }
    let before: Option<Row> = sqlx::query_as(
        "SELECT id, name, document, NULL, NULL, NULL, NULL FROM connections WHERE id = ?1 AND removed_at IS NULL",
    )
    .bind(connection.id.0)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(before) = before {
        let before = read(before)?;
        if before.component.sha256 != connection.component.sha256 {
            set_aside::clear(&mut tx, connection.id).await?;
        }
        scope::leave(
            &mut tx,
            connection.id,
            &before.data_streams,
            &connection.data_streams,
            connection.updated_at,
        )
        .await?;
    }
    let done = sqlx::query(
        "UPDATE connections SET name = ?2, component = ?3, document = ?4, updated_at = ?5
         WHERE id = ?1 AND removed_at IS NULL",
    )
    .bind(connection.id.0)
    .bind(connection.name.as_str())
    .bind(connection.component.name.as_str())
    .bind(pack::json(connection)?)
    .bind(connection.updated_at.as_i64())
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::ConnectionGone(connection.id).into());
    }
    commit(tx, connection, secrets).await
}

pub(super) async fn load(store: &SqliteStore, name: &ConnectionName) -> Result<Connection, Fail> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT c.id, c.name, c.document, a.at, a.run_id, a.in_a_row, a.reason
         FROM connections AS c LEFT JOIN set_aside AS a ON a.connection_id = c.id
         WHERE c.name = ?1 AND c.removed_at IS NULL",
    )
    .bind(name.as_str())
    .fetch_optional(&store.inner.readers)
    .await?;
    match row {
        Some(row) => read(row),
        None => Err(StoreError::NoSuchConnection {
            tenant: store.inner.tenant.clone(),
            name: name.clone(),
            known: list(store)
                .await?
                .into_iter()
                .map(|connection| connection.name)
                .collect(),
        }
        .into()),
    }
}

pub(super) async fn list(store: &SqliteStore) -> Result<Vec<Connection>, Fail> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT c.id, c.name, c.document, a.at, a.run_id, a.in_a_row, a.reason
         FROM connections AS c LEFT JOIN set_aside AS a ON a.connection_id = c.id
         WHERE c.removed_at IS NULL ORDER BY c.name",
    )
    .fetch_all(&store.inner.readers)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Id, name, document, and why it is set aside.
type Row = (
    i64,
    String,
    String,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

fn read((id, name, document, at, run, in_a_row, reason): Row) -> Result<Connection, Fail> {
    let mut connection: Connection = serde_json::from_str(&document)?;
    connection.set_aside = set_aside::read((at, run, in_a_row, reason))?;
    connection.id = ConnectionId(id);
    connection.name = ConnectionName::new(name)?;
    Ok(connection)
}

pub(super) async fn remove(
    store: &SqliteStore,
    id: ConnectionId,
    purge: Purge,
) -> Result<(), Fail> {
    let now = SystemClock.now();
    private_folder(&store.inner.locks)?;
    let _lock = lock::take(&store.inner.locks, id, now)?;
    let mut tx = store.begin().await?;
    let there: Option<i64> = sqlx::query_scalar("SELECT id FROM connections WHERE id = ?1")
        .bind(id.0)
        .fetch_optional(&mut *tx)
        .await?;
    if there.is_none() {
        return Err(StoreError::ConnectionGone(id).into());
    }
    match purge {
        Purge::KeepData => execute(&mut tx, &KEEP_DATA, id, now).await?,
        Purge::Data => {
            execute(&mut tx, &PURGE_LINKS, id, now).await?;
            identification::forget_assets(&mut tx, DOOMED, id.0).await?;
            execute(&mut tx, &PURGE_DATA, id, now).await?;
            identification::forget(&mut tx, Source::Connection(id)).await?;
        }
    }
    tx.commit().await?;
    reach(CommitPoint::RemovalCommitted);
    Ok(())
}

async fn execute(
    tx: &mut SqliteConnection,
    statements: &[&'static str],
    id: ConnectionId,
    now: Timestamp,
) -> Result<(), Fail> {
    for statement in statements {
        sqlx::query(*statement)
            .bind(id.0)
            .bind(now.as_i64())
            .execute(&mut *tx)
            .await?;
        reach(CommitPoint::RemovalTable);
    }
    Ok(())
}

/// `?1` is the connection, `?2` the time. Checkpoints go: whoever connects again begins with a full sync.
const KEEP_DATA: [&str; 5] = [
    "DELETE FROM set_aside WHERE connection_id = ?1",
    "DELETE FROM secrets WHERE connection_id = ?1",
    "DELETE FROM checkpoints WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1)",
    "UPDATE syncs SET state = 'abandoned', checkpoint = NULL
     WHERE state = 'open' AND stream_id IN (SELECT id FROM streams WHERE connection_id = ?1)",
    "UPDATE connections SET removed_at = ?2,
         looked_at_run = (SELECT coalesce(max(id), 0) FROM runs WHERE connection_id = ?1)
     WHERE id = ?1",
];

/// Assets that the connection created, and that nothing else feeds or knows. To be asked when its links are gone.
macro_rules! doomed {
    () => {
        "created_by = ?1 AND id NOT IN (SELECT asset_id FROM links WHERE asset_id IS NOT NULL)
         AND id NOT IN (SELECT asset_id FROM imported)"
    };
}
const DOOMED: &str = doomed!();

const PURGE_LINKS: [&str; 9] = [
    "DELETE FROM set_aside WHERE connection_id = ?1",
    "DELETE FROM secrets WHERE connection_id = ?1",
    "DELETE FROM checkpoints WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1)",
    "DELETE FROM syncs WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1)",
    "DELETE FROM runs WHERE connection_id = ?1",
    "DELETE FROM findings WHERE connection_id = ?1",
    "DELETE FROM links WHERE connection_id = ?1",
    // Other connections' findings on what goes wait again, and may find another asset.
    concat!(
        "UPDATE records SET parked = 1, making_id = NULL WHERE id IN (
             SELECT record_id FROM findings WHERE asset_id IN (SELECT id FROM assets WHERE ",
        doomed!(),
        "))"
    ),
    concat!(
        "UPDATE findings SET asset_id = NULL WHERE asset_id IN (SELECT id FROM assets WHERE ",
        doomed!(),
        ")"
    ),
];

/// What others feed too stays, and is nobody's creation then; what nothing feeds any more is inactive, but what was imported.
const PURGE_DATA: [&str; 10] = [
    concat!("DELETE FROM assets WHERE ", doomed!()),
    "UPDATE assets SET created_by = NULL WHERE created_by = ?1",
    "UPDATE assets SET closed_at = ?2, updated_at = ?2,
         state = CASE WHEN EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = assets.id AND k.state = 2) THEN 2 ELSE 1 END
     WHERE state = 0 AND id NOT IN (SELECT asset_id FROM links WHERE asset_id IS NOT NULL AND state = 0)
       AND id NOT IN (SELECT asset_id FROM imported)",
    "DELETE FROM waiting WHERE record_id IN (
         SELECT id FROM records WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1))",
    "DELETE FROM ambiguous WHERE record_id IN (
         SELECT id FROM records WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1))",
    "DELETE FROM duplicates WHERE record_id IN (
         SELECT id FROM records WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1))",
    "DELETE FROM bodies WHERE id IN (
         SELECT id FROM records WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1))",
    "DELETE FROM records WHERE stream_id IN (SELECT id FROM streams WHERE connection_id = ?1)",
    "DELETE FROM quarantine WHERE connection_id = ?1",
    "DELETE FROM connections WHERE id = ?1",
];
