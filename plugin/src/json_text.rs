//! JSON as text.

use serde_json::Value;

/// A value as compact JSON. It says what `Value`'s own `Display` says; that one brings a printer of its own (and one for indented JSON) into the
/// component, 10 kB of it.
pub(crate) fn json_text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_what_the_value_prints_itself() {
        for value in [
            json!(null),
            json!("a \"b\" \u{1}"),
            json!({"b": [1, -2, 9.8, 1e300], "a": {"c": true}}),
        ] {
            assert_eq!(json_text(&value), value.to_string());
        }
    }
}
