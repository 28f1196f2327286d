//! Reads objects of a map key by key, and remembers every problem with its place instead of stopping at the first.

use super::path::{Path, push_pointer};
use super::schema::nearest;
use crate::contract::Problem;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// An object of the map. Keys that nobody asked for are problems: [`Fields::end`] tells them.
pub(super) struct Fields<'j, 'p> {
    keys: &'j Map<String, Json>,
    pointer: String,
    asked: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

/// A JSON value's type, for a message.
fn describe(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

impl<'j, 'p> Fields<'j, 'p> {
    /// Begins to read an object; none, and a problem, where it is none.
    pub(super) fn new(
        value: &'j Json,
        pointer: String,
        problems: &'p mut Vec<Problem>,
    ) -> Option<Fields<'j, 'p>> {
        match value {
            Json::Object(keys) => Some(Fields {
                keys,
                pointer,
                asked: Vec::new(),
                problems,
            }),
            other => {
                problems.push(Problem {
                    pointer,
                    message: format!("{} where an object is expected", describe(other)),
                });
                None
            }
        }
    }

    /// The pointer to a key.
    pub(super) fn at(&self, key: &str) -> String {
        let mut pointer = self.pointer.clone();
        push_pointer(&mut pointer, key);
        pointer
    }

    /// The pointer to the object itself.
    pub(super) fn here(&self) -> &str {
        &self.pointer
    }

    /// Where to put problems.
    pub(super) fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// A problem with the value of a key.
    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let pointer = self.at(key);
        self.problems.push(Problem {
            pointer,
            message: message.into(),
        });
    }

    /// Whatever stands there.
    pub(super) fn any(&mut self, key: &'static str) -> Option<&'j Json> {
        self.asked.push(key);
        self.keys.get(key)
    }

    /// Text.
    pub(super) fn text(&mut self, key: &'static str) -> Option<&'j str> {
        match self.any(key)? {
            Json::String(text) => Some(text),
            other => {
                self.problem(key, format!("{} where text is expected", describe(other)));
                None
            }
        }
    }

    /// Text that must be there; "" and a problem where it is not.
    pub(super) fn required_text(&mut self, key: &'static str) -> String {
        match self.any(key) {
            Some(Json::String(text)) if !text.is_empty() => text.clone(),
            Some(_) => {
                self.problem(key, "text is expected, at least one character");
                String::new()
            }
            None => {
                self.missing(key);
                String::new()
            }
        }
    }

    /// An object's entries that must be there.
    pub(super) fn required_object(&mut self, key: &'static str) -> Vec<(&'j String, &'j Json)> {
        match self.any(key) {
            Some(Json::Object(entries)) => entries.iter().collect(),
            Some(other) => {
                self.problem(
                    key,
                    format!("{} where an object is expected", describe(other)),
                );
                Vec::new()
            }
            None => {
                self.missing(key);
                Vec::new()
            }
        }
    }

    /// True or false.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.any(key)? {
            Json::Bool(value) => Some(*value),
            other => {
                self.problem(
                    key,
                    format!("{} where true or false is expected", describe(other)),
                );
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice(
        &mut self,
        key: &'static str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(key)?;
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let hint = nearest(text, words.iter().copied())
                .map(|word| format!("; did you mean `{word}`?"))
                .unwrap_or_default();
            self.problem(
                key,
                format!("`{text}` is none of {}{hint}", words.join(", ")),
            );
        }
        found
    }

    /// One text, or a list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<&'j str>> {
        match self.any(key)? {
            Json::String(text) => Some(vec![text]),
            Json::Array(items) if !items.is_empty() && items.iter().all(Json::is_string) => {
                Some(items.iter().filter_map(Json::as_str).collect())
            }
            _ => {
                self.problem(key, "text or a list of texts is expected");
                None
            }
        }
    }

    /// A path.
    pub(super) fn path(&mut self, key: &'static str) -> Option<Path> {
        let text = self.text(key)?;
        Path::parse(text)
            .map_err(|message| self.problem(key, message))
            .ok()
    }

    /// A problem: the key must be there.
    pub(super) fn missing(&mut self, key: &str) {
        self.problems.push(Problem {
            pointer: self.pointer.clone(),
            message: format!("`{key}` is missing"),
        });
    }

    /// Tells the keys that nobody asked for.
    pub(super) fn end(self) {
        for key in self.keys.keys() {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let mut known = BTreeSet::new();
            known.extend(self.asked.iter().copied());
            let known: Vec<&str> = known.into_iter().collect();
            let hint = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "nothing is expected here".into(),
                None => format!("known are {}", known.join(", ")),
            };
            let mut pointer = self.pointer.clone();
            push_pointer(&mut pointer, key);
            self.problems.push(Problem {
                pointer,
                message: format!("`{key}` is not known here: {hint}"),
            });
        }
    }
}
