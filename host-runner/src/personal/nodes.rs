//! A JSON text taken apart without changing a letter of it: numbers keep their digits, objects their order and their repeated keys.

use std::borrow::Cow;

use super::Unfit;

/// How deep values may stand: what `serde_json` reads, too.
const DEEPEST: u32 = 128;

/// A value, as a part of the text that it was read from.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// Keys and values in order.
    Object(Vec<(Text<'a>, Node<'a>)>),
    /// Elements in order.
    Array(Vec<Node<'a>>),
    /// A text.
    Text(Text<'a>),
    /// A number, true, false or null.
    Other(&'a str),
}

/// A text with its quotation marks, as it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl<'a> Text<'a> {
    /// What it says.
    pub(super) fn says(self) -> Result<Cow<'a, str>, Unfit> {
        let inner = self
            .0
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .ok_or(Unfit)?;
        if inner.contains('\\') {
            serde_json::from_str(self.0)
                .map(Cow::Owned)
                .map_err(|_| Unfit)
        } else {
            Ok(Cow::Borrowed(inner))
        }
    }
}

impl<'a> Node<'a> {
    /// Takes a text apart.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Unfit> {
        // What follows trusts the text to be JSON.
        serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_err(|_| Unfit)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Unfit)?;
        Scanner { text, at: 0 }.node(DEEPEST)
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn node(&mut self, depth: u32) -> Result<Node<'a>, Unfit> {
        let below = depth.checked_sub(1).ok_or(Unfit)?;
        match self.next()? {
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                while self.next()? != b'}' {
                    let key = self.string()?;
                    self.pass(b':')?;
                    members.push((key, self.node(below)?));
                    if self.next()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Ok(Node::Object(members))
            }
            b'[' => {
                self.at += 1;
                let mut elements = Vec::new();
                while self.next()? != b']' {
                    elements.push(self.node(below)?);
                    if self.next()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Ok(Node::Array(elements))
            }
            b'"' => Ok(Node::Text(self.string()?)),
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
                }) {
                    self.at += 1;
                }
                match self.text.get(start..self.at) {
                    None | Some("") => Err(Unfit),
                    Some(word) => Ok(Node::Other(word)),
                }
            }
        }
    }

    fn string(&mut self) -> Result<Text<'a>, Unfit> {
        self.pass(b'"')?;
        let start = self.at - 1;
        loop {
            match self.peek().ok_or(Unfit)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at).map(Text).ok_or(Unfit)
    }

    /// Goes beyond this byte.
    fn pass(&mut self, byte: u8) -> Result<(), Unfit> {
        if self.next()? != byte {
            return Err(Unfit);
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Result<u8, Unfit> {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.peek().ok_or(Unfit)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
