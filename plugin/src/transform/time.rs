//! Times: epoch milliseconds and text on one side, RFC 3339 in UTC on the other.

/// Below this a number of milliseconds would lie before March 1973: it is a number of seconds that someone took for
/// milliseconds.
const FIRST_MILLISECOND: i64 = 100_000_000_000;

/// 9999-12-31T23:59:59.999Z.
const LAST_MILLISECOND: i64 = 253_402_300_799_999;

/// Accepts a number as epoch milliseconds, or says what it is instead.
pub(super) fn check_milliseconds(value: i64) -> Result<i64, &'static str> {
    if value == 0 {
        return Err("is no time: the source does not know it");
    }
    if value < 0 {
        return Err("lies before 1970");
    }
    if value < FIRST_MILLISECOND {
        return Err("looks like seconds since 1970; milliseconds are expected");
    }
    if value > LAST_MILLISECOND {
        return Err("lies beyond the year 9999; milliseconds since 1970 are expected");
    }
    Ok(value)
}

/// Epoch milliseconds as "2021-05-18T09:59:28.000Z". For times that [`check_milliseconds`] accepts.
pub(super) fn rfc3339(milliseconds: i64) -> String {
    let days = milliseconds.div_euclid(86_400_000);
    let rest = milliseconds.rem_euclid(86_400_000);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millisecond) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// Reads "2021-05-18 09:59:28 UTC", RFC 3339, and what lies between them: `T` or a space, up to nine decimals, `UTC`, `Z`, an
/// offset or nothing (then UTC), a date alone (then midnight).
pub(super) fn parse_text(text: &str) -> Option<i64> {
    let bytes = text.trim().as_bytes();
    let (date, rest) = (bytes.get(..10)?, bytes.get(10..)?);
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * 86_400_000;
    if rest.is_empty() {
        return Some(midnight);
    }
    let (clock, rest) = (rest.get(..9)?, rest.get(9..)?);
    let [b'T' | b't' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] = *clock else {
        return None;
    };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (millisecond, rest) = fraction(rest)?;
    let offset = offset_minutes(rest)?;
    Some(midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + millisecond)
}

/// Decimals behind the seconds as milliseconds, and what follows them.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(decimals) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let end = decimals
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(decimals.len());
    if !(1..=9).contains(&end) {
        return None;
    }
    let (digits, rest) = decimals.split_at_checked(end)?;
    let three: Vec<u8> = digits.iter().copied().chain(*b"00").take(3).collect();
    Some((number(&three)?, rest))
}

/// The zone as minutes east of UTC.
fn offset_minutes(rest: &[u8]) -> Option<i64> {
    match rest.trim_ascii() {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, minutes @ ..] => {
            let minutes = match minutes {
                [] => 0,
                [b':', m1, m2] | [m1, m2] => number(&[*m1, *m2])?,
                _ => return None,
            };
            let total = number(&[*h1, *h2])? * 60 + minutes;
            Some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

/// A few digits as a number.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar: counted in eras of 400 years
/// (146,097 days) and in years that begin on the first of March, so that the leap day is the last one.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The inverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments_print_as_they_should() {
        for (milliseconds, text) in [
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_621_331_968_000, "2021-05-18T09:59:28.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_735_689_600_001, "2025-01-01T00:00:00.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(milliseconds), text);
            assert_eq!(parse_text(text), Some(milliseconds));
        }
    }

    #[test]
    fn text_is_read_in_the_forms_that_apis_print() {
        let moment = Some(1_621_331_968_000);
        for text in [
            "2021-05-18 09:59:28 UTC",
            "2021-05-18 09:59:28",
            "2021-05-18T09:59:28Z",
            "2021-05-18T09:59:28.000Z",
            " 2021-05-18t09:59:28z ",
            "2021-05-18T11:59:28+02:00",
            "2021-05-18T04:29:28-0530",
            "2021-05-18T10:59:28+01",
            "2021-05-18 09:59:28.000 GMT",
        ] {
            assert_eq!(parse_text(text), moment, "{text}");
        }
        assert_eq!(parse_text("2021-05-18"), Some(1_621_296_000_000));
        assert_eq!(
            parse_text("2021-05-18T09:59:28.5Z"),
            Some(1_621_331_968_500)
        );
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        for text in [
            "",
            "soon",
            "2021",
            "2021-13-01",
            "2021-02-29",
            "2100-02-29",
            "2021-00-10",
            "2021-05-18T24:00:00Z",
            "2021-05-18T09:60:00Z",
            "2021-05-18 09:59",
            "2021-05-18T09:59:28.Z",
            "2021-05-18 09:59:28 CEST",
            "2021-05-18T09:59:28+2",
            "18.05.2021 09:59:28",
            "2021-05-18X09:59:28",
            "20é1-05-18",
        ] {
            assert_eq!(parse_text(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_zero_and_negative_numbers_are_no_milliseconds() {
        for value in [
            0,
            -1,
            1_621_331_968,
            99_999_999_999,
            i64::MAX,
            i64::MIN,
            253_402_300_800_000,
        ] {
            assert!(check_milliseconds(value).is_err(), "{value}");
        }
        assert_eq!(check_milliseconds(1_621_331_968_000), Ok(1_621_331_968_000));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(milliseconds in FIRST_MILLISECOND..=LAST_MILLISECOND) {
            prop_assert_eq!(parse_text(&rfc3339(milliseconds)), Some(milliseconds));
        }

        #[test]
        fn every_day_has_the_next_one_after_it(day in -1_000_000_i64..4_000_000) {
            let (year, month, date) = civil_from_days(day);
            prop_assert_eq!(days_from_civil(year, month, date), day);
            let next = civil_from_days(day + 1);
            let expected = if date < days_in_month(year, month) { (year, month, date + 1) }
                else if month < 12 { (year, month + 1, 1) } else { (year + 1, 1, 1) };
            prop_assert_eq!(next, expected);
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,40}") {
            let _ = parse_text(&text);
        }
    }
}
