//! Conversions, conditions and values of a map in words, as short as they can be understood.

use serde_json::Value;

/// One path or several.
pub(super) fn paths(source: Option<&Value>) -> Vec<String> {
    match source {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Conversions in their order: `lower, table (2 cases, keep)`.
pub(super) fn conversions(convert: &Value) -> String {
    match convert {
        Value::Array(several) => {
            let several: Vec<String> = several.iter().map(conversions).collect();
            several.join(", ")
        }
        Value::Object(one) => {
            let one: Vec<String> = one
                .iter()
                .map(|(name, parameters)| match parameters_of(parameters) {
                    none if none.is_empty() => name.clone(),
                    some => format!("{name} ({some})"),
                })
                .collect();
            one.join(", ")
        }
        other => value(other),
    }
}

fn parameters_of(parameters: &Value) -> String {
    let Value::Object(parameters) = parameters else {
        return value(parameters);
    };
    let words: Vec<String> = parameters
        .iter()
        .map(|(name, given)| match (name.as_str(), given) {
            ("cases", Value::Object(cases)) if cases.len() == 1 => "1 case".to_owned(),
            ("cases", Value::Object(cases)) => format!("{} cases", cases.len()),
            (name, Value::Bool(true)) => name.to_owned(),
            ("separator" | "text", given) => given.to_string(),
            (name, given) => format!("{name} {}", value(given)),
        })
        .collect();
    words.join(", ")
}

/// Conditions, of which all must hold.
pub(super) fn conditions(when: &Value) -> String {
    match when {
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(condition).collect();
            all.join(" and ")
        }
        one => condition(one),
    }
}

fn condition(condition: &Value) -> String {
    let Value::Object(keys) = condition else {
        return value(condition);
    };
    let source = keys.get("source").and_then(Value::as_str);
    let mut words: Vec<String> = Vec::new();
    for (name, given) in keys {
        let of = source.unwrap_or("it");
        words.push(match (name.as_str(), given) {
            ("source", _) => continue,
            ("equals", given) => format!("{of} = {given}"),
            ("in", Value::Array(list)) => {
                let list: Vec<String> = list.iter().map(Value::to_string).collect();
                format!("{of} in {}", list.join(", "))
            }
            ("is", given) => format!("{of} is {}", value(given)),
            ("present", Value::Bool(false)) => format!("no {of}"),
            ("present", _) => format!("{of} is there"),
            ("customField", given) => format!("custom field {}", value(given)),
            ("not", given) => format!("not ({})", self::condition(given)),
            ("any", Value::Array(list)) => {
                let list: Vec<String> = list.iter().map(self::condition).collect();
                list.join(" or ")
            }
            (name, given) => format!("{name} {given}"),
        });
    }
    words.join(" and ")
}

/// What else holds of a rule or head.
pub(super) fn rest(written: &Value) -> String {
    let Value::Object(keys) = written else {
        return String::new();
    };
    let mut words = Vec::new();
    if keys.get("required") == Some(&Value::Bool(true)) {
        words.push("required".to_owned());
    }
    if let Some(constant) = keys.get("constant") {
        words.push(format!("constant {constant}"));
    }
    if let Some(default) = keys.get("default") {
        words.push(format!("default {default}"));
    }
    if let Some(placeholder) = keys.get("placeholder") {
        let format = match keys.get("format") {
            Some(Value::Object(states)) => format!(
                " ({})",
                states
                    .iter()
                    .map(|(state, given)| format!("{state} {given}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Some(format) => format!(" ({})", value(format)),
            None => String::new(),
        };
        words.push(format!("platform's {}{format}", value(placeholder)));
    }
    if let Some(align) = keys.get("align") {
        let on = keys.get("on").map(|on| format!(" on {}", value(on)));
        words.push(format!("align {}{}", value(align), on.unwrap_or_default()));
    }
    words.join(", ")
}

/// A word without quotation marks, all else as JSON.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
