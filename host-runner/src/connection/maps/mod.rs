//! Transform maps at work: which there are, which a connection uses, what is wrong with one, and saving a tenant's own.

mod begin;
mod choose;
mod judge;
mod keep;
mod own;
mod preview;
mod shelf;

use std::sync::Arc;

use super::ConnectionError;
use crate::contract::connector::MapContext;
use crate::domain::DataStreamName;
use crate::engine::{Mapper, Plugin};
use crate::imports::LogSink;
use crate::model::Model;
use crate::store::StoredMap;

pub use begin::{Begun, begin};
pub use choose::{LARGEST, MapChoice, carry_over, choose, find, read_file};
pub use judge::{Judgement, MapProblem, judge};
pub use keep::{Draft, Kept, name_of, name_of_file, new_name, remove, save, with_all_versions};
pub use own::OwnMaps;
pub use preview::{Preview, Previews, Source, filled};
pub use shelf::{BundledMap, Shelf, Shelved, Use};

/// Prepares each map, which finds what is wrong with it: unknown fields, source paths that the stream does not have, target paths that
/// the model does not have.
///
/// # Errors
/// The first map's problems; or that the host does not know the target model.
pub async fn check(
    plugin: &Arc<Plugin>,
    choice: &MapChoice,
    custom_fields: &[String],
    log: Arc<dyn LogSink>,
) -> Result<(), ConnectionError> {
    for (stream, map) in &choice.maps {
        prepare(
            plugin,
            stream,
            map,
            &choice.target,
            custom_fields,
            Arc::clone(&log),
        )
        .await?;
    }
    Ok(())
}

/// A map at work, for a data stream and a target model.
///
/// # Errors
/// The map's problems; or that the host does not know the target model.
pub async fn prepare(
    plugin: &Arc<Plugin>,
    stream: &DataStreamName,
    map: &StoredMap,
    target: &str,
    custom_fields: &[String],
    log: Arc<dyn LogSink>,
) -> Result<Mapper, ConnectionError> {
    let model = Model::by_name(target)?;
    let context = MapContext {
        data_stream: stream.to_string(),
        custom_fields: custom_fields.to_vec(),
        model: model.schema_bytes(),
    };
    plugin
        .mapper(map.body.clone().into_bytes(), context, log)
        .await?
        .map_err(|problems| ConnectionError::Map {
            map: map.name.clone(),
            stream: stream.clone(),
            problems,
        })
}
