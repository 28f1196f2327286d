//! Requests and their answers, written down as they are told.

use super::Scribe;
use crate::contract::http::Failure;
use crate::egress::{Algorithm, Encoding, Fill, OutgoingRequest, Part, Usage};
use crate::imports::{Answer, Outbound, ReplyBody};
use crate::recording::event::{Asked, Event, Refusal};
use crate::recording::payload::Payload;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// What stands for a secret.
const BLANK: &[u8] = b"[secret]";

/// Headers of answers that carry a session: neither written down nor told, so that a replay tells what was told.
const UNTOLD: [&str; 5] = [
    "set-cookie",
    "set-cookie2",
    "authorization",
    "proxy-authorization",
    "authentication-info",
];

pub(super) struct RecordedOutbound {
    pub(super) inner: Arc<dyn Outbound>,
    pub(super) scribe: Arc<Scribe>,
}

impl Outbound for RecordedOutbound {
    fn send(&self, request: OutgoingRequest) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(async move {
            let id = self.scribe.id();
            self.scribe.write(&Event::Request {
                id,
                request: asked(&request),
            });
            let answer = self.inner.send(request).await;
            self.scribe.turns.wait().await;
            match answer {
                Ok(mut answer) => {
                    answer
                        .headers
                        .retain(|(name, _)| !UNTOLD.contains(&name.as_str()));
                    self.scribe.write(&Event::Reply {
                        id,
                        status: answer.status,
                        headers: answer.headers.clone(),
                        attempts: answer.attempts,
                    });
                    answer.body = Box::new(RecordedBody {
                        inner: answer.body,
                        id,
                        scribe: Arc::clone(&self.scribe),
                        held: Vec::new(),
                        ready: None,
                        end: None,
                    });
                    Ok(answer)
                }
                Err(failure) => {
                    self.scribe.write(&Event::Failure {
                        id,
                        failure: refusal(&failure),
                    });
                    Err(failure)
                }
            }
        })
    }

    fn held_back(&self) -> Duration {
        self.inner.held_back()
    }

    fn take_usage(&self) -> Usage {
        self.inner.take_usage()
    }
}

/// What a read gives.
struct Told {
    bytes: Bytes,
    /// It may be a piece of a secret: it is told, and not written down.
    piece: bool,
}

impl Told {
    fn of(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            piece: false,
        }
    }
}

/// So many bytes of a secret tell little of it: a body may end with what a secret begins with.
const LITTLE: usize = 8;

/// A body whose bytes are written down as they are told. What may be the beginning of a secret at the end of a chunk is told with the next one, so that
/// no secret can stand across two lines.
struct RecordedBody {
    inner: Box<dyn ReplyBody>,
    id: u64,
    scribe: Arc<Scribe>,
    /// Read and not told yet.
    held: Vec<u8>,
    /// What is told next: kept here, so that a read that is given up loses nothing.
    ready: Option<Result<Told, Failure>>,
    /// How the body ended.
    end: Option<Result<(), Failure>>,
}

impl ReplyBody for RecordedBody {
    fn read(&mut self, limit: u32) -> BoxFuture<'_, Result<Bytes, Failure>> {
        Box::pin(async move {
            if self.ready.is_none() {
                self.ready = Some(self.next(limit).await);
            }
            self.scribe.turns.wait().await;
            let told = match self.ready.take() {
                Some(Ok(mut told)) if told.bytes.len() > limit as usize => {
                    let rest = told.bytes.split_off(limit as usize);
                    self.ready = Some(Ok(Told {
                        bytes: rest,
                        piece: told.piece,
                    }));
                    Ok(told)
                }
                Some(told) => told,
                None => Ok(Told::of(Bytes::new())),
            };
            self.write(&told);
            told.map(|told| told.bytes)
        })
    }
}

impl RecordedBody {
    async fn next(&mut self, limit: u32) -> Result<Told, Failure> {
        let wanted = limit as usize;
        loop {
            let begun = self.scribe.book.watch.begun(&self.held);
            let free = self.held.len().saturating_sub(begun).min(wanted);
            if free > 0 {
                return Ok(Told::of(self.take(free)));
            }
            match &self.end {
                _ if self.held.len() >= wanted => {
                    // A guest that asks for a few bytes at a time gets them.
                    let bytes = self.take(wanted);
                    return Ok(Told { bytes, piece: true });
                }
                Some(_) if !self.held.is_empty() => {
                    let bytes = self.take(self.held.len());
                    let piece = bytes.len() > LITTLE;
                    return Ok(Told { bytes, piece });
                }
                Some(Ok(())) => return Ok(Told::of(Bytes::new())),
                Some(Err(failure)) => return Err(failure.clone()),
                None => {}
            }
            let room = u32::try_from(wanted.saturating_sub(self.held.len())).unwrap_or(limit);
            match self.inner.read(room.max(1)).await {
                Ok(bytes) if bytes.is_empty() => self.end = Some(Ok(())),
                Ok(bytes) => self.held.extend_from_slice(&bytes),
                Err(failure) => self.end = Some(Err(failure)),
            }
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        let rest = self.held.split_off(length.min(self.held.len()));
        std::mem::replace(&mut self.held, rest).into()
    }

    fn write(&self, told: &Result<Told, Failure>) {
        let id = self.id;
        self.scribe.write(&match told {
            Ok(Told { bytes, piece }) => {
                let blanked = if *piece {
                    Some(BLANK.to_vec())
                } else {
                    self.scribe.book.watch.blanked(bytes)
                };
                if blanked.is_some() {
                    self.scribe.book.writer.blanked();
                }
                Event::Chunk {
                    id,
                    body: Payload(blanked.unwrap_or_else(|| bytes.to_vec())),
                }
            }
            Err(failure) => Event::Failure {
                id,
                failure: refusal(failure),
            },
        });
    }
}

/// A request as it is written down.
pub(in crate::recording) fn asked(request: &OutgoingRequest) -> Asked {
    let headers = request.headers.iter().map(|(name, fills)| {
        let value: String = fills.iter().map(recipe).collect();
        (name.clone(), value)
    });
    Asked {
        origin: request.origin.clone(),
        method: request.method.to_string(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: headers.collect(),
        body: Payload(request.body.to_vec()),
        repeatable: request.repeatable,
    }
}

/// How a header's value is put together: never the value.
fn recipe(fill: &Fill) -> String {
    match fill {
        Fill::Part(one) => part(one),
        Fill::Base64(parts) => format!("{{base64:{}}}", joined(parts)),
        Fill::Digest(digest) => {
            let algorithm = match digest.algorithm {
                Algorithm::Sha256 => "sha256",
                Algorithm::Sha512 => "sha512",
            };
            let encoding = match digest.encoding {
                Encoding::Hex => "hex",
                Encoding::Base64 => "base64",
                Encoding::Base64Url => "base64url",
            };
            let key = match &digest.hmac_key {
                Some(name) => format!(",hmac-key={name}"),
                None => String::new(),
            };
            format!("{{{algorithm},{encoding}{key}:{}}}", joined(&digest.parts))
        }
    }
}

fn joined(parts: &[Part]) -> String {
    parts.iter().map(part).collect()
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Secret(name) => format!("{{secret:{name}}}"),
        Part::NowMs => "{now-ms}".to_owned(),
        Part::Nonce => "{nonce}".to_owned(),
        Part::Body => "{body}".to_owned(),
    }
}

/// A failure as it is written down.
fn refusal(failure: &Failure) -> Refusal {
    match failure.clone() {
        Failure::Denied(text) => Refusal::Denied(text),
        Failure::Limit(text) => Refusal::Limit(text),
        Failure::Timeout => Refusal::Timeout,
        Failure::Connect(text) => Refusal::Connect(text),
        Failure::Tls(text) => Refusal::Tls(text),
        Failure::Body(text) => Refusal::Body(text),
        Failure::Busy => Refusal::Busy,
        Failure::Other(text) => Refusal::Other(text),
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Limit(text) => Self::Limit(text),
            Refusal::Timeout => Self::Timeout,
            Refusal::Connect(text) => Self::Connect(text),
            Refusal::Tls(text) => Self::Tls(text),
            Refusal::Body(text) => Self::Body(text),
            Refusal::Busy => Self::Busy,
            Refusal::Other(text) => Self::Other(text),
        }
    }
}
