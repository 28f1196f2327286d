//! Asking again for alerts that the platform holds open.
//!
//! No list tells which alerts were resolved: the API can't filter by what changed. So those that are held open are asked for by their
//! ids, those first whose last check is the oldest, in a bounded number of requests; the next sync goes on with the rest. What comes back
//! is sorted as any alert. What does not come back is taken for deleted only if it was asked for twice, and only beside
//! others that came back: the same request carries an id that this sync saw (the canary), so that a reply proves that
//! the API looked. A reply without any of those that were asked for, or with fewer records than it says, proves nothing.

use super::flight::Window;
use super::found::Found;
use super::sliced::{Answer, IN_FLIGHT, Keys, hash, key_of, send};
use crate::api::{Client, FaultKind, Filter, PAGE_RECORDS, Page, PageRequest};
use crate::configure::DataStream;
use crate::contract::inventory::Order;
use crate::contract::log::Level;
use crate::contract::{Closing, Closure, Fault};
use crate::platform::Platform;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;

/// The name of the field that tells alerts apart.
const KEY: &str = "alert_id";

/// The most requests of a sync: at the API's limit ten seconds, for 9,900 alerts.
const MOST_REQUESTS: u32 = 100;

/// How many held ids are listed at once: more than one sync asks for.
const LISTED: u32 = 10_000;

/// Where it stands; part of the checkpoint's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct State {
    /// The last held id that was asked for or passed over, in the inventory's order.
    after: Option<String>,
    /// Ids that were asked for, and requests that were made for it.
    asked: u64,
    requests: u32,
    /// Ids of which no reply told anything.
    untold: u64,
    /// Ids that did not come back once and were not judged for good: whoever goes on asks for them again.
    missing: Vec<String>,
    /// An id that came back, or that the list gave: whoever goes on has none of its own.
    canary: Option<String>,
    /// Whether it is through.
    done: bool,
}

impl State {
    /// As it stands in a checkpoint; where something lacks, from the beginning.
    pub fn read(json: &Value) -> State {
        let number = |name: &str| json.get(name).and_then(Value::as_u64).unwrap_or(0);
        let text = |json: &Value| json.as_str().map(str::to_owned);
        let missing = json.get("missing").and_then(Value::as_array);
        State {
            after: json.get("after").and_then(text),
            asked: number("asked"),
            requests: u32::try_from(number("requests")).unwrap_or(u32::MAX),
            untold: number("untold"),
            missing: missing.into_iter().flatten().filter_map(text).collect(),
            canary: json.get("canary").and_then(text),
            done: json.get("done") == Some(&Value::Bool(true)),
        }
    }
}

/// One id of a batch.
struct Asked {
    id: String,
    /// Whether it was asked for before and did not come back.
    again: bool,
}

/// The ids of one request.
struct Batch {
    ids: Vec<Asked>,
    canary: Option<String>,
    /// The last held id that it covers.
    after: Option<String>,
    numbers: bool,
}

/// The re-check of one read.
#[derive(Default)]
pub(super) struct Recheck {
    /// Held ids that were listed and not asked for yet.
    held: VecDeque<String>,
    /// The last one that was listed.
    listed: Option<String>,
    all_listed: bool,
    /// Ids that did not come back once and are to be asked for again; those of the state until it is asked for the first time.
    missing: Option<Vec<String>>,
    /// What this read saw: it need not be asked for again.
    saw: Keys,
    canary: Option<String>,
    texts_refused: bool,
    window: Window<Answer>,
    under_way: VecDeque<Batch>,
}

impl Recheck {
    /// Notes an alert that this read saw.
    pub fn saw(&mut self, id: &str) {
        self.saw.insert(hash(id));
        if as_number(id).is_some() {
            self.canary = Some(id.to_owned());
        }
    }

    /// Forgets what is in flight: it is asked for again.
    pub async fn abandon(&mut self) {
        self.window.void().await;
        self.under_way.clear();
        self.missing = None;
        self.held.clear();
        self.listed = None;
        self.all_listed = false;
    }

    /// The reply to one request, and a word on how far it is; none where it is through.
    pub async fn next<P: Platform>(
        &mut self,
        client: &Client<P>,
        state: &mut State,
        mut sort: impl FnMut(Value, &mut Found),
        found: &mut Found,
    ) -> Result<Option<String>, Fault> {
        if state.done {
            return Ok(None);
        }
        if self.listed.is_none() {
            self.listed.clone_from(&state.after);
        }
        self.missing.get_or_insert_with(|| state.missing.clone());
        if self.canary.is_none() {
            self.canary.clone_from(&state.canary);
        }
        // The first request goes alone: what it brings back is the canary of the next ones.
        while self.window.len() < IN_FLIGHT
            && (self.canary.is_some() || self.window.is_empty())
            && state.requests.saturating_add(self.under_way.len() as u32) < MOST_REQUESTS
        {
            let Some(batch) = self.batch(client).await? else {
                break;
            };
            let request = PageRequest {
                filters: vec![Filter::any_of("alert_id_list", ids(&batch))],
                sort: None,
                from: 0,
                to: PAGE_RECORDS,
            };
            self.window
                .push_boxed(send(client.clone(), DataStream::Alerts, request));
            self.under_way.push_back(batch);
        }
        self.window.start().await;
        let (Some(answer), Some(batch)) = (self.window.next().await, self.under_way.pop_front())
        else {
            self.end(client, state).await?;
            return Ok(None);
        };
        state.requests = state.requests.saturating_add(1);
        match answer {
            Ok(reply) => self.judge(client, state, &batch, reply.value, &mut sort, found),
            Err(fault)
                if !batch.numbers
                    && matches!(fault.kind, FaultKind::Refused | FaultKind::BadRequest) =>
            {
                self.texts_refused = true;
                state.untold += batch.ids.len() as u64;
                client.platform().log(
                    Level::Warn,
                    "The API refuses to be asked for alerts by ids that are no numbers: these stay unchecked.",
                    &[("why", fault.message.clone())],
                );
            }
            Err(fault) => return Err(fault.into()),
        }
        let judged = |id: &String| batch.ids.iter().any(|asked| asked.again && asked.id == *id);
        state.missing.retain(|id| !judged(id));
        state.canary.clone_from(&self.canary);
        state.asked += batch.ids.iter().filter(|asked| !asked.again).count() as u64;
        state.after = batch.after.or(state.after.take());
        Ok(Some(format!(
            "Asked again for {} of the alerts that are held open, in {} requests.",
            state.asked, state.requests
        )))
    }

    /// The ids of the next request: those that did not come back once, then those that are held. None where there are none.
    async fn batch<P: Platform>(&mut self, client: &Client<P>) -> Result<Option<Batch>, Fault> {
        let mut batch = Batch {
            ids: Vec::new(),
            canary: None,
            after: None,
            numbers: true,
        };
        let room = PAGE_RECORDS as usize - 1;
        while batch.ids.len() < room {
            let Some(id) = self.missing.as_mut().and_then(Vec::pop) else {
                break;
            };
            batch.numbers = as_number(&id).is_some();
            batch.ids.push(Asked { id, again: true });
        }
        loop {
            if self.held.is_empty() && !self.list(client).await? {
                break;
            }
            let Some(id) = self.held.front() else {
                break;
            };
            let number = as_number(id).is_some();
            let seen = self.saw.contains(hash(id));
            if !seen && (number || !self.texts_refused) {
                // Numbers and texts can't stand in one list.
                let other = number != batch.numbers && !batch.ids.is_empty();
                if other || batch.ids.len() >= room {
                    break;
                }
                batch.numbers = number;
                batch.ids.push(Asked {
                    id: id.clone(),
                    again: false,
                });
            }
            batch.after = self.held.pop_front();
        }
        batch.canary = self.canary.clone().filter(|canary| {
            as_number(canary).is_some() == batch.numbers
                && batch.ids.iter().all(|asked| asked.id != *canary)
        });
        Ok((!batch.ids.is_empty()).then_some(batch))
    }

    /// Lists more of what is held; false where there is no more.
    async fn list<P: Platform>(&mut self, client: &Client<P>) -> Result<bool, Fault> {
        if self.all_listed {
            return Ok(false);
        }
        let held = client
            .platform()
            .open(
                DataStream::Alerts.name(),
                Order::OldestCheck,
                self.listed.clone(),
                LISTED,
            )
            .await
            .map_err(|error| {
                super::fault(
                    "inventory",
                    format!("The platform does not tell which alerts it holds open: {error}."),
                    "Report this to the platform's operator.",
                )
            })?;
        self.all_listed = held.is_empty();
        self.held.extend(held.into_iter().map(|held| held.key));
        if let Some(last) = self.held.back() {
            self.listed = Some(last.clone());
        }
        Ok(!self.all_listed)
    }

    /// Sorts what came back, and judges what did not.
    fn judge<P: Platform>(
        &mut self,
        client: &Client<P>,
        state: &mut State,
        batch: &Batch,
        page: Page,
        sort: &mut impl FnMut(Value, &mut Found),
        found: &mut Found,
    ) {
        let size = page.records.len() as u64;
        let mut back: Vec<String> = Vec::new();
        let mut canary_back = false;
        let mut whole = page.total.is_none_or(|total| total == size);
        for raw in page.records {
            let id = key_of(&raw, KEY);
            if batch.canary.as_ref() == Some(&id) {
                canary_back = true;
            } else if !back.contains(&id) && batch.ids.iter().any(|asked| asked.id == id) {
                sort(raw, found);
                back.push(id);
            } else {
                // Not asked for, or given twice: the filter does not do what it should.
                whole = false;
            }
        }
        let came = back.len() + usize::from(canary_back);
        let missing = batch.ids.iter().filter(|asked| !back.contains(&asked.id));
        let proven = whole && came > 0;
        if proven {
            for asked in missing {
                if !asked.again {
                    self.missing.get_or_insert_default().push(asked.id.clone());
                    state.missing.push(asked.id.clone());
                    continue;
                }
                let others = batch.ids.len() - 1 + usize::from(batch.canary.is_some());
                found.closures.push(Closure {
                    key: asked.id.clone(),
                    closing: Closing::Deleted,
                    evidence: format!(
                        "asked for twice by its id, at last with {others} others, {came} of which the API returned"
                    ),
                    at: None,
                });
            }
        } else if came < batch.ids.len() {
            state.untold += missing.count() as u64;
            client.platform().log(
                Level::Warn,
                "A reply to a question for known alerts proves nothing about those that it lacks; they are asked for again by the next sync.",
                &[
                    ("asked", batch.ids.len().to_string()),
                    ("returned", came.to_string()),
                ],
            );
        }
        if let Some(id) = back.pop()
            && proven
        {
            self.canary = Some(id);
        }
    }

    /// Says what was done and what is left.
    async fn end<P: Platform>(
        &mut self,
        client: &Client<P>,
        state: &mut State,
    ) -> Result<(), Fault> {
        let mut left = state.missing.len();
        state.missing.clear();
        loop {
            left += self.held.len();
            self.held.clear();
            if !self.list(client).await? {
                break;
            }
        }
        state.done = true;
        client.platform().log(
            Level::Info,
            "The alerts that are held open were asked for again, those first whose last check is the oldest.",
            &[
                ("asked", state.asked.to_string()),
                ("requests", state.requests.to_string()),
                ("untold", state.untold.to_string()),
                ("left-for-the-next-sync", left.to_string()),
            ],
        );
        Ok(())
    }
}

/// The ids of a request as the API wants them: numbers, exactly, where they are numbers.
fn ids(batch: &Batch) -> Vec<Value> {
    batch
        .ids
        .iter()
        .map(|asked| &asked.id)
        .chain(&batch.canary)
        .map(|id| as_number(id).map_or_else(|| id.as_str().into(), Value::from))
        .collect()
}

/// An id as the number that it is written as, if it is: no other text may become that number.
fn as_number(id: &str) -> Option<u64> {
    id.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == id)
}
