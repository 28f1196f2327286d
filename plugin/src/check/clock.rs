//! The host's clock against the server's, told by the Date header of an answer.

use super::report::{Item, Report};
use crate::api::time;
use crate::configure::SecurityLevel;
use http::HeaderMap;

/// The header counts whole seconds and answers take time: up to a minute nobody need care.
const WORTH_TELLING_MS: u64 = 60_000;

/// Signed headers seem to be taken for about 15 minutes (seen by other clients, not documented); beyond 10 it is a matter of
/// luck.
const TOO_MUCH_MS: u64 = 600_000;

/// How far the host's clock is ahead of the server's, in milliseconds; none where the answer has no date.
pub fn ahead(headers: &HeaderMap, now: u64) -> Option<i64> {
    let server = time::of_answer(headers)?;
    i64::try_from(now)
        .ok()?
        .checked_sub(i64::try_from(server).ok()?)
}

/// Reports it.
pub fn check(report: &mut Report, ahead: Option<i64>, level: SecurityLevel) {
    let Some(ahead) = ahead else {
        return report.skipped(Item::Clock, "The server's answers bear no date.");
    };
    let seconds = ahead.unsigned_abs() / 1000;
    if ahead.unsigned_abs() <= WORTH_TELLING_MS {
        return report.passed(Item::Clock, format!("{seconds} s apart from the server's."));
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    let detail = format!("This host's clock is {seconds} s {direction} the server's.");
    if ahead.unsigned_abs() > TOO_MUCH_MS && level == SecurityLevel::Advanced {
        report.failed(
            Item::Clock,
            detail,
            "Set the host's clock (turn on time synchronisation): an Advanced key signs the time, and the server refuses old signatures.",
        );
    } else {
        report.warned(
            Item::Clock,
            detail,
            "Set the host's clock (turn on time synchronisation).",
        );
    }
}

/// A sentence for whoever looks for the cause of a refused key; empty where the clock is right.
pub fn suspicion(ahead: Option<i64>) -> &'static str {
    match ahead {
        Some(ahead) if ahead.unsigned_abs() > WORTH_TELLING_MS => {
            " Set the host's clock first: a signature of the wrong time is refused just the same."
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Verdict;
    use http::{HeaderValue, header};

    /// Thu, 29 Feb 2024 00:00:00 GMT
    const SERVER: u64 = 1_709_164_800_000;

    fn verdict(now: u64, level: SecurityLevel) -> (Verdict, String) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::DATE,
            HeaderValue::from_static("Thu, 29 Feb 2024 00:00:00 GMT"),
        );
        let mut report = Report::default();
        check(&mut report, ahead(&headers, now), level);
        let check = report
            .finish("")
            .into_iter()
            .find(|check| check.name == "clock")
            .unwrap();
        (check.verdict, check.detail)
    }

    #[test]
    fn a_clock_is_judged_by_how_wrong_it_is_and_whether_it_is_signed() {
        use SecurityLevel::{Advanced, Standard};
        for (now, level, expected) in [
            (SERVER, Advanced, Verdict::Passed),
            (SERVER + 60_000, Advanced, Verdict::Passed),
            (SERVER - 60_000, Advanced, Verdict::Passed),
            (SERVER + 61_000, Advanced, Verdict::Warned),
            (SERVER - 61_000, Standard, Verdict::Warned),
            (SERVER + 600_000, Advanced, Verdict::Warned),
            (SERVER + 601_000, Advanced, Verdict::Failed),
            (SERVER - 601_000, Advanced, Verdict::Failed),
            (SERVER - 601_000, Standard, Verdict::Warned),
            (0, Advanced, Verdict::Failed),
        ] {
            assert_eq!(verdict(now, level).0, expected, "{now} {level:?}");
        }
        assert!(
            verdict(SERVER + 120_000, Advanced)
                .1
                .contains("120 s ahead of")
        );
        assert!(
            verdict(SERVER - 120_000, Advanced)
                .1
                .contains("120 s behind")
        );
    }

    #[test]
    fn an_answer_without_a_date_says_nothing_about_the_clock() {
        assert_eq!(ahead(&HeaderMap::new(), SERVER), None);
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_static("yesterday"));
        assert_eq!(ahead(&headers, SERVER), None);
        assert_eq!(ahead(&headers, u64::MAX), None);
    }
}
