//! Two builds of a component compared, as it is shown.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::bold;
use crate::component::{Comparison, Difference, Direction, Profile};

/// How many differences of one direction are shown to a person; a program is told all.
const SHOWN: usize = 60;

/// The longest line of a difference: a schema may be long.
const WIDTH: usize = 240;

/// The directions, in the order of their weight, each with its title.
const DIRECTIONS: [(Direction, &str); 3] = [
    (Direction::Further, "Reaches further"),
    (Direction::Less, "Reaches less"),
    (Direction::Other, "Other differences"),
];

/// The comparison for a person.
pub fn text(comparison: &Comparison, colour: bool) -> String {
    let mut text = String::new();
    for (direction, title) in DIRECTIONS {
        let found: Vec<Difference> = comparison.towards(direction).cloned().collect();
        let lines = if found.is_empty() {
            "\n  nothing".to_owned()
        } else {
            lines(&found)
        };
        text.push_str(&format!("\n{}{lines}\n", bold(title, colour)));
    }
    text
}

/// Differences as lines below a message.
pub fn lines(differences: &[Difference]) -> String {
    let mut text: String = differences
        .iter()
        .take(SHOWN)
        .map(|difference| {
            let line = human::shortened(&difference.to_string(), WIDTH);
            format!("\n  {}", human::plain(&line))
        })
        .collect();
    if differences.len() > SHOWN {
        text.push_str(&format!(
            "\n  and {} more, which --json lists",
            differences.len() - SHOWN
        ));
    }
    text
}

/// The comparison for a program.
pub fn document(
    (old_name, old): (&str, &Profile),
    (new_name, new): (&str, &Profile),
    comparison: &Comparison,
) -> Value {
    let build = |component: &str, profile: &Profile| {
        json!({
            "component": component,
            "name": profile.card.get("name"),
            "version": profile.card.get("version"),
            "sha256": profile.sha256,
            "size": profile.size,
        })
    };
    let towards = |direction| json!(comparison.towards(direction).collect::<Vec<_>>());
    json!({
        "old": build(old_name, old),
        "new": build(new_name, new),
        "reachesFurther": comparison.reaches_further(),
        "further": towards(Direction::Further),
        "less": towards(Direction::Less),
        "other": towards(Direction::Other),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::component::{BudgetProfile, CallProfile};

    fn call(path: &str, permission: &str, changes: bool) -> CallProfile {
        CallProfile {
            origin: "api".to_owned(),
            method: "POST".to_owned(),
            path: path.to_owned(),
            permission: permission.to_owned(),
            licence: None,
            data_streams: BTreeSet::from(["alerts".to_owned()]),
            changes,
        }
    }

    fn two() -> (Profile, Profile) {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let old = Profile {
            sha256: "a".repeat(64),
            size: 1_000,
            card: BTreeMap::from([("version".to_owned(), "0.1.0".to_owned())]),
            imports: names(&["connector:platform/http@0.1.0"]),
            origins: BTreeMap::from([("api".to_owned(), names(&["https://api-*.example.com"]))]),
            calls: BTreeMap::from([
                (
                    "list-alerts".to_owned(),
                    call("/v1/alerts", "Alerts: View", false),
                ),
                (
                    "list-hosts".to_owned(),
                    call("/v1/hosts", "Hosts: View", false),
                ),
            ]),
            budgets: vec![BudgetProfile {
                requests: 10,
                seconds: 1,
                calls: BTreeSet::new(),
            }],
            config: json!({"properties": {"url": {"type": "string"}}}),
            ..Profile::default()
        };
        let mut new = old.clone();
        new.sha256 = "b".repeat(64);
        new.size = 1_200;
        new.card.insert("version".to_owned(), "0.2.0".to_owned());
        new.imports.insert("wasi:sockets/tcp@0.2.0".to_owned());
        new.calls.remove("list-hosts");
        new.calls.insert(
            "list-alerts".to_owned(),
            call("/v1/alerts", "Alerts: View/Edit", false),
        );
        new.calls.insert(
            "isolate".to_owned(),
            call("/v1/isolate", "Hosts: Edit", true),
        );
        new.budgets[0].requests = 20;
        new.config =
            json!({"properties": {"url": {"type": "string"}, "key\u{1b}[2J": {"writeOnly": true}}});
        (old, new)
    }

    #[test]
    fn a_comparison_for_people_is_as_recorded() {
        let (old, new) = two();
        insta::assert_snapshot!(text(&Comparison::of(&old, &new), false));
    }

    #[test]
    fn a_comparison_for_programs_is_as_recorded() {
        let (old, new) = two();
        let comparison = Comparison::of(&old, &new);
        insta::assert_json_snapshot!(document(
            ("old.wasm", &old),
            ("new.wasm", &new),
            &comparison
        ));
    }

    #[test]
    fn only_so_many_are_shown_and_the_rest_is_counted() {
        let (old, mut new) = two();
        for number in 0..100 {
            new.imports.insert(format!("x:y/z{number}"));
        }
        let told = text(&Comparison::of(&old, &new), false);
        assert!(told.contains("more, which --json lists"), "{told}");
        assert!(told.lines().count() < 90, "{told}");
    }
}
