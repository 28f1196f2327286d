//! The texts of a recording: what tells names in them, and what they are with others.

use super::cast::{Cast, Mask};
use super::error::AnonymiseError;
use super::packing::{Packing, unpacked};
use super::tokens::{Spot, rewrite};
use crate::component::Manifest;
use crate::personal::{Marks, Personal};
use crate::recording::event::{Event, Header};
use crate::recording::file::Reader;
use serde_json::Value;
use std::collections::HashMap;

/// The largest answer that is put together, in bytes.
const LARGEST: usize = 256 << 20;
/// How deep JSON in texts in JSON is looked into.
const DEEPEST: u8 = 4;

/// Properties of a recording's own lines, whose values are words of the format.
const WORDS: [&str; 15] = [
    "event",
    "stream",
    "mode",
    "state",
    "level",
    "sha256",
    "fingerprint",
    "kind",
    "reason",
    "letters",
    "verdict",
    "wouldBe",
    "checkpoint-digest",
    "origin",
    "method",
];

/// Which properties tell who or where somebody is, by name: whatever answer they stand in.
#[derive(Debug, Clone)]
pub struct Marked {
    names: HashMap<String, Personal>,
    words: bool,
}

impl Marked {
    /// Those of a connector's schemas.
    pub fn of(manifest: &Manifest) -> Self {
        let mut names = HashMap::new();
        for stream in &manifest.data_streams {
            for (name, what) in Marks::of(&stream.schema).by_name() {
                names.entry(name.to_ascii_lowercase()).or_insert(what);
            }
        }
        Self {
            names,
            words: false,
        }
    }

    /// In a configuration what is called an id is one as well.
    pub fn of_config(&self) -> Self {
        let mut marked = self.clone();
        marked.names.insert("apikeyid".to_owned(), Personal::Id);
        marked
    }

    /// In the lines of a recording the keys of records are ids, and some words are the format's.
    pub fn of_events(&self) -> Self {
        let mut marked = self.clone();
        for name in ["key", "after"] {
            marked.names.insert(name.to_owned(), Personal::Id);
        }
        marked.words = true;
        marked
    }

    fn what(&self, name: Option<&str>) -> Option<Personal> {
        self.names.get(&name?.to_ascii_lowercase()).copied()
    }

    fn is_word(&self, name: Option<&str>) -> bool {
        self.words && name.is_some_and(|name| WORDS.contains(&name))
    }
}

/// Shows each text of a recording once, with the line that it ends in: lines as they are, answers put together, the configuration.
///
/// # Errors
/// Where a line can't be read, or an answer is too large.
pub fn visit(
    header: Header,
    mut reader: Reader,
    show: &mut dyn FnMut(u64, Shown<'_>),
) -> Result<(), AnonymiseError> {
    show(1, Shown::Config(&header.connection.config.to_string()));
    for (_, scope) in &header.connection.scope {
        show(1, Shown::Body(scope));
    }
    let mut bodies = Bodies::default();
    while let Some(numbered) = reader.next()? {
        let ended = bodies.add(&numbered.event)?;
        if let Some(body) = ended {
            show(numbered.line, Shown::Body(&body.text));
        }
        if !matches!(numbered.event, Event::Chunk { .. }) {
            let line = serde_json::to_string(&numbered.event).unwrap_or_default();
            show(numbered.line, Shown::Line(&line));
        }
    }
    for body in bodies.rest() {
        show(0, Shown::Body(&body?.1.text));
    }
    Ok(())
}

/// A text of a recording.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// The configuration.
    Config(&'a str),
    /// A line.
    Line(&'a str),
    /// The body of an answer.
    Body(&'a str),
}

/// Answers, put together from their pieces.
#[derive(Debug, Default)]
pub struct Bodies {
    open: HashMap<u64, Vec<u8>>,
}

/// An answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// What it says.
    pub text: String,
    /// How it was packed.
    pub packing: Packing,
}

impl Body {
    fn of(bytes: Vec<u8>) -> Result<Self, AnonymiseError> {
        let (bytes, packing) = unpacked(bytes, LARGEST)?;
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Self { text, packing })
    }
}

impl Bodies {
    /// Adds an event; the body that ends with it.
    pub fn add(&mut self, event: &Event) -> Result<Option<Body>, AnonymiseError> {
        match event {
            Event::Chunk { id, body } if !body.0.is_empty() => {
                let open = self.open.entry(*id).or_default();
                if open.len() + body.0.len() > LARGEST {
                    return Err(AnonymiseError::TooLarge(LARGEST >> 20));
                }
                open.extend_from_slice(&body.0);
                Ok(None)
            }
            Event::Chunk { id, .. } | Event::Failure { id, .. } => {
                self.open.remove(id).map(Body::of).transpose()
            }
            _ => Ok(None),
        }
    }

    /// Bodies whose end was not read, with their numbers.
    pub fn rest(self) -> impl Iterator<Item = Result<(u64, Body), AnonymiseError>> {
        let open = self.open.into_iter();
        open.map(|(id, body)| Ok((id, Body::of(body)?)))
    }
}

/// Collects what a text tells.
pub fn collect(shown: Shown<'_>, marked: &Marked, cast: &mut Cast) {
    match shown {
        Shown::Config(text) => collect_from(text, &marked.of_config(), cast, 0),
        Shown::Line(text) => collect_from(text, &marked.of_events(), cast, 0),
        Shown::Body(text) => collect_from(text, marked, cast, 0),
    }
}

fn collect_from(text: &str, marked: &Marked, cast: &mut Cast, depth: u8) {
    rewrite(text, &mut |spot, value| {
        match (marked.what(spot.name()), spot) {
            _ if marked.is_word(spot.name()) => {}
            (Some(what), Spot::Text(_)) => cast.add(what, value),
            (Some(Personal::Id), Spot::Number(_)) => cast.add(Personal::Id, value),
            (None, Spot::Text(_)) if is_json(value, depth) => {
                collect_from(value, &unworded(marked), cast, depth + 1);
            }
            (None, Spot::Text(_) | Spot::Outside) => cast.add_text(value),
            (_, Spot::Number(_) | Spot::Outside) => {}
        }
        None
    });
}

/// A text with other names.
pub fn masked(text: &str, marked: &Marked, mask: &Mask) -> String {
    masked_at(text, marked, mask, 0)
}

fn masked_at(text: &str, marked: &Marked, mask: &Mask, depth: u8) -> String {
    rewrite(text, &mut |spot, value| {
        match (marked.what(spot.name()), spot) {
            _ if marked.is_word(spot.name()) => None,
            (Some(what), Spot::Text(_)) => Some(mask.value(what, value)),
            (Some(Personal::Id), Spot::Number(_)) => Some(mask.value(Personal::Id, value)),
            (None, Spot::Text(_)) if is_json(value, depth) => {
                Some(masked_at(value, &unworded(marked), mask, depth + 1))
            }
            (None, Spot::Text(_) | Spot::Outside) => Some(mask.text(value)),
            (_, Spot::Number(_) | Spot::Outside) => None,
        }
        .filter(|other| other != value)
    })
}

/// How many old values stand in a text.
pub fn left(shown: Shown<'_>, mask: &Mask) -> usize {
    let (text, words) = match shown {
        Shown::Config(text) | Shown::Body(text) => (text, false),
        Shown::Line(text) => (text, true),
    };
    let marked = Marked {
        names: HashMap::new(),
        words,
    };
    let mut left = 0;
    rewrite(text, &mut |spot, value| {
        if !matches!(spot, Spot::Number(_)) && !marked.is_word(spot.name()) {
            left += mask.left_in(value);
        }
        None
    });
    left
}

/// Within a text in a line the words are not the format's any more.
fn unworded(marked: &Marked) -> Marked {
    Marked {
        names: marked.names.clone(),
        words: false,
    }
}

fn is_json(text: &str, depth: u8) -> bool {
    depth < DEEPEST && text.trim_start().starts_with(['{', '['])
}

/// The addresses that a configuration names.
pub fn origins(config: &Value) -> Vec<String> {
    match config {
        Value::String(text) if text.contains("://") => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(origins).collect(),
        Value::Object(values) => values.values().flat_map(origins).collect(),
        _ => Vec::new(),
    }
}
