//! The component's account: what it does is compared, and what it asks is answered.

use super::answers::{ReplayedClock, ReplayedInventory, ReplayedLog, ReplayedOutbound};
use super::state::{Replayer, State, Stop};
use crate::contract::connector::{Progress, SyncRequest};
use crate::contract::types::Fault;
use crate::imports::{Reach, Tap};
use crate::recording::error::RecordingError;
use crate::recording::event::{Asked, Event, shortened};
use crate::recording::file::Numbered;
use crate::recording::record::{gave, instance};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

impl Replayer {
    /// Compares what the component does with what comes next in its account; whether it is the same.
    pub(super) fn does(&self, made: &Event) -> bool {
        if self.is_stopped() {
            return false;
        }
        let mut state = self.state();
        let recorded = match self.due(&mut state, begins(made)) {
            Ok(Some(recorded)) => recorded,
            Ok(None) => {
                self.exhausted(&mut state);
                return false;
            }
            Err(error) => {
                self.stop(Stop::Broken(error));
                return false;
            }
        };
        let same = if self.strict {
            same(&recorded.event, made)
        } else {
            alike(&recorded.event, made)
        };
        if !same {
            self.diverged(&recorded, made.told(), details(&recorded.event, made));
            return false;
        }
        match &recorded.event {
            Event::Request { .. } => state.requests += 1,
            Event::Gave { .. } => state.steps += 1,
            Event::Instance { first, .. } => state.ids = *first,
            _ => {}
        }
        true
    }

    /// Takes what the component does next by its account. Where only number and order of what it does must be the same, answers may come in between
    /// that are told later.
    fn due(&self, state: &mut State, beginning: bool) -> Result<Option<Numbered>, RecordingError> {
        if let Some(due) = state.asks.pop_front() {
            return Ok(Some(due));
        }
        while let Some(next) = state.guest.peek()? {
            if begins(&next.event) && !beginning {
                break;
            }
            let Some(next) = state.guest.take()? else {
                break;
            };
            if self.strict || next.event.answers().is_none() {
                return Ok(Some(next));
            }
            state.answers.push_back(next);
        }
        Ok(None)
    }

    /// Takes the answer that is told next, where the order of answers may be another one.
    fn told(&self, state: &mut State) -> Result<Option<Numbered>, RecordingError> {
        let waits = |state: &State, event: &Event| {
            let id = event.answers();
            id.is_some_and(|id| state.waiting.contains_key(&id))
        };
        let ready = state
            .answers
            .iter()
            .position(|answer| waits(state, &answer.event));
        if let Some(ready) = ready {
            return Ok(state.answers.remove(ready));
        }
        while let Some(next) = state.guest.peek()? {
            if begins(&next.event) {
                break;
            }
            let Some(next) = state.guest.take()? else {
                break;
            };
            if waits(state, &next.event) {
                return Ok(Some(next));
            }
            match next.event.answers() {
                Some(_) => state.answers.push_back(next),
                None => state.asks.push_back(next),
            }
        }
        Ok(None)
    }

    /// The time that it was told.
    pub(super) fn time(&self) -> u64 {
        let mut state = self.state();
        if self.is_stopped() {
            return state.now;
        }
        match self.due(&mut state, false) {
            Ok(Some(Numbered {
                event: Event::Now { ms },
                ..
            })) => state.now = ms,
            Ok(Some(recorded)) => self.diverged(&recorded, "asks for the time", Vec::new()),
            Ok(None) => self.exhausted(&mut state),
            Err(error) => self.stop(Stop::Broken(error)),
        }
        state.now
    }

    /// Waits for the recorded answer to a question.
    pub(super) async fn answer(&self, id: u64) -> Event {
        let (sender, answer) = oneshot::channel();
        self.state().waiting.insert(id, sender);
        match answer.await {
            Ok(event) => event,
            // The replay is at its end.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits to be given bytes that came with an earlier answer.
    pub(super) async fn rest(&self) {
        let (sender, turn) = oneshot::channel();
        self.state().rest.push_back(sender);
        if turn.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn hand_over(&self, state: &mut State) {
        while let Some(turn) = state.rest.pop_front() {
            if turn.send(()).is_ok() {
                return;
            }
        }
        let next = match self.strict {
            true => match state.guest.peek() {
                Ok(Some(next)) if !begins(&next.event) => state.guest.take(),
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            },
            false => self.told(state),
        };
        let Numbered { line, event } = match next {
            Ok(Some(next)) => next,
            Ok(None) => return self.exhausted(state),
            Err(error) => return self.stop(Stop::Broken(error)),
        };
        let waiting = event.answers().and_then(|id| state.waiting.remove(&id));
        match waiting {
            Some(waiting) => {
                if let Err(event) = waiting.send(event) {
                    let recorded = Numbered { line, event };
                    self.diverged(&recorded, "does not wait for that any more", Vec::new());
                }
            }
            None => {
                let recorded = Numbered { line, event };
                self.diverged(&recorded, "waits for something else", Vec::new());
            }
        }
    }
}

fn begins(event: &Event) -> bool {
    matches!(event, Event::Instance { .. })
}

/// Whether they are the same, but for what a secret was taken out of.
fn same(recorded: &Event, made: &Event) -> bool {
    match (recorded, made) {
        (
            Event::Gave { end, parts },
            Event::Gave {
                end: now,
                parts: made,
            },
        ) => end == now && parts.sha256 == made.sha256,
        (
            Event::Request { id, request },
            Event::Request {
                id: now,
                request: made,
            },
        ) => id == now && (request == made || (blanked(request) && path(request) == path(made))),
        (
            Event::Instance {
                stream,
                mode,
                checkpoint,
                ..
            },
            Event::Instance {
                stream: of,
                mode: now,
                checkpoint: from,
                ..
            },
        ) => stream == of && mode == now && checkpoint == from,
        _ => recorded == made,
    }
}

fn blanked(request: &Asked) -> bool {
    serde_json::to_string(request).is_ok_and(|text| text.contains("[secret]"))
}

fn path(request: &Asked) -> (&str, &str, &str) {
    (&request.origin, &request.method, &request.path)
}

/// Whether they are the same but for the values in them.
fn alike(recorded: &Event, made: &Event) -> bool {
    match (recorded, made) {
        (
            Event::Gave { end, parts },
            Event::Gave {
                end: now,
                parts: made,
            },
        ) => end == now && parts.records.len() == made.records.len(),
        (
            Event::Request { id, request },
            Event::Request {
                id: now,
                request: made,
            },
        ) => id == now && path(request) == path(made),
        (
            Event::List {
                id, stream, oldest, ..
            },
            Event::List {
                id: now,
                stream: of,
                oldest: first,
                ..
            },
        ) => id == now && stream == of && oldest == first,
        (Event::Log { level, .. }, Event::Log { level: now, .. }) => level == now,
        (
            Event::Instance { stream, mode, .. },
            Event::Instance {
                stream: of,
                mode: now,
                ..
            },
        ) => stream == of && mode == now,
        (Event::Fault { fault }, Event::Fault { fault: now }) => fault.kind == now.kind,
        _ => recorded == made,
    }
}

/// In which parts they differ.
fn details(recorded: &Event, made: &Event) -> Vec<String> {
    match (recorded, made) {
        (Event::Gave { parts, .. }, Event::Gave { parts: made, .. }) => parts.differences(made),
        (Event::Request { request, .. }, Event::Request { request: made, .. })
            if path(request) == path(made) =>
        {
            let mut told = Vec::new();
            if request.body != made.body {
                told.push(bodies(&request.body.0, &made.body.0));
            }
            if request.headers != made.headers {
                told.push(format!(
                    "other headers: {:?} then, {:?} now",
                    request.headers, made.headers
                ));
            }
            if request.query != made.query {
                told.push(format!(
                    "another query: {:?} then, {:?} now",
                    request.query, made.query
                ));
            }
            if request.repeatable != made.repeatable {
                told.push("whether it may be repeated".to_owned());
            }
            told
        }
        _ => Vec::new(),
    }
}

/// Where two bodies part.
fn bodies(recorded: &[u8], made: &[u8]) -> String {
    let same = recorded
        .iter()
        .zip(made)
        .take_while(|(then, now)| then == now)
        .count();
    let around = |bytes: &[u8]| {
        let from = same.saturating_sub(20);
        let piece = bytes
            .get(from..bytes.len().min(same + 60))
            .unwrap_or_default();
        shortened(&String::from_utf8_lossy(piece))
    };
    format!(
        "the bodies part at byte {same}: `{}` then, `{}` now",
        around(recorded),
        around(made)
    )
}

impl Tap for Replayer {
    fn reach(self: Arc<Self>, plain: Reach) -> Reach {
        Reach {
            egress: Some(Arc::new(ReplayedOutbound::of(&self))),
            inventory: Arc::new(ReplayedInventory(Arc::clone(&self))),
            clock: Arc::new(ReplayedClock(Arc::clone(&self))),
            log: Arc::new(ReplayedLog {
                inner: plain.log,
                replayer: Arc::clone(&self),
            }),
            tap: Some(self),
        }
    }

    fn instance(&self, request: &SyncRequest) {
        self.state().forget();
        self.does(&instance(request, 0));
    }

    fn asked(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    fn gave(&self, progress: &Result<Progress, Fault>) -> bool {
        self.asked.store(false, Ordering::SeqCst);
        self.does(&gave(progress))
    }

    fn idle(&self) {
        if self.asked.load(Ordering::SeqCst) && !self.is_stopped() {
            self.hand_over(&mut self.state());
        }
    }

    fn sleep(self: Arc<Self>, milliseconds: u64) -> BoxFuture<'static, ()> {
        let id = self.state().id();
        let same = self.does(&Event::Sleep {
            id,
            ms: milliseconds,
        });
        Box::pin(async move {
            if !same {
                std::future::pending::<()>().await;
            }
            self.answer(id).await;
        })
    }
}
