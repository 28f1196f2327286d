//! How a run comes to an end, and what ends it in the middle of a step.

use super::fault::RunFault;
use crate::engine::CallError;
use crate::store::{StoreError, Verdict};

/// How a run comes to an end.
pub(super) enum Ending {
    End(Verdict),
    Cancelled,
    Fault(RunFault),
}

/// Why a step could not be committed.
pub(super) enum Stop {
    Fault(RunFault),
    Store(StoreError),
}

impl From<RunFault> for Stop {
    fn from(fault: RunFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
