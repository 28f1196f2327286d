//! A map as it is written: read from JSON into types, every slip told with its place. What the paths mean is checked in
//! [`super::compile`].

use super::condition::{Condition, Test};
use super::convert::{self, Conversion};
use super::path::{Path, push_pointer};
use super::reader::Fields;
use super::schema::nearest;
use super::value::Value;
use crate::contract::{Lifecycle, Problem};
use serde_json::Value as Json;

/// A map file.
#[derive(Debug)]
pub(super) struct MapFile {
    /// The data streams whose records it takes; at least one.
    pub(super) streams: Vec<String>,
    pub(super) asset: Option<Head>,
    pub(super) finding: Option<Finding>,
    pub(super) rules: Vec<Rule>,
}

/// What a document is known by.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) pointer: String,
    pub(super) key: Spec,
    /// Name and value, in the map's order of names.
    pub(super) identity: Vec<(String, Spec)>,
    pub(super) facets: Vec<(String, Spec)>,
}

/// The findings that a map gives.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) head: Head,
    /// The key of the asset it is on.
    pub(super) asset: Option<Spec>,
    /// The source list with one element for each finding, and the target list that holds them; none where the record itself
    /// is the finding.
    pub(super) list: Option<FindingList>,
}

/// Findings that are elements of a list.
#[derive(Debug)]
pub(super) struct FindingList {
    pub(super) source: Path,
    pub(super) target: Path,
    /// Whether the asset document leaves with the list in it.
    pub(super) nested: bool,
}

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

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) spec: Spec,
    pub(super) target: Path,
    pub(super) required: bool,
    pub(super) align: Align,
    pub(super) placeholder: Option<(Lifecycle, String)>,
}

/// Which element of a target list a value goes into.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// The element that belongs to its source list's element.
    Own,
    /// The element in which the named field has the same value.
    Value(Path),
    /// The element of the other source list that has the same position.
    Position(Path),
    /// Every element.
    Each,
}

/// Reads a map.
pub(super) fn read(mapping: &[u8], problems: &mut Vec<Problem>) -> Option<MapFile> {
    let json: Json = match serde_json::from_slice(mapping) {
        Ok(json) => json,
        Err(error) => {
            problems.push(Problem {
                pointer: String::new(),
                message: format!("the map is not JSON: {error}"),
            });
            return None;
        }
    };
    let mut fields = Fields::new(&json, String::new(), problems)?;
    fields.any("$schema");
    fields.required_text("name");
    fields.text("title");
    fields.text("description");
    version(&mut fields);
    fields.required_text("target");
    let streams = match fields.texts("source") {
        Some(streams) => streams.into_iter().map(str::to_owned).collect(),
        None => {
            if fields.any("source").is_none() {
                fields.missing("source");
            }
            Vec::new()
        }
    };
    let asset = fields.any("asset");
    let finding = fields.any("finding");
    let rules = fields.any("rules");
    if asset.is_none() && finding.is_none() {
        fields.missing("asset` or `finding");
    }
    match rules {
        Some(Json::Array(_)) => {}
        Some(_) => fields.problem("rules", "a list of rules is expected"),
        None => fields.missing("rules"),
    }
    fields.end();
    let asset = asset.and_then(|json| {
        let mut fields = Fields::new(json, "/asset".into(), problems)?;
        let head = head(&mut fields);
        fields.end();
        head
    });
    let finding = finding.and_then(|json| {
        let mut fields = Fields::new(json, "/finding".into(), problems)?;
        let finding = read_finding(&mut fields);
        fields.end();
        finding
    });
    let mut all = Vec::new();
    for (at, json) in rules
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if let Some(mut fields) = Fields::new(json, format!("/rules/{at}"), problems) {
            all.extend(rule(&mut fields));
            fields.end();
        }
    }
    Some(MapFile {
        streams,
        asset,
        finding,
        rules: all,
    })
}

/// A version is two or three numbers: maps are compared by people.
fn version(fields: &mut Fields<'_, '_>) {
    let version = fields.required_text("version");
    let numbers = version
        .split('.')
        .all(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit()));
    if !version.is_empty() && !(numbers && (2..=3).contains(&version.split('.').count())) {
        fields.problem(
            "version",
            format!("`{version}` is no version; write three numbers, such as 1.0.0"),
        );
    }
}

fn head(fields: &mut Fields<'_, '_>) -> Option<Head> {
    let key = match fields.any("key") {
        Some(json) => {
            let pointer = fields.at("key");
            value(json, pointer, fields.problems())
        }
        None => {
            fields.missing("key");
            None
        }
    };
    let identity = named(fields, "identity");
    let facets = named(fields, "facets");
    Some(Head {
        pointer: fields.here().to_owned(),
        key: key?,
        identity,
        facets,
    })
}

/// An object of names, each with a value or a list of values.
fn named(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<(String, Spec)> {
    let Some(json) = fields.any(key) else {
        return Vec::new();
    };
    let Json::Object(entries) = json else {
        fields.problem(key, "an object of names and values is expected");
        return Vec::new();
    };
    let mut all = Vec::new();
    for (name, json) in entries {
        let mut pointer = fields.at(key);
        push_pointer(&mut pointer, name);
        if let Json::Array(values) = json {
            for (at, json) in values.iter().enumerate() {
                let spec = value(json, format!("{pointer}/{at}"), fields.problems());
                all.extend(spec.map(|spec| (name.clone(), spec)));
            }
        } else {
            all.extend(value(json, pointer, fields.problems()).map(|spec| (name.clone(), spec)));
        }
    }
    all
}

fn read_finding(fields: &mut Fields<'_, '_>) -> Option<Finding> {
    let head = head(fields);
    let asset = fields.any("asset").and_then(|json| {
        let pointer = fields.at("asset");
        value(json, pointer, fields.problems())
    });
    let target = path(fields, "list");
    let source = path(fields, "each");
    let nested = fields.flag("nested");
    let list = match (target, source) {
        (Some(target), Some(source)) => Some(FindingList {
            source,
            target,
            nested: nested.unwrap_or(false),
        }),
        (None, None) => {
            if nested.is_some() {
                fields.problem(
                    "nested",
                    "only findings of a list can be nested; name it with `list` and `each`",
                );
            }
            None
        }
        (Some(_), None) => {
            fields.missing("each");
            None
        }
        (None, Some(_)) => {
            fields.missing("list");
            None
        }
    };
    Some(Finding {
        head: head?,
        asset,
        list,
    })
}

fn path(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Path> {
    let text = fields.text(key)?;
    match Path::parse(text) {
        Ok(path) => Some(path),
        Err(message) => {
            fields.problem(key, message);
            None
        }
    }
}

/// A value that is no rule: a path, or an object with source, convert, default, constant and when.
fn value(json: &Json, pointer: String, problems: &mut Vec<Problem>) -> Option<Spec> {
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
fn spec(fields: &mut Fields<'_, '_>, placeholder: bool) -> Option<Spec> {
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
    let source = path(&mut fields, "source");
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
    if let Some(word) = fields.choice("is", &super::condition::Shape::NAMES) {
        tests.extend(super::condition::Shape::by_name(word).map(Test::Is));
    }
    if let Some(present) = fields.flag("present") {
        tests.push(Test::Present(present));
    }
    tests
}

fn rule(fields: &mut Fields<'_, '_>) -> Option<Rule> {
    fields.text("note");
    let target = match fields.any("target") {
        Some(_) => path(fields, "target"),
        None => {
            fields.missing("target");
            None
        }
    };
    let required = fields.flag("required").unwrap_or(false);
    let placeholder = fields.choice(
        "placeholder",
        &["first-seen", "last-seen", "closed-at", "state"],
    );
    let format = fields.any("format");
    let placeholder = placeholder.map(|name| read_placeholder(name, format, fields));
    if placeholder.is_none() && format.is_some() {
        fields.problem(
            "format",
            "only a placeholder has a format; times are converted with `time`",
        );
    }
    let align = fields.choice("align", &["value", "position", "each"]);
    let on = path(fields, "on");
    let align = match (align, on) {
        (None, None) => Some(Align::Own),
        (Some("each"), None) => Some(Align::Each),
        (Some("value"), Some(path)) => Some(Align::Value(path)),
        (Some("value"), None) => {
            // Without `on` the target's own last name: elements of the same value are one.
            let own = target
                .as_ref()
                .and_then(|target| target.segments.last().cloned());
            own.map(|segment| {
                Align::Value(Path {
                    segments: vec![segment],
                })
            })
        }
        (Some("position"), Some(path)) => Some(Align::Position(path)),
        (Some("position"), None) => {
            fields.missing("on");
            None
        }
        (_, Some(_)) => {
            fields.problem("on", "`on` goes with `align` value (a field of the target element) or position (a source list)");
            None
        }
        (Some(_), None) => None,
    };
    let spec = spec(fields, placeholder.is_some());
    Some(Rule {
        spec: spec?,
        target: target?,
        required,
        align: align?,
        placeholder,
    })
}

fn read_placeholder(
    name: &str,
    format: Option<&Json>,
    fields: &mut Fields<'_, '_>,
) -> (Lifecycle, String) {
    let lifecycle = match name {
        "first-seen" => Lifecycle::FirstSeen,
        "last-seen" => Lifecycle::LastSeen,
        "closed-at" => Lifecycle::ClosedAt,
        _ => Lifecycle::State,
    };
    let format = match (lifecycle, format) {
        (Lifecycle::State, Some(words @ Json::Object(_))) => words.to_string(),
        (Lifecycle::State, _) => {
            fields.problem("format", "a state needs an object that gives the value for each state: {\"new\": ..., \"changed\": ..., ...}");
            String::new()
        }
        (_, None) => "rfc3339".into(),
        (_, Some(Json::String(word))) if word == "rfc3339" || word == "epoch-ms" => word.clone(),
        (_, Some(_)) => {
            fields.problem("format", "a time's format is rfc3339 or epoch-ms");
            String::new()
        }
    };
    (lifecycle, format)
}
