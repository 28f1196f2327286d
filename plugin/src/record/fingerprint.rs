//! A record as bytes, and a short fingerprint of what matters in it.

use serde_json::{Map, Value};

/// Odd constants with well-mixed bits (the fractional digits of pi), so that a change of any bit spreads over the whole state.
const FIRST: u64 = 0x243f_6a88_85a3_08d3;
const SECOND: u64 = 0x1319_8a2e_0370_7345;

/// The fields as compact JSON, and the fingerprint of those that are not volatile. Both in one pass: each field is written once
/// and hashed where it stands.
pub(super) fn written(fields: &Map<String, Value>, volatile: &[&str]) -> (Vec<u8>, String) {
    written_with(fields, None, volatile)
}

/// The same with one field more, whose value is JSON already and whose name none of the others has. It is not part of the fingerprint.
pub(super) fn written_with(
    fields: &Map<String, Value>,
    mut more: Option<(&str, &[u8])>,
    volatile: &[&str],
) -> (Vec<u8>, String) {
    let mut writer = Writer {
        body: Vec::with_capacity(1024 + more.map_or(0, |(_, json)| json.len())),
        hash: Hash::default(),
        volatile,
    };
    writer.body.push(b'{');
    for (name, value) in fields {
        if let Some((more_name, json)) = more
            && more_name < name.as_str()
        {
            writer.unhashed(more_name, |body| body.extend_from_slice(json));
            more = None;
        }
        // Writing JSON values into memory has no way to fail.
        writer.field(name, |body| {
            let _ = serde_json::to_writer(body, value);
        });
    }
    if let Some((name, json)) = more {
        writer.unhashed(name, |body| body.extend_from_slice(json));
    }
    writer.body.push(b'}');
    (writer.body, writer.hash.text())
}

/// The fingerprint of some texts in this order.
pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let mut hash = Hash::default();
    for text in texts {
        hash.add(text.as_bytes());
    }
    hash.text()
}

struct Writer<'a> {
    body: Vec<u8>,
    hash: Hash,
    volatile: &'a [&'a str],
}

impl Writer<'_> {
    fn field(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let written = self.unhashed(name, write);
        if !self.volatile.contains(&name) {
            self.hash.add(self.body.get(written..).unwrap_or_default());
        }
    }

    /// Writes a field, and says where it begins.
    fn unhashed(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        if self.body.len() > 1 {
            self.body.push(b',');
        }
        let start = self.body.len();
        let _ = serde_json::to_writer(&mut self.body, name);
        self.body.push(b':');
        write(&mut self.body);
        start
    }
}

/// A 64-bit hash in the manner of wyhash: eight bytes at a time through a folded multiplication. Not cryptographic, and it need
/// not be: it only ever compares two versions of one record of one tenant. Written out here because it must stay the same in every
/// build for years, which hashers of the standard library do not promise, and because SHA-256 would cost ten times
/// as much time inside the component.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(FIRST)
    }
}

impl Hash {
    fn text(&self) -> String {
        format!("{:016x}", self.0)
    }

    fn add(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.mix(u64::from_le_bytes(last));
        // The length keeps "a" + "bc" apart from "ab" + "c", and a tail of zeros from none.
        self.mix(bytes.len() as u64);
    }

    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(SECOND);
        self.0 =
            (product as u64) ^ ((product >> 64) as u64) ^ word.rotate_left(32).wrapping_mul(FIRST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn print(value: Value, volatile: &[&str]) -> String {
        let Value::Object(fields) = value else {
            panic!("not an object");
        };
        written(&fields, volatile).1
    }

    #[test]
    fn the_fingerprint_never_changes_between_builds() {
        // A changed number here means that every record of every tenant will look changed once.
        assert_eq!(
            print(json!({"a": "b", "c": [1, 2.5, null]}), &[]),
            "778a4ca9147a1b66"
        );
        assert_eq!(print(json!({}), &[]), "243f6a8885a308d3");
    }

    #[test]
    fn volatile_fields_are_in_the_body_and_not_in_the_fingerprint() {
        let one = json!({"id": "x", "last_seen": 1});
        let two = json!({"id": "x", "last_seen": 2});
        assert_eq!(
            print(one.clone(), &["last_seen"]),
            print(two.clone(), &["last_seen"])
        );
        assert_ne!(print(one, &[]), print(two, &[]));
    }

    proptest::proptest! {
        #[test]
        fn another_text_has_another_fingerprint(a in ".{0,30}", b in ".{0,30}") {
            proptest::prop_assume!(a != b);
            proptest::prop_assert_ne!(print(json!({"a": a}), &[]), print(json!({"a": b}), &[]));
        }

        #[test]
        fn the_body_is_the_same_json_that_serde_writes(text in ".{0,30}", number in proptest::num::f64::NORMAL) {
            let value = json!({"b": text, "a": {"x": number, "list": [null, true]}, "": 1});
            let Value::Object(fields) = &value else { unreachable!() };
            proptest::prop_assert_eq!(written(fields, &[]).0, value.to_string().into_bytes());
        }
    }
}
