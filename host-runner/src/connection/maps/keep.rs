//! Saving and removing a tenant's own maps.

use std::path::Path;
use std::sync::Arc;

use super::own::split;
use super::{Shelf, Use, judge};
use crate::connection::ConnectionError;
use crate::domain::{MapName, Timestamp};
use crate::engine::Plugin;
use crate::imports::LogSink;
use crate::maps::MapDocument;
use crate::model::Model;
use crate::store::{MapVersion, NewMap, Saving, Store, StoreError};

/// A map that someone wants saved.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Under which name; it stands in the map, too.
    pub name: MapName,
    /// The map.
    pub document: MapDocument,
    /// The version that it was made from, where it must still be the newest.
    pub after: Option<u32>,
}

/// A map that is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its newest version.
    pub version: MapVersion,
    /// Whether it is a new one; else the newest has the same text already.
    pub changed: bool,
    /// Connections that use another version of it.
    pub behind: Vec<Use>,
}

/// The name that a text is, for an own map that is there or will be.
///
/// # Errors
/// Where it is no name.
pub fn name_of(text: &str) -> Result<MapName, ConnectionError> {
    MapName::new(text).map_err(|error| ConnectionError::MapName {
        name: text.to_owned(),
        reason: error.to_string(),
    })
}

/// The name for a map that is made: one that stands for nothing yet, neither a map nor a target.
///
/// # Errors
/// Where it is taken, or no name.
pub fn new_name(shelf: &Shelf, text: &str) -> Result<MapName, ConnectionError> {
    let name = free_of_the_connectors(shelf, text)?;
    if shelf.own().iter().any(|map| map.version.name == name) {
        return Err(taken(
            text,
            "the tenant has a map of that name: change it with `maps edit`",
        ));
    }
    Ok(name)
}

/// The name for a map from a file: that which is given, else that which stands in it, else the file's. It may be one of an own map, which gets a new
/// version then.
///
/// # Errors
/// Where it is one of the connector's, or no name.
pub fn name_of_file(
    shelf: &Shelf,
    given: Option<&str>,
    document: &MapDocument,
    file: &Path,
) -> Result<MapName, ConnectionError> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy());
    let name = given.or(document.name()).or(stem.as_deref());
    free_of_the_connectors(shelf, name.unwrap_or_default())
}

fn free_of_the_connectors(shelf: &Shelf, text: &str) -> Result<MapName, ConnectionError> {
    let name = name_of(text)?;
    if shelf.is_bundled(text) {
        return Err(taken(
            text,
            "one of the connector's maps has that name; choose another",
        ));
    }
    if Model::by_name(text).is_ok() {
        return Err(taken(text, "a target model has that name; choose another"));
    }
    Ok(name)
}

fn taken(name: &str, reason: &str) -> ConnectionError {
    ConnectionError::MapName {
        name: name.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Checks a map and saves it as the newest version of its name. No connection is changed by that.
///
/// # Errors
/// [`ConnectionError::MapWrong`] with all that is wrong, [`ConnectionError::MapOvertaken`], and whatever the store says.
pub async fn save<S: Store>(
    plugin: &Arc<Plugin>,
    store: &S,
    shelf: &Shelf,
    draft: &Draft,
    now: Timestamp,
    log: &Arc<dyn LogSink>,
) -> Result<Kept, ConnectionError> {
    let custom_fields = store.custom_fields().await?;
    let judgement = judge(plugin, &draft.document, &custom_fields, log).await?;
    if !judgement.is_good() {
        return Err(ConnectionError::MapWrong {
            name: draft.name.to_string(),
            problems: judgement.into_problems(),
        });
    }
    let map = NewMap {
        name: &draft.name,
        hash: draft.document.hash(),
        body: draft.document.text(),
        after: draft.after,
        now,
    };
    let (version, changed) = match store.save_map(&map).await? {
        Saving::Saved(version) => (version, true),
        Saving::Unchanged(version) => (version, false),
        Saving::Overtaken(newest) => {
            return Err(ConnectionError::MapOvertaken {
                name: draft.name.to_string(),
                now: newest.map_or_else(
                    || "it was removed".to_owned(),
                    |number| format!("its newest version is {number}"),
                ),
            });
        }
    };
    let behind = shelf
        .users_of_own(draft.name.as_str())
        .into_iter()
        .filter(|used| used.hash != version.hash)
        .cloned()
        .collect();
    Ok(Kept {
        version,
        changed,
        behind,
    })
}

/// Sees to it that a text names a map, not one of its versions, where all of them are meant. `done`: what is done with them.
///
/// # Errors
/// Where it names a version.
pub fn with_all_versions(text: &str, done: &'static str) -> Result<(), ConnectionError> {
    match split(text) {
        (name, Some(number)) => Err(ConnectionError::MapVersionNamed {
            name: name.to_owned(),
            number,
            done,
        }),
        _ => Ok(()),
    }
}

/// Removes an own map with all its versions; how many there were.
///
/// # Errors
/// Where one version is named, it is the connector's, does not exist, or a connection uses it.
pub async fn remove<S: Store>(
    store: &S,
    shelf: &Shelf,
    name: &str,
) -> Result<u64, ConnectionError> {
    with_all_versions(name, "removed")?;
    shelf.find(name, None)?;
    let own = shelf.own();
    let Some(map) = own.iter().find(|map| map.version.name.as_str() == name) else {
        return Err(ConnectionError::MapReadOnly(name.to_owned()));
    };
    let users: Vec<String> = shelf
        .users_of_own(name)
        .into_iter()
        .map(|used| format!("connection {} for {}", used.connection, used.stream))
        .collect();
    if !users.is_empty() {
        return Err(ConnectionError::MapInUse {
            name: name.to_owned(),
            users,
        });
    }
    let removed: Result<u64, StoreError> = store.remove_map(&map.version.name).await;
    Ok(removed?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_with_all_versions_is_refused_for_one() {
        let error = with_all_versions("mine@2", "removed")
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "`mine@2` names one version, and a map is removed with all its versions: name it without @2"
        );
        assert!(with_all_versions("mine", "removed").is_ok());
    }
}
