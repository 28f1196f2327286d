//! What a command that could not do its work tells: what happened, to which thing, and what to do now.

use std::fmt;

use serde_json::{Value, json};

use super::exit::Exit;
use super::human;

/// A failure for a person, with its exit code for a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Its kind, and with it the exit code.
    pub exit: Exit,
    /// What happened, to which thing.
    pub message: String,
    /// What to do now, where there is something to do.
    pub remedy: Option<String>,
    /// Further facts for `--json`, such as each problem of a configuration. A JSON object's members beside `kind` and `message`.
    pub details: serde_json::Map<String, Value>,
}

/// What each command returns: how it ended where that isn't an error in itself, such as a test that failed and was shown.
pub type CommandResult = Result<Exit, Failure>;

impl Failure {
    /// A failure of a kind, with its message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            remedy: None,
            details: serde_json::Map::new(),
        }
    }

    /// Adds what to do about it. An empty text adds nothing.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        let remedy = remedy.into();
        self.remedy = (!remedy.is_empty()).then_some(remedy);
        self
    }

    /// Adds a fact for those who read the JSON.
    #[must_use]
    pub fn detail(mut self, name: &str, value: Value) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }

    /// As the one JSON object on stderr that `--json` promises.
    pub fn to_json(&self) -> Value {
        let mut error = self.details.clone();
        error.insert("kind".to_owned(), json!(self.exit.word()));
        error.insert("message".to_owned(), json!(self.message));
        error.insert("remedy".to_owned(), json!(self.remedy));
        error.insert("exitCode".to_owned(), json!(self.exit.code()));
        json!({ "error": error })
    }

    /// As text for a terminal: the message, and below it what to do. Control characters, which may have come from a server or a
    /// component, are made visible.
    pub fn to_text(&self) -> String {
        // What a server or a component said may have lines, and none of them may look like one of the runner's own.
        let message = human::plain_lines(&self.message).replace('\n', "\n       ");
        let mut text = format!("error: {message}");
        if let Some(remedy) = &self.remedy {
            text.push_str("\n  try: ");
            text.push_str(&human::plain_lines(remedy).replace('\n', "\n       "));
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Writing to standard output or error failed, and not because the reader went away (that is no failure).
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Store, format!("the output can't be written: {error}"))
            .remedy("make room where the output goes, or send it elsewhere; what was committed before is kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_is_what_the_help_promises() {
        let failure = Failure::new(Exit::Input, "c.json isn't JSON").remedy("mend it");
        assert_eq!(
            failure.to_json(),
            json!({"error": {"kind": "input", "message": "c.json isn't JSON", "remedy": "mend it", "exitCode": 3}})
        );
    }

    #[test]
    fn a_message_of_several_lines_has_none_that_looks_like_another_message() {
        let failure = Failure::new(Exit::Busy, "it said: a\nerror: forged\n  try: forged");
        assert_eq!(
            failure.to_text(),
            "error: it said: a\n       error: forged\n         try: forged"
        );
    }

    #[test]
    fn the_text_form_says_what_happened_and_what_to_do() {
        let failure =
            Failure::new(Exit::Busy, "connection xdr is in use").remedy("wait\nor stop it");
        assert_eq!(
            failure.to_text(),
            "error: connection xdr is in use\n  try: wait\n       or stop it"
        );
    }

    #[test]
    fn escape_sequences_from_foreign_text_do_not_reach_the_terminal() {
        let failure = Failure::new(Exit::Api, "the API said \u{1b}[2Jnothing");
        assert!(!failure.to_text().contains('\u{1b}'));
    }
}
