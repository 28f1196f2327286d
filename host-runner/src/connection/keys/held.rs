//! A keyring that no rotation changes while it is in use.

use std::ops::Deref;
use std::path::Path;

use crate::secrets::{KeyLock, Keyring, KeyringError};

/// The master keys, and the promise that they are the ones in force until this is dropped: a rotation waits for that.
///
/// Held from before a secret is read until it is opened, and from before it is sealed until it is committed; never while something else is waited
/// for, such as an API.
#[derive(Debug)]
#[must_use = "a rotation may change the keys as soon as this is dropped"]
pub struct HeldKeyring {
    keyring: Keyring,
    _lock: KeyLock,
}

impl HeldKeyring {
    /// Those of a data directory. The first use makes one. Waits while they are rotated.
    ///
    /// # Errors
    /// Where there is none that can be used.
    pub async fn open(data: &Path) -> Result<Self, KeyringError> {
        let lock = KeyLock::together(data).await?;
        Ok(Self {
            // Read under the lock, and never before.
            keyring: Keyring::open(data)?,
            _lock: lock,
        })
    }
}

impl Deref for HeldKeyring {
    type Target = Keyring;

    fn deref(&self) -> &Keyring {
        &self.keyring
    }
}
