//! Source records: what the API gave, in one documented shape per data stream (see `describe/schemas`).
//!
//! One rule for all of them: null is absent, unknown fields stay under their names, a known list is a list also where a
//! scalar came, ids are text, and what is of a wrong type in any other way stays as it came. Reading a source record again
//! gives the same record.

mod alert;
mod columns;
mod endpoint;
mod field;
mod fingerprint;
#[cfg(test)]
mod tests;
mod vulnerability;

pub use alert::{AlertState, alert, alert_state};
pub use endpoint::{Tags, endpoint, has_tag, tags_text};
pub use vulnerability::{Cves, NO_CVES, own_half, vulnerability, vulnerability_of_rows};

use crate::contract::{Entry, Problem, Quarantined};
use crate::json_text::json_text;
use serde_json::{Map, Value};

/// How many bytes of an unreadable record are kept.
const KEPT_BYTES: usize = 64 << 10;

/// A source record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Unique within its data stream.
    pub key: String,
    /// Equal as long as nothing changed that matters.
    pub fingerprint: String,
    /// When the source last saw it, in milliseconds since the epoch.
    pub seen_at: Option<u64>,
    /// Whether the source gave only a part of what belongs to it.
    pub partial: bool,
    /// Its fields, as they are in `body`.
    pub fields: Map<String, Value>,
    /// The fields as JSON, compact, keys sorted.
    pub body: Vec<u8>,
}

impl Record {
    /// A record of these fields; `volatile` names those that change without anything having changed.
    fn new(
        key: String,
        seen_at: Option<u64>,
        fields: Map<String, Value>,
        volatile: &[&str],
    ) -> Record {
        let (body, fingerprint) = fingerprint::written(&fields, volatile);
        Record {
            key,
            fingerprint,
            seen_at,
            partial: false,
            fields,
            body,
        }
    }
}

impl From<Record> for Entry {
    fn from(record: Record) -> Entry {
        Entry {
            key: record.key,
            fingerprint: record.fingerprint,
            seen_at: record.seen_at,
            partial: record.partial,
            body: record.body,
        }
    }
}

/// What can't be read, kept as it came as far as it is not too large.
pub fn quarantined(
    key: Option<String>,
    raw: &Value,
    pointer: &str,
    message: impl Into<String>,
) -> Quarantined {
    Quarantined {
        key,
        problems: vec![Problem {
            pointer: pointer.to_owned(),
            message: message.into(),
        }],
        ..quarantined_bytes(json_text(raw).into_bytes(), String::new())
    }
}

/// Bytes that can't be read, kept as they came as far as they are not too many.
pub fn quarantined_bytes(mut raw: Vec<u8>, message: String) -> Quarantined {
    raw.truncate(KEPT_BYTES);
    Quarantined {
        key: None,
        raw,
        problems: vec![Problem {
            pointer: String::new(),
            message,
        }],
    }
}

/// The fields of a record that must be an object.
fn object(raw: Value, what: &str) -> Result<Map<String, Value>, Box<Quarantined>> {
    match raw {
        Value::Object(fields) => Ok(fields),
        other => Err(Box::new(quarantined(
            None,
            &other,
            "",
            format!("The API gave something that is no object where {what} was expected."),
        ))),
    }
}

/// The key of a record, made text where it came as a number; the record is quarantined without one.
fn key(
    fields: &mut Map<String, Value>,
    name: &str,
    what: &str,
) -> Result<String, Box<Quarantined>> {
    field::text(fields, name);
    match fields.get(name) {
        Some(Value::String(key)) if !key.trim().is_empty() => Ok(key.clone()),
        _ => Err(Box::new(quarantined(
            None,
            &Value::Object(std::mem::take(fields)),
            &format!("/{name}"),
            format!(
                "The API gave {what} without a usable \"{name}\", by which records are told apart."
            ),
        ))),
    }
}
