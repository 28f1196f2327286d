//! Running a connection's syncs: one data stream after the other, in the manifest's order, through one way out.

use std::sync::Arc;

use super::{ConnectionError, Desk, binding, link};
use crate::domain::{ConnectionName, DataStreamName, TenantName};
use crate::egress::{Egress, Rate};
use crate::model::Model;
use crate::pipeline::{Cancel, Observer, SyncJob, SyncOptions};
use crate::store::sqlite::{SqliteStore, Trial};
use crate::store::{Connection, RunLock, Store, Switches};

/// A connection that is taken for oneself and ready to be synced. It is free again as soon as this is dropped.
pub struct Session {
    /// The tenant's store.
    pub store: SqliteStore,
    /// The connection.
    pub connection: Connection,
    /// The data streams to sync, in the order of reading.
    pub streams: Vec<DataStreamName>,
    model: Model,
    egress: Arc<Egress>,
    /// The copy that it works on, where it only tries.
    trial: Option<Trial>,
    _lock: RunLock,
}

/// Takes a connection for syncing. `streams` are those that are asked for; none means all that the configuration chooses.
///
/// # Errors
/// Where it is being synced already, is bound to another build, is set aside, or has no such data stream.
pub async fn session(
    desk: &Desk,
    tenant: &TenantName,
    name: &ConnectionName,
    streams: &[DataStreamName],
    rate: Rate,
) -> Result<Session, ConnectionError> {
    let store = desk.stores.open(tenant).await?;
    let connection = store.connection(name).await?;
    let lock = store.lock(connection.id, desk.clock.now()).await?;
    // Read again: it may have been changed, or set aside, by whoever held it until now.
    let connection = store.connection(name).await?;
    if let Some(set_aside) = &connection.set_aside {
        return Err(ConnectionError::SetAside {
            tenant: tenant.clone(),
            connection: name.clone(),
            set_aside: set_aside.clone(),
        });
    }
    binding::check(&desk.plugin, &connection)?;
    let streams = chosen(&connection, streams)?;
    let model = Model::by_name(&connection.target)?;
    // A copy that is left behind takes room, no more: it keeps nobody from syncing.
    if let Err(error) = desk.stores.clear_trials() {
        tracing::warn!("a dry run's copy is left behind: {error}");
    }
    let egress = link::of_connection(desk, &store, &connection, rate).await?;
    Ok(Session {
        store,
        connection,
        streams,
        model,
        egress,
        trial: None,
        _lock: lock,
    })
}

impl Session {
    /// The same on a copy of the tenant's data, which goes with the session: nothing that it does is kept.
    ///
    /// # Errors
    /// Where there is no room for the copy.
    pub async fn on_trial(self, desk: &Desk) -> Result<Self, ConnectionError> {
        let trial = desk.stores.trial(&self.store).await?;
        Ok(Self {
            store: trial.store.clone(),
            trial: Some(trial),
            ..self
        })
    }

    /// Whether it works on a copy.
    pub fn is_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// The way out, from now on with an eye on secrets that come back: for a recording.
    pub fn watched(&self) -> Arc<Egress> {
        self.egress.watch_echoes();
        Arc::clone(&self.egress)
    }

    /// The switches in force.
    pub fn switches(&self) -> Switches {
        self.model.switches(&self.connection.policy)
    }

    /// The sync of one data stream.
    pub fn job(
        &self,
        desk: &Desk,
        stream: &DataStreamName,
        options: SyncOptions,
        observer: Arc<dyn Observer>,
        cancel: Cancel,
    ) -> SyncJob<SqliteStore> {
        SyncJob {
            store: self.store.clone(),
            plugin: Arc::clone(&desk.plugin),
            connection: self.connection.clone(),
            stream: stream.clone(),
            model_schema: self.model.schema_bytes(),
            asset_rules: self.model.asset_rules(&self.connection.policy),
            egress: Arc::clone(&self.egress) as _,
            tap: None,
            options,
            observer,
            cancel,
        }
    }
}

fn chosen(
    connection: &Connection,
    asked: &[DataStreamName],
) -> Result<Vec<DataStreamName>, ConnectionError> {
    if let Some(stream) = asked
        .iter()
        .find(|stream| !connection.data_streams.contains(stream))
    {
        let chosen: Vec<&str> = connection
            .data_streams
            .iter()
            .map(DataStreamName::as_str)
            .collect();
        return Err(ConnectionError::StreamNotChosen {
            connection: connection.name.clone(),
            stream: stream.clone(),
            chosen: chosen.join(", "),
        });
    }
    let wanted = |stream: &&DataStreamName| asked.is_empty() || asked.contains(stream);
    Ok(connection
        .data_streams
        .iter()
        .filter(wanted)
        .cloned()
        .collect())
}
