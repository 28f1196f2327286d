//! Reading a list that the API pages, whole: the one mechanism for endpoints and alerts.
//!
//! The API pages by offset and, past about 10,000 records, tells neither how many there are (the total sticks at 9,999) nor
//! surely what comes after. So the list is read in slices of time, each small enough to be read whole, in ascending order of a
//! time that does not change: what is added during the read comes after, and no page shifts. Where a slice is too large, the
//! record at offset 9,000 tells where to cut it. Ranges include both ends, so that no record falls between two slices.
//!
//! Within a slice a window of pages is in flight, handed over in order. A slice ends on a short or empty page, never because a
//! total says so. A total that changed meanwhile, or that does not fit what was read, means that the slice is read again;
//! where that does not help, the read says that it is incomplete.

mod state;

pub(super) use state::{Limits, State};

use super::checkpoint::{self, Start};
use super::flight::Window;
use super::found::Found;
use crate::api::{self, Client, Filter, Page, PageRequest, time};
use crate::configure::DataStream;
use crate::contract::log::Level;
use crate::contract::{Coverage, Fault, Mode, Progress, Summary};
use crate::describe::Call;
use crate::platform::Platform;
use serde_json::Value;
use state::{Current, Done, Range, slice};
use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;

/// How many pages are in flight at once. At the API's 10 requests a second this covers answers that take 0.8 seconds; more would
/// only hold more pages in memory.
const IN_FLIGHT: usize = 8;

/// How often a slice is read before the read is called incomplete.
const ATTEMPTS: u8 = 3;

/// What is listed.
pub(super) struct Listing {
    pub stream: DataStream,
    /// What holds for every slice.
    pub filters: Vec<Filter>,
    /// The time by which slices are filtered.
    pub filter_time: &'static str,
    /// The field by which pages are sorted: the same time, under the name that the API's sort knows.
    pub sort: &'static str,
    /// The field by which records are told apart.
    pub key: &'static str,
    /// The same time as a field of the records.
    pub record_time: &'static str,
    pub limits: Limits,
}

/// What becomes of each record.
pub(super) trait Sorter<P: Platform> {
    /// Puts a raw record where it belongs. `seen` is kept in the checkpoint; what goes into it must be bounded by the configuration.
    fn sort(&self, raw: Value, seen: &mut BTreeSet<String>, found: &mut Found);

    /// Called once when all is read.
    fn ended(&self, client: &Client<P>, seen: &BTreeSet<String>);
}

/// A read under way.
pub(super) struct Sliced<P: Platform> {
    client: Client<P>,
    listing: Rc<Listing>,
    scope: String,
    mode: Mode,
    sorter: Box<dyn Sorter<P>>,
    state: State,
    window: Window<Result<Page, api::Fault>>,
    /// The offset of the next page to ask for.
    asked: u32,
    /// The key of the first record of the page before.
    previous: Option<Value>,
}

impl<P: Platform> Sliced<P> {
    /// Begins a read, or goes on from a checkpoint.
    pub fn new(
        client: Client<P>,
        listing: Listing,
        scope: String,
        mode: Mode,
        sorter: Box<dyn Sorter<P>>,
        from: Option<&[u8]>,
    ) -> Result<Sliced<P>, Fault> {
        let of = checkpoint::Of {
            stream: listing.stream.name(),
            scope: &scope,
            mode,
        };
        let state = match checkpoint::start::<State>(of, from)? {
            Start::GoOn(state) => state,
            Start::Anew(_) => State::new(client.platform().now()),
        };
        let asked = state.current.as_ref().map_or(0, |current| current.offset);
        Ok(Sliced {
            client,
            listing: Rc::new(listing),
            scope,
            mode,
            sorter,
            state,
            window: Window::new(),
            asked,
            previous: None,
        })
    }

    /// The next page as a step, or the end.
    pub async fn next(&mut self) -> Result<Progress, Fault> {
        match self.advance().await {
            Ok(progress) => Ok(progress),
            Err(fault) => {
                // What was in flight behind the failed page is void; asked again, the read goes on after the last step.
                self.abandon().await;
                Err(fault)
            }
        }
    }

    async fn advance(&mut self) -> Result<Progress, Fault> {
        loop {
            if self.state.current.is_none() {
                let Some(range) = self.state.pending.pop() else {
                    return self.end();
                };
                self.state.current = Some(Current::new(range));
                self.abandon().await;
            }
            let Some(page) = self.page().await? else {
                continue;
            };
            return self.hand_over(page).await;
        }
    }

    fn end(&mut self) -> Result<Progress, Fault> {
        if !self.state.ended {
            self.sorter.ended(&self.client, &self.state.seen);
            self.state.ended = true;
        }
        let coverage = if self.state.reasons.is_empty() {
            Coverage::Complete(self.state.done.iter().map(slice).collect())
        } else {
            Coverage::Incomplete(self.state.reasons.clone())
        };
        Ok(Progress::End(Summary {
            checkpoint: self.checkpoint()?,
            read: self.state.read,
            coverage,
        }))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Fault> {
        let of = checkpoint::Of {
            stream: self.listing.stream.name(),
            scope: &self.scope,
            mode: self.mode,
        };
        checkpoint::written(of, self.state.ended, &self.state)
    }

    /// Forgets what is in flight.
    async fn abandon(&mut self) {
        self.window.void().await;
        self.previous = None;
        self.asked = self
            .state
            .current
            .as_ref()
            .map_or(0, |current| current.offset);
    }

    /// The next page of the current slice; none where the slice was cut instead.
    async fn page(&mut self) -> Result<Option<Page>, Fault> {
        let limits = self.listing.limits;
        let Some(current) = self.state.current.clone() else {
            return Ok(None);
        };
        if current.offset == 0 && self.window.is_empty() {
            let page = self.ask(current.range, 0, limits.page).await?;
            self.asked = limits.page;
            if page.total.is_none_or(|total| total >= limits.capped)
                && page.records.len() >= limits.page as usize
                && !current.whole
                && self.cut(&current, &page).await?
            {
                return Ok(None);
            }
            if let Some(current) = &mut self.state.current {
                current.said = page.total;
            }
            return Ok(Some(page));
        }
        self.fill(&current).await;
        match self.window.next().await {
            Some(page) => Ok(Some(page?)),
            None => Ok(Some(
                self.ask(current.range, current.offset, current.offset + limits.page)
                    .await?,
            )),
        }
    }

    /// Asks for as many further pages as may be in flight. Where the total is a count, pages beyond it are asked for one at a time:
    /// they are there only to see that the list ends.
    async fn fill(&mut self, current: &Current) {
        let limits = self.listing.limits;
        let likely = current
            .count(limits)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(limits.last_offset);
        while self.window.len() < IN_FLIGHT
            && self.asked < limits.last_offset
            && (self.asked < likely || self.window.is_empty())
        {
            let page = self.ask(current.range, self.asked, self.asked + limits.page);
            self.window.push(page);
            self.asked += limits.page;
        }
        self.window.start().await;
    }

    /// Sends for a page. The future owns what it needs and outlives this call.
    fn ask(
        &self,
        range: Range,
        from: u32,
        to: u32,
    ) -> impl Future<Output = Result<Page, api::Fault>> + 'static {
        let client = self.client.clone();
        let listing = Rc::clone(&self.listing);
        async move {
            let mut filters = listing.filters.clone();
            filters.extend(
                range
                    .from
                    .map(|from| Filter::since(listing.filter_time, from)),
            );
            filters.extend(range.to.map(|to| Filter::until(listing.filter_time, to)));
            let request = PageRequest {
                filters,
                sort: Some(listing.sort),
                from,
                to,
            };
            let reply = match listing.stream {
                DataStream::Alerts => client.alerts(&request).await?,
                _ => client.endpoints(&request).await?,
            };
            Ok(reply.value)
        }
    }

    /// Cuts the current slice at the record at offset 9,000; false where it is to be read as it is.
    async fn cut(&mut self, current: &Current, first: &Page) -> Result<bool, Fault> {
        let limits = self.listing.limits;
        let range = current.range;
        let probe = self.ask(range, limits.cut_at, limits.cut_at + 1).await?;
        let Some(record) = probe.records.first() else {
            return Ok(false);
        };
        let Some(at) = self.time(record) else {
            self.keep_whole(format!(
                "{} records or more lie in the time from {}, and they can't be told apart by time.",
                limits.cut_at,
                range.name()
            ));
            return Ok(false);
        };
        // An API that ignores the offset gives its first record again and again; one that ignores the sort can't be cut.
        if let Some(last) = first
            .records
            .iter()
            .filter_map(|record| self.time(record))
            .max()
            && at < last
        {
            return Err(self.out_of_order());
        }
        let inside = range.from.is_none_or(|from| at >= from) && range.to.is_none_or(|to| at <= to);
        if !inside {
            return Err(self.out_of_order());
        }
        let (before, after) = if range.from == Some(at) {
            if range.to == Some(at) {
                // One millisecond holds more than can be paged surely: it is read as far as pages go.
                if let Some(current) = &mut self.state.current {
                    current.whole = true;
                }
                return Ok(false);
            }
            (at, at.saturating_add(1))
        } else {
            (at.saturating_sub(1), at)
        };
        self.state.pending.push(Range {
            from: Some(after),
            to: range.to,
        });
        self.state.pending.push(Range {
            from: range.from,
            to: Some(before),
        });
        self.state.current = None;
        self.abandon().await;
        Ok(true)
    }

    fn keep_whole(&mut self, reason: String) {
        self.state.reasons.push(reason);
        if let Some(current) = &mut self.state.current {
            current.whole = true;
        }
    }

    fn out_of_order(&self) -> Fault {
        let limits = self.listing.limits;
        let call = self.call();
        api::Fault::new(
            call,
            Some(200),
            api::FaultKind::WrongShape,
            format!(
                "{} does not keep to the order or the offset that was asked for: the record at offset {} by \"{}\" comes before \
                 those of the first page, or lies outside of the time that was asked for.",
                call.name(),
                limits.cut_at,
                self.listing.sort
            ),
            "Report this with the tenant's product version; the read can't be proven whole on this tenant.",
        )
        .into()
    }

    fn time(&self, record: &Value) -> Option<u64> {
        time::timestamp(record.get(self.listing.record_time)?)
    }

    /// Makes a step of a page, and sees whether the slice ends with it.
    async fn hand_over(&mut self, page: Page) -> Result<Progress, Fault> {
        let limits = self.listing.limits;
        self.check_repeated(&page)?;
        let size = page.records.len();
        let total = page.total;
        let mut found = Found::default();
        for raw in page.records {
            self.sorter.sort(raw, &mut self.state.seen, &mut found);
        }
        self.state.read += size as u64;
        if let Some(current) = &mut self.state.current {
            current.read += size as u64;
            current.offset += limits.page;
        }
        let short = size < limits.page as usize;
        let out_of_offsets = self
            .state
            .current
            .as_ref()
            .is_some_and(|current| current.offset >= limits.last_offset);
        let expected = self.state.expected(limits);
        if short || out_of_offsets {
            self.end_slice(short, total).await;
        }
        let read = self.state.read;
        Ok(Progress::Step(found.step(
            self.checkpoint()?,
            read,
            expected,
            None,
        )))
    }

    /// An API that ignores the offset would give the same page for ever.
    fn check_repeated(&mut self, page: &Page) -> Result<(), Fault> {
        let first = page
            .records
            .first()
            .and_then(|record| record.get(self.listing.key))
            .cloned();
        if first.is_some() && first == self.previous {
            let call = self.call();
            return Err(api::Fault::new(
                call,
                Some(200),
                api::FaultKind::WrongShape,
                format!(
                    "{} gave the same page twice although the next one was asked for.",
                    call.name()
                ),
                "Try again later; if it stays, report it with the tenant's product version.",
            )
            .into());
        }
        self.previous = first;
        Ok(())
    }

    fn call(&self) -> Call {
        match self.listing.stream {
            DataStream::Alerts => Call::GetAlertsMultiEvents,
            _ => Call::GetEndpoint,
        }
    }

    /// Judges a slice whose last page is read: it is done, or read again, or its reasons are noted.
    async fn end_slice(&mut self, short: bool, last_total: Option<u64>) {
        let limits = self.listing.limits;
        let Some(current) = self.state.current.take() else {
            return;
        };
        self.abandon().await;
        let name = current.range.name();
        let changed = current.said != last_total;
        let differs = current.said.is_some_and(|said| {
            if said < limits.capped {
                said != current.read
            } else {
                // The cap stands for as many or more.
                current.read < limits.capped
            }
        });
        let problem = if !short {
            Some(format!(
                "More records lie in the time from {name} than the API pages ({}); the rest of them is missing.",
                limits.last_offset
            ))
        } else if changed {
            Some(format!(
                "The total of the slice {name} changed while it was read, from {} to {}.",
                shown(current.said),
                shown(last_total)
            ))
        } else if differs {
            Some(format!(
                "The API says that the slice {name} has {} records, and gave {}.",
                shown(current.said),
                current.read
            ))
        } else {
            None
        };
        if let Some(problem) = &problem {
            self.client.platform().log(
                Level::Warn,
                problem,
                &[
                    ("data-stream", self.listing.stream.name().to_owned()),
                    ("attempt", current.attempt.to_string()),
                ],
            );
            if short && current.attempt < ATTEMPTS {
                self.state.current = Some(Current {
                    attempt: current.attempt + 1,
                    ..Current::new(current.range)
                });
                self.abandon().await;
                return;
            }
        }
        self.state.reasons.extend(problem);
        self.state.done.push(Done {
            name,
            read: current.read,
            said: current.said,
            ended_short: short,
            second_look: current.said.is_some() && !changed && !differs,
        });
    }
}

fn shown(total: Option<u64>) -> String {
    total.map_or_else(|| "unknown".to_owned(), |total| total.to_string())
}
