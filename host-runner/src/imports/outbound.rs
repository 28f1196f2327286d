//! The way out as a guest's imports see it: the connection's [`Egress`], or whatever stands in for it.

use crate::contract::http as wit;
use crate::egress::{self, Egress, IncomingBody, OutgoingRequest, Usage};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// An answer, as the guest is told it.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// How often the host sent the request, where that is known.
    pub attempts: Option<u64>,
    /// The body, not yet read.
    pub body: Box<dyn ReplyBody>,
}

/// A reply's body, read at the guest's pace. Dropping it ends the exchange.
pub trait ReplyBody: Send {
    /// The next bytes, at least one and at most `limit`; none at the end.
    fn read(&mut self, limit: u32) -> BoxFuture<'_, Result<Bytes, wit::Failure>>;
}

/// Where a guest's requests go.
pub trait Outbound: Send + Sync {
    /// One exchange. Any status is an answer.
    fn send(&self, request: OutgoingRequest) -> BoxFuture<'_, Result<Answer, wit::Failure>>;

    /// Wall time during which requests were held back by the host: it is not the guest's. It only grows.
    fn held_back(&self) -> Duration;

    /// What happened since this was last called.
    fn take_usage(&self) -> Usage;

    /// The same bytes with each secret's value, and each signature made with one, replaced by `[secret]`; none where there is nothing to replace.
    fn blanked(&self, _bytes: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// How many bytes at the end of `bytes` may be the beginning of what [`Outbound::blanked`] replaces.
    fn begun(&self, _bytes: &[u8]) -> usize {
        0
    }
}

impl Outbound for Egress {
    fn send(&self, request: OutgoingRequest) -> BoxFuture<'_, Result<Answer, wit::Failure>> {
        Box::pin(async move {
            let incoming = Egress::send(self, request).await.map_err(told)?;
            let headers = incoming.headers.iter().map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            });
            Ok(Answer {
                status: incoming.status.as_u16(),
                headers: headers.collect(),
                attempts: Some(u64::from(incoming.attempts)),
                body: Box::new(incoming.body),
            })
        })
    }

    fn held_back(&self) -> Duration {
        Egress::held_back(self)
    }

    fn take_usage(&self) -> Usage {
        Egress::take_usage(self)
    }

    fn blanked(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.echoes()?.blanked(bytes)
    }

    fn begun(&self, bytes: &[u8]) -> usize {
        self.echoes().map_or(0, |echoes| echoes.begun(bytes))
    }
}

impl ReplyBody for IncomingBody {
    fn read(&mut self, limit: u32) -> BoxFuture<'_, Result<Bytes, wit::Failure>> {
        Box::pin(async move { IncomingBody::read(self, limit).await.map_err(told) })
    }
}

/// A failure in the contract's words.
fn told(failure: egress::Failure) -> wit::Failure {
    match failure {
        egress::Failure::Denied { rule, text } => {
            wit::Failure::Denied(format!("{}: {text}", rule.name()))
        }
        egress::Failure::Limit(limit) => wit::Failure::Limit(limit.name().to_owned()),
        egress::Failure::Timeout => wit::Failure::Timeout,
        egress::Failure::Connect(text) => wit::Failure::Connect(text),
        egress::Failure::Tls(text) => wit::Failure::Tls(text),
        egress::Failure::Body(text) => wit::Failure::Body(text),
        egress::Failure::Busy => wit::Failure::Busy,
        egress::Failure::Other(text) => wit::Failure::Other(text),
    }
}
