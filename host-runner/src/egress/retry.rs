//! Whether and when an attempt is repeated: pure functions.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use jiff::Timestamp;

use super::Failure;

/// The first back-off; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// With an answer.
    Answer(StatusCode, &'a HeaderMap),
    /// Without one.
    Failure(&'a Failure),
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hand over what there is.
    Done,
    /// Send it again after so long.
    Again(Duration),
}

/// What a request allows.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Sending it twice does no harm.
    pub repeatable: bool,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub attempts: u32,
    /// The longest wait. An API that asks for more gets its answer handed to the connector, who knows what it means.
    pub longest_wait: Duration,
    /// A random number from 0 to 1, for the back-off's jitter.
    pub jitter: f64,
    /// The time, to read a date in Retry-After by.
    pub now: Timestamp,
}

/// Judges an attempt. Repeated are connections that failed, 429, 502, 503 and 504; never 500, which some APIs answer for wrong
/// paths, licences and quotas, and never a refused certificate.
pub fn judge(ended: Ended<'_>, allowance: Allowance) -> Verdict {
    if !allowance.repeatable || allowance.attempt >= allowance.attempts {
        return Verdict::Done;
    }
    match ended {
        Ended::Failure(Failure::Connect(_)) => Verdict::Again(back_off(allowance)),
        Ended::Failure(_) => Verdict::Done,
        Ended::Answer(status, headers) if is_passing(status) => {
            match wait_wanted(headers, allowance) {
                wait if wait > allowance.longest_wait => Verdict::Done,
                wait => Verdict::Again(wait),
            }
        }
        Ended::Answer(..) => Verdict::Done,
    }
}

/// How long all requests of the connection should be quiet after an answer: after a 429 only, whether or not the request
/// that met it is repeated.
pub fn quiet_after(ended: Ended<'_>, allowance: Allowance) -> Option<Duration> {
    match ended {
        Ended::Answer(StatusCode::TOO_MANY_REQUESTS, headers) => {
            Some(wait_wanted(headers, allowance).min(allowance.longest_wait))
        }
        Ended::Answer(..) | Ended::Failure(_) => None,
    }
}

/// Statuses that speak of the moment and not of the request.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn wait_wanted(headers: &HeaderMap, allowance: Allowance) -> Duration {
    headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, allowance.now))
        .unwrap_or_else(|| back_off(allowance))
}

/// Reads Retry-After: seconds, or a date as HTTP writes them today (IMF-fixdate). A date gone by means now.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit is longer than any bound.
        return Some(Duration::from_secs(
            value.parse().unwrap_or(u64::from(u32::MAX)),
        ));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// Half of the doubling delay for certain, the other half at random, so that clients which failed together don't return
/// together.
fn back_off(allowance: Allowance) -> Duration {
    let doublings = allowance.attempt.saturating_sub(1).min(16);
    let whole = FIRST
        .saturating_mul(1 << doublings)
        .min(allowance.longest_wait);
    let jitter = if allowance.jitter.is_finite() {
        allowance.jitter.clamp(0.0, 1.0)
    } else {
        0.0
    };
    whole.mul_f64(0.5 + jitter / 2.0)
}
