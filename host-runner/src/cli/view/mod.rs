//! How things look: from what is kept to text and JSON, without reading or writing anything.

pub mod asset;
pub mod blindspots;
pub mod changes;
pub mod compared;
pub mod connection;
pub mod explained;
pub mod finding;
pub mod identification;
pub mod keys;
pub mod ledger;
pub mod map;
pub mod map_difference;
pub mod model;
pub mod preview;
pub mod removal;
pub mod report;
pub mod run;
pub mod way_out;
pub mod what_if;
