//! Values that tell who somebody is: where they stand in a record, and how they are left out of what is kept.
//!
//! A connector's schemas mark them (`"x-personal"`, see `wit/platform.wit`); the connector knows nothing of what becomes of them. Here is no I/O,
//! and nothing of the runner's other modules but what this one is given.

mod leave_out;
mod marks;
mod names;
mod nodes;

pub use leave_out::{LeaveOut, Unfit, hide_in_document};
pub use marks::{Marks, Personal, Place};
pub use names::{Names, REPLACED};
