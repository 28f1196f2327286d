//! The end of a sync, and the question whether what it did not see may be taken for gone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{RunId, SyncId, Timestamp};

/// The end of a sync.
#[derive(Debug, Clone)]
pub struct EndCommit {
    /// The run that came to it.
    pub run: RunId,
    /// The sync.
    pub sync: SyncId,
    /// When.
    pub now: Timestamp,
    /// Where the next incremental sync begins.
    pub checkpoint: Vec<u8>,
    /// See [`super::StepCommit::made_with`].
    pub made_with: String,
    /// What the facts say, by the host's own judgement.
    pub coverage: Coverage,
    /// What keeps a sync from removing too much.
    pub guard: RemovalGuard,
}

/// The host's judgement on whether a sync read all that is in scope.
#[derive(Debug, Clone, PartialEq)]
pub enum Coverage {
    /// It did: the slices it was read in, as evidence.
    Complete {
        /// The slices, as JSON.
        slices: Value,
    },
    /// Something may be missing, for these reasons: nothing is removed.
    Incomplete {
        /// For a person.
        reasons: Vec<String>,
    },
}

/// What keeps a sync from removing too much. A removal is withheld where it would take more than `share` of the open records and at
/// least `at_least` of them, or where `hold` says so, unless it is confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct RemovalGuard {
    /// Of the open records of the data stream, from 0 to 1.
    pub share: f64,
    /// Fewer than so many are never too many.
    pub at_least: u64,
    /// Why whoever reads may see less than before ("the API key was replaced"): any removal at all is withheld, and what was not seen is out of scope
    /// once that is confirmed, not gone.
    pub hold: Option<String>,
    /// Someone looked at what would be removed and agreed.
    pub confirmed: bool,
}

impl Default for RemovalGuard {
    fn default() -> Self {
        Self {
            share: 0.2,
            at_least: 50,
            hold: None,
            confirmed: false,
        }
    }
}

impl RemovalGuard {
    /// Why a removal of `unseen` out of `held` records is withheld, if it is.
    pub fn withholds(&self, held: u64, unseen: u64) -> Option<String> {
        if self.confirmed || unseen == 0 {
            return None;
        }
        if let Some(hold) = &self.hold {
            return Some(hold.clone());
        }
        let share = unseen as f64 / held.max(1) as f64;
        (unseen >= self.at_least && share > self.share).then(|| {
            format!(
                "{unseen} of {held} open records were not seen, {:.0} %: more than the {:.0} % that a sync may remove unasked",
                share * 100.0,
                self.share * 100.0
            )
        })
    }
}

/// What becomes of the records that a proven full sync did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// They are gone: closed, with the sync as evidence.
    Gone,
    /// The scope is another one than in the last complete full sync, or whoever reads may see less: they are out of scope.
    OutOfScope,
}

/// What the end of a full sync would remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalPreview {
    /// Open records of the data stream.
    pub held: u64,
    /// Of these, those that the sync did not see.
    pub unseen: u64,
    /// What would become of them.
    pub would_be: Unseen,
    /// Open findings that would go with them: their own, and those on assets that nothing else feeds.
    pub findings: u64,
    /// Some of them.
    pub sample: Vec<UnseenRecord>,
}

/// A record that would be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnseenRecord {
    /// Its key.
    pub key: String,
    /// The host that it is, or is on.
    pub host: Option<String>,
    /// The title of its finding, where it has one alone.
    pub title: Option<String>,
}

/// What was done at the end of a sync.
#[derive(Debug, Clone, PartialEq)]
pub struct EndReport {
    /// About what was not seen.
    pub verdict: Verdict,
    /// The counts of the end alone: records removed, findings closed, assets deactivated.
    pub ledger: crate::domain::Ledger,
}

/// What was done about records that were not seen. Kept with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// An incremental sync removes nothing for absence.
    Incremental {
        /// Why it may have missed something, where it may.
        reasons: Vec<String>,
    },
    /// All was read, and what was not seen is removed (`removed` may be 0).
    Complete {
        /// How many.
        removed: u64,
        /// What became of them.
        unseen: Unseen,
    },
    /// Something may be missing: nothing is removed.
    Incomplete {
        /// Why.
        reasons: Vec<String>,
    },
    /// All was read, and more is missing than the guard lets go: nothing is removed.
    Withheld {
        /// Why.
        reason: String,
        /// What would be removed.
        preview: RemovalPreview,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_withheld_only_where_it_is_both_many_and_a_large_share() {
        let guard = RemovalGuard::default();
        for (held, unseen, withheld) in [
            (1_000, 0, false),
            (1_000, 200, false),
            (1_000, 201, true),
            (100, 49, false),
            (100, 50, true),
            (50, 50, true),
            (40, 40, false),
            (250, 50, false),
        ] {
            assert_eq!(
                guard.withholds(held, unseen).is_some(),
                withheld,
                "{unseen} of {held}"
            );
        }
    }

    #[test]
    fn a_hold_withholds_every_removal_until_it_is_confirmed() {
        let mut guard = RemovalGuard {
            hold: Some("the key changed".to_owned()),
            ..RemovalGuard::default()
        };
        assert_eq!(
            guard.withholds(1_000, 1),
            Some("the key changed".to_owned())
        );
        assert_eq!(guard.withholds(1_000, 0), None);
        guard.confirmed = true;
        assert_eq!(guard.withholds(1_000, 1_000), None);
    }
}
