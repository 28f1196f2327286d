//! What the services work with: a loaded component, the tenants' stores, the master key, the time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ConnectionError, TracingLog};
use crate::domain::{Clock, ConnectionName};
use crate::engine::Plugin;
use crate::imports::LogSink;
use crate::secrets::Keyring;
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

    /// The master keys. The first use makes one.
    ///
    /// # Errors
    /// Where there is none that can be used.
    pub fn keyring(&self) -> Result<Keyring, ConnectionError> {
        Ok(Keyring::open(&self.data)?)
    }

    /// Where a connection's component logs to.
    pub fn log(&self, connection: &ConnectionName) -> Arc<dyn LogSink> {
        Arc::new(TracingLog::new(connection.as_str()))
    }
}
