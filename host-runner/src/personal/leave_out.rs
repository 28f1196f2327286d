//! Leaves users out of a record: values that the schema marks go, and the names in them are replaced where they stand in the record's other
//! texts.
//!
//! What is marked as a host's name, an address or an id stays as it is, also where a user's name is a part of it: assets are identified by these.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::names::Names;
use super::nodes::{Node, Text};
use super::{Marks, Personal, Place};

/// A record that can't be taken apart: it is not JSON, nests deeper than 128 levels, or holds a text that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record can't be read as JSON, so nobody's name can be left out of it")]
pub struct Unfit;

/// Leaves users out of the records of one data stream.
#[derive(Debug, Clone)]
pub struct LeaveOut {
    marks: Marks,
}

impl LeaveOut {
    /// By the marks of a data stream's schema.
    pub fn of(schema: &Value) -> Self {
        Self {
            marks: Marks::of(schema),
        }
    }

    /// Whether the schema marks any value as a user's.
    pub fn leaves_anything_out(&self) -> bool {
        self.marks.any(Personal::User)
    }

    /// A record without its users.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn record(&self, body: &[u8]) -> Result<Vec<u8>, Unfit> {
        let record = Node::read(body)?;
        let mut names = Names::default();
        collect(&record, &self.marks.root(), &mut names)?;
        self.write_record(&record, &names, body.len())
    }

    /// A record without its users, and without these, who were found elsewhere.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn record_without(&self, body: &[u8], names: &Names) -> Result<Vec<u8>, Unfit> {
        self.write_record(&Node::read(body)?, names, body.len())
    }

    /// Adds a record's users.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn add_names(&self, body: &[u8], names: &mut Names) -> Result<(), Unfit> {
        collect(&Node::read(body)?, &self.marks.root(), names)
    }

    fn write_record(
        &self,
        record: &Node<'_>,
        names: &Names,
        size: usize,
    ) -> Result<Vec<u8>, Unfit> {
        let mut writer = Writer {
            names,
            spared: &HashSet::new(),
            keys: true,
            out: String::with_capacity(size),
        };
        let root = self.marks.root();
        if is_user(&root) {
            return Ok(b"null".to_vec());
        }
        writer.node(record, Some(&root))?;
        Ok(writer.out.into_bytes())
    }
}

/// A document without these names; none where it has none of them. Its keys are the target model's and stay, and so does a text that is one of
/// `spared` as a whole: what the document is identified by.
///
/// # Errors
/// Where it can't be read.
pub fn hide_in_document(
    body: &str,
    names: &Names,
    spared: &HashSet<String>,
) -> Result<Option<String>, Unfit> {
    let mut writer = Writer {
        names,
        spared,
        keys: false,
        out: String::with_capacity(body.len()),
    };
    writer.node(&Node::read(body.as_bytes())?, None)?;
    Ok((writer.out != body).then_some(writer.out))
}

/// Adds the texts of values that are marked as users'.
fn collect(node: &Node<'_>, place: &Place<'_>, names: &mut Names) -> Result<(), Unfit> {
    if place.what() == Some(Personal::User) {
        return texts(node, names);
    }
    match node {
        Node::Array(elements) => {
            let place = place.item();
            elements
                .iter()
                .try_for_each(|element| collect(element, &place, names))
        }
        Node::Object(members) => {
            let place = place.alone();
            if is_user(&place) {
                return texts(node, names);
            }
            for (key, value) in members {
                collect(value, &place.property(&key.says()?), names)?;
            }
            Ok(())
        }
        Node::Text(_) if is_user(&place.alone()) => texts(node, names),
        Node::Text(_) | Node::Other(_) => Ok(()),
    }
}

fn texts(node: &Node<'_>, names: &mut Names) -> Result<(), Unfit> {
    match node {
        Node::Text(text) => names.add(&text.says()?),
        Node::Other(_) => {}
        Node::Array(elements) => elements
            .iter()
            .try_for_each(|element| texts(element, names))?,
        Node::Object(members) => members
            .iter()
            .try_for_each(|(_, value)| texts(value, names))?,
    }
    Ok(())
}

struct Writer<'a> {
    names: &'a Names,
    /// Texts that stay.
    spared: &'a HashSet<String>,
    /// Whether keys that the schema does not name may be names of people.
    keys: bool,
    out: String,
}

impl Writer<'_> {
    /// Writes a value that is no user's, at its place; none where no schema is at hand.
    fn node(&mut self, node: &Node<'_>, place: Option<&Place<'_>>) -> Result<(), Unfit> {
        if place.is_some_and(|place| place.what().is_some()) {
            self.copy(node);
            return Ok(());
        }
        match node {
            Node::Array(elements) => {
                let place = place.map(Place::item);
                self.out.push('[');
                let mut first = true;
                for element in elements {
                    if place.as_ref().is_some_and(is_user) {
                        continue;
                    }
                    self.separate(&mut first);
                    self.node(element, place.as_ref())?;
                }
                self.out.push(']');
                Ok(())
            }
            Node::Object(_) | Node::Text(_)
                if place.is_some_and(|place| is_user(&place.alone())) =>
            {
                // One alone where the schema has a list of them.
                self.out.push_str("null");
                Ok(())
            }
            Node::Object(members) => self.object(members, place.map(Place::alone).as_ref()),
            Node::Text(text) => self.text(*text),
            Node::Other(word) => {
                self.out.push_str(word);
                Ok(())
            }
        }
    }

    fn object(
        &mut self,
        members: &[(Text<'_>, Node<'_>)],
        place: Option<&Place<'_>>,
    ) -> Result<(), Unfit> {
        self.out.push('{');
        let mut first = true;
        let mut keys = None;
        for (key, value) in members {
            let name = key.says()?;
            let below = place.map(|place| place.property(&name));
            if below.as_ref().is_some_and(is_user) {
                continue;
            }
            self.separate(&mut first);
            let known = !self.keys || place.is_some_and(|place| place.names(&name));
            match self.names.hide(&name).filter(|_| !known) {
                Some(hidden) => {
                    let keys = match &mut keys {
                        Some(keys) => keys,
                        none => none.insert(Keys::of(members)?),
                    };
                    let hidden = keys.unlike(hidden);
                    self.quote(&hidden);
                }
                None => self.out.push_str(key.0),
            }
            self.out.push(':');
            self.node(value, below.as_ref())?;
        }
        self.out.push('}');
        Ok(())
    }

    fn text(&mut self, text: Text<'_>) -> Result<(), Unfit> {
        let says = text.says()?;
        match self.names.hide(&says) {
            Some(hidden) if !self.spared.contains(says.as_ref()) => self.quote(&hidden),
            _ => self.out.push_str(text.0),
        }
        Ok(())
    }

    fn quote(&mut self, text: &str) {
        self.out.push_str(&Value::from(text).to_string());
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.push(',');
        }
    }

    /// As it stands.
    fn copy(&mut self, node: &Node<'_>) {
        match node {
            Node::Object(members) => {
                self.out.push('{');
                let mut first = true;
                for (key, value) in members {
                    self.separate(&mut first);
                    self.out.push_str(key.0);
                    self.out.push(':');
                    self.copy(value);
                }
                self.out.push('}');
            }
            Node::Array(elements) => {
                self.out.push('[');
                let mut first = true;
                for element in elements {
                    self.separate(&mut first);
                    self.copy(element);
                }
                self.out.push(']');
            }
            Node::Text(Text(word)) | Node::Other(word) => self.out.push_str(word),
        }
    }
}

fn is_user(place: &Place<'_>) -> bool {
    place.what() == Some(Personal::User)
}

/// The keys of an object, those that were hidden among them.
struct Keys {
    taken: HashSet<String>,
    number: u64,
}

impl Keys {
    fn of(members: &[(Text<'_>, Node<'_>)]) -> Result<Self, Unfit> {
        let taken = members
            .iter()
            .map(|(key, _)| key.says().map(Cow::into_owned))
            .collect::<Result<_, _>>()?;
        Ok(Self { taken, number: 1 })
    }

    /// The key, or one like it that no other member has: two people must not become one.
    fn unlike(&mut self, key: String) -> String {
        let mut unlike = key.clone();
        while !self.taken.insert(unlike.clone()) {
            self.number += 1;
            unlike = format!("{key} {}", self.number);
        }
        unlike
    }
}

#[cfg(test)]
#[path = "leave_out_tests.rs"]
mod tests;
