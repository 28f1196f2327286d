//! Making the documents of a connection anew, after it was changed and before it is synced.

use std::sync::Arc;

use super::{ConnectionError, Desk};
use crate::model::Model;
use crate::pipeline::{Cancel, Observer, RemakeJob};
use crate::store::Connection;
use crate::store::sqlite::SqliteStore;

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
        switches: model.switches(&connection.policy),
        always_written: model.always_written.clone(),
        observer,
        cancel,
    })
}
