//! A map made ready for a run.

use super::fault::{FaultKind, RunFault};
use super::making::Made;
use super::notes::Notes;
use super::stop::Stop;
use crate::contract::connector::MapContext;
use crate::domain::DataStreamName;
use crate::engine::{Mapper, Plugin};
use std::sync::Arc;

/// The map of a data stream at work. What it logs is kept with the run.
pub(super) async fn prepare(
    plugin: &Arc<Plugin>,
    stream: &DataStreamName,
    made: &Made,
    model_schema: &[u8],
    notes: &Arc<Notes>,
) -> Result<Mapper, Stop> {
    let context = MapContext {
        data_stream: stream.to_string(),
        custom_fields: made.custom_fields.clone(),
        model: model_schema.to_vec(),
    };
    let prepared = plugin
        .mapper(
            made.map.body.clone().into_bytes(),
            context,
            Arc::clone(notes) as _,
        )
        .await?;
    prepared.map_err(|problems| {
        let told: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.pointer, problem.message))
            .collect();
        Stop::Fault(RunFault::new(
            FaultKind::Other,
            format!(
                "the map `{}` can't be used: {}",
                made.map.name,
                told.join("; ")
            ),
            "Correct the map and give it to the connection with `update --map`.",
        ))
    })
}
