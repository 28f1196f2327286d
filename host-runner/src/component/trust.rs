//! Who signed a component: minisign signatures, and the keys that are believed.
//!
//! Only signatures over the file's hash are taken, which minisign makes by default; the older form, over the file itself, is refused. Signatures
//! are checked on the bytes that are loaded, each time, before they are judged or compiled: a compiled component in the cache changes nothing
//! about that.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use minisign_verify::{Error, PublicKey, Signature};

use super::{ComponentFile, LoadError, Source};

/// More than any signature or list of keys takes.
const LARGEST: u64 = 64 << 10;

/// Begins the line above a key, which anybody may have written.
const COMMENT: &str = "untrusted comment:";

/// Why a component is not trusted, or a key or signature can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// A file can't be read.
    #[error("{path} can't be read: {reason}", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What is meant to hold keys holds something else.
    #[error("{origin} holds no minisign public key: it has 56 characters and begins with RW")]
    NoKey {
        /// Which argument or file.
        origin: String,
    },
    /// Others may write into the list of trusted keys.
    #[error("others than its owner may change {path}: take that right away (chmod go-w)", path = path.display())]
    Writable {
        /// Which file.
        path: PathBuf,
    },
    /// No key is trusted, and one is needed.
    #[error("a signature is required, and no key is trusted")]
    NoTrustedKey,
    /// There is no signature.
    #[error("it has no signature: there is no {expected}")]
    Unsigned {
        /// Where it would be.
        expected: String,
    },
    /// The signature's file is none.
    #[error("{path} is no minisign signature, or is cut short", path = path.display())]
    NoSignature {
        /// Which file.
        path: PathBuf,
    },
    /// The signature is of the form that is not taken.
    #[error(
        "{path} is a signature of the old form, over the file itself: sign it anew, minisign 0.10 and later sign its hash", path = path.display()
    )]
    Legacy {
        /// Which file.
        path: PathBuf,
    },
    /// The signature was made with a key that is not among the given ones.
    #[error("{path} was made with another key than {keys}", path = path.display())]
    OtherKey {
        /// Which file.
        path: PathBuf,
        /// The keys that it was tried with.
        keys: String,
    },
    /// The signature is not one of these bytes, or its trusted comment was changed.
    #[error(
        "the signature {path} does not fit: the component or the signature's trusted comment is not as it was signed", path = path.display()
    )]
    Mismatch {
        /// Which file.
        path: PathBuf,
    },
}

/// A key whose signatures are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    text: String,
    comment: Option<String>,
    key: PublicKey,
}

impl TrustedKey {
    /// A key as it stands on a line: minisign's base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = PublicKey::from_base64(text).ok()?;
        Some(Self {
            text: text.to_owned(),
            comment: None,
            key,
        })
    }

    /// What `--trusted-key` and `--public-key` take: a key itself, or a file with keys.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn from_argument(argument: &str) -> Result<Vec<Self>, TrustError> {
        match Self::parse(argument) {
            Some(key) => Ok(vec![key]),
            None => Self::from_file(Path::new(argument)),
        }
    }

    /// The keys of a file: minisign's own `.pub`, or many of them one after the other. Empty lines and those that begin with `#` are passed
    /// over.
    ///
    /// # Errors
    /// Where it can't be read, a line is no key, or there is none.
    pub fn from_file(path: &Path) -> Result<Vec<Self>, TrustError> {
        Self::list(&read(path)?, &path.display().to_string())
    }

    /// The keys of the list in a data directory; none where there is no list.
    ///
    /// # Errors
    /// As [`TrustedKey::from_file`], and where others may change the list.
    pub fn from_list(path: &Path) -> Result<Vec<Self>, TrustError> {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            #[cfg(unix)]
            Ok(metadata)
                if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o022
                    != 0 =>
            {
                return Err(TrustError::Writable {
                    path: path.to_owned(),
                });
            }
            _ => {}
        }
        Self::from_file(path)
    }

    fn list(text: &str, origin: &str) -> Result<Vec<Self>, TrustError> {
        let no_key = || TrustError::NoKey {
            origin: origin.to_owned(),
        };
        let mut keys = Vec::new();
        let mut above = None;
        for line in text.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix(COMMENT) {
                above = Some(comment.trim().to_owned());
            } else if !line.is_empty() && !line.starts_with('#') {
                let mut key = Self::parse(line).ok_or_else(no_key)?;
                key.comment = above.take();
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return Err(no_key());
        }
        Ok(keys)
    }

    /// The key itself, as minisign writes it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stood above it in its file; nobody vouches for it.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }
}

/// What is asked of a component before it is loaded.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Whether a component must be signed with a trusted key. The bundled one is a part of the runner, and trusted with it.
    pub required: bool,
    /// The keys that are believed.
    pub keys: Vec<TrustedKey>,
    /// Where the signature of the component is; none looks beside its file.
    pub signature: Option<PathBuf>,
}

/// How a component stands to the trusted keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is a part of the runner.
    Bundled,
    /// It was signed with a trusted key.
    Signed {
        /// The key.
        key: String,
        /// The signature's trusted comment, which the key vouches for.
        comment: String,
    },
    /// There is no signature.
    Unsigned,
    /// There is a signature, and no key to check it with.
    Unchecked {
        /// Where it is.
        signature: PathBuf,
    },
    /// There is a signature, and it does not count.
    Doubtful(TrustError),
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("part of host-runner"),
            Self::Signed { key, comment } if comment.is_empty() => write!(f, "good, by {key}"),
            Self::Signed { key, comment } => write!(f, "good, by {key} ({comment})"),
            Self::Unsigned => f.write_str("none"),
            Self::Unchecked { signature } => {
                write!(f, "{}, not checked: no key is trusted", signature.display())
            }
            Self::Doubtful(error) => write!(f, "DOES NOT COUNT: {error}"),
        }
    }
}

impl Trust {
    /// Judges a component's bytes. Where no signature is required, one that does not count refuses the component only if it was named with
    /// `signature`; else it is told.
    ///
    /// # Errors
    /// [`LoadError::Untrusted`].
    pub fn judge(&self, file: &ComponentFile, source: &Source) -> Result<Standing, LoadError> {
        let standing = match source {
            Source::Bundled if self.signature.is_none() => return Ok(Standing::Bundled),
            Source::File(path) => self.standing(file, Some(path)),
            Source::Bundled | Source::Bytes(..) => self.standing(file, None),
        };
        let strict = self.required || self.signature.is_some();
        match standing {
            Ok(standing) => Ok(standing),
            Err(error) if strict => Err(LoadError::Untrusted {
                name: file.name.clone(),
                error,
            }),
            Err(TrustError::Unsigned { .. }) => Ok(Standing::Unsigned),
            Err(TrustError::NoTrustedKey) => Ok(match source {
                Source::File(path) => Standing::Unchecked {
                    signature: beside(path),
                },
                _ => Standing::Unsigned,
            }),
            Err(error) => Ok(Standing::Doubtful(error)),
        }
    }

    fn standing(&self, file: &ComponentFile, path: Option<&Path>) -> Result<Standing, TrustError> {
        let signature = match (&self.signature, path) {
            (Some(signature), _) => signature.clone(),
            (None, Some(path)) => beside(path),
            (None, None) => {
                return Err(TrustError::Unsigned {
                    expected: "file beside it".to_owned(),
                });
            }
        };
        if self.signature.is_none() && !signature.exists() {
            return Err(TrustError::Unsigned {
                expected: signature.display().to_string(),
            });
        }
        let (key, comment) = check_signature(&file.bytes, &signature, &self.keys)?;
        Ok(Standing::Signed {
            key: key.text().to_owned(),
            comment,
        })
    }
}

/// Where a file's signature is by custom: beside it, as minisign puts it.
#[must_use]
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

/// Checks some bytes against a signature's file. Gives the key that made it, and the trusted comment.
///
/// # Errors
/// What is wrong with the signature.
pub fn check_signature<'a>(
    bytes: &[u8],
    path: &Path,
    keys: &'a [TrustedKey],
) -> Result<(&'a TrustedKey, String), TrustError> {
    if keys.is_empty() {
        return Err(TrustError::NoTrustedKey);
    }
    let text = read(path)?;
    let signature = Signature::decode(&text).map_err(|_| TrustError::NoSignature {
        path: path.to_owned(),
    })?;
    let mut mismatch = false;
    for key in keys {
        match key.key.verify(bytes, &signature, false) {
            Ok(()) => return Ok((key, signature.trusted_comment().to_owned())),
            Err(Error::UnexpectedKeyId) => {}
            Err(Error::UnexpectedAlgorithm | Error::UnsupportedLegacyMode) => {
                return Err(TrustError::Legacy {
                    path: path.to_owned(),
                });
            }
            // Another key may bear the same id.
            Err(_) => mismatch = true,
        }
    }
    if mismatch {
        return Err(TrustError::Mismatch {
            path: path.to_owned(),
        });
    }
    Err(TrustError::OtherKey {
        path: path.to_owned(),
        keys: keys
            .iter()
            .map(TrustedKey::text)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn read(path: &Path) -> Result<String, TrustError> {
    let unreadable = |reason: String| TrustError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(unreadable("it is too large".to_owned()));
    }
    Ok(text)
}

#[cfg(test)]
pub(crate) mod publisher;
#[cfg(test)]
mod tests;
