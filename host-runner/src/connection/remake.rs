//! Making the documents of a connection anew, after it was changed and before it is synced.

use std::sync::Arc;

use super::{ConnectionError, Desk, binding};
use crate::domain::ConnectionName;
use crate::model::Model;
use crate::pipeline::{Cancel, Observer, RemakeJob};
use crate::store::sqlite::SqliteStore;
use crate::store::{Connection, RunLock, Store, StoreError};

/// Takes a connection whose documents are to be made anew at once. None where that is left to its next sync: it is being synced, is set aside, or is bound to
/// another build than the one at hand.
///
/// # Errors
/// Where the store can't be read.
pub async fn take(
    desk: &Desk,
    store: &SqliteStore,
    name: &ConnectionName,
) -> Result<Option<(Connection, RunLock)>, StoreError> {
    let connection = store.connection(name).await?;
    let lock = match store.lock(connection.id, desk.clock.now()).await {
        Ok(lock) => lock,
        Err(StoreError::Busy { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    // Read again: it may have been changed by whoever held it until now.
    let connection = store.connection(name).await?;
    let fits = connection.set_aside.is_none() && binding::check(&desk.plugin, &connection).is_ok();
    Ok(fits.then_some((connection, lock)))
}

/// What is to be made anew of a connection, as it is saved. Whoever runs it holds the connection's lock.
///
/// # Errors
/// Where this host does not know the target model.
pub fn job(
    desk: &Desk,
    store: &SqliteStore,
    connection: &Connection,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
) -> Result<RemakeJob<SqliteStore>, ConnectionError> {
    let model = Model::by_name(&connection.target)?;
    Ok(RemakeJob {
        store: store.clone(),
        plugin: Arc::clone(&desk.plugin),
        connection: connection.clone(),
        model_schema: model.schema_bytes(),
        asset_rules: model.asset_rules(&connection.policy),
        observer,
        cancel,
    })
}
