//! What is read one after the other, and from where to where.
//!
//! A full read lists all. An incremental one lists what is new: for alerts by the time at which the server stored them, closed some
//! minutes in the past, because what arrives late bears an old creation time; for endpoints by the time at which they were first seen. Then,
//! where it is due, a sweep lists the endpoints that were seen since the last one: every heartbeat moves that time, so it costs
//! requests for all that are alive.

use super::state::{Part, Range};
use super::{ATTEMPTS, Sliced};
use crate::api::{Filter, time};
use crate::contract::log::Level;
use crate::contract::{Coverage, Fault, Mode, Progress, Summary};
use crate::platform::Platform;
use http::HeaderMap;

/// How far a window reaches back into the last one: for what the server showed later than its time says, and for clocks that are apart.
const OVERLAP: u64 = 600_000;

/// How far the API's clock may seem behind before it counts: its header has whole seconds.
const SAME_TIME: u64 = 2_000;

const HOUR: u64 = 3_600_000;

impl<P: Platform> Sliced<P> {
    /// Puts up the slices of the part that begins.
    pub(super) fn begin_part(&mut self) {
        let now = self.state.started;
        self.state.current = None;
        self.state.pending = match self.state.part {
            // The first slice ends now: what arrives from now on comes in the second, and shifts no page of the first.
            Part::All => vec![
                Range {
                    from: Some(now.saturating_add(1)),
                    to: None,
                },
                Range {
                    from: None,
                    to: Some(now),
                },
            ],
            Part::New if self.window().is_some_and(|window| window.from > window.to) => {
                self.state.reasons.push(format!(
                    "The clock stands before the time up to which was read ({}): nothing new can be asked for.",
                    self.window().unwrap_or(Range::ALL).name()
                ));
                Vec::new()
            }
            Part::New if self.listing.new_by == self.listing.filter_time => {
                self.window().into_iter().collect()
            }
            Part::New => vec![Range::ALL],
            Part::Sweep => vec![Range {
                from: None,
                to: Some(now),
            }],
            Part::Rest => Vec::new(),
        };
    }

    /// The time within which what is new is asked for. Its end is fixed before the first request.
    fn window(&self) -> Option<Range> {
        (self.state.part == Part::New).then(|| Range {
            from: self
                .state
                .marks()
                .since
                .map(|since| since.saturating_sub(OVERLAP)),
            to: Some(self.state.started.saturating_sub(self.listing.lag)),
        })
    }

    /// What holds for every slice of the part.
    pub(super) fn filters(&self, range: Range) -> Vec<Filter> {
        let listing = &self.listing;
        let mut filters = listing.filters.clone();
        let mut within = |field, range: Range| {
            filters.extend(range.from.map(|from| Filter::since(field, from)));
            filters.extend(range.to.map(|to| Filter::until(field, to)));
        };
        match self.state.part {
            Part::New if listing.new_by != listing.filter_time => {
                within(listing.new_by, self.window().unwrap_or(Range::ALL));
            }
            Part::Sweep => within(
                listing.seen_by,
                Range {
                    from: self
                        .state
                        .marks()
                        .swept
                        .map(|swept| swept.saturating_sub(OVERLAP)),
                    to: None,
                },
            ),
            _ => {}
        }
        within(listing.filter_time, range);
        filters
    }

    /// Sees from the first answer whether the host's clock is ahead of the API's. Then the read begins anew by the API's: a window that
    /// ends in the API's future would be taken for read before all of it came. Behind does no harm.
    pub(super) fn ask_clock(&mut self, headers: &HeaderMap) -> bool {
        if std::mem::replace(&mut self.state.clock_asked, true) {
            return false;
        }
        let Some(date) = time::of_answer(headers) else {
            return false;
        };
        if date.saturating_add(SAME_TIME) >= self.state.started {
            return false;
        }
        self.client.platform().log(
            Level::Warn,
            "This host's clock is ahead of the API's; what is read is counted by the API's.",
            &[(
                "seconds",
                (self.state.started.saturating_sub(date) / 1_000).to_string(),
            )],
        );
        self.state.started = date;
        self.begin_part();
        true
    }

    /// Notes what is proven by the part that ends, and begins the next; false where nothing more is to be listed.
    pub(super) async fn next_part(&mut self) -> Result<bool, Fault> {
        let started = self.state.started;
        let mut marks = self.state.marks();
        let part = self.state.part;
        if part == Part::All && !self.look_agrees().await? {
            self.begin_part();
            return Ok(true);
        }
        let proven = self.state.reasons.is_empty();
        let until = self.window().and_then(|window| window.to);
        self.state.part = Part::Rest;
        match part {
            Part::All => {
                // What was proven before stays so where this read proves nothing.
                if proven {
                    marks.since = Some(started);
                    marks.swept = Some(started);
                }
            }
            Part::New => {
                if proven {
                    marks.since = marks.since.max(until);
                }
                let due = self.listing.sweep_hours.is_some_and(|hours| {
                    marks.swept.is_none_or(|swept| {
                        started.saturating_sub(swept) >= u64::from(hours) * HOUR
                    })
                });
                if due {
                    self.state.part = Part::Sweep;
                }
            }
            Part::Sweep => {
                if proven {
                    marks.swept = Some(started);
                }
            }
            Part::Rest => {}
        }
        self.state.marks = Some(marks);
        self.begin_part();
        Ok(self.state.part != Part::Rest)
    }

    /// A second look at a full read: the whole is asked for once more, and must be as many as the slices gave together, where that can be
    /// counted. Where it is not, all is read again. What gave nothing at all is asked for without any range of time: an
    /// empty tenant and a range that the API misunderstands must not look alike.
    async fn look_agrees(&mut self) -> Result<bool, Fault> {
        if !self.state.reasons.is_empty() {
            return Ok(true);
        }
        let limits = self.listing.limits;
        let early = self.state.done.iter().filter(|done| !done.late);
        let read: u64 = early.map(|done| done.read).sum();
        let range = if read == 0 {
            Range::ALL
        } else {
            Range {
                from: None,
                to: Some(self.state.started),
            }
        };
        let page = self.ask(range, 0, 1).await?.value;
        let expected = if read == 0 {
            self.state.done.iter().map(|done| done.read).sum()
        } else {
            read
        };
        let agrees = match limits.count(page.total) {
            Some(total) => total == expected,
            // Too many to count, or not counted: each slice was looked at on its own.
            None => page.records.is_empty() == (expected == 0),
        };
        if agrees {
            return Ok(true);
        }
        let problem = format!(
            "The slices gave {expected} records, and a second look at the whole ({}) says {}.",
            range.name(),
            super::judge::shown(page.total)
        );
        self.state.looks += 1;
        if self.state.looks < ATTEMPTS {
            self.warn(&problem, self.state.looks);
            self.state.done.clear();
            return Ok(false);
        }
        self.state.reasons.push(problem);
        Ok(true)
    }

    /// The end. It may be asked for again.
    pub(super) fn end(&mut self) -> Result<Progress, Fault> {
        if !self.state.ended {
            // Of what an incremental read sees nothing follows for what it does not.
            if self.mode == Mode::Full {
                self.sorter.ended(&self.client, &self.state.seen);
            }
            self.state.ended = true;
        }
        let coverage = if self.state.reasons.is_empty() {
            Coverage::Complete(self.state.done.iter().map(super::state::slice).collect())
        } else {
            Coverage::Incomplete(self.state.reasons.clone())
        };
        Ok(Progress::End(Summary {
            checkpoint: self.checkpoint()?,
            read: self.state.read,
            coverage,
        }))
    }
}
