//! What a sync is asked to do.

use super::cancel::Cancel;
use super::observe::Observer;
use crate::domain::DataStreamName;
use crate::engine::Plugin;
use crate::imports::{Outbound, Tap};
use crate::store::{AssetRules, Connection, RemovalGuard};
use std::sync::Arc;

/// Which mode the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModeChoice {
    /// Full where it must be, else incremental.
    #[default]
    Auto,
    /// All that is in scope.
    Full,
    /// Only what changed.
    Incremental,
}

/// How to sync.
#[derive(Debug, Clone, Default)]
pub struct SyncOptions {
    /// Which mode.
    pub mode: ModeChoice,
    /// Begin anew, even if an earlier sync was interrupted.
    pub restart: bool,
    /// What keeps a full sync from removing too much.
    pub guard: RemovalGuard,
}

/// One sync of one data stream of one connection.
pub struct SyncJob<S> {
    /// The tenant's store.
    pub store: S,
    /// The component that the connection is bound to.
    pub plugin: Arc<Plugin>,
    /// The connection. Whoever calls holds its lock.
    pub connection: Connection,
    /// Which data stream.
    pub stream: DataStreamName,
    /// JSON Schema of the target model.
    pub model_schema: Vec<u8>,
    /// How documents are written to assets, the model's defaults filled in.
    pub asset_rules: AssetRules,
    /// The connection's way out; shared by all its syncs, so that they are paced together.
    pub egress: Arc<dyn Outbound>,
    /// What stands between the component and what it is told, where something does.
    pub tap: Option<Arc<dyn Tap>>,
    /// How.
    pub options: SyncOptions,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// How to stop it.
    pub cancel: Cancel,
}
