//! Where a value comes from, as it is written: source, convert, default, constant, when.

use super::condition::{Condition, Shape, Test};
use super::convert::{self, Conversion};
use super::path::{Path, push_pointer};
use super::reader::Fields;
use super::schema::nearest;
use super::value::Value;
use crate::contract::Problem;
use serde_json::Value as Json;

/// Where a value comes from.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) pointer: String,
    /// None where the value is a constant or a placeholder.
    pub(super) sources: Vec<Path>,
    pub(super) combine: Combine,
    pub(super) conversions: Vec<Conversion>,
    pub(super) default: Option<Value<'static>>,
    pub(super) constant: Option<Value<'static>>,
    /// All must hold.
    pub(super) when: Vec<Condition<Path>>,
}

/// How several sources become one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Combine {
    /// There is one source only.
    Only,
    /// The first that has a value.
    FirstOf,
    /// All of them, with text in between; nothing where one is absent.
    Concat(String),
}

/// A value that is no rule: a path, or an object with source, convert, default, constant and when.
pub(super) fn value(json: &Json, pointer: String, problems: &mut Vec<Problem>) -> Option<Spec> {
    if let Json::String(text) = json {
        return match Path::parse(text) {
            Ok(path) => Some(Spec {
                pointer,
                sources: vec![path],
                combine: Combine::Only,
                conversions: Vec::new(),
                default: None,
                constant: None,
                when: Vec::new(),
            }),
            Err(message) => {
                problems.push(Problem { pointer, message });
                None
            }
        };
    }
    let mut fields = Fields::new(json, pointer, problems)?;
    let spec = spec(&mut fields, false);
    fields.end();
    spec
}

/// The keys that rules and other values share.
pub(super) fn spec(fields: &mut Fields<'_, '_>, placeholder: bool) -> Option<Spec> {
    let mut sources = Vec::new();
    let mut good = true;
    let texts = fields.texts("source");
    let written = fields.any("source").is_some();
    for text in texts.into_iter().flatten() {
        match Path::parse(text) {
            Ok(path) => sources.push(path),
            Err(message) => {
                fields.problem("source", message);
                good = false;
            }
        }
    }
    let mut combine = Combine::Only;
    let conversions = conversions(fields, &mut combine);
    if sources.len() > 1 && combine == Combine::Only {
        fields.problem(
            "source",
            "several sources need `concat` or `first-of` as the first conversion",
        );
    }
    let mut constant_or_default = |key| {
        let value = fields.any(key).map(Value::from_json)?;
        if value.is_absent() {
            fields.problem(key, "an empty value would never be written");
        }
        Some(value)
    };
    let constant = constant_or_default("constant");
    let default = constant_or_default("default");
    let when = match fields.any("when") {
        Some(json) => {
            let pointer = fields.at("when");
            conditions(json, pointer, fields.problems())
        }
        None => Vec::new(),
    };
    if !written && constant.is_none() && !placeholder {
        fields.missing("source");
        good = false;
    }
    if placeholder
        && (written || constant.is_some() || default.is_some() || !conversions.is_empty())
    {
        fields.problem("placeholder", "a placeholder is filled in by the platform: it takes no source, convert, constant or default");
    }
    good.then(|| Spec {
        pointer: fields.here().to_owned(),
        sources,
        combine,
        conversions,
        default,
        constant,
        when,
    })
}

fn conversions(fields: &mut Fields<'_, '_>, combine: &mut Combine) -> Vec<Conversion> {
    let Some(json) = fields.any("convert") else {
        return Vec::new();
    };
    let pointer = fields.at("convert");
    let steps: Vec<(String, &Json)> = match json {
        Json::Array(steps) => steps
            .iter()
            .enumerate()
            .map(|(at, step)| (format!("{pointer}/{at}"), step))
            .collect(),
        step => vec![(pointer, step)],
    };
    let nothing = Json::Object(serde_json::Map::new());
    let mut all = Vec::new();
    for (at, (pointer, step)) in steps.into_iter().enumerate() {
        let (name, parameters, pointer) = match step {
            Json::String(name) => (name.as_str(), &nothing, pointer),
            Json::Object(entries) if entries.len() == 1 => {
                let Some((name, parameters)) = entries.iter().next() else {
                    continue;
                };
                let mut pointer = pointer;
                push_pointer(&mut pointer, name);
                (name.as_str(), parameters, pointer)
            }
            _ => {
                let message = "a conversion is its name, or an object with its name and parameters: {\"prefix\": {\"text\": \"x\"}}";
                fields.problems().push(Problem {
                    pointer,
                    message: message.into(),
                });
                continue;
            }
        };
        let Some(mut parameters) = Fields::new(parameters, pointer.clone(), fields.problems())
        else {
            continue;
        };
        if matches!(name, "concat" | "first-of") {
            if at > 0 {
                parameters.problems().push(Problem {
                    pointer,
                    message: format!("`{name}` puts sources together and comes first"),
                });
            } else if name == "concat" {
                *combine =
                    Combine::Concat(parameters.text("separator").unwrap_or_default().to_owned());
            } else {
                *combine = Combine::FirstOf;
            }
            parameters.end();
            continue;
        }
        match Conversion::read(name, &mut parameters) {
            Some(conversion) => {
                all.push(conversion);
                parameters.end();
            }
            None => {
                let hint = match nearest(name, convert::NAMES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", convert::NAMES.join(", ")),
                };
                parameters.problems().push(Problem {
                    pointer,
                    message: format!("there is no conversion `{name}`: {hint}"),
                });
            }
        }
    }
    all
}

/// One condition, or a list of which all must hold.
fn conditions(json: &Json, pointer: String, problems: &mut Vec<Problem>) -> Vec<Condition<Path>> {
    match json {
        Json::Array(all) => {
            let each = all.iter().enumerate();
            each.filter_map(|(at, json)| condition(json, format!("{pointer}/{at}"), problems))
                .collect()
        }
        json => condition(json, pointer, problems).into_iter().collect(),
    }
}

fn condition(json: &Json, pointer: String, problems: &mut Vec<Problem>) -> Option<Condition<Path>> {
    let mut fields = Fields::new(json, pointer, problems)?;
    let mut found = Vec::new();
    if let Some(json) = fields.any("not") {
        let pointer = fields.at("not");
        found.extend(
            condition(json, pointer, fields.problems())
                .map(|inner| Condition::Not(Box::new(inner))),
        );
    }
    if let Some(json) = fields.any("any") {
        let pointer = fields.at("any");
        found.push(Condition::Any(conditions(json, pointer, fields.problems())));
    }
    if let Some(name) = fields.text("customField") {
        found.push(Condition::CustomField(name.to_owned()));
    }
    let source = fields.path("source");
    let tests = tests(&mut fields);
    match (source, tests.is_empty()) {
        (Some(source), false) => found.extend(
            tests
                .into_iter()
                .map(|test| Condition::Test(source.clone(), test)),
        ),
        (Some(_), true) => fields.problem("source", "a test is missing: equals, in, is or present"),
        (None, false) => fields.missing("source"),
        (None, true) => {}
    }
    if found.is_empty() && fields.any("source").is_none() {
        let message = "a condition is expected: a source with equals, in, is or present; or customField, not, any";
        let pointer = fields.here().to_owned();
        fields.problems().push(Problem {
            pointer,
            message: message.into(),
        });
    }
    fields.end();
    match found.len() {
        0 | 1 => found.pop(),
        _ => Some(Condition::All(found)),
    }
}

fn tests(fields: &mut Fields<'_, '_>) -> Vec<Test> {
    let mut tests = Vec::new();
    if let Some(json) = fields.any("equals") {
        tests.push(Test::In(vec![Value::from_json(json)]));
    }
    match fields.any("in") {
        Some(Json::Array(values)) => {
            tests.push(Test::In(values.iter().map(Value::from_json).collect()))
        }
        Some(_) => fields.problem("in", "a list of values is expected"),
        None => {}
    }
    if let Some(word) = fields.choice("is", &Shape::NAMES) {
        tests.extend(Shape::by_name(word).map(Test::Is));
    }
    if let Some(present) = fields.flag("present") {
        tests.push(Test::Present(present));
    }
    tests
}
