//! Single fields brought into their documented shape.

use crate::api::time;
use serde_json::{Map, Value};

/// Null means absent.
pub(super) fn drop_nulls(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
}

/// A field that is a text: numbers become text (ids come both ways, and some exceed what a float holds exactly).
pub(super) fn text(fields: &mut Map<String, Value>, name: &str) {
    if let Some(value) = fields.get_mut(name)
        && let Value::Number(number) = value
    {
        *value = Value::String(number.to_string());
    }
}

/// A field that is a list of texts: a scalar becomes a list of one, empty texts and nulls are left out. A list that holds
/// lists or objects, and an object, stay as they came.
pub(super) fn texts(fields: &mut Map<String, Value>, name: &str) {
    let Some(value) = fields.get_mut(name) else {
        return;
    };
    match value {
        Value::Array(items) => {
            if items
                .iter()
                .any(|item| matches!(item, Value::Array(_) | Value::Object(_)))
            {
                return;
            }
            items.retain(|item| !item.is_null() && item.as_str() != Some(""));
            for item in items {
                to_text(item);
            }
        }
        Value::String(text) if text.is_empty() => *value = Value::Array(Vec::new()),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            let mut one = value.take();
            to_text(&mut one);
            *value = Value::Array(vec![one]);
        }
        Value::Object(_) => {}
        Value::Null => {
            fields.remove(name);
        }
    }
}

fn to_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Bool(flag) => *value = Value::String(flag.to_string()),
        _ => {}
    }
}

/// A field that is a time: a text becomes milliseconds since the epoch where it is one. Numbers stay as they came.
pub(super) fn time(fields: &mut Map<String, Value>, name: &str) {
    if let Some(value) = fields.get_mut(name)
        && value.is_string()
        && let Some(milliseconds) = time::timestamp(value)
    {
        *value = milliseconds.into();
    }
}

/// The latest of some times.
pub(super) fn latest(fields: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    names
        .iter()
        .filter_map(|name| time::timestamp(fields.get(*name)?))
        .max()
}

/// The texts of a field that is a list.
pub(super) fn items<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a str> {
    fields
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn after(change: impl Fn(&mut Map<String, Value>, &str), value: Value) -> Value {
        let mut fields = Map::new();
        fields.insert("a".into(), value);
        change(&mut fields, "a");
        fields.remove("a").unwrap_or(Value::Null)
    }

    #[test]
    fn a_list_of_texts_is_one_whatever_came() {
        assert_eq!(after(texts, json!("x")), json!(["x"]));
        assert_eq!(after(texts, json!("")), json!([]));
        assert_eq!(after(texts, json!(["x", "", null, 7])), json!(["x", "7"]));
        assert_eq!(after(texts, json!(null)), json!(null));
        assert_eq!(after(texts, json!({"b": 1})), json!({"b": 1}));
        assert_eq!(after(texts, json!([["x"]])), json!([["x"]]));
    }

    #[test]
    fn an_id_beyond_what_a_float_holds_stays_exact() {
        let fields: Value = serde_json::from_str(r#"{"a": 9007199254740993}"#).unwrap();
        assert_eq!(after(text, fields["a"].clone()), json!("9007199254740993"));
    }
}
