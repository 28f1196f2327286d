//! The binary killed anywhere: at each named commit point, at random moments, while a connection is saved. It starts again and ends as if
//! nothing had been.
//!
//! What is compared is all that is held, and the tenant itself is the last word. Nothing here looks into a process: it is started, killed,
//! and started again, and its files are read when it is gone.

mod connections;
mod draw;
mod locks;
mod moments;
mod points;
mod remake;
mod rotation;
mod state;
mod tenant;
pub mod victim;
