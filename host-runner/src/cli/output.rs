//! Where a command's words go: results to stdout, everything about them to stderr.
//!
//! A reader that goes away (`| head`) is no error: what is written afterwards is dropped, and lists ask [`Output::closed`] to
//! stop early, while a sync goes on to its end.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::failure::Failure;

/// How results are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// JSON instead of text.
    pub json: bool,
    /// Only results and errors: no notes, no progress.
    pub quiet: bool,
    /// Standard output is a terminal.
    pub terminal: bool,
    /// Standard error is a terminal: progress may be drawn there.
    pub progress: bool,
    /// Colours may be used on standard output.
    pub colour: bool,
}

impl Style {
    /// What suits the process's own standard output and error. `NO_COLOR` (any value but an empty one) turns colours off, as
    /// no-color.org asks; so does `TERM=dumb`.
    pub fn detect(json: bool, quiet: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            json,
            quiet,
            terminal,
            progress: io::stderr().is_terminal() && !quiet && !json && !dumb,
            colour: terminal && !json && !no_colour && !dumb,
        }
    }
}

/// The two ends that a command writes to.
pub struct Output {
    style: Style,
    ends: Mutex<Ends>,
}

struct Ends {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    closed: bool,
}

impl Output {
    /// Writes to the process's standard output and error.
    pub fn standard(style: Style) -> Self {
        // Lists of a million documents are written through a buffer; `flush` ends each command.
        let out = io::BufWriter::with_capacity(64 * 1024, io::stdout());
        Self::new(style, Box::new(out), Box::new(io::stderr()))
    }

    /// Writes where it is told to.
    pub fn new(style: Style, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self {
            style,
            ends: Mutex::new(Ends {
                out,
                err,
                closed: false,
            }),
        }
    }

    /// How results are told.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Whether results are told as JSON.
    pub fn json(&self) -> bool {
        self.style.json
    }

    /// Whether nobody reads any more.
    pub fn closed(&self) -> bool {
        self.with(|ends| ends.closed)
    }

    /// Text that belongs to the result; a line feed is added.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = text.as_ref();
        self.write(|out| {
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")
        })
    }

    /// A text that is the result, as it is: nothing is added.
    pub fn text(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.write(|out| out.write_all(text.as_ref().as_bytes()))
    }

    /// One JSON document, indented for people where they watch, on one line where a program does.
    pub fn document(&self, value: &impl Serialize) -> Result<(), Failure> {
        let pretty = self.style.terminal;
        self.write(|out| {
            if pretty {
                serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
            } else {
                serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
            }
            out.write_all(b"\n")
        })
    }

    /// One JSON document of a list, on a line of its own.
    pub fn item(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.write(|out| {
            serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
            out.write_all(b"\n")
        })
    }

    /// A note about the result, for a person, on standard error. Dropped where `--quiet` or `--json` is given.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.style.quiet && !self.style.json {
            self.error_line(text);
        }
    }

    /// A line on standard error, whatever the style. That it can't be written can't be told anywhere, so it isn't.
    pub fn error_line(&self, text: impl AsRef<str>) {
        self.with(|ends| {
            let _ = ends.out.flush();
            let _ = writeln!(ends.err, "{}", text.as_ref());
            let _ = ends.err.flush();
        });
    }

    /// Tells a failure in the form that was asked for.
    pub fn failure(&self, failure: &Failure) {
        if self.style.json {
            self.error_line(failure.to_json().to_string());
        } else {
            self.error_line(failure.to_text());
        }
    }

    /// Hands over what is still in the buffer.
    pub fn flush(&self) -> Result<(), Failure> {
        self.write(|out| out.flush())
    }

    fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        self.with(|ends| {
            if ends.closed {
                return Ok(());
            }
            match write(ends.out.as_mut()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    ends.closed = true;
                    Ok(())
                }
                result => result.map_err(Failure::from),
            }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Ends) -> T) -> T {
        // A writer that panicked half-way leaves text cut short, not a state that can't be used.
        act(&mut self.ends.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! An [`Output`] whose words a test can read.

    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::{Output, Style};

    /// What was written so far.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// As in a pipe: neither colours nor progress.
    pub(crate) const PIPE: Style = Style {
        json: false,
        quiet: false,
        terminal: false,
        progress: false,
        colour: false,
    };

    pub(crate) fn captured(style: Style) -> (Output, Captured, Captured) {
        let (out, err) = (Captured::default(), Captured::default());
        let output = Output::new(style, Box::new(out.clone()), Box::new(err.clone()));
        (output, out, err)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::testing::{PIPE, captured};
    use super::*;
    use crate::cli::exit::Exit;

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(self.0))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_is_known() {
        let output = Output::new(
            PIPE,
            Box::new(Closed(io::ErrorKind::BrokenPipe)),
            Box::new(io::sink()),
        );
        assert!(!output.closed());
        output.line("one").unwrap();
        assert!(output.closed());
        output.document(&json!({})).unwrap();
        output.item(&json!({})).unwrap();
        output.flush().unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let output = Output::new(
            PIPE,
            Box::new(Closed(io::ErrorKind::StorageFull)),
            Box::new(io::sink()),
        );
        assert_eq!(output.line("one").unwrap_err().exit, Exit::Store);
        assert_eq!(output.item(&json!({})).unwrap_err().exit, Exit::Store);
        assert!(!output.closed());
    }

    #[test]
    fn documents_are_one_line_in_a_pipe_and_indented_on_a_terminal() {
        let (output, out, _) = captured(PIPE);
        output.document(&json!({"a": 1})).unwrap();
        assert_eq!(out.text(), "{\"a\":1}\n");
        let (output, out, _) = captured(Style {
            terminal: true,
            ..PIPE
        });
        output.document(&json!({"a": 1})).unwrap();
        assert_eq!(out.text(), "{\n  \"a\": 1\n}\n");
    }

    #[test]
    fn notes_are_for_people_only() {
        for (style, expected) in [
            (PIPE, "note\n"),
            (
                Style {
                    quiet: true,
                    ..PIPE
                },
                "",
            ),
            (Style { json: true, ..PIPE }, ""),
        ] {
            let (output, out, err) = captured(style);
            output.note("note");
            assert_eq!(err.text(), expected);
            assert_eq!(out.text(), "");
        }
    }

    #[test]
    fn failures_are_told_even_when_quiet_and_as_json_when_asked() {
        let failure = Failure::new(Exit::Input, "no");
        let (output, _, err) = captured(Style {
            quiet: true,
            ..PIPE
        });
        output.failure(&failure);
        assert_eq!(err.text(), "error: no\n");
        let (output, _, err) = captured(Style { json: true, ..PIPE });
        output.failure(&failure);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&err.text()).unwrap(),
            failure.to_json()
        );
    }
}
