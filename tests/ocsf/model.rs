//! The host's model, held against the rules: it names no attribute that the schema does not have, and requires what the schema requires.

use crate::validator::RULES;
use host_runner::model::Model;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn resolved<'m>(schema: &'m Value, node: &'m Value) -> &'m Value {
    match node["$ref"].as_str() {
        Some(reference) => {
            let target = schema
                .pointer(reference.strip_prefix('#').unwrap())
                .unwrap();
            resolved(schema, target)
        }
        None => node,
    }
}

fn texts(list: &Value) -> BTreeSet<&str> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}

/// Holds an object of the model against the rules of its type.
fn check(schema: &Value, node: &Value, rules: &Value, place: &str) {
    let node = resolved(schema, node);
    let properties = node["properties"].as_object().unwrap();
    assert_eq!(node["additionalProperties"], json!(false), "{place}");
    let attributes = rules["attributes"].as_object().unwrap();
    let known: BTreeSet<_> = attributes.keys().collect();
    assert_eq!(properties.keys().collect::<BTreeSet<_>>(), known, "{place}");
    let required: BTreeSet<&str> = attributes
        .iter()
        .filter(|(_, rule)| rule["required"] == true && rule["profile"].is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(texts(&node["required"]), required, "{place}");
    for (word, constraint) in [("anyOf", "at_least_one"), ("oneOf", "just_one")] {
        let alternatives = node[word].as_array().into_iter().flatten();
        let written: BTreeSet<&str> = alternatives
            .map(|one| one["required"][0].as_str().unwrap())
            .collect();
        let mut allowed = texts(&rules[constraint]);
        // What the model does not name can't be written either.
        allowed.retain(|name| properties.contains_key(*name));
        assert_eq!(written, allowed, "{place}: {constraint}");
    }
    for (name, rule) in attributes {
        let place = format!("{place}.{name}");
        let mut value = resolved(schema, &properties[name]);
        if rule["list"] == true {
            assert_eq!(value["type"], "array", "{place}");
            value = resolved(schema, &value["items"]);
        }
        let kind = rule["type"].as_str().unwrap();
        let expected = match kind {
            "string" | "ip" | "mac" => "string",
            "integer" | "time" => "integer",
            "boolean" => "boolean",
            _ => "object",
        };
        assert_eq!(value["type"], expected, "{place}");
        if let Some(enumeration) = rule["enum"].as_object() {
            let numbers: BTreeSet<String> = match value["enum"].as_array() {
                Some(numbers) => numbers.iter().map(Value::to_string).collect(),
                None => [value["const"].to_string()].into(),
            };
            let known: BTreeSet<String> = enumeration.keys().cloned().collect();
            assert_eq!(numbers, known, "{place}");
        }
        if expected == "object" && kind != "any" {
            check(schema, value, &RULES["objects"][kind], &place);
        }
    }
}

#[test]
fn the_model_says_what_the_schema_says() {
    let schema = Model::by_name("ocsf").unwrap().schema;
    for (definition, class) in [
        ("device_inventory_info", "5001"),
        ("vulnerability_finding", "2002"),
        ("detection_finding", "2004"),
    ] {
        let node = &schema["$defs"][definition];
        check(&schema, node, &RULES["classes"][class], definition);
    }
}
