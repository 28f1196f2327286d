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

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::super::Rule;
    use super::*;

    fn allowance() -> Allowance {
        Allowance {
            repeatable: true,
            attempt: 1,
            attempts: 5,
            longest_wait: Duration::from_secs(60),
            jitter: 1.0,
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn judge_status(status: u16, retry_after: Option<&str>, allowance: Allowance) -> Verdict {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        }
        judge(
            Ended::Answer(StatusCode::from_u16(status).unwrap(), &headers),
            allowance,
        )
    }

    #[test]
    fn only_statuses_that_speak_of_the_moment_are_repeated() {
        for status in [429, 502, 503, 504] {
            assert!(
                matches!(judge_status(status, None, allowance()), Verdict::Again(_)),
                "{status}"
            );
        }
        for status in [
            200, 204, 301, 302, 400, 401, 402, 403, 404, 408, 422, 500, 501, 505, 599,
        ] {
            assert_eq!(
                judge_status(status, None, allowance()),
                Verdict::Done,
                "{status}"
            );
        }
    }

    #[test]
    fn a_500_is_not_repeated_even_where_it_asks_for_it() {
        assert_eq!(judge_status(500, Some("1"), allowance()), Verdict::Done);
    }

    #[test]
    fn connections_that_failed_are_repeated_and_no_other_failure_is() {
        let connect = Failure::Connect(String::new());
        assert!(matches!(
            judge(Ended::Failure(&connect), allowance()),
            Verdict::Again(_)
        ));
        for failure in [
            Failure::denied(Rule::Address, ""),
            Failure::Tls(String::new()),
            Failure::Timeout,
            Failure::Body(String::new()),
            Failure::Busy,
            Failure::Other(String::new()),
        ] {
            assert_eq!(
                judge(Ended::Failure(&failure), allowance()),
                Verdict::Done,
                "{failure:?}"
            );
        }
    }

    #[test]
    fn what_may_not_be_repeated_is_not() {
        let allowance = Allowance {
            repeatable: false,
            ..allowance()
        };
        assert_eq!(judge_status(503, Some("1"), allowance), Verdict::Done);
        assert_eq!(
            judge(Ended::Failure(&Failure::Connect(String::new())), allowance),
            Verdict::Done
        );
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        assert!(matches!(
            judge_status(
                503,
                None,
                Allowance {
                    attempt: 4,
                    ..allowance()
                }
            ),
            Verdict::Again(_)
        ));
        assert_eq!(
            judge_status(
                503,
                None,
                Allowance {
                    attempt: 5,
                    ..allowance()
                }
            ),
            Verdict::Done
        );
    }

    #[test]
    fn retry_after_is_waited_for_as_it_says() {
        assert_eq!(
            judge_status(503, Some("7"), allowance()),
            Verdict::Again(Duration::from_secs(7))
        );
        let date = Some("Thu, 01 Jan 2026 00:00:30 GMT");
        assert_eq!(
            judge_status(429, date, allowance()),
            Verdict::Again(Duration::from_secs(30))
        );
        let gone = Some("Wed, 31 Dec 2025 23:59:30 GMT");
        assert_eq!(
            judge_status(429, gone, allowance()),
            Verdict::Again(Duration::ZERO)
        );
    }

    #[test]
    fn an_answer_that_asks_for_more_than_the_bound_is_handed_over() {
        for value in [
            "61",
            "86400",
            "99999999999999999999999",
            "Thu, 01 Jan 2026 00:02:00 GMT",
        ] {
            assert_eq!(
                judge_status(429, Some(value), allowance()),
                Verdict::Done,
                "{value}"
            );
        }
        assert_eq!(
            judge_status(429, Some("60"), allowance()),
            Verdict::Again(Duration::from_secs(60))
        );
    }

    #[test]
    fn a_retry_after_that_can_not_be_read_is_as_none() {
        for value in [
            "",
            "soon",
            "-5",
            "1.5",
            "5 seconds",
            "Thu, 99 Jan 2026 00:00:00 GMT",
        ] {
            assert_eq!(
                judge_status(503, Some(value), allowance()),
                Verdict::Again(FIRST),
                "{value}"
            );
        }
    }

    #[test]
    fn the_back_off_doubles_and_keeps_its_bound() {
        let wait = |attempt, jitter| {
            back_off(Allowance {
                attempt,
                jitter,
                ..allowance()
            })
        };
        assert_eq!(wait(1, 1.0), Duration::from_millis(500));
        assert_eq!(wait(2, 1.0), Duration::from_secs(1));
        assert_eq!(wait(4, 1.0), Duration::from_secs(4));
        assert_eq!(wait(4, 0.0), Duration::from_secs(2));
        assert_eq!(wait(u32::MAX, 1.0), Duration::from_secs(60));
        assert_eq!(wait(0, f64::NAN), Duration::from_millis(250));
    }

    #[test]
    fn a_429_quiets_all_requests_whether_or_not_it_is_repeated() {
        let mut headers = HeaderMap::new();
        let quiet = |headers: &HeaderMap, status, repeatable| {
            quiet_after(
                Ended::Answer(status, headers),
                Allowance {
                    repeatable,
                    ..allowance()
                },
            )
        };
        assert_eq!(quiet(&headers, StatusCode::SERVICE_UNAVAILABLE, true), None);
        assert_eq!(
            quiet(&headers, StatusCode::TOO_MANY_REQUESTS, false),
            Some(FIRST)
        );
        headers.insert(RETRY_AFTER, HeaderValue::from_static("3600"));
        assert_eq!(
            quiet(&headers, StatusCode::TOO_MANY_REQUESTS, true),
            Some(Duration::from_secs(60))
        );
    }

    proptest! {
        #[test]
        fn no_retry_after_makes_the_reader_panic(value in "\\PC{0,40}") {
            let _ = retry_after(&value, allowance().now);
        }
    }
}
