//! The JSON Schemas that come with the connector, from the files beside this one.

use crate::bundle::file;
use crate::configure::DataStream;
use std::borrow::Cow;

/// JSON Schema (2020-12) of the configuration, good enough that a host draws its form from it: `x-order` gives the order of the fields, a
/// secret is `writeOnly`.
pub fn config_schema() -> &'static [u8] {
    file("src/describe/config.schema.json").as_bytes()
}

/// JSON Schema (2020-12) of one source record of a data stream. It names what the vendor documents and what was seen; fields
/// that it does not name are kept under their own names. What tells who or where somebody is carries `x-personal`, as the contract has it.
pub fn source_schema(data_stream: DataStream) -> Cow<'static, [u8]> {
    let endpoints = || file("src/describe/schemas/endpoints.json").as_bytes();
    let cves = || file("src/describe/schemas/vulnerabilities.json").as_bytes();
    match data_stream {
        DataStream::Endpoints => Cow::Borrowed(endpoints()),
        DataStream::Alerts => Cow::Borrowed(file("src/describe/schemas/alerts.json").as_bytes()),
        DataStream::Vulnerabilities => Cow::Owned(joined(endpoints(), cves())),
    }
}

/// The field of a data stream's records that holds the key of their entries.
pub fn source_key(data_stream: DataStream) -> &'static str {
    match data_stream {
        DataStream::Alerts => "alert_id",
        DataStream::Endpoints | DataStream::Vulnerabilities => "endpoint_id",
    }
}

/// A record of vulnerabilities is an endpoint with what its file names besides: the properties of both, all else as the second file has it.
fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    /// No property is called so.
    const OPENING: &[u8] = b"\"properties\":{";
    /// Behind the properties.
    const CLOSING: &[u8] = b"},\"additionalProperties\":true}";
    let after = |schema: &[u8]| {
        schema
            .windows(OPENING.len())
            .position(|at| at == OPENING)
            .map(|at| at + OPENING.len())
    };
    let properties = after(first)
        .and_then(|start| first.get(start..))
        .and_then(|rest| rest.strip_suffix(CLOSING));
    let halves = after(second).and_then(|start| second.split_at_checked(start));
    match (properties, halves) {
        (Some(properties), Some((head, tail))) => [head, properties, b",", tail].concat(),
        // The tests exclude it.
        _ => second.to_vec(),
    }
}
