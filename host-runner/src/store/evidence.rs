//! Why something was closed: what an auditor is shown.

use serde::{Deserialize, Serialize};

use crate::domain::{RunId, SyncId, Timestamp};

/// What became of a record that is not, or no longer, an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason", content = "detail")]
pub enum Closing {
    /// The source says that it is dealt with.
    Resolved,
    /// The source says that it is gone.
    Deleted,
    /// It lives, and the named filter of the configuration leaves it out.
    OutOfScope(String),
    /// A full sync that was proven complete did not see it.
    Gone,
    /// The entry that gave the finding was read again and gives it no more.
    NoLongerListed,
    /// The asset that the finding is on is proven gone.
    AssetGone,
}

impl Closing {
    /// The name under which a closure of a record that is not held is counted as filtered.
    pub fn filter_name(&self) -> &str {
        match self {
            Self::Resolved => "resolved",
            Self::Deleted => "deleted",
            Self::OutOfScope(filter) => filter,
            Self::Gone => "gone",
            Self::NoLongerListed => "no-longer-listed",
            Self::AssetGone => "asset-gone",
        }
    }
}

/// Why something was closed or moved out of scope, by whom, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What became of it.
    #[serde(flatten)]
    pub closing: Closing,
    /// The API's own word, as it came, or what the platform saw.
    pub word: String,
    /// When the source says that it happened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// The sync in which it was seen.
    pub sync: SyncId,
    /// The run in which it was committed; none where it was a change of the configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<RunId>,
}
