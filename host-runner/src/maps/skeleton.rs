//! The beginnings of a map: what its documents are known by, and the values that the target requires.

use serde_json::{Map, Value, json};

use super::MapDocument;
use crate::model::{Model, Required, SchemaPath};

/// A map of the connector's that a new one takes its heads and rules from.
#[derive(Debug, Clone, Copy)]
pub struct Donor<'a> {
    /// Its name.
    pub name: &'a str,
    /// The map.
    pub map: &'a Value,
}

/// A map that was begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Skeleton {
    /// The map.
    pub map: MapDocument,
    /// Target paths that each document must have and no rule writes: nobody knows where they come from.
    pub missing: Vec<String>,
}

/// Begins a map for a data stream and a target. `fields` are the names at the top of the stream's records, none where they are not known.
pub fn skeleton(
    name: &str,
    stream: &str,
    model: &Model,
    donor: Donor<'_>,
    fields: Option<&[&str]>,
) -> Skeleton {
    let known = |path: &str| {
        let first = path.split(['.', '[']).next().unwrap_or_default();
        fields.is_none_or(|fields| fields.contains(&first))
    };
    let same_target = donor.map.get("target").and_then(Value::as_str) == Some(&model.name);
    let mut map = Map::new();
    map.insert("name".to_owned(), json!(name));
    map.insert(
        "title".to_owned(),
        json!(format!("{stream} for {}", model.title)),
    );
    map.insert("version".to_owned(), json!("1.0.0"));
    map.insert("source".to_owned(), json!(stream));
    map.insert("target".to_owned(), json!(model.name));
    for kind in ["asset", "finding"] {
        if let Some(head) = donor.map.get(kind).and_then(|head| taken(head, &known)) {
            map.insert(kind.to_owned(), head);
        }
    }
    if !same_target && let Some(finding) = map.get_mut("finding").and_then(Value::as_object_mut) {
        // Where a list of findings stands in an asset is the other target's.
        finding.remove("nested");
    }
    // What only some documents must have is taken along where the other map has it, and not missed where it does not.
    let wanted = needed(&map, model, Required::Sometimes);
    let needed = needed(&map, model, Required::Always);
    let mut rules: Vec<Value> = Vec::new();
    if same_target {
        let written = donor.map.get("rules").and_then(Value::as_array);
        rules.extend(
            written
                .into_iter()
                .flatten()
                .filter(|rule| sources(rule).iter().all(|path| known(path)))
                .filter(|rule| {
                    let target = rule.get("target").and_then(Value::as_str);
                    let required = rule.get("required") == Some(&Value::Bool(true));
                    target.is_some_and(|target| {
                        let mut paths = wanted.iter().flatten();
                        let asked = required || paths.any(|path| meets(path, target));
                        asked && belongs(&map, target)
                    })
                })
                .cloned(),
        );
    }
    let written: Vec<&str> = rules
        .iter()
        .filter_map(|rule| rule.get("target").and_then(Value::as_str))
        .collect();
    let missing: Vec<String> = needed
        .into_iter()
        .filter(|group| {
            let mut paths = group.iter();
            !paths.any(|path| written.iter().any(|target| meets(path, target)))
        })
        .map(|group| group.join(" or "))
        .collect();
    let missing = with_key(&map, &mut rules, missing);
    map.insert("rules".to_owned(), Value::Array(rules));
    Skeleton {
        map: MapDocument::of(Value::Object(map)),
        missing,
    }
}

/// What documents are known by, as far as the records have it. None where its key is not among it.
fn taken(head: &Value, known: &impl Fn(&str) -> bool) -> Option<Value> {
    let mut kept = Map::new();
    for (name, value) in head.as_object()? {
        let has = |value: &Value| sources(value).iter().all(|path| known(path));
        match (name.as_str(), value) {
            ("identity" | "facets", Value::Object(named)) => {
                let named: Map<String, Value> = named
                    .iter()
                    .filter(|(_, value)| has(value))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                kept.insert(name.clone(), Value::Object(named));
            }
            ("key" | "each", value) if !has(value) => return None,
            ("list" | "nested", value) => {
                kept.insert(name.clone(), value.clone());
            }
            (_, value) if has(value) => {
                kept.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
    Some(Value::Object(kept))
}

/// All source paths that a rule or head reads, conditions included.
fn sources(written: &Value) -> Vec<&str> {
    match written {
        Value::String(path) => vec![path],
        Value::Array(several) => several.iter().flat_map(sources).collect(),
        Value::Object(keys) => {
            let when = keys.get("when").map(conditions).unwrap_or_default();
            let own = keys.get("source").map(sources).unwrap_or_default();
            own.into_iter().chain(when).collect()
        }
        _ => Vec::new(),
    }
}

fn conditions(when: &Value) -> Vec<&str> {
    match when {
        Value::Array(several) => several.iter().flat_map(conditions).collect(),
        Value::Object(keys) => {
            let own = keys.get("source").and_then(Value::as_str);
            let below = ["not", "any"].into_iter().filter_map(|key| keys.get(key));
            own.into_iter().chain(below.flat_map(conditions)).collect()
        }
        _ => Vec::new(),
    }
}

/// The list in the document whose elements are the findings, where there is one.
fn list(map: &Map<String, Value>) -> Option<&str> {
    map.get("finding")?.get("list")?.as_str()
}

/// The target paths that documents must have, always or also sometimes, as this map writes them: of each group one.
fn needed(map: &Map<String, Value>, model: &Model, least: Required) -> Vec<Vec<String>> {
    let of = |kind: &str, prefix: &str| {
        let paths: Vec<SchemaPath> = model
            .paths(kind)
            .into_iter()
            .filter(|path| path.needed >= least)
            .collect();
        // An object is there where something in it is: only of one that needs nothing in it does it count itself.
        let lowest = |path: &SchemaPath| {
            let mut others = paths.iter();
            !others.any(|below| below.path != path.path && covers(&path.path, &below.path))
        };
        let mut groups: Vec<Vec<String>> = paths
            .iter()
            .filter(|path| lowest(path))
            .map(|path| {
                let parent = path.path.rsplit_once('.').map(|(parent, _)| parent);
                let beside = |name: &String| match parent {
                    Some(parent) => format!("{prefix}{parent}.{name}"),
                    None => format!("{prefix}{name}"),
                };
                if path.one_of.is_empty() {
                    vec![format!("{prefix}{}", path.path)]
                } else {
                    path.one_of.iter().map(beside).collect()
                }
            })
            .collect();
        groups.dedup();
        groups
    };
    let mut needed = Vec::new();
    if map.contains_key("asset") {
        needed.extend(of("asset", ""));
    }
    if map.contains_key("finding") {
        let prefix = list(map).map(|list| format!("{list}."));
        needed.extend(of("finding", &prefix.unwrap_or_default()));
    }
    needed
}

/// Whether a rule for this target has a document to stand in.
fn belongs(map: &Map<String, Value>, target: &str) -> bool {
    let in_list = list(map).is_some_and(|list| target.starts_with(list));
    in_list || map.contains_key("asset") || (map.contains_key("finding") && list(map).is_none())
}

/// Whether a rule for the one path writes the other: it is the same, below it, or an object with it in it.
fn meets(path: &str, target: &str) -> bool {
    covers(path, target) || covers(target, path)
}

/// Whether the one path is the other or stands above it; how lists are marked does not matter.
fn covers(above: &str, below: &str) -> bool {
    let (above, below) = (above.replace("[]", ""), below.replace("[]", ""));
    below == above
        || below
            .strip_prefix(&above)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// Where a document's only missing value is one, it is what the document is known by: its key.
fn with_key(map: &Map<String, Value>, rules: &mut Vec<Value>, missing: Vec<String>) -> Vec<String> {
    let list = list(map);
    let is_finding = |path: &str| match list {
        Some(list) => path.starts_with(list),
        None => !map.contains_key("asset"),
    };
    let mut rest = Vec::new();
    for kind in ["asset", "finding"] {
        let of_kind: Vec<&String> = missing
            .iter()
            .filter(|path| is_finding(path) == (kind == "finding"))
            .collect();
        let key = map.get(kind).and_then(|head| head.get("key"));
        match (of_kind.as_slice(), key) {
            ([only], Some(key)) => {
                let mut rule = match key {
                    Value::Object(spec) => spec.clone(),
                    path => Map::from_iter([("source".to_owned(), path.clone())]),
                };
                rule.insert("target".to_owned(), json!(only));
                rule.insert("required".to_owned(), json!(true));
                rules.push(Value::Object(rule));
            }
            (several, _) => rest.extend(several.iter().map(|path| (*path).clone())),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn donor() -> Value {
        json!({
            "name": "safe", "target": "safe", "source": ["endpoints", "vulnerabilities"], "caution": "for others",
            "asset": {"key": "endpoint_id", "identity": {"mac": "mac_address[]", "ip": "allIPs"}, "facets": {"title": "name"}},
            "finding": {"each": "cves[]", "list": "finding[]", "nested": false, "key": {"source": ["endpoint_id", "cves[].name"],
                "convert": {"concat": {"separator": "|"}}}},
            "rules": [
                {"source": "endpoint_id", "target": "externalId", "required": true},
                {"source": "alias", "target": "alias"},
                {"source": ["endpoint_id", "cves[].name"], "target": "finding[].externalId", "convert": "concat"},
                {"source": "cves[].name", "target": "finding[].title"}
            ]
        })
    }

    fn made(fields: &[&str], target: &str) -> Skeleton {
        let model = Model::by_name(target).unwrap();
        let map = donor();
        let donor = Donor {
            name: "safe",
            map: &map,
        };
        skeleton("mine", "endpoints", &model, donor, Some(fields))
    }

    #[test]
    fn it_has_what_the_records_have_and_the_target_requires() {
        let made = made(&["endpoint_id", "allIPs", "name"], "safe");
        assert_eq!(
            *made.map.body(),
            json!({
                "name": "mine", "title": "endpoints for SAFE", "version": "1.0.0", "source": "endpoints", "target": "safe",
                "asset": {"key": "endpoint_id", "identity": {"ip": "allIPs"}, "facets": {"title": "name"}},
                "rules": [{"source": "endpoint_id", "target": "externalId", "required": true}]
            })
        );
        assert!(made.missing.is_empty());
    }

    #[test]
    fn findings_come_along_where_the_records_have_them() {
        let made = made(&["endpoint_id", "cves"], "safe");
        let rules = made.map.body()["rules"].as_array().unwrap();
        let targets: Vec<&Value> = rules.iter().map(|rule| &rule["target"]).collect();
        assert_eq!(targets, ["externalId", "finding[].externalId"]);
    }

    #[test]
    fn for_another_target_the_one_required_value_is_the_key() {
        let made = made(&["endpoint_id", "cves"], "qualys-etm");
        assert_eq!(
            made.map.body()["rules"],
            json!([
                {"source": "endpoint_id", "target": "externalAssetId", "required": true},
                {"source": ["endpoint_id", "cves[].name"], "convert": {"concat": {"separator": "|"}},
                    "target": "finding[].externalFindingId", "required": true}
            ])
        );
        assert!(made.missing.is_empty());
        let made = self::made(&["endpoint_id"], "ocsf");
        assert!(
            made.missing.contains(&"class_uid".to_owned()),
            "{:?}",
            made.missing
        );
    }
}
