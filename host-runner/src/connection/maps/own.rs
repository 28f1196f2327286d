//! A tenant's own maps, as far as a command asks for them.

use super::choose::{Candidate, candidate};
use crate::connection::{ConnectionError, MapArgument};
use crate::domain::MapName;
use crate::maps::MapDocument;
use crate::store::{MapOrigin, SavedMap, Store};

/// A tenant's own maps: the newest version of each, and older ones where they are asked for. By default there are none.
#[derive(Debug, Clone, Default)]
pub struct OwnMaps {
    maps: Vec<SavedMap>,
}

impl OwnMaps {
    /// Of these versions.
    pub fn new(maps: Vec<SavedMap>) -> Self {
        Self { maps }
    }

    /// What a tenant has, with the older versions that `--map` names.
    ///
    /// # Errors
    /// Where the store can't be read.
    pub async fn of(
        store: &impl Store,
        arguments: &[MapArgument],
    ) -> Result<Self, ConnectionError> {
        let names: Vec<&str> = arguments
            .iter()
            .map(|argument| match argument {
                MapArgument::Target(name) => name.as_str(),
                MapArgument::Stream { map, .. } => map.as_str(),
            })
            .collect();
        Self::with(store, &names).await
    }

    /// What a tenant has, with the older versions of these names.
    ///
    /// # Errors
    /// Where the store can't be read.
    pub async fn with(store: &impl Store, names: &[&str]) -> Result<Self, ConnectionError> {
        let mut maps = store.maps().await?;
        for name in names {
            let (name, Some(number)) = split(name) else {
                continue;
            };
            let Ok(name) = MapName::new(name) else {
                continue;
            };
            if maps
                .iter()
                .any(|map| map.version.name == name && map.version.number == number)
            {
                continue;
            }
            maps.extend(store.map(&name, number).await?);
        }
        Ok(Self { maps })
    }

    /// The names, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .maps
            .iter()
            .map(|map| map.version.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The newest version of each.
    pub fn newest(&self) -> Vec<&SavedMap> {
        self.names()
            .into_iter()
            .filter_map(|name| self.latest(name))
            .collect()
    }

    fn latest(&self, name: &str) -> Option<&SavedMap> {
        self.maps
            .iter()
            .filter(|map| map.version.name.as_str() == name)
            .max_by_key(|map| map.version.number)
    }

    /// The newest version of that name, or the one that `NAME@VERSION` names; none where no own map has that name.
    ///
    /// # Errors
    /// Where there is such a map, and not that version of it.
    pub fn find(&self, name: &str) -> Result<Option<&SavedMap>, ConnectionError> {
        let (name, number) = split(name);
        let Some(latest) = self.latest(name) else {
            return Ok(None);
        };
        let Some(number) = number else {
            return Ok(Some(latest));
        };
        let mut maps = self.maps.iter();
        maps.find(|map| map.version.name.as_str() == name && map.version.number == number)
            .map(Some)
            .ok_or_else(|| ConnectionError::NoMapVersion {
                name: name.to_owned(),
                number,
                known: format!("the newest is {}", latest.version.number),
            })
    }

    /// The same as what can be chosen.
    pub(super) fn candidate(&self, name: &str) -> Result<Option<Candidate>, ConnectionError> {
        let Some(saved) = self.find(name)? else {
            return Ok(None);
        };
        let map = read(saved)?;
        let name = saved.version.name.to_string();
        let origin = MapOrigin::Own(saved.version.number);
        Ok(Some(candidate(&map, name, origin)))
    }
}

/// The map that was saved.
pub(super) fn read(saved: &SavedMap) -> Result<MapDocument, ConnectionError> {
    MapDocument::saved(saved).map_err(|error| ConnectionError::MapDamaged {
        name: saved.version.name.to_string(),
        reason: error.to_string(),
    })
}

/// `mine@2` as a name and a number.
pub(super) fn split(name: &str) -> (&str, Option<u32>) {
    match name.rsplit_once('@') {
        Some((before, number)) => match number.parse() {
            Ok(number) => (before, Some(number)),
            Err(_) => (name, None),
        },
        None => (name, None),
    }
}
