//! Which fields of a configuration are secrets, by its schema.
//!
//! A schema marks a secret with `"writeOnly": true`. The host takes exactly these fields out of a configuration before the component sees it, so
//! that a mark must stand where the host can follow it: on a property, or on a property of a property. Anywhere else (in a list's items, behind a
//! `$ref`, in one of several alternatives) the manifest is refused: a secret that can't be taken out would reach the component.

use serde_json::Value;

/// What marks a secret in a schema.
const MARK: &str = "writeOnly";

/// Schemas of schemas would be deeper than any form that a person fills in.
const DEEPEST: usize = 16;

/// The names of the secret fields, sorted; one in an object within the configuration is named by its path: "proxy.password".
///
/// # Errors
/// Where a mark stands that can't be followed, or is neither true nor false; the message has its place.
pub(super) fn names(schema: &Value) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    walk(schema, "", "", DEEPEST, &mut names)?;
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(format!(
            "two secret fields are named `{}`",
            twice.first().map_or("", String::as_str)
        ));
    }
    Ok(names)
}

fn walk(
    schema: &Value,
    path: &str,
    place: &str,
    depth: usize,
    names: &mut Vec<String>,
) -> Result<(), String> {
    let Value::Object(parts) = schema else {
        return no_mark_in(schema, place);
    };
    if depth == 0 {
        return no_mark_in(schema, place);
    }
    for (part, value) in parts {
        match (part.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    let place = format!("{place}/properties/{name}");
                    match schema.get(MARK) {
                        Some(Value::Bool(true)) => names.push(path),
                        None | Some(Value::Bool(false)) => {
                            walk(schema, &path, &place, depth - 1, names)?;
                        }
                        Some(_) => {
                            return Err(format!("`{MARK}` at {place} is neither true nor false"));
                        }
                    }
                }
            }
            // Of the property itself: seen above. The whole configuration is no secret.
            (MARK, Value::Bool(false)) => {}
            (MARK, _) if path.is_empty() => {
                return Err(format!("`{MARK}` stands on the whole configuration"));
            }
            // What is shown, not what is asked for.
            ("default" | "examples" | "const" | "enum" | "title" | "description", _) => {}
            (part, value) => no_mark_in(value, &format!("{place}/{part}"))?,
        }
    }
    Ok(())
}

/// Refuses a mark in a part of a schema that the host does not follow.
fn no_mark_in(part: &Value, place: &str) -> Result<(), String> {
    match part {
        Value::Object(parts) => parts.iter().try_for_each(|(name, value)| {
            let place = format!("{place}/{name}");
            if name == MARK && *value != Value::Bool(false) {
                return Err(format!(
                    "`{MARK}` at {place} stands where host-runner can't take the secret out: put it on a property, or on one within an object"
                ));
            }
            no_mark_in(value, &place)
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, value)| no_mark_in(value, &format!("{place}/{at}"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_at_the_top_and_within_objects() {
        let schema = json!({"type": "object", "properties": {
            "baseUrl": {"type": "string", "writeOnly": false},
            "apiKey": {"type": "string", "writeOnly": true},
            "proxy": {"type": "object", "properties": {
                "user": {"type": "string"},
                "password": {"type": "string", "writeOnly": true},
                "login": {"properties": {"token": {"writeOnly": true}}},
            }},
            // A field of that name is no mark.
            "writeOnly": {"type": "boolean", "default": true},
        }});
        assert_eq!(
            names(&schema).unwrap(),
            ["apiKey", "proxy.login.token", "proxy.password"]
        );
    }

    #[test]
    fn a_mark_that_the_host_cannot_follow_is_refused_with_its_place() {
        let secret = json!({"type": "string", "writeOnly": true});
        for schema in [
            json!({"properties": {"keys": {"items": secret}}}),
            json!({"properties": {"key": {"anyOf": [{"type": "null"}, secret]}}}),
            json!({"properties": {"key": {"$ref": "#/$defs/key"}}, "$defs": {"key": secret}}),
            json!({"patternProperties": {"^key": secret}}),
            json!({"additionalProperties": secret}),
            json!({"allOf": [{"properties": {"key": secret}}]}),
            json!({"if": {"properties": {"key": secret}}}),
            json!({"properties": {"key": {"writeOnly": "true"}}}),
            json!({"properties": {"key": {"writeOnly": 1}}}),
            json!({"properties": {"keys": {"items": {"writeOnly": "yes"}}}}),
            secret.clone(),
            json!([secret]),
        ] {
            let error = names(&schema).unwrap_err();
            assert!(error.contains("writeOnly"), "{schema}: {error}");
        }
        let deep = (0..20).fold(
            secret.clone(),
            |inner, _| json!({"properties": {"a": inner}}),
        );
        assert!(names(&deep).is_err());
    }

    #[test]
    fn two_secrets_of_one_name_are_refused() {
        let secret = json!({"writeOnly": true});
        let schema = json!({"properties": {"a.b": secret, "a": {"properties": {"b": secret}}}});
        assert!(names(&schema).unwrap_err().contains("a.b"));
    }
}
