//! What a connector logs during a run: passed on to the runner's own log, and warnings kept with the run.

use crate::imports::{LogLine, LogSink};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// How many warnings a run keeps.
const MOST: usize = 100;

/// Keeps warnings and errors, each once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    warnings: Mutex<Vec<String>>,
}

impl Notes {
    /// Adds one of the host's own.
    pub(super) fn add(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < MOST && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// What was kept.
    pub(super) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LogSink for Notes {
    fn write(&self, line: LogLine) {
        let mut text = line.message;
        for (name, value) in &line.fields {
            // Writing to a String does not fail.
            let _ = write!(text, " {name}={value}");
        }
        match line.level {
            tracing::Level::ERROR => tracing::error!(target: "connector", "{text}"),
            tracing::Level::WARN => tracing::warn!(target: "connector", "{text}"),
            tracing::Level::INFO => tracing::info!(target: "connector", "{text}"),
            _ => tracing::debug!(target: "connector", "{text}"),
        }
        if line.level <= tracing::Level::WARN {
            self.add(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_kept_once_with_its_fields_and_a_debug_line_is_not() {
        let notes = Notes::default();
        for level in [
            tracing::Level::WARN,
            tracing::Level::WARN,
            tracing::Level::DEBUG,
        ] {
            notes.write(LogLine {
                level,
                message: "no endpoint bears the tag".into(),
                fields: vec![("tag".into(), "x".into())],
            });
        }
        assert_eq!(notes.taken(), ["no endpoint bears the tag tag=x"]);
    }
}
