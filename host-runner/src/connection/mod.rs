//! What can be done with a connection, without a word printed: set it up, change it, remove it, and build what a run of it needs.
//!
//! The command line asks for these services and tells their results; another front end could do the same.

mod map_argument;

pub use map_argument::{MapArgument, MapArgumentError};
