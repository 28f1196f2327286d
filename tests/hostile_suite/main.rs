//! Hostile components against the runner with its default limits. `SECURITY.md` lists what is tried here and what it meets; where waiting for a
//! default would take minutes, it is lowered by its name, and the test says so.
//!
//! While an attack runs, another tenant's sync runs in the same process and engine: what it commits is counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod bench;
mod compiling;
mod describing;
mod flooding;
mod giving;
mod loops;
mod reaching;
mod sections;
mod server;
mod spending;
mod table;
