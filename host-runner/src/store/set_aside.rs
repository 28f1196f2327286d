//! Connections whose component keeps breaking are set aside until someone looks.
//!
//! What counts is a run that the component itself ended: by a trap, at one of the host's limits, or by breaking the contract. What the API answered says
//! nothing of it, nor does a run that was stopped, whose process was killed, or whose store failed. Such a run neither counts nor clears: were it to
//! clear, a component could trap for ever beside an API that is down every third time. A run that came to its end clears.
//!
//! Runs in a row are looked at in two ways, and either is enough: those of the connection, and those of one data stream. A data stream that breaks
//! each time would otherwise never count, beside others that end well.

use serde::{Deserialize, Serialize};

use crate::domain::{RunId, Timestamp};

/// So many runs in a row that the component ended.
pub const IN_A_ROW: u32 = 3;

/// What a run says of the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conduct {
    /// It came to its end.
    Sound,
    /// The component ended it: a trap, a limit, a broken contract. Why stands in [`super::RunEnd::fault`].
    Broken,
    /// Nothing.
    #[default]
    Silent,
}

impl Conduct {
    /// How it is stored.
    pub(super) fn number(self) -> Option<i64> {
        match self {
            Self::Sound => Some(0),
            Self::Broken => Some(1),
            Self::Silent => None,
        }
    }
}

/// Why a connection is not run until someone looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAside {
    /// Since when.
    pub at: Timestamp,
    /// The run that was the last straw.
    pub run: RunId,
    /// How many in a row the component ended.
    pub in_a_row: u32,
    /// Why that run ended.
    pub reason: String,
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "its component ended {} runs in a row, the last (run {}) with: {}",
            self.in_a_row, self.run, self.reason
        )
    }
}
