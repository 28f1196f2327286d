//! Where a read in slices stands: what a checkpoint holds.

use super::edges::Edge;
use crate::api::PAGE_RECORDS;
use crate::contract::{Mode, Slice};
use crate::sync::recheck;
use serde::Serialize;
use serde_json::Value;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

    fn read(json: &Value) -> Option<Range> {
        json.is_object().then(|| Range {
            from: json.get("from").and_then(Value::as_u64),
            to: json.get("to").and_then(Value::as_u64),
        })
    }

    pub fn name(&self) -> String {
        let end = |end: Option<u64>| end.map_or_else(|| "…".to_owned(), |end| end.to_string());
        format!("{} to {}", end(self.from), end(self.to))
    }
}

/// The slice that is being read.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    pub looked: bool,
    /// Whether the attempt before gave nothing at all.
    pub empty: bool,
    /// The first record that was handed over and the last one, where the next page begins.
    pub first: Option<Edge>,
    pub last: Option<Edge>,
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

    fn read(json: &Value) -> Option<Current> {
        Some(Current {
            range: Range::read(json.get("range")?)?,
            offset: u32::try_from(number(json, "offset")?).ok()?,
            said: number(json, "said"),
            read: number(json, "read")?,
            attempt: small(json, "attempt")?,
            whole: flag(json, "whole"),
            looked: flag(json, "looked"),
            empty: flag(json, "empty"),
            first: json.get("first").and_then(Edge::read),
            last: json.get("last").and_then(Edge::read),
        })
    }
}

/// A slice that was read, as evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Done {
    pub name: String,
    pub read: u64,
    pub said: Option<u64>,
    pub ended_short: bool,
    pub second_look: bool,
    /// Whether it holds only what came since the start.
    pub late: bool,
}

impl Done {
    fn read(json: &Value) -> Option<Done> {
        Some(Done {
            name: json.get("name")?.as_str()?.to_owned(),
            read: number(json, "read")?,
            said: number(json, "said"),
            ended_short: flag(json, "ended_short"),
            second_look: flag(json, "second_look"),
            late: flag(json, "late"),
        })
    }
}

/// What is read one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(in crate::sync) struct Marks {
    /// All that came until then was read.
    pub since: Option<u64>,
    /// All that was seen until then was read: the start of the last sweep, or of the last full read.
    pub swept: Option<u64>,
}

/// Where the read stands; the checkpoint's state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::sync) struct State {
    /// When the read began, by the host's clock or, where that is ahead, the API's.
    pub(super) started: u64,
    /// Whether the API's clock was asked.
    pub(super) clock_asked: bool,
    pub(super) part: Part,
    /// None in a checkpoint of version 1, which had full reads only.
    pub(super) marks: Option<Marks>,
    /// Slices still to read, the next one last.
    pub(super) pending: Vec<Range>,
    pub(super) current: Option<Current>,
    pub(super) done: Vec<Done>,
    /// How often a look at the whole did not agree with the slices.
    pub(super) looks: u8,
    /// Why something may be missing.
    pub(super) reasons: Vec<String>,
    /// What the sorter remembers.
    pub(super) seen: BTreeSet<String>,
    pub(super) recheck: recheck::State,
    /// All records handed over.
    pub(super) read: u64,
    /// Whether the end was told.
    pub(super) ended: bool,
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

    /// The state in a checkpoint, of this version or of version 1, which lacks some of it; none where it is no state.
    pub fn read(json: &Value) -> Option<State> {
        let texts = |name: &str| -> Option<Vec<String>> {
            let mut texts = Vec::new();
            for text in json.get(name)?.as_array()? {
                texts.push(text.as_str()?.to_owned());
            }
            Some(texts)
        };
        let mut pending = Vec::new();
        for range in json.get("pending")?.as_array()? {
            pending.push(Range::read(range)?);
        }
        let mut done = Vec::new();
        for slice in json.get("done")?.as_array()? {
            done.push(Done::read(slice)?);
        }
        let mut seen = BTreeSet::new();
        seen.extend(texts("seen")?);
        Some(State {
            started: number(json, "started")?,
            clock_asked: flag(json, "clock_asked"),
            part: match json.get("part").and_then(Value::as_str) {
                None | Some("All") => Part::All,
                Some("New") => Part::New,
                Some("Sweep") => Part::Sweep,
                Some("Rest") => Part::Rest,
                Some(_) => return None,
            },
            marks: json
                .get("marks")
                .filter(|marks| !marks.is_null())
                .map(|marks| Marks {
                    since: number(marks, "since"),
                    swept: number(marks, "swept"),
                }),
            pending,
            current: match json.get("current") {
                None | Some(Value::Null) => None,
                Some(current) => Some(Current::read(current)?),
            },
            done,
            looks: small(json, "looks").unwrap_or(0),
            reasons: texts("reasons")?,
            seen,
            recheck: json
                .get("recheck")
                .map(recheck::State::read)
                .unwrap_or_default(),
            read: number(json, "read")?,
            ended: flag(json, "ended"),
        })
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

fn number(json: &Value, name: &str) -> Option<u64> {
    json.get(name)?.as_u64()
}

fn small(json: &Value, name: &str) -> Option<u8> {
    u8::try_from(number(json, name)?).ok()
}

fn flag(json: &Value, name: &str) -> bool {
    json.get(name) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let state = State {
            clock_asked: true,
            part: Part::Sweep,
            pending: vec![Range {
                from: Some(3),
                to: None,
            }],
            current: Some(Current {
                offset: 99,
                said: Some(300),
                read: 100,
                whole: true,
                looked: true,
                empty: true,
                first: Some(Edge::Hash(u64::MAX)),
                last: Some(Edge::of("k")),
                ..Current::new(
                    Range {
                        from: None,
                        to: Some(4),
                    },
                    2,
                )
            }),
            done: vec![Done {
                name: "n".to_owned(),
                read: 5,
                said: Some(5),
                ended_short: true,
                second_look: true,
                late: true,
            }],
            looks: 1,
            reasons: vec!["a doubt".to_owned()],
            seen: ["tag".to_owned()].into(),
            recheck: recheck::State::read(
                &json!({"after": "k", "asked": 7, "requests": 2, "untold": 1, "missing": ["m"], "canary": "c", "done": true}),
            ),
            read: 105,
            ended: true,
            ..State::new(
                9,
                Mode::Incremental,
                Marks {
                    since: Some(8),
                    swept: None,
                },
            )
        };
        let json = serde_json::to_value(&state).unwrap();
        assert_eq!(State::read(&json), Some(state));
        for name in ["started", "pending", "done", "reasons", "seen", "read"] {
            let mut less = json.clone();
            less.as_object_mut().unwrap().remove(name);
            assert_eq!(State::read(&less), None, "{name}");
        }
        let mut other = json.clone();
        other["part"] = json!("Unheard");
        assert_eq!(State::read(&other), None);
        let mut other = json;
        other["current"] = json!({"range": {}});
        assert_eq!(State::read(&other), None);
    }
}
