//! What the fuzz targets do with the bytes that they are given: one function per target, so that a case can be played without a fuzzer.
//!
//! Each asks for two things: that nothing panics, overflows or runs on for ever, and that what comes out is what the contract promises.

mod component;
mod configuration;
mod maps;
mod platform;
mod replies;
mod rows;
mod seeds;
mod sift;

pub use component::component;
pub use configuration::configuration;
pub use maps::maps;
pub use replies::replies;
pub use rows::rows;
pub use seeds::{plant, seeds};
pub use sift::sift;

/// What stands between the parts of an input: a byte that no JSON holds.
const BETWEEN: u8 = 0xff;

/// The parts of an input.
fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == BETWEEN)
}
