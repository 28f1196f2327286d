//! Queries from text to tree and back.

pub(crate) mod arbitrary;
mod errors;
mod forms;
mod properties;

use crate::domain::Timestamp;

/// 2026-03-31T12:34:56.789Z
pub(crate) fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-03-31T12:34:56.789Z").unwrap()
}
