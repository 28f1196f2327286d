//! Times as people write them: a year, a month, a day, a second, or so long ago.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

use crate::domain::Timestamp;

/// A stretch of time that a text names, in UTC: the whole day for a day, the whole year for a year. `>` is after its end, `>=` from its
/// beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    from: Timestamp,
    unit: Unit,
}

/// How long it is. `from` lies at the beginning of such a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Day,
    Minute,
    Second,
    Millisecond,
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// What a text that is no time is told.
const FORMS: &str = "a time is written as 2026-01-31, 2026-01-31T12:00:00Z, 2026-01, 2026, now, now-7d (s, m, h, d, w, M for months, y) or today";

impl Moment {
    /// Reads a time.
    ///
    /// # Errors
    /// What is wrong with it, and how times are written.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("\"{text}\" is no time: {FORMS}");
        let lower = text.to_ascii_lowercase();
        match lower.as_str() {
            "today" => return Ok(Self::day_of(now)),
            "yesterday" => {
                let before = now.as_i64().saturating_sub(86_400_000);
                return Timestamp::from_i64(before)
                    .map(Self::day_of)
                    .map_err(|_| wrong());
            }
            _ => {}
        }
        if lower.starts_with("now") {
            let steps = text.get(3..).ok_or_else(wrong)?;
            return shifted(now, steps).ok_or_else(wrong);
        }
        Self::absolute(text).ok_or_else(wrong)
    }

    fn absolute(text: &str) -> Option<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        if text.len() == 4 && digits(text) {
            return Self::new(Date::new(text.parse().ok()?, 1, 1).ok()?.into(), Unit::Year);
        }
        if text.len() == 7 && text.contains('-') {
            let (year, month) = text.split_once('-')?;
            if !digits(year) || !digits(month) {
                return None;
            }
            let date = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
            return Self::new(date.into(), Unit::Month);
        }
        let date: Date = text.get(..10).and_then(date_only)?;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return Self::new(date.into(), Unit::Day);
        }
        let time = rest.strip_prefix(['T', 't', ' '])?.trim();
        let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at_checked(zone)?;
        let unit = match clock.len() {
            5 => Unit::Minute,
            8 => Unit::Second,
            _ => Unit::Millisecond,
        };
        let clock: Time = clock.trim().parse().ok()?;
        let local = DateTime::from_parts(date, clock);
        let utc = local.checked_sub(offset(zone.trim())?).ok()?;
        Self::new(utc, unit)
    }

    /// The unit that begins at a civil time, or that it lies in where that is finer than a millisecond.
    fn new(begins: DateTime, unit: Unit) -> Option<Self> {
        let ms = milliseconds(begins)?;
        let from = Timestamp::from_i64(ms).ok()?;
        Some(Self { from, unit })
    }

    /// This very millisecond.
    pub fn at(time: Timestamp) -> Self {
        Self {
            from: time,
            unit: Unit::Millisecond,
        }
    }

    /// The day of a time.
    fn day_of(time: Timestamp) -> Self {
        let day = 86_400_000;
        Self {
            from: Timestamp::from_ms(time.as_ms() / day * day).unwrap_or(time),
            unit: Unit::Day,
        }
    }

    /// Its first millisecond since the epoch.
    pub fn from_ms(self) -> i64 {
        self.from.as_i64()
    }

    /// The first millisecond after it.
    pub fn until_ms(self) -> i64 {
        let fixed = |ms| self.from.as_i64().saturating_add(ms);
        let after = |span| {
            EPOCH
                .checked_add(jiff::SignedDuration::from_millis(self.from.as_i64()))
                .and_then(|begins| begins.checked_add(span))
                .ok()
                .and_then(milliseconds)
                // Nothing begins after the year 9999.
                .unwrap_or(i64::MAX)
        };
        match self.unit {
            Unit::Year => after(1.year()),
            Unit::Month => after(1.month()),
            Unit::Day => fixed(86_400_000),
            Unit::Minute => fixed(60_000),
            Unit::Second => fixed(1_000),
            Unit::Millisecond => fixed(1),
        }
    }
}

fn date_only(text: &str) -> Option<Date> {
    let shape = text.bytes().enumerate().all(|(at, c)| match at {
        4 | 7 => c == b'-',
        _ => c.is_ascii_digit(),
    });
    if shape { text.parse().ok() } else { None }
}

fn milliseconds(time: DateTime) -> Option<i64> {
    i64::try_from(time.duration_since(EPOCH).as_millis()).ok()
}

/// "", "Z", "+01:00", "+0100" or "+01".
fn offset(text: &str) -> Option<jiff::SignedDuration> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(jiff::SignedDuration::ZERO);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = rest.replace(':', "");
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = match digits.get(2..)? {
        "" => 0,
        minutes if minutes.len() == 2 => minutes.parse().ok()?,
        _ => return None,
    };
    (hours < 24 && minutes < 60)
        .then(|| jiff::SignedDuration::from_mins(sign * (hours * 60 + minutes)))
}

/// `now` moved by steps such as "-7d" or "-1M+2h".
fn shifted(now: Timestamp, steps: &str) -> Option<Moment> {
    let mut time = EPOCH
        .checked_add(jiff::SignedDuration::from_millis(now.as_i64()))
        .ok()?;
    let mut rest = steps.trim();
    while !rest.is_empty() {
        let (sign, tail) = match rest.strip_prefix('-') {
            Some(tail) => (-1, tail.trim_start()),
            None => (1, rest.strip_prefix('+')?.trim_start()),
        };
        let digits = tail.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = tail.split_at_checked(digits)?;
        let number = sign * number.parse::<i32>().ok().filter(|n| *n < 1_000_000)?;
        let tail = tail.trim_start();
        let mut letters = tail.chars();
        let span = match letters.next()? {
            's' | 'S' => number.seconds(),
            'm' => number.minutes(),
            'h' | 'H' => number.hours(),
            'd' | 'D' => number.days(),
            'w' | 'W' => number.weeks(),
            'M' => number.try_months_checked()?,
            'y' | 'Y' => number.try_years_checked()?,
            _ => return None,
        };
        time = time.checked_add(span).ok()?;
        rest = letters.as_str().trim_start();
    }
    milliseconds(time)
        .and_then(|ms| Timestamp::from_i64(ms).ok())
        .map(Moment::at)
}

/// Spans of months and years have limits, beyond which their short constructors panic.
trait Checked {
    fn try_months_checked(self) -> Option<jiff::Span>;
    fn try_years_checked(self) -> Option<jiff::Span>;
}

impl Checked for i32 {
    fn try_months_checked(self) -> Option<jiff::Span> {
        jiff::Span::new().try_months(self).ok()
    }

    fn try_years_checked(self) -> Option<jiff::Span> {
        jiff::Span::new().try_years(self).ok()
    }
}

/// So that it reads back as itself.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.from.to_rfc3339();
        let (kept, zone) = match self.unit {
            Unit::Year => (4, ""),
            Unit::Month => (7, ""),
            Unit::Day => (10, ""),
            Unit::Minute => (16, "Z"),
            Unit::Second => (19, "Z"),
            Unit::Millisecond => (text.len(), ""),
        };
        write!(f, "{}{zone}", text.get(..kept).unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-03-31T12:34:56.789Z
    fn now() -> Timestamp {
        Timestamp::from_rfc3339("2026-03-31T12:34:56.789Z").unwrap()
    }

    fn span(text: &str) -> (String, String) {
        let moment = Moment::parse(text, now()).unwrap_or_else(|error| panic!("{error}"));
        let show = |ms| Timestamp::from_i64(ms).unwrap().to_rfc3339();
        (show(moment.from_ms()), show(moment.until_ms()))
    }

    #[test]
    fn a_text_names_the_whole_of_what_it_says() {
        for (text, from, until) in [
            (
                "2026",
                "2026-01-01T00:00:00.000Z",
                "2027-01-01T00:00:00.000Z",
            ),
            (
                "2024-02",
                "2024-02-01T00:00:00.000Z",
                "2024-03-01T00:00:00.000Z",
            ),
            (
                "2026-01-31",
                "2026-01-31T00:00:00.000Z",
                "2026-02-01T00:00:00.000Z",
            ),
            (
                "2026-01-31T12:00",
                "2026-01-31T12:00:00.000Z",
                "2026-01-31T12:01:00.000Z",
            ),
            (
                "2026-01-31 12:00:07",
                "2026-01-31T12:00:07.000Z",
                "2026-01-31T12:00:08.000Z",
            ),
            (
                "2026-01-31T12:00:00+02:30",
                "2026-01-31T09:30:00.000Z",
                "2026-01-31T09:30:01.000Z",
            ),
            (
                "2026-01-31t12:00:00.5z",
                "2026-01-31T12:00:00.500Z",
                "2026-01-31T12:00:00.501Z",
            ),
            (
                "now",
                "2026-03-31T12:34:56.789Z",
                "2026-03-31T12:34:56.790Z",
            ),
            (
                "now-7d",
                "2026-03-24T12:34:56.789Z",
                "2026-03-24T12:34:56.790Z",
            ),
            (
                "now - 2w",
                "2026-03-17T12:34:56.789Z",
                "2026-03-17T12:34:56.790Z",
            ),
            (
                "NOW-1M",
                "2026-02-28T12:34:56.789Z",
                "2026-02-28T12:34:56.790Z",
            ),
            (
                "now-1m",
                "2026-03-31T12:33:56.789Z",
                "2026-03-31T12:33:56.790Z",
            ),
            (
                "now-1y+1h-30s",
                "2025-03-31T13:34:26.789Z",
                "2025-03-31T13:34:26.790Z",
            ),
            (
                "today",
                "2026-03-31T00:00:00.000Z",
                "2026-04-01T00:00:00.000Z",
            ),
            (
                "Yesterday",
                "2026-03-30T00:00:00.000Z",
                "2026-03-31T00:00:00.000Z",
            ),
        ] {
            assert_eq!(span(text), (from.to_owned(), until.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_how_times_are_written() {
        for text in [
            "",
            "soon",
            "now-",
            "now-7",
            "now7d",
            "now-7q",
            "2026-13",
            "2026-02-30",
            "20260131",
            "2026-1-31",
            "1969",
            "10000",
            "now-9999999999d",
            "now-999999y",
            "now-999999M",
            "2026-01-31T25:00",
            "2026-01-31T12:00:00+99:00",
            "+2026",
            "२०२६",
            "2026-01-31T12:00:00+1",
            "nöw",
        ] {
            let error = Moment::parse(text, now()).unwrap_err();
            assert!(error.contains("now-7d"), "{text}: {error}");
        }
    }

    #[test]
    fn the_year_9999_has_no_end() {
        let last = Moment::parse("9999", now()).unwrap();
        assert_eq!(last.until_ms(), i64::MAX);
        assert_eq!(last.to_string(), "9999");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            let _ = Moment::parse(&text, now());
        }

        #[test]
        fn anything_like_a_time_is_read_or_refused(text in "(now|today|[0-9]{0,5})([-+T: ]?[0-9]{0,7}[smhdwMyZ.]?){0,6}") {
            let _ = Moment::parse(&text, now());
        }

        #[test]
        fn each_moment_reads_back_from_its_text(ms in 0..250_000_000_000_000_i64, cut in 0..5_usize) {
            let text = Timestamp::from_i64(ms).unwrap().to_rfc3339();
            let text = [&text[..4], &text[..7], &text[..10], &text[..19], &text][cut];
            let moment = Moment::parse(text, now()).unwrap();
            prop_assert!(moment.from_ms() <= ms && ms < moment.until_ms());
            prop_assert_eq!(Moment::parse(&moment.to_string(), now()), Ok(moment));
        }
    }
}
