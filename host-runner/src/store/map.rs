//! A tenant's own transform maps, each kept in all of its versions.

use serde::{Deserialize, Serialize};

use super::StoredMap;
use crate::domain::{MapName, Timestamp};

/// A version of a map, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapVersion {
    /// The map's name.
    pub name: MapName,
    /// 1 for the first that was saved under this name, then ascending.
    pub number: u32,
    /// SHA-256 of the map, as of [`StoredMap::hash`]: the same however its text is laid out.
    pub hash: String,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// A version of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMap {
    /// Which.
    pub version: MapVersion,
    /// Its text, as it was saved.
    pub body: String,
}

/// A map to save.
#[derive(Debug, Clone, Copy)]
pub struct NewMap<'a> {
    /// Under which name.
    pub name: &'a MapName,
    /// Its hash.
    pub hash: &'a str,
    /// Its text.
    pub body: &'a str,
    /// The number of the version that it was made from: only while that is the newest is it saved. None saves it whatever there is.
    pub after: Option<u32>,
    /// Now.
    pub now: Timestamp,
}

/// What became of a map to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saving {
    /// It is a version of its own now.
    Saved(MapVersion),
    /// The newest version has the same text: nothing was saved.
    Unchanged(MapVersion),
    /// Someone saved another version meanwhile, or removed the map: nothing was saved. The newest number, where there is one.
    Overtaken(Option<u32>),
}

/// Where a connection's map comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "number")]
pub enum MapOrigin {
    /// The connector brought it.
    #[default]
    Bundled,
    /// It is the tenant's own: the number of its version.
    Own(u32),
    /// It was read from a file.
    File,
}

impl MapOrigin {
    /// Whether the connector brought it.
    pub fn is_bundled(&self) -> bool {
        *self == Self::Bundled
    }

    /// The number of the tenant's own version.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Own(number) => Some(number),
            Self::Bundled | Self::File => None,
        }
    }
}

/// The map that a run used, by what identifies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsedMap {
    /// Its name.
    pub name: String,
    /// The version that stands in it, where one does.
    pub version: Option<String>,
    /// The number of the tenant's own version, where it is one.
    #[serde(default)]
    pub number: Option<u32>,
    /// SHA-256 of the map.
    pub sha256: String,
}

impl From<&StoredMap> for UsedMap {
    fn from(map: &StoredMap) -> Self {
        Self {
            name: map.name.clone(),
            version: map.version.clone(),
            number: map.origin.number(),
            sha256: map.hash.clone(),
        }
    }
}
