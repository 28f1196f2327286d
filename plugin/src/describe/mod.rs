//! The connector's card: what it is, what it can reach, what it reads.

mod call;
mod manifest;
mod schema;

pub use call::Call;
pub use manifest::{NAME, VERSION, incremental, manifest};
pub use schema::{config_schema, source_key, source_schema};

#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod tests;
