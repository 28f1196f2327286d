//! Keys that stand twice in one object of a JSON text. Readers keep the last and forget the first without a word.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// A key that an object has already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Twice {
    pub(super) key: String,
    /// Where the second one ends, counted from 1.
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The first key that stands twice in one object of this JSON; none also where it is no JSON.
pub(super) fn twice(text: &str) -> Option<Twice> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let error = Look(&mut found).deserialize(&mut reader).err()?;
    Some(Twice {
        key: found?,
        line: error.line(),
        column: error.column(),
    })
}

/// Reads a value, keeps nothing of it, and stops at the first key that was there before.
struct Look<'f>(&'f mut Option<String>);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Look(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                *self.0 = Some(key);
                return Err(A::Error::custom("a key stands twice"));
            }
            entries.next_value_seed(Look(&mut *self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_that_stands_twice_is_found_at_any_depth_and_however_it_is_written() {
        for (text, key) in [
            (r#"{"a": 1, "b": 2, "a": 3}"#, "a"),
            (r#"{"x": [1, {"y": {"k": 1, "k": 1}}], "x": 1}"#, "k"),
            (r#"{"ab": null, "\u0061b": null}"#, "ab"),
            (r#"[{"": 1.5, "": -1}]"#, ""),
        ] {
            assert_eq!(twice(text).map(|twice| twice.key).as_deref(), Some(key));
        }
    }

    #[test]
    fn the_same_key_in_different_objects_is_no_repeat() {
        for text in [
            r#"{"a": {"a": {"a": [{"a": 1}, {"a": 2}]}}, "b": "a"}"#,
            "7",
            "{",
            "",
        ] {
            assert_eq!(twice(text), None, "{text}");
        }
    }
}
