//! The real component in the real runner against the simulator, over HTTP: what a person would do, checked record by record.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod alerts;
mod blindspots;
mod connecting;
mod endpoints;
mod faults;
mod pitfalls;
mod recordings;
mod remaking;
mod state;
mod tenants;
mod vulnerabilities;
mod what_if;
