//! A map as it is written: read from JSON into types, every slip told with its place. What the paths mean is checked in
//! [`super::compile`].

use super::path::{Path, push_pointer};
use super::reader::Fields;
use super::spec::{Spec, spec, value};
use crate::contract::{Lifecycle, Problem};
use crate::json_text::json_text;
use serde_json::{Map, Value as Json};

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
    fields.text("caution");
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
    let pieces: Vec<&str> = version.split('.').collect();
    let number =
        |piece: &&str| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit());
    let good = (2..=3).contains(&pieces.len()) && pieces.iter().all(number);
    if !good && !version.is_empty() {
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
    let target = fields.path("list");
    let source = fields.path("each");
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

fn rule(fields: &mut Fields<'_, '_>) -> Option<Rule> {
    fields.text("note");
    let target = match fields.any("target") {
        Some(_) => fields.path("target"),
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
    let on = fields.path("on");
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

/// What a record can be to the platform. Out of scope is what the user's choice excludes, neither open nor closed.
pub(super) const STATES: [&str; 5] = ["new", "changed", "reopened", "closed", "out-of-scope"];

/// The value for each state: a changed record is as a new one and a reopened one as a changed one where the map does not say; without a value for
/// out-of-scope nothing is written then.
fn states(words: &Map<String, Json>) -> Option<Json> {
    let mut all = words.clone();
    for (state, like) in [("changed", "new"), ("reopened", "changed")] {
        if !all.contains_key(state) {
            all.insert(
                state.to_owned(),
                words.get(like).or(words.get("new"))?.clone(),
            );
        }
    }
    let known = all.keys().all(|state| STATES.contains(&state.as_str()));
    (known && all.contains_key("new") && all.contains_key("closed")).then_some(Json::Object(all))
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
        (Lifecycle::State, format) => match format.and_then(Json::as_object).and_then(states) {
            Some(words) => json_text(&words),
            None => {
                fields.problem(
                    "format",
                    "a state needs an object that gives the value for `new` and `closed`, and may give one for `changed`, `reopened` and `out-of-scope`",
                );
                String::new()
            }
        },
        (_, None) => "rfc3339".into(),
        (_, Some(Json::String(word))) if word == "rfc3339" || word == "epoch-ms" => word.clone(),
        (_, Some(_)) => {
            fields.problem("format", "a time's format is rfc3339 or epoch-ms");
            String::new()
        }
    };
    (lifecycle, format)
}
