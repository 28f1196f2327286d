//! What the services work with: a loaded component, the tenants' stores, the master key, the time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keys::HeldKeyring;
use super::{ConnectionError, TracingLog};
use crate::domain::{Clock, ConnectionName};
use crate::engine::Plugin;
use crate::imports::LogSink;
use crate::store::sqlite::Stores;

/// What every service needs.
#[derive(Clone)]
pub struct Desk {
    /// The loaded component.
    pub plugin: Arc<Plugin>,
    /// The tenants of the data directory.
    pub stores: Stores,
    /// The time.
    pub clock: Arc<dyn Clock>,
    data: PathBuf,
}

impl Desk {
    /// For a component and a data directory.
    pub fn new(plugin: Arc<Plugin>, data: &Path) -> Self {
        Self {
            clock: plugin.clock(),
            plugin,
            stores: Stores::new(data),
            data: data.to_owned(),
        }
    }

    /// The master keys, held against a rotation until they are dropped. The first use makes one.
    ///
    /// # Errors
    /// Where there is none that can be used.
    pub async fn keyring(&self) -> Result<HeldKeyring, ConnectionError> {
        Ok(HeldKeyring::open(&self.data).await?)
    }

    /// Where a connection's component logs to.
    pub fn log(&self, connection: &ConnectionName) -> Arc<dyn LogSink> {
        Arc::new(TracingLog::new(connection.as_str()))
    }
}
