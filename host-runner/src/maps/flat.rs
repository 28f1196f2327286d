//! A JSON document as paths and values, for comparing and counting: elements of a list share a path.

use std::collections::BTreeMap;

use serde_json::Value;

/// Each path of a document that has a value, with its values in their order. Null, "", an empty list and an empty object are no values, unless
/// `empty` asks for them.
pub(super) fn flat(document: &Value, empty: bool) -> BTreeMap<String, Vec<&Value>> {
    let mut paths = BTreeMap::new();
    walk(document, String::new(), empty, &mut paths);
    paths
}

fn walk<'v>(
    value: &'v Value,
    path: String,
    empty: bool,
    into: &mut BTreeMap<String, Vec<&'v Value>>,
) {
    match value {
        Value::Object(keys) if !keys.is_empty() => {
            for (key, value) in keys {
                let separator = if path.is_empty() { "" } else { "." };
                walk(value, format!("{path}{separator}{key}"), empty, into);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                // A list of plain values is one value of its path, as a map writes it.
                let path = if value.is_object() || value.is_array() {
                    format!("{path}[]")
                } else {
                    path.clone()
                };
                walk(value, path, empty, into);
            }
        }
        Value::Null => {}
        Value::String(text) if text.is_empty() && !empty => {}
        Value::Array(_) | Value::Object(_) if !empty => {}
        value => into.entry(path).or_default().push(value),
    }
}

/// A JSON Pointer with numbers taken for places in lists: `/cves/3/name` as `cves[].name`.
pub(super) fn place(pointer: &str) -> String {
    let mut place = String::new();
    for part in pointer.split('/').skip(1) {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            place.push_str("[]");
            continue;
        }
        if !place.is_empty() {
            place.push('.');
        }
        place.push_str(&part.replace("~1", "/").replace("~0", "~"));
    }
    place
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_of_a_list_share_a_path_and_what_is_empty_has_none() {
        let document = json!({"a": {"b": 1, "c": ""}, "l": ["x", "y"], "e": [], "n": null,
            "o": [{"p": 1}, {"p": 2, "q": [3]}]});
        let paths = flat(&document, false);
        let told: Vec<String> = paths
            .iter()
            .map(|(path, values)| format!("{path}={}", json!(values)))
            .collect();
        assert_eq!(
            told,
            ["a.b=[1]", "l=[\"x\",\"y\"]", "o[].p=[1,2]", "o[].q=[3]"]
        );
        assert!(flat(&document, true).contains_key("e"));
    }

    #[test]
    fn pointers_become_paths() {
        for (pointer, path) in [
            ("", ""),
            ("/cves/12/name", "cves[].name"),
            ("/a~1b/c", "a/b.c"),
            ("/ips/0", "ips[]"),
        ] {
            assert_eq!(place(pointer), path);
        }
    }
}
