//! Lays a map out as a person would write it: keys in the order in which they are read, and what is short on one line.

use serde_json::{Map, Value};

/// The longest line that is not broken.
const WIDTH: usize = 120;

/// The order of keys that people expect; others follow by name.
const ORDER: &[&str] = &[
    "$schema",
    "name",
    "title",
    "description",
    "version",
    "source",
    "equals",
    "in",
    "is",
    "present",
    "target",
    "asset",
    "finding",
    "list",
    "each",
    "nested",
    "key",
    "identity",
    "facets",
    "rules",
    "placeholder",
    "format",
    "convert",
    "constant",
    "default",
    "align",
    "on",
    "when",
    "required",
    "note",
];

/// A map's text, with a line feed at its end. It reads back as the same map.
pub fn pretty(map: &Value) -> String {
    let mut text = String::new();
    write(&mut text, map, 0, 0);
    text.push('\n');
    text
}

/// Keys whose own keys are names of the user's, which are not ours to put in order.
fn names_below(key: &str) -> bool {
    matches!(
        key,
        "identity" | "facets" | "cases" | "constant" | "default"
    )
}

fn write(text: &mut String, value: &Value, depth: usize, used: usize) {
    let in_one = one_line(value, true);
    // The map itself and its rules are always spread out.
    let spread = depth == 0
        || value
            .as_array()
            .is_some_and(|list| depth == 1 && list.iter().any(Value::is_object));
    if !spread && depth * 2 + used + in_one.chars().count() <= WIDTH {
        text.push_str(&in_one);
        return;
    }
    let (open, close) = match value {
        Value::Object(keys) if !keys.is_empty() => ('{', '}'),
        Value::Array(list) if !list.is_empty() => ('[', ']'),
        _ => {
            text.push_str(&in_one);
            return;
        }
    };
    let indent = "  ".repeat(depth + 1);
    text.push(open);
    match value {
        Value::Object(keys) => {
            for (at, (key, value)) in ordered(keys, true).into_iter().enumerate() {
                text.push_str(if at == 0 { "\n" } else { ",\n" });
                text.push_str(&indent);
                let key = format!("{}: ", Value::from(key.as_str()));
                text.push_str(&key);
                write(text, value, depth + 1, key.chars().count());
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                text.push_str(if at == 0 { "\n" } else { ",\n" });
                text.push_str(&indent);
                write(text, value, depth + 1, 0);
            }
        }
        _ => {}
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

fn one_line(value: &Value, known: bool) -> String {
    match value {
        Value::Object(keys) => {
            let parts: Vec<String> = ordered(keys, known)
                .into_iter()
                .map(|(key, value)| {
                    let below = known && !names_below(key);
                    format!("{}: {}", Value::from(key.as_str()), one_line(value, below))
                })
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(|value| one_line(value, known)).collect();
            format!("[{}]", parts.join(", "))
        }
        other => other.to_string(),
    }
}

fn ordered(keys: &Map<String, Value>, known: bool) -> Vec<(&String, &Value)> {
    let mut ordered: Vec<(&String, &Value)> = keys.iter().collect();
    if known {
        // Stable: keys that are not known stay sorted by name, behind the others.
        ordered.sort_by_key(|(key, _)| {
            ORDER
                .iter()
                .position(|name| name == key)
                .unwrap_or(ORDER.len())
        });
    }
    ordered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_map_is_laid_out_as_people_write_it() {
        let map = json!({
            "rules": [
                {"target": "name", "source": "endpoint_name", "required": true},
                {"target": "type", "source": "endpoint_type", "convert": {"table": {"keep": true, "cases": {
                    "AGENT_TYPE_SERVER": "Server", "AGENT_TYPE_WORKSTATION": "Workstation", "AGENT_TYPE_MOBILE": "Mobile"}}}},
            ],
            "asset": {"key": "endpoint_id", "identity": {"mac": "mac_address[]", "external-id": "endpoint_id"}},
            "version": "1.0.0", "name": "mine", "target": "safe", "source": ["endpoints"], "zzz": []
        });
        insta::assert_snapshot!(pretty(&map));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z\"\\\\\n]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{0,6}|name|rules|source", inner, 0..6)
                    .prop_map(|keys| Value::Object(keys.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_laid_out_reads_back_as_the_same(value in json()) {
            let text = pretty(&value);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
