//! The connector without WebAssembly: its native build over the runner's own way out, as a baseline for tests and benchmarks.

use cortex_xdr::contract::{inventory, log, signing};
use cortex_xdr::platform::{Body, Failure, Platform, Request, Response};
use futures_util::future::BoxFuture;
use host_runner::domain::{Clock, SystemClock};
use host_runner::egress::{self, Egress, IncomingBody, OutgoingRequest};
use std::sync::Arc;
use std::time::Duration;

/// The runner's way out, as the connector's platform.
#[derive(Clone)]
pub struct Native {
    egress: Arc<Egress>,
}

impl Native {
    /// Over this way out.
    #[must_use]
    pub fn new(egress: Arc<Egress>) -> Self {
        Self { egress }
    }

    fn exchange(
        &self,
        request: Request,
    ) -> BoxFuture<'static, Result<egress::Incoming, egress::Failure>> {
        let egress = Arc::clone(&self.egress);
        let outgoing = OutgoingRequest {
            origin: cortex_xdr::configure::ORIGIN.to_owned(),
            method: request.call.method(),
            path: request.call.path().to_owned(),
            query: Vec::new(),
            headers: request
                .headers
                .into_iter()
                .map(|(name, fills)| {
                    (
                        name.as_str().to_owned(),
                        fills.into_iter().map(fill).collect(),
                    )
                })
                .collect(),
            body: request.body.into(),
            repeatable: request.repeatable,
        };
        Box::pin(async move { egress.send(outgoing).await })
    }
}

/// A body, read at the connector's pace.
pub struct NativeBody(IncomingBody);

impl Body for NativeBody {
    async fn read(&mut self, limit: u32) -> Result<Vec<u8>, Failure> {
        self.0
            .read(limit)
            .await
            .map(|bytes| bytes.to_vec())
            .map_err(told)
    }
}

impl Platform for Native {
    type Body = NativeBody;

    async fn send(&self, request: Request) -> Result<Response<NativeBody>, Failure> {
        let incoming = self.exchange(request).await.map_err(told)?;
        Ok(Response {
            status: incoming.status,
            headers: incoming.headers,
            body: NativeBody(incoming.body),
        })
    }

    fn now(&self) -> u64 {
        SystemClock.now().as_ms()
    }

    async fn sleep(&self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    async fn open(
        &self,
        _data_stream: &str,
        _order: inventory::Order,
        _after: Option<String>,
        _limit: u32,
    ) -> Result<Vec<inventory::Held>, String> {
        Ok(Vec::new())
    }

    fn log(&self, _level: log::Level, _message: &str, _fields: &[(&str, String)]) {}
}

fn fill(fill: signing::Fill) -> egress::Fill {
    match fill {
        signing::Fill::Part(one) => egress::Fill::Part(part(one)),
        signing::Fill::Base64(parts) => egress::Fill::Base64(parts.into_iter().map(part).collect()),
        signing::Fill::Digest(digest) => egress::Fill::Digest(egress::Digest {
            algorithm: match digest.algorithm {
                signing::Algorithm::Sha256 => egress::Algorithm::Sha256,
                signing::Algorithm::Sha512 => egress::Algorithm::Sha512,
            },
            hmac_key: digest.hmac_key,
            parts: digest.parts.into_iter().map(part).collect(),
            encoding: match digest.encoding {
                signing::Encoding::Hex => egress::Encoding::Hex,
                signing::Encoding::Base64 => egress::Encoding::Base64,
                signing::Encoding::Base64url => egress::Encoding::Base64Url,
            },
        }),
    }
}

fn part(part: signing::Part) -> egress::Part {
    match part {
        signing::Part::Text(text) => egress::Part::Text(text),
        signing::Part::Secret(name) => egress::Part::Secret(name),
        signing::Part::NowMs => egress::Part::NowMs,
        signing::Part::Nonce => egress::Part::Nonce,
        signing::Part::Body => egress::Part::Body,
    }
}

fn told(failure: egress::Failure) -> Failure {
    match failure {
        egress::Failure::Denied { rule, text } => {
            Failure::Denied(format!("{}: {text}", rule.name()))
        }
        egress::Failure::Limit(limit) => Failure::Limit(limit.name().to_owned()),
        egress::Failure::Timeout => Failure::Timeout,
        egress::Failure::Connect(text) => Failure::Connect(text),
        egress::Failure::Tls(text) => Failure::Tls(text),
        egress::Failure::Body(text) => Failure::Body(text),
        egress::Failure::Busy => Failure::Busy,
        egress::Failure::Other(text) => Failure::Other(text),
    }
}
