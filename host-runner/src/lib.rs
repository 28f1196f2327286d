//! Runner.

pub mod domain;
pub mod egress;
pub mod model;
pub mod secrets;
pub mod store;
