//! `http`: the guest's requests, handed to the connection's [`Outbound`](super::Outbound), and the bodies of its replies.

use super::{ReplyBody, State};
use crate::contract::{http as wit, signing};
use crate::egress::{self, OutgoingRequest};
use std::sync::Arc;
use tokio::sync::Mutex;
use wasmtime::component::{Accessor, HasSelf, Resource};

/// The body of a reply, in the guest's hands. Dropping it ends the exchange.
pub struct ResponseBody {
    body: Arc<Mutex<Box<dyn ReplyBody>>>,
}

/// The most bytes that one read hands over, whatever the guest asks for.
const LONGEST_READ: u32 = 1 << 20;

impl wit::Host for State {}

impl wit::HostBody for State {
    fn drop(&mut self, body: Resource<ResponseBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl<T: Send> wit::HostBodyWithStore<T> for HasSelf<State> {
    async fn read(
        accessor: &Accessor<T, Self>,
        body: Resource<ResponseBody>,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, wit::Failure>> {
        let (body, meter) = accessor.with(|mut store| -> wasmtime::Result<_> {
            let state: &mut State = store.get();
            state.meter.host_call()?;
            let body = Arc::clone(&state.table.get(&body)?.body);
            Ok((body, Arc::clone(&state.meter)))
        })?;
        // The store is never held across an await; a second read on the same body is told so.
        let Ok(mut body) = body.try_lock() else {
            return Ok(Err(wit::Failure::Busy));
        };
        match body.read(limit.clamp(1, LONGEST_READ)).await {
            Ok(bytes) => {
                meter.response_bytes(bytes.len())?;
                Ok(Ok(bytes.to_vec()))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }
}

impl<T: Send> wit::HostWithStore<T> for HasSelf<State> {
    async fn send(
        accessor: &Accessor<T, Self>,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::Failure>> {
        let egress = accessor.with(|mut store| -> wasmtime::Result<_> {
            let state: &mut State = store.get();
            state.meter.host_call()?;
            state.meter.request()?;
            Ok(state.reach.egress.clone())
        })?;
        let Some(egress) = egress else {
            return Ok(Err(wit::Failure::Denied(
                "no-connection: this verb has no way to the network".to_owned(),
            )));
        };
        let answer = match egress.send(outgoing(request)).await {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        let body = Arc::new(Mutex::new(answer.body));
        let body = accessor.with(|mut store| store.get().table.push(ResponseBody { body }))?;
        Ok(Ok(wit::Response {
            status: answer.status,
            headers: answer.headers,
            body,
        }))
    }
}

fn outgoing(request: wit::Request) -> OutgoingRequest {
    OutgoingRequest {
        origin: request.origin,
        method: match request.method {
            wit::Method::Get => http::Method::GET,
            wit::Method::Post => http::Method::POST,
        },
        path: request.path,
        query: request.query,
        headers: request
            .headers
            .into_iter()
            .map(|(name, fills)| (name, fills.into_iter().map(fill).collect()))
            .collect(),
        body: request.body.into(),
        repeatable: request.repeatable,
    }
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
