//! What a connector logs during a run: passed on to the runner's own log, and what a person should read kept with the run.

use crate::domain::cut;
use crate::imports::{LogLine, LogSink};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// The longest line that is kept, in characters.
const LONGEST: usize = 2_000;
/// How many warnings a run keeps, and how many lines that are none.
const MOST: usize = 100;
const MOST_TOLD: usize = 20;

/// Keeps warnings and errors, and what else the connector tells (what a query cost, how much was asked for again), each once.
#[derive(Debug)]
pub(super) struct Notes {
    /// Lines that may still come.
    left: Mutex<u64>,
    warnings: Mutex<Vec<String>>,
    told: Mutex<Vec<String>>,
}

fn keep(lines: &Mutex<Vec<String>>, most: usize, mut line: String) {
    cut(&mut line, LONGEST);
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() < most && !lines.contains(&line) {
        lines.push(line);
    }
}

fn taken(lines: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Notes {
    /// For a run whose connector may log so many lines.
    pub(super) fn new(lines: u64) -> Self {
        Self {
            left: Mutex::new(lines),
            warnings: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Whether one more line may be logged. The first that may not is told.
    fn may_log(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match *left {
            0 => false,
            1 => {
                *left = 0;
                let text = "the connector logs more lines in one run than it may: the rest is dropped limit=sync-log-lines";
                tracing::warn!(target: "connector", "{text}");
                self.add(text.to_owned());
                false
            }
            _ => {
                *left -= 1;
                true
            }
        }
    }

    /// Adds one of the host's own.
    pub(super) fn add(&self, warning: String) {
        keep(&self.warnings, MOST, warning);
    }

    /// The warnings that were kept.
    pub(super) fn taken(&self) -> Vec<String> {
        taken(&self.warnings)
    }

    /// What was told beside warnings.
    pub(super) fn told(&self) -> Vec<String> {
        taken(&self.told)
    }
}

impl LogSink for Notes {
    fn write(&self, line: LogLine) {
        if !self.may_log() {
            return;
        }
        let mut text = line.message;
        for (name, value) in &line.fields {
            // Writing to a String does not fail.
            let _ = write!(text, " {name}={value}");
        }
        cut(&mut text, LONGEST);
        match line.level {
            tracing::Level::ERROR => tracing::error!(target: "connector", "{text}"),
            tracing::Level::WARN => tracing::warn!(target: "connector", "{text}"),
            tracing::Level::INFO => tracing::info!(target: "connector", "{text}"),
            _ => tracing::debug!(target: "connector", "{text}"),
        }
        match line.level {
            tracing::Level::ERROR | tracing::Level::WARN => self.add(text),
            tracing::Level::INFO => keep(&self.told, MOST_TOLD, text),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_should_read_is_kept_once_with_its_fields_and_a_debug_line_is_not() {
        let notes = Notes::new(100);
        for level in [
            tracing::Level::WARN,
            tracing::Level::WARN,
            tracing::Level::INFO,
            tracing::Level::INFO,
            tracing::Level::DEBUG,
        ] {
            notes.write(LogLine {
                level,
                message: "no endpoint bears the tag".into(),
                fields: vec![("tag".into(), "x".into())],
            });
        }
        assert_eq!(notes.taken(), ["no endpoint bears the tag tag=x"]);
        assert_eq!(notes.told(), ["no endpoint bears the tag tag=x"]);
    }
    #[test]
    fn a_run_without_end_logs_no_more_than_it_may_and_it_is_told_once() {
        let notes = Notes::new(3);
        for n in 0..10 {
            notes.write(LogLine {
                level: tracing::Level::WARN,
                message: format!("line {n}"),
                fields: Vec::new(),
            });
        }
        let kept = notes.taken();
        assert_eq!(kept.len(), 3, "{kept:?}");
        assert!(kept[2].ends_with("limit=sync-log-lines"), "{kept:?}");
    }
}
