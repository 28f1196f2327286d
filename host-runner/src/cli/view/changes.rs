//! What a run changed, or would.

use std::fmt::Write as _;

use crate::cli::human::{self, count};
use crate::store::{Changed, ChangedExample};

/// The changes in lines: each kind with its number, and below it the examples.
pub fn text(changes: &[Changed]) -> String {
    if changes.is_empty() {
        return "  it would change nothing".to_owned();
    }
    let mut lines = Vec::new();
    for changed in changes {
        lines.push(format!(
            "  {}: {}",
            changed.change.as_str(),
            count(changed.count)
        ));
        lines.extend(
            changed
                .examples
                .iter()
                .map(|each| format!("    {}", example(each))),
        );
        let shown = u64::try_from(changed.examples.len()).unwrap_or(u64::MAX);
        if changed.count > shown && shown > 0 {
            lines.push(format!("    and {} more", count(changed.count - shown)));
        }
    }
    lines.join("\n")
}

fn example(example: &ChangedExample) -> String {
    let mut text = if example.key.is_empty() {
        "(without a key)".to_owned()
    } else {
        example.key.clone()
    };
    if let Some(title) = &example.title {
        // Writing to a String does not fail.
        let _ = write!(text, ": {}", human::shortened(title, 60));
    }
    // An asset's title is mostly its host's name.
    if let Some(host) = example
        .host
        .as_ref()
        .filter(|_| example.host != example.title)
    {
        let _ = write!(text, ", on {host}");
    }
    if let Some(reason) = &example.reason {
        let _ = write!(text, " ({})", human::shortened(reason, 100));
    }
    human::plain(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Change;

    #[test]
    fn changes_are_told_with_numbers_examples_and_reasons() {
        let changes = [
            Changed {
                change: Change::FindingsClosed,
                count: 3,
                examples: vec![ChangedExample {
                    key: "7".to_owned(),
                    host: Some("srv-1".to_owned()),
                    title: Some("A rare process ran".to_owned()),
                    reason: Some("resolved: RESOLVED_TRUE_POSITIVE".to_owned()),
                }],
            },
            Changed {
                change: Change::Quarantined,
                count: 1,
                examples: vec![ChangedExample {
                    key: String::new(),
                    host: None,
                    title: None,
                    reason: Some("/status: not known".to_owned()),
                }],
            },
        ];
        insta::assert_snapshot!(text(&changes));
        assert_eq!(text(&[]), "  it would change nothing");
    }
}
