//! What holds for any record and any map.

use super::bundled::{full_record, mapper};
use super::generated::{any_json, any_map, any_record};
use super::{context, entry_key, run};
use crate::contract::{Document, DocumentKind, MapContext, Outcome, Trace};
use crate::transform::{Mapper, bundled, prepare_with};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use std::collections::BTreeSet;

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

/// What must hold for every outcome of a map that carries no objects whole.
fn check(outcome: &Outcome) {
    sound(outcome);
    for document in &outcome.documents {
        let body: Value = serde_json::from_slice(&document.body).unwrap();
        assert!(no_empty_values(&body), "{body}");
    }
}

/// What must hold for every outcome.
fn sound(outcome: &Outcome) {
    assert!(
        !outcome.documents.is_empty() || !outcome.problems.is_empty(),
        "a record is in the documents or its problems are told"
    );
    for document in &outcome.documents {
        let body: Value = serde_json::from_slice(&document.body).unwrap();
        assert!(body.is_object());
        assert!(!document.key.is_empty());
        for held in &document.placeholders {
            let (parent, _) = held.pointer.rsplit_once('/').unwrap();
            assert!(
                body.pointer(parent).is_some_and(Value::is_object),
                "{parent} in {body}"
            );
        }
    }
}

/// That no other record's finding can have the key of one of these, and no two of these have the same.
fn keys_are_the_records(record: &Value, outcome: &Outcome) {
    let mut seen = BTreeSet::new();
    let record = entry_key(record);
    for document in &outcome.documents {
        if document.kind == DocumentKind::Finding {
            let rest = document.key.strip_prefix(&record).unwrap();
            let next = rest.chars().next();
            assert!(
                next.is_none_or(|next| !next.is_alphanumeric()),
                "{}",
                document.key
            );
            assert!(seen.insert(&document.key), "{} twice", document.key);
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

/// That the traces tell of each value of each document, and the truth.
fn check_traces(map: &Value, record: &Value, mapper: &Mapper, outcome: &Outcome) {
    let traces = match mapper.explain(&entry_key(record), &serde_json::to_vec(record).unwrap()) {
        Ok(traces) => traces,
        Err(problem) => {
            assert!(outcome.documents.is_empty());
            assert_eq!(outcome.problems[0].message, problem.message);
            return;
        }
    };
    assert_eq!(
        traces.len(),
        outcome.documents.len(),
        "one for each document"
    );
    for (trace, document) in traces.iter().zip(&outcome.documents) {
        assert_eq!((trace.kind, &trace.key), (document.kind, &document.key));
        check_trace(map, record, trace, document);
    }
}

fn check_trace(map: &Value, record: &Value, trace: &Trace, document: &Document) {
    let body: Value = serde_json::from_slice(&document.body).unwrap();
    let mut targets = BTreeSet::new();
    for origin in &trace.origins {
        assert!(
            targets.insert(origin.target.as_str()),
            "{} twice",
            origin.target
        );
        let rule = map.pointer(&origin.rule).unwrap();
        // What a finding's own document shows lies below the list in the map.
        let path = rule["target"].as_str().unwrap();
        let path = match map["finding"]["list"].as_str() {
            Some(list) if document.kind == DocumentKind::Finding => path
                .strip_prefix(list)
                .and_then(|rest| rest.strip_prefix('.'))
                .unwrap(),
            _ => path,
        };
        assert!(fits(&origin.target, path), "{} by {path}", origin.target);
        let held = document.placeholders.iter();
        let is_held = held.clone().any(|held| held.pointer == origin.target);
        assert_eq!(
            is_held,
            rule.get("placeholder").is_some(),
            "{}",
            origin.target
        );
        assert_eq!(is_held, body.pointer(&origin.target).is_none());
        for source in &origin.sources {
            let read = record.pointer(source);
            assert!(
                read.is_some_and(|value| !value.is_null()),
                "{source} in {record}"
            );
        }
        let reads = rule.get("source").is_some();
        let fixed = rule.get("default").is_some() || rule.get("constant").is_some();
        assert!(reads || origin.sources.is_empty(), "{rule} reads nothing");
        assert!(
            !reads || fixed || !origin.sources.is_empty(),
            "{rule} reads something"
        );
        // What nobody converts is what it was.
        if let ([source], false, None) = (origin.sources.as_slice(), fixed, rule.get("convert")) {
            let read = record.pointer(source).unwrap();
            if !read.is_array() && !read.is_object() {
                let written = body.pointer(&origin.target).unwrap();
                // Of a list it is one element, or none where a condition leaves it out.
                let gathered = [json!([read]), json!([])];
                assert!(
                    written == read || gathered.contains(written),
                    "{written} from {read}"
                );
            }
        }
    }
    for held in &document.placeholders {
        assert!(targets.remove(held.pointer.as_str()), "{}", held.pointer);
    }
    covered(&body, String::new(), &mut targets);
    assert!(targets.is_empty(), "{targets:?} in {body}");
}

/// Takes out the pointers to all values below a place; fails where one has none.
fn covered(value: &Value, at: String, targets: &mut BTreeSet<&str>) {
    if targets.remove(at.as_str()) {
        return;
    }
    match value {
        Value::Object(entries) => {
            for (name, below) in entries {
                let name = name.replace('~', "~0").replace('/', "~1");
                covered(below, format!("{at}/{name}"), targets);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, below) in items.iter().enumerate() {
                covered(below, format!("{at}/{index}"), targets);
            }
        }
        _ => panic!("{value} at {at} has no origin"),
    }
}

/// Whether a JSON Pointer goes where a path says.
fn fits(pointer: &str, path: &str) -> bool {
    let mut tokens = pointer.split('/').skip(1);
    let fits = path.split('.').all(|segment| {
        let name = segment.trim_end_matches("[]");
        let list = segment.ends_with("[]");
        tokens.next() == Some(name)
            && (!list
                || tokens
                    .next()
                    .is_some_and(|index| index.parse::<usize>().is_ok()))
    });
    fits && tokens.next().is_none()
}

fn load(map: &Value) -> Option<Mapper> {
    let context = MapContext {
        custom_fields: vec!["known".to_owned()],
        ..context("things")
    };
    prepare_with(&serde_json::to_vec(map).unwrap(), &context, |_| None).ok()
}

proptest! {
    #[test]
    fn bundled_maps_take_any_record(which in 0..bundled().len(), record in any_json()) {
        let map = &bundled()[which];
        let mapper = mapper(map, &["cortexXdr-tags"]);
        let outcome = run(&mapper, &record);
        check(&outcome);
        check_traces(&serde_json::from_str(map.body).unwrap(), &record, &mapper, &outcome);
        prop_assert_eq!(format!("{outcome:?}"), format!("{:?}", run(&mapper, &record)));
    }

    #[test]
    fn bundled_maps_take_records_with_broken_fields(
        (which, record) in (0..bundled().len()).prop_flat_map(|which| (Just(which), broken_record(bundled()[which].data_stream)))
    ) {
        let map = &bundled()[which];
        let mapper = mapper(map, &[]);
        let outcome = run(&mapper, &record);
        check(&outcome);
        check_traces(&serde_json::from_str(map.body).unwrap(), &record, &mapper, &outcome);
    }

    #[test]
    fn any_bytes_are_an_outcome(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mapper = mapper(&bundled()[0], &[]);
        let outcome = mapper.apply_one("k", &bytes);
        prop_assert!(!outcome.problems.is_empty());
    }

    #[test]
    fn a_map_that_loads_takes_any_record_and_tells_where_each_value_is_from(
        map in any_map(), records in prop::collection::vec(any_record(), 1..5), other in any_json()
    ) {
        if let Some(mapper) = load(&map) {
            let again = load(&map).unwrap();
            for record in records.iter().chain([&other]) {
                let outcome = run(&mapper, record);
                sound(&outcome);
                keys_are_the_records(record, &outcome);
                check_traces(&map, record, &mapper, &outcome);
                prop_assert_eq!(format!("{outcome:?}"), format!("{:?}", run(&again, record)), "the same by the same map");
            }
        }
    }

    #[test]
    fn any_json_is_a_map_or_has_problems(map in any_json()) {
        let _ = prepare_with(&serde_json::to_vec(&map).unwrap(), &context("things"), |_| None);
    }
}

#[test]
fn the_generated_maps_load_and_give_documents_often_enough_to_mean_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut loaded, mut values, mut keys) = (0, 0, BTreeSet::new());
    for _ in 0..400 {
        let map = any_map().new_tree(&mut runner).unwrap().current();
        let record = any_record().new_tree(&mut runner).unwrap().current();
        let Some(mapper) = load(&map) else {
            continue;
        };
        loaded += 1;

        let traces = mapper.explain("1", &serde_json::to_vec(&record).unwrap());
        for origin in traces.unwrap().iter().flat_map(|trace| &trace.origins) {
            values += 1;
            keys.extend(
                map.pointer(&origin.rule)
                    .unwrap()
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned(),
            );
        }
    }
    assert!(loaded > 100, "{loaded} of 400 load");
    assert!(values > 200, "{values} values");
    for key in [
        "convert",
        "default",
        "constant",
        "required",
        "when",
        "align",
        "on",
        "placeholder",
    ] {
        assert!(keys.contains(key), "no rule with `{key}` wrote anything");
    }
}
