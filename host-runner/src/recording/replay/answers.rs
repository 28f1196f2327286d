//! The imports, answered from a recording.

use super::state::Replayer;
use crate::contract::http::Failure;
use crate::domain::{Clock, Timestamp};
use crate::egress::{OutgoingRequest, Usage};
use crate::imports::{Answer, HeldRecord, Inventory, LogLine, LogSink, Outbound, ReplyBody};
use crate::recording::event::Event;
use crate::recording::record::{asked, line};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// The way out, which leads nowhere.
pub(super) struct ReplayedOutbound(Arc<Replayer>);

impl ReplayedOutbound {
    pub(super) fn of(replayer: &Arc<Replayer>) -> Self {
        Self(Arc::clone(replayer))
    }
}

impl Outbound for ReplayedOutbound {
    fn send(&self, request: OutgoingRequest) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(async move {
            let id = self.0.state().id();
            let request = Event::Request {
                id,
                request: asked(&request),
            };
            if !self.0.does(&request) {
                std::future::pending::<()>().await;
            }
            match self.0.answer(id).await {
                Event::Reply {
                    status,
                    headers,
                    attempts,
                    ..
                } => Ok(Answer {
                    status,
                    headers,
                    attempts,
                    body: Box::new(ReplayedBody {
                        id,
                        replayer: Arc::clone(&self.0),
                        rest: Bytes::new(),
                    }),
                }),
                Event::Failure { failure, .. } => Err(failure.into()),
                _ => Err(Failure::Other("the recording answers otherwise".to_owned())),
            }
        })
    }

    fn held_back(&self) -> Duration {
        Duration::ZERO
    }

    /// What was used then: the end of the run comes next in its account.
    fn take_usage(&self) -> Usage {
        let mut state = self.0.state();
        match state.run.peek() {
            Ok(Some(numbered)) => match &numbered.event {
                Event::Finish { calls, .. } => {
                    serde_json::from_value(calls.clone()).unwrap_or_default()
                }
                _ => Usage::default(),
            },
            _ => Usage::default(),
        }
    }
}

/// A body. A component that reads with a smaller limit than was recorded gets the same bytes in more pieces.
struct ReplayedBody {
    id: u64,
    replayer: Arc<Replayer>,
    rest: Bytes,
}

impl ReplyBody for ReplayedBody {
    fn read(&mut self, limit: u32) -> BoxFuture<'_, Result<Bytes, Failure>> {
        Box::pin(async move {
            if self.rest.is_empty() {
                match self.replayer.answer(self.id).await {
                    Event::Chunk { body, .. } => self.rest = body.0.into(),
                    Event::Failure { failure, .. } => return Err(failure.into()),
                    _ => {
                        return Err(Failure::Other("the recording answers otherwise".to_owned()));
                    }
                }
            } else {
                self.replayer.rest().await;
            }
            let length = self.rest.len().min(limit as usize);
            Ok(self.rest.split_to(length))
        })
    }
}

pub(super) struct ReplayedClock(pub(super) Arc<Replayer>);

impl Clock for ReplayedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.time()).unwrap_or(Timestamp::MAX)
    }
}

pub(super) struct ReplayedLog {
    pub(super) inner: Arc<dyn LogSink>,
    pub(super) replayer: Arc<Replayer>,
}

impl LogSink for ReplayedLog {
    fn write(&self, entry: LogLine) {
        if self.replayer.does(&line(&entry)) {
            self.inner.write(entry);
        }
    }
}

pub(super) struct ReplayedInventory(pub(super) Arc<Replayer>);

impl Inventory for ReplayedInventory {
    fn open(
        &self,
        data_stream: String,
        oldest_check_first: bool,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<HeldRecord>, String>> {
        Box::pin(async move {
            let id = self.0.state().id();
            let same = self.0.does(&Event::List {
                id,
                stream: data_stream,
                oldest: oldest_check_first,
                after,
                limit,
            });
            if !same {
                std::future::pending::<()>().await;
            }
            match self.0.answer(id).await {
                Event::Held {
                    error: Some(error), ..
                } => Err(error),
                Event::Held { records, .. } => Ok(records
                    .into_iter()
                    .map(|record| HeldRecord {
                        key: record.key,
                        checked: record.checked,
                        fingerprint: record.fingerprint,
                    })
                    .collect()),
                _ => Err("the recording answers otherwise".to_owned()),
            }
        })
    }
}
