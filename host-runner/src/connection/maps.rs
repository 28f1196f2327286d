//! Which map makes documents of each data stream's records.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{ConnectionError, MapArgument};
use crate::component::{Manifest, TransformMap};
use crate::contract::connector::MapContext;
use crate::domain::{DataStreamName, sha256_hex};
use crate::engine::{Mapper, Plugin};
use crate::imports::LogSink;
use crate::model::Model;
use crate::store::StoredMap;

/// The largest file that is taken for a map.
const LARGEST: u64 = 4 << 20;

/// The target model and the map of each chosen data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapChoice {
    /// The target model's name.
    pub target: String,
    /// A map for each chosen data stream.
    pub maps: BTreeMap<DataStreamName, StoredMap>,
}

/// A map and the target model that it is for.
struct Candidate {
    target: String,
    map: StoredMap,
}

/// Chooses maps by the user's arguments and the manifest. Reads files; runs nothing.
///
/// # Errors
/// Where an argument names no map, or the maps lead to different targets.
pub fn choose(
    manifest: &Manifest,
    streams: &[DataStreamName],
    arguments: &[MapArgument],
) -> Result<MapChoice, ConnectionError> {
    let mut own: BTreeMap<DataStreamName, Candidate> = BTreeMap::new();
    let mut asked: Option<&str> = None;
    for argument in arguments {
        match argument {
            MapArgument::Target(target) => {
                if asked.replace(target).is_some() {
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
                if own
                    .insert(name.clone(), named(manifest, name, map)?)
                    .is_some()
                {
                    return Err(ConnectionError::MapTwice(format!("`{stream}`")));
                }
            }
        }
    }
    let rest: Vec<&DataStreamName> = streams
        .iter()
        .filter(|name| !own.contains_key(name))
        .collect();
    let wanted = asked
        .map(str::to_owned)
        .or_else(|| own.values().next().map(|first| first.target.clone()));
    let mut chosen = own;
    match wanted {
        Some(wanted) => {
            for stream in rest {
                let map = for_target(manifest, stream, &wanted).ok_or_else(|| {
                    ConnectionError::NoSuchMap {
                        stream: stream.to_string(),
                        name: wanted.clone(),
                        known: known(manifest, stream),
                    }
                })?;
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

/// The map that an argument names: one of the manifest's, else a file.
fn named(
    manifest: &Manifest,
    stream: &DataStreamName,
    name: &str,
) -> Result<Candidate, ConnectionError> {
    if let Some(bundled) = for_target(manifest, stream, name) {
        return Ok(bundled);
    }
    let path = Path::new(name);
    let looks_like_a_file = path.components().count() > 1 || path.extension().is_some();
    if !looks_like_a_file && !path.exists() {
        return Err(ConnectionError::NoSuchMap {
            stream: stream.to_string(),
            name: name.to_owned(),
            known: known(manifest, stream),
        });
    }
    from_file(manifest, path)
}

/// A map from a file. One that bears the name of a bundled map and is another is told apart from it.
fn from_file(manifest: &Manifest, path: &Path) -> Result<Candidate, ConnectionError> {
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
    let body: Value =
        serde_json::from_str(&text).map_err(|error| unreadable(format!("not JSON: {error}")))?;
    let target = body
        .get("target")
        .and_then(Value::as_str)
        .ok_or_else(|| unreadable("it names no `target` model".to_owned()))?
        .to_owned();
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let mut name = body
        .get("name")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or(stem)
        .unwrap_or_else(|| "map".to_owned());
    if manifest
        .maps
        .iter()
        .any(|bundled| bundled.name == name && bundled.body != body)
    {
        name.push_str(" (own)");
    }
    Ok(Candidate {
        target,
        map: stored(name, &body),
    })
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
    Candidate {
        target: map.target.clone(),
        map: stored(map.name.clone(), &map.body),
    }
}

fn stored(name: String, body: &Value) -> StoredMap {
    let text = body.to_string();
    StoredMap {
        name,
        version: body
            .get("version")
            .and_then(Value::as_str)
            .map(str::to_owned),
        hash: sha256_hex(text.as_bytes()),
        body: text,
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
            Some(current) => bundled_now(&current.name).unwrap_or_else(|| current.clone()),
            None => {
                for_target(manifest, stream, target)
                    .ok_or_else(|| ConnectionError::NoSuchMap {
                        stream: stream.to_string(),
                        name: target.to_owned(),
                        known: known(manifest, stream),
                    })?
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

/// Prepares each map, which finds what is wrong with it: unknown fields, source paths that the stream does not have, target paths that
/// the model does not have.
///
/// # Errors
/// The first map's problems; or that the host does not know the target model.
pub async fn check(
    plugin: &Arc<Plugin>,
    choice: &MapChoice,
    custom_fields: &[String],
    log: Arc<dyn LogSink>,
) -> Result<(), ConnectionError> {
    for (stream, map) in &choice.maps {
        prepare(
            plugin,
            stream,
            map,
            &choice.target,
            custom_fields,
            Arc::clone(&log),
        )
        .await?;
    }
    Ok(())
}

/// A map at work, for a data stream and a target model.
///
/// # Errors
/// The map's problems; or that the host does not know the target model.
pub async fn prepare(
    plugin: &Arc<Plugin>,
    stream: &DataStreamName,
    map: &StoredMap,
    target: &str,
    custom_fields: &[String],
    log: Arc<dyn LogSink>,
) -> Result<Mapper, ConnectionError> {
    let model = Model::by_name(target)?;
    let context = MapContext {
        data_stream: stream.to_string(),
        custom_fields: custom_fields.to_vec(),
        model: model.schema_bytes(),
    };
    plugin
        .mapper(map.body.clone().into_bytes(), context, log)
        .await?
        .map_err(|problems| ConnectionError::Map {
            map: map.name.clone(),
            stream: stream.clone(),
            problems,
        })
}

/// The map that `transform --map NAME|FILE` names, and its target.
///
/// # Errors
/// Where there is none.
pub fn find(
    manifest: &Manifest,
    stream: &DataStreamName,
    name: &str,
) -> Result<(String, StoredMap), ConnectionError> {
    named(manifest, stream, name).map(|found| (found.target, found.map))
}

fn known(manifest: &Manifest, stream: &DataStreamName) -> String {
    let names: Vec<&str> = manifest
        .maps
        .iter()
        .filter(|map| map.data_stream == stream.as_str())
        .map(|map| map.name.as_str())
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn joined(streams: &[DataStreamName]) -> String {
    let names: Vec<&str> = streams.iter().map(DataStreamName::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    fn map(name: &str, stream: &str, target: &str) -> TransformMap {
        TransformMap {
            name: name.to_owned(),
            data_stream: stream.to_owned(),
            target: target.to_owned(),
            body: json!({"name": name, "source": stream, "target": target, "version": "1.2.0"}),
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            name: "test".to_owned(),
            title: "Test".to_owned(),
            version: "1.0.0".to_owned(),
            vendor: "Example".to_owned(),
            product: "Example".to_owned(),
            category: String::new(),
            details: Vec::new(),
            setup: String::new(),
            config_schema: json!({}),
            origins: Vec::new(),
            calls: Vec::new(),
            budgets: Vec::new(),
            data_streams: Vec::new(),
            maps: vec![
                map("lean", "endpoints", "lean"),
                map("safe", "endpoints", "safe"),
                map("safe", "alerts", "safe"),
                map("etm", "endpoints", "etm"),
                map("etm-scoped", "endpoints", "etm"),
                map("etm-scoped", "alerts", "etm"),
            ],
        }
    }

    fn streams(names: &[&str]) -> Vec<DataStreamName> {
        names
            .iter()
            .map(|name| DataStreamName::new(*name).unwrap())
            .collect()
    }

    fn chosen(
        names: &[&str],
        arguments: &[&str],
    ) -> Result<(String, Vec<String>), ConnectionError> {
        let arguments: Vec<MapArgument> =
            arguments.iter().map(|text| text.parse().unwrap()).collect();
        let choice = choose(&manifest(), &streams(names), &arguments)?;
        let maps = choice
            .maps
            .iter()
            .map(|(stream, map)| format!("{stream}={}", map.name))
            .collect();
        Ok((choice.target, maps))
    }

    #[test]
    fn the_default_is_the_first_target_that_has_a_map_for_every_stream() {
        assert_eq!(
            chosen(&["endpoints"], &[]).unwrap(),
            ("lean".to_owned(), vec!["endpoints=lean".to_owned()])
        );
        let (target, maps) = chosen(&["endpoints", "alerts"], &[]).unwrap();
        assert_eq!(
            (target.as_str(), maps.join(" ").as_str()),
            ("safe", "alerts=safe endpoints=safe")
        );
        assert!(matches!(
            chosen(&["vulnerabilities"], &[]),
            Err(ConnectionError::NoTarget { .. })
        ));
    }

    #[test]
    fn a_target_takes_its_map_of_the_same_name_first_and_any_other_of_it_else() {
        let (target, maps) = chosen(&["endpoints", "alerts"], &["etm"]).unwrap();
        assert_eq!(
            (target.as_str(), maps.join(" ").as_str()),
            ("etm", "alerts=etm-scoped endpoints=etm")
        );
        let (target, maps) = chosen(&["endpoints", "alerts"], &["etm-scoped"]).unwrap();
        assert_eq!(
            (target.as_str(), maps.join(" ").as_str()),
            ("etm", "alerts=etm-scoped endpoints=etm-scoped")
        );
    }

    #[test]
    fn one_streams_map_decides_the_target_of_the_others() {
        let (target, maps) = chosen(&["endpoints", "alerts"], &["endpoints=etm-scoped"]).unwrap();
        assert_eq!(
            (target.as_str(), maps.join(" ").as_str()),
            ("etm", "alerts=etm-scoped endpoints=etm-scoped")
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(matches!(
            chosen(&["endpoints"], &["nope"]),
            Err(ConnectionError::NoSuchMap { .. })
        ));
        assert!(matches!(
            chosen(&["endpoints"], &["alerts=safe"]),
            Err(ConnectionError::MapForOtherStream { .. })
        ));
        assert!(matches!(
            chosen(&["endpoints"], &["safe", "etm"]),
            Err(ConnectionError::MapTwice(_))
        ));
        assert!(matches!(
            chosen(&["endpoints", "alerts"], &["etm", "alerts=safe"]),
            Err(ConnectionError::MixedTargets { .. })
        ));
    }

    #[test]
    fn a_file_is_a_map_and_one_that_looks_bundled_is_told_apart() {
        let mut file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
        write!(
            file,
            "{}",
            json!({"name": "safe", "target": "safe", "rules": []})
        )
        .unwrap();
        let argument = format!("endpoints={}", file.path().display());
        let (target, maps) = chosen(&["endpoints"], &[&argument]).unwrap();
        assert_eq!(
            (target.as_str(), maps.join(" ").as_str()),
            ("safe", "endpoints=safe (own)")
        );
    }

    #[test]
    fn a_file_that_is_no_map_is_refused_with_its_name() {
        for text in ["not json", "{}", "[]"] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            write!(file, "{text}").unwrap();
            let error = chosen(
                &["endpoints"],
                &[&format!("endpoints={}", file.path().display())],
            )
            .unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&file.path().display().to_string()),
                "{error}"
            );
        }
    }

    #[test]
    fn an_upgrade_takes_the_new_bundled_maps_and_leaves_own_ones() {
        let own = stored("mine".to_owned(), &json!({"target": "etm"}));
        let old = stored("etm-scoped".to_owned(), &json!({"version": "1.0.0"}));
        let held = streams(&["endpoints", "alerts"])
            .into_iter()
            .zip([own.clone(), old])
            .collect();
        let choice = carry_over(
            &manifest(),
            &streams(&["endpoints", "alerts"]),
            "etm",
            &held,
        )
        .unwrap();
        let names: Vec<(&str, Option<&str>)> = choice
            .maps
            .values()
            .map(|map| (map.name.as_str(), map.version.as_deref()))
            .collect();
        assert_eq!(names, [("etm-scoped", Some("1.2.0")), ("mine", None)]);
    }
}
