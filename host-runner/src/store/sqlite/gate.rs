//! Who works with a tenant's data, across processes: all who do hold its gate together, and whoever erases it holds it alone.
//!
//! The lock is the operating system's, on a file in the tenant's folder of locks, and ends with the process. The file goes with the tenant, so whoever has
//! got it looks whether it is still the one in the folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::from_io;
use super::stores::private_folder;
use crate::domain::TenantName;
use crate::store::StoreError;

/// The gate's file in a tenant's folder of locks.
const FILE: &str = "tenant.lock";
/// How often the file may go while it is being locked.
const ATTEMPTS: u32 = 100;

/// A tenant's gate. It is free again as soon as this is dropped.
#[derive(Debug)]
pub(super) struct Gate {
    file: File,
}

impl Drop for Gate {
    fn drop(&mut self) {
        // The lock goes with the file in any case.
        let _ = self.file.unlock();
    }
}

/// Takes a place among those who work with the tenant. `locks` is the tenant's folder of locks.
pub(super) fn enter(locks: &Path, tenant: &TenantName) -> Result<Gate, StoreError> {
    take(locks, tenant, "being erased", File::try_lock_shared)
}

/// Takes the tenant for oneself alone.
pub(super) fn close(locks: &Path, tenant: &TenantName) -> Result<Gate, StoreError> {
    take(locks, tenant, "in use", File::try_lock)
}

fn take(
    locks: &Path,
    tenant: &TenantName,
    otherwise: &'static str,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Gate, StoreError> {
    let path = locks.join(FILE);
    let failed = |error| from_io(&path, &error);
    let busy = || StoreError::TenantBusy {
        tenant: tenant.clone(),
        doing: otherwise,
    };
    for _ in 0..ATTEMPTS {
        private_folder(locks)?;
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = match opened {
            Ok(file) => file,
            // The folder went between the two lines above.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy()),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if is_at(&file, &path) {
            return Ok(Gate { file });
        }
    }
    Err(busy())
}

/// Whether the file is still the one at this path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(opened), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        opened.dev() == there.dev() && opened.ino() == there.ino()
    }
    #[cfg(not(unix))]
    {
        opened.is_file() && there.is_file()
    }
}
