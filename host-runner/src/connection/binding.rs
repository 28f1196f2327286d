//! A connection is bound to the build of the component that it was set up with.

use super::ConnectionError;
use crate::engine::Plugin;
use crate::store::{ComponentRef, Connection};

/// The loaded build, as a connection remembers it.
pub fn reference(plugin: &Plugin) -> ComponentRef {
    let manifest = plugin.manifest();
    ComponentRef {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        sha256: plugin.sha256().to_owned(),
    }
}

/// Refuses to use a connection with another connector, or with another build of its own.
///
/// # Errors
/// [`ConnectionError::OtherConnector`] or [`ConnectionError::OtherBuild`].
pub fn check(plugin: &Plugin, connection: &Connection) -> Result<(), ConnectionError> {
    judge(&reference(plugin), connection)
}

pub(super) fn judge(loaded: &ComponentRef, connection: &Connection) -> Result<(), ConnectionError> {
    let bound = &connection.component;
    if bound.name != loaded.name {
        return Err(ConnectionError::OtherConnector {
            connection: connection.name.clone(),
            bound: bound.name.clone(),
            loaded: loaded.name.clone(),
        });
    }
    if bound.sha256 != loaded.sha256 {
        return Err(ConnectionError::OtherBuild {
            connection: connection.name.clone(),
            bound_version: bound.version.clone(),
            bound: bound.sha256.clone(),
            version: loaded.version.clone(),
            sha256: loaded.sha256.clone(),
        });
    }
    Ok(())
}
