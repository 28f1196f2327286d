//! Where one page ends and the next begins.
//!
//! Pages overlap by one record: each is asked for from the last record of the page before. Where that record stands in the next page,
//! nothing lies between the two that neither holds, whatever was added or taken away before them meanwhile. Where it does not, records
//! may have slipped through, and the slice is read again.

use crate::json_text::json_text;
use serde::Serialize;
use serde_json::Value;

/// A record's key as text, also where it came as a number; the whole record where it has none.
pub(in crate::sync) fn key_of(record: &Value, name: &str) -> String {
    match record.get(name) {
        Some(Value::String(key)) => key.clone(),
        Some(key) => json_text(key),
        None => json_text(record),
    }
}

/// A key as a number that tells it apart from any other of a slice; never 0. (FNV-1a: of 10,000 keys two are taken for one once in
/// 400,000 million slices, and then the slice is read again.)
pub(in crate::sync) fn hash(key: &str) -> u64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.max(1)
}

/// The longest key that a checkpoint holds as it is, in bytes; those of the API are far shorter.
const LONGEST: usize = 128;

/// The record at an edge of a page, as a checkpoint holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(in crate::sync) enum Edge {
    /// By its key, which a checkpoint in which the keys have other names (a recording that was anonymised) has another one for; no hash would.
    Key(String),
    /// By the hash of a key that is long, or that an earlier build wrote down.
    Hash(u64),
}

impl Edge {
    pub fn of(key: &str) -> Edge {
        if key.len() <= LONGEST {
            Edge::Key(key.to_owned())
        } else {
            Edge::Hash(hash(key))
        }
    }

    pub fn read(json: &Value) -> Option<Edge> {
        match json {
            Value::String(key) => Some(Edge::Key(key.clone())),
            other => other.as_u64().map(Edge::Hash),
        }
    }

    pub fn hash(&self) -> u64 {
        match self {
            Edge::Key(key) => hash(key),
            Edge::Hash(hash) => *hash,
        }
    }
}

/// A set of hashes of bounded size: 128 kB once something is in it. A table of its own, because those of the standard library would be
/// ten times the code.
#[derive(Debug, Default)]
pub(in crate::sync) struct Keys {
    slots: Vec<u64>,
    count: usize,
}

/// A power of two, so that a hash becomes a place by a mask.
const SLOTS: usize = 1 << 14;

/// Fuller than this, looking would take long; more than the API pages in a slice.
const MOST: usize = SLOTS / 4 * 3;

impl Keys {
    /// Adds a hash; false where it was there. A full set takes no more.
    pub fn insert(&mut self, hash: u64) -> bool {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, 0);
        }
        let full = self.count >= MOST;
        match self.find(hash) {
            Some(slot) if *slot == hash => false,
            Some(slot) if !full => {
                *slot = hash;
                self.count += 1;
                true
            }
            _ => true,
        }
    }

    /// Whether a hash is in it.
    pub fn contains(&mut self, hash: u64) -> bool {
        self.find(hash).is_some_and(|slot| *slot == hash)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.count = 0;
    }

    /// The place of a hash, or the free one where it would stand.
    fn find(&mut self, hash: u64) -> Option<&mut u64> {
        if self.slots.is_empty() {
            return None;
        }
        let start = hash as usize & (SLOTS - 1);
        let place = (start..SLOTS).chain(0..start).find(|place| {
            self.slots
                .get(*place)
                .is_some_and(|slot| *slot == hash || *slot == 0)
        })?;
        self.slots.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_is_the_same_as_a_text_and_as_a_number() {
        let number: Value = serde_json::from_str(r#"{"id": 9007199254740993}"#).unwrap();
        assert_eq!(
            key_of(&number, "id"),
            key_of(&json!({"id": "9007199254740993"}), "id")
        );
        assert_ne!(
            key_of(&json!({"a": 1}), "id"),
            key_of(&json!({"a": 2}), "id")
        );
    }

    #[test]
    fn an_edge_stands_for_the_same_record_in_every_form_that_a_checkpoint_has() {
        let long = "k".repeat(LONGEST + 1);
        for key in ["id-1", "", long.as_str()] {
            let edge = Edge::of(key);
            let read = Edge::read(&serde_json::to_value(&edge).unwrap());
            assert_eq!((read, edge.hash()), (Some(edge), hash(key)));
        }
        assert_eq!(
            Edge::read(&json!(hash("id-1"))).unwrap().hash(),
            hash("id-1")
        );
        assert_eq!(Edge::of("id-1"), Edge::Key("id-1".to_owned()));
        assert_eq!(Edge::of(&long), Edge::Hash(hash(&long)));
        assert_eq!(Edge::read(&Value::Null), None);
    }

    #[test]
    fn a_full_set_takes_no_more_and_stays_quick() {
        let mut keys = Keys::default();
        assert!(!keys.contains(5));
        for number in 1..=20_000 {
            assert!(keys.insert(number << 20));
        }
        assert!(keys.contains(5 << 20));
        assert!(!keys.contains(19_000 << 20));
        assert_eq!(keys.count, MOST);
        keys.clear();
        assert!(!keys.contains(5 << 20));
    }

    proptest::proptest! {
        #[test]
        fn it_is_a_set(numbers in proptest::collection::vec(1_u64..40_000, 0..300)) {
            let (mut keys, mut model) = (Keys::default(), BTreeSet::new());
            for number in numbers {
                proptest::prop_assert_eq!(keys.insert(number), model.insert(number));
                proptest::prop_assert!(keys.contains(number));
            }
        }
    }
}
