//! A marked key goes through everything that the runner does, and is then looked for everywhere: in the memory of each instance, in the store, in
//! every line of every crate, in messages, reports and recordings. And the search is shown to find it where it is put on purpose.
//!
//! A test binary of its own: it listens to all that the process says, and watches all memory that it frees.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod freed;
mod listening;
mod memory;
mod store;
mod sweep;
mod wiped;
