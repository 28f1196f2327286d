//! One of the two accounts of a recording, read an event at a time.

use crate::recording::error::RecordingError;
use crate::recording::event::Lane;
use crate::recording::file::{Numbered, Reader};

/// An account, and the event that comes next in it.
pub(super) struct Account {
    /// None where the account went on elsewhere.
    reader: Option<Reader>,
    lane: Lane,
    next: Option<Numbered>,
    ended: bool,
}

impl Account {
    /// The account of a file that was just opened.
    pub(super) fn new(reader: Reader, lane: Lane) -> Self {
        Self {
            reader: Some(reader),
            lane,
            next: None,
            ended: false,
        }
    }

    /// What comes next, without taking it; none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<&Numbered>, RecordingError> {
        if self.next.is_none() && !self.ended {
            self.next = match &mut self.reader {
                Some(reader) => reader.next_of(self.lane)?,
                None => None,
            };
            self.ended = self.next.is_none();
        }
        Ok(self.next.as_ref())
    }

    /// Takes what comes next.
    pub(super) fn take(&mut self) -> Result<Option<Numbered>, RecordingError> {
        self.peek()?;
        Ok(self.next.take())
    }

    /// Takes the account away: what is left is at its end.
    pub(super) fn moved(&mut self) -> Self {
        Self {
            reader: self.reader.take(),
            lane: self.lane,
            next: self.next.take(),
            ended: std::mem::replace(&mut self.ended, true),
        }
    }

    /// Gives back what was taken last.
    pub(super) fn put_back(&mut self, numbered: Numbered) {
        self.next = Some(numbered);
    }

    /// Whether the file stops short.
    pub(super) fn is_cut(&self) -> bool {
        self.reader.as_ref().is_some_and(Reader::is_cut)
    }
}
