//! What a map makes of records, in numbers, with an example of each thing: documents, problems, and the difference to another map.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::flat::{flat, place};

/// How many places are told one by one; problems may name keys, and memory must not grow with them.
const MOST: usize = 500;

/// Where no other is told any more.
const ELSEWHERE: &str = "(elsewhere)";

/// An example of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The record's key.
    pub key: String,
    /// JSON Pointer into the record.
    pub pointer: String,
    /// What was said of it.
    pub message: String,
}

/// Problems of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The place in the source record, as maps write paths; "" for the record.
    pub place: String,
    /// Records.
    pub records: u64,
    /// The first.
    pub example: Example,
}

/// A document that a map made, with the placeholders filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// asset or finding.
    pub kind: &'static str,
    /// The document's key.
    pub key: String,
    /// All that the platform goes by beside the body, as JSON: the asset it is on, identity, facets.
    pub beside: Value,
    /// The body.
    pub body: Value,
}

/// What a target path has in one map's documents and not, or otherwise, in the other's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PathChange {
    /// Documents that have a value there only with the previewed map.
    pub added: u64,
    /// Documents that have one only with the other map.
    pub removed: u64,
    /// Documents that have another value.
    pub changed: u64,
    /// Of the first: the document's key, its values with the other map, and with the previewed one.
    pub example: Option<(String, Vec<Value>, Vec<Value>)>,
}

/// The difference to another map's documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Against {
    /// Documents that are the same.
    pub same: u64,
    /// Documents that differ.
    pub differ: u64,
    /// Documents that only the previewed map makes.
    pub added: u64,
    /// Documents that only the other map makes.
    pub removed: u64,
    /// By kind and target path.
    pub paths: BTreeMap<(String, String), PathChange>,
}

/// Counts what a map makes of records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Records.
    pub records: u64,
    /// Asset documents.
    pub assets: u64,
    /// Finding documents.
    pub findings: u64,
    /// Records without a document, and not because nothing is made of them: what is required is missing.
    pub rejected: u64,
    /// Records of which nothing is made, and nothing is wrong: no finding is in them.
    pub empty: u64,
    /// Why, by place.
    reasons: BTreeMap<String, Group>,
    /// Problems of records that gave documents, by place.
    problems: BTreeMap<String, Group>,
    /// The difference to another map, where there is one.
    pub against: Option<Against>,
}

impl Tally {
    /// One that compares, and has nothing to compare yet.
    pub fn against_another() -> Self {
        Self {
            against: Some(Against::default()),
            ..Self::default()
        }
    }

    /// What became of a record: its documents, or why there are none.
    pub fn record(&mut self, key: &str, documents: &[Made], problems: &[(String, String)]) {
        self.records += 1;
        for document in documents {
            match document.kind {
                "asset" => self.assets += 1,
                _ => self.findings += 1,
            }
        }
        let rejected = documents.is_empty() && !problems.is_empty();
        self.rejected += u64::from(rejected);
        self.empty += u64::from(documents.is_empty() && problems.is_empty());
        let groups = if rejected {
            &mut self.reasons
        } else {
            &mut self.problems
        };
        let mut places: BTreeSet<String> = BTreeSet::new();
        for (pointer, message) in problems {
            let mut at = place(pointer);
            if groups.len() >= MOST && !groups.contains_key(&at) {
                at = ELSEWHERE.to_owned();
            }
            let new = places.insert(at.clone());
            let group = groups.entry(at.clone()).or_insert_with(|| Group {
                place: at,
                records: 0,
                example: Example {
                    key: key.to_owned(),
                    pointer: pointer.clone(),
                    message: message.clone(),
                },
            });
            group.records += u64::from(new);
        }
    }

    /// Why records were rejected, the most frequent first.
    pub fn reasons(&self) -> Vec<&Group> {
        sorted(&self.reasons)
    }

    /// Problems of records that gave documents, the most frequent first.
    pub fn problems(&self) -> Vec<&Group> {
        sorted(&self.problems)
    }

    /// What another map makes of the same record.
    pub fn compare(&mut self, documents: &[Made], other: &[Made]) {
        let against = self.against.get_or_insert_default();
        let mut others: BTreeMap<(&str, &str), &Made> = other
            .iter()
            .map(|document| ((document.kind, document.key.as_str()), document))
            .collect();
        for document in documents {
            match others.remove(&(document.kind, document.key.as_str())) {
                Some(other) if other == document => against.same += 1,
                Some(other) => {
                    against.differ += 1;
                    against.differing(document, other);
                }
                None => against.added += 1,
            }
        }
        against.removed += others.len() as u64;
    }
}

fn sorted(groups: &BTreeMap<String, Group>) -> Vec<&Group> {
    let mut groups: Vec<&Group> = groups.values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.records));
    groups
}

impl Against {
    fn differing(&mut self, document: &Made, other: &Made) {
        for (prefix, new, old) in [
            ("", &document.body, &other.body),
            // What stands beside the body is told as such: no target path begins like that.
            ("(known by) ", &document.beside, &other.beside),
        ] {
            let (new, old) = (flat(new, true), flat(old, true));
            let paths: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
            for path in paths {
                let none = Vec::new();
                let now = new.get(path).unwrap_or(&none);
                let before = old.get(path).unwrap_or(&none);
                if now != before {
                    let path = format!("{prefix}{path}");
                    self.path(document, path, before, now);
                }
            }
        }
    }

    fn path(&mut self, document: &Made, path: String, before: &[&Value], now: &[&Value]) {
        let mut place = (document.kind.to_owned(), path);
        if self.paths.len() >= MOST && !self.paths.contains_key(&place) {
            place.1 = ELSEWHERE.to_owned();
        }
        let change = self.paths.entry(place).or_default();
        match (before.is_empty(), now.is_empty()) {
            (true, _) => change.added += 1,
            (_, true) => change.removed += 1,
            _ => change.changed += 1,
        }
        change.example.get_or_insert_with(|| {
            let owned = |values: &[&Value]| values.iter().map(|value| (*value).clone()).collect();
            (document.key.clone(), owned(before), owned(now))
        });
    }
}

impl Made {
    /// What the platform goes by beside the body, as one document.
    pub fn beside(
        asset: Option<&str>,
        identity: &[(String, String)],
        facets: &[(String, String)],
    ) -> Value {
        let named = |pairs: &[(String, String)]| {
            let mut named = serde_json::Map::new();
            for (name, value) in pairs {
                let list = named.entry(name.clone()).or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.push(json!(value));
                }
            }
            named
        };
        json!({"asset": asset, "identity": named(identity), "facets": named(facets)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: &'static str, key: &str, body: Value) -> Made {
        Made {
            kind,
            key: key.to_owned(),
            beside: json!({}),
            body,
        }
    }

    fn problem(pointer: &str, message: &str) -> (String, String) {
        (pointer.to_owned(), message.to_owned())
    }

    #[test]
    fn problems_are_counted_by_place_once_a_record() {
        let mut tally = Tally::default();
        let asset = made("asset", "a", json!({}));
        let two = [
            problem("/cves/0/score", "no number"),
            problem("/cves/7/score", "none either"),
        ];
        tally.record("a", std::slice::from_ref(&asset), &two);
        tally.record(
            "b",
            &[asset],
            &[problem("/cves/1/score", "no number"), problem("/os", "odd")],
        );
        tally.record("c", &[], &[problem("/id", "is missing")]);
        tally.record("d", &[], &[]);
        assert_eq!(
            (tally.records, tally.assets, tally.rejected, tally.empty),
            (4, 2, 1, 1)
        );
        let told: Vec<(&str, u64, &str)> = tally
            .problems()
            .iter()
            .map(|group| {
                (
                    group.place.as_str(),
                    group.records,
                    group.example.message.as_str(),
                )
            })
            .collect();
        assert_eq!(told, [("cves[].score", 2, "no number"), ("os", 1, "odd")]);
        assert_eq!(tally.reasons().first().unwrap().example.key, "c");
    }

    #[test]
    fn documents_are_compared_path_by_path() {
        let mut tally = Tally::default();
        let now = [
            made(
                "asset",
                "a",
                json!({"x": 1, "y": 2, "n": [{"p": 1}, {"p": 3}]}),
            ),
            made("finding", "f", json!({})),
            made("finding", "g", json!({"same": true})),
        ];
        let before = [
            made(
                "asset",
                "a",
                json!({"x": 2, "z": 2, "n": [{"p": 1}, {"p": 2}]}),
            ),
            made("finding", "g", json!({"same": true})),
            made("finding", "h", json!({})),
        ];
        tally.compare(&now, &before);
        let against = tally.against.unwrap();
        assert_eq!(
            (against.same, against.differ, against.added, against.removed),
            (1, 1, 1, 1)
        );
        let told: Vec<(&str, u64, u64, u64)> = against
            .paths
            .iter()
            .map(|((_, path), change)| {
                (path.as_str(), change.added, change.removed, change.changed)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("n[].p", 0, 0, 1),
                ("x", 0, 0, 1),
                ("y", 1, 0, 0),
                ("z", 0, 1, 0)
            ]
        );
    }

    #[test]
    fn what_a_document_is_known_by_is_compared_too() {
        let mut tally = Tally::default();
        let mac = |mac: &str| Made {
            beside: Made::beside(None, &[("mac".to_owned(), mac.to_owned())], &[]),
            ..made("asset", "a", json!({}))
        };
        tally.compare(&[mac("1")], &[mac("2")]);
        let against = tally.against.unwrap();
        let paths: Vec<&str> = against
            .paths
            .keys()
            .map(|(_, path)| path.as_str())
            .collect();
        assert_eq!(paths, ["(known by) identity.mac"]);
    }

    #[test]
    fn memory_does_not_grow_with_places() {
        let mut tally = Tally::default();
        for number in 0..2_000 {
            tally.record("k", &[], &[problem(&format!("/k{number}"), "odd")]);
        }
        assert_eq!(tally.reasons().len(), MOST + 1);
    }
}
