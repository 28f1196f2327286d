//! What is still known of a document that its record does not give any more: that the platform fills in its own places.
//!
//! A finding that closes because it is no longer in its record is one. Its values are those of an earlier record; how it stands and when it closed are
//! the platform's, and the map has rules for that.

use serde_json::{Map, Value};

use super::place::{leaves, path};
use super::witness::Testimony;
use crate::contract::connector::{
    Document, DocumentKind, Lifecycle, Origin as WitOrigin, Placeholder, Trace,
};

/// A testimony to the platform's places alone: those of the held document for which the map has one rule, and that rule leaves them to the platform.
pub(super) fn absent(kind: DocumentKind, map: Value, record: Value, held: &Value) -> Testimony {
    let mut places = Vec::new();
    leaves(held, String::new(), &mut places);
    let mut placeholders = Vec::new();
    let mut origins = Vec::new();
    for (pointer, _) in places {
        let Some((rule, value, format)) = only_rule(kind, &map, &path(&pointer)) else {
            continue;
        };
        placeholders.push(Placeholder {
            pointer: pointer.clone(),
            value,
            format,
        });
        origins.push(WitOrigin {
            target: pointer,
            rule: format!("/rules/{rule}"),
            sources: Vec::new(),
        });
    }
    let key = String::new();
    Testimony {
        body: Value::Null,
        document: Document {
            kind,
            key: key.clone(),
            asset: None,
            identity: Vec::new(),
            facets: Vec::new(),
            placeholders,
            body: Vec::new(),
        },
        trace: Some(Trace { kind, key, origins }),
        record,
        map,
    }
}

/// The one rule for a path, where it is a placeholder: its number, what it asks for, and its format.
fn only_rule(kind: DocumentKind, map: &Value, path: &str) -> Option<(usize, Lifecycle, String)> {
    let list = map.pointer("/finding/list").and_then(Value::as_str);
    let prefix = match (kind, list) {
        (DocumentKind::Finding, Some(list)) => format!("{list}."),
        _ => String::new(),
    };
    let rules = map.get("rules")?.as_array()?.iter().enumerate();
    let mut rules = rules.filter(|(_, rule)| {
        let target = rule.get("target").and_then(Value::as_str);
        target.and_then(|target| target.strip_prefix(&prefix)) == Some(path)
    });
    let (number, rule) = rules.next()?;
    if rules.next().is_some() {
        return None;
    }
    let value = match rule.get("placeholder")?.as_str()? {
        "first-seen" => Lifecycle::FirstSeen,
        "last-seen" => Lifecycle::LastSeen,
        "closed-at" => Lifecycle::ClosedAt,
        "state" => Lifecycle::State,
        _ => return None,
    };
    let format = match rule.get("format") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Object(table)) => whole(table.clone()).to_string(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    Some((number, value, format))
}

/// A state's values as the component writes them: without one of its own `changed` is as `new`, and `reopened` as `changed`.
fn whole(mut table: Map<String, Value>) -> Value {
    for (word, like) in [("changed", "new"), ("reopened", "changed")] {
        if let (false, Some(value)) = (table.contains_key(word), table.get(like).cloned()) {
            table.insert(word.to_owned(), value);
        }
    }
    Value::Object(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_platforms_places_of_a_finding_that_left_its_record_are_known_with_their_rules() {
        let map = json!({
            "finding": {"each": "cves[]", "list": "finding[]"},
            "rules": [
                {"source": "seen", "target": "status"},
                {"target": "finding[].status", "placeholder": "state", "format": {"new": "OPEN", "closed": "CLOSED"}},
                {"source": "cves[].name", "target": "finding[].name"},
                {"source": "cves[].found", "target": "finding[].found"},
                {"target": "finding[].found", "placeholder": "first-seen"},
            ],
        });
        let held = json!({"status": "CLOSED", "name": "CVE-2024-1", "found": "then"});
        let testimony = absent(DocumentKind::Finding, map.clone(), json!({}), &held);
        let placeholders = &testimony.document.placeholders;
        // Of two rules for one place nobody knows any more which it was.
        assert_eq!(placeholders.len(), 1, "{placeholders:?}");
        assert_eq!(placeholders[0].pointer, "/status");
        assert!(matches!(placeholders[0].value, Lifecycle::State));
        let table: Value = serde_json::from_str(&placeholders[0].format).unwrap();
        assert_eq!(
            table,
            json!({"new": "OPEN", "changed": "OPEN", "reopened": "OPEN", "closed": "CLOSED"})
        );
        assert_eq!(testimony.trace.unwrap().origins[0].rule, "/rules/1");
        // The asset's rule for a place of that name is another.
        let asset = absent(DocumentKind::Asset, map, json!({}), &held);
        assert!(asset.document.placeholders.is_empty());
    }
}
