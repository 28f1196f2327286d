//! What a change would do, in words and as JSON.

use serde_json::{Value, json};

use crate::cli::human::{self, count, counted};
use crate::cli::table::Table;
use crate::connection::what_if::{Difference, Example, Sifted, Values, What, WhatIf};

/// The paths that are told of each kind of document.
const PATHS: usize = 30;

/// For people.
pub fn text(what_if: &WhatIf) -> String {
    let difference = &what_if.difference;
    let mut lines = vec![summary(what_if)];
    let mut table = Table::new(&["WHAT", ">HOW MANY", "SOME OF THEM"]);
    for (what, counted) in &difference.counts {
        let examples: Vec<String> = counted.examples.iter().map(example).collect();
        let more = counted.count.saturating_sub(examples.len() as u64);
        let mut some = examples.join(", ");
        if more > 0 && !some.is_empty() {
            some.push_str(", ...");
        }
        table.row([title(*what).to_owned(), count(counted.count), some]);
    }
    if !table.is_empty() {
        lines.push(String::new());
        lines.push(table.render());
    }
    for (title, values) in [
        ("Values of assets", &difference.asset_values),
        ("Values of findings", &difference.finding_values),
    ] {
        if values.is_empty() {
            continue;
        }
        let mut table = Table::new(&["PATH", ">CHANGED", ">NEW", ">GONE", "FOR EXAMPLE"]);
        for (path, values) in values.iter().take(PATHS) {
            table.row([
                path.clone(),
                count(values.changed),
                count(values.added),
                count(values.gone),
                values.examples.first().map(example).unwrap_or_default(),
            ]);
        }
        lines.push(String::new());
        lines.push(title.to_owned());
        lines.push(table.render());
        if values.len() > PATHS {
            lines.push(format!(
                "and {} more; --json tells all",
                counted((values.len() - PATHS) as u64, "path")
            ));
        }
    }
    let notes: Vec<String> = what_if.sifted.iter().flat_map(notes).collect();
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes);
    }
    lines.join("\n")
}

/// "18,204 assets leave scope, 3,120 findings attach, 41 names are overwritten".
fn summary(what_if: &WhatIf) -> String {
    let mut told: Vec<String> = what_if
        .difference
        .counts
        .iter()
        .map(|(what, number)| sentence(*what, number.count))
        .collect();
    if what_if.rejected() > 0 {
        told.push(format!(
            "{} rejected by the map {} as they are",
            counted(what_if.rejected(), "record"),
            if what_if.rejected() == 1 {
                "stays"
            } else {
                "stay"
            }
        ));
    }
    if told.is_empty() {
        "nothing that is held would be otherwise".to_owned()
    } else {
        told.join(", ")
    }
}

fn sentence(what: What, number: u64) -> String {
    let one = number == 1;
    let (noun, singular, plural) = match what {
        What::AssetsLeaveScope => ("asset", "leaves scope", "leave scope"),
        What::AssetsCreated => ("asset", "comes in", "come in"),
        What::AssetsInactive => ("asset", "becomes inactive", "become inactive"),
        What::AssetsActive => ("asset", "becomes active", "become active"),
        What::NamesOverwritten => ("name", "is overwritten", "are overwritten"),
        What::AssetsChanged => ("asset", "has other values", "have other values"),
        What::FindingsNew => ("finding", "is new", "are new"),
        What::FindingsAttach => ("finding", "attaches", "attach"),
        What::FindingsPark => ("finding", "parks", "park"),
        What::FindingsClose => ("finding", "closes", "close"),
        What::FindingsLeaveScope => ("finding", "leaves scope", "leave scope"),
        What::FindingsReopen => ("finding", "reopens", "reopen"),
        What::SeveritiesChanged => ("finding", "changes severity", "change severity"),
        What::FindingsChanged => ("finding", "has other values", "have other values"),
    };
    format!(
        "{} {}",
        counted(number, noun),
        if one { singular } else { plural }
    )
}

fn title(what: What) -> &'static str {
    match what {
        What::AssetsLeaveScope => "assets leave scope",
        What::AssetsCreated => "assets come in",
        What::AssetsInactive => "assets become inactive",
        What::AssetsActive => "assets become active",
        What::NamesOverwritten => "names are overwritten",
        What::AssetsChanged => "assets have other values",
        What::FindingsNew => "findings are new",
        What::FindingsAttach => "findings attach",
        What::FindingsPark => "findings park",
        What::FindingsClose => "findings close",
        What::FindingsLeaveScope => "findings leave scope",
        What::FindingsReopen => "findings reopen",
        What::SeveritiesChanged => "findings change severity",
        What::FindingsChanged => "findings have other values",
    }
}

/// "e1 (web-1): Linux -> GNU/Linux".
fn example(example: &Example) -> String {
    let mut text = example.key.clone();
    if let Some(host) = example.host.as_ref().filter(|host| **host != example.key) {
        text.push_str(&format!(" ({host})"));
    }
    match (&example.before, &example.after) {
        (None, None) => {}
        (before, after) => text.push_str(&format!(": {} -> {}", value(before), value(after))),
    }
    text
}

fn value(value: &Option<Value>) -> String {
    const LONGEST: usize = 40;
    let text = match value {
        None => return "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST - 3).collect();
    format!("{cut}...")
}

/// What only a sync can tell, and what the next one brings.
fn notes(sifted: &Sifted) -> Vec<String> {
    let stream = human::plain(sifted.stream.as_str()).into_owned();
    let mut notes = Vec::new();
    if !sifted.leaves.is_empty() {
        let by: Vec<String> = sifted
            .leaves
            .iter()
            .map(|(filter, number)| format!("{} by {}", count(*number), human::plain(filter)))
            .collect();
        notes.push(format!("{stream}: records left out: {}", by.join(", ")));
    }
    if sifted.comes_in > 0 {
        notes.push(format!(
            "{stream}: {} out of scope now would come in with the next sync",
            counted(sifted.comes_in, "record")
        ));
    }
    if sifted.may_add {
        notes.push(format!(
            "{stream}: a wider filter: only a sync can tell what it would bring in"
        ));
    }
    notes
}

/// As JSON.
pub fn document(what_if: &WhatIf) -> Value {
    let Difference {
        counts,
        asset_values,
        finding_values,
        ..
    } = &what_if.difference;
    let changes: Vec<Value> = counts
        .iter()
        .map(|(what, counted)| {
            json!({"change": what, "count": counted.count, "examples": counted.examples})
        })
        .collect();
    let values = |kind: &str, values: &std::collections::BTreeMap<String, Values>| -> Vec<Value> {
        values
            .iter()
            .map(|(path, values)| {
                json!({
                    "kind": kind,
                    "path": path,
                    "changed": values.changed,
                    "new": values.added,
                    "gone": values.gone,
                    "examples": values.examples,
                })
            })
            .collect()
    };
    let values = [
        values("asset", asset_values),
        values("finding", finding_values),
    ]
    .concat();
    let streams: Vec<Value> = what_if
        .sifted
        .iter()
        .map(|sifted| {
            json!({
                "stream": sifted.stream,
                "leave": sifted.leaves,
                "change": sifted.changes,
                "comeInWithTheNextSync": sifted.comes_in,
                "mayAdd": sifted.may_add,
                "rejected": sifted.rejected,
            })
        })
        .collect();
    json!({
        "summary": summary(what_if),
        "changes": changes,
        "values": values,
        "streams": streams,
        "rejected": what_if.rejected(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::what_if::Counted;
    use crate::domain::DataStreamName;
    use std::collections::BTreeMap;

    fn what_if() -> WhatIf {
        let example = |key: &str, before: Option<Value>, after: Option<Value>| Example {
            key: key.into(),
            host: Some("web-1".into()),
            before,
            after,
        };
        let mut difference = Difference::default();
        difference.counts.insert(
            What::AssetsLeaveScope,
            Counted {
                count: 18_204,
                examples: vec![example("e1", None, None)],
            },
        );
        difference.counts.insert(
            What::NamesOverwritten,
            Counted {
                count: 1,
                examples: vec![example("e2", Some(json!("web-0")), Some(json!("web-1")))],
            },
        );
        difference.counts.insert(
            What::FindingsAttach,
            Counted {
                count: 3_120,
                examples: vec![],
            },
        );
        difference.asset_values.insert(
            "operatingSystem.name".into(),
            Values {
                changed: 2,
                added: 1,
                gone: 0,
                examples: vec![example("e2", None, Some(json!("Linux")))],
            },
        );
        WhatIf {
            difference,
            remade: vec![],
            sifted: vec![Sifted {
                stream: DataStreamName::new("endpoints").unwrap(),
                leaves: BTreeMap::from([("tags".to_owned(), 18_204)]),
                changes: 0,
                comes_in: 12,
                may_add: true,
                rejected: 0,
            }],
        }
    }

    #[test]
    fn what_a_change_would_do_is_as_recorded() {
        insta::assert_snapshot!(text(&what_if()));
        insta::assert_json_snapshot!(document(&what_if()));
    }

    #[test]
    fn a_change_that_does_nothing_says_so() {
        let nothing = WhatIf {
            difference: Difference::default(),
            remade: vec![],
            sifted: vec![],
        };
        assert_eq!(text(&nothing), "nothing that is held would be otherwise");
    }
}
