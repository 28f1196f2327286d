//! A component's report is checked before a person sees it: names are names, and nothing is longer than a person reads.

use std::collections::BTreeSet;

use crate::contract::connector::BlindSpot;
use crate::domain::cut;
use crate::engine::CallError;

/// Blind spots in a report.
const MOST: usize = 200;
/// Characters of a name.
const LONGEST_NAME: usize = 200;
/// Characters of a detail or remedy.
const LONGEST_TEXT: usize = 2_000;
/// Examples of one blind spot that are kept.
const MOST_EXAMPLES: usize = 20;
/// Characters of an example.
const LONGEST_EXAMPLE: usize = 200;

/// The report, with texts and lists shortened to what a person reads.
///
/// # Errors
/// [`CallError::Contract`] where there are too many, or names are empty or repeat.
pub(super) fn report(spots: Vec<BlindSpot>) -> Result<Vec<BlindSpot>, CallError> {
    if spots.len() > MOST {
        return Err(broken(format!(
            "it told {} blind spots, and a report has at most {MOST}",
            spots.len()
        )));
    }
    let mut names = BTreeSet::new();
    let mut report = Vec::with_capacity(spots.len());
    for spot in spots {
        let spot = shortened(spot);
        if spot.name.trim().is_empty() {
            return Err(broken("it told a blind spot without a name".to_owned()));
        }
        if !names.insert(spot.name.clone()) {
            return Err(broken(format!(
                "it told the blind spot \"{}\" twice, and names are unique in a report",
                spot.name
            )));
        }
        report.push(spot);
    }
    Ok(report)
}

fn shortened(mut spot: BlindSpot) -> BlindSpot {
    cut(&mut spot.name, LONGEST_NAME);
    cut(&mut spot.detail, LONGEST_TEXT);
    cut(&mut spot.remedy, LONGEST_TEXT);
    spot.examples.truncate(MOST_EXAMPLES);
    for example in &mut spot.examples {
        cut(example, LONGEST_EXAMPLE);
    }
    // What is not known can't have more to it.
    spot.or_more &= spot.count.is_some();
    spot
}

fn broken(message: String) -> CallError {
    CallError::Contract {
        verb: "survey",
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(name: &str) -> BlindSpot {
        BlindSpot {
            name: name.to_owned(),
            count: Some(1),
            or_more: true,
            detail: "detail".to_owned(),
            examples: vec!["one".to_owned()],
            remedy: String::new(),
        }
    }

    fn message(spots: Vec<BlindSpot>) -> String {
        report(spots).unwrap_err().to_string()
    }

    #[test]
    fn a_sound_report_is_taken_as_it_is() {
        let report = report(vec![spot("a"), spot("b")]).unwrap();
        assert_eq!(report.len(), 2);
        assert_eq!((report[0].name.as_str(), report[0].or_more), ("a", true));
        assert_eq!(report[0].examples, ["one"]);
    }

    #[test]
    fn a_report_without_bounds_or_with_names_that_repeat_breaks_the_contract() {
        let many = (0..201).map(|at| spot(&at.to_string())).collect();
        assert!(message(many).contains("201 blind spots"));
        assert!(message(vec![spot("a"), spot("a")]).contains("\"a\" twice"));
        assert!(message(vec![spot(" ")]).contains("without a name"));
        let long = "é".repeat(500);
        assert!(message(vec![spot(&long), spot(&format!("{long}x"))]).contains("twice"));
    }

    #[test]
    fn long_texts_are_cut_and_what_is_unknown_has_no_more() {
        let long = "é".repeat(5_000);
        let mut endless = spot(&long);
        endless.detail = long.clone();
        endless.remedy = long.clone();
        endless.examples = vec![long; 100];
        endless.count = None;
        let report = report(vec![endless]).unwrap();
        let told = &report[0];
        assert_eq!(told.name.chars().count(), 201);
        assert_eq!(told.detail.chars().count(), 2_001);
        assert_eq!(told.remedy.chars().count(), 2_001);
        assert_eq!(told.examples.len(), 20);
        assert_eq!(told.examples[0].chars().count(), 201);
        assert!(!told.or_more);
    }
}
