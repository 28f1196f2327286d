//! Runner.

pub mod egress;
pub mod secrets;
