//! Why a text is no query: the place, what is wrong there, what would be right.

use std::ops::Range;

/// How many characters of a query are shown beside the place.
const SHOWN: usize = 90;

/// What is wrong, before the whole text is at hand. Places are counted in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) place: Range<usize>,
    pub(super) message: String,
    pub(super) hint: String,
    pub(super) fields: Vec<&'static str>,
}

impl Wrong {
    pub(super) fn new(place: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            hint: String::new(),
            fields: Vec::new(),
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn fields(mut self, fields: Vec<&'static str>) -> Self {
        self.fields = fields;
        self
    }

    pub(super) fn of(self, query: &str) -> QueryError {
        QueryError {
            query: query.to_owned(),
            place: self.place,
            message: self.message,
            hint: self.hint,
            fields: self.fields,
        }
    }
}

/// A text that is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the query is wrong at character {}: {message}", place.start.saturating_add(1))]
pub struct QueryError {
    /// The text.
    pub query: String,
    /// Which of its characters are wrong, counted from 0; empty where something is missing.
    pub place: Range<usize>,
    /// What is wrong with them.
    pub message: String,
    /// What would be right; may be empty.
    pub hint: String,
    /// The fields that exist, where one was named that does not.
    pub fields: Vec<&'static str>,
}

impl QueryError {
    /// The query on one line, and below it a mark under the place. Of a long query only what is near.
    pub fn picture(&self) -> String {
        // One character for each, so that the mark stands where it should.
        let line: Vec<char> = self
            .query
            .chars()
            .map(|c| {
                if c.is_whitespace() {
                    ' '
                } else if c.is_control() {
                    '\u{fffd}'
                } else {
                    c
                }
            })
            .collect();
        let start = self.place.start.min(line.len());
        let end = self.place.end.clamp(start, line.len());
        let first = if line.len() <= SHOWN {
            0
        } else {
            start.saturating_sub(SHOWN / 2)
        };
        let last = first.saturating_add(SHOWN).min(line.len());
        let before = if first > 0 { "..." } else { "" };
        let after = if last < line.len() { "..." } else { "" };
        let shown: String = line
            .iter()
            .skip(first)
            .take(last.saturating_sub(first))
            .collect();
        let indent = before.len() + start.saturating_sub(first);
        let mark = end.min(last).saturating_sub(start).max(1);
        format!(
            "{before}{shown}{after}\n{}{}",
            " ".repeat(indent),
            "^".repeat(mark)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_the_place_also_in_a_long_query() {
        let wrong = Wrong::new(2..4, "odd").of("a\tbc\u{1b} d");
        assert_eq!(wrong.picture(), "a bc\u{fffd} d\n  ^^");
        assert_eq!(Wrong::new(3..3, "more").of("abc").picture(), "abc\n   ^");
        let long = format!("{}WRONG{}", "x".repeat(500), "y".repeat(500));
        let picture = Wrong::new(500..505, "odd").of(&long).picture();
        let (line, mark) = picture.split_once('\n').unwrap();
        assert_eq!(line.find("WRONG"), mark.find("^^^^^"));
        assert!(line.starts_with("...x") && line.ends_with("y..."));
        assert_eq!(
            Wrong::new(900..2_000, "odd").of("abc").picture(),
            "abc\n   ^"
        );
    }
}
