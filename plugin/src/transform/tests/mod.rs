//! Maps at work, from JSON to documents.

mod bundled;
mod explain;
mod fixed;
mod format;
mod generated;
mod keys;
mod loading;
mod needs;
mod order;
mod places;
mod properties;
mod rules;
mod seed;

use super::{Mapper, prepare_with};
use crate::contract::{DocumentKind, Lifecycle, MapContext, Outcome, Problem};
use serde_json::{Value, json};

/// A context without a model: any target path will do.
pub(super) fn context(data_stream: &str) -> MapContext {
    MapContext {
        data_stream: data_stream.into(),
        custom_fields: Vec::new(),
        model: Vec::new(),
    }
}

/// Prepares a map for the data stream "things", of which no schema is known.
pub(super) fn load(map: &Value) -> Result<Mapper, Vec<Problem>> {
    prepare_with(
        &serde_json::to_vec(map).unwrap(),
        &context("things"),
        |_| None,
    )
}

/// A map of an asset with these rules.
pub(super) fn asset_map(rules: Value) -> Value {
    json!({
        "name": "test", "version": "1.0.0", "source": "things", "target": "test",
        "asset": {"key": "id"}, "rules": rules
    })
}

/// What these rules make of a record that has the id "1" besides: the asset document, and the problems as `pointer: message`.
pub(super) fn asset(rules: Value, mut record: Value) -> (Value, Vec<String>) {
    record["id"] = json!("1");
    let outcome = run(&load(&asset_map(rules)).unwrap(), &record);
    let document = outcome.documents.first().map_or(Value::Null, |document| {
        serde_json::from_slice(&document.body).unwrap()
    });
    (document, told(&outcome))
}

/// Only the document, where no problem is expected.
pub(super) fn document(rules: Value, record: Value) -> Value {
    let (document, problems) = asset(rules, record);
    assert_eq!(problems, Vec::<String>::new());
    document
}

pub(super) fn run(mapper: &Mapper, record: &Value) -> Outcome {
    mapper.apply_one(&entry_key(record), &serde_json::to_vec(record).unwrap())
}

/// What a record's entry would be called: by its id, where it has one.
pub(super) fn entry_key(record: &Value) -> String {
    match record.get("id") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "1".to_owned(),
    }
}

pub(super) fn told(outcome: &Outcome) -> Vec<String> {
    outcome
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.pointer, problem.message))
        .collect()
}

/// An outcome as JSON, whole.
pub(super) fn shown(outcome: &Outcome) -> Value {
    let pairs = |pairs: &[(String, String)]| -> Vec<Value> {
        pairs
            .iter()
            .map(|(name, value)| json!([name, value]))
            .collect()
    };
    let documents: Vec<Value> = outcome
        .documents
        .iter()
        .map(|document| {
            let placeholders: Vec<Value> = document
                .placeholders
                .iter()
                .map(|held| {
                    let value = match held.value {
                        Lifecycle::FirstSeen => "first-seen",
                        Lifecycle::LastSeen => "last-seen",
                        Lifecycle::ClosedAt => "closed-at",
                        Lifecycle::State => "state",
                    };
                    json!({"pointer": held.pointer, "value": value, "format": held.format})
                })
                .collect();
            json!({
                "kind": match document.kind { DocumentKind::Asset => "asset", DocumentKind::Finding => "finding" },
                "key": document.key,
                "asset": document.asset,
                "identity": pairs(&document.identity),
                "facets": pairs(&document.facets),
                "placeholders": placeholders,
                "body": serde_json::from_slice::<Value>(&document.body).unwrap(),
            })
        })
        .collect();
    json!({"documents": documents, "problems": told(outcome)})
}
