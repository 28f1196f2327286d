//! The way of each request: the one place where it is read, judged, answered, and where faults can be put in between.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::api::{self, Context};
use crate::auth::Credentials;
use crate::call::Call;
use crate::chaos::alter::{alter, move_window};
use crate::chaos::delivery::{collect, deliver, first_half, is_on_the_way};
use crate::chaos::door::Cutter;
use crate::chaos::fault::Fault;
use crate::chaos::handle::{Act, ChaosHandle};
use crate::chaos::instead::instead;
use crate::chaos::query::{Outcome, upset};
use crate::clock::{http_date, now_ms};
use crate::log::{RequestLog, SeenRequest};
use crate::reply::{Body, Reply};

/// The largest request body that is read.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

/// Replies shorter than this are never compressed.
const GZIP_FROM: usize = 1_024;

/// Everything that a request needs, shared by all.
#[derive(Debug)]
pub struct Server {
    pub context: Context,
    pub credentials: Credentials,
    pub log: RequestLog,
    pub chaos: ChaosHandle,
    /// When the requests of the last second came, oldest first. Only kept with a rate limit.
    pub recent: Mutex<VecDeque<Instant>>,
}

/// Answers one HTTP request.
pub async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST).await;
    let latency = server.context.options.latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let asked = Asked {
        call: Call::find(head.method.as_str(), head.uri.path()),
        headers: &head.headers,
        accepts_gzip: accepts_gzip(&head.headers),
    };
    server.log.record_proof(&head.headers);
    let request_bytes = body.as_ref().map_or(0, |body| body.len());
    let mut act = server.chaos.begin(asked.call, head.uri.path());
    let reply = match &body {
        Ok(body) => server.reply(&asked, &mut act, body).await,
        Err(_) => Reply::invalid_json(),
    };
    let (response, reply_bytes) = server
        .finish(reply, asked.accepts_gzip, &act, &cutter)
        .await;
    let status = match act.fault {
        Some(Fault::Reset) => 0,
        _ => response.status().as_u16(),
    };
    server.log.record(SeenRequest {
        at_ms: u64::try_from(now_ms()).unwrap_or(0),
        connection: cutter.number(),
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        status,
        request_bytes,
        reply_bytes,
    });
    response
}

/// What is known of a request besides its body.
struct Asked<'a> {
    /// `None`: the path or the method is wrong.
    call: Option<Call>,
    headers: &'a HeaderMap,
    accepts_gzip: bool,
}

impl Server {
    /// The tenant's clock, in epoch milliseconds.
    fn now(&self) -> i64 {
        let ahead = self.context.tenant.read().ahead_ms;
        now_ms()
            .saturating_add(self.context.options.clock_skew_ms)
            .saturating_add(self.chaos.skew_ms())
            .saturating_add(ahead)
    }

    /// Has a request answered, and the answer falsified where a fault says so.
    async fn reply(&self, asked: &Asked<'_>, act: &mut Act, body: &[u8]) -> Reply {
        let Some(fault) = act.fault else {
            return self.judge(asked, act, body).await;
        };
        if let Some(reply) = instead(fault, act.retry_after, self.now()) {
            return reply;
        }
        let upset = upset(fault, &mut act.mix, body, &mut self.context.tenant.xql());
        let moved = match upset {
            Outcome::Answer(reply) => return reply,
            Outcome::Ask(body, detail) => Some((body, detail)),
            Outcome::AsAlways => move_window(fault, &mut act.mix, body),
        };
        if let Some((body, detail)) = moved {
            self.chaos.explain(act.request, detail);
            return self.judge(asked, act, &body).await;
        }
        let mut reply = self.judge(asked, act, body).await;
        if let (StatusCode::OK, Body::Bytes(bytes)) = (reply.status, &reply.body) {
            let list = asked.call.and_then(Call::list);
            if let Some((bytes, detail)) = alter(fault, &mut act.mix, list, bytes) {
                self.chaos.explain(act.request, detail);
                reply.body = Body::Bytes(bytes);
            }
        }
        reply
    }

    /// Judges a request and has it answered: path, rate, key, licence, permission, then the call itself.
    async fn judge(&self, asked: &Asked<'_>, act: &Act, body: &[u8]) -> Reply {
        let Some(call) = asked.call else {
            return Reply::waitress();
        };
        let options = &self.context.options;
        if !self.within_rate() {
            return Reply::too_many(options.retry_after);
        }
        let (revoked, replaced, denied) = {
            let tenant = self.context.tenant.read();
            (
                tenant.revoked || act.revoked,
                tenant.replaced_key.clone(),
                tenant.denied.contains(call.name()) || act.denied,
            )
        };
        let credentials = Credentials {
            key: replaced.unwrap_or_else(|| self.credentials.key.clone()),
            ..self.credentials.clone()
        };
        if revoked || !credentials.accept(asked.headers, self.now()) {
            return Reply::unauthorized();
        }
        if !call.licensed(options.licence) {
            return Reply::unlicensed();
        }
        if denied || !call.permitted(&options.role) {
            return Reply::forbidden();
        }
        api::answer(
            &self.context,
            api::Request {
                call,
                body,
                accepts_gzip: asked.accepts_gzip,
            },
        )
        .await
    }

    /// Whether this request is within the rate limit: at most `rate` in any second. Refused ones do not count.
    fn within_rate(&self) -> bool {
        let Some(rate) = self.context.options.rate else {
            return true;
        };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while recent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1))
        {
            recent.pop_front();
        }
        if recent.len() >= rate as usize {
            return false;
        }
        recent.push_back(now);
        true
    }

    /// Compresses a reply, spoils it on the way where a fault says so, and dates it. Returns it with the size of its body.
    async fn finish(
        &self,
        mut reply: Reply,
        accepts_gzip: bool,
        act: &Act,
        cutter: &Cutter,
    ) -> (Response, usize) {
        let on_the_way = act.fault.filter(|fault| is_on_the_way(*fault));
        let mut streamed = false;
        if on_the_way.is_some() {
            let (bytes, was_stream) = collect(reply.body).await;
            (reply.body, streamed) = (Body::Bytes(bytes), was_stream);
        }
        let (mut encoded, mut length) = (reply.encoded, None);
        let (body, size) = match reply.body {
            Body::Stream(stream) => (axum::body::Body::from_stream(stream), 0),
            Body::Bytes(mut bytes) => {
                if on_the_way == Some(Fault::CutJson) {
                    let kept = first_half(&bytes, encoded);
                    let detail = format!("{} bytes are left", kept.len());
                    self.chaos.explain(act.request, detail);
                    bytes = match encoded {
                        true => gzip(&kept).unwrap_or(kept),
                        false => kept,
                    };
                }
                let worthwhile = !encoded && !streamed && bytes.len() >= GZIP_FROM;
                if self.context.options.gzip
                    && accepts_gzip
                    && worthwhile
                    && let Some(packed) = gzip(&bytes)
                {
                    bytes = packed;
                    encoded = true;
                }
                let size = bytes.len();
                match on_the_way {
                    None => (axum::body::Body::from(bytes), size),
                    Some(fault) => {
                        let parcel = deliver(fault, cutter, bytes, streamed, encoded);
                        if !parcel.detail.is_empty() {
                            self.chaos.explain(act.request, parcel.detail);
                        }
                        (encoded, length) = (parcel.encoded, parcel.length);
                        (parcel.body, size)
                    }
                }
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Ok(date) = HeaderValue::from_str(&http_date(self.now())) {
            headers.insert(DATE, date);
        }
        if encoded {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        let retry_after = reply.retry_after.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(value)) = retry_after {
            headers.insert(RETRY_AFTER, value);
        }
        (response, size)
    }
}

/// Bytes as gzip; `None` when they cannot be compressed.
pub fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 6), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Whether `Accept-Encoding` names gzip without refusing it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(http::header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value.split(',').any(|part| {
                let mut words = part.split(';').map(str::trim);
                let named = words
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
                named
                    && !words.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_as_the_header_says() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                http::header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            );
            accepts_gzip(&headers)
        };
        assert!(with("gzip") && with("deflate, GZIP;q=0.5") && with("*"));
        assert!(!with("identity") && !with("gzip;q=0") && !with("br, gzip; q=0.0"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
