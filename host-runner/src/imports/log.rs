//! `log`: what a plugin wants a person to read, bounded in number and length.

use super::State;
use crate::contract::log::{Host, Level};
use crate::engine::LogVerdict;

/// One line, cleaned of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: tracing::Level,
    /// What it says.
    pub message: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

/// Where lines go.
pub trait LogSink: Send + Sync {
    /// Takes a line.
    fn write(&self, line: LogLine);
}

/// Nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl LogSink for Silent {
    fn write(&self, _line: LogLine) {}
}

/// The longest message or value that is kept, in characters.
const LONGEST: usize = 2_000;
/// The most fields of one line.
const FIELDS: usize = 16;

impl Host for State {
    fn write(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.meter.host_call()?;
        let line = match self.meter.log_line() {
            LogVerdict::Drop => return Ok(()),
            LogVerdict::LastStraw => LogLine {
                level: tracing::Level::WARN,
                message:
                    "the connector logs more lines in one step than it may: the rest is dropped"
                        .to_owned(),
                fields: vec![("limit".to_owned(), "step-log-lines".to_owned())],
            },
            LogVerdict::Write => LogLine {
                level: match level {
                    Level::Debug => tracing::Level::DEBUG,
                    Level::Info => tracing::Level::INFO,
                    Level::Warn => tracing::Level::WARN,
                    Level::Error => tracing::Level::ERROR,
                },
                message: clean(&message),
                fields: fields
                    .iter()
                    .take(FIELDS)
                    .map(|(name, value)| (clean(name), clean(value)))
                    .collect(),
            },
        };
        self.reach.log.write(line);
        Ok(())
    }
}

/// Control characters could forge lines or drive a terminal.
fn clean(text: &str) -> String {
    text.chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_neither_forge_another_nor_drive_the_terminal() {
        assert_eq!(
            clean("ok\nERROR forged \u{1b}[31m"),
            "ok ERROR forged  [31m"
        );
        assert_eq!(clean(&"x".repeat(5_000)).len(), LONGEST);
    }
}
