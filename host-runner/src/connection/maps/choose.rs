//! Which map makes documents of each data stream's records.

use std::collections::BTreeMap;
use std::path::Path;

use super::OwnMaps;
use crate::component::{Manifest, TransformMap};
use crate::connection::{ConnectionError, MapArgument};
use crate::domain::{DataStreamName, nearest};
use crate::maps::MapDocument;
use crate::store::{MapOrigin, StoredMap};

/// The largest file that is taken for a map.
pub const LARGEST: u64 = 4 << 20;

/// The target model and the map of each chosen data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapChoice {
    /// The target model's name.
    pub target: String,
    /// A map for each chosen data stream.
    pub maps: BTreeMap<DataStreamName, StoredMap>,
}

/// A map, the target model that it is for, and the data streams that it takes.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) target: String,
    pub(super) streams: Vec<String>,
    pub(super) map: StoredMap,
}

/// What `--map` says for all data streams.
enum Wanted {
    /// The connector's maps of that name, or for that target.
    Target(String),
    /// A map for the data streams that it takes, and its target for the rest.
    Map(Candidate),
}

/// Chooses maps by the user's arguments, the manifest and the tenant's own maps. Reads files; runs nothing.
///
/// `kept` is what a connection has already. A data stream that no argument is about keeps its map; a target for all is about each of them.
///
/// # Errors
/// Where an argument names no map, or the maps lead to different targets.
pub fn choose(
    manifest: &Manifest,
    own_maps: &OwnMaps,
    streams: &[DataStreamName],
    arguments: &[MapArgument],
    kept: Option<&MapChoice>,
) -> Result<MapChoice, ConnectionError> {
    let mut chosen: BTreeMap<DataStreamName, Candidate> = BTreeMap::new();
    let mut asked: Option<Wanted> = None;
    for argument in arguments {
        match argument {
            MapArgument::Target(name) => {
                if asked.replace(wanted(manifest, own_maps, name)?).is_some() {
                    return Err(ConnectionError::MapTwice("the target".to_owned()));
                }
            }
            MapArgument::Stream { stream, map } => {
                let name = streams
                    .iter()
                    .find(|name| name.as_str() == stream)
                    .ok_or_else(|| ConnectionError::MapForOtherStream {
                        stream: stream.clone(),
                        chosen: joined(streams),
                    })?;
                let map = named(manifest, own_maps, name, map)?;
                if chosen.insert(name.clone(), map).is_some() {
                    return Err(ConnectionError::MapTwice(format!("`{stream}`")));
                }
            }
        }
    }
    let mut rest: Vec<&DataStreamName> = streams
        .iter()
        .filter(|name| !chosen.contains_key(name))
        .collect();
    let kept = kept.filter(|_| !matches!(asked, Some(Wanted::Target(_))));
    let target = match asked {
        Some(Wanted::Target(target)) => Some(target),
        Some(Wanted::Map(map)) => {
            let takes =
                |stream: &DataStreamName| map.streams.iter().any(|each| each == stream.as_str());
            if !rest.iter().any(|stream| takes(stream)) {
                return Err(ConnectionError::MapForNone {
                    map: map.map.name,
                    takes: map.streams.join(", "),
                    chosen: joined(streams),
                });
            }
            rest.retain(|stream| {
                let taken = takes(stream);
                if taken {
                    chosen.insert((*stream).clone(), map.clone());
                }
                !taken
            });
            Some(map.target)
        }
        None => {
            let first = chosen.iter().next();
            if let (Some((stream, first)), Some(kept), false) = (first, kept, rest.is_empty())
                && kept.target != first.target
            {
                return Err(ConnectionError::MixedTargets {
                    stream: stream.to_string(),
                    target: first.target.clone(),
                    other: kept.target.clone(),
                });
            }
            first.map(|(_, first)| first.target.clone())
        }
    };
    let kept = kept.filter(|kept| target.as_ref() == Some(&kept.target));
    match target {
        Some(target) => {
            for stream in rest {
                if let Some(map) = kept.and_then(|kept| kept.maps.get(stream)) {
                    chosen.insert(
                        stream.clone(),
                        Candidate {
                            target: target.clone(),
                            streams: Vec::new(),
                            map: map.clone(),
                        },
                    );
                    continue;
                }
                let map = for_target(manifest, stream, &target)
                    .ok_or_else(|| no_such_map(manifest, own_maps, stream, &target))?;
                chosen.insert(stream.clone(), map);
            }
        }
        None => {
            let maps = by_default(manifest, &rest).ok_or_else(|| ConnectionError::NoTarget {
                streams: joined(streams),
            })?;
            chosen.extend(maps);
        }
    }
    one_target(streams, chosen)
}

/// What a word for all data streams means: one of the tenant's own maps, one of the connector's maps or targets, a file. A name is given to an own map
/// only while it means nothing else, so where it means two things the connector came by it later.
fn wanted(manifest: &Manifest, own_maps: &OwnMaps, name: &str) -> Result<Wanted, ConnectionError> {
    if let Some(own) = own_maps.candidate(name)? {
        return Ok(Wanted::Map(own));
    }
    let mut bundled = manifest.maps.iter();
    if bundled.any(|map| map.name == name || map.target == name) {
        return Ok(Wanted::Target(name.to_owned()));
    }
    let path = Path::new(name);
    if looks_like_a_file(path) || path.is_file() {
        return Ok(Wanted::Map(from_file(manifest, path)?));
    }
    // That there is no such is told with the data stream that lacks it.
    Ok(Wanted::Target(name.to_owned()))
}

/// All maps of a connection are for one target: assets and findings of two models would not meet.
fn one_target(
    streams: &[DataStreamName],
    chosen: BTreeMap<DataStreamName, Candidate>,
) -> Result<MapChoice, ConnectionError> {
    let mut target: Option<String> = None;
    let mut maps = BTreeMap::new();
    for (stream, candidate) in chosen {
        match &target {
            Some(other) if *other != candidate.target => {
                return Err(ConnectionError::MixedTargets {
                    stream: stream.to_string(),
                    target: candidate.target,
                    other: other.clone(),
                });
            }
            _ => target = Some(candidate.target),
        }
        maps.insert(stream, candidate.map);
    }
    let target = target.ok_or_else(|| ConnectionError::NoTarget {
        streams: joined(streams),
    })?;
    Ok(MapChoice { target, maps })
}

/// The map that an argument names: one of the manifest's, one of the tenant's own, a file.
fn named(
    manifest: &Manifest,
    own_maps: &OwnMaps,
    stream: &DataStreamName,
    name: &str,
) -> Result<Candidate, ConnectionError> {
    if let Some(own) = own_maps.candidate(name)? {
        return Ok(own);
    }
    if let Some(bundled) = for_target(manifest, stream, name) {
        return Ok(bundled);
    }
    let path = Path::new(name);
    if !looks_like_a_file(path) && !path.exists() {
        return Err(no_such_map(manifest, own_maps, stream, name));
    }
    from_file(manifest, path)
}

/// `mine@2` and `qualys-etm` are names; what has a folder or an ending is a file.
pub(super) fn looks_like_a_file(path: &Path) -> bool {
    path.components().count() > 1 || path.extension().is_some()
}

/// Reads a file that should be a map.
///
/// # Errors
/// Where it can't be read, is too large, or is no JSON object.
pub fn read_file(path: &Path) -> Result<MapDocument, ConnectionError> {
    let unreadable = |reason: String| ConnectionError::MapFile {
        path: path.to_owned(),
        reason,
    };
    let size = std::fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if size > LARGEST {
        return Err(unreadable(format!(
            "it has {size} bytes, and a map has at most {LARGEST}"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    MapDocument::parse(text).map_err(|error| unreadable(error.to_string()))
}

/// A map from a file. One that bears the name of a bundled map and is another is told apart from it.
fn from_file(manifest: &Manifest, path: &Path) -> Result<Candidate, ConnectionError> {
    let map = read_file(path)?;
    if map.target().is_none() {
        return Err(ConnectionError::MapFile {
            path: path.to_owned(),
            reason: "it names no `target` model".to_owned(),
        });
    }
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let mut name = map
        .name()
        .map(str::to_owned)
        .or(stem)
        .unwrap_or_else(|| "map".to_owned());
    let mut bundled = manifest.maps.iter();
    if bundled.any(|bundled| bundled.name == name && bundled.body != *map.body()) {
        name.push_str(" (own)");
    }
    Ok(candidate(&map, name, MapOrigin::File))
}

/// A map that can be chosen.
pub(super) fn candidate(map: &MapDocument, name: String, origin: MapOrigin) -> Candidate {
    Candidate {
        target: map.target().unwrap_or_default().to_owned(),
        streams: map.streams().into_iter().map(str::to_owned).collect(),
        map: map.stored(name, origin),
    }
}

/// The manifest's map of that name for a data stream, else its first for the target of that name.
fn for_target(manifest: &Manifest, stream: &DataStreamName, name: &str) -> Option<Candidate> {
    let of_stream = || {
        manifest
            .maps
            .iter()
            .filter(|map| map.data_stream == stream.as_str())
    };
    of_stream()
        .find(|map| map.name == name)
        .or_else(|| of_stream().find(|map| map.target == name))
        .map(bundled)
}

/// The maps of the first target that has one for every stream.
fn by_default(
    manifest: &Manifest,
    streams: &[&DataStreamName],
) -> Option<BTreeMap<DataStreamName, Candidate>> {
    manifest.maps.iter().find_map(|first| {
        streams
            .iter()
            .map(|stream| {
                for_target(manifest, stream, &first.target).map(|map| ((*stream).clone(), map))
            })
            .collect()
    })
}

fn bundled(map: &TransformMap) -> Candidate {
    let document = MapDocument::of(map.body.clone());
    Candidate {
        target: map.target.clone(),
        ..candidate(&document, map.name.clone(), MapOrigin::Bundled)
    }
}

/// The maps that a connection goes on with, after its component or its data streams changed: bundled ones as the loaded component has
/// them, own ones as they are, and the target's for streams that are new.
///
/// # Errors
/// Where a stream has no map for the target.
pub fn carry_over(
    manifest: &Manifest,
    streams: &[DataStreamName],
    target: &str,
    held: &BTreeMap<DataStreamName, StoredMap>,
) -> Result<MapChoice, ConnectionError> {
    let mut maps = BTreeMap::new();
    for stream in streams {
        let current = held.get(stream);
        let bundled_now = |name: &str| {
            manifest
                .maps
                .iter()
                .find(|map| map.data_stream == stream.as_str() && map.name == name)
                .map(|map| bundled(map).map)
        };
        let map = match current {
            // Also where the connector has a map of that name now.
            Some(own) if !own.origin.is_bundled() => own.clone(),
            Some(current) => bundled_now(&current.name).unwrap_or_else(|| current.clone()),
            None => {
                for_target(manifest, stream, target)
                    .ok_or_else(|| no_such_map(manifest, &OwnMaps::default(), stream, target))?
                    .map
            }
        };
        maps.insert(stream.clone(), map);
    }
    Ok(MapChoice {
        target: target.to_owned(),
        maps,
    })
}

/// The map that `transform --map NAME|FILE` names, and its target.
///
/// # Errors
/// Where there is none.
pub fn find(
    manifest: &Manifest,
    own_maps: &OwnMaps,
    stream: &DataStreamName,
    name: &str,
) -> Result<(String, StoredMap), ConnectionError> {
    named(manifest, own_maps, stream, name).map(|found| (found.target, found.map))
}

/// That there is no such map, with those that there are and the nearest.
fn no_such_map(
    manifest: &Manifest,
    own_maps: &OwnMaps,
    stream: &DataStreamName,
    name: &str,
) -> ConnectionError {
    let of_stream = manifest
        .maps
        .iter()
        .filter(|map| map.data_stream == stream.as_str());
    let mut known: Vec<&str> = of_stream.map(|map| map.name.as_str()).collect();
    known.extend(own_maps.names());
    ConnectionError::NoSuchMap {
        stream: stream.to_string(),
        name: name.to_owned(),
        hint: nearest(name, known.iter().copied())
            .map(|near| format!(" (did you mean `{near}`?)"))
            .unwrap_or_default(),
        known: if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        },
    }
}

fn joined(streams: &[DataStreamName]) -> String {
    let names: Vec<&str> = streams.iter().map(DataStreamName::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
