//! Recordings as files: newline-delimited JSON, compressed with zstd where the name ends in `.zst`.
//!
//! Lines are written as the sync goes on and handed to the system at each step, so that a killed process leaves a recording up to its last step that says
//! that it is cut short: its last line is missing.

use super::error::RecordingError;
use super::event::{Event, FORMAT, Header, Lane, VERSION};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest line that is read or written, in bytes.
const LONGEST_LINE: usize = 64 << 20;
/// The most bytes, before compression, that a recording takes. It then ends where it is, and says so.
const LARGEST: u64 = 4 << 30;
/// The first bytes of what zstd compressed.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest window, as a power of two, that a compressed recording may ask its reader for.
const WINDOW: u32 = 25;
const BUFFER: usize = 64 << 10;

/// Where a recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Whether a file that is there is replaced.
    pub force: bool,
}

impl Target {
    /// Refuses a file that is there, before anything is done.
    ///
    /// # Errors
    /// [`RecordingError::Exists`].
    pub fn check(&self) -> Result<(), RecordingError> {
        if !self.force && self.path.symlink_metadata().is_ok() {
            return Err(RecordingError::Exists(self.path.clone()));
        }
        Ok(())
    }

    /// Makes the file, for this user alone.
    fn create(&self) -> Result<File, RecordingError> {
        self.check()?;
        let failed = |error: io::Error| RecordingError::io(&self.path, &error);
        if self.force {
            // Removed, not written over: what is there may be a link, or open to others.
            match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path).map_err(failed)
    }

    /// Takes a finished file over under this name.
    ///
    /// # Errors
    /// Where there is a file that is not to be replaced, or the name can't be given.
    pub(super) fn take(&self, finished: &Path) -> Result<(), RecordingError> {
        self.check()?;
        std::fs::rename(finished, &self.path)
            .map_err(|error| RecordingError::io(&self.path, &error))
    }

    fn compressed(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "zst")
    }
}

enum Sink {
    Plain(BufWriter<File>),
    Packed(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

impl Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(line),
            Self::Packed(file) => file.write_all(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Packed(file) => file.flush(),
        }
    }

    fn finish(self) -> io::Result<()> {
        let mut file = match self {
            Self::Plain(file) => file,
            Self::Packed(file) => file.finish()?,
        };
        file.flush()?;
        file.get_ref().sync_all()
    }
}

struct Out {
    sink: Option<Sink>,
    written: u64,
    blanked: u64,
    failed: Option<RecordingError>,
}

/// Writes a recording. What can't be written is told at the end: the sync goes on.
pub struct Writer {
    path: PathBuf,
    out: Mutex<Out>,
}

impl Writer {
    /// Makes the file and writes the header. `blank` takes secrets out of a line.
    ///
    /// # Errors
    /// Where the file can't be made.
    pub fn create(
        target: &Target,
        header: &Header,
        blank: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Self, RecordingError> {
        let failed = |error: io::Error| RecordingError::io(&target.path, &error);
        let file = BufWriter::with_capacity(BUFFER, target.create()?);
        let sink = if target.compressed() {
            Sink::Packed(zstd::stream::write::Encoder::new(file, 3).map_err(failed)?)
        } else {
            Sink::Plain(file)
        };
        let writer = Self {
            path: target.path.clone(),
            out: Mutex::new(Out {
                sink: Some(sink),
                written: 0,
                blanked: 0,
                failed: None,
            }),
        };
        let mut line = serde_json::to_vec(header).map_err(|error| failed(error.into()))?;
        if let Some(blanked) = blank(&line) {
            line = blanked;
            writer.blanked();
        }
        line.push(b'\n');
        writer.line(&line, true);
        let failed = writer.out().failed.clone();
        match failed {
            Some(error) => Err(error),
            None => Ok(writer),
        }
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an event. `blank` takes secrets out of the line.
    pub fn write(&self, event: &Event, blank: &dyn Fn(&[u8]) -> Option<Vec<u8>>) {
        let Ok(mut line) = serde_json::to_vec(event) else {
            return;
        };
        if let Some(blanked) = blank(&line) {
            line = blanked;
            self.blanked();
        }
        line.push(b'\n');
        let settled = matches!(
            event,
            Event::Gave { .. } | Event::Commit { .. } | Event::Finish { .. }
        );
        self.line(&line, settled);
    }

    /// Counts a place where a secret was taken out.
    pub fn blanked(&self) {
        self.out().blanked += 1;
    }

    fn line(&self, line: &[u8], settled: bool) {
        let mut out = self.out();
        if out.failed.is_some() {
            return;
        }
        if line.len() > LONGEST_LINE || out.written + line.len() as u64 > LARGEST {
            out.failed = Some(RecordingError::Io {
                path: self.path.clone(),
                reason: format!(
                    "it would grow beyond {} GiB; it ends where it is, and says so",
                    LARGEST >> 30
                ),
            });
            // What is there stays readable.
            if let Some(sink) = out.sink.take() {
                let _ = sink.finish();
            }
            return;
        }
        let Some(sink) = &mut out.sink else { return };
        let wrote = sink.write(line).and_then(|()| match settled {
            true => sink.flush(),
            false => Ok(()),
        });
        match wrote {
            Ok(()) => out.written += line.len() as u64,
            Err(error) => out.failed = Some(RecordingError::io(&self.path, &error)),
        }
    }

    /// Writes the last line; how often a secret was taken out.
    ///
    /// # Errors
    /// Where it, or any line before, could not be written.
    pub fn close(&self) -> Result<u64, RecordingError> {
        let blanked = self.out().blanked;
        self.write(&Event::Closed { blanked }, &|_| None);
        self.leave()?;
        Ok(blanked)
    }

    /// Leaves the file as it is, without a last line.
    ///
    /// # Errors
    /// Where any line could not be written.
    pub(super) fn leave(&self) -> Result<(), RecordingError> {
        let mut out = self.out();
        let finished = match out.sink.take() {
            Some(sink) => sink.finish(),
            None => Ok(()),
        };
        match (out.failed.clone(), finished) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(RecordingError::io(&self.path, &error)),
            (None, Ok(())) => Ok(()),
        }
    }
}

/// An event and the line that it stands in, from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// The line.
    pub line: u64,
    /// What it says.
    pub event: Event,
}

/// Reads a recording line by line.
pub struct Reader {
    source: Box<dyn BufRead + Send>,
    line: u64,
    state: ReadState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadState {
    /// There may be more.
    Open,
    /// The last line was read.
    Closed,
    /// It stops short.
    Cut,
}

impl Reader {
    /// Opens a file and reads the header.
    ///
    /// # Errors
    /// Where it can't be read, or is no recording of this version.
    pub fn open(path: &Path) -> Result<(Header, Self), RecordingError> {
        let failed = |error: io::Error| RecordingError::io(path, &error);
        let file = File::open(path).map_err(failed)?;
        Self::over(file).map_err(|error| match error {
            RecordingError::Other(reason) => {
                RecordingError::Other(format!("{}: {reason}", path.display()))
            }
            other => other,
        })
    }

    /// Reads a recording from anywhere.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn over(source: impl Read + Send + 'static) -> Result<(Header, Self), RecordingError> {
        let unreadable = |error: io::Error| RecordingError::Other(error.to_string());
        let mut source = BufReader::with_capacity(BUFFER, source);
        let packed = source.fill_buf().map_err(unreadable)?.starts_with(&ZSTD);
        let source: Box<dyn BufRead + Send> = if packed {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(source).map_err(unreadable)?;
            decoder.window_log_max(WINDOW).map_err(unreadable)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        } else {
            Box::new(source)
        };
        let mut reader = Self {
            source,
            line: 0,
            state: ReadState::Open,
        };
        let Some(line) = reader.raw()? else {
            return Err(RecordingError::Other("it has no first line".to_owned()));
        };
        Ok((header(&line)?, reader))
    }

    /// The next line's bytes, without its end; none at the end of the file, or where the last line is cut.
    fn raw(&mut self) -> Result<Option<Vec<u8>>, RecordingError> {
        if self.state != ReadState::Open {
            return Ok(None);
        }
        let mut line = Vec::new();
        let number = self.line + 1;
        let mut bounded = (&mut self.source).take(LONGEST_LINE as u64 + 1);
        match bounded.read_until(b'\n', &mut line) {
            Ok(_) => {}
            // Compressed bytes that stop short, as a killed process leaves them.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => line.clear(),
            Err(error) => {
                return Err(RecordingError::Line {
                    line: number,
                    reason: error.to_string(),
                });
            }
        }
        if line.pop() == Some(b'\n') {
            self.line = number;
            return Ok(Some(line));
        }
        if line.len() >= LONGEST_LINE {
            return Err(RecordingError::Line {
                line: number,
                reason: format!("it is longer than {} MiB", LONGEST_LINE >> 20),
            });
        }
        self.state = ReadState::Cut;
        Ok(None)
    }

    /// The next event of an account; none at its end.
    ///
    /// # Errors
    /// Where a line can't be read.
    pub fn next_of(&mut self, lane: Lane) -> Result<Option<Numbered>, RecordingError> {
        while let Some(numbered) = self.next()? {
            if numbered.event.lane() == lane {
                return Ok(Some(numbered));
            }
        }
        Ok(None)
    }

    /// The next event; none at the end.
    ///
    /// # Errors
    /// Where a line can't be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator of results would go on after an error"
    )]
    pub fn next(&mut self) -> Result<Option<Numbered>, RecordingError> {
        let Some(bytes) = self.raw()? else {
            return Ok(None);
        };
        let line = self.line;
        let event: Event =
            serde_json::from_slice(&bytes).map_err(|error| RecordingError::Line {
                line,
                reason: error.to_string(),
            })?;
        if matches!(event, Event::Closed { .. }) {
            self.state = ReadState::Closed;
        }
        Ok(Some(Numbered { line, event }))
    }

    /// Whether the end was met without a last line.
    pub fn is_cut(&self) -> bool {
        self.state == ReadState::Cut
    }
}

/// Reads the first line, its version before anything else.
fn header(line: &[u8]) -> Result<Header, RecordingError> {
    #[derive(Deserialize)]
    struct First {
        format: String,
        version: u64,
        #[serde(default)]
        runner: String,
    }
    let other = |reason: String| RecordingError::Other(reason);
    let first: First = serde_json::from_slice(line).map_err(|error| {
        other(format!(
            "its first line is not a recording's header ({error})"
        ))
    })?;
    if first.format != FORMAT {
        return Err(other(format!(
            "its format is \"{}\" and not \"{FORMAT}\"",
            super::event::shortened(&first.format)
        )));
    }
    if first.version != VERSION {
        return Err(RecordingError::Version {
            found: first.version,
            runner: super::event::shortened(&first.runner),
        });
    }
    serde_json::from_slice(line).map_err(|error| RecordingError::Line {
        line: 1,
        reason: error.to_string(),
    })
}

/// Reads a whole recording from memory: what a fuzzer calls. Whether it is cut short comes last.
///
/// # Errors
/// Where it is none, or a line can't be read.
pub fn parse(bytes: &[u8]) -> Result<(Header, Vec<Event>, bool), RecordingError> {
    let (header, mut reader) = Reader::over(io::Cursor::new(bytes.to_vec()))?;
    let mut events = Vec::new();
    while let Some(numbered) = reader.next()? {
        events.push(numbered.event);
    }
    Ok((header, events, reader.is_cut()))
}
