//! Who uses the master keys now: many who seal and open, or one who rotates.
//!
//! A secret that is sealed while a rotation is under way could be sealed with the key that the rotation is about to forget. So whoever seals
//! or opens holds the keys together with others from reading them until the secret is committed, and a rotation holds them alone. The lock is
//! the operating system's, on a file of the data directory: it ends with the process, however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::KeyringError;
use crate::domain::make_private_folder;

/// The lock's file in the data directory. It holds nothing.
pub const LOCK_FILE: &str = "keys.lock";

/// How long to wait for others. A rotation takes milliseconds per tenant, sealing a secret less.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often to look. The system's own waiting would keep a thread for itself and has no end.
const PAUSE: Duration = Duration::from_millis(10);

/// Holds the keys until it is dropped or the process ends.
#[derive(Debug)]
#[must_use = "the keys are free again as soon as this is dropped"]
pub struct KeyLock {
    file: File,
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        // The lock goes with the file in any case; unlocking says it at once, also where a child inherited the file.
        let _ = self.file.unlock();
    }
}

impl KeyLock {
    /// Holds the keys of a data directory together with others who seal and open. Waits while they are rotated.
    ///
    /// # Errors
    /// [`KeyringError::Busy`] where that takes a minute; where the file can't be made.
    pub async fn together(data: &Path) -> Result<Self, KeyringError> {
        Self::take(data, File::try_lock_shared, PATIENCE).await
    }

    /// Holds them alone. Waits while others seal and open.
    ///
    /// # Errors
    /// [`KeyringError::Busy`] where that takes a minute; where the file can't be made.
    pub async fn alone(data: &Path) -> Result<Self, KeyringError> {
        Self::take(data, File::try_lock, PATIENCE).await
    }

    async fn take(
        data: &Path,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
        patience: Duration,
    ) -> Result<Self, KeyringError> {
        let path = data.join(LOCK_FILE);
        let failed = |error| KeyringError::File {
            path: path.clone(),
            verb: "locked",
            error,
        };
        make_private_folder(data).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Whoever can open it can keep it locked.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        let until = Instant::now() + patience;
        loop {
            match lock(&file) {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => return Err(KeyringError::Busy),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn at_once(data: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> bool {
        KeyLock::take(data, lock, Duration::ZERO).await.is_ok()
    }

    #[tokio::test]
    async fn many_hold_the_keys_together_and_nobody_while_they_are_held_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("not-there-yet");
        let one = KeyLock::together(&data).await.unwrap();
        assert!(at_once(&data, File::try_lock_shared).await);
        assert!(!at_once(&data, File::try_lock).await);
        drop(one);
        let alone = KeyLock::alone(&data).await.unwrap();
        assert!(!at_once(&data, File::try_lock_shared).await);
        assert!(!at_once(&data, File::try_lock).await);
        drop(alone);
        assert!(at_once(&data, File::try_lock).await);
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_keys_as_soon_as_they_are_free() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let alone = KeyLock::alone(&data).await.unwrap();
        let waiting = tokio::spawn(async move { KeyLock::together(&data).await.map(drop) });
        tokio::task::yield_now().await;
        drop(alone);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let _alone = KeyLock::alone(folder.path()).await.unwrap();
        let refused = KeyLock::together(folder.path()).await;
        assert!(matches!(refused, Err(KeyringError::Busy)));
    }
}
