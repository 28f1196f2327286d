//! Where the value of a secret comes from: `--secret apiKey=env:VAR|file:PATH|-`.
//!
//! Never from the command line itself: every user of the machine can read a process's arguments (`/proc/PID/cmdline`, `ps`), and shells keep them in
//! their history. A process's environment is readable by its own user only; a file and standard input are as closed as whoever writes them
//! makes them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use super::Secret;

/// No API's key is longer; what is has been mistaken for one.
const LONGEST: u64 = 64 << 10;

/// Where a secret's value is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// Why a secret could not be read. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Not of the form `NAME=SOURCE`.
    #[error(
        "--secret wants NAME=env:VAR, NAME=file:PATH or NAME=- (standard input); the value itself never stands on the command line"
    )]
    Malformed,
    /// The environment variable is not there.
    #[error(
        "the secret `{name}` is to come from the environment variable {variable}, which is not set"
    )]
    Unset {
        /// The secret's name.
        name: String,
        /// The variable's name.
        variable: String,
    },
    /// The file or standard input could not be read.
    #[error("the secret `{name}` could not be read from {from}: {error}")]
    Unreadable {
        /// The secret's name.
        name: String,
        /// The path, or "standard input".
        from: String,
        /// What the system said.
        error: io::Error,
    },
    /// Nothing was there.
    #[error("the secret `{name}` from {from} is empty")]
    Empty {
        /// The secret's name.
        name: String,
        /// Where it was read from.
        from: String,
    },
    /// It can't be a secret.
    #[error("the secret `{name}` from {from} {reason}; give the value alone, on one line")]
    Unusable {
        /// The secret's name.
        name: String,
        /// Where it was read from.
        from: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl SecretSource {
    /// Reads `NAME=SOURCE`.
    pub fn parse(argument: &str) -> Result<(String, Self), SourceError> {
        let (name, source) = argument.split_once('=').ok_or(SourceError::Malformed)?;
        let source = match source.split_once(':') {
            _ if source == "-" => SecretSource::Stdin,
            Some(("env", variable)) if !variable.is_empty() => {
                SecretSource::Env(variable.to_owned())
            }
            Some(("file", path)) if !path.is_empty() => SecretSource::File(PathBuf::from(path)),
            _ => return Err(SourceError::Malformed),
        };
        if name.is_empty() {
            return Err(SourceError::Malformed);
        }
        Ok((name.to_owned(), source))
    }

    /// Reads the value, without one newline at its end.
    pub fn read(&self, name: &str) -> Result<Secret, SourceError> {
        match self {
            SecretSource::Env(variable) => match std::env::var(variable) {
                Ok(value) => checked(name, &self.place(), Zeroizing::new(value.into_bytes())),
                Err(std::env::VarError::NotPresent) => Err(SourceError::Unset {
                    name: name.to_owned(),
                    variable: variable.clone(),
                }),
                Err(std::env::VarError::NotUnicode(_)) => Err(self.unusable(name, "is not UTF-8")),
            },
            SecretSource::File(path) => {
                let file = open(path).map_err(|error| self.unreadable(name, error))?;
                self.read_from(name, file)
            }
            SecretSource::Stdin => self.read_from(name, io::stdin().lock()),
        }
    }

    /// Reads the value from a reader, by the same rules.
    pub fn read_from(&self, name: &str, reader: impl Read) -> Result<Secret, SourceError> {
        let mut value = Zeroizing::new(Vec::with_capacity(1 << 10));
        reader
            .take(LONGEST + 1)
            .read_to_end(&mut value)
            .map_err(|error| self.unreadable(name, error))?;
        checked(name, &self.place(), value)
    }

    fn place(&self) -> String {
        match self {
            SecretSource::Env(variable) => format!("the environment variable {variable}"),
            SecretSource::File(path) => path.display().to_string(),
            SecretSource::Stdin => "standard input".to_owned(),
        }
    }

    fn unreadable(&self, name: &str, error: io::Error) -> SourceError {
        SourceError::Unreadable {
            name: name.to_owned(),
            from: self.place(),
            error,
        }
    }

    fn unusable(&self, name: &str, reason: &'static str) -> SourceError {
        SourceError::Unusable {
            name: name.to_owned(),
            from: self.place(),
            reason,
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a directory",
        ));
    }
    File::open(path)
}

fn checked(name: &str, from: &str, value: Zeroizing<Vec<u8>>) -> Result<Secret, SourceError> {
    let unusable = |reason| SourceError::Unusable {
        name: name.to_owned(),
        from: from.to_owned(),
        reason,
    };
    if value.len() as u64 > LONGEST {
        return Err(unusable("is longer than 64 KiB"));
    }
    let text = std::str::from_utf8(&value).map_err(|_| unusable("is not UTF-8"))?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(SourceError::Empty {
            name: name.to_owned(),
            from: from.to_owned(),
        });
    }
    if text.chars().any(char::is_control) {
        return Err(unusable("holds control characters or more than one line"));
    }
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Secret, SourceError> {
        SecretSource::Stdin.read_from("apiKey", bytes)
    }

    #[test]
    fn each_form_of_the_argument_is_read() {
        for (argument, source) in [
            (
                "apiKey=env:XDR_KEY",
                SecretSource::Env("XDR_KEY".to_owned()),
            ),
            (
                "apiKey=file:/keys/a=b:c",
                SecretSource::File("/keys/a=b:c".into()),
            ),
            ("apiKey=-", SecretSource::Stdin),
        ] {
            assert_eq!(
                SecretSource::parse(argument).unwrap(),
                ("apiKey".to_owned(), source)
            );
        }
    }

    #[test]
    fn a_value_on_the_command_line_is_refused_and_not_repeated() {
        for argument in [
            "test-key",
            "apiKey=test-key",
            "apiKey=env:",
            "apiKey=file:",
            "apiKey=",
            "=-",
            "",
            "apiKey=test:key",
        ] {
            let error = SecretSource::parse(argument).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("test"), "{error}");
        }
    }

    #[test]
    fn one_newline_at_the_end_is_cut_off_and_nothing_else() {
        for (bytes, value) in [
            (&b"test-key"[..], "test-key"),
            (b"test-key\n", "test-key"),
            (b"test-key\r\n", "test-key"),
            (b" test-key ", " test-key "),
        ] {
            assert_eq!(read(bytes).unwrap().expose(), value);
        }
    }

    #[test]
    fn what_can_be_no_secret_is_refused_and_not_repeated() {
        assert!(matches!(read(b""), Err(SourceError::Empty { .. })));
        assert!(matches!(read(b"\n"), Err(SourceError::Empty { .. })));
        let long = vec![b'x'; 70_000];
        for bytes in [
            &b"test-key\n\n"[..],
            b"test\nkey",
            b"test\0key",
            b"test\rkey",
            b"test\xff",
            &long,
        ] {
            let error = read(bytes).unwrap_err();
            assert!(matches!(error, SourceError::Unusable { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains("test"), "{error}");
        }
    }

    #[test]
    fn a_file_and_a_variable_that_are_not_there_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let source = SecretSource::File(folder.path().join("missing"));
        let error = source.read("apiKey").unwrap_err().to_string();
        assert!(
            error.contains("apiKey") && error.contains("missing"),
            "{error}"
        );
        assert!(
            SecretSource::File(folder.path().to_owned())
                .read("apiKey")
                .is_err()
        );
        let error = SecretSource::Env("HOST_RUNNER_NO_SUCH_VARIABLE".to_owned())
            .read("apiKey")
            .unwrap_err()
            .to_string();
        assert!(error.contains("HOST_RUNNER_NO_SUCH_VARIABLE"), "{error}");
    }

    #[test]
    fn a_file_is_read() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"test-key\n").unwrap();
        assert_eq!(
            SecretSource::File(file.path().to_owned())
                .read("apiKey")
                .unwrap()
                .expose(),
            "test-key"
        );
    }
}
