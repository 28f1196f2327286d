//! Numbers, sizes, times and foreign text as people read them.
//!
//! Everything that came from outside (an API, a component, a file) passes [`plain`] before it reaches a terminal, so that it
//! can't move the cursor, change colours or hide text.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::Timestamp;

/// A number with a comma between groups of three digits: 18,204.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: "1 record", "18,204 records". The plural adds an s.
pub fn counted(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(number))
}

/// A size in bytes, in binary units with one decimal: "812 B", "1.4 MiB".
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// A duration in its two most telling units: "0.42 s", "12.3 s", "4 min 12 s", "2 h 5 min", "3 days 4 h".
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 10 {
        return format!("{:.2} s", duration.as_secs_f64());
    }
    if seconds < 60 {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    let (large, large_unit, small, small_unit) = match seconds {
        0..3_600 => (seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => (seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => {
            let days = seconds / 86_400;
            (
                days,
                if days == 1 { "day" } else { "days" },
                seconds % 86_400 / 3_600,
                "h",
            )
        }
    };
    if small == 0 {
        format!("{} {large_unit}", count(large))
    } else {
        format!("{} {large_unit} {small} {small_unit}", count(large))
    }
}

/// So many per second: "9.5/s", "1,240/s".
pub fn per_second(rate: f64) -> String {
    if !rate.is_finite() || rate < 0.0 {
        return "-".to_owned();
    }
    if rate < 100.0 {
        format!("{rate:.1}/s")
    } else {
        format!("{}/s", count(rate.round() as u64))
    }
}

/// How long ago, or in how long: "just now", "3 minutes ago", "in 2 days".
pub fn relative(now: Timestamp, then: Timestamp) -> String {
    let (distance, past) = if now >= then {
        (now.ms_since(then), true)
    } else {
        (then.ms_since(now), false)
    };
    let (number, noun) = match distance / 1_000 {
        0..10 => return "just now".to_owned(),
        seconds @ 10..60 => (seconds, "second"),
        seconds @ 60..3_600 => (seconds / 60, "minute"),
        seconds @ 3_600..86_400 => (seconds / 3_600, "hour"),
        seconds @ 86_400..5_184_000 => (seconds / 86_400, "day"),
        seconds @ 5_184_000..63_072_000 => (seconds / 2_592_000, "month"),
        seconds => (seconds / 31_536_000, "year"),
    };
    let amount = counted(number, noun);
    if past {
        format!("{amount} ago")
    } else {
        format!("in {amount}")
    }
}

/// A moment, absolutely, to the second: "2026-11-21 23:10:31 UTC".
pub fn moment(then: Timestamp) -> String {
    let text = then.to_rfc3339();
    match (text.get(..10), text.get(11..19)) {
        (Some(date), Some(time)) => format!("{date} {time} UTC"),
        _ => text,
    }
}

/// Both: "2026-11-21 23:10:31 UTC (3 minutes ago)".
pub fn moment_and_distance(now: Timestamp, then: Timestamp) -> String {
    format!("{} ({})", moment(then), relative(now, then))
}

/// Words as a list: "a", "a and b", "a, b and c".
pub fn list<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// One word of a command as a person types it: in quotation marks where a shell would take it for more, or for something else.
pub fn typed(text: &str) -> Cow<'_, str> {
    let harmless =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | ',');
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', "'\\''")))
}

/// Foreign text on one line: control characters and those that turn the direction of writing are shown as `\u{..}`, so that
/// what is on the screen is what is in the text.
pub fn plain(text: &str) -> Cow<'_, str> {
    escape(text, false)
}

/// As [`plain`], but line feeds stay: for messages of several lines.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    escape(text, true)
}

fn escape(text: &str, keep_line_feeds: bool) -> Cow<'_, str> {
    let keep = |c: char| (keep_line_feeds && c == '\n') || !is_unsafe(c);
    if text.chars().all(keep) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if keep(c) {
            plain.push(c);
        } else {
            plain.extend(c.escape_default());
        }
    }
    Cow::Owned(plain)
}

/// Characters that act on a terminal instead of showing on it: controls, and Unicode's bidirectional marks, which let a text
/// read differently from what it is.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// At most `width` characters, the last of them an ellipsis where something was cut.
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_ms(second * 1_000).unwrap()
    }

    #[test]
    fn a_word_that_a_shell_would_split_is_quoted() {
        for (text, shown) in [
            ("cortexXdr-tags", "cortexXdr-tags"),
            ("CortexXDR Tags", "'CortexXDR Tags'"),
            ("it's", "'it'\\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(typed(text), shown);
        }
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (7, "7"),
            (999, "999"),
            (1_000, "1,000"),
            (18_204, "18,204"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(0, "record"), "0 records");
        assert_eq!(counted(2_000, "record"), "2,000 records");
    }

    #[test]
    fn sizes_use_the_unit_that_fits() {
        for (number, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (24 * 1024 * 1024, "24.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn durations_use_two_units() {
        for (milliseconds, text) in [
            (0, "0.00 s"),
            (420, "0.42 s"),
            (12_340, "12.3 s"),
            (60_000, "1 min"),
            (252_000, "4 min 12 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 day"),
            (273_600_000, "3 days 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
        assert!(!duration(Duration::MAX).is_empty());
    }

    #[test]
    fn rates_that_are_no_numbers_are_a_dash() {
        assert_eq!(per_second(9.46), "9.5/s");
        assert_eq!(per_second(1_240.4), "1,240/s");
        assert_eq!(per_second(f64::NAN), "-");
        assert_eq!(per_second(f64::INFINITY), "-");
    }

    #[test]
    fn distances_in_time_are_said_in_the_largest_unit() {
        let now = at(1_000_000_000);
        for (before, text) in [
            (0, "just now"),
            (9, "just now"),
            (10, "10 seconds ago"),
            (60, "1 minute ago"),
            (200, "3 minutes ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (5_184_000, "2 months ago"),
            (63_072_000, "2 years ago"),
        ] {
            assert_eq!(relative(now, at(1_000_000_000 - before)), text);
        }
        assert_eq!(relative(now, at(1_000_000_200)), "in 3 minutes");
        assert_eq!(relative(now, at(1_000_172_800)), "in 2 days");
    }

    #[test]
    fn moments_are_utc_to_the_second() {
        assert_eq!(moment(at(1_763_766_631)), "2025-11-21 23:10:31 UTC");
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn control_characters_and_direction_marks_are_shown_not_obeyed() {
        assert_eq!(plain("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(plain("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(plain("exe\u{202e}fdp"), "exe\\u{202e}fdp");
        assert_eq!(plain_lines("a\nb\r"), "a\nb\\r");
        assert_eq!(plain("Zürich 東京"), "Zürich 東京");
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("longer", 5), "long…");
        assert_eq!(shortened("one two three", 9), "one two…");
        assert_eq!(shortened("ab", 0), "…");
    }

    proptest::proptest! {
        #[test]
        fn no_text_gets_a_control_character_past_plain(text: String) {
            proptest::prop_assert!(!plain(&text).chars().any(char::is_control));
        }

        #[test]
        fn any_time_can_be_said(now in 0..253_402_300_799_u64, then in 0..253_402_300_799_u64) {
            proptest::prop_assert!(!relative(at(now), at(then)).is_empty());
            proptest::prop_assert!(moment(at(then)).ends_with("UTC"));
        }
    }
}
