//! Values that several commands take.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::component::Source;

/// A file to read, or standard input, which is written `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputFile {
    /// Standard input.
    Standard,
    /// A file.
    Path(PathBuf),
}

impl FromStr for InputFile {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "-" => Self::Standard,
            path => Self::Path(PathBuf::from(path)),
        })
    }
}

impl fmt::Display for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard input"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnOff {
    /// It holds
    On,
    /// It does not
    Off,
}

impl OnOff {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// A component: a file, or the bundled one, which is written `bundled`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentArg(pub Source);

impl FromStr for ComponentArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "bundled" => Source::Bundled,
            path => Source::File(PathBuf::from(path)),
        }))
    }
}

/// A SHA-256 as people write it down: 64 hexadecimal digits in either case. Held in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256(String);

impl Sha256 {
    /// The digits, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sha256 {
    type Err = Sha256Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Sha256Error)
        }
    }
}

/// What was typed is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct Sha256Error;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_64_hexadecimal_digits_in_either_case() {
        let hash = "0123456789ABCDEF".repeat(4);
        assert_eq!(
            hash.parse::<Sha256>().unwrap().as_str(),
            hash.to_ascii_lowercase()
        );
        for wrong in ["", "ab", &"g".repeat(64), &"a".repeat(65), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Sha256>(), Err(Sha256Error), "{wrong}");
        }
    }

    #[test]
    fn the_bundled_component_has_a_name_and_all_else_is_a_file() {
        assert_eq!("bundled".parse(), Ok(ComponentArg(Source::Bundled)));
        let file = Source::File("./bundled".into());
        assert_eq!("./bundled".parse(), Ok(ComponentArg(file)));
    }

    #[test]
    fn a_dash_is_standard_input_and_all_else_a_path() {
        assert_eq!("-".parse(), Ok(InputFile::Standard));
        assert_eq!("./-".parse(), Ok(InputFile::Path(PathBuf::from("./-"))));
        assert_eq!(
            "c.json".parse::<InputFile>().map(|file| file.to_string()),
            Ok("c.json".to_owned())
        );
    }
}
