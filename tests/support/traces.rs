//! All forms in which a key, or a signature made with it, could stand somewhere; and the search for them.

use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::BTreeMap;
use std::fmt::Write;

/// No piece of a key that is shorter is looked for: it could stand somewhere by chance.
const PIECE: usize = 16;

/// Searches bytes for traces of secrets.
pub struct Traces {
    finder: AhoCorasick,
    names: Vec<String>,
}

impl Traces {
    /// Of a key, in pieces and in any form in which code could write it; and of what was made with it.
    ///
    /// # Panics
    /// Where the key is too short to be told from chance.
    #[must_use]
    pub fn of(key: &str, made: impl IntoIterator<Item = String>) -> Self {
        assert!(key.len() >= 2 * PIECE, "a key to be found is a long one");
        let mut patterns: BTreeMap<Vec<u8>, String> = BTreeMap::new();
        for (name, form) in forms(key.as_bytes()) {
            for piece in form.windows(PIECE) {
                patterns
                    .entry(piece.to_vec())
                    .or_insert_with(|| format!("the key ({name})"));
            }
        }
        for value in made {
            // Every other piece of a signature is as telling as the next, and there are many signatures.
            for (name, form) in signature_forms(&value) {
                for piece in form.chunks(PIECE).filter(|piece| piece.len() == PIECE) {
                    patterns
                        .entry(piece.to_vec())
                        .or_insert_with(|| format!("what was made with the key ({name})"));
                }
            }
        }
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(patterns.keys())
            .expect("a finder");
        Self {
            finder,
            names: patterns.into_values().collect(),
        }
    }

    /// What is found first, and where.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<String> {
        let found = self.finder.find(bytes)?;
        let name = &self.names[found.pattern().as_usize()];
        Some(format!("{name} at byte {}", found.start()))
    }
}

/// The forms in which code writes bytes, by name.
fn forms(key: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![("as it is".to_owned(), key.to_vec())];
    let mut add = |name: &str, form: Vec<u8>| forms.push((name.to_owned(), form));
    let each = |format: fn(u8) -> String| -> Vec<u8> {
        key.iter()
            .flat_map(|byte| format(*byte).into_bytes())
            .collect()
    };
    add("hexadecimal", each(|byte| format!("{byte:02x}")));
    add("upper-case hexadecimal", each(|byte| format!("{byte:02X}")));
    add("percent-encoded", each(|byte| format!("%{byte:02X}")));
    add(
        "percent-encoded in lower case",
        each(|byte| format!("%{byte:02x}")),
    );
    add("escaped for JSON", each(|byte| format!("\\u{byte:04x}")));
    add("a list of numbers", each(|byte| format!("{byte}, ")));
    add("a compact list of numbers", each(|byte| format!("{byte},")));
    add("UTF-16", key.iter().flat_map(|byte| [*byte, 0]).collect());
    add("upper case", key.to_ascii_uppercase());
    add("backwards", key.iter().rev().copied().collect());
    for size in [4, 8, 16, 32] {
        add(
            &format!("pieces of {size} bytes, the last first"),
            key.chunks(size).rev().flatten().copied().collect(),
        );
    }
    for (name, alphabet) in [("Base64", STANDARD), ("Base64 for URLs", URL_SAFE)] {
        for before in 0..3 {
            add(
                &format!("{name}, {before} bytes in"),
                base64(key, before, alphabet),
            );
        }
    }
    add("its SHA-256", sha256(key).into_bytes());
    forms
}

fn signature_forms(value: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        ("as it is".to_owned(), value.as_bytes().to_vec()),
        (
            "upper case".to_owned(),
            value.to_ascii_uppercase().into_bytes(),
        ),
        ("backwards".to_owned(), value.bytes().rev().collect()),
    ];
    if let Some(raw) = unhex(value) {
        forms.push(("its bytes".to_owned(), raw));
    }
    for before in 0..3 {
        let form = base64(value.as_bytes(), before, STANDARD);
        forms.push((format!("Base64, {before} bytes in"), form));
    }
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How bytes look in the Base64 of something that they stand in, so many bytes behind a group of three: the letters that they alone decide.
fn base64(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let begin = (3 - before) % 3;
    bytes[begin.min(bytes.len())..]
        .chunks_exact(3)
        .flat_map(|group| {
            let bits = group
                .iter()
                .fold(0usize, |bits, byte| bits << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| alphabet[bits >> shift & 63])
        })
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    host_runner::domain::sha256_hex(bytes)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// The part of a simulated tenant's key that is its own, behind the words that say that it is no real one.
#[must_use]
pub fn mark(key: &str) -> &str {
    key.rsplit('-').next().unwrap_or(key)
}

/// Every form of a key, as a text that holds them all: what the search must find, one by one.
#[must_use]
pub fn every_form(key: &str) -> Vec<(String, Vec<u8>)> {
    forms(key.as_bytes())
}

/// Where what was found stands, for a message.
#[must_use]
pub fn places(found: &[(String, String)]) -> String {
    found.iter().fold(String::new(), |mut text, (place, what)| {
        let _ = write!(text, "\n  {place}: {what}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210";

    #[test]
    fn every_form_is_found_in_the_middle_of_anything_and_also_a_part_of_it() {
        let traces = Traces::of(KEY, []);
        for (name, form) in every_form(KEY) {
            let half = &form[form.len() / 4..form.len() / 4 * 3];
            for part in [&form[..], half] {
                let around = [b"something before ", part, b" and after"].concat();
                assert!(traces.find(&around).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn base64_is_found_wherever_the_key_stands_in_what_is_encoded() {
        let traces = Traces::of(KEY, []);
        for before in ["", "a", "ab", "abc", "user:", "simulated-key-"] {
            let whole = format!("{before}{KEY}and more");
            let padded = base64(whole.as_bytes(), 0, STANDARD);
            assert!(traces.find(&padded).is_some(), "{before}");
        }
    }

    #[test]
    fn a_signature_is_found_as_text_and_as_bytes_and_nothing_is_found_where_nothing_is() {
        let signature = sha256(b"nonce and time");
        let traces = Traces::of(KEY, [signature.clone()]);
        assert!(traces.find(signature.as_bytes()).is_some());
        assert!(traces.find(&unhex(&signature).unwrap()).is_some());
        let other = sha256(b"something else");
        assert_eq!(traces.find(other.as_bytes()), None);
        assert_eq!(traces.find(&vec![b'a'; 100_000]), None);
    }
}
