//! What was done about records that a sync did not see, and why.

use serde_json::{Value, json};

use crate::cli::human::{self, count, counted};
use crate::store::{RemovalPreview, Run, Unseen, UnseenRecord, Verdict};

/// The verdict that is kept with a run; none where it did not come to its end, or a later version kept it in another form.
pub fn of(run: &Run) -> Option<Verdict> {
    let kept = run.details.get("removal")?;
    serde_json::from_value(kept.clone()).ok()
}

/// The verdict in lines for a card; none where there is nothing to tell.
pub fn lines(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Incremental { reasons } if reasons.is_empty() => Vec::new(),
        Verdict::Incremental { .. } => {
            vec!["something may have been missed: see the warnings".to_owned()]
        }
        Verdict::Complete { removed: 0, .. } => {
            vec!["all was read, and nothing that is held was missing".to_owned()]
        }
        Verdict::Complete { removed, unseen } => vec![format!(
            "all was read; {} not seen: {}",
            counted(*removed, "record"),
            became(*unseen)
        )],
        Verdict::Incomplete { reasons } => vec![format!(
            "nothing: the read may be incomplete ({})",
            reasons.join("; ")
        )],
        Verdict::Withheld { reason, preview } => {
            let mut lines = vec![format!("withheld: {reason}")];
            lines.extend(would_be(preview));
            lines
        }
    }
}

fn became(unseen: Unseen) -> &'static str {
    match unseen {
        Unseen::Gone => "closed as gone",
        Unseen::OutOfScope => "out of scope, neither closed nor shown",
    }
}

/// What would be removed: how much, what would become of it, and some of it.
fn would_be(preview: &RemovalPreview) -> Vec<String> {
    let mut lines = vec![format!(
        "would be {}: {} of {} ({} %), with {}",
        became(preview.would_be),
        count(preview.unseen),
        counted(preview.held, "open record"),
        share(preview),
        counted(preview.findings, "open finding")
    )];
    lines.extend(
        preview
            .sample
            .iter()
            .map(|record| format!("  {}", named(record))),
    );
    let shown = u64::try_from(preview.sample.len()).unwrap_or(u64::MAX);
    if preview.unseen > shown {
        lines.push(format!("  and {} more", count(preview.unseen - shown)));
    }
    lines
}

/// In percent, rounded as the guard's own sentence rounds it.
fn share(preview: &RemovalPreview) -> u64 {
    let held = preview.held.max(1);
    preview.unseen.saturating_mul(200).saturating_add(held) / held.saturating_mul(2)
}

/// A record by the words by which people know it, and its key.
fn named(record: &UnseenRecord) -> String {
    let title = record
        .title
        .as_deref()
        .map(|title| human::shortened(title, 60));
    match (title, &record.host) {
        (Some(title), Some(host)) => format!("{}: {title}, on {host}", record.key),
        (Some(title), None) => format!("{}: {title}", record.key),
        (None, Some(host)) => format!("{}: {host}", record.key),
        (None, None) => record.key.clone(),
    }
}

/// The verdict as JSON.
pub fn document(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Incremental { reasons } => json!({"verdict": "incremental", "reasons": reasons}),
        Verdict::Complete { removed, unseen } => {
            json!({"verdict": "complete", "removed": removed, "unseenBecome": unseen})
        }
        Verdict::Incomplete { reasons } => json!({"verdict": "incomplete", "reasons": reasons}),
        Verdict::Withheld { reason, preview } => json!({
            "verdict": "withheld",
            "reason": reason,
            "held": preview.held,
            "unseen": preview.unseen,
            "unseenBecome": preview.would_be,
            "findings": preview.findings,
            "sample": preview.sample,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld() -> Verdict {
        Verdict::Withheld {
            reason: "60 of 80 open records were not seen".to_owned(),
            preview: RemovalPreview {
                held: 80,
                unseen: 60,
                would_be: Unseen::Gone,
                findings: 75,
                sample: vec![
                    UnseenRecord {
                        key: "7".to_owned(),
                        host: Some("srv-1".to_owned()),
                        title: Some("A rare process ran".to_owned()),
                    },
                    UnseenRecord {
                        key: "8".to_owned(),
                        host: None,
                        title: None,
                    },
                ],
            },
        }
    }

    #[test]
    fn what_is_withheld_says_how_much_what_would_become_of_it_and_names_some() {
        insta::assert_snapshot!(lines(&withheld()).join("\n"));
    }

    #[test]
    fn a_verdict_is_kept_with_its_run_and_read_back() {
        for verdict in [
            withheld(),
            Verdict::Incremental { reasons: vec![] },
            Verdict::Complete {
                removed: 3,
                unseen: Unseen::OutOfScope,
            },
            Verdict::Incomplete {
                reasons: vec!["a page was short".to_owned()],
            },
        ] {
            let run = Run {
                details: json!({"removal": verdict}),
                ..crate::cli::view::run::tests::run()
            };
            assert_eq!(of(&run), Some(verdict));
        }
        let later = Run {
            details: json!({"removal": {"verdict": "something else"}}),
            ..crate::cli::view::run::tests::run()
        };
        assert_eq!(of(&later), None);
    }

    #[test]
    fn what_is_out_of_scope_is_never_called_closed_or_gone() {
        let text = lines(&Verdict::Complete {
            removed: 3,
            unseen: Unseen::OutOfScope,
        });
        assert_eq!(
            text,
            ["all was read; 3 records not seen: out of scope, neither closed nor shown"]
        );
    }
}
