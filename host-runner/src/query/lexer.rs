//! Goes through a query character by character: names, signs, quoted texts, words.

use std::ops::Range;

use super::error::Wrong;
use super::syntax::{Quote, Value};

/// The words that join tests. They are no values unless they are quoted.
const JOINS: [&str; 3] = ["and", "or", "not"];

/// Told where a value is missing, which a shell may have taken away.
const NO_VALUE: &str = "write a value, and `and`, `or` or `not` as a value in quotes; if it stood in backticks, put the whole query in \
    single quotes, as within double quotes a shell runs what stands in backticks";

pub(super) struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    pub(super) fn new(text: &str) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
        }
    }

    /// Where it is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes back, or on, to a place where it was.
    pub(super) fn go(&mut self, to: usize) {
        self.at = to;
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&self, after: usize) -> Option<char> {
        self.chars.get(self.at.saturating_add(after)).copied()
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes a sign if it stands here.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let here = sign
            .chars()
            .enumerate()
            .all(|(after, c)| self.next(after) == Some(c));
        if here {
            self.at += sign.chars().count();
        }
        here
    }

    /// Takes a word if it stands here, in any case, as a word of its own.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let (found, place) = self.look_at_word();
        let here = found.eq_ignore_ascii_case(word);
        if here {
            self.at = place.end;
        }
        here
    }

    /// The name that stands here, without moving: letters, digits and what names are made of. May be empty.
    pub(super) fn look_at_word(&self) -> (String, Range<usize>) {
        let mut word = String::new();
        let mut after = 0;
        loop {
            match self.next(after) {
                Some('[') if !word.is_empty() && self.next(after + 1) == Some(']') => {
                    word.push_str("[]");
                    after += 2;
                }
                Some(c) if c.is_alphanumeric() || "._-/@#$+&".contains(c) => {
                    word.push(c);
                    after += 1;
                }
                _ => return (word, self.at..self.at.saturating_add(after)),
            }
        }
    }

    /// What stands here, for a message.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end of the query".to_owned(),
            Some(c) if is_bare(c) => {
                let (word, _) = self.look_at_word();
                let word = if word.is_empty() { c.to_string() } else { word };
                format!("`{word}`")
            }
            Some('`') => "a backtick".to_owned(),
            Some(c) => format!("`{c}`"),
        }
    }

    /// The place of what stands here.
    pub(super) fn place(&self) -> Range<usize> {
        let (word, place) = self.look_at_word();
        if word.is_empty() {
            self.at..self.at.saturating_add(1).min(self.chars.len())
        } else {
            place
        }
    }

    /// A value: quoted, or words up to `and`, `or`, `not`, `..` or a sign that ends it.
    pub(super) fn value(&mut self) -> Result<Value, Wrong> {
        self.skip_space();
        match self.peek() {
            Some('`') => self.quoted(&['`'], Quote::Backticks),
            Some('"') => self.quoted(&['"'], Quote::Marks),
            Some('\'') => self.quoted(&['\''], Quote::Marks),
            // As documents print them.
            Some('\u{201c}' | '\u{201d}') => self.quoted(&['\u{201d}', '\u{201c}'], Quote::Marks),
            _ => self.words(),
        }
    }

    /// A quote within is typed twice.
    fn quoted(&mut self, closing: &[char], quote: Quote) -> Result<Value, Wrong> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => {
                    return Err(Wrong::new(
                        start..start + 1,
                        "the quote that begins here does not end",
                    )
                    .hint("close it; a quote within the text is typed twice"));
                }
                Some('\0') => {
                    return Err(Wrong::new(self.at..self.at + 1, "a value has no zero byte"));
                }
                Some(c) if closing.contains(&c) => {
                    self.at += 1;
                    if self.peek() != Some(c) {
                        break;
                    }
                    text.push(c);
                    self.at += 1;
                }
                Some(c) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
        let place = start..self.at;
        if text.is_empty() {
            return Err(Wrong::new(place, "nothing stands between the quotes")
                .hint("`FIELD is null` finds what has no value"));
        }
        Ok(Value { quote, text, place })
    }

    fn words(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        let mut end = start;
        let mut words: Vec<String> = Vec::new();
        loop {
            self.skip_space();
            let (word, place) = self.bare();
            if word.is_empty() || JOINS.iter().any(|join| word.eq_ignore_ascii_case(join)) {
                break;
            }
            // A second condition without `and`, most likely: taken as text, it would quietly find nothing.
            if !words.is_empty() && (word.contains([':', '=', '<', '>']) || word.starts_with('\''))
            {
                return Err(Wrong::new(place, format!("`and` or `or` is missing before `{word}`"))
                    .hint("join two conditions with `and` or `or`; put a value with such signs in quotes"));
            }
            end = place.end;
            self.at = place.end;
            words.push(word);
        }
        self.at = end.max(start);
        if words.is_empty() {
            self.skip_space();
            let message = format!("a value is missing before {}", self.found());
            return Err(Wrong::new(self.place(), message).hint(NO_VALUE));
        }
        Ok(Value {
            quote: Quote::None,
            text: words.join(" "),
            place: start..end,
        })
    }

    /// The characters up to a space, `..` or a sign, without moving.
    fn bare(&self) -> (String, Range<usize>) {
        let mut word = String::new();
        let mut after = 0;
        while let Some(c) = self.next(after) {
            let range = c == '.' && self.next(after + 1) == Some('.');
            if !is_bare(c) || range {
                break;
            }
            word.push(c);
            after += 1;
        }
        (word, self.at..self.at.saturating_add(after))
    }
}

/// Whether a character may stand in a value without quotes.
fn is_bare(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !matches!(
            c,
            '(' | ')' | '[' | ']' | ',' | '`' | '"' | '\u{201c}' | '\u{201d}'
        )
}
