//! The JSON Schemas that come with the connector, as the files beside this one hold them.

use crate::compact::compact_json;
use crate::configure::DataStream;

/// JSON Schema (2020-12) of the configuration, good enough that a host draws its form from it: `x-order` gives the order of the fields, a
/// secret is `writeOnly`.
pub fn config_schema() -> &'static [u8] {
    compact_json!("config.schema.json")
}

/// JSON Schema (2020-12) of one source record of a data stream. It names what the vendor documents and what was seen; fields
/// that it does not name are kept under their own names. What tells who or where somebody is carries `x-personal`, as the contract has it.
pub fn source_schema(data_stream: DataStream) -> &'static [u8] {
    match data_stream {
        DataStream::Endpoints => compact_json!("schemas/endpoints.json"),
        DataStream::Alerts => compact_json!("schemas/alerts.json"),
        DataStream::Vulnerabilities => compact_json!("schemas/vulnerabilities.json"),
    }
}
