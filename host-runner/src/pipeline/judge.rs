//! Whether a sync saw all that is in scope: the connector hands over facts, the host judges.

use crate::contract::connector;
use crate::domain::Ledger;
use crate::store::Coverage;
use serde_json::{Value, json};

/// Judges a connector's facts, together with what the host counted itself.
pub(super) fn judge(coverage: connector::Coverage, ledger: &Ledger) -> Coverage {
    let slices = match coverage {
        connector::Coverage::Incomplete(reasons) if reasons.is_empty() => {
            return incomplete(vec![
                "the connector says that something is missing, and not what".to_owned(),
            ]);
        }
        connector::Coverage::Incomplete(reasons) => return incomplete(reasons),
        connector::Coverage::Complete(slices) => slices,
    };
    let mut reasons: Vec<String> = slices.iter().filter_map(doubt).collect();
    if slices.is_empty() {
        reasons.push("the connector names no slice that it read".to_owned());
    }
    if ledger.without_key > 0 {
        reasons.push(format!(
            "{} records could not be read so far as to know which they are",
            ledger.without_key
        ));
    }
    if !ledger.adds_up() {
        reasons.push(format!(
            "the account does not add up: {} read, {} accounted for",
            ledger.read,
            ledger.accounted()
        ));
    }
    if reasons.is_empty() {
        Coverage::Complete {
            slices: slices.iter().map(as_json).collect(),
        }
    } else {
        incomplete(reasons)
    }
}

fn incomplete(reasons: Vec<String>) -> Coverage {
    Coverage::Incomplete { reasons }
}

fn doubt(slice: &connector::Slice) -> Option<String> {
    let name = &slice.name;
    if !slice.ended_short {
        return Some(format!("{name} did not end on a short page"));
    }
    if !slice.second_look {
        return Some(format!(
            "a second look at {name} did not agree with the first"
        ));
    }
    match slice.said {
        Some(said) if said > slice.read => Some(format!(
            "{name}: the API speaks of {said}, {} were read",
            slice.read
        )),
        _ => None,
    }
}

fn as_json(slice: &connector::Slice) -> Value {
    json!({
        "name": slice.name,
        "read": slice.read,
        "said": slice.said,
        "endedShort": slice.ended_short,
        "secondLook": slice.second_look,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice() -> connector::Slice {
        connector::Slice {
            name: "first_seen up to 5".into(),
            read: 3,
            said: Some(3),
            ended_short: true,
            second_look: true,
        }
    }

    fn complete(slices: Vec<connector::Slice>, ledger: &Ledger) -> bool {
        matches!(
            judge(connector::Coverage::Complete(slices), ledger),
            Coverage::Complete { .. }
        )
    }

    #[test]
    fn only_facts_without_a_doubt_prove_a_sync_complete() {
        let ledger = Ledger::default();
        assert!(complete(vec![slice()], &ledger));
        assert!(complete(
            vec![connector::Slice {
                said: None,
                ..slice()
            }],
            &ledger
        ));
        assert!(!complete(vec![], &ledger));
        assert!(!complete(
            vec![connector::Slice {
                ended_short: false,
                ..slice()
            }],
            &ledger
        ));
        assert!(!complete(
            vec![connector::Slice {
                second_look: false,
                ..slice()
            }],
            &ledger
        ));
        assert!(!complete(
            vec![connector::Slice {
                said: Some(4),
                ..slice()
            }],
            &ledger
        ));
    }

    #[test]
    fn a_record_without_a_key_leaves_the_sync_unproven() {
        let ledger = Ledger {
            read: 1,
            quarantined: 1,
            without_key: 1,
            ..Ledger::default()
        };
        assert!(!complete(vec![slice()], &ledger));
    }

    #[test]
    fn an_account_that_does_not_add_up_leaves_the_sync_unproven() {
        let ledger = Ledger {
            read: 1,
            ..Ledger::default()
        };
        assert!(!complete(vec![slice()], &ledger));
    }

    #[test]
    fn the_connectors_own_doubts_are_kept() {
        let verdict = judge(
            connector::Coverage::Incomplete(vec!["partial success".into()]),
            &Ledger::default(),
        );
        assert_eq!(
            verdict,
            Coverage::Incomplete {
                reasons: vec!["partial success".into()]
            }
        );
    }
}
