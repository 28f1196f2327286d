//! The data stream `vulnerabilities`: one record per endpoint with its CVEs.
//!
//! The API has no call for them. An XQL query joins the Host Insights datasets on the server; it costs quota, so the quota is read
//! first, and the query's id is in a checkpoint before anything is asked of it: a run that ends early goes on with the same query.
//! Its rows come sorted by endpoint, are grouped as they arrive, and completed with the endpoints' own records, up to a hundred at a time.
//!
//! An incremental read runs the same query, since the datasets do not tell what changed; its rows are compared with what the platform
//! holds, and only what differs is looked up and handed over. An endpoint without rows is neither closed nor confirmed by it.

mod absent;
mod batch;
mod enrich;
mod faults;
mod held;
mod known;
mod query;
mod quota;
mod rows;

use super::checkpoint::{self, Start};
use super::flight::Window;
use crate::api::{self, Client, FaultKind, QueryAnswer, QueryRows, QueryStatus};
use crate::configure::{DataStream, Settings};
use crate::contract::inventory::Order;
use crate::contract::log::Level;
use crate::contract::types::Cause;
use crate::contract::{Coverage, Fault, Mode, Progress, Slice, Step, Summary};
use crate::describe::Call;
use crate::platform::Platform;
use absent::Absent;
use batch::{Batch, Held};
use enrich::LookedUp;
pub(super) use enrich::Scope;
use known::{Known, Turn};
use quota::Allowance;
use rows::{Rows, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many batches are looked up at once. Each holds up to 5,000 rows, so this is about memory, not pace: rows arrive slower than
/// endpoints are looked up.
const IN_FLIGHT: usize = 3;

/// The first and the longest wait between two questions whether the query is done, in milliseconds. Doubled each time.
const FIRST_WAIT: u64 = 500;
const LONGEST_WAIT: u64 = 10_000;

/// How often a run asks before it gives up; the next run goes on with the same query. About half an hour.
const MAX_POLLS: u32 = 200;

/// How often all runs together ask before the query is given up and another is started.
const MAX_POLLS_OF_ALL_RUNS: u32 = 4 * MAX_POLLS;

/// How often a query is started anew because the API lost it.
const MAX_RESTARTS: u8 = 2;

/// The filter's name for endpoints that are left out without having been looked up.
const NOT_IN_SCOPE: &str = "tags or endpointStatuses";

/// Where the read stands; the checkpoint's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// When the read began, by the host's clock.
    started: u64,
    /// The query, once it is started.
    query: Option<String>,
    /// How often the API was asked whether it may start, and whether it is done.
    polls: u32,
    /// How often it was started anew.
    restarts: u8,
    /// The last endpoint that was handed over.
    last: Option<String>,
    /// Records handed over.
    read: u64,
    /// Why something may be missing.
    reasons: BTreeSet<String>,
    /// Tags of the configuration that were seen.
    tags: BTreeSet<String>,
    /// Rows of the query, read and said, once all are read.
    rows: Option<(u64, Option<u64>)>,
    /// What the query cost when it was last run to its end, in units of the day's quota: the best guess at what it will cost.
    cost: Option<f64>,
    /// Whose turn it is among the endpoints of which an incremental read does not know whether it should look them up.
    turn: Turn,
}

impl State {
    /// A read from the beginning. Of an earlier read, of whichever mode, it keeps what the next query will cost and whose turn it is.
    fn new(started: u64, earlier: Option<State>) -> State {
        let earlier = earlier.unwrap_or_default();
        State {
            started,
            cost: earlier.cost,
            turn: earlier.turn.next(),
            ..State::default()
        }
    }
}

/// A batch and its endpoints as they were looked up.
type Answered = (Batch, Result<LookedUp, api::Fault>);

/// A read under way.
pub(super) struct Vulnerabilities<P: Platform> {
    client: Client<P>,
    scope_text: String,
    mode: Mode,
    scope: Scope,
    /// Whether the data stream `endpoints` is read as well.
    with_endpoints: bool,
    share: f64,
    state: State,
    /// Whether the query was started by an earlier run.
    resumed: bool,
    /// Questions of this run.
    polls: u32,
    /// Why the query is given up.
    given_up: Option<Fault>,
    /// The rows, and what is held.
    rows: Option<(Rows<P::Body>, Held<P>)>,
    /// An endpoint that `get_endpoint` knows.
    canary: Option<String>,
    /// How many rows the query has, as the API says.
    said: Option<u64>,
    window: Window<Answered>,
}

/// Which read a checkpoint of this stream is of.
fn of(scope: &str, mode: Mode) -> checkpoint::Of<'_> {
    checkpoint::Of {
        stream: DataStream::Vulnerabilities.name(),
        scope,
        mode,
    }
}

pub(super) fn begin<P: Platform>(
    client: Client<P>,
    settings: &Settings,
    mode: Mode,
    from: Option<&[u8]>,
) -> Result<Vulnerabilities<P>, Fault> {
    let scope_text = settings.scope(DataStream::Vulnerabilities);
    let state = match checkpoint::start::<State>(of(&scope_text, mode), from)? {
        Start::GoOn(state) => state,
        Start::Anew(earlier) => State::new(client.platform().now(), earlier),
    };
    Ok(Vulnerabilities {
        client,
        scope_text,
        mode,
        scope: Scope::new(settings),
        with_endpoints: settings.data_streams.contains(&DataStream::Endpoints),
        share: settings.xql_daily_share,
        resumed: state.query.is_some(),
        state,
        polls: 0,
        given_up: None,
        rows: None,
        canary: None,
        said: None,
        window: Window::new(),
    })
}

impl<P: Platform> Vulnerabilities<P> {
    /// The next batch as a step, a step without records while the query runs, or the end.
    pub async fn next(&mut self) -> Result<Progress, Fault> {
        let progress = self.advance().await;
        if progress.is_err() {
            // Asked again, the rows are read again up to the last endpoint that was handed over.
            self.rows = None;
            self.window.void().await;
        }
        progress
    }

    async fn advance(&mut self) -> Result<Progress, Fault> {
        if let Some(fault) = &self.given_up {
            return Err(fault.clone());
        }
        if self.state.rows.is_some() {
            return self.end();
        }
        let Some(query) = self.state.query.clone() else {
            return self.start().await;
        };
        if self.rows.is_none()
            && let Some(waiting) = self.poll(&query).await?
        {
            return Ok(waiting);
        }
        self.hand_over().await
    }

    /// Starts the query, if licence and quota allow it.
    async fn start(&mut self) -> Result<Progress, Fault> {
        self.check_licence().await?;
        let quota = self.client.xql_quota().await?.value;
        let now = self.client.platform().now();
        if quota::judge(&quota, self.share, self.state.cost, now)? == Allowance::Unknown {
            self.warn("The API does not tell the day's XQL quota: the query starts without knowing whether xqlDailyShare is kept.");
        }
        match self
            .client
            .start_xql_query(&query::text(), query::RELATIVE_TIME)
            .await
        {
            Ok(reply) => {
                self.state.query = Some(reply.value);
                self.resumed = false;
                self.step_without_records("The XQL query is started.")
            }
            Err(fault) if fault.kind == FaultKind::TooManyQueries && self.polls < MAX_POLLS => {
                self.wait().await;
                self.step_without_records("Waiting until the tenant may run one more XQL query.")
            }
            Err(fault) => Err(faults::read(fault)),
        }
    }

    /// A tenant that says that it has no Host Insights costs no quota. Not being allowed to ask is no reason to stop.
    async fn check_licence(&self) -> Result<(), Fault> {
        match self.client.tenant_info().await {
            Ok(info) if info.value.host_insights() == Some(false) => Err(faults::unlicensed(
                Call::GetTenantInfo,
                Some(200),
                "The tenant's licences do not include Host Insights",
            )),
            Ok(_) => Ok(()),
            Err(fault)
                if matches!(
                    fault.cause(),
                    Cause::Unauthorized | Cause::Unavailable | Cause::Limit(_)
                ) =>
            {
                Err(fault.into())
            }
            Err(fault) => {
                self.warn(&format!(
                    "Whether the tenant has Host Insights is not known. {}",
                    fault.message
                ));
                Ok(())
            }
        }
    }

    /// Asks whether the query is done; gives a step where it is not.
    async fn poll(&mut self, query: &str) -> Result<Option<Progress>, Fault> {
        self.wait().await;
        let answer = match self.client.xql_results(query).await {
            Ok(reply) => reply.value,
            Err(fault) if fault.kind == FaultKind::TooManyQueries && self.polls < MAX_POLLS => {
                return self
                    .step_without_records("The tenant is busy with other XQL queries.")
                    .map(Some);
            }
            Err(fault) => return self.lost(fault).map(Some),
        };
        let mut partial = false;
        match answer.status {
            QueryStatus::Pending => {
                if self.state.polls >= MAX_POLLS_OF_ALL_RUNS {
                    return self.give_up(faults::waited_too_long()).map(Some);
                }
                if self.polls >= MAX_POLLS {
                    return Err(faults::waited_too_long());
                }
                return self
                    .step_without_records("The XQL query is running.")
                    .map(Some);
            }
            QueryStatus::Success => {}
            QueryStatus::PartialSuccess => {
                partial = true;
                self.state.reasons.insert(
                    "The XQL query ended with PARTIAL_SUCCESS: some of the data could not be read."
                        .to_owned(),
                );
            }
            QueryStatus::Failed => return self.give_up(faults::failed(&answer)).map(Some),
            QueryStatus::Unknown(word) => {
                let fault = faults::wrong_answer(format!(
                    "The XQL query has the status \"{word}\", which the API does not document."
                ));
                return self.give_up(fault).map(Some);
            }
        }
        self.note_cost(&answer);
        match self.open(answer, partial).await {
            Ok(()) => Ok(None),
            Err(Opening::Call(fault)) => self.lost(fault).map(Some),
            Err(Opening::Wrong(fault)) => self.give_up(fault).map(Some),
            Err(Opening::Held(fault)) => Err(fault),
        }
    }

    /// Forgets a query from which nothing can come any more, so that the next run starts another; this one ends with the fault, after a
    /// step whose checkpoint does not know the query.
    fn give_up(&mut self, fault: Fault) -> Result<Progress, Fault> {
        self.state.query = None;
        self.state.polls = 0;
        self.given_up = Some(fault);
        self.step_without_records("The XQL query is given up.")
    }

    /// Says what the query cost, and keeps it for the next one.
    fn note_cost(&mut self, answer: &QueryAnswer) {
        let Some(cost) = answer.cost.filter(|cost| cost.is_finite() && *cost >= 0.0) else {
            return;
        };
        // Of a query that was read before, its cost was said before.
        if self.state.last.is_none() {
            let mut fields = vec![("cost", units(cost))];
            fields.extend(answer.remaining_quota.map(|left| ("left", units(left))));
            self.client.platform().log(
                Level::Info,
                "The XQL query is done; its cost and what is left of the day's quota, in units.",
                &fields,
            );
        }
        self.state.cost = Some(cost);
    }

    /// Opens the rows of a query that is done; `partial`: it could not read all of the data.
    async fn open(&mut self, answer: QueryAnswer, partial: bool) -> Result<(), Opening> {
        self.said = answer.number_of_results;
        let source = match answer.rows {
            Some(QueryRows::Inline(rows)) => Source::Inline(rows.into_iter()),
            Some(QueryRows::Stream(id)) => Source::Stream(Box::new(
                self.client.xql_stream(&id).await.map_err(Opening::Call)?,
            )),
            None if answer.number_of_results == Some(0) => Source::Inline(Vec::new().into_iter()),
            None => {
                return Err(Opening::Wrong(faults::wrong_answer(
                    "The XQL query is done, and the API gives neither rows nor a stream of them."
                        .to_owned(),
                )));
            }
        };
        let last = self.state.last.clone();
        self.canary = self.held_endpoint().await.map_err(Opening::Held)?;
        let platform = self.client.platform().clone();
        let held = match self.mode {
            Mode::Full => Held::Full(Absent::new(platform, last.clone())),
            Mode::Incremental => Held::Incremental(Known::new(
                platform,
                self.with_endpoints && self.canary.is_some(),
                last.clone(),
                self.state.turn.clone(),
            )),
        };
        self.rows = Some((Rows::new(source, self.said, partial, last), held));
        Ok(())
    }

    /// Any endpoint that the data stream `endpoints` holds.
    async fn held_endpoint(&self) -> Result<Option<String>, Fault> {
        let held = self
            .client
            .platform()
            .open(DataStream::Endpoints.name(), Order::Key, None, 1)
            .await
            .map_err(held::fault)?;
        Ok(held.into_iter().next().map(|held| held.key))
    }

    /// A query that the API does not know any more is started anew, a bounded number of times.
    fn lost(&mut self, fault: api::Fault) -> Result<Progress, Fault> {
        let gone = match fault.kind {
            FaultKind::QueryGone => true,
            // How the API says that it forgot a query is not documented: of a query of an earlier run, any refusal is taken for that.
            FaultKind::Refused | FaultKind::BadRequest | FaultKind::UnknownCall => self.resumed,
            _ => false,
        };
        if !gone || self.state.restarts >= MAX_RESTARTS {
            return Err(faults::read(fault));
        }
        self.warn(&format!("The XQL query is started anew. {}", fault.message));
        self.state.restarts += 1;
        self.state.query = None;
        self.step_without_records("The API lost the XQL query; it is started anew.")
    }

    /// Waits a little longer each time.
    async fn wait(&mut self) {
        let wait = FIRST_WAIT
            .saturating_mul(1 << self.polls.min(10))
            .min(LONGEST_WAIT);
        self.polls = self.polls.saturating_add(1);
        self.state.polls = self.state.polls.saturating_add(1);
        self.client.platform().sleep(wait).await;
    }

    /// The next batch as a step; the end where there is none.
    async fn hand_over(&mut self) -> Result<Progress, Fault> {
        while self.window.len() < IN_FLIGHT
            && let Some((rows, held)) = &mut self.rows
            && let Some(batch) = Batch::next(rows, held).await?
        {
            let client = self.client.clone();
            let (ids, canary) = (batch.ids(), self.canary.clone());
            self.window.push(async move {
                let looked_up = enrich::looked_up(client, ids, canary).await;
                (batch, looked_up)
            });
            self.window.start().await;
        }
        let Some((mut batch, looked_up)) = self.window.next().await else {
            return self.end_of_rows();
        };
        let looked_up = looked_up?;
        if looked_up.doubtful {
            self.state.reasons.insert(
                "get_endpoint did not return endpoints that it was asked for, twice, and its replies do not prove that it does not know them.".to_owned(),
            );
        }
        if let Some(known) = looked_up.any() {
            self.canary = Some(known.to_owned());
        }
        let (last, turn, left_out) = (batch.last.take(), batch.turn.take(), batch.left_out);
        let done = enrich::completed(batch, looked_up, &self.scope);
        self.report_unknown(&done.unknown);
        self.state.read += done.found.count() + done.untold + left_out;
        self.state.tags.extend(done.tags);
        if last.is_some() {
            self.state.last = last;
        }
        self.state.turn = turn.unwrap_or_default();
        let mut step = done
            .found
            .step(self.checkpoint()?, self.state.read, None, None);
        step.skipped = [("tags", done.untold), (NOT_IN_SCOPE, left_out)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(filter, count)| (filter.to_owned(), count))
            .collect();
        Ok(Progress::Step(step))
    }

    fn report_unknown(&self, unknown: &[String]) {
        let Some(first) = unknown.first() else {
            return;
        };
        self.client.platform().log(
            Level::Warn,
            if self.scope.tags.is_empty() {
                "Endpoints have vulnerabilities and are not known to get_endpoint: their records hold what the query says of them."
            } else {
                "Endpoints have vulnerabilities and are not known to get_endpoint, and so neither are their tags: they are left out unless they are held."
            },
            &[("count", unknown.len().to_string()), ("first", first.clone())],
        );
    }

    /// Judges the query as a whole, once all its rows are handed over.
    fn end_of_rows(&mut self) -> Result<Progress, Fault> {
        let count = self.rows.as_ref().map_or(0, |(rows, _)| rows.count);
        if count >= query::MAX_ROWS {
            self.state.reasons.insert(format!(
                "The XQL query has {} rows, as many as the API gives: more may have been cut off.",
                query::MAX_ROWS
            ));
        }
        if let Some(said) = self.said
            && said != count
        {
            self.state.reasons.insert(format!(
                "The API says that the XQL query has {said} rows, and gave {count}."
            ));
        }
        if count == 0 {
            self.state.reasons.insert(
                "The dataset va_endpoints is empty: Host Insights may not be enabled in the agents' settings, or has not collected anything yet."
                    .to_owned(),
            );
        }
        self.state.rows = Some((count, self.said));
        // An incremental read looks at few endpoints.
        if self.mode == Mode::Full {
            for tag in self.scope.tags.difference(&self.state.tags) {
                self.client.platform().log(
                    Level::Warn,
                    "No endpoint with vulnerability data bears this tag; tags are compared exactly, capitals included.",
                    &[("tag", tag.clone())],
                );
            }
        }
        self.end()
    }

    fn end(&self) -> Result<Progress, Fault> {
        let (read, said) = self.state.rows.unwrap_or_default();
        let coverage = if self.state.reasons.is_empty() {
            Coverage::Complete(vec![Slice {
                name: "rows of va_endpoints and va_cves".to_owned(),
                read,
                said,
                ended_short: true,
                second_look: said == Some(read),
            }])
        } else {
            Coverage::Incomplete(self.state.reasons.iter().cloned().collect())
        };
        Ok(Progress::End(Summary {
            checkpoint: self.checkpoint()?,
            read: self.state.read,
            coverage,
        }))
    }

    fn step_without_records(&self, note: &str) -> Result<Progress, Fault> {
        Ok(Progress::Step(Step {
            entries: Vec::new(),
            closures: Vec::new(),
            quarantine: Vec::new(),
            confirmed: Vec::new(),
            skipped: Vec::new(),
            checkpoint: self.checkpoint()?,
            read: self.state.read,
            expected: None,
            note: Some(note.to_owned()),
        }))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Fault> {
        let ended = self.state.rows.is_some();
        checkpoint::written(of(&self.scope_text, self.mode), ended, &self.state)
    }

    fn warn(&self, message: &str) {
        self.client.platform().log(Level::Warn, message, &[]);
    }
}

/// Units of quota as a person reads them: sums of the API's fractions have noise in their last digits.
fn units(units: f64) -> String {
    format!("{units:.4}")
}

/// Why the rows of a query that is done can't be read.
enum Opening {
    Call(api::Fault),
    /// The query gives none.
    Wrong(Fault),
    /// What is held can't be read.
    Held(Fault),
}
