//! The published format, `maps/map.schema.json`, beside what the engine takes.

use super::generated::any_map;
use super::{asset_map, context, load};
use crate::transform::condition::Shape;
use crate::transform::path::Path;
use crate::transform::{bundled, convert, prepare_with};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../maps/map.schema.json")).unwrap()
}

/// Whether a value is as a schema has it: all the keywords that the format uses, and no others.
fn valid(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let all = |schemas: &Value| -> Vec<Result<(), String>> {
        let schemas = schemas.as_array().unwrap().iter();
        schemas.map(|schema| valid(root, schema, value)).collect()
    };
    for (keyword, said) in schema.as_object().unwrap() {
        let good = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" => true,
            "$ref" => {
                let target = said.as_str().unwrap().strip_prefix('#').unwrap();
                valid(root, root.pointer(target).unwrap(), value)?;
                true
            }
            "type" => match said.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                other => panic!("the type {other}"),
            },
            "enum" => said.as_array().unwrap().contains(value),
            "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
            "minItems" => value.as_array().is_none_or(|items| !items.is_empty()),
            "minProperties" | "maxProperties" => value.as_object().is_none_or(|entries| {
                let bound = said.as_u64().unwrap() as usize;
                if keyword == "minProperties" {
                    entries.len() >= bound
                } else {
                    entries.len() <= bound
                }
            }),
            // Two of them: that of a version, and that of paths.
            "pattern" => value.as_str().is_none_or(|text| {
                if said.as_str().unwrap().contains("0-9") {
                    let pieces: Vec<&str> = text.split('.').collect();
                    let number = |piece: &&str| piece.parse::<u32>().is_ok();
                    (2..=3).contains(&pieces.len()) && pieces.iter().all(number)
                } else {
                    Path::parse(text).is_ok()
                }
            }),
            "required" => {
                let names = said.as_array().unwrap().iter();
                let mut names = names.map(|name| name.as_str().unwrap());
                names.all(|name| value.get(name).is_some())
            }
            "dependentRequired" => said.as_object().unwrap().iter().all(|(name, needs)| {
                let mut needs = needs.as_array().unwrap().iter();
                value.get(name).is_none()
                    || needs.all(|need| value.get(need.as_str().unwrap()).is_some())
            }),
            "properties" => {
                for (name, schema) in said.as_object().unwrap() {
                    if let Some(below) = value.get(name) {
                        valid(root, schema, below).map_err(|error| format!("/{name}{error}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object();
                for (name, below) in value.as_object().into_iter().flatten() {
                    if known.is_some_and(|known| known.contains_key(name)) {
                        continue;
                    }
                    match said {
                        Value::Bool(false) => return Err(format!("/{name} is not known")),
                        schema => {
                            valid(root, schema, below).map_err(|error| format!("/{name}{error}"))?
                        }
                    }
                }
                true
            }
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    valid(root, said, item).map_err(|error| format!("/{at}{error}"))?;
                }
                true
            }
            "not" => valid(root, said, value).is_err(),
            "anyOf" => all(said).iter().any(Result::is_ok),
            "oneOf" => all(said).iter().filter(|result| result.is_ok()).count() == 1,
            other => panic!("the keyword {other}: teach it to this test"),
        };
        if !good {
            return Err(format!(": {keyword} {said} does not hold for {value}"));
        }
    }
    Ok(())
}

fn is_valid(map: &Value) -> Result<(), String> {
    let schema = schema();
    valid(&schema, &schema, map)
}

#[test]
fn every_bundled_map_is_as_the_published_format_has_it() {
    for map in bundled() {
        let file: Value = serde_json::from_str(map.body).unwrap();
        assert_eq!(is_valid(&file), Ok(()), "{}", map.name);
        for slip in ["sourc", "when", "target"] {
            let mut wrong = file.clone();
            wrong["rules"][0][slip] = json!(7);
            assert!(is_valid(&wrong).is_err(), "{slip} in {}", map.name);
        }
    }
}

proptest! {
    #[test]
    fn what_the_engine_takes_is_as_the_published_format_has_it(map in any_map()) {
        if load(&map).is_ok() {
            prop_assert_eq!(is_valid(&map), Ok(()));
        }
    }
}

/// The keys that the engine knows at a place of a map, by what it says of one that it does not know.
fn known(map: &Value, place: &str) -> BTreeSet<String> {
    /// Near to nothing.
    const ODD: &str = "qqqqqqqqqqqq";
    let mut map = map.clone();
    map.pointer_mut(place).unwrap()[ODD] = json!(1);
    let problems = prepare_with(
        &serde_json::to_vec(&map).unwrap(),
        &context("things"),
        |_| None,
    )
    .unwrap_err();
    let told = problems
        .iter()
        .find(|problem| problem.pointer == format!("{place}/{ODD}"))
        .unwrap_or_else(|| panic!("{place}: {problems:?}"));
    let (_, names) = told.message.split_once("known are ").unwrap_or(("", ""));
    let names = names.split(", ").filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn described(place: &str) -> BTreeSet<String> {
    let schema = schema();
    let properties = schema
        .pointer(place)
        .and_then(|place| place["properties"].as_object());
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn every_key_that_the_engine_knows_is_described_and_no_other() {
    let mut map = asset_map(json!([
        {"source": "a", "target": "a", "when": {"source": "a", "present": true}},
    ]));
    map["asset"] = json!({"key": {"source": "id"}, "facets": {"f": {"source": "a"}}});
    map["finding"] = json!({"key": "id"});
    for (place, schema) in [
        ("", ""),
        ("/asset", "/$defs/asset"),
        ("/finding", "/$defs/finding"),
        ("/rules/0", "/$defs/rule"),
        ("/rules/0/when", "/$defs/condition"),
    ] {
        assert_eq!(known(&map, place), described(schema), "{place}");
    }
    // A value that is no rule is a path or an object; the object is described where the path is.
    let values = schema();
    let object = values["$defs"]["value"]["oneOf"].as_array().unwrap().iter();
    let object: BTreeSet<String> = object
        .filter_map(|schema| schema["properties"].as_object())
        .flat_map(|properties| properties.keys().cloned())
        .collect();
    assert_eq!(known(&map, "/asset/key"), object);
    assert_eq!(known(&map, "/asset/facets/f"), object);
}

#[test]
fn every_conversion_and_its_parameters_are_described() {
    const CONVERSIONS: &str = "/$defs/conversion/oneOf/1";
    let all: BTreeSet<String> = convert::NAMES.map(str::to_owned).into();
    assert_eq!(described(CONVERSIONS), all);
    for name in &all {
        let map = asset_map(json!([{"source": "a", "target": "a", "convert": {name: {}}}]));
        let place = format!("/rules/0/convert/{name}");
        let mut schema = schema();
        let described_at = format!("{CONVERSIONS}/properties/{name}");
        let mut parameters = schema.pointer_mut(&described_at).unwrap().take();
        if let Some(reference) = parameters["$ref"].as_str() {
            let reference = reference.strip_prefix('#').unwrap().to_owned();
            parameters = schema.pointer(&reference).unwrap().clone();
        }
        let names = parameters["properties"].as_object().into_iter().flatten();
        let names: BTreeSet<String> = names.map(|(name, _)| name.clone()).collect();
        assert_eq!(known(&map, &place), names, "{name}");
        // What needs no parameters may be written as its name alone, and nothing else may.
        let short = asset_map(json!([{"source": "a", "target": "a", "convert": name}]));
        assert_eq!(load(&short).is_ok(), is_valid(&short).is_ok(), "{name}");
    }
}

/// The words that the engine takes at a key of a rule or of a condition, by what it says of another one.
fn words(rule: Value, place: &str) -> BTreeSet<String> {
    let problems = load(&asset_map(json!([rule]))).unwrap_err();
    let told = problems
        .iter()
        .find(|problem| problem.pointer == place)
        .unwrap_or_else(|| panic!("{problems:?}"));
    let (_, words) = told.message.split_once(" is none of ").unwrap();
    words.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_word_that_the_engine_takes_is_described() {
    let described = |place: &str| -> BTreeSet<String> {
        let schema = schema();
        let words = schema.pointer(place).unwrap()["enum"]
            .as_array()
            .unwrap()
            .iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        words(
            json!({"target": "a[].b", "source": "a", "align": "qqqqqqqq"}),
            "/rules/0/align"
        ),
        described("/$defs/rule/properties/align")
    );
    assert_eq!(
        words(
            json!({"target": "a", "placeholder": "qqqqqqqq"}),
            "/rules/0/placeholder"
        ),
        described("/$defs/rule/properties/placeholder")
    );
    let is = json!({"target": "a", "source": "a", "when": {"source": "a", "is": "qqqqqqqq"}});
    assert_eq!(
        words(is, "/rules/0/when/is"),
        described("/$defs/condition/properties/is")
    );
    assert_eq!(
        Shape::NAMES.len(),
        described("/$defs/condition/properties/is").len()
    );
}

#[test]
fn identity_has_the_names_that_the_engine_knows() {
    let mut map = asset_map(json!([]));
    map["asset"]["identity"] = json!({"qqqqqqqq": "a"});
    let problems = load(&map).unwrap_err();
    let (_, names) = problems[0].message.split_once("known are ").unwrap();
    let names: BTreeSet<String> = names.split(", ").map(str::to_owned).collect();
    assert_eq!(names, described("/$defs/identity"));
}
