//! Where a component comes from, and its bytes' fingerprint.

use super::LoadError;
use crate::domain::sha256_hex;
use crate::engine::{LimitReached, Limits};
use std::borrow::Cow;
use std::io::Read;
use std::path::PathBuf;

/// The connector that the runner was built with.
static BUNDLED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/connector.wasm"));

/// Which component to load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// The one that the runner was built with.
    #[default]
    Bundled,
    /// A file.
    File(PathBuf),
    /// Bytes, for tests and embedders; the name is for messages.
    Bytes(String, Vec<u8>),
}

/// A component's bytes, read once, so that what is judged is what is run.
#[derive(Debug, Clone)]
pub struct ComponentFile {
    /// For messages.
    pub name: String,
    /// The bytes.
    pub bytes: Cow<'static, [u8]>,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
}

impl Source {
    /// Reads the component, once: whatever judges, hashes or compiles it works on these bytes.
    ///
    /// # Errors
    /// Where it can't be read or is too large.
    pub fn read(&self, limits: &Limits) -> Result<ComponentFile, LoadError> {
        let (name, bytes): (String, Cow<'static, [u8]>) = match self {
            Source::Bundled => ("the bundled connector".to_owned(), Cow::Borrowed(BUNDLED)),
            Source::Bytes(name, bytes) => (name.clone(), Cow::Owned(bytes.clone())),
            Source::File(path) => {
                let unreadable = |error| LoadError::Unreadable {
                    path: path.clone(),
                    error,
                };
                // One more byte than may be tells that there are too many, whatever the file's size is said to be.
                let most = limits
                    .component_mib
                    .saturating_mul(1 << 20)
                    .saturating_add(1);
                let mut bytes = Vec::new();
                std::fs::File::open(path)
                    .and_then(|file| file.take(most).read_to_end(&mut bytes))
                    .map_err(unreadable)?;
                (path.display().to_string(), Cow::Owned(bytes))
            }
        };
        check_size(&name, bytes.len() as u64, limits)?;
        let sha256 = sha256_hex(&bytes);
        Ok(ComponentFile {
            name,
            bytes,
            sha256,
        })
    }
}

fn check_size(name: &str, bytes: u64, limits: &Limits) -> Result<(), LoadError> {
    if bytes > limits.component_mib.saturating_mul(1 << 20) {
        return Err(LoadError::Limit {
            name: name.to_owned(),
            reached: LimitReached::of(limits, "component"),
        });
    }
    Ok(())
}
