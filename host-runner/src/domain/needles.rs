//! Finds many known values in a text at once.

use secrecy::zeroize::Zeroizing;
use std::collections::HashMap;
use std::ops::Range;

/// How many bytes of a value are looked up first: shorter values can't be found.
pub const SHORTEST: usize = 4;

/// How values are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// As they stand, anywhere.
    Exact,
    /// Whole words, in whatever case.
    Words,
}

/// Wiped when it goes: it may be a secret.
type Value = Zeroizing<Vec<u8>>;

/// Values to find.
#[derive(Debug, Clone)]
pub struct Needles {
    how: Match,
    /// By their first bytes, the longest first: the value, and its number.
    by_prefix: HashMap<[u8; SHORTEST], Vec<(Value, usize)>>,
    count: usize,
}

impl Needles {
    /// None yet.
    #[must_use]
    pub fn new(how: Match) -> Self {
        Self {
            how,
            by_prefix: HashMap::new(),
            count: 0,
        }
    }

    /// Adds a value; its number. One that is too short to be found still has a number.
    pub fn add(&mut self, value: &[u8]) -> usize {
        let number = self.count;
        self.count += 1;
        let value = self.folded(value);
        if let Some(prefix) = value.first_chunk::<SHORTEST>() {
            let bucket = self.by_prefix.entry(*prefix).or_default();
            if !bucket.iter().any(|(known, _)| *known == value) {
                bucket.push((value, number));
                bucket.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
            }
        }
        number
    }

    fn folded(&self, value: &[u8]) -> Value {
        Zeroizing::new(match self.how {
            Match::Exact => value.to_vec(),
            Match::Words => value.to_ascii_lowercase(),
        })
    }

    /// Where values stand in a text, without overlaps: the first that begins, the longest of those.
    pub fn find(&self, text: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut found = Vec::new();
        if self.by_prefix.is_empty() {
            return found;
        }
        let folded;
        let text = match self.how {
            Match::Exact => text,
            Match::Words => {
                folded = text.to_ascii_lowercase();
                &folded
            }
        };
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            let Some(prefix) = rest.first_chunk::<SHORTEST>() else {
                break;
            };
            let begins = self.how == Match::Exact || !joined(text, at);
            let hit = begins
                .then(|| self.by_prefix.get(prefix))
                .flatten()
                .and_then(|bucket| {
                    bucket.iter().find(|(value, _)| {
                        rest.starts_with(value.as_slice())
                            && (self.how == Match::Exact || !joined(text, at + value.len()))
                    })
                });
            match hit {
                Some((value, number)) => {
                    found.push((at..at + value.len(), *number));
                    at += value.len();
                }
                None => at += 1,
            }
        }
        found
    }

    /// How many bytes at the end of a text may be the beginning of a value.
    pub fn begun(&self, text: &[u8]) -> usize {
        let values = self.by_prefix.values().flatten();
        values
            .filter_map(|(value, _)| {
                let most = value.len().saturating_sub(1).min(text.len());
                (1..=most)
                    .rev()
                    .find(|length| text.ends_with(value.get(..*length).unwrap_or_default()))
            })
            .max()
            .unwrap_or_default()
    }
}

/// Whether the bytes on both sides of a place are of one word.
fn joined(text: &[u8], at: usize) -> bool {
    let word = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
    };
    at > 0 && word(text.get(at - 1)) && word(text.get(at))
}

/// A text with what was found replaced.
pub fn replaced(
    text: &[u8],
    found: &[(Range<usize>, usize)],
    with: impl Fn(usize) -> Vec<u8>,
) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut at = 0;
    for (range, number) in found {
        made.extend_from_slice(text.get(at..range.start).unwrap_or_default());
        made.extend(with(*number));
        at = range.end;
    }
    made.extend_from_slice(text.get(at..).unwrap_or_default());
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(how: Match, values: &[&str], text: &str) -> Vec<String> {
        let mut needles = Needles::new(how);
        for value in values {
            needles.add(value.as_bytes());
        }
        let found = needles.find(text.as_bytes());
        found
            .into_iter()
            .map(|(range, _)| text[range].to_owned())
            .collect()
    }

    #[test]
    fn the_longest_value_wins_and_words_are_whole() {
        assert_eq!(
            found(
                Match::Words,
                &["host-1", "host-1.corp"],
                "HOST-1.corp and xhost-1, host-12"
            ),
            ["HOST-1.corp"]
        );
        assert_eq!(found(Match::Exact, &["abcd"], "xxabcdx"), ["abcd"]);
    }

    #[test]
    fn the_beginning_of_a_value_at_the_end_of_a_text_is_seen() {
        let mut needles = Needles::new(Match::Exact);
        needles.add(b"secret-value");
        assert_eq!(needles.begun(b"...secr"), 4);
        assert_eq!(needles.begun(b"...secret-value"), 0);
        assert_eq!(needles.begun(b"nothing"), 0);
    }

    proptest! {
        #[test]
        fn what_is_replaced_is_found_no_more(text in "[abc ]{0,40}", values in proptest::collection::vec("[abc]{4,6}", 1..4)) {
            let mut needles = Needles::new(Match::Exact);
            for value in &values {
                needles.add(value.as_bytes());
            }
            let made = replaced(text.as_bytes(), &needles.find(text.as_bytes()), |_| b"#".to_vec());
            prop_assert!(needles.find(&made).is_empty());
        }
    }
}
