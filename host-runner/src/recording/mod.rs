//! Recordings: a sync written down as its component met it, to be run again bit for bit without a network.
//!
//! The tap stands at the boundary of the imports and of the store, so a recording holds what the component asked and was told, in order, and what the
//! store answered about it; never a secret, which does not come by there. A guest is a pure function of that: see [`crate::imports::Tap`].
//!
//! [`event`] is what a line says, [`file`] reads and writes lines, [`record`] taps a sync that goes on, [`replay`] answers one from a file, and
//! [`anonymise`] writes a recording anew with other names.

pub mod anonymise;
mod digest;
mod error;
pub mod event;
pub mod file;
mod payload;
pub mod record;
pub mod replay;

pub use anonymise::{AnonymiseError, anonymise};
pub use digest::Parts;
pub use error::RecordingError;
pub use event::{Event, Header, Setup};
pub use file::{Reader, Target, Writer, parse};
pub use payload::Payload;
pub use record::{Recorder, setup};
pub use replay::{Divergence, Ending, Replayed, replay};

#[cfg(test)]
mod tests;
