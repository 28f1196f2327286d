//! Which source fields a map leaves unread, and which target fields it never fills.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::flat::flat;
use crate::model::{Required, SchemaPath, schema_paths};

/// How many fields are counted. Records may have names for keys, and memory must not grow with them.
const MOST: usize = 2_000;

/// A source field that no rule, head or condition reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its path, as maps write it.
    pub path: String,
    /// Whether the data stream's schema has it.
    pub in_schema: bool,
    /// Records that have a value there.
    pub records: u64,
}

/// A target field that no document has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled {
    /// asset or finding.
    pub kind: &'static str,
    /// Its path, as maps write it.
    pub path: String,
    /// Whether each document should have it.
    pub needed: bool,
}

/// Counts what records have and documents get.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// As maps write them, without marks for lists.
    reads: Vec<String>,
    /// Of the stream's schema.
    known: Vec<String>,
    seen: BTreeMap<String, u64>,
    /// Fields that were not counted any more: there were too many.
    more: bool,
    targets: Vec<(&'static str, SchemaPath)>,
    filled: BTreeSet<(&'static str, String)>,
    /// Of which there was a document.
    kinds: BTreeSet<&'static str>,
}

impl Coverage {
    /// For a map that reads these paths, of records with this schema, whose documents have these paths.
    pub fn new(reads: &[String], schema: &Value, targets: Vec<(&'static str, SchemaPath)>) -> Self {
        let known = schema_paths(schema, "")
            .into_iter()
            .filter(|path| path.leaf && !path.path.ends_with('*'))
            .map(|path| path.path)
            .collect();
        Self {
            reads: reads.iter().map(|path| bare(path)).collect(),
            known,
            seen: BTreeMap::new(),
            more: false,
            targets: targets.into_iter().filter(|(_, path)| path.leaf).collect(),
            filled: BTreeSet::new(),
            kinds: BTreeSet::new(),
        }
    }

    /// A record.
    pub fn record(&mut self, record: &Value) {
        for path in flat(record, false).into_keys() {
            if let Some(times) = self.seen.get_mut(&path) {
                *times += 1;
            } else if self.seen.len() < MOST {
                self.seen.insert(path, 1);
            } else {
                self.more = true;
            }
        }
    }

    /// A document's body.
    pub fn document(&mut self, kind: &'static str, body: &Value) {
        self.kinds.insert(kind);
        for path in flat(body, true).into_keys() {
            let path = bare(&path);
            if self.filled.len() < MOST && !self.filled.contains(&(kind, path.clone())) {
                self.filled.insert((kind, path));
            }
        }
    }

    /// Source fields that nothing reads: those that records have first, the most frequent before the others.
    pub fn unread(&self) -> Vec<Unread> {
        let known: BTreeMap<String, &String> =
            self.known.iter().map(|path| (bare(path), path)).collect();
        let mut unread: BTreeMap<String, Unread> = BTreeMap::new();
        for (bare, path) in &known {
            unread.insert(
                bare.clone(),
                Unread {
                    path: (*path).clone(),
                    in_schema: true,
                    records: 0,
                },
            );
        }
        for (path, times) in &self.seen {
            let bare = bare(path);
            // What stands below a field that the schema does not go into belongs to it.
            let known_at = known.keys().find(|known| covers(known, &bare));
            let entry = unread
                .entry(known_at.cloned().unwrap_or(bare))
                .or_insert_with(|| Unread {
                    path: path.clone(),
                    in_schema: false,
                    records: 0,
                });
            entry.records = entry.records.max(*times);
        }
        let mut unread: Vec<Unread> = unread
            .into_iter()
            .filter(|(bare, _)| {
                !self
                    .reads
                    .iter()
                    .any(|read| covers(read, bare) || covers(bare, read))
            })
            .map(|(_, unread)| unread)
            .collect();
        unread.sort_by(|one, other| {
            (other.records.cmp(&one.records)).then_with(|| one.path.cmp(&other.path))
        });
        unread
    }

    /// Target fields that no document had, of the kinds of which there was one: needed ones first.
    pub fn unfilled(&self) -> Vec<Unfilled> {
        let mut unfilled: Vec<Unfilled> = self
            .targets
            .iter()
            .filter(|(kind, _)| self.kinds.contains(kind))
            .filter(|(kind, target)| !self.is_filled(kind, &target.path))
            .map(|(kind, target)| Unfilled {
                kind,
                path: target.path.clone(),
                needed: target.needed == Required::Always && !self.has_another(kind, target),
            })
            .collect();
        unfilled.sort_by_key(|field| !field.needed);
        unfilled
    }

    fn is_filled(&self, kind: &str, path: &str) -> bool {
        let wanted = bare(path);
        let open = wanted.strip_suffix(".*");
        self.filled.iter().any(|(of, path)| {
            *of == kind
                && match open {
                    Some(above) => covers(above, path),
                    None => covers(path, &wanted) || covers(&wanted, path),
                }
        })
    }

    /// Whether another of those is there of which one must be.
    fn has_another(&self, kind: &str, target: &SchemaPath) -> bool {
        let parent = target.path.rsplit_once('.').map(|(parent, _)| parent);
        target.one_of.iter().any(|name| match parent {
            Some(parent) => self.is_filled(kind, &format!("{parent}.{name}")),
            None => self.is_filled(kind, name),
        })
    }

    /// Whether records had more fields than are counted.
    pub fn has_more(&self) -> bool {
        self.more
    }
}

fn bare(path: &str) -> String {
    path.replace("[]", "")
}

/// Whether the one path is the other or stands above it.
fn covers(above: &str, below: &str) -> bool {
    below
        .strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(path: &str, needed: bool) -> SchemaPath {
        SchemaPath {
            path: path.to_owned(),
            types: "string".to_owned(),
            required: if needed {
                Required::Always
            } else {
                Required::No
            },
            one_of: Vec::new(),
            needed: if needed {
                Required::Always
            } else {
                Required::No
            },
            leaf: true,
            values: Vec::new(),
            description: String::new(),
        }
    }

    #[test]
    fn what_nothing_reads_is_told_with_how_often_it_is_there() {
        let schema = json!({"properties": {
            "id": {"type": "string"}, "os": {"type": "string"}, "tags": {"type": "object", "additionalProperties": {"type": "array"}},
            "cves": {"type": "array", "items": {"properties": {"name": {"type": "string"}, "score": {"type": "number"}}}}
        }});
        let reads = [
            "id".to_owned(),
            "cves[].name".to_owned(),
            "tags.server_tags".to_owned(),
        ];
        let mut coverage = Coverage::new(&reads, &schema, Vec::new());
        coverage.record(&json!({"id": "1", "os": "", "odd": {"x": 1}, "tags": {"server_tags": ["a"], "mine": ["b"]}}));
        coverage.record(&json!({"id": "2", "odd": {"x": 2}, "cves": [{"name": "n", "score": 1.5}, {"score": 2}]}));
        let told: Vec<(String, bool, u64)> = coverage
            .unread()
            .into_iter()
            .map(|field| (field.path, field.in_schema, field.records))
            .collect();
        assert_eq!(
            told,
            [
                ("odd.x".to_owned(), false, 2),
                ("cves[].score".to_owned(), true, 1),
                ("tags.mine".to_owned(), false, 1),
                ("os".to_owned(), true, 0)
            ]
        );
    }

    #[test]
    fn a_path_that_is_read_stands_for_all_below_it() {
        let schema = json!({"properties": {"tags": {"properties": {"a": {}, "b": {}}}}});
        let coverage = Coverage::new(&["tags".to_owned()], &schema, Vec::new());
        assert!(coverage.unread().is_empty());
    }

    #[test]
    fn target_fields_that_no_document_has_are_told_needed_ones_first() {
        let either = SchemaPath {
            one_of: vec!["name".to_owned(), "uid".to_owned()],
            ..path("product.uid", true)
        };
        let targets = vec![
            ("asset", either),
            ("asset", path("name", false)),
            ("asset", path("nets[].ip", false)),
            ("asset", path("custom.*", false)),
            ("asset", path("id", true)),
            ("finding", path("name", false)),
        ];
        let mut coverage = Coverage::new(&[], &json!({}), targets);
        assert!(coverage.unfilled().is_empty(), "there is no document yet");
        coverage.document("finding", &json!({"name": ""}));
        coverage.document(
            "asset",
            &json!({"nets": [{"ip": "10.0.0.1"}], "custom": {"mine": []}, "product": {"name": "X"}}),
        );
        let told: Vec<(String, bool)> = coverage
            .unfilled()
            .into_iter()
            .map(|field| (format!("{} {}", field.kind, field.path), field.needed))
            .collect();
        assert_eq!(
            told,
            [
                ("asset id".to_owned(), true),
                ("asset product.uid".to_owned(), false),
                ("asset name".to_owned(), false)
            ]
        );
    }

    #[test]
    fn memory_does_not_grow_with_the_names_of_keys() {
        let mut coverage = Coverage::new(&[], &json!({}), Vec::new());
        for number in 0..3_000 {
            coverage.record(&json!({format!("k{number}"): 1}));
        }
        assert_eq!(coverage.unread().len(), MOST);
        assert!(coverage.has_more());
    }
}
