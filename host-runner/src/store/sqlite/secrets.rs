//! The sealed secrets of a tenant's connections. What they hold is opaque here.

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::SqliteStore;
use super::fail::Fail;
use crate::domain::{ConnectionId, ConnectionName};
use crate::store::KeptSecret;
use crate::store::commit_point::{CommitPoint, reach};

pub(super) async fn put(
    store: &SqliteStore,
    id: ConnectionId,
    name: &str,
    sealed: &[u8],
) -> Result<(), Fail> {
    let mut tx = store.begin().await?;
    write(&mut tx, id, name, sealed).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn write(
    tx: &mut SqliteConnection,
    id: ConnectionId,
    name: &str,
    sealed: &[u8],
) -> Result<(), Fail> {
    sqlx::query(
        "INSERT INTO secrets (connection_id, name, sealed) VALUES (?1, ?2, ?3)
         ON CONFLICT (connection_id, name) DO UPDATE SET sealed = excluded.sealed",
    )
    .bind(id.0)
    .bind(name)
    .bind(sealed)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn one(
    store: &SqliteStore,
    id: ConnectionId,
    name: &str,
) -> Result<Option<Vec<u8>>, Fail> {
    Ok(
        sqlx::query_scalar("SELECT sealed FROM secrets WHERE connection_id = ?1 AND name = ?2")
            .bind(id.0)
            .bind(name)
            .fetch_optional(&store.inner.readers)
            .await?,
    )
}

pub(super) async fn names(store: &SqliteStore, id: ConnectionId) -> Result<Vec<String>, Fail> {
    Ok(
        sqlx::query_scalar("SELECT name FROM secrets WHERE connection_id = ?1 ORDER BY name")
            .bind(id.0)
            .fetch_all(&store.inner.readers)
            .await?,
    )
}

const ALL: &str = "SELECT s.connection_id, c.name, s.name, s.sealed
     FROM secrets s JOIN connections c ON c.id = s.connection_id
     ORDER BY c.name, s.connection_id, s.name";

type Row = (i64, String, String, Vec<u8>);

fn read((connection, connection_name, name, sealed): Row) -> Result<KeptSecret, Fail> {
    Ok(KeptSecret {
        connection: ConnectionId(connection),
        connection_name: ConnectionName::new(connection_name)?,
        name,
        sealed,
    })
}

pub(super) async fn list(store: &SqliteStore) -> Result<Vec<KeptSecret>, Fail> {
    let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(&store.inner.readers).await?;
    rows.into_iter().map(read).collect()
}

pub(super) async fn reseal(
    store: &SqliteStore,
    mut reseal: impl FnMut(&KeptSecret) -> Option<Vec<u8>> + Send,
) -> Result<u64, Fail> {
    let mut tx: Transaction<'static, Sqlite> = store.begin().await?;
    let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(&mut *tx).await?;
    let mut replaced = 0;
    for row in rows {
        let kept = read(row)?;
        if let Some(sealed) = reseal(&kept) {
            write(&mut tx, kept.connection, &kept.name, &sealed).await?;
            replaced += 1;
        }
    }
    reach(CommitPoint::ResealWritten);
    tx.commit().await?;
    reach(CommitPoint::ResealCommitted);
    Ok(replaced)
}
