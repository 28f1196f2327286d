//! A test's report.

use crate::cli::explain::verdict;
use crate::cli::human;
use crate::cli::table::{green, red, yellow};
use crate::contract::connector::{Check, Verdict};

/// One line for each check, and below it what to do.
pub fn text(checks: &[Check], colour: bool) -> String {
    let width = checks
        .iter()
        .map(|check| human::plain(&check.name).chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        let word = format!("{:7}", verdict(check));
        let word = match check.verdict {
            Verdict::Passed => green(&word, colour),
            Verdict::Warned => yellow(&word, colour),
            Verdict::Failed => red(&word, colour),
            Verdict::Skipped => word,
        };
        let line = format!(
            "  {word}  {:width$}  {}",
            human::plain(&check.name),
            human::plain(&check.detail)
        );
        lines.push(line.trim_end().to_owned());
        if !check.remedy.is_empty() {
            lines.push(format!(
                "           {:width$}  -> {}",
                "",
                human::plain(&check.remedy)
            ));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, verdict: Verdict, detail: &str, remedy: &str) -> Check {
        Check {
            name: name.to_owned(),
            verdict,
            detail: detail.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    #[test]
    fn a_report_shows_each_check_and_what_to_do() {
        let checks = [
            check("host", Verdict::Passed, "answered", ""),
            check("clock", Verdict::Warned, "12 s apart", "set the clock"),
            check(
                "permission: alerts",
                Verdict::Failed,
                "403",
                "give the role\nViewer",
            ),
            check("quota", Verdict::Skipped, "", ""),
        ];
        insta::assert_snapshot!(text(&checks, false));
        assert!(text(&checks, true).contains("\u{1b}[31mfailed "));
    }
}
