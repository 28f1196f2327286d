//! What is wrong with a map, all of it at once, and what it would be used for.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::component::Manifest;
use crate::connection::ConnectionError;
use crate::contract::connector::MapContext;
use crate::contract::types::Problem;
use crate::domain::nearest;
use crate::engine::Plugin;
use crate::imports::LogSink;
use crate::maps::MapDocument;
use crate::model::Model;

/// A problem of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapProblem {
    /// JSON Pointer into the map.
    pub pointer: String,
    /// What is wrong, and the nearest that would be right.
    pub message: String,
    /// The data streams for which it is wrong, where it is not for all that the map takes.
    pub streams: Vec<String>,
}

/// What a map is worth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// All that is wrong with it, by its place.
    pub problems: Vec<MapProblem>,
}

impl Judgement {
    /// Whether it can be used.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems as they are told.
    pub fn into_problems(self) -> Vec<Problem> {
        let told = |problem: MapProblem| Problem {
            message: if problem.streams.is_empty() {
                problem.message
            } else {
                format!("{} (for {})", problem.message, problem.streams.join(", "))
            },
            pointer: problem.pointer,
        };
        self.problems.into_iter().map(told).collect()
    }
}

/// Checks a map for each data stream that it takes. A stream or target that does not exist is one problem, and the rest is checked all the same.
///
/// # Errors
/// Where the component does not come to its end.
pub async fn judge(
    plugin: &Arc<Plugin>,
    map: &MapDocument,
    custom_fields: &[String],
    log: &Arc<dyn LogSink>,
) -> Result<Judgement, ConnectionError> {
    let manifest = plugin.manifest();
    let mut found = Found::default();
    let streams = known_streams(manifest, map, &mut found);
    let model = match map.target().map(Model::by_name) {
        Some(Ok(model)) => model.schema_bytes(),
        Some(Err(_)) => {
            found.add(
                "/target",
                unknown_target(map.target().unwrap_or_default())?,
                None,
            );
            b"{}".to_vec()
        }
        // That it is missing is the component's to say.
        None => b"{}".to_vec(),
    };
    let mut body = map.body().clone();
    let checked = if streams.is_empty() {
        // Paths of a data stream that nobody knows are not checked, and all else is.
        let first = manifest
            .data_streams
            .first()
            .map(|stream| stream.name.as_str());
        let any = map.streams().into_iter().next().or(first);
        any.map(str::to_owned).into_iter().collect()
    } else {
        if let Some(source) = body.get_mut("source") {
            *source = Value::from(streams.clone());
        }
        streams
    };
    for stream in &checked {
        let context = MapContext {
            data_stream: stream.clone(),
            custom_fields: custom_fields.to_vec(),
            model: model.clone(),
        };
        let bytes = body.to_string().into_bytes();
        if let Err(problems) = plugin.mapper(bytes, context, Arc::clone(log)).await? {
            for problem in problems {
                found.add(&problem.pointer, problem.message, Some(stream));
            }
        }
    }
    Ok(found.judgement(&checked))
}

/// The data streams that it takes and that there are; the others are told, and the nearest stands in for each.
fn known_streams(manifest: &Manifest, map: &MapDocument, found: &mut Found) -> Vec<String> {
    let known: Vec<&str> = manifest
        .data_streams
        .iter()
        .map(|stream| stream.name.as_str())
        .collect();
    let mut streams: Vec<String> = Vec::new();
    for stream in map.streams() {
        let near = nearest(stream, known.iter().copied());
        let meant = if known.contains(&stream) {
            Some(stream)
        } else {
            near
        };
        if let Some(meant) = meant
            && !streams.iter().any(|name| name == meant)
        {
            streams.push(meant.to_owned());
        }
        if known.contains(&stream) {
            continue;
        }
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known.join(", ")),
        };
        let message = format!("the connector has no data stream `{stream}`; {hint}");
        found.add("/source", message, None);
    }
    streams
}

fn unknown_target(target: &str) -> Result<String, ConnectionError> {
    let models = Model::bundled()?;
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let hint = match nearest(target, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", names.join(", ")),
    };
    Ok(format!("there is no target model `{target}`; {hint}"))
}

/// Problems, each once, with the data streams that they were found for.
#[derive(Default)]
struct Found {
    problems: Vec<MapProblem>,
}

impl Found {
    fn add(&mut self, pointer: &str, message: String, stream: Option<&str>) {
        let same = self
            .problems
            .iter_mut()
            .find(|problem| problem.pointer == pointer && problem.message == message);
        let stream = stream.map(str::to_owned);
        match same {
            Some(same) => same.streams.extend(stream),
            None => self.problems.push(MapProblem {
                pointer: pointer.to_owned(),
                message,
                streams: stream.into_iter().collect(),
            }),
        }
    }

    /// By place: rules in their order.
    fn judgement(mut self, checked: &[String]) -> Judgement {
        let all: BTreeSet<&String> = checked.iter().collect();
        for problem in &mut self.problems {
            if problem.streams.iter().collect::<BTreeSet<_>>() == all {
                problem.streams.clear();
            }
        }
        self.problems.sort_by_key(|problem| place(&problem.pointer));
        Judgement {
            problems: self.problems,
        }
    }
}

/// Numbers in pointers count as numbers: rule 10 comes behind rule 9.
fn place(pointer: &str) -> Vec<(u64, String)> {
    pointer
        .split('/')
        .map(|part| (part.parse().unwrap_or(0), part.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_for_all_streams_is_told_once_and_in_the_maps_order() {
        let checked = ["endpoints".to_owned(), "alerts".to_owned()];
        let mut found = Found::default();
        for stream in &checked {
            found.add("/rules/10/source", "no such".to_owned(), Some(stream));
            found.add("/rules/9/target", "neither".to_owned(), Some(stream));
        }
        found.add("/rules/2/source", "not here".to_owned(), Some("alerts"));
        let told: Vec<String> = found
            .judgement(&checked)
            .into_problems()
            .into_iter()
            .map(|problem| format!("{}: {}", problem.pointer, problem.message))
            .collect();
        assert_eq!(
            told,
            [
                "/rules/2/source: not here (for alerts)",
                "/rules/9/target: neither",
                "/rules/10/source: no such"
            ]
        );
    }

    #[test]
    fn an_unknown_target_is_told_with_the_nearest() {
        assert!(
            unknown_target("qualys_etm")
                .unwrap()
                .contains("did you mean `qualys-etm`?")
        );
        assert!(
            unknown_target("splunk")
                .unwrap()
                .contains("there is safe, qualys-etm, ocsf")
        );
    }
}
