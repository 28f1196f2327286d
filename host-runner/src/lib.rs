//! Runner.

pub mod cli;
pub mod connection;
pub mod domain;
pub mod egress;
pub mod model;
pub mod secrets;
pub mod store;
