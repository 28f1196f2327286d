//! The account of what became of what was read, in words.

use crate::cli::human::{count, counted};
use crate::cli::table::Card;
use crate::domain::{Documents, Ledger, Mode};

/// Adds the ledger's rows to a card.
pub fn rows(card: &mut Card, ledger: &Ledger) {
    let documents = &ledger.documents;
    card.row("read", counted(ledger.read, "record"))
        .row("new", count(ledger.new))
        .row(
            "changed",
            with(ledger.changed, &[(ledger.reopened, "of them reopened")]),
        )
        .row(
            "unchanged",
            with(
                ledger.unchanged,
                &[(ledger.duplicate, "read twice besides")],
            ),
        )
        .row(
            "closed",
            with(
                ledger.closed,
                &[(ledger.removed, "removed besides, for absence")],
            ),
        )
        .row("filtered", filtered(ledger))
        .row(
            "parked",
            with_note(ledger.parked, "their asset is not held"),
        )
        .row(
            "rejected",
            with_note(ledger.quarantined, "kept in quarantine"),
        )
        .row(
            "assets",
            format!(
                "{} created, {} updated",
                count(documents.assets_created),
                count(documents.assets_updated)
            ),
        )
        .row("findings", findings(documents));
    if !ledger.adds_up() {
        card.row(
            "warning",
            format!(
                "the account does not add up: {} read, {} accounted for; please report this",
                count(ledger.read),
                count(ledger.accounted())
            ),
        );
    }
}

fn findings(documents: &Documents) -> String {
    let mut text = format!(
        "{} new, {} changed, {} reopened, {} closed",
        count(documents.findings_new),
        count(documents.findings_changed),
        count(documents.findings_reopened),
        count(documents.findings_closed)
    );
    // What was parked and found its asset, or left the configuration's scope, is rare enough to be told only then.
    for (number, what) in [
        (documents.findings_attached, "attached"),
        (documents.findings_out_of_scope, "out of scope"),
    ] {
        if number > 0 {
            text.push_str(&format!(", {} {what}", count(number)));
        }
    }
    text
}

fn with(number: u64, besides: &[(u64, &str)]) -> String {
    let besides: Vec<String> = besides
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(*number)))
        .collect();
    if besides.is_empty() {
        count(number)
    } else {
        format!("{} ({})", count(number), besides.join(", "))
    }
}

fn with_note(number: u64, note: &str) -> String {
    if number == 0 {
        count(number)
    } else {
        format!("{} ({note})", count(number))
    }
}

/// "1,204 (status 1,000, tags 204)".
pub fn filtered(ledger: &Ledger) -> String {
    let mut reasons: Vec<(&str, u64)> = ledger
        .filtered
        .iter()
        .map(|(name, number)| (name.as_str(), *number))
        .collect();
    if ledger.out_of_scope > 0 {
        reasons.push(("out of scope now", ledger.out_of_scope));
    }
    // The most telling first.
    reasons.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let total = ledger.filtered_total().saturating_add(ledger.out_of_scope);
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(name, number)| format!("{name} {}", count(*number)))
        .collect();
    if reasons.is_empty() {
        count(total)
    } else {
        format!("{} ({})", count(total), reasons.join(", "))
    }
}

/// Why a sync stored nothing, where it did: with counts, so that a person knows which setting to change.
pub fn why_nothing(ledger: &Ledger, mode: Mode, auto_onboard: bool) -> Option<String> {
    if ledger.new
        + ledger.changed
        + ledger.unchanged
        + ledger.duplicate
        + ledger.closed
        + ledger.removed
        > 0
    {
        return None;
    }
    if ledger.read == 0 {
        return Some(match mode {
            Mode::Full => "nothing was stored: the API has no records of this kind within the configuration's filters".to_owned(),
            Mode::Incremental => "nothing was stored: there is nothing new since the last sync".to_owned(),
            Mode::Remake => "nothing was made anew: all that is kept is as it would be made now".to_owned(),
        });
    }
    let mut reasons = Vec::new();
    if ledger.filtered_total() + ledger.out_of_scope > 0 {
        reasons.push(format!(
            "the configuration's filters leave out {}",
            filtered(ledger)
        ));
    }
    if ledger.parked > 0 {
        let switch = if auto_onboard {
            "no asset that they belong to is held"
        } else {
            "no asset that they belong to is held, and autoOnboardAssets is off (turn it on in the configuration to create them)"
        };
        reasons.push(format!(
            "{} parked and kept until then, because {switch}",
            are(ledger.parked)
        ));
    }
    if ledger.quarantined > 0 {
        reasons.push(format!(
            "{} in quarantine, because they can't be read or mapped",
            are(ledger.quarantined)
        ));
    }
    let read = counted(ledger.read, "record");
    let reasons = reasons.join("; ");
    // What is parked is stored, and so are the findings in it.
    Some(match ledger.parked {
        0 => format!("nothing was stored of {read} read: {reasons}"),
        _ => format!("nothing of {read} read is on an asset yet: {reasons}"),
    })
}

fn are(number: u64) -> String {
    format!(
        "{} {}",
        count(number),
        if number == 1 { "is" } else { "are" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut ledger = Ledger {
            read: 20_000,
            new: 12_000,
            changed: 500,
            reopened: 20,
            unchanged: 4_000,
            closed: 300,
            out_of_scope: 100,
            parked: 2_000,
            duplicate: 90,
            quarantined: 10,
            ..Ledger::default()
        };
        ledger.filter("status", 990);
        ledger.filter("tags", 10);
        ledger.documents.assets_created = 12_000;
        ledger
    }

    #[test]
    fn the_rows_of_a_ledger_are_as_recorded() {
        let mut card = Card::new("");
        rows(&mut card, &ledger());
        insta::assert_snapshot!(card.render(false));
    }

    #[test]
    fn a_ledger_that_does_not_add_up_says_so() {
        let mut wrong = ledger();
        wrong.read += 1;
        let mut card = Card::new("");
        rows(&mut card, &wrong);
        assert!(card.render(false).contains("does not add up"));
    }

    #[test]
    fn a_sync_that_stored_something_has_nothing_to_explain() {
        assert_eq!(why_nothing(&ledger(), Mode::Full, false), None);
    }

    #[test]
    fn a_sync_that_stored_nothing_says_why_with_counts() {
        assert!(
            why_nothing(&Ledger::default(), Mode::Full, true)
                .unwrap()
                .contains("no records")
        );
        assert!(
            why_nothing(&Ledger::default(), Mode::Incremental, true)
                .unwrap()
                .contains("nothing new")
        );
        let mut parked = Ledger {
            read: 1_500,
            parked: 1_000,
            ..Ledger::default()
        };
        parked.filter("tags", 500);
        let text = why_nothing(&parked, Mode::Full, false).unwrap();
        for part in [
            "nothing of 1,500 records read is on an asset yet",
            "500 (tags 500)",
            "1,000 are parked",
            "autoOnboardAssets is off",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("stored"), "{text}");
        let filtered = Ledger {
            parked: 0,
            ..parked.clone()
        };
        let text_of_none = why_nothing(&filtered, Mode::Full, false).unwrap();
        assert!(text_of_none.starts_with("nothing was stored of 1,500 records read"));
        assert!(
            !why_nothing(&parked, Mode::Full, true)
                .unwrap()
                .contains("autoOnboardAssets")
        );
    }
}
