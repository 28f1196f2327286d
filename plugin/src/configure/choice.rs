//! Choices from a fixed list, written as people write them.

use super::document::{Document, Field};
use super::nearest::{bare, nearest};

/// A value longer than this is no mistyped choice and may be a secret in the wrong field: it is not repeated.
const LONGEST_REPEATED: usize = 40;

/// How a value appears in a message.
pub fn shown(text: &str) -> String {
    if text.chars().count() <= LONGEST_REPEATED {
        format!("{text:?}")
    } else {
        "a long text".to_owned()
    }
}

/// The choice that is meant: case and punctuation count for nothing, and neither do a leading `STATUS` and number, so that
/// "Under Investigation", "under_investigation" and "STATUS_020_UNDER_INVESTIGATION" are one.
pub fn find<T: Copy>(written: &str, choices: &[T], name: fn(T) -> &'static str) -> Option<T> {
    let meant = without_status_number(&bare(written));
    choices
        .iter()
        .copied()
        .find(|choice| bare(name(*choice)) == meant)
}

fn without_status_number(bare: &str) -> String {
    match bare.strip_prefix("status") {
        Some(rest) => rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .to_owned(),
        None => bare.to_owned(),
    }
}

/// Reads a list of choices; the default where the field is absent. An empty list is refused: it would read nothing.
pub fn take_choices<T: Copy>(
    document: &mut Document,
    field: Field,
    choices: &[T],
    name: fn(T) -> &'static str,
    default: &[T],
) -> Vec<T> {
    let names: Vec<&'static str> = choices.iter().map(|choice| name(*choice)).collect();
    match take_names(document, field, &names) {
        Some(found) => choices
            .iter()
            .zip(&names)
            .filter(|(_, name)| found.contains(name))
            .map(|(choice, _)| *choice)
            .collect(),
        None => default.to_vec(),
    }
}

/// The names that are meant; none where the field is absent.
fn take_names(
    document: &mut Document,
    field: Field,
    names: &[&'static str],
) -> Option<Vec<&'static str>> {
    let before = document.problems.len();
    let items = document.take_list(field)?;
    if items.is_empty() && document.problems.len() == before {
        document.refuse(
            &format!("/{}", field.name),
            format!(
                "is empty, so that nothing would be read: name at least one of {}, or leave it out",
                names.join(", ")
            ),
        );
    }
    let mut found = Vec::new();
    for (pointer, text) in items {
        match find(&text, names, |name| name) {
            Some(name) => found.push(name),
            None => {
                let meant = match nearest(&text, names.iter().copied()) {
                    Some(close) => format!("did you mean {close}?"),
                    None => format!("it must be one of {}", names.join(", ")),
                };
                document.refuse(&pointer, format!("is {}; {meant}", shown(&text)));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::super::{AlertStatus, DataStream};
    use super::*;

    #[test]
    fn statuses_are_known_in_every_form_that_the_vendor_uses() {
        for (written, meant) in [
            ("New", Some(AlertStatus::New)),
            ("new", Some(AlertStatus::New)),
            ("STATUS_010_NEW", Some(AlertStatus::New)),
            ("STATUS_010", None),
            ("Under Investigation", Some(AlertStatus::UnderInvestigation)),
            ("under_investigation", Some(AlertStatus::UnderInvestigation)),
            (
                "STATUS_020_UNDER_INVESTIGATION",
                Some(AlertStatus::UnderInvestigation),
            ),
            ("STATUS_030_RESOLVED_THREAT_HANDLED", None),
            ("", None),
        ] {
            assert_eq!(
                find(written, &AlertStatus::ALL, AlertStatus::name),
                meant,
                "{written}"
            );
        }
    }

    #[test]
    fn a_choice_that_is_none_is_named_with_the_nearest() {
        let mut document = Document::parse(br#"{"dataStreams": ["endpoint", "users"]}"#).unwrap();
        take_choices(
            &mut document,
            super::super::document::DATA_STREAMS,
            &DataStream::ALL,
            DataStream::name,
            &[],
        );
        let messages: Vec<_> = document
            .problems
            .iter()
            .map(|p| p.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "dataStreams[0] is \"endpoint\"; did you mean endpoints?",
                "dataStreams[1] is \"users\"; it must be one of endpoints, alerts, vulnerabilities"
            ]
        );
    }

    #[test]
    fn a_long_value_is_not_repeated() {
        let secret = "s".repeat(128);
        assert!(!shown(&secret).contains("sss"));
    }
}
