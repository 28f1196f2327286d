//! The way of each request: the one place where it is read, judged, answered, and where faults can be put in between.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderValue};

use crate::api::{self, Context};
use crate::auth::Credentials;
use crate::call::Call;
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
    /// When the requests of the last second came, oldest first. Only kept with a rate limit.
    pub recent: Mutex<VecDeque<Instant>>,
}

/// Answers one HTTP request.
pub async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST).await;
    let latency = server.context.options.latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let accepts_gzip = accepts_gzip(&head.headers);
    let request_bytes = body.as_ref().map_or(0, |body| body.len());
    let reply = match &body {
        Ok(body) => {
            server
                .reply(
                    head.method.as_str(),
                    head.uri.path(),
                    &head.headers,
                    body,
                    accepts_gzip,
                )
                .await
        }
        Err(_) => Reply::invalid_json(),
    };
    let (response, reply_bytes) = server.finish(reply, accepts_gzip);
    server.log.record(SeenRequest {
        at_ms: u64::try_from(now_ms()).unwrap_or(0),
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        status: response.status().as_u16(),
        request_bytes,
        reply_bytes,
    });
    response
}

impl Server {
    /// The tenant's clock, in epoch milliseconds.
    fn now(&self) -> i64 {
        now_ms().saturating_add(self.context.options.clock_skew_ms)
    }

    /// Judges a request and has it answered: path, rate, key, licence, permission, then the call itself. A plan of faults
    /// belongs here: it may answer in place of the rest, or change the reply that comes out.
    async fn reply(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
        accepts_gzip: bool,
    ) -> Reply {
        let Some(call) = Call::find(method, path) else {
            return Reply::waitress();
        };
        let options = &self.context.options;
        if !self.within_rate() {
            return Reply::too_many(options.retry_after);
        }
        let (revoked, denied) = {
            let tenant = self.context.tenant.read();
            (tenant.revoked, tenant.denied.contains(call.name()))
        };
        if revoked || !self.credentials.accept(headers, self.now()) {
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
                accepts_gzip,
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

    /// Compresses and dates a reply. Returns it with the size of its body.
    fn finish(&self, reply: Reply, accepts_gzip: bool) -> (Response, usize) {
        let mut encoded = reply.encoded;
        let (body, size) = match reply.body {
            Body::Stream(stream) => (axum::body::Body::from_stream(stream), 0),
            Body::Bytes(mut bytes) => {
                let worthwhile = !encoded && bytes.len() >= GZIP_FROM;
                if self.context.options.gzip
                    && accepts_gzip
                    && worthwhile
                    && let Some(packed) = gzip(&bytes)
                {
                    bytes = packed;
                    encoded = true;
                }
                let size = bytes.len();
                (axum::body::Body::from(bytes), size)
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        if let Ok(date) = HeaderValue::from_str(&http_date(self.now())) {
            headers.insert(DATE, date);
        }
        if encoded {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if let Some(seconds) = reply.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        (response, size)
    }
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
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
