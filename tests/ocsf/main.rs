//! The target `ocsf`: each document that leaves with it is one of the Open Cybersecurity Schema Framework, version 1.8.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod model;
mod platform;
mod records;
mod rules;
mod validator;
