//! Names that people choose. They become parts of file names, so they are plain enough for every file system.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name, in characters: short enough for any file system, with an ending added.
const MAX_LENGTH: usize = 63;

/// Why a text is no name. `kind` says what it should have named ("tenant").
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("the {kind} name is empty: use letters a to z, digits, dots, dashes and underscores")]
    Empty {
        /// What was to be named.
        kind: &'static str,
    },
    /// It is too long.
    #[error("the {kind} name \"{name}\" has {length} characters: {MAX_LENGTH} is the most")]
    TooLong {
        /// What was to be named.
        kind: &'static str,
        /// What was typed, shortened.
        name: String,
        /// How long it is.
        length: usize,
    },
    /// It begins with something else than a letter or digit, as path tricks (`..`, `.hidden`) and options (`-x`) do.
    #[error(
        "the {kind} name \"{name}\" begins with {found:?}: begin with a letter a to z or a digit"
    )]
    BadStart {
        /// What was to be named.
        kind: &'static str,
        /// What was typed.
        name: String,
        /// What it begins with.
        found: char,
    },
    /// It holds a character that names don't have, such as a slash.
    #[error(
        "the {kind} name \"{name}\" holds {found:?}: use letters a to z, digits, dots, dashes and underscores{hint}"
    )]
    BadCharacter {
        /// What was to be named.
        kind: &'static str,
        /// What was typed.
        name: String,
        /// The first such character.
        found: char,
        /// More help, "" where there is none.
        hint: String,
    },
    /// A file of that name is a device on some systems, whatever ending it has.
    #[error("the {kind} name \"{name}\" is a device's on some systems: choose another")]
    Device {
        /// What was to be named.
        kind: &'static str,
        /// What was typed.
        name: String,
    },
    /// It ends with a dot or holds two in a row, which file systems and path rules read in their own ways.
    #[error(
        "the {kind} name \"{name}\" holds a dot that no letter or digit follows: leave that dot out"
    )]
    LooseDot {
        /// What was to be named.
        kind: &'static str,
        /// What was typed.
        name: String,
    },
}

fn check(kind: &'static str, text: &str) -> Result<(), NameError> {
    let length = text.chars().count();
    let name = || -> String {
        text.chars()
            .take(MAX_LENGTH)
            .flat_map(char::escape_debug)
            .collect()
    };
    let Some(first) = text.chars().next() else {
        return Err(NameError::Empty { kind });
    };
    if length > MAX_LENGTH {
        return Err(NameError::TooLong {
            kind,
            name: name(),
            length,
        });
    }
    let letter_or_digit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let allowed = |c: char| letter_or_digit(c) || matches!(c, '.' | '_' | '-');
    if let Some(found) = text.chars().find(|&c| !allowed(c)) {
        let hint = if found.is_ascii_uppercase() {
            format!("; \"{}\" would do", text.to_ascii_lowercase())
        } else {
            String::new()
        };
        return Err(NameError::BadCharacter {
            kind,
            name: name(),
            found,
            hint,
        });
    }
    if !letter_or_digit(first) {
        return Err(NameError::BadStart {
            kind,
            name: name(),
            found: first,
        });
    }
    let loose =
        |(dot, next): (char, Option<char>)| dot == '.' && !next.is_some_and(letter_or_digit);
    let followers = text.chars().skip(1).map(Some).chain([None]);
    if text.chars().zip(followers).any(loose) {
        return Err(NameError::LooseDot { kind, name: name() });
    }
    Ok(())
}

/// Whether Windows takes a file of this name for a device.
fn is_device(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or_default();
    let numbered = |kind: &str| {
        stem.strip_prefix(kind)
            .is_some_and(|number| number.len() == 1 && number.bytes().all(|c| c.is_ascii_digit()))
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Only a tenant's name is one of a file.
fn check_file(kind: &'static str, text: &str) -> Result<(), NameError> {
    check(kind, text)?;
    if is_device(text) {
        return Err(NameError::Device {
            kind,
            name: text.to_owned(),
        });
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a name.
            ///
            /// # Errors
            /// What is wrong with it, and what would be right.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                $check($kind, &text)?;
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

name! {
    /// A tenant: begins with a letter a to z or a digit, goes on with these, dots, dashes and underscores, at most 63 in all.
    TenantName, "tenant", check_file
}
name! {
    /// A connection within its tenant, by the same rules as a tenant's name.
    ConnectionName, "connection", check
}
name! {
    /// A data stream, as a manifest names it, by the same rules as a tenant's name.
    DataStreamName, "data stream", check
}
name! {
    /// A tenant's own transform map, by the same rules as a tenant's name.
    MapName, "map", check
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_are_names() {
        for name in [
            "a",
            "0",
            "acme",
            "acme-eu_2",
            "tenant.with.dots",
            &"x".repeat(63),
        ] {
            assert_eq!(TenantName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn path_tricks_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "../other",
            "a/b",
            "a\\b",
            "/etc",
            "a..b",
            "a.",
            ".hidden",
            "-rf",
            "~",
            "a b",
            "a\0b",
            "a%2fb",
            "c:",
            "a\u{202e}b",
            "Acme",
            "caf\u{e9}",
            "a.-b",
            "\u{ff0e}\u{ff0e}",
            &"x".repeat(64),
            &"x".repeat(100_000),
            "con",
            "nul.txt",
            "com1",
            "lpt9.a.b",
            "acme.db-wal/",
            "%2e%2e",
            "acme%00",
            "\u{430}cme",
            "acme\u{200b}",
            "\u{ff41}cme",
            "ACME",
            "acme ",
            "acme\n",
        ] {
            assert!(TenantName::new(name).is_err(), "{name:?} was accepted");
        }
    }

    #[test]
    fn an_error_says_which_name_it_is_and_what_would_do() {
        let error = ConnectionName::new("Prod").unwrap_err().to_string();
        assert!(error.contains("connection"), "{error}");
        assert!(error.contains("\"prod\" would do"), "{error}");
    }

    #[test]
    fn control_characters_reach_no_terminal() {
        let error = TenantName::new("a\u{1b}[2J").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }

    #[test]
    fn a_name_inside_json_is_checked_too() {
        assert!(serde_json::from_str::<TenantName>("\"../a\"").is_err());
        assert_eq!(
            serde_json::to_string(&TenantName::new("a").unwrap()).unwrap(),
            "\"a\""
        );
    }

    proptest! {
        #[test]
        fn a_name_is_always_one_part_of_a_path(text in "\\PC{0,70}") {
            if let Ok(name) = TenantName::new(text) {
                let path = std::path::Path::new(name.as_str());
                prop_assert_eq!(path.components().count(), 1);
                prop_assert!(matches!(path.components().next(), Some(std::path::Component::Normal(_))));
            }
        }
    }
}
