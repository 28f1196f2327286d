//! What is different between two maps.

use std::collections::BTreeMap;

use serde_json::Value;

/// A part of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Name, title, version, data streams, target and whatever else stands at its top.
    Keys,
    /// What documents are known by.
    Heads,
    /// Rules, by their target.
    Rules,
}

impl Section {
    /// As a word of JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Heads => "heads",
            Self::Rules => "rules",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In which part.
    pub section: Section,
    /// Where: a key, a head ("asset identity mac"), or a rule's target path.
    pub place: String,
    /// What stands there in the first map alone, in its order; none where it was added.
    pub before: Vec<Value>,
    /// What stands there in the second map alone; none where it was removed.
    pub after: Vec<Value>,
    /// Whether something stands there that is the same in both, such as another rule for the same target.
    pub partly: bool,
}

impl Change {
    /// "added", "removed" or "changed".
    pub fn kind(&self) -> &'static str {
        match (self.before.is_empty(), self.after.is_empty(), self.partly) {
            (true, false, false) => "added",
            (false, true, false) => "removed",
            _ => "changed",
        }
    }
}

/// All differences, by part and place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Each.
    pub changes: Vec<Change>,
    /// Whether the rules that both have stand in another order, which matters where several write the same target or list.
    pub reordered: bool,
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.reordered
    }
}

/// Compares two maps: rules by their target, heads by their name. Layout is no difference.
pub fn difference(before: &Value, after: &Value) -> Difference {
    let (old, new) = (parts(before), parts(after));
    let mut places: Vec<&(Section, String)> = old.keys().chain(new.keys()).collect();
    places.sort();
    places.dedup();
    let none = Vec::new();
    let changes = places
        .into_iter()
        .filter_map(|place| {
            let before = old.get(place).unwrap_or(&none);
            let after = new.get(place).unwrap_or(&none);
            if before == after {
                return None;
            }
            let (before_alone, after_alone) = (without(before, after), without(after, before));
            // The same rules in another order: which of them comes first decides.
            let turned = before_alone.is_empty() && after_alone.is_empty();
            let partly = before_alone.len() < before.len() && after_alone.len() < after.len();
            let values = |alone: Vec<Value>, all: &[&Value]| {
                if turned {
                    all.iter().map(|value| (*value).clone()).collect()
                } else {
                    alone
                }
            };
            Some(Change {
                section: place.0,
                place: place.1.clone(),
                before: values(before_alone, before),
                after: values(after_alone, after),
                partly,
            })
        })
        .collect();
    Difference {
        changes,
        reordered: reordered(before, after),
    }
}

/// What the first list has more of than the second.
fn without(list: &[&Value], other: &[&Value]) -> Vec<Value> {
    let mut other: Vec<&Value> = other.to_vec();
    let mut rest = Vec::new();
    for value in list {
        match other.iter().position(|same| same == value) {
            Some(at) => {
                other.remove(at);
            }
            None => rest.push((*value).clone()),
        }
    }
    rest
}

type Parts<'m> = BTreeMap<(Section, String), Vec<&'m Value>>;

fn parts(map: &Value) -> Parts<'_> {
    let mut parts = Parts::new();
    let Some(keys) = map.as_object() else {
        parts.insert((Section::Keys, String::new()), vec![map]);
        return parts;
    };
    for (key, value) in keys {
        match (key.as_str(), value) {
            ("rules", Value::Array(rules)) => {
                for rule in rules {
                    parts
                        .entry((Section::Rules, target(rule)))
                        .or_default()
                        .push(rule);
                }
            }
            ("asset" | "finding", Value::Object(head)) => {
                for (name, value) in head {
                    match (name.as_str(), value) {
                        ("identity" | "facets", Value::Object(named)) => {
                            for (each, value) in named {
                                let place = format!("{key} {name} {each}");
                                parts.insert((Section::Heads, place), vec![value]);
                            }
                        }
                        _ => {
                            let place = format!("{key} {name}");
                            parts.insert((Section::Heads, place), vec![value]);
                        }
                    }
                }
            }
            ("asset" | "finding", value) => {
                parts.insert((Section::Heads, key.clone()), vec![value]);
            }
            _ => {
                parts.insert((Section::Keys, key.clone()), vec![value]);
            }
        }
    }
    parts
}

/// A rule's target; of what is no rule its JSON.
fn target(rule: &Value) -> String {
    match rule.get("target") {
        Some(Value::String(target)) => target.clone(),
        _ => rule.to_string(),
    }
}

/// Whether the rules that stand in both follow each other differently.
fn reordered(before: &Value, after: &Value) -> bool {
    let rules = |map: &'_ Value| -> Vec<Value> {
        let rules = map.get("rules").and_then(Value::as_array);
        rules.cloned().unwrap_or_default()
    };
    let (old, new) = (rules(before), rules(after));
    let common = |list: &[Value], other: &[Value]| -> Vec<Value> {
        let mut left = other.to_vec();
        let mut kept = Vec::new();
        for value in list {
            if let Some(at) = left.iter().position(|same| same == value) {
                left.remove(at);
                kept.push(value.clone());
            }
        }
        kept
    };
    common(&old, &new) != common(&new, &old)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn kinds(before: &Value, after: &Value) -> Vec<String> {
        difference(before, after)
            .changes
            .iter()
            .map(|change| format!("{} {}", change.kind(), change.place))
            .collect()
    }

    #[test]
    fn each_kind_of_difference_is_told_with_its_place() {
        let before = json!({
            "name": "a", "version": "1.0", "asset": {"key": "id", "identity": {"mac": "mac[]"}},
            "rules": [
                {"target": "x", "source": "a"},
                {"target": "y", "source": "b"},
                {"target": "z", "source": "c", "when": {"source": "c", "present": true}},
                {"target": "z", "source": "d"},
            ]
        });
        let after = json!({
            "name": "a", "title": "A", "asset": {"key": "id2", "identity": {"ip": "ips"}},
            "rules": [
                {"target": "x", "source": "a", "convert": "lower"},
                {"target": "z", "source": "d"},
                {"target": "w", "constant": 1},
            ]
        });
        assert_eq!(
            kinds(&before, &after),
            [
                "added title",
                "removed version",
                "added asset identity ip",
                "removed asset identity mac",
                "changed asset key",
                "added w",
                "changed x",
                "removed y",
                "changed z"
            ]
        );
        let difference = difference(&before, &after);
        let z = difference.changes.last().unwrap();
        assert_eq!((z.before.len(), z.after.len(), z.partly), (1, 0, true));
    }

    #[test]
    fn rules_in_another_order_are_a_difference() {
        let one = json!({"rules": [{"target": "a"}, {"target": "b"}]});
        let other = json!({"rules": [{"target": "b"}, {"target": "a"}]});
        let difference = difference(&one, &other);
        assert!(difference.changes.is_empty() && difference.reordered && !difference.is_empty());
        let one =
            json!({"rules": [{"target": "a", "source": "x"}, {"target": "a", "source": "y"}]});
        let other =
            json!({"rules": [{"target": "a", "source": "y"}, {"target": "a", "source": "x"}]});
        assert_eq!(kinds(&one, &other), ["changed a"]);
    }

    #[test]
    fn what_is_no_map_is_compared_all_the_same() {
        assert_eq!(kinds(&json!([]), &json!(1)), ["changed "]);
        assert_eq!(
            kinds(&json!({"asset": 1, "rules": [7]}), &json!({"rules": {}})),
            ["added rules", "removed asset", "removed 7"]
        );
    }

    fn rule() -> impl Strategy<Value = Value> {
        ("[abc]", "[xy]", any::<bool>()).prop_map(|(target, source, required)| {
            if required {
                json!({"target": target, "source": source, "required": true})
            } else {
                json!({"target": target, "source": source})
            }
        })
    }

    fn map() -> impl Strategy<Value = Value> {
        (prop::collection::vec(rule(), 0..6), "[ab]", "[kl]").prop_map(
            |(rules, name, key)| json!({"name": name, "asset": {"key": key}, "rules": rules}),
        )
    }

    fn of_target<'v>(map: &'v Value, wanted: &str) -> Vec<&'v Value> {
        let rules = map["rules"].as_array().unwrap().iter();
        rules.filter(|rule| rule["target"] == wanted).collect()
    }

    proptest! {
        #[test]
        fn a_map_does_not_differ_from_itself(map in map()) {
            prop_assert!(difference(&map, &map).is_empty());
        }

        #[test]
        fn exactly_the_targets_that_differ_are_listed(one in map(), other in map()) {
            let difference = difference(&one, &other);
            for target in ["a", "b", "c"] {
                let listed = difference.changes.iter()
                    .any(|change| change.section == Section::Rules && change.place == target);
                prop_assert_eq!(listed, of_target(&one, target) != of_target(&other, target));
            }
            prop_assert_eq!(difference.is_empty(), one == other);
        }
    }
}
