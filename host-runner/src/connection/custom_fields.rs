//! Which custom fields the maps of connections write, and names that are nearly one of theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::store::Connection;

/// How a map's condition names a custom field.
const CONDITION: &str = "customField";

/// By the field's name: the connections whose maps write it.
pub type Asked = BTreeMap<String, BTreeSet<String>>;

/// The custom fields that the maps of these connections ask for.
pub fn asked(connections: &[Connection]) -> Asked {
    let mut asked = Asked::new();
    for connection in connections {
        for map in connection.maps.values() {
            // A map that does not read asks for nothing; whoever runs it says what is wrong with it.
            let body: Value = serde_json::from_str(&map.body).unwrap_or_default();
            names(&body, &mut |name| {
                asked
                    .entry(name.to_owned())
                    .or_default()
                    .insert(connection.name.to_string());
            });
        }
    }
    asked
}

fn names(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name == CONDITION => found(text),
                    _ => names(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

/// The one of these names that is nearly this one, but for case, signs or a letter or two.
pub fn near<T: AsRef<str>>(name: &str, names: impl IntoIterator<Item = T>) -> Option<String> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let typed = plain(name);
    names
        .into_iter()
        .map(|other| other.as_ref().to_owned())
        .filter(|other| other != name)
        .map(|other| (strsim::damerau_levenshtein(&plain(&other), &typed), other))
        .filter(|(edits, _)| *edits <= 2 && *edits * 4 <= typed.chars().count())
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_condition_anywhere_in_a_map_is_found() {
        let mut found = Vec::new();
        let map = json!({"rules": [{"target": "customFields.a", "when": {"all": [{"customField": "a"}]}}, {"when": {"customField": "b"}}]});
        names(&map, &mut |name| found.push(name.to_owned()));
        assert_eq!(found, ["a", "b"]);
    }

    #[test]
    fn a_near_miss_is_told_and_a_far_one_is_not() {
        let known = ["cortexXdr-tags"];
        for typed in [
            "cortexxdr-tags",
            "cortexXdrTags",
            "cortexXdr_tags",
            "cortexXdr-tag",
        ] {
            assert_eq!(
                near(typed, known).as_deref(),
                Some("cortexXdr-tags"),
                "{typed}"
            );
        }
        assert_eq!(near("cortexXdr-tags", known), None);
        assert_eq!(near("owner", known), None);
    }
}
