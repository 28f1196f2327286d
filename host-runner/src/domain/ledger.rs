//! The account of what became of all that was read.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What became of all that was read: each record that was read is counted in exactly one of the groups.
///
/// `read = new + changed + unchanged + closed + filtered + out_of_scope + parked + duplicate + quarantined`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ledger {
    /// Records read, by the connector's hand: entries, closures, quarantined ones, and those that it skipped and only counted.
    pub read: u64,
    /// Entries that were not held before.
    pub new: u64,
    /// Entries whose fingerprint is another one than before, or which were closed or out of scope before.
    pub changed: u64,
    /// Entries that are as they were, and closures of records that were closed already.
    pub unchanged: u64,
    /// Records that the source says are resolved or gone.
    pub closed: u64,
    /// Left out, by the filter's name. Closures of records that are not held are among them, by the closing's name.
    pub filtered: BTreeMap<String, u64>,
    /// Held records that a filter of the configuration leaves out now.
    #[serde(alias = "out_of_scope")]
    pub out_of_scope: u64,
    /// Entries kept without an asset, because it is not held and may not be created.
    pub parked: u64,
    /// Entries whose key was read before in this sync, with the same fingerprint, or repeats in its step.
    pub duplicate: u64,
    /// What could not be read or mapped, kept as it came.
    pub quarantined: u64,

    /// Not part of the sum: of those in quarantine, how many had no key. Such a sync proves nothing about what it did not see.
    #[serde(alias = "without_key")]
    pub without_key: u64,
    /// Not part of the sum: of the changed, how many were closed or out of scope before.
    pub reopened: u64,
    /// Not part of the sum: records closed, or moved out of scope, because a proven full sync did not see them.
    pub removed: u64,
    /// Not part of the sum: what happened to documents.
    pub documents: Documents,
}

/// What happened to documents. One record can give several, so these stand beside the ledger's sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Documents {
    /// Assets onboarded.
    #[serde(alias = "assets_created")]
    pub assets_created: u64,
    /// Assets that were held and took on mapped values.
    #[serde(alias = "assets_updated")]
    pub assets_updated: u64,
    /// Assets that no source feeds any more.
    #[serde(alias = "assets_deactivated")]
    pub assets_deactivated: u64,
    /// Findings that were not held before, parked ones among them.
    #[serde(alias = "findings_new")]
    pub findings_new: u64,
    /// Findings that were open and whose document is another one now.
    #[serde(alias = "findings_changed")]
    pub findings_changed: u64,
    /// Findings closed.
    #[serde(alias = "findings_closed")]
    pub findings_closed: u64,
    /// Findings that were closed or out of scope, and are open again.
    #[serde(alias = "findings_reopened")]
    pub findings_reopened: u64,
    /// Findings that moved out of scope.
    #[serde(alias = "findings_out_of_scope")]
    pub findings_out_of_scope: u64,
    /// Findings that were parked and found their asset.
    #[serde(alias = "findings_attached")]
    pub findings_attached: u64,
}

impl Ledger {
    /// The sum of the groups.
    pub fn accounted(&self) -> u64 {
        [
            self.new,
            self.changed,
            self.unchanged,
            self.closed,
            self.out_of_scope,
            self.parked,
            self.duplicate,
            self.quarantined,
        ]
        .into_iter()
        .chain(self.filtered.values().copied())
        .fold(0, u64::saturating_add)
    }

    /// Whether each record that was read is accounted for.
    pub fn adds_up(&self) -> bool {
        self.read == self.accounted()
    }

    /// Counts records that the named filter left out.
    pub fn filter(&mut self, name: &str, count: u64) {
        if count > 0 {
            let held = self.filtered.entry(name.to_owned()).or_default();
            *held = held.saturating_add(count);
        }
    }

    /// Records left out by any filter.
    pub fn filtered_total(&self) -> u64 {
        self.filtered.values().copied().fold(0, u64::saturating_add)
    }
}

impl AddAssign<&Ledger> for Ledger {
    fn add_assign(&mut self, other: &Ledger) {
        for (to, from) in [
            (&mut self.read, other.read),
            (&mut self.new, other.new),
            (&mut self.changed, other.changed),
            (&mut self.unchanged, other.unchanged),
            (&mut self.closed, other.closed),
            (&mut self.out_of_scope, other.out_of_scope),
            (&mut self.parked, other.parked),
            (&mut self.duplicate, other.duplicate),
            (&mut self.quarantined, other.quarantined),
            (&mut self.without_key, other.without_key),
            (&mut self.reopened, other.reopened),
            (&mut self.removed, other.removed),
        ] {
            *to = to.saturating_add(from);
        }
        for (name, count) in &other.filtered {
            self.filter(name, *count);
        }
        self.documents += &other.documents;
    }
}

impl AddAssign<&Documents> for Documents {
    fn add_assign(&mut self, other: &Documents) {
        for (to, from) in [
            (&mut self.assets_created, other.assets_created),
            (&mut self.assets_updated, other.assets_updated),
            (&mut self.assets_deactivated, other.assets_deactivated),
            (&mut self.findings_new, other.findings_new),
            (&mut self.findings_changed, other.findings_changed),
            (&mut self.findings_closed, other.findings_closed),
            (&mut self.findings_reopened, other.findings_reopened),
            (&mut self.findings_out_of_scope, other.findings_out_of_scope),
            (&mut self.findings_attached, other.findings_attached),
        ] {
            *to = to.saturating_add(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_adds_up_only_if_each_record_is_in_one_group() {
        let mut ledger = Ledger {
            read: 5,
            new: 2,
            duplicate: 1,
            ..Ledger::default()
        };
        ledger.filter("tags", 2);
        assert!(ledger.adds_up());
        ledger.parked += 1;
        assert!(!ledger.adds_up());
    }

    #[test]
    fn what_stands_beside_the_sum_does_not_change_it() {
        let ledger = Ledger {
            read: 1,
            changed: 1,
            reopened: 1,
            removed: 7,
            ..Ledger::default()
        };
        assert!(ledger.adds_up());
    }

    #[test]
    fn adding_ledgers_adds_every_count() {
        let mut one = Ledger {
            read: 1,
            quarantined: 1,
            without_key: 1,
            ..Ledger::default()
        };
        one.filter("status", 3);
        one.documents.findings_closed = 2;
        let mut sum = one.clone();
        sum += &one;
        assert_eq!(sum.read, 2);
        assert_eq!(sum.without_key, 2);
        assert_eq!(sum.filtered.get("status"), Some(&6));
        assert_eq!(sum.documents.findings_closed, 4);
    }

    #[test]
    fn a_ledger_is_written_in_camel_case_and_read_in_both() {
        let mut ledger = Ledger {
            out_of_scope: 1,
            without_key: 2,
            ..Ledger::default()
        };
        ledger.documents.findings_out_of_scope = 3;
        let written = serde_json::to_value(&ledger).unwrap();
        assert_eq!(written["outOfScope"], 1);
        assert_eq!(written["documents"]["findingsOutOfScope"], 3);
        let older =
            r#"{"out_of_scope": 1, "without_key": 2, "documents": {"findings_out_of_scope": 3}}"#;
        assert_eq!(serde_json::from_value::<Ledger>(written).unwrap(), ledger);
        assert_eq!(serde_json::from_str::<Ledger>(older).unwrap(), ledger);
    }

    #[test]
    fn a_ledger_written_by_an_older_build_reads_with_zeros() {
        let ledger: Ledger = serde_json::from_str(r#"{"read": 3, "new": 3}"#).unwrap();
        assert!(ledger.adds_up());
    }
}
