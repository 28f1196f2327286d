//! Source records into documents, by a map that is plain data.
//!
//! A map is a JSON file that an administrator can read and change: rules from a source path to a target path. [`prepare`]
//! checks it once and compiles it into a plan; a [`Mapper`] then applies it to any number of records. Nothing here knows what
//! a record is about: the paths come from the map, what they may be from the schemas of source and target, and what a record's own key is
//! from its data stream. The format is described in `maps/README.md` and, for editors, in `maps/map.schema.json`.
//!
//! Modules point one way. Loading: `format` and `spec` read a map as it is written (through `reader`), `compile` checks it (`sources` the
//! source paths, `layout` and `needs` the target's, `fixed` the values that the map itself writes, `order` what joins on what) and makes a
//! `plan`. Applying: `apply` carries the plan out on a record (`frames` is where it stands in the record, `places` where the values are that it
//! reads, `evaluate` what it reads there, `instance` the document in the making), `documents` and `write` print what came out, `trace` tells
//! which rule wrote what, and from what.

mod apply;
mod bundled;
mod compile;
mod condition;
mod convert;
mod documents;
mod evaluate;
mod fixed;
mod format;
mod frames;
mod instance;
mod layout;
mod needs;
mod order;
mod path;
mod places;
mod plan;
mod problems;
mod reader;
mod schema;
mod severity;
mod sources;
mod spec;
mod time;
mod trace;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use bundled::{BundledMap, bundled};

use crate::configure::DataStream;
use crate::contract::{Entry, MapContext, Outcome, Problem, Trace};
use crate::describe::{source_key, source_schema};
use schema::{Schema, nearest};
use std::borrow::Cow;

/// A map that has been checked and compiled. Applying it is pure.
#[derive(Debug)]
pub struct Mapper {
    plan: plan::Plan,
}

/// Checks and compiles a map for a data stream and a target model. All that is wrong with it is told at once; each problem names
/// its place in the map. Source paths are checked against the connector's own schemas.
pub fn prepare(mapping: &[u8], context: &MapContext) -> Result<Mapper, Vec<Problem>> {
    let stream = DataStream::from_name(&context.data_stream);
    prepare_keyed(mapping, context, stream.map(source_key), |stream| {
        DataStream::from_name(stream).map(source_schema)
    })
}

/// Like [`prepare`], with the schema of each data stream (as JSON) given; none leaves the paths of that stream unchecked.
pub fn prepare_with<'s>(
    mapping: &[u8],
    context: &MapContext,
    schema_of: impl Fn(&str) -> Option<Cow<'s, [u8]>>,
) -> Result<Mapper, Vec<Problem>> {
    prepare_keyed(mapping, context, None, schema_of)
}

/// Like [`prepare_with`], with the field that holds a record's own key, where there is one.
fn prepare_keyed<'s>(
    mapping: &[u8],
    context: &MapContext,
    key: Option<&str>,
    schema_of: impl Fn(&str) -> Option<Cow<'s, [u8]>>,
) -> Result<Mapper, Vec<Problem>> {
    let mut problems = Vec::new();
    let Some(file) = format::read(mapping, &mut problems) else {
        return Err(problems);
    };
    if !file.streams.contains(&context.data_stream) && !file.streams.is_empty() {
        let hint = nearest(
            &context.data_stream,
            file.streams.iter().map(String::as_str),
        );
        let hint = hint
            .map(|near| format!(" (`{near}` is near)"))
            .unwrap_or_default();
        problems.push(Problem {
            pointer: "/source".into(),
            message: format!(
                "the map is for {}, not for `{}`{hint}",
                file.streams.join(", "),
                context.data_stream
            ),
        });
    }
    let read = |bytes: &[u8], what: &str, problems: &mut Vec<Problem>| match Schema::parse(bytes) {
        Ok(schema) => schema,
        Err(error) => {
            problems.push(Problem {
                pointer: String::new(),
                message: format!("the schema of {what} is not JSON: {error}"),
            });
            None
        }
    };
    let mut sources = Vec::new();
    for stream in &file.streams {
        let schema = schema_of(stream)
            .and_then(|bytes| read(&bytes, &format!("data stream `{stream}`"), &mut problems));
        sources.push(schema);
    }
    let model = read(&context.model, "the target model", &mut problems);
    let checks = compile::Checks {
        sources,
        model,
        key: key.and_then(|name| path::Path::parse(name).ok()),
        custom_fields: &context.custom_fields,
    };
    let plan = compile::compile(&file, &checks, &mut problems);
    if problems.is_empty() {
        Ok(Mapper { plan })
    } else {
        Err(problems)
    }
}

impl Mapper {
    /// One outcome for each entry, in order.
    pub fn apply(&self, entries: Vec<Entry>) -> Vec<Outcome> {
        entries
            .iter()
            .map(|entry| self.apply_one(&entry.key, &entry.body))
            .collect()
    }

    /// The outcome for one source record, given as JSON, whose entry has this key.
    pub fn apply_one(&self, key: &str, body: &[u8]) -> Outcome {
        apply::apply(&self.plan, key, body)
    }

    /// Where each value of the documents of one source record comes from: a trace for each document, in the order of [`Mapper::apply_one`].
    /// Fails where the record can't be read.
    pub fn explain(&self, key: &str, body: &[u8]) -> Result<Vec<Trace>, Problem> {
        apply::explain(&self.plan, key, body)
    }

    /// The paths of the source record that the map reads, as it writes them, each once.
    pub fn reads(&self) -> &[String] {
        &self.plan.reads
    }
}
