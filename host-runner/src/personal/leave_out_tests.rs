use super::*;
use crate::personal::REPLACED;
use proptest::prelude::*;
use serde_json::json;

fn leave_out() -> LeaveOut {
    LeaveOut::of(&json!({
        "properties": {
            "users": {"type": "array", "items": {"type": "string"}, "x-personal": "user"},
            "owners": {"type": "array", "items": {"type": "string", "x-personal": "user"}},
            "host": {"type": "string", "x-personal": "host"},
            "anna": {"type": "string"},
            "events": {"type": "array", "items": {"properties": {
                "user_name": {"type": ["string", "null"], "x-personal": "user"},
                "path": {"type": "string"}
            }}}
        }
    }))
}

fn without(record: &Value) -> Value {
    let body = leave_out().record(record.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn users_go_and_their_names_are_replaced_in_the_other_texts_of_the_record() {
    let record = json!({
        "users": ["CORP\\anna", "bruno.7"],
        "owners": ["chen", 7],
        "host": "anna-laptop",
        "anna": "a key of the schema stays, anna's value does not",
        "events": [
            {"user_name": "dora", "path": "C:\\Users\\Anna\\bruno.7\\x.exe", "more": "Chen and dora, annabel"},
            {"user_name": null, "path": 7}
        ],
        "unknown": {"anna": 1, "bruno.7": {"by": ["ANNA"]}, "(user)": 2}
    });
    let expected = json!({
        "owners": [],
        "host": "anna-laptop",
        "anna": "a key of the schema stays, (user)'s value does not",
        "events": [
            {"path": "C:\\Users\\(user)\\(user)\\x.exe", "more": "(user) and (user), annabel"},
            {"path": 7}
        ],
        "unknown": {"(user) 2": 1, "(user) 3": {"by": ["(user)"]}, "(user)": 2}
    });
    assert_eq!(without(&record), expected);
}

#[test]
fn a_value_of_another_shape_than_the_schemas_is_left_out_all_the_same() {
    let record = json!({"users": {"first": "anna"}, "owners": "bruno", "events": {"user_name": ["chen"], "path": "anna bruno chen"}});
    assert_eq!(
        without(&record),
        json!({"owners": null, "events": {"path": "(user) (user) (user)"}})
    );
    let whole = LeaveOut::of(&json!({"x-personal": "user"}));
    assert_eq!(whole.record(b"\"anna\"").unwrap(), b"null");
}

#[test]
fn all_else_stays_to_the_letter() {
    let body = r#"{"big":123456789012345678901234567890,"small":1.50e-3,"z":1,"a":"\u00e9\/","z":[{},[],null],"users":[]}"#;
    let left = leave_out().record(body.as_bytes()).unwrap();
    assert_eq!(
        String::from_utf8(left).unwrap(),
        r#"{"big":123456789012345678901234567890,"small":1.50e-3,"z":1,"a":"\u00e9\/","z":[{},[],null]}"#
    );
}

#[test]
fn an_escaped_name_and_an_escaped_key_are_seen_through() {
    let body = br#"{"\u0075sers":["\u0061nna"],"note":"by \u0061nna\n"}"#;
    let left = leave_out().record(body).unwrap();
    assert_eq!(left, br#"{"note":"by (user)\n"}"#);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for odd in [
        "",
        "{",
        "{\"a\":}",
        "\u{fe}",
        "{\"users\":[\"\\ud800\"]}",
        &deep,
    ] {
        assert_eq!(leave_out().record(odd.as_bytes()), Err(Unfit), "{odd:.20}");
    }
    assert_eq!(leave_out().record(b"{\"a\":\"\xff\"}"), Err(Unfit));
}

#[test]
fn a_document_keeps_its_keys_and_what_it_is_identified_by() {
    let mut names = Names::default();
    names.add("anna");
    let spared = HashSet::from(["anna".to_owned()]);
    let hide = |body: &str| hide_in_document(body, &names, &spared).unwrap();
    assert_eq!(
        hide(r#"{"anna":["by anna","anna"]}"#).unwrap(),
        r#"{"anna":["by (user)","anna"]}"#
    );
    assert_eq!(hide(r#"{"a":1}"#), None);
}

/// A record of texts that are names, hold names or do not, in marked and in unmarked places.
fn record() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("anna"),
        Just("Bruno"),
        Just("chen"),
        Just("root"),
        Just("xy"),
        Just("C:\\Users\\anna\\b"),
        Just("susanna"),
        Just("\u{e9}\"\\"),
        Just("")
    ];
    let text = prop::collection::vec(word, 0..4).prop_map(|words| words.join(" "));
    let leaf = prop_oneof![
        text.clone().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("users".to_owned()),
        Just("owners".to_owned()),
        Just("host".to_owned()),
        Just("events".to_owned()),
        Just("user_name".to_owned()),
        Just("path".to_owned()),
        text
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The record without the marked values, by another road than the one under test: what the schema above says, in plain words.
fn pruned(value: &Value, at: &str) -> Option<Value> {
    let below = |key: &str| match (at, key) {
        ("", "users") => "user",
        ("", "owners") => "owners",
        ("", "host") => "host",
        ("", "events") => "events",
        ("events", "user_name") => "user",
        _ => "plain",
    };
    match (at, value) {
        ("user", _) => None,
        ("host", _) => Some(value.clone()),
        ("owners", Value::Array(_)) => Some(json!([])),
        ("owners", Value::Object(_) | Value::String(_)) => Some(Value::Null),
        (_, Value::Object(members)) => Some(
            members
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), pruned(value, below(key))?)))
                .collect(),
        ),
        (_, Value::Array(elements)) => Some(
            elements
                .iter()
                .filter_map(|element| pruned(element, at))
                .collect(),
        ),
        (_, other) => Some(other.clone()),
    }
}

/// The same with each text, and each key that the schema does not name, put through `hide`.
fn hidden(value: &Value, place: &Place<'_>, names: &Names) -> Value {
    if place.what().is_some() {
        return value.clone();
    }
    let hide = |text: &str| names.hide(text).unwrap_or_else(|| text.to_owned());
    match value {
        Value::Object(members) => {
            let place = place.alone();
            let members = members.iter().map(|(key, value)| {
                let known = place.names(key);
                let hidden_key = if known { key.clone() } else { hide(key) };
                (hidden_key, hidden(value, &place.property(key), names))
            });
            members.collect()
        }
        Value::Array(elements) => elements
            .iter()
            .map(|element| hidden(element, &place.item(), names))
            .collect(),
        Value::String(text) => Value::from(hide(text)),
        other => other.clone(),
    }
}

/// Keys that became alike have a number behind them; here they are compared without.
fn without_numbers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, told: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                told.push(format!("{path}: {} members", members.len()));
                for (key, value) in members {
                    let key = match key.split_once(REPLACED) {
                        Some(_) => key
                            .trim_end_matches(|c: char| c.is_ascii_digit())
                            .trim_end(),
                        None => key,
                    };
                    walk(value, &format!("{path}/{key}"), told);
                }
            }
            Value::Array(elements) => {
                told.push(format!("{path}: {} elements", elements.len()));
                for element in elements {
                    walk(element, &format!("{path}/-"), told);
                }
            }
            other => told.push(format!("{path}: {other}")),
        }
    }
    let mut told = Vec::new();
    walk(value, "", &mut told);
    told.sort();
    told
}

fn keys_stay_apart(value: &Value, names: &Names) -> bool {
    match value {
        Value::Object(members) => {
            let after: HashSet<String> = members
                .keys()
                .map(|key| names.hide(key).unwrap_or_else(|| key.clone()))
                .collect();
            after.len() == members.len()
                && members.values().all(|value| keys_stay_apart(value, names))
        }
        Value::Array(elements) => elements
            .iter()
            .all(|element| keys_stay_apart(element, names)),
        _ => true,
    }
}

proptest! {
    #[test]
    fn nothing_changes_but_marked_values_and_the_names_in_them(record in record()) {
        let leave_out = leave_out();
        let body = record.to_string();
        let mut names = Names::default();
        leave_out.add_names(body.as_bytes(), &mut names).unwrap();
        let left = leave_out.record(body.as_bytes()).unwrap();
        let left: Value = serde_json::from_slice(&left).unwrap();
        let pruned = pruned(&record, "").unwrap();
        // Where keys become alike, the reference would lose one.
        prop_assume!(keys_stay_apart(&pruned, &names));
        let expected = hidden(&pruned, &leave_out.marks.root(), &names);
        prop_assert_eq!(without_numbers(&left), without_numbers(&expected));
    }

    #[test]
    fn nobody_is_found_a_second_time(record in record()) {
        let leave_out = leave_out();
        let left = leave_out.record(record.to_string().as_bytes()).unwrap();
        let again = leave_out.record(&left).unwrap();
        prop_assert_eq!(left, again);
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[\\[\\]{}\",:a-c0-9\\\\ue.\\-]{0,40}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(left) = leave_out().record(body) {
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&left).is_ok());
            }
        }
    }
}
