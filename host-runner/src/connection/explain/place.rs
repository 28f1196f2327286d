//! Places in a document: as JSON Pointers, and as maps and people write them.

use serde_json::Value;

/// How many near paths are told.
const TOLD: usize = 3;

/// The place as people write it: `finding[0].severity` for `/finding/0/severity`.
pub fn named(pointer: &str) -> String {
    let mut text = String::new();
    for part in parts(pointer) {
        if is_index(&part) {
            text.push_str(&format!("[{part}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
    }
    text
}

/// The place as maps write it: `finding[].severity` for `/finding/0/severity`.
pub fn path(pointer: &str) -> String {
    let mut text = String::new();
    for part in parts(pointer) {
        if is_index(&part) {
            text.push_str("[]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
    }
    text
}

/// The names and numbers on the way to a place.
fn parts(pointer: &str) -> impl Iterator<Item = String> {
    pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether what was typed means this place, or one above it.
pub(super) fn matches(typed: &str, pointer: &str) -> bool {
    let below = |whole: &str| {
        whole
            .strip_prefix(typed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/']))
    };
    typed.is_empty() || below(pointer) || below(&path(pointer)) || below(&named(pointer))
}

/// The paths that are most like what was typed.
pub(super) fn nearest<'a>(typed: &str, pointers: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lower = typed.to_lowercase();
    let mut paths: Vec<String> = pointers.map(path).collect();
    paths.sort();
    paths.dedup();
    paths.sort_by_key(|known| strsim::damerau_levenshtein(&known.to_lowercase(), &lower));
    paths.truncate(TOLD);
    paths
}

/// The values of a document that hold no others, with their places. An empty list or object is one.
pub(in crate::connection) fn leaves<'a>(
    value: &'a Value,
    at: String,
    leaves: &mut Vec<(String, &'a Value)>,
) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                self::leaves(field, format!("{at}/{name}"), leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                self::leaves(item, format!("{at}/{index}"), leaves);
            }
        }
        leaf => leaves.push((at, leaf)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_named_as_people_and_as_maps_write_it() {
        assert_eq!(named("/finding/0/severity"), "finding[0].severity");
        assert_eq!(path("/finding/0/severity"), "finding[].severity");
        assert_eq!(named("/a~1b/c~0d"), "a/b.c~d");
    }

    #[test]
    fn a_place_is_meant_by_its_path_its_pointer_and_what_is_above_it() {
        let place = "/finding/3/severity";
        for typed in [
            "finding[].severity",
            "finding[3].severity",
            "/finding/3/severity",
            "finding[]",
            "finding",
            "/finding/3",
        ] {
            assert!(matches(typed, place), "{typed}");
        }
        for typed in ["finding[4].severity", "severity", "find", "finding[].sever"] {
            assert!(!matches(typed, place), "{typed}");
        }
    }

    #[test]
    fn leaves_are_all_values_that_hold_no_others() {
        let document = json!({"a": {"b": [1, {"c": null}], "d": []}, "e/f": "x", "g": {}});
        let mut found = Vec::new();
        leaves(&document, String::new(), &mut found);
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/a/b/0", "/a/b/1/c", "/a/d", "/e~1f", "/g"]);
    }
}
