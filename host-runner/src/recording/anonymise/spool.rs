//! Answers with other names, kept on disk in the pieces in which they are told.

use super::cast::Mask;
use super::error::AnonymiseError;
use super::packing::packed;
use super::texts::{Bodies, Body, Marked, masked};
use crate::recording::error::RecordingError;
use crate::recording::event::Event;
use crate::recording::file::Reader;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The pieces of all answers, in a file without a name.
pub struct Spool {
    path: PathBuf,
    file: File,
    end: u64,
    /// Where the next pieces of an answer stand, and how long they are.
    pieces: HashMap<u64, VecDeque<(u64, usize)>>,
}

impl Spool {
    /// Takes all answers of a recording.
    pub fn fill(from: &Path, marked: &Marked, mask: &Mask) -> Result<Self, AnonymiseError> {
        let file = tempfile::tempfile().map_err(|error| RecordingError::io(from, &error))?;
        let mut spool = Self {
            path: from.to_owned(),
            file,
            end: 0,
            pieces: HashMap::new(),
        };
        let (_, mut reader) = Reader::open(from)?;
        let mut bodies = Bodies::default();
        let mut counts: HashMap<u64, usize> = HashMap::new();
        while let Some(numbered) = reader.next()? {
            let ended = bodies.add(&numbered.event)?;
            let (Event::Chunk { id, .. } | Event::Failure { id, .. }) = numbered.event else {
                continue;
            };
            match ended {
                Some(body) => {
                    let count = counts.remove(&id).unwrap_or_default();
                    spool.keep(id, &renamed(&body, marked, mask)?, count)?;
                }
                None => *counts.entry(id).or_default() += 1,
            }
        }
        for rest in bodies.rest() {
            let (id, body) = rest?;
            let count = counts.remove(&id).unwrap_or_default();
            spool.keep(id, &renamed(&body, marked, mask)?, count)?;
        }
        Ok(spool)
    }

    fn failed(&self, error: &io::Error) -> AnonymiseError {
        RecordingError::io(&self.path, error).into()
    }

    /// Keeps a body in so many pieces, about equally long.
    fn keep(&mut self, id: u64, body: &[u8], count: usize) -> Result<(), AnonymiseError> {
        self.file
            .seek(SeekFrom::End(0))
            .and_then(|_| self.file.write_all(body))
            .map_err(|error| self.failed(&error))?;
        let mut from = 0;
        for piece in 1..=count {
            let left = count - piece;
            let even = body.len() * piece / count;
            // Each piece has something, and within a character nothing is cut: text stays readable.
            let mut to = even.max(from + 1).min(body.len().saturating_sub(left));
            while left > 0
                && to + left < body.len()
                && body.get(to).is_some_and(|byte| byte & 0xc0 == 0x80)
            {
                to += 1;
            }
            if to <= from {
                return Err(AnonymiseError::Unfit("a short answer in many pieces"));
            }
            let pieces = self.pieces.entry(id).or_default();
            pieces.push_back((self.end + from as u64, to - from));
            from = to;
        }
        self.end += body.len() as u64;
        Ok(())
    }

    /// The next piece of an answer.
    pub fn next(&mut self, id: u64) -> Result<Vec<u8>, AnonymiseError> {
        let piece = self.pieces.get_mut(&id).and_then(VecDeque::pop_front);
        let (at, length) = piece.ok_or(AnonymiseError::Unfit("an answer"))?;
        let mut bytes = vec![0; length];
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|error| self.failed(&error))?;
        Ok(bytes)
    }
}

/// A body with other names, packed as it was.
fn renamed(body: &Body, marked: &Marked, mask: &Mask) -> Result<Vec<u8>, AnonymiseError> {
    packed(masked(&body.text, marked, mask).into_bytes(), &body.packing)
}
