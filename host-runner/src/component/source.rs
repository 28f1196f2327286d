//! Where a component comes from, and its bytes' fingerprint.

use super::LoadError;
use crate::domain::sha256_hex;
use crate::engine::{LimitReached, Limits};
use std::borrow::Cow;
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
    /// Reads the component.
    pub fn read(&self, limits: &Limits) -> Result<ComponentFile, LoadError> {
        let (name, bytes): (String, Cow<'static, [u8]>) = match self {
            Source::Bundled => ("the bundled connector".to_owned(), Cow::Borrowed(BUNDLED)),
            Source::Bytes(name, bytes) => (name.clone(), Cow::Owned(bytes.clone())),
            Source::File(path) => {
                let unreadable = |error| LoadError::Unreadable {
                    path: path.clone(),
                    error,
                };
                let name = path.display().to_string();
                let size = std::fs::metadata(path).map_err(unreadable)?.len();
                check_size(&name, size, limits)?;
                (name, Cow::Owned(std::fs::read(path).map_err(unreadable)?))
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
    if bytes > limits.component_mib << 20 {
        return Err(LoadError::Limit {
            name: name.to_owned(),
            reached: LimitReached::of(limits, "component"),
        });
    }
    Ok(())
}
