//! Transform maps as data: what can be read out of their texts, and what two of them, or a map and its model, have in common.
//!
//! The format is the connector's (`plugin/maps/map.schema.json`), and what is right in a map is judged by its `transform` alone. Here a map is JSON of
//! which a few keys are known by name; whatever else stands in it is carried along. Nothing here runs a component or reads a store.

mod coverage;
mod difference;
mod document;
mod flat;
mod layout;
mod line;
mod skeleton;
mod tally;
mod twice;
mod words;

pub use coverage::{Coverage, Unfilled, Unread};
pub use difference::{Change, Difference, Section, difference};
pub use document::{MapDocument, NotAMap};
pub use layout::pretty;
pub use line::{Line, heads, line_of, rules};
pub use skeleton::{Donor, Skeleton, skeleton};
pub use tally::{Against, Example, Group, Made, PathChange, Tally};
