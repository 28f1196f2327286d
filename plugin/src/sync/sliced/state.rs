//! Where a read in slices stands: what a checkpoint holds.

use crate::api::PAGE_RECORDS;
use crate::contract::{Mode, Slice};
use crate::sync::recheck;
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

    /// A total, where it is a count.
    pub fn count(self, total: Option<u64>) -> Option<u64> {
        total.filter(|total| *total < self.capped)
    }

    /// The offset after the last record of the page that begins at `offset`.
    pub fn page_end(self, offset: u32) -> u32 {
        offset.saturating_add(self.page).min(self.last_offset)
    }
}

/// A range of time, both ends included, in milliseconds since the epoch; open where none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) struct Range {
    pub from: Option<u64>,
    pub to: Option<u64>,
}

impl Range {
    /// All times.
    pub const ALL: Range = Range {
        from: None,
        to: None,
    };

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
    /// Whether the page before was short: the next one is a second look at the end.
    #[serde(default)]
    pub looked: bool,
    /// Whether the attempt before gave nothing at all.
    #[serde(default)]
    pub empty: bool,
    /// The hashes of the keys of the first record that was handed over and of the last one, where the next page begins.
    #[serde(default)]
    pub first: Option<u64>,
    #[serde(default)]
    pub last: Option<u64>,
}

impl Current {
    pub fn new(range: Range, attempt: u8) -> Current {
        Current {
            range,
            offset: 0,
            said: None,
            read: 0,
            attempt,
            whole: false,
            looked: false,
            empty: false,
            first: None,
            last: None,
        }
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
    /// Whether it holds only what came since the start.
    #[serde(default)]
    pub late: bool,
}

/// What is read one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) enum Part {
    /// All that is in scope: a full read.
    All,
    /// What is new since the last read.
    New,
    /// What was seen since the last sweep.
    Sweep,
    /// Nothing more of the list.
    Rest,
}

/// What is proven read: from where an incremental read must begin. In milliseconds since the epoch; none where nothing is proven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::sync) struct Marks {
    /// All that came until then was read.
    pub since: Option<u64>,
    /// All that was seen until then was read: the start of the last sweep, or of the last full read.
    pub swept: Option<u64>,
}

/// Where the read stands; the checkpoint's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sync) struct State {
    /// When the read began, by the host's clock or, where that is ahead, the API's.
    pub(super) started: u64,
    /// Whether the API's clock was asked.
    #[serde(default)]
    pub(super) clock_asked: bool,
    #[serde(default = "all")]
    pub(super) part: Part,
    /// None in a checkpoint of version 1, which had full reads only.
    #[serde(default)]
    pub(super) marks: Option<Marks>,
    /// Slices still to read, the next one last.
    pub(super) pending: Vec<Range>,
    pub(super) current: Option<Current>,
    pub(super) done: Vec<Done>,
    /// How often a look at the whole did not agree with the slices.
    #[serde(default)]
    pub(super) looks: u8,
    /// Why something may be missing.
    pub(super) reasons: Vec<String>,
    /// What the sorter remembers.
    pub(super) seen: BTreeSet<String>,
    #[serde(default)]
    pub(super) recheck: recheck::State,
    /// All records handed over.
    pub(super) read: u64,
    /// Whether the end was told.
    pub(super) ended: bool,
}

fn all() -> Part {
    Part::All
}

impl State {
    /// A new read, which knows of earlier ones what is proven.
    pub fn new(now: u64, mode: Mode, marks: Marks) -> State {
        State {
            started: now,
            clock_asked: false,
            part: match mode {
                Mode::Full => Part::All,
                Mode::Incremental => Part::New,
            },
            marks: Some(marks),
            pending: Vec::new(),
            current: None,
            done: Vec::new(),
            looks: 0,
            reasons: Vec::new(),
            seen: BTreeSet::new(),
            recheck: recheck::State::default(),
            read: 0,
            ended: false,
        }
    }

    /// What is proven read. Version 1 did not write it down: a full read of it that ended without a doubt proves all until its start.
    pub fn marks(&self) -> Marks {
        self.marks.unwrap_or_else(|| {
            let until = (self.ended && self.reasons.is_empty()).then_some(self.started);
            Marks {
                since: until,
                swept: until,
            }
        })
    }

    /// How many records there are in all, where the API's totals tell.
    pub fn expected(&self, limits: Limits) -> Option<u64> {
        let current = self.current.as_ref()?;
        // Only the slice of what arrived since the start may be open still.
        (self.pending.len() <= 1).then_some(())?;
        let rest = limits.count(current.said)?.saturating_sub(current.read);
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
