//! Where a read in slices stands: what a checkpoint holds.

use crate::api::PAGE_RECORDS;
use crate::contract::Slice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where the API's paging has its limits.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) struct Limits {
    /// Records of a page.
    pub page: u32,
    /// From this total on, the API's word is no count any more.
    pub capped: u64,
    /// The offset at which a slice that is too large is cut: below the cap, with room for what arrives while it is read.
    pub cut_at: u32,
    /// Where paging ends.
    pub last_offset: u32,
}

impl Limits {
    /// "If the filter returns more than 9,999 the total_count value returned will be 9,999" (API reference); two connectors saw that
    /// the API does not page beyond 10,000.
    pub const API: Limits = Limits {
        page: PAGE_RECORDS,
        capped: 9_999,
        cut_at: 9_000,
        last_offset: 10_000,
    };
}

/// A range of time, both ends included, in milliseconds since the epoch; open where none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    pub from: Option<u64>,
    pub to: Option<u64>,
}

impl Range {
    pub fn name(&self) -> String {
        let end = |end: Option<u64>| end.map_or_else(|| "…".to_owned(), |end| end.to_string());
        format!("{} to {}", end(self.from), end(self.to))
    }
}

/// The slice that is being read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Current {
    pub range: Range,
    /// The offset of the next page to hand over.
    pub offset: u32,
    /// The total on the first page.
    pub said: Option<u64>,
    /// Records read in this attempt.
    pub read: u64,
    /// Which attempt this is, from 1.
    pub attempt: u8,
    /// Whether it is to be read without cutting it any more.
    pub whole: bool,
}

impl Current {
    pub fn new(range: Range) -> Current {
        Current {
            range,
            offset: 0,
            said: None,
            read: 0,
            attempt: 1,
            whole: false,
        }
    }

    /// The total, where it is a count.
    pub fn count(&self, limits: Limits) -> Option<u64> {
        self.said.filter(|said| *said < limits.capped)
    }
}

/// A slice that was read, as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    pub name: String,
    pub read: u64,
    pub said: Option<u64>,
    pub ended_short: bool,
    pub second_look: bool,
}

/// Where the read stands; the checkpoint's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sync) struct State {
    /// When the read began, by the host's clock.
    pub(super) started: u64,
    /// Slices still to read, the next one last.
    pub(super) pending: Vec<Range>,
    pub(super) current: Option<Current>,
    pub(super) done: Vec<Done>,
    /// Why something may be missing.
    pub(super) reasons: Vec<String>,
    /// What the sorter remembers.
    pub(super) seen: BTreeSet<String>,
    /// All records handed over.
    pub(super) read: u64,
    /// Whether the end was told.
    pub(super) ended: bool,
}

impl State {
    /// The first slice ends now: what arrives from now on comes in the second.
    pub fn new(now: u64) -> State {
        State {
            started: now,
            pending: vec![
                Range {
                    from: Some(now.saturating_add(1)),
                    to: None,
                },
                Range {
                    from: None,
                    to: Some(now),
                },
            ],
            current: None,
            done: Vec::new(),
            reasons: Vec::new(),
            seen: BTreeSet::new(),
            read: 0,
            ended: false,
        }
    }

    /// How many records there are in all, where the API's totals tell.
    pub fn expected(&self, limits: Limits) -> Option<u64> {
        let current = self.current.as_ref()?;
        // Only the slice of what arrived since the start may be open still.
        (self.pending.len() <= 1).then_some(())?;
        let rest = current.count(limits)?.saturating_sub(current.read);
        Some(self.read.saturating_add(rest))
    }
}

/// A slice as the contract's evidence.
pub(super) fn slice(done: &Done) -> Slice {
    Slice {
        name: done.name.clone(),
        read: done.read,
        said: done.said,
        ended_short: done.ended_short,
        second_look: done.second_look,
    }
}
