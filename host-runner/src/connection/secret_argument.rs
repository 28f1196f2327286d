//! `--secret`: which field of the configuration, and where its value is read. Never the value itself: a command line can be seen by
//! everyone on the machine.

use std::path::PathBuf;
use std::str::FromStr;

/// One secret's field and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretArgument {
    /// The configuration's field, such as `apiKey`.
    pub field: String,
    /// Where the value is read.
    pub source: SecretOrigin,
}

/// Where a secret's value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretOrigin {
    /// An environment variable of this name.
    Variable(String),
    /// A file, whose last line feed is not part of the value.
    File(PathBuf),
    /// Standard input.
    Standard,
}

/// What was typed names no source. The text itself is not repeated: it might be the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretArgumentError {
    /// There is no equals sign, or nothing before it.
    #[error("expected FIELD=SOURCE, such as apiKey=env:CORTEX_KEY")]
    NoField,
    /// What stands after the equals sign is no source.
    #[error(
        "the source of `{0}` must be env:VARIABLE, file:PATH, or - for standard input; a secret is never given on the command line itself, \
         where others can see it"
    )]
    NoSource(String),
}

impl FromStr for SecretArgument {
    type Err = SecretArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, source) = text.split_once('=').ok_or(SecretArgumentError::NoField)?;
        let field = field.trim();
        if field.is_empty() {
            return Err(SecretArgumentError::NoField);
        }
        let source = match source.split_once(':') {
            None if source == "-" => SecretOrigin::Standard,
            Some(("env", name)) if !name.is_empty() => SecretOrigin::Variable(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => SecretOrigin::File(PathBuf::from(path)),
            _ => return Err(SecretArgumentError::NoSource(field.to_owned())),
        };
        Ok(Self {
            field: field.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_a_variable_a_file_or_standard_input() {
        for (text, source) in [
            ("apiKey=env:KEY", SecretOrigin::Variable("KEY".to_owned())),
            (
                "apiKey=file:a:b=c",
                SecretOrigin::File(PathBuf::from("a:b=c")),
            ),
            ("apiKey=-", SecretOrigin::Standard),
        ] {
            let read: SecretArgument = text.parse().unwrap();
            assert_eq!(read.field, "apiKey");
            assert_eq!(read.source, source);
        }
    }

    #[test]
    fn a_value_on_the_command_line_is_refused_and_not_repeated() {
        for text in [
            "apiKey=test-key",
            "apiKey=env:",
            "apiKey=file:",
            "apiKey=",
            "apiKey=http://test-key",
        ] {
            let error = text.parse::<SecretArgument>().unwrap_err();
            assert_eq!(
                error,
                SecretArgumentError::NoSource("apiKey".to_owned()),
                "{text}"
            );
            assert!(!error.to_string().contains("test-key"));
        }
        for text in ["", "test-key", "=env:KEY"] {
            assert_eq!(
                text.parse::<SecretArgument>(),
                Err(SecretArgumentError::NoField),
                "{text}"
            );
        }
    }
}
