//! Values that several commands take.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
