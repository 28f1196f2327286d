//! Times as the API and HTTP write them, without a library for dates.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The machine's clock in epoch milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The day that a time is in, counted from 1970-01-01.
pub fn day(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS)
}

struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millisecond: i64,
}

/// The calendar's date and time of day (Howard Hinnant's algorithm for the proleptic Gregorian calendar).
fn moment(ms: i64) -> Moment {
    let shifted = day(ms) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let time = ms.rem_euclid(DAY_MS);
    Moment {
        year,
        month,
        day,
        hour: time / 3_600_000,
        minute: time / 60_000 % 60,
        second: time / 1_000 % 60,
        millisecond: time % 1_000,
    }
}

fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or_default()
}

/// The value of a `Date` header: `Tue, 15 Nov 1994 08:12:31 GMT`.
pub fn http_date(ms: i64) -> String {
    let at = moment(ms);
    let weekday = usize::try_from(day(ms).rem_euclid(7))
        .ok()
        .and_then(|day| WEEKDAYS.get(day))
        .copied();
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        weekday.unwrap_or_default(),
        at.day,
        month_name(at.month),
        at.year,
        at.hour,
        at.minute,
        at.second
    )
}

/// As licence dates are written: `May 18th 2023 08:51:59`.
pub fn date_text(ms: i64) -> String {
    let at = moment(ms);
    let suffix = match at.day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    let name = month_name(at.month);
    format!(
        "{name} {}{suffix} {} {:02}:{:02}:{:02}",
        at.day, at.year, at.hour, at.minute, at.second
    )
}

/// As XQL streams write times: `2021-05-18 09:59:28 UTC`, with milliseconds where there are any.
pub fn stream_time(ms: i64) -> String {
    let at = moment(ms);
    let fraction = if at.millisecond == 0 {
        String::new()
    } else {
        format!(".{:03}", at.millisecond)
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{fraction} UTC",
        at.year, at.month, at.day, at.hour, at.minute, at.second
    )
}

/// As XQL writes times in CSV: `2021-05-20 20:17:05.324000+00:00`.
pub fn csv_time(ms: i64) -> String {
    let at = moment(ms);
    let fraction = if at.millisecond == 0 {
        String::new()
    } else {
        format!(".{:03}000", at.millisecond)
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{fraction}+00:00",
        at.year, at.month, at.day, at.hour, at.minute, at.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_in_every_form() {
        assert_eq!(http_date(784_887_151_000), "Tue, 15 Nov 1994 08:12:31 GMT");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(
            http_date(1_709_164_800_000),
            "Thu, 29 Feb 2024 00:00:00 GMT"
        );
        assert_eq!(date_text(1_684_399_919_000), "May 18th 2023 08:51:59");
        assert_eq!(stream_time(1_621_331_968_000), "2021-05-18 09:59:28 UTC");
        assert_eq!(
            stream_time(1_621_347_891_681),
            "2021-05-18 14:24:51.681 UTC"
        );
        assert_eq!(
            csv_time(1_621_541_825_324),
            "2021-05-20 20:17:05.324000+00:00"
        );
        assert_eq!(csv_time(1_621_541_523_000), "2021-05-20 20:12:03+00:00");
        assert_eq!(stream_time(-1), "1969-12-31 23:59:59.999 UTC");
    }
}
