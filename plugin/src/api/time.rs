//! Times as the API writes them: milliseconds since the epoch, as numbers or text, dates as text, and HTTP dates. All UTC.

use http::{HeaderMap, header};
use serde_json::Value;

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;
/// Whoever reads the contract refuses times beyond the year 9999.
const LATEST: u64 = 253_402_300_799_999;

/// The beginning of the next UTC day: when the API's daily counters start anew.
pub fn next_midnight(now: u64) -> u64 {
    (now / DAY).saturating_add(1).saturating_mul(DAY)
}

/// A point in time, in milliseconds since the epoch: a number of milliseconds (or seconds, which the API accepts and may
/// give), the same as a text, or a date as text ("2021-05-18 09:59:28 UTC", "2021-05-20 20:17:05.324000+00:00", RFC 3339).
/// None for what is no time, and for 0, the API's way to say "never".
pub fn timestamp(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| {
                number
                    .as_f64()
                    .filter(|ms| *ms >= 0.0 && *ms <= LATEST as f64)
                    .map(|ms| ms as u64)
            })
            .and_then(plausible),
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<u64>() {
                Ok(number) => plausible(number),
                Err(_) => date(text),
            }
        }
        _ => None,
    }
}

/// Seconds become milliseconds: as milliseconds they would lie before April 1970.
fn plausible(number: u64) -> Option<u64> {
    match number {
        0 => None,
        1..10_000_000_000 => Some(number.saturating_mul(SECOND)),
        _ if number <= LATEST => Some(number),
        _ => None,
    }
}

/// "2021-05-18 09:59:28 UTC" and its relatives. A text without a zone is UTC, as everything in this API.
fn date(text: &str) -> Option<u64> {
    let (day, rest) = text.split_at_checked(10)?;
    let mut parts = day.split('-');
    let (year, month, date) = (
        number(parts.next()?)?,
        number(parts.next()?)?,
        number(parts.next()?)?,
    );
    if parts.next().is_some() {
        return None;
    }
    let midnight = days(year, month, date)?.checked_mul(DAY)?;
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    if rest.is_empty() {
        return Some(midnight);
    }
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
        .unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = whole.split(':');
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let second = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    let local = midnight + (hour * 3_600 + minute * 60 + second) * SECOND + number(&millis)?;
    at_zone(local, zone.trim()).filter(|ms| *ms <= LATEST)
}

fn at_zone(local: u64, zone: &str) -> Option<u64> {
    if zone.is_empty()
        || ["Z", "UTC", "GMT"]
            .iter()
            .any(|name| zone.eq_ignore_ascii_case(name))
    {
        return Some(local);
    }
    let (ahead, digits) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(digits), _) => (true, digits),
        (None, Some(digits)) => (false, digits),
        (None, None) => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let offset = (number(hours)? * 60 + number(if minutes.is_empty() { "0" } else { minutes })?)
        * 60
        * SECOND;
    if ahead {
        local.checked_sub(offset)
    } else {
        local.checked_add(offset)
    }
}

/// The server's time, as the header `Date` of an answer tells it; it has whole seconds.
pub fn of_answer(headers: &HeaderMap) -> Option<u64> {
    http_date(headers.get(header::DATE)?.to_str().ok()?)
}

/// An HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT"), as in the header `Date`, in milliseconds since the epoch.
pub fn http_date(text: &str) -> Option<u64> {
    let (_, rest) = text.trim().split_once(", ")?;
    let mut parts = rest.split(' ');
    let date = number(parts.next()?)?;
    let name = parts.next()?;
    let month = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    .iter()
    .position(|month| *month == name)? as u64
        + 1;
    let year = number(parts.next()?)?;
    let mut clock = parts.next()?.split(':');
    let (hour, minute, second) = (
        number(clock.next()?)?,
        number(clock.next()?)?,
        number(clock.next()?)?,
    );
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let midnight = days(year, month, date)?.checked_mul(DAY)?;
    Some(midnight + (hour * 3_600 + minute * 60 + second) * SECOND)
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days from the epoch to a date of the Gregorian calendar, from 1970 on.
fn days(year: u64, month: u64, date: u64) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if year < 1970 || date == 0 || date > length {
        return None;
    }
    // The year begins in March here, so that the leap day is its last.
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let in_year = (153 * month + 2) / 5 + date - 1;
    let since_zero = year * 365 + year / 4 - year / 100 + year / 400 + in_year;
    since_zero.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn milliseconds_seconds_and_texts_are_the_same_moment() {
        let moment = Some(1_621_331_968_000);
        for value in [
            json!(1_621_331_968_000_u64),
            json!(1_621_331_968),
            json!("1621331968000"),
            json!("2021-05-18 09:59:28 UTC"),
            json!("2021-05-18T09:59:28Z"),
            json!("2021-05-18 09:59:28.000000+00:00"),
            json!("2021-05-18T11:59:28+02:00"),
            json!("2021-05-18T04:29:28-0530"),
        ] {
            assert_eq!(timestamp(&value), moment, "{value}");
        }
        assert_eq!(
            timestamp(&json!("2021-05-20 20:17:05.324000+00:00")),
            Some(1_621_541_825_324)
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for value in [
            json!(null),
            json!(0),
            json!(-1),
            json!(""),
            json!("never"),
            json!("2021-13-01"),
            json!("2021-02-29"),
            json!("99999999999999999"),
            json!([1]),
        ] {
            assert_eq!(timestamp(&value), None, "{value}");
        }
    }

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        assert_eq!(
            http_date("Thu, 29 Feb 2024 00:00:00 GMT"),
            Some(1_709_164_800_000)
        );
        assert_eq!(http_date("tomorrow"), None);
    }

    #[test]
    fn the_daily_quota_begins_anew_at_midnight_utc() {
        assert_eq!(next_midnight(1_709_164_800_000), 1_709_251_200_000);
        assert_eq!(next_midnight(1_709_164_799_999), 1_709_164_800_000);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,40}") {
            let _ = timestamp(&Value::String(text.clone()));
            let _ = http_date(&text);
        }

        #[test]
        fn every_printed_time_is_read_back(days_since in 0_u64..40_000, second in 0_u64..86_400) {
            // Counts the calendar on day by day, independently of the formula.
            let (mut year, mut left) = (1970, days_since);
            let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            while left >= if leap(year) { 366 } else { 365 } {
                left -= if leap(year) { 366 } else { 365 };
                year += 1;
            }
            let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let mut month = 0;
            while left >= lengths[month] {
                left -= lengths[month];
                month += 1;
            }
            let text = format!(
                "{year:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
                month + 1, left + 1, second / 3600, second / 60 % 60, second % 60
            );
            let expected = (days_since * 86_400 + second) * 1_000;
            proptest::prop_assert_eq!(date(&text), Some(expected));
        }
    }
}
