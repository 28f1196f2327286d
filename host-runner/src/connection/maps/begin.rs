//! Beginning a new map for a data stream and a target.

use super::Shelf;
use super::shelf::no_stream;
use crate::component::Manifest;
use crate::connection::ConnectionError;
use crate::domain::MapName;
use crate::maps::{Donor, Skeleton, skeleton};
use crate::model::{Model, ModelError};

/// A map that was begun, and where its parts come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// The map.
    pub skeleton: Skeleton,
    /// The connector's map that its heads and rules are from.
    pub from: String,
}

/// Begins a map: what its documents are known by is taken from the connector's own map of that stream, for the target where there is one, with the
/// rules that the target requires.
///
/// # Errors
/// Where there is no such stream or target, or the connector has no map of the stream.
pub fn begin(
    manifest: &Manifest,
    shelf: &Shelf,
    name: &MapName,
    stream: &str,
    target: &str,
) -> Result<Begun, ConnectionError> {
    let Some(declared) = manifest.data_stream(stream) else {
        let known = manifest.data_streams.iter();
        return Err(no_stream(stream, known.map(|known| known.name.as_str())));
    };
    let model: Result<Model, ModelError> = Model::by_name(target);
    let model = model?;
    let of_stream = || {
        shelf
            .bundled()
            .iter()
            .filter(|map| map.streams.iter().any(|name| name == stream))
    };
    let donor = of_stream()
        .find(|map| map.document.target() == Some(target))
        .or_else(|| of_stream().next())
        .ok_or_else(|| ConnectionError::NothingToBeginWith(stream.to_owned()))?;
    let fields: Option<Vec<&str>> = declared
        .schema
        .get("properties")
        .and_then(|properties| properties.as_object())
        .map(|properties| properties.keys().map(String::as_str).collect());
    let body = donor.document.body();
    let from = Donor {
        name: &donor.name,
        map: body,
    };
    Ok(Begun {
        skeleton: skeleton(name.as_str(), stream, &model, from, fields.as_deref()),
        from: donor.name.clone(),
    })
}
