//! A connection is bound to the build of the component that it was set up with.

use serde_json::Value;

use super::ConnectionError;
use crate::component::{Comparison, Direction, Profile};
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

/// What the loaded build can reach, as a connection remembers it.
pub(super) fn reach(plugin: &Plugin) -> Option<Value> {
    serde_json::to_value(plugin.profile()).ok()
}

/// Refuses to move a connection to a build that reaches further than the one that it is bound to.
///
/// # Errors
/// [`ConnectionError::ReachesFurther`], or [`ConnectionError::ReachUnknown`] where nobody can tell.
pub(super) fn judge_upgrade(
    plugin: &Plugin,
    connection: &Connection,
    accepted: bool,
) -> Result<(), ConnectionError> {
    if accepted {
        return Ok(());
    }
    let known = connection
        .reach
        .clone()
        .map(serde_json::from_value::<Profile>);
    let Some(Ok(before)) = known else {
        return Err(ConnectionError::ReachUnknown {
            connection: connection.name.clone(),
        });
    };
    let further: Vec<_> = Comparison::of(&before, &plugin.profile())
        .towards(Direction::Further)
        .cloned()
        .collect();
    if further.is_empty() {
        return Ok(());
    }
    Err(ConnectionError::ReachesFurther {
        connection: connection.name.clone(),
        from: connection.component.version.clone(),
        to: plugin.manifest().version.clone(),
        further,
    })
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
