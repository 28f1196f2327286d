//! The real binary, as a person or a script types it, against simulated tenants in this process: exit codes, messages and the
//! documents of `--json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod bad_input;
mod before_loading;
mod blindspots;
mod compiling;
mod everyday;
mod explaining;
mod files;
mod identification;
mod importing;
mod keys;
mod killing;
mod maps;
mod proxy;
#[path = "../../host-runner/src/component/trust/publisher.rs"]
mod publisher;
mod purge;
mod queries;
mod recording;
mod removal;
mod rotation;
mod runner;
mod set_aside;
mod stopping;
mod taint;
mod tenants;
mod tls;
#[path = "../support/traces.rs"]
mod traces;
#[path = "../support/truth.rs"]
mod truth;
mod trying;
mod users;
mod whole_tenant;
