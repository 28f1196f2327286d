//! How far a replay has come, in both accounts.

use super::lane::Account;
use super::outcome::{Divergence, Ending, Replayed};
use crate::domain::{ConnectionId, DataStreamName};
use crate::recording::error::RecordingError;
use crate::recording::event::{Event, Header, Lane};
use crate::recording::file::{Numbered, Reader};
use crate::store::Run;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};

/// Why a replay goes no further.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stop {
    /// The component did something else.
    Diverged(Divergence),
    /// The recorded run ended here, by the host's doing (stopped, a limit on time, a store that failed): the component would have gone on.
    Over,
    /// The recording stops short.
    Cut,
    /// A line can't be read.
    Broken(RecordingError),
}

/// Answers a sync from a recording.
pub(super) struct Replayer {
    /// Whether everything must be the same, or only its number and order.
    pub(super) strict: bool,
    pub(super) asked: AtomicBool,
    state: Mutex<State>,
    stop: watch::Sender<Option<Stop>>,
}

pub(super) struct State {
    pub(super) guest: Account,
    pub(super) run: Account,
    pub(super) ids: u64,
    /// Who waits for the answer to which question.
    pub(super) waiting: HashMap<u64, oneshot::Sender<Event>>,
    /// What was read ahead where the order may be another one: what the component asks ...
    pub(super) asks: VecDeque<Numbered>,
    /// ... and the answers to it.
    pub(super) answers: VecDeque<Numbered>,
    /// Who waits to be given the rest of bytes that came already.
    pub(super) rest: VecDeque<oneshot::Sender<()>>,
    /// The component asks for more than its account holds.
    exhausted: bool,
    pub(super) now: u64,
    pub(super) steps: u64,
    pub(super) requests: u64,
    pub(super) stream: Option<DataStreamName>,
    pub(super) current: Option<Run>,
    pub(super) runs: Vec<Run>,
    blanked: u64,
}

impl Replayer {
    pub(super) fn new(guest: Reader, run: Reader, strict: bool) -> Self {
        let state = State::new(
            Account::new(guest, Lane::Guest),
            Account::new(run, Lane::Run),
        );
        Self::over(state, strict)
    }

    fn over(state: State, strict: bool) -> Self {
        Self {
            strict,
            asked: AtomicBool::new(false),
            state: Mutex::new(state),
            stop: watch::Sender::new(None),
        }
    }

    /// The replay of the next data stream goes on from here. What is still under way of this one, while its instance is being ended, reaches nothing.
    pub(super) fn go_on(&self) -> Self {
        let mut state = self.state();
        let spent = State::new(state.guest.moved(), state.run.moved());
        let mut left = std::mem::replace(&mut *state, spent);
        // The accounts go on, and an end of each stays behind.
        std::mem::swap(&mut left.guest, &mut state.guest);
        std::mem::swap(&mut left.run, &mut state.run);
        left.forget();
        left.exhausted = false;
        drop(state);
        self.stop(Stop::Over);
        Self::over(left, self.strict)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first reason to stop is the one that counts.
    pub(super) fn stop(&self, stop: Stop) {
        self.stop.send_if_modified(|slot| {
            let first = slot.is_none();
            if first {
                *slot = Some(stop);
            }
            first
        });
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Waits until there is a reason to stop.
    pub(super) async fn stopped(&self) -> Stop {
        let mut receiver = self.stop.subscribe();
        // The sender lives as long as `self`.
        let stop = receiver.wait_for(Option::is_some).await;
        stop.ok()
            .and_then(|stop| stop.clone())
            .unwrap_or(Stop::Over)
    }

    pub(super) fn diverged(
        &self,
        recorded: &Numbered,
        made: impl Into<String>,
        details: Vec<String>,
    ) {
        self.stop(Stop::Diverged(Divergence {
            line: recorded.line,
            recorded: recorded.event.told(),
            made: made.into(),
            details,
        }));
    }

    /// The data stream that is synced next; none at the end.
    pub(super) fn next_stream(&self) -> Result<Option<DataStreamName>, RecordingError> {
        let mut state = self.state();
        let stream = match state.run.peek()? {
            Some(Numbered {
                event: Event::Stream { stream, .. },
                ..
            }) => stream.clone(),
            None => return Ok(None),
            Some(Numbered {
                event: Event::Closed { blanked },
                ..
            }) => {
                state.blanked = *blanked;
                return Ok(None);
            }
            Some(Numbered { line, event }) => {
                return Err(RecordingError::Line {
                    line: *line,
                    reason: format!("a data stream should begin here, and {}", event.told()),
                });
            }
        };
        state.stream = Some(stream.clone());
        state.exhausted = false;
        Ok(Some(stream))
    }

    /// How it ended where nothing differed.
    pub(super) fn ending(&self) -> Ending {
        if self.state().run.is_cut() {
            Ending::Cut
        } else {
            Ending::Same
        }
    }

    /// The component asks for more than was recorded. Once the run has taken all that the component gave, that is the end.
    pub(super) fn exhausted(&self, state: &mut State) {
        if let Some(due) = state.asks.pop_front() {
            self.diverged(&due, "waits for something else", Vec::new());
            return;
        }
        state.exhausted = true;
        self.settle(state);
    }

    /// Ends the replay of this run where both accounts are at their end.
    pub(super) fn settle(&self, state: &mut State) {
        if !state.exhausted {
            return;
        }
        match state.run.peek() {
            Ok(None) => self.stop(Stop::Cut),
            Ok(Some(numbered)) => {
                if matches!(
                    numbered.event,
                    Event::Finish { .. } | Event::Abandoned | Event::Closed { .. }
                ) {
                    self.stop(Stop::Over);
                }
            }
            Err(error) => self.stop(Stop::Broken(error)),
        }
    }

    /// Takes the end of a run that the host ended then: what it consists of.
    pub(super) fn run_over(&self) -> Result<Vec<Event>, RecordingError> {
        let mut state = self.state();
        let mut events = Vec::new();
        while let Some(numbered) = state.run.peek()? {
            if !matches!(numbered.event, Event::Finish { .. } | Event::Abandoned) {
                break;
            }
            let Some(numbered) = state.run.take()? else {
                break;
            };
            state.finish(&numbered.event);
            let last = matches!(numbered.event, Event::Finish { .. });
            events.push(numbered.event);
            if last {
                break;
            }
        }
        state.forget();
        Ok(events)
    }

    pub(super) fn replayed(&self, header: Header, ending: Ending) -> Replayed {
        let mut state = self.state();
        let mut runs = std::mem::take(&mut state.runs);
        runs.extend(state.current.take());
        Replayed {
            header,
            runs,
            steps: state.steps,
            requests: state.requests,
            blanked: state.blanked,
            ending,
        }
    }
}

impl State {
    fn new(guest: Account, run: Account) -> Self {
        Self {
            guest,
            run,
            ids: 1,
            waiting: HashMap::new(),
            asks: VecDeque::new(),
            answers: VecDeque::new(),
            rest: VecDeque::new(),
            exhausted: false,
            now: 0,
            steps: 0,
            requests: 0,
            stream: None,
            current: None,
            runs: Vec::new(),
            blanked: 0,
        }
    }

    pub(super) fn id(&mut self) -> u64 {
        let id = self.ids;
        self.ids += 1;
        id
    }

    /// Forgets what an instance that is gone waited for.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.rest.clear();
        self.asks.clear();
        self.answers.clear();
    }

    /// A run begins, as it was recorded.
    pub(super) fn begin(&mut self, event: &Event) {
        self.runs.extend(self.current.take());
        if let (
            Event::Run {
                run,
                mode,
                reason,
                now,
            },
            Some(stream),
        ) = (event, &self.stream)
        {
            self.current = Some(Run {
                id: *run,
                connection: ConnectionId(0),
                stream: stream.clone(),
                mode: *mode,
                map: None,
                reason: reason.clone(),
                state: crate::domain::RunState::Running,
                sync: None,
                resumed: false,
                started_at: *now,
                ended_at: None,
                committed_at: None,
                steps: 0,
                ledger: crate::domain::Ledger::default(),
                calls: serde_json::Value::Null,
                fault: None,
                warnings: Vec::new(),
                peak_memory: None,
                details: serde_json::Value::Null,
            });
        }
    }

    /// A run ends, as it was recorded.
    pub(super) fn finish(&mut self, event: &Event) {
        if !matches!(event, Event::Finish { .. }) {
            return;
        }
        if let (
            Some(mut run),
            Event::Finish {
                state,
                now,
                calls,
                fault,
                warnings,
                peak_memory,
                details,
            },
        ) = (self.current.take(), event)
        {
            run.state = *state;
            run.ended_at = Some(*now);
            run.calls = calls.clone();
            run.fault = fault.clone();
            run.warnings = warnings.clone();
            run.peak_memory = *peak_memory;
            run.details = details.clone();
            self.runs.push(run);
        }
    }
}
