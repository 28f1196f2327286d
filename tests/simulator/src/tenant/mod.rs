//! The simulated tenant.
pub mod handle;
pub mod view;
