//! A host for connector components: loads them, sandboxes them per tenant, and drives them into a store.
//!
//! Modules point one way: `cli` → `connection`, `recording` → `pipeline` → `store`, `engine` → `imports` → `egress`, `secrets` → `domain`; `personal`
//! stands beside `domain`; `query`, which `cli` parses and `store` runs, knows only `domain`; `maps`, which reads the texts of transform maps and runs
//! nothing, knows only `store` and `model`; `identification`, by whose rules the store knows assets again, knows nothing; `import`, which reads rows for `cli`, knows `store`.
//! Nothing here knows a word of any connector's vendor; what must be known about a connector is a typed field of the contract.

pub mod cli;
pub mod component;
pub mod connection;
pub mod contract;
pub mod domain;
pub mod egress;
pub mod engine;
pub mod identification;
pub mod import;
pub mod imports;
pub mod maps;
pub mod model;
pub mod personal;
pub mod pipeline;
pub mod query;
pub mod recording;
pub mod secrets;
pub mod store;
