//! All maps that a name can mean: the connector's, which are read-only, and a tenant's own.

use std::path::Path;

use super::OwnMaps;
use super::choose::{looks_like_a_file, read_file};
use super::own::{read, split};
use crate::component::Manifest;
use crate::connection::ConnectionError;
use crate::domain::{ConnectionName, DataStreamName, nearest};
use crate::maps::MapDocument;
use crate::store::{Connection, MapOrigin, MapVersion, SavedMap};

/// A map that the connector brings. A name may stand for several, each for data streams of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct BundledMap {
    /// Its name.
    pub name: String,
    /// The data streams that the connector offers it for.
    pub streams: Vec<String>,
    /// The map.
    pub document: MapDocument,
}

/// A map that was found by its name, or a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Shelved {
    /// The connector's.
    Bundled(BundledMap),
    /// The tenant's own.
    Own(MapVersion, MapDocument),
    /// A file's.
    File(String, MapDocument),
}

impl Shelved {
    /// The map.
    pub fn document(&self) -> &MapDocument {
        match self {
            Self::Bundled(map) => &map.document,
            Self::Own(_, document) | Self::File(_, document) => document,
        }
    }

    /// What to call it: its name, with the number of an own one's version.
    pub fn label(&self) -> String {
        match self {
            Self::Bundled(map) => map.name.clone(),
            Self::Own(version, _) => format!("{}@{}", version.name, version.number),
            Self::File(path, _) => path.clone(),
        }
    }

    /// The data streams that it takes.
    pub fn streams(&self) -> Vec<String> {
        match self {
            Self::Bundled(map) => map.streams.clone(),
            Self::Own(_, document) | Self::File(_, document) => {
                document.streams().into_iter().map(str::to_owned).collect()
            }
        }
    }

    /// Where it comes from, as a connection keeps it.
    pub fn origin(&self) -> MapOrigin {
        match self {
            Self::Bundled(_) => MapOrigin::Bundled,
            Self::Own(version, _) => MapOrigin::Own(version.number),
            Self::File(..) => MapOrigin::File,
        }
    }
}

/// A connection's use of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Which connection.
    pub connection: ConnectionName,
    /// For which of its data streams.
    pub stream: DataStreamName,
    /// Where the connection has it from: of an own map, which version.
    pub origin: MapOrigin,
    /// The map's hash.
    pub hash: String,
}

/// The connector's maps, a tenant's own, and who uses them.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    bundled: Vec<BundledMap>,
    streams: Vec<String>,
    own: OwnMaps,
    uses: Vec<(String, Use)>,
}

impl Shelf {
    /// Of a connector, a tenant's own maps, and its connections.
    pub fn new(manifest: &Manifest, own: OwnMaps, connections: &[Connection]) -> Self {
        let mut bundled: Vec<BundledMap> = Vec::new();
        for map in &manifest.maps {
            let same = bundled
                .iter_mut()
                .find(|other| other.name == map.name && *other.document.body() == map.body);
            match same {
                Some(same) => same.streams.push(map.data_stream.clone()),
                None => bundled.push(BundledMap {
                    name: map.name.clone(),
                    streams: vec![map.data_stream.clone()],
                    document: MapDocument::of(map.body.clone()),
                }),
            }
        }
        let uses = connections
            .iter()
            .flat_map(|connection| {
                connection.maps.iter().map(|(stream, map)| {
                    let used = Use {
                        connection: connection.name.clone(),
                        stream: stream.clone(),
                        origin: map.origin,
                        hash: map.hash.clone(),
                    };
                    (map.name.clone(), used)
                })
            })
            .collect();
        let streams = manifest.data_streams.iter();
        Self {
            bundled,
            streams: streams.map(|stream| stream.name.clone()).collect(),
            own,
            uses,
        }
    }

    /// The connector's, in its order.
    pub fn bundled(&self) -> &[BundledMap] {
        &self.bundled
    }

    /// The newest version of each own map.
    pub fn own(&self) -> Vec<&SavedMap> {
        self.own.newest()
    }

    /// Who uses one of the connector's maps.
    pub fn users_of_bundled<'a>(&'a self, map: &'a BundledMap) -> Vec<&'a Use> {
        self.users(&map.name)
            .filter(|used| {
                used.origin.is_bundled()
                    && map.streams.iter().any(|name| name == used.stream.as_str())
            })
            .collect()
    }

    /// Who uses any version of an own map.
    pub fn users_of_own<'a>(&'a self, name: &'a str) -> Vec<&'a Use> {
        self.users(name)
            .filter(|used| used.origin.number().is_some())
            .collect()
    }

    fn users<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Use> {
        self.uses
            .iter()
            .filter(move |(used, _)| used == name)
            .map(|(_, used)| used)
    }

    /// Whether the connector has a map of that name.
    pub fn is_bundled(&self, name: &str) -> bool {
        self.bundled.iter().any(|map| map.name == name)
    }

    /// All that a name means: `NAME`, `NAME@VERSION`, of the connector's only what takes the data stream where one is given. An own map comes
    /// before one of the connector's, which may have come by that name later.
    ///
    /// # Errors
    /// Where there is no such map, or not that version, or none for that data stream.
    pub fn find(&self, name: &str, stream: Option<&str>) -> Result<Vec<Shelved>, ConnectionError> {
        if let Some(saved) = self.own.find(name)? {
            return Ok(vec![Shelved::Own(saved.version.clone(), read(saved)?)]);
        }
        let found: Vec<Shelved> = self
            .bundled
            .iter()
            .filter(|map| map.name == name)
            .filter(|map| stream.is_none_or(|wanted| map.streams.iter().any(|name| name == wanted)))
            .cloned()
            .map(Shelved::Bundled)
            .collect();
        if found.is_empty() {
            return Err(match stream {
                Some(stream) if self.is_bundled(name) => self.for_others(name, stream),
                _ => self.none(name),
            });
        }
        Ok(found)
    }

    /// The one map that a name means.
    ///
    /// # Errors
    /// As of [`Shelf::find`], and where it means several.
    pub fn one(&self, name: &str, stream: Option<&str>) -> Result<Shelved, ConnectionError> {
        let found = self.find(name, stream)?;
        if found.len() > 1 {
            return Err(ConnectionError::SeveralMaps {
                name: name.to_owned(),
                maps: found
                    .iter()
                    .map(|map| format!("one for {}", map.streams().join(" and ")))
                    .collect(),
            });
        }
        found.into_iter().next().ok_or_else(|| self.none(name))
    }

    /// The one map that a name or a file means.
    ///
    /// # Errors
    /// As of [`Shelf::one`], and where the file can't be read.
    pub fn one_or_file(
        &self,
        name: &str,
        stream: Option<&str>,
    ) -> Result<Shelved, ConnectionError> {
        match self.one(name, stream) {
            Err(ConnectionError::NoMap { .. })
                if looks_like_a_file(Path::new(name)) || Path::new(name).is_file() =>
            {
                Ok(Shelved::File(name.to_owned(), read_file(Path::new(name))?))
            }
            found => found,
        }
    }

    /// That the connector's maps of a name take other data streams than the one that is asked for, or that there is no such data stream.
    fn for_others(&self, name: &str, stream: &str) -> ConnectionError {
        if !self.streams.iter().any(|known| known == stream) {
            return no_stream(stream, self.streams.iter().map(String::as_str));
        }
        let named = self.bundled.iter().filter(|map| map.name == name);
        let takes: Vec<&str> = named
            .flat_map(|map| &map.streams)
            .map(String::as_str)
            .collect();
        let others = self.bundled.iter();
        let others: Vec<&str> = others
            .filter(|map| map.streams.iter().any(|known| known == stream))
            .map(|map| map.name.as_str())
            .collect();
        ConnectionError::MapForOthers {
            name: name.to_owned(),
            takes: takes.join(", "),
            stream: stream.to_owned(),
            others: match others.as_slice() {
                [] => String::new(),
                others => format!(": for that there is {}", others.join(", ")),
            },
        }
    }

    fn none(&self, name: &str) -> ConnectionError {
        let (bare, _) = split(name);
        let mut known: Vec<&str> = self.bundled.iter().map(|map| map.name.as_str()).collect();
        known.dedup();
        known.extend(self.own.names());
        ConnectionError::NoMap {
            name: name.to_owned(),
            hint: nearest(bare, known.iter().copied())
                .map(|near| format!(" (did you mean `{near}`?)"))
                .unwrap_or_default(),
            known: known.join(", "),
        }
    }
}

/// That the connector has no such data stream, with those that it has and the nearest.
pub(super) fn no_stream<'a>(stream: &str, known: impl Iterator<Item = &'a str>) -> ConnectionError {
    let known: Vec<&str> = known.collect();
    ConnectionError::NoSuchStream {
        stream: stream.to_owned(),
        hint: nearest(stream, known.iter().copied())
            .map(|near| format!(" (did you mean `{near}`?)"))
            .unwrap_or_default(),
        known: known.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shelf() -> Shelf {
        let map = |name: &str, streams: &[&str]| BundledMap {
            name: name.to_owned(),
            streams: streams.iter().map(|stream| (*stream).to_owned()).collect(),
            document: MapDocument::of(json!({"name": name})),
        };
        Shelf {
            bundled: vec![
                map("etm", &["endpoints", "vulnerabilities"]),
                map("scoped", &["alerts"]),
                map("safe", &["alerts"]),
            ],
            streams: ["endpoints", "vulnerabilities", "alerts", "users"]
                .map(str::to_owned)
                .into(),
            ..Shelf::default()
        }
    }

    fn refused(name: &str, stream: &str) -> String {
        shelf().one(name, Some(stream)).unwrap_err().to_string()
    }

    #[test]
    fn a_map_that_is_there_for_other_data_streams_is_not_called_missing() {
        assert_eq!(
            refused("etm", "alerts"),
            "the map `etm` is for endpoints, vulnerabilities, not for the data stream `alerts`: for that there is scoped, safe"
        );
        assert_eq!(
            refused("safe", "users"),
            "the map `safe` is for alerts, not for the data stream `users`"
        );
    }

    #[test]
    fn a_data_stream_that_does_not_exist_is_told_with_those_that_do() {
        let error = refused("safe", "alert");
        assert!(
            error.contains("no data stream `alert` (did you mean `alerts`?)"),
            "{error}"
        );
        assert!(error.contains("users"), "{error}");
        // Of a name that means nothing, that is what is to be said.
        assert!(refused("saef", "alert").contains("there is no map `saef`"));
    }
}
