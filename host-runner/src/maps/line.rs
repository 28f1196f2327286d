//! The heads and rules of a map, each as one line that a person reads.

use serde_json::{Map, Value};

use super::words;

/// One value that a map writes: where it comes from, where it goes, and what happens on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// JSON Pointer into the map.
    pub pointer: String,
    /// Where it goes: a target path; of a head its part and name, such as `asset identity mac`.
    pub target: String,
    /// The paths that it is read from; none for a constant or what the platform fills in.
    pub sources: Vec<String>,
    /// The conversions, in their order.
    pub convert: String,
    /// When it is written.
    pub when: String,
    /// What else holds: required, a default, a constant, a placeholder, an alignment.
    pub value: String,
}

/// The rules of a map, in their order. What is no rule at all is a line of its JSON.
pub fn rules(map: &Value) -> Vec<Line> {
    let rules = map.get("rules").and_then(Value::as_array);
    rules
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(at, rule)| {
            let target = rule.get("target").and_then(Value::as_str);
            let target = target.map_or_else(|| rule.to_string(), str::to_owned);
            line(format!("/rules/{at}"), target, rule)
        })
        .collect()
}

/// What the documents of a map are known by: keys, identity, facets.
pub fn heads(map: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    for kind in ["asset", "finding"] {
        let Some(Value::Object(head)) = map.get(kind) else {
            continue;
        };
        for plain in ["each", "list", "nested"] {
            if let Some(value) = head.get(plain) {
                lines.push(plain_line(kind, plain, value));
            }
        }
        for single in ["key", "asset"] {
            if let Some(value) = head.get(single) {
                let pointer = format!("/{kind}/{single}");
                lines.push(line(pointer, format!("{kind} {single}"), value));
            }
        }
        for group in ["identity", "facets"] {
            if let Some(Value::Object(names)) = head.get(group) {
                named(&mut lines, kind, group, names);
            }
        }
    }
    lines
}

fn plain_line(kind: &str, name: &str, value: &Value) -> Line {
    let mut line = line(
        format!("/{kind}/{name}"),
        format!("{kind} {name}"),
        &Value::Null,
    );
    match (name, value) {
        // The list in the record is what the findings are read from.
        ("each", Value::String(path)) => line.sources.push(path.clone()),
        _ => line.value = words::value(value),
    }
    line
}

fn named(lines: &mut Vec<Line>, kind: &str, group: &str, names: &Map<String, Value>) {
    for (name, value) in names {
        let pointer = format!(
            "/{kind}/{group}/{}",
            name.replace('~', "~0").replace('/', "~1")
        );
        let target = format!("{kind} {group} {name}");
        match value {
            Value::Array(several) => {
                for (at, value) in several.iter().enumerate() {
                    lines.push(line(format!("{pointer}/{at}"), target.clone(), value));
                }
            }
            one => lines.push(line(pointer, target, one)),
        }
    }
}

/// Any value of a map as a line: a rule, a head, or whatever else stands there.
pub fn line_of(written: &Value) -> Line {
    let target = written.get("target").and_then(Value::as_str);
    line(
        String::new(),
        target.unwrap_or_default().to_owned(),
        written,
    )
}

fn line(pointer: String, target: String, written: &Value) -> Line {
    Line {
        pointer,
        target,
        sources: match written {
            Value::String(path) => vec![path.clone()],
            written => words::paths(written.get("source")),
        },
        convert: written
            .get("convert")
            .map(words::conversions)
            .unwrap_or_default(),
        when: written
            .get("when")
            .map(words::conditions)
            .unwrap_or_default(),
        value: words::rest(written),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(lines: &[Line]) -> String {
        lines
            .iter()
            .map(|line| {
                format!(
                    "{} | {} -> {} | {} | {} | {}\n",
                    line.pointer,
                    line.sources.join(", "),
                    line.target,
                    line.convert,
                    line.when,
                    line.value
                )
            })
            .collect()
    }

    #[test]
    fn each_head_and_rule_is_a_line() {
        let map = json!({
            "asset": {"key": "endpoint_id", "identity": {"mac": "mac_address[]", "ip": ["ip", "ipv6"]},
                "facets": {"finding-source": {"constant": "PAN Cortex XDR"}}},
            "finding": {"each": "cves[]", "list": "finding[]", "nested": true,
                "key": {"source": ["endpoint_id", "cves[].name"], "convert": {"concat": {"separator": "|"}}}},
            "rules": [
                {"source": "endpoint_id", "target": "externalId", "required": true},
                {"source": "cves[].name", "target": "finding[].cveId", "when": {"source": "cves[].name", "is": "cve-id"}},
                {"source": "ip", "target": "n[].ipv4", "align": "value", "on": "ip"},
                {"source": "type", "target": "type", "default": "?",
                    "convert": ["lower", {"table": {"cases": {"a": 1, "b": 2}, "keep": true}}, {"time": {"from": "any"}}]},
                {"target": "status", "placeholder": "state", "format": {"new": "open", "closed": "closed"}},
                {"source": "tags", "target": "t", "when": [{"customField": "c"}, {"not": {"any": [
                    {"source": "a", "in": [1, 2]}, {"source": "b", "equals": "x"}, {"source": "d", "present": true}]}}]},
                7
            ]
        });
        insta::assert_snapshot!(format!("{}{}", told(&heads(&map)), told(&rules(&map))));
    }
}
