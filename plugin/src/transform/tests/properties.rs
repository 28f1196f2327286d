//! What holds for any record and any map.

use super::bundled::{full_record, mapper};
use super::{context, run};
use crate::transform::{bundled, prepare_with};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |float| float
            .is_finite()
            .then(|| Value::from(float))),
        ".{0,12}".prop_map(Value::from),
        Just(json!("")),
        Just(json!("CVE-2024-1234")),
        Just(json!("10.0.0.1")),
        Just(json!(1_700_000_000_000_u64)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![
                    "[a-c]",
                    Just("name".to_owned()),
                    Just("server_tags".to_owned())
                ],
                inner,
                0..4
            )
            .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A record of a data stream in which some fields have any value at all.
fn broken_record(data_stream: &'static str) -> impl Strategy<Value = Value> {
    let full = full_record(data_stream);
    let names: Vec<String> = full.as_object().unwrap().keys().cloned().collect();
    prop::collection::vec((prop::sample::select(names), any_json()), 0..8).prop_map(
        move |changes| {
            let mut record = full.clone();
            for (name, value) in changes {
                record[name] = value;
            }
            record
        },
    )
}

/// A small map over the names a, b and c that has a fair chance of loading.
fn any_map() -> impl Strategy<Value = Value> {
    let path = prop::collection::vec(("[a-c]", any::<bool>()), 1..4).prop_map(|pieces| {
        let pieces: Vec<String> = pieces
            .into_iter()
            .map(|(name, list)| if list { format!("{name}[]") } else { name })
            .collect();
        pieces.join(".")
    });
    let convert = prop_oneof![
        3 => Just(Value::Null),
        1 => prop::sample::select(vec!["text", "number", "time", "severity", "lower", "first", "distinct", "list", "join"]).prop_map(Value::from),
        1 => Just(json!([{"split": {"separator": ","}}, {"prefix": {"text": "p"}}])),
        1 => Just(json!({"table": {"cases": {"a": 1}, "otherwise": [1, ""]}})),
    ];
    let align = prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({"align": "value"})),
        1 => Just(json!({"align": "each"})),
        1 => Just(json!({"align": "position", "on": "a[]"})),
        1 => Just(json!({"required": true})),
        1 => Just(json!({"default": "d"})),
        1 => Just(json!({"when": {"not": {"source": "a[].b", "present": true}}})),
    ];
    // Each rule writes below a name of its own, so that most of them do not clash.
    let rule = (path.clone(), path.clone(), convert, align);
    let rules = prop::collection::vec(rule, 0..5).prop_map(|rules| {
        let rules = rules
            .into_iter()
            .enumerate()
            .map(|(at, (source, target, convert, more))| {
                let mut rule: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
                rule.insert("source".into(), json!(source));
                rule.insert(
                    "target".into(),
                    json!(if at % 2 == 0 {
                        format!("f[].{at}{target}")
                    } else {
                        format!("r{at}.{target}")
                    }),
                );
                if !convert.is_null() {
                    rule.insert("convert".into(), convert);
                }
                Value::Object(rule)
            });
        rules.collect::<Vec<_>>()
    });
    (rules, path.clone(), path, any::<bool>(), any::<bool>()).prop_map(|(rules, key, facet, list, nested)| {
        let mut map = json!({
            "name": "m", "version": "1.0", "source": "things", "target": "t", "rules": rules,
            "asset": {"key": key, "facets": {"f": facet}},
            "finding": {"key": {"source": ["a", "b[].c"], "convert": {"concat": {}}}, "facets": {"f": facet, "g": "b[].a"}}
        });
        if list {
            map["finding"]["list"] = json!("f[]");
            map["finding"]["each"] = json!("b[]");
            map["finding"]["nested"] = json!(nested);
        }
        map
    })
}

/// What must hold for every outcome.
fn check(outcome: &crate::contract::Outcome) {
    assert!(
        !outcome.documents.is_empty() || !outcome.problems.is_empty(),
        "a record is in the documents or its problems are told"
    );
    for document in &outcome.documents {
        let body: Value = serde_json::from_slice(&document.body).unwrap();
        assert!(body.is_object());
        assert!(!document.key.is_empty());
        assert!(no_empty_values(&body), "{body}");
        for held in &document.placeholders {
            let (parent, _) = held.pointer.rsplit_once('/').unwrap();
            assert!(
                body.pointer(parent).is_some_and(Value::is_object),
                "{parent} in {body}"
            );
        }
    }
}

fn no_empty_values(json: &Value) -> bool {
    match json {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(entries) => entries.values().all(no_empty_values),
        _ => true,
    }
}

proptest! {
    #[test]
    fn bundled_maps_take_any_record(which in 0..bundled().len(), record in any_json()) {
        let map = &bundled()[which];
        let mapper = mapper(map, &["cortexXdr-tags"]);
        let outcome = run(&mapper, &record);
        check(&outcome);
        prop_assert_eq!(format!("{outcome:?}"), format!("{:?}", run(&mapper, &record)));
    }

    #[test]
    fn bundled_maps_take_records_with_broken_fields(
        (which, record) in (0..bundled().len()).prop_flat_map(|which| (Just(which), broken_record(bundled()[which].data_stream)))
    ) {
        check(&run(&mapper(&bundled()[which], &[]), &record));
    }

    #[test]
    fn any_bytes_are_an_outcome(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mapper = mapper(&bundled()[0], &[]);
        let outcome = mapper.apply_one("k", &bytes);
        prop_assert!(!outcome.problems.is_empty());
    }

    #[test]
    fn a_map_that_loads_takes_any_record(map in any_map(), records in prop::collection::vec(any_json(), 1..6)) {
        if let Ok(mapper) = prepare_with(&serde_json::to_vec(&map).unwrap(), &context("things"), |_| None) {
            for record in &records {
                let outcome = run(&mapper, record);
                let again = run(&mapper, record);
                prop_assert_eq!(format!("{outcome:?}"), format!("{again:?}"));
                prop_assert!(!outcome.documents.is_empty() || !outcome.problems.is_empty());
            }
        }
    }

    #[test]
    fn any_json_is_a_map_or_has_problems(map in any_json()) {
        let _ = prepare_with(&serde_json::to_vec(&map).unwrap(), &context("things"), |_| None);
    }
}

#[test]
fn the_generated_maps_do_load_often_enough_to_mean_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let loads = |map: Value| {
        prepare_with(
            &serde_json::to_vec(&map).unwrap(),
            &context("things"),
            |_| None,
        )
        .is_ok()
    };
    let loaded = (0..200)
        .filter(|_| loads(any_map().new_tree(&mut runner).unwrap().current()))
        .count();
    assert!(loaded > 40, "{loaded} of 200");
}
