//! Reading a list that the API pages, whole: the one mechanism for endpoints and alerts.
//!
//! The API pages by offset and, past about 10,000 records, tells neither how many there are (the total sticks at 9,999) nor
//! surely what comes after. So the list is read in slices of time, each small enough to be read whole, in ascending order of a
//! time that does not change: what is added during the read comes after, and no page shifts. Where a slice is too large, the
//! record at offset 9,000 tells where to cut it. Ranges include both ends, so that no record falls between two slices.
//!
//! Within a slice a window of pages is in flight, handed over in order. Pages overlap by one record (see [`edges`]), so that a page
//! that shifted, was given twice or lost its list is seen. A slice ends on a short page and the API's word that this is all, or, where it
//! does not count, on a page that holds nothing after the last record. A total that changed meanwhile, or that does not fit what
//! was read, means that the slice is read again; where that does not help, the read says that it is incomplete.

mod edges;
mod judge;
mod parts;
mod state;

use edges::Edge;
pub(super) use edges::{Keys, hash, key_of};
pub(super) use state::{Limits, State};

use super::checkpoint::{self, Start};
use super::flight::{InFlight, Window};
use super::found::Found;
use super::recheck::Recheck;
use crate::api::{self, Client, Filter, Page, PageRequest, Reply, time};
use crate::configure::DataStream;
use crate::contract::{Fault, Mode, Progress};
use crate::describe::Call;
use crate::platform::Platform;
use serde_json::Value;
use state::{Current, Range};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How many pages are in flight at once. At the API's 10 requests a second this covers answers that take 0.8 seconds; more would
/// only hold more pages in memory.
pub(super) const IN_FLIGHT: usize = 8;

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
    /// The time by which an incremental read asks for what is new.
    pub new_by: &'static str,
    /// How far in the past its window ends, in milliseconds.
    pub lag: u64,
    /// The time by which a sweep asks for what was seen.
    pub seen_by: &'static str,
    /// The hours between two sweeps; none where there are none.
    pub sweep_hours: Option<u16>,
    pub limits: Limits,
}

/// What becomes of each record.
pub(super) trait Sorter<P: Platform> {
    /// Puts a raw record where it belongs. `seen` is kept in the checkpoint; what goes into it must be bounded by the configuration.
    fn sort(&self, raw: Value, seen: &mut BTreeSet<String>, found: &mut Found);

    /// Called once when a full read is through.
    fn ended(&self, client: &Client<P>, seen: &BTreeSet<String>);
}

/// An answer with a page of records.
pub(super) type Answer = Result<Reply<Page>, api::Fault>;

/// A read under way.
pub(super) struct Sliced<P: Platform> {
    client: Client<P>,
    listing: Rc<Listing>,
    scope: String,
    mode: Mode,
    sorter: Box<dyn Sorter<P>>,
    state: State,
    window: Window<Answer>,
    /// The offset of the next page to ask for.
    asked: u32,
    /// Keys of the current slice that this run read.
    keys: Keys,
    recheck: Option<Recheck>,
}

impl<P: Platform> Sliced<P> {
    /// Begins a read, or goes on from a checkpoint. `recheck` is for what an incremental read asks for beside the list.
    pub fn new(
        client: Client<P>,
        listing: Listing,
        scope: String,
        mode: Mode,
        sorter: Box<dyn Sorter<P>>,
        recheck: Option<Recheck>,
        from: Option<&[u8]>,
    ) -> Result<Sliced<P>, Fault> {
        let of = checkpoint::Of {
            stream: listing.stream.name(),
            scope: &scope,
            mode,
        };
        let now = client.platform().now();
        let read = |json: Value| {
            State::read(&json).ok_or_else(|| checkpoint::unreadable(&"its state is none"))
        };
        let start = match checkpoint::opened(of, from)? {
            Start::GoOn(state) => Start::GoOn(read(state)?),
            Start::Anew(Some(state)) => Start::Anew(Some(read(state)?)),
            Start::Anew(None) => Start::Anew(None),
        };
        let (state, fresh) = match start {
            Start::GoOn(state) if state.marks.is_some() => (state, false),
            Start::GoOn(mut state) if listing.goes_on_from_version_1() => {
                state.marks = Some(state.marks());
                state.clock_asked = true;
                (state, false)
            }
            Start::GoOn(state) | Start::Anew(Some(state)) => {
                (State::new(now, mode, state.marks()), true)
            }
            Start::Anew(None) => (State::new(now, mode, state::Marks::default()), true),
        };
        let mut sliced = Sliced {
            client,
            listing: Rc::new(listing),
            scope,
            mode,
            sorter,
            state,
            window: Window::new(),
            asked: 0,
            keys: Keys::default(),
            recheck,
        };
        if fresh {
            sliced.begin_part();
        }
        sliced.rewind();
        Ok(sliced)
    }

    /// The next page as a step, or the end.
    pub async fn next(&mut self) -> Result<Progress, Fault> {
        match self.advance().await {
            Ok(progress) => Ok(progress),
            Err(fault) => {
                // What was in flight behind the failed page is void; asked again, the read goes on after the last step.
                self.abandon().await;
                if let Some(recheck) = &mut self.recheck {
                    recheck.abandon().await;
                }
                Err(fault)
            }
        }
    }

    async fn advance(&mut self) -> Result<Progress, Fault> {
        loop {
            if self.state.current.is_none() {
                let Some(range) = self.state.pending.pop() else {
                    if self.next_part().await? {
                        continue;
                    }
                    return match self.ask_again().await? {
                        Some(progress) => Ok(progress),
                        None => self.end(),
                    };
                };
                self.state.current = Some(Current::new(range, 1));
                self.abandon().await;
            }
            if let Some(page) = self.page().await?
                && let Some(step) = self.hand_over(page).await?
            {
                return Ok(step);
            }
        }
    }

    /// The next of what an incremental read asks for beside the list; none where that is through.
    async fn ask_again(&mut self) -> Result<Option<Progress>, Fault> {
        let Some(recheck) = &mut self.recheck else {
            return Ok(None);
        };
        let state = &mut self.state;
        let mut found = Found::default();
        let sort = |raw: Value, found: &mut Found| self.sorter.sort(raw, &mut state.seen, found);
        let Some(note) = recheck
            .next(&self.client, &mut state.recheck, sort, &mut found)
            .await?
        else {
            return Ok(None);
        };
        state.read += found.count();
        let read = state.read;
        let step = found.step(self.checkpoint()?, read, None, Some(note));
        Ok(Some(Progress::Step(step)))
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
        self.rewind();
    }

    /// The next page to ask for is the next to hand over.
    fn rewind(&mut self) {
        let offset = self.state.current.as_ref().map(|current| current.offset);
        self.asked = offset.unwrap_or(0);
        if self.asked == 0 {
            self.keys.clear();
        }
    }

    /// The next page of the current slice; none where the slice was cut, or the read begun anew, instead.
    async fn page(&mut self) -> Result<Option<Page>, Fault> {
        let limits = self.listing.limits;
        let Some(current) = self.state.current.clone() else {
            return Ok(None);
        };
        if current.offset == 0 && self.window.is_empty() {
            let reply = self.ask(current.range, 0, limits.page).await?;
            if self.ask_clock(&reply.headers) {
                return Ok(None);
            }
            let page = reply.value;
            self.asked = limits.page.saturating_sub(1);
            if limits.count(page.total).is_none()
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
        let reply = match self.window.next().await {
            Some(reply) => reply?,
            None => {
                let end = limits.page_end(current.offset);
                self.ask(current.range, current.offset, end).await?
            }
        };
        Ok(Some(reply.value))
    }

    /// Asks for as many further pages as may be in flight. Where the total is a count, pages beyond it are asked for one at a time:
    /// they are there only to see that the list ends.
    async fn fill(&mut self, current: &Current) {
        let limits = self.listing.limits;
        let likely = limits
            .count(current.said)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(limits.last_offset);
        // The first record of a page is the last of the one before, hence one more.
        while self.window.len() < IN_FLIGHT
            && self.asked + 1 < limits.last_offset
            && (self.asked + 1 < likely || self.window.is_empty())
        {
            let page = self.ask(current.range, self.asked, limits.page_end(self.asked));
            self.window.push_boxed(page);
            self.asked += limits.page.saturating_sub(1);
        }
        self.window.start().await;
    }

    /// Sends for a page of the part that is being read.
    fn ask(&self, range: Range, from: u32, to: u32) -> InFlight<Answer> {
        let request = PageRequest {
            filters: self.filters(range),
            sort: Some(self.listing.sort),
            from,
            to,
        };
        send(self.client.clone(), self.listing.stream, request)
    }

    /// Cuts the current slice at the record at offset 9,000, or begins it again; false where it is to be read as it is.
    async fn cut(&mut self, current: &Current, first: &Page) -> Result<bool, Fault> {
        let limits = self.listing.limits;
        let range = current.range;
        let probe = self.ask(range, limits.cut_at, limits.cut_at + 1).await?;
        let Some(record) = probe.value.records.first() else {
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
            return self.out_of_order(current).await;
        }
        let inside = range.from.is_none_or(|from| at >= from) && range.to.is_none_or(|to| at <= to);
        if !inside {
            return self.out_of_order(current).await;
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
        self.doubt(reason);
        if let Some(current) = &mut self.state.current {
            current.whole = true;
        }
    }

    /// Begins the slice again, or, where that was done often enough, gives up.
    async fn out_of_order(&mut self, current: &Current) -> Result<bool, Fault> {
        let limits = self.listing.limits;
        let call = self.call();
        let problem = format!(
            "{} does not keep to the order or the offset that was asked for: the record at offset {} by \"{}\" comes before \
             those of the first page, or lies outside of the time that was asked for.",
            call.name(),
            limits.cut_at,
            self.listing.sort
        );
        if self.again(current, &problem).await {
            return Ok(true);
        }
        Err(api::Fault::new(
            call,
            Some(200),
            api::FaultKind::WrongShape,
            problem,
            "Report this with the tenant's product version; the read can't be proven whole on this tenant.",
        )
        .into())
    }

    fn time(&self, record: &Value) -> Option<u64> {
        time::timestamp(record.get(self.listing.record_time)?)
    }

    /// Makes a step of a page, and sees whether the slice ends with it; none where the slice is read again instead.
    async fn hand_over(&mut self, page: Page) -> Result<Option<Progress>, Fault> {
        let limits = self.listing.limits;
        let Some(current) = self.state.current.clone() else {
            return Ok(None);
        };
        let width = limits.page_end(current.offset) - current.offset;
        let size = u32::try_from(page.records.len()).unwrap_or(u32::MAX);
        let keys: Vec<String> = page
            .records
            .iter()
            .map(|record| key_of(record, self.listing.key))
            .collect();
        let hashes: Vec<u64> = keys.iter().map(|key| hash(key)).collect();

        // Up to the last record of the page before all is known.
        let known = match current.last.as_ref().map(Edge::hash) {
            None => Some(0),
            Some(last) => hashes
                .iter()
                .position(|hash| *hash == last)
                .map(|at| at + 1),
        };
        let known_all = size > 1 && size >= width && known == Some(hashes.len());
        let mut twice = false;
        for hash in hashes.iter().skip(known.unwrap_or(0)) {
            twice |= !self.keys.insert(*hash);
        }
        let problem = if known.is_none() {
            "does not begin where the one before it ended"
        } else if known_all {
            "is the one before it once more"
        } else if twice {
            "has records that an earlier one had too"
        } else {
            ""
        };
        if !problem.is_empty() {
            let problem = format!(
                "The page at offset {} of the slice {} {problem}.",
                current.offset,
                current.range.name()
            );
            if self.again(&current, &problem).await {
                return Ok(None);
            }
            // With another total it may be a shift by a whole page: no reason to give up.
            if known_all && page.total == current.said {
                return Err(self.same_page());
            }
            self.doubt(problem);
        }

        let known = known.unwrap_or(0);
        let mut found = Found::default();
        for (raw, key) in page.records.into_iter().zip(&keys).skip(known) {
            if let Some(recheck) = &mut self.recheck {
                recheck.saw(key);
            }
            self.sorter.sort(raw, &mut self.state.seen, &mut found);
        }
        let fresh = (keys.len() - known) as u64;
        let short = size < width;
        let counted = limits.count(current.said.or(page.total)).is_some();
        // Where the API does not count, a list ends with a page of nothing but the last record, given twice or after another short one.
        let nothing = fresh == 0 && size <= 1 && (current.looked || current.last.is_none());
        let ended = short && (counted || nothing);
        // The next page begins with the last record of this one.
        let offset = current.offset + size.min(width).saturating_sub(1);
        let out_of_offsets = !short && offset + 1 >= limits.last_offset;
        self.state.read += fresh;
        if let Some(current) = &mut self.state.current {
            current.read += fresh;
            current.offset = offset;
            current.looked = short;
            current.first = current
                .first
                .take()
                .or_else(|| keys.first().map(|key| Edge::of(key)));
            current.last = keys.last().map(|key| Edge::of(key)).or(current.last.take());
        }
        let expected = self.state.expected(limits);
        if ended || out_of_offsets {
            self.end_slice(short, page.total).await?;
        } else if short {
            // It may have lost its end: that is asked for from its last record on.
            self.abandon().await;
        }
        let read = self.state.read;
        let step = found.step(self.checkpoint()?, read, expected, None);
        Ok(Some(Progress::Step(step)))
    }

    fn call(&self) -> Call {
        match self.listing.stream {
            DataStream::Alerts => Call::GetAlertsMultiEvents,
            _ => Call::GetEndpoint,
        }
    }
}

impl Listing {
    /// Version 1 read endpoints by their status: what it had read is not what this version reads.
    fn goes_on_from_version_1(&self) -> bool {
        self.stream == DataStream::Alerts
    }
}

/// Sends for a page of a data stream. The future owns what it needs, and in its box it is one pointer to whoever waits for it.
pub(super) fn send<P: Platform>(
    client: Client<P>,
    stream: DataStream,
    request: PageRequest,
) -> InFlight<Answer> {
    Box::pin(async move {
        match stream {
            DataStream::Alerts => client.alerts(&request).await,
            _ => client.endpoints(&request).await,
        }
    })
}
