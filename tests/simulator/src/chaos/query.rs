//! Faults of XQL: what happens to a query on the server before a request about it is answered.

use serde_json::{Value, json};

use super::fault::Fault;
use crate::api::xql::refusal;
use crate::options::XqlOutcome;
use crate::reply::Reply;
use crate::tenant::mix::Mix;
use crate::xql::engine::{Refused, STREAM, XqlEngine};

/// What becomes of a request about a query.
pub enum Outcome {
    /// It is answered so, and nothing is asked of the engine.
    Answer(Reply),
    /// It is answered as if it had this body.
    Ask(Vec<u8>, String),
    /// It is answered as always; the engine may have been changed.
    AsAlways,
}

/// Does what a fault does to a query.
pub fn upset(fault: Fault, mix: &mut Mix, body: &[u8], engine: &mut XqlEngine) -> Outcome {
    match fault {
        Fault::XqlBusy => Outcome::Answer(refusal(engine, Refused::Parallel)),
        Fault::XqlQuota => Outcome::Answer(refusal(engine, Refused::Quota)),
        Fault::XqlPending => Outcome::Answer(Reply::of(|json| {
            json.begin_object();
            json.key_text("status", "PENDING");
            json.end_object();
        })),
        Fault::XqlPartial => spoil(engine, body, XqlOutcome::PartialSuccess),
        Fault::XqlFail => spoil(engine, body, XqlOutcome::Fail),
        Fault::XqlForgotten => {
            if let Some(id) = query_id(body) {
                engine.forget(&id);
            }
            Outcome::AsAlways
        }
        Fault::XqlShortStream => shorten(engine, mix, body).unwrap_or(Outcome::AsAlways),
        _ => Outcome::AsAlways,
    }
}

fn spoil(engine: &mut XqlEngine, body: &[u8], outcome: XqlOutcome) -> Outcome {
    if let Some(id) = query_id(body) {
        engine.spoil(&id, outcome);
    }
    Outcome::AsAlways
}

fn text(body: &[u8], key: &str) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let text = document.get("request_data")?.get(key)?.as_str()?;
    Some(text.to_owned())
}

/// The query that a request is about, be it by its own id or by that of its stream.
fn query_id(body: &[u8]) -> Option<String> {
    text(body, "query_id").or_else(|| {
        let stream = text(body, "stream_id")?;
        let name = stream.split('.').next()?;
        name.strip_suffix(STREAM).map(str::to_owned)
    })
}

/// Asks for a stream with a limit: it ends in good order, and too early.
fn shorten(engine: &XqlEngine, mix: &mut Mix, body: &[u8]) -> Option<Outcome> {
    let stream = text(body, "stream_id")?;
    let (name, limit) = match stream.split_once('.') {
        Some((name, limit)) => (name, limit.parse().ok()?),
        None => (stream.as_str(), usize::MAX),
    };
    let rows = engine.stream(name)?.rows.len().min(limit);
    let keep = mix.below(rows as u64);
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let data = document.get_mut("request_data")?.as_object_mut()?;
    data.insert("stream_id".to_owned(), json!(format!("{name}.{keep}")));
    let body = serde_json::to_vec(&document).ok()?;
    Some(Outcome::Ask(body, format!("{keep} of {rows} rows")))
}
