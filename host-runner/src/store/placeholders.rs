//! Fills in what only the platform knows about a record, when a document is read out.

use serde_json::Value;

use crate::domain::Timestamp;

use super::{Lifecycle, Placeholder};

/// What the platform knows about a record.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// When it closed, where it did.
    pub closed_at: Option<Timestamp>,
    /// new, changed, closed, reopened or out-of-scope.
    pub state: &'a str,
}

/// Fills in each placeholder whose place exists or whose parent does. What is not known (`closed-at` of an open finding, a state without a
/// value) leaves its place out, and removes what stood there.
pub fn fill(body: &mut Value, placeholders: &[Placeholder], known: &Known<'_>) {
    for placeholder in placeholders {
        let time = match placeholder.value {
            Lifecycle::FirstSeen => Some(known.first_seen),
            Lifecycle::LastSeen => Some(known.last_seen),
            Lifecycle::ClosedAt => known.closed_at,
            Lifecycle::State => {
                put(
                    body,
                    &placeholder.pointer,
                    state_value(&placeholder.format, known.state),
                );
                continue;
            }
        };
        put(
            body,
            &placeholder.pointer,
            time.map(|time| time_value(&placeholder.format, time)),
        );
    }
}

fn time_value(format: &str, time: Timestamp) -> Value {
    if format == "epoch-ms" {
        Value::from(time.as_ms())
    } else {
        Value::from(time.to_rfc3339())
    }
}

/// A state's value by the format's table; without a table the state's own word.
fn state_value(format: &str, state: &str) -> Option<Value> {
    match serde_json::from_str::<Value>(format) {
        Ok(Value::Object(mut table)) => table.remove(state),
        _ => Some(Value::from(state)),
    }
}

fn put(body: &mut Value, pointer: &str, value: Option<Value>) {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return;
    };
    let name = last.replace("~1", "/").replace("~0", "~");
    match body.pointer_mut(parent) {
        Some(Value::Object(parent)) => {
            match value {
                Some(value) => parent.insert(name, value),
                None => parent.remove(&name),
            };
        }
        Some(Value::Array(parent)) => {
            // An element can't be left out without moving its neighbours: null says that nothing is known.
            if let Some(place) = name
                .parse::<usize>()
                .ok()
                .and_then(|index| parent.get_mut(index))
            {
                *place = value.unwrap_or(Value::Null);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known(closed_at: Option<u64>) -> Known<'static> {
        Known {
            first_seen: Timestamp::from_ms(1_000).unwrap(),
            last_seen: Timestamp::from_ms(2_000).unwrap(),
            closed_at: closed_at.map(|ms| Timestamp::from_ms(ms).unwrap()),
            state: if closed_at.is_some() { "closed" } else { "new" },
        }
    }

    fn placeholder(pointer: &str, value: Lifecycle, format: &str) -> Placeholder {
        Placeholder {
            pointer: pointer.to_owned(),
            value,
            format: format.to_owned(),
        }
    }

    #[test]
    fn times_are_filled_in_in_the_format_that_is_asked_for() {
        let mut body = json!({"a": {}, "list": [{"b": 1}]});
        let places = [
            placeholder("/a/first~1seen", Lifecycle::FirstSeen, "epoch-ms"),
            placeholder("/list/0/last", Lifecycle::LastSeen, "rfc3339"),
        ];
        fill(&mut body, &places, &known(None));
        assert_eq!(
            body,
            json!({"a": {"first/seen": 1000}, "list": [{"b": 1, "last": "1970-01-01T00:00:02.000Z"}]})
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let places = [placeholder("/closed", Lifecycle::ClosedAt, "epoch-ms")];
        let mut open = json!({"closed": "stale"});
        fill(&mut open, &places, &known(None));
        assert_eq!(open, json!({}));
        let mut closed = json!({});
        fill(&mut closed, &places, &known(Some(3_000)));
        assert_eq!(closed, json!({"closed": 3000}));
    }

    #[test]
    fn a_state_is_translated_by_its_table() {
        let places = [placeholder(
            "/activity",
            Lifecycle::State,
            r#"{"new": 1, "closed": 3}"#,
        )];
        let mut body = json!({});
        fill(&mut body, &places, &known(Some(3_000)));
        assert_eq!(body, json!({"activity": 3}));
    }

    #[test]
    fn a_state_that_the_table_does_not_have_is_left_out() {
        let places = [placeholder(
            "/activity",
            Lifecycle::State,
            r#"{"closed": 3}"#,
        )];
        let mut body = json!({});
        fill(&mut body, &places, &known(None));
        assert_eq!(body, json!({}));
    }

    #[test]
    fn a_place_without_a_parent_changes_nothing() {
        let mut body = json!({"a": 1});
        for pointer in ["", "no-slash", "/x/y", "/a/b"] {
            fill(
                &mut body,
                &[placeholder(pointer, Lifecycle::FirstSeen, "epoch-ms")],
                &known(None),
            );
        }
        assert_eq!(body, json!({"a": 1}));
    }
}
