//! Source records into documents, by a map that is plain data.
//!
//! A map is a JSON file that an administrator can read and change: rules from a source path to a target path. [`prepare`]
//! checks it once and compiles it into a plan; a [`Mapper`] then applies it to any number of records. Nothing here knows what
//! a record is about: the paths come from the map, what they may be from the schemas of source and target.

mod bundled;

pub use bundled::{BundledMap, bundled};

use crate::contract::{Entry, MapContext, Outcome, Problem};

/// A map that has been checked and compiled. Applying it is pure.
#[derive(Debug)]
pub struct Mapper {}

/// Checks and compiles a map for a data stream and a target model. All that is wrong with it is told at once; each problem names
/// its place in the map.
pub fn prepare(mapping: &[u8], context: &MapContext) -> Result<Mapper, Vec<Problem>> {
    let _ = (mapping, context);
    Ok(Mapper {})
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
        let _ = (key, body);
        Outcome {
            documents: Vec::new(),
            problems: Vec::new(),
        }
    }
}
