//! Validates documents by the rules of the Open Cybersecurity Schema Framework, which `rules.json` has as data: unknown attributes, types, what is
//! required, at least one of, just one of, enumerations with the captions beside them, profiles, and the number of the event type.

use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::LazyLock;

/// The rules, as the file beside this one has them.
pub static RULES: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("rules.json")).unwrap());

/// Earlier than this many milliseconds no finding was made: it would be seconds that are taken for milliseconds.
const EARLIEST_MS: u64 = 100_000_000_000;

/// All that is wrong with a document, each with its place; nothing where it is valid.
pub fn wrong(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let uid = document["class_uid"].as_u64().unwrap_or_default();
    let class = &RULES["classes"][uid.to_string()];
    let Some(fields) = document.as_object().filter(|_| class.is_object()) else {
        return vec![format!("class_uid: {} is no class", document["class_uid"])];
    };
    let profiles: Vec<&str> = document["metadata"]["profiles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    object(class, fields, "", &profiles, &mut found);
    let activity = document["activity_id"].as_u64().unwrap_or_default();
    if document["type_uid"] != uid * 100 + activity {
        found.push(format!(
            "type_uid: {} is not that of class {uid} and activity {activity}",
            document["type_uid"]
        ));
    }
    if document["metadata"]["version"] != RULES["version"] {
        found.push(format!(
            "metadata.version: {}",
            document["metadata"]["version"]
        ));
    }
    found
}

/// Holds an object against the rules of its type or class.
fn object(
    rules: &Value,
    fields: &Map<String, Value>,
    path: &str,
    profiles: &[&str],
    found: &mut Vec<String>,
) {
    let attributes = rules["attributes"].as_object().unwrap();
    for (name, value) in fields {
        let path = format!("{path}{name}");
        match attributes.get(name) {
            Some(rule) => attribute(rule, value, fields, &path, profiles, found),
            None => found.push(format!("{path}: no such attribute")),
        }
    }
    for (name, rule) in attributes {
        let asked = rule["profile"]
            .as_str()
            .is_none_or(|profile| profiles.contains(&profile));
        if rule["required"] == true && asked && !fields.contains_key(name) {
            found.push(format!("{path}{name}: required"));
        }
    }
    let present = |names: &Value| {
        let names = names.as_array().into_iter().flatten();
        names
            .filter(|name| fields.contains_key(name.as_str().unwrap()))
            .count()
    };
    for (constraint, fine) in [
        ("at_least_one", present(&rules["at_least_one"]) >= 1),
        ("just_one", present(&rules["just_one"]) == 1),
    ] {
        if rules[constraint].is_array() && !fine {
            found.push(format!("{path}: {constraint} of {}", rules[constraint]));
        }
    }
}

fn attribute(
    rule: &Value,
    value: &Value,
    beside: &Map<String, Value>,
    path: &str,
    profiles: &[&str],
    found: &mut Vec<String>,
) {
    if let Some(profile) = rule["profile"].as_str()
        && !profiles.contains(&profile)
    {
        found.push(format!(
            "{path}: of the profile {profile}, which metadata does not name"
        ));
    }
    if rule["list"] == true {
        match value.as_array() {
            None => found.push(format!("{path}: {value} is no list")),
            Some(items) if items.is_empty() && rule["required"] == true => {
                found.push(format!("{path}: empty"));
            }
            Some(items) => {
                for (at, item) in items.iter().enumerate() {
                    one(rule, item, &format!("{path}[{at}]"), profiles, found);
                }
            }
        }
    } else {
        one(rule, value, path, profiles, found);
        enumerated(rule, value, beside, path, found);
    }
}

/// A value that is no list.
fn one(rule: &Value, value: &Value, path: &str, profiles: &[&str], found: &mut Vec<String>) {
    let text = value.as_str();
    let fits = match rule["type"].as_str().unwrap() {
        "string" => text.is_some(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "time" => value.as_u64().is_some_and(|ms| ms >= EARLIEST_MS),
        "ip" => text.is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        "mac" => text.is_some_and(is_mac),
        "any" => value.is_object(),
        name => match value.as_object() {
            Some(fields) => {
                let rules = &RULES["objects"][name];
                return object(rules, fields, &format!("{path}."), profiles, found);
            }
            None => false,
        },
    };
    if !fits {
        found.push(format!("{path}: {value} is no {}", rule["type"]));
    }
}

/// A number of an enumeration, and the text that goes with it: the number's caption, or the source's own word where the number says "other".
fn enumerated(
    rule: &Value,
    value: &Value,
    beside: &Map<String, Value>,
    path: &str,
    found: &mut Vec<String>,
) {
    let Some(known) = rule["enum"].as_object() else {
        return;
    };
    let Some(caption) = known.get(&value.to_string()) else {
        found.push(format!("{path}: {value} is not in the enumeration"));
        return;
    };
    let Some(text) = rule["sibling"].as_str() else {
        return;
    };
    match beside.get(text) {
        None if value == 99 => {
            found.push(format!("{path}: 99 without the source's word in {text}"))
        }
        Some(word) if value != 99 && word != caption => {
            found.push(format!(
                "{path}: {value} is {caption}, and {text} says {word}"
            ));
        }
        _ => {}
    }
}

fn is_mac(text: &str) -> bool {
    let pairs: Vec<&str> = text.split([':', '-']).collect();
    let pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    pairs.len() == 6 && pairs.iter().all(pair)
}
