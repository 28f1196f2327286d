//! Two JSON Schemas compared: of a configuration, and of a data stream's records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compare::{Aspect, Difference, Direction};

/// The keyword by which a value tells who or where somebody is.
const PERSONAL: &str = "x-personal";

/// The keyword by which a configuration's field is a secret.
const SECRET: &str = "writeOnly";

/// How much of a name is shown: it is the component's own text.
const SHOWN: usize = 60;

/// Where something stands in a schema: the members that lead to it.
type Path<'a> = Vec<&'a str>;

/// The differences between two schemas of the configuration.
pub(super) fn configuration(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = changed(Aspect::Configuration, "", old, new);
    let (before, after) = (marked(old, is_secret), marked(new, is_secret));
    let there = properties(new);
    for path in after.keys().filter(|path| !before.contains_key(*path)) {
        found.push(difference(
            Direction::Further,
            Aspect::Secret,
            "",
            path,
            None,
            Some(""),
        ));
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        // A field that stays and is no secret any more is handed to the component.
        let (direction, new) = if there.contains_key(path) {
            (
                Direction::Further,
                Some("no secret any more: the component sees it"),
            )
        } else {
            (Direction::Less, None)
        };
        found.push(difference(
            direction,
            Aspect::Secret,
            "",
            path,
            Some("secret"),
            new,
        ));
    }
    found
}

/// The differences between two schemas of a data stream's records. What is not marked as personal any more is kept where users' names are left out.
pub(super) fn records(stream: &str, old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = changed(Aspect::Schema, stream, old, new);
    let (before, after) = (marked(old, personal), marked(new, personal));
    let paths: BTreeSet<&Path<'_>> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let (old, new) = (before.get(path).copied(), after.get(path).copied());
        if old != new {
            let (direction, new) = if old.is_some() {
                (
                    Direction::Further,
                    Some(new.unwrap_or("not marked any more")),
                )
            } else {
                (Direction::Less, new)
            };
            found.push(difference(
                direction,
                Aspect::Personal,
                stream,
                path,
                old,
                new,
            ));
        }
    }
    found
}

fn is_secret(schema: &Map<String, Value>) -> Option<&str> {
    (schema.get(SECRET) == Some(&Value::Bool(true))).then_some("secret")
}

fn personal(schema: &Map<String, Value>) -> Option<&str> {
    schema.get(PERSONAL).and_then(Value::as_str)
}

/// Every place that bears a mark, wherever it stands.
fn marked<'a>(
    schema: &'a Value,
    mark: fn(&'a Map<String, Value>) -> Option<&'a str>,
) -> BTreeMap<Path<'a>, &'a str> {
    let mut found = BTreeMap::new();
    walk(schema, &mut Vec::new(), &mut |path, members| {
        if let Some(mark) = mark(members) {
            found.insert(path.clone(), mark);
        }
    });
    found
}

/// Calls back for every object. Schemas were read by a parser that refuses depth, so this ends.
fn walk<'a>(
    value: &'a Value,
    path: &mut Path<'a>,
    visit: &mut dyn FnMut(&Path<'a>, &'a Map<String, Value>),
) {
    match value {
        Value::Object(members) => {
            visit(path, members);
            for (name, value) in members {
                path.push(name);
                walk(value, path, visit);
                path.pop();
            }
        }
        Value::Array(items) => {
            for item in items {
                path.push("[]");
                walk(item, path, visit);
                path.pop();
            }
        }
        _ => {}
    }
}

/// What is said of each property and of the items of each list, without what has a line of its own.
fn properties(schema: &Value) -> BTreeMap<Path<'_>, BTreeMap<&str, &Value>> {
    let mut found = BTreeMap::new();
    collect(schema, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(
    schema: &'a Value,
    path: &mut Path<'a>,
    found: &mut BTreeMap<Path<'a>, BTreeMap<&'a str, &'a Value>>,
) {
    let Some(members) = schema.as_object() else {
        return;
    };
    let own = |name: &str| !matches!(name, "properties" | "items" | PERSONAL | SECRET);
    let facts = members
        .iter()
        .filter(|(name, _)| own(name))
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    found.insert(path.clone(), facts);
    if let Some(properties) = members.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            path.extend(["properties", name]);
            collect(property, path, found);
            path.truncate(path.len().saturating_sub(2));
        }
    }
    if let Some(items) = members.get("items") {
        path.push("items");
        collect(items, path, found);
        path.pop();
    }
}

fn changed(aspect: Aspect, of: &str, old: &Value, new: &Value) -> Vec<Difference> {
    let (before, after) = (properties(old), properties(new));
    let paths: BTreeSet<&Path<'_>> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        if old != new {
            let text =
                |facts: &BTreeMap<&str, &Value>| serde_json::to_string(facts).unwrap_or_default();
            let (old, new) = (old.map(text), new.map(text));
            found.push(difference(
                Direction::Other,
                aspect,
                of,
                path,
                old.as_deref(),
                new.as_deref(),
            ));
        }
    }
    found
}

fn difference(
    direction: Direction,
    aspect: Aspect,
    of: &str,
    path: &Path<'_>,
    old: Option<&str>,
    new: Option<&str>,
) -> Difference {
    Difference {
        direction,
        aspect,
        name: shown(of, path),
        part: None,
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    }
}

/// "endpoints.tags[].name": the keywords between are left out.
fn shown(of: &str, path: &Path<'_>) -> String {
    let mut text: String = of.to_owned();
    let mut members = path.iter();
    while let Some(member) = members.next() {
        match *member {
            "items" | "[]" => text.push_str("[]"),
            keyword => {
                let name = if keyword == "properties" {
                    members.next().copied().unwrap_or(keyword)
                } else {
                    keyword
                };
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(name.chars().take(SHOWN));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(found: &[Difference]) -> Vec<String> {
        found
            .iter()
            .map(|each| format!("{:?} {each}", each.direction))
            .collect()
    }

    #[test]
    fn a_new_secret_reaches_further_and_one_that_is_gone_less() {
        let without = json!({"properties": {"url": {"type": "string"}}});
        let with = json!({"properties": {"url": {"type": "string"}, "key": {"type": "string", "writeOnly": true}}});
        assert_eq!(
            told(&configuration(&without, &with)),
            [
                "Other configuration `key`: new: {\"type\":\"string\"}",
                "Further secret `key`: new"
            ]
        );
        assert!(
            configuration(&with, &without)
                .iter()
                .all(|each| each.direction != Direction::Further)
        );
        assert!(configuration(&with, &with).is_empty());
    }

    #[test]
    fn a_secret_that_the_component_would_see_from_now_on_reaches_further() {
        let secret = json!({"properties": {"key": {"type": "string", "writeOnly": true}}});
        let open = json!({"properties": {"key": {"type": "string"}}});
        assert_eq!(
            told(&configuration(&secret, &open)),
            ["Further secret `key`: secret -> no secret any more: the component sees it"]
        );
    }

    #[test]
    fn a_value_that_is_not_marked_as_personal_any_more_reaches_further_wherever_it_stands() {
        let marked = json!({"properties": {"users": {"items": {"properties": {"name": {"x-personal": "user"}}}}}});
        let plain = json!({"properties": {"users": {"items": {"properties": {"name": {}}}}}});
        let gone = json!({"properties": {"users": {"items": {}}}});
        assert_eq!(
            told(&records("endpoints", &marked, &plain)),
            ["Further personal value `endpoints.users[].name`: user -> not marked any more"]
        );
        assert!(
            records("endpoints", &marked, &gone)
                .iter()
                .any(|each| each.direction == Direction::Further)
        );
        assert!(
            records("endpoints", &plain, &marked)
                .iter()
                .all(|each| each.direction == Direction::Less)
        );
        let nested = json!({"anyOf": [{"x-personal": "user"}]});
        assert_eq!(records("x", &nested, &json!({"anyOf": [{}]})).len(), 2);
    }

    #[test]
    fn other_changes_of_a_field_are_told_with_what_it_was_and_is() {
        let old = json!({"properties": {"a": {"type": "string"}}});
        let new = json!({"properties": {"a": {"type": "integer"}}});
        assert_eq!(
            told(&records("alerts", &old, &new)),
            ["Other field `alerts.a`: {\"type\":\"string\"} -> {\"type\":\"integer\"}"]
        );
    }

    #[test]
    fn a_property_that_bears_the_name_of_a_mark_is_no_mark() {
        let schema = json!({"properties": {"writeOnly": {"type": "boolean"}, "x-personal": {"type": "string"}}});
        assert!(marked(&schema, is_secret).is_empty());
        assert!(marked(&schema, personal).is_empty());
    }
}
