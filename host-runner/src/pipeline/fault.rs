//! Why a run ended early, in a form that is kept with the run and shown to people.

use crate::contract::types;
use crate::domain::cut_line;
use crate::engine::CallError;
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong: exit codes and advice follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The credentials were refused.
    Unauthorized,
    /// The credentials' role lacks a permission.
    Forbidden,
    /// The tenant's licence does not cover the call.
    Unlicensed,
    /// A quota is used up.
    Exhausted,
    /// Not reached, or failing after all attempts.
    Unavailable,
    /// The API answered what its contract does not allow.
    Protocol,
    /// The checkpoint can't be used.
    Checkpoint,
    /// One of the host's limits.
    Limit,
    /// The component trapped, or broke the contract.
    Component,
    /// The store.
    Store,
    /// What fits none of these.
    Other,
}

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFault {
    /// What kind of thing.
    pub kind: FaultKind,
    /// Which call of the API, "" where none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub call: String,
    /// The HTTP status that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The limit's name, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// When it is worth trying again, in milliseconds since the epoch, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<u64>,
    /// What happened.
    pub message: String,
    /// What a person can do about it, "" where nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl RunFault {
    /// Whether the component itself ended the run: by a trap, at a limit, or by breaking the contract. What the API answered, the store, a
    /// checkpoint or a map are not its doing.
    #[must_use]
    pub fn is_the_components(&self) -> bool {
        matches!(self.kind, FaultKind::Limit | FaultKind::Component)
    }

    pub(crate) fn new(kind: FaultKind, message: impl Into<String>, remedy: &str) -> Self {
        Self {
            kind,
            call: String::new(),
            status: None,
            limit: None,
            retry_at: None,
            message: message.into(),
            remedy: remedy.to_owned(),
        }
    }

    pub(crate) fn broken_contract(message: impl Into<String>) -> Self {
        Self::new(
            FaultKind::Component,
            message,
            "Report it to the connector's author; what was committed before is kept.",
        )
    }
}

/// The longest text of a fault that is kept, in characters, and the longest name.
const LONGEST: usize = 2_000;
const LONGEST_NAME: usize = 200;

impl From<types::Fault> for RunFault {
    fn from(mut fault: types::Fault) -> Self {
        cut_line(&mut fault.call, LONGEST_NAME);
        cut_line(&mut fault.message, LONGEST);
        cut_line(&mut fault.remedy, LONGEST);
        let mut retry_at = None;
        let mut limit = None;
        let kind = match fault.cause {
            types::Cause::Unauthorized => FaultKind::Unauthorized,
            types::Cause::Forbidden => FaultKind::Forbidden,
            types::Cause::Unlicensed => FaultKind::Unlicensed,
            types::Cause::Exhausted(until) => {
                retry_at = until;
                FaultKind::Exhausted
            }
            types::Cause::Unavailable => FaultKind::Unavailable,
            types::Cause::Protocol => FaultKind::Protocol,
            types::Cause::Checkpoint => FaultKind::Checkpoint,
            types::Cause::Limit(mut name) => {
                cut_line(&mut name, LONGEST_NAME);
                limit = Some(name);
                FaultKind::Limit
            }
            types::Cause::Other(_) => FaultKind::Other,
        };
        Self {
            kind,
            call: fault.call,
            status: fault.status,
            limit,
            retry_at,
            message: fault.message,
            remedy: fault.remedy,
        }
    }
}

impl From<CallError> for RunFault {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Limit { reached, .. } => Self {
                limit: Some(reached.name.to_owned()),
                ..Self::new(
                    FaultKind::Limit,
                    message,
                    &format!(
                        "Raise it with --limit-{} if the connector is to be trusted with more; what was committed is kept.",
                        reached.name
                    ),
                )
            },
            CallError::Cancelled { .. } => Self::new(FaultKind::Other, message, ""),
            CallError::Trap { .. } | CallError::Contract { .. } => Self::broken_contract(message),
        }
    }
}
