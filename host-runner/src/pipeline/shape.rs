//! Foreign JSON: that it is JSON, and nested no deeper than those who read it later can follow.

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Any JSON, looked at and not kept. Unlike serde's own `IgnoredAny` it goes down into lists and objects by recursion, so that `serde_json`'s bound on
/// nesting (128) holds for it as for whoever reads the text into values later: what passes here can be read again.
struct Anything;

/// Why a text is no JSON that can be read again.
pub(super) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<Anything>(bytes).map(|_| ())
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Looking)
    }
}

struct Looking;

impl<'de> Visitor<'de> for Looking {
    type Value = Anything;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Anything, E> {
        Ok(Anything)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Anything, A::Error> {
        while list.next_element::<Anything>()?.is_some() {}
        Ok(Anything)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Anything, A::Error> {
        while object.next_entry::<IgnoredAny, Anything>()?.is_some() {}
        Ok(Anything)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn lists_within_lists_are_bounded_without_a_stack_overflow() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(check(deep(100).as_bytes()).is_ok());
        let error = check(deep(1_000_000).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("recursion limit exceeded"), "{error}");
        let objects = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
        assert!(check(objects.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn what_passes_can_be_read_and_what_can_be_read_passes(text in "[\\[\\]{}\",:0-9a-z \\\\.-]{0,40}") {
            let read = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert_eq!(check(text.as_bytes()).is_ok(), read);
        }
    }
}
