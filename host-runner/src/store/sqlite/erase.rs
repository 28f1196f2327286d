//! Erases a tenant.
//!
//! First a mark is put beside its file, then all of it goes, then the mark. A process that is killed in between leaves the mark, and with it an erasure
//! that whoever comes next finishes before doing anything else with the tenant ([`Stores::finish_purges`], opening it, making it anew).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::from_io;
use super::{Stores, gate};
use crate::domain::TenantName;
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{StoreError, lock};

/// The ending of the mark.
pub(super) const MARK: &str = "purge";
/// What SQLite puts behind a file's name for the files beside it; the file itself is the last.
pub(super) const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ""];

impl Stores {
    /// Erases all of a tenant; whether there was anything.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while one of its connections is being synced, [`StoreError::TenantBusy`] while anybody else works with it. Nothing is
    /// erased then.
    pub fn purge(&self, tenant: &TenantName) -> Result<bool, StoreError> {
        if self.parts(tenant)?.is_empty() {
            return Ok(false);
        }
        self.clear_trials()?;
        // Whoever syncs is told by name before the gate says that it is somebody.
        let held = lock::take_all(&self.locks(tenant))?;
        let alone = gate::close(&self.locks(tenant), tenant)?;
        let mark = self.mark(tenant);
        super::stores::private_folder(&self.folder())?;
        File::create(&mark)
            .and_then(|file| file.sync_all())
            .map_err(|error| from_io(&mark, &error))?;
        sync_folder(&self.folder());
        reach(CommitPoint::PurgeMarked);
        self.erase(tenant)?;
        drop((held, alone));
        Ok(true)
    }

    /// Finishes erasures that a killed process left half done: whose they were. One that is going on is left alone.
    ///
    /// # Errors
    /// Where something can't be erased.
    pub fn finish_purges(&self) -> Result<Vec<TenantName>, StoreError> {
        let mut finished = Vec::new();
        for tenant in self.named(MARK)? {
            match self.finish_purge(&tenant) {
                Ok(()) => finished.push(tenant),
                Err(StoreError::TenantBusy { .. } | StoreError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(finished)
    }

    /// Finishes one of them.
    pub(super) fn finish_purge(&self, tenant: &TenantName) -> Result<(), StoreError> {
        let alone = gate::close(&self.locks(tenant), tenant)?;
        // Another may have finished it meanwhile, and a new tenant of that name may stand there.
        if self.is_marked(tenant) {
            self.erase(tenant)?;
        }
        drop(alone);
        Ok(())
    }

    /// Whether an erasure was begun.
    pub(super) fn is_marked(&self, tenant: &TenantName) -> bool {
        fs::symlink_metadata(self.mark(tenant)).is_ok()
    }

    /// The files and folders of a tenant that are there, with the bytes of each.
    ///
    /// # Errors
    /// Where the data directory can't be read.
    pub fn parts(&self, tenant: &TenantName) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        let mut parts = Vec::new();
        let mut paths = self.files(tenant);
        paths.push(self.mark(tenant));
        paths.push(self.locks(tenant));
        for path in paths {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => parts.push((path, 0)),
                Ok(found) => parts.push((path, found.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(from_io(&path, &error)),
            }
        }
        Ok(parts)
    }

    fn files(&self, tenant: &TenantName) -> Vec<PathBuf> {
        let file = self.file(tenant);
        BESIDE
            .iter()
            .map(|ending| {
                let mut path = file.clone().into_os_string();
                path.push(ending);
                PathBuf::from(path)
            })
            .collect()
    }

    fn erase(&self, tenant: &TenantName) -> Result<(), StoreError> {
        for path in self.files(tenant) {
            remove(&path)?;
            reach(CommitPoint::PurgeFile);
        }
        let locks = self.locks(tenant);
        match fs::remove_dir_all(&locks) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(from_io(&locks, &error)),
        }
        reach(CommitPoint::PurgeFile);
        // What is erased stays erased, also if the machine loses power: the mark goes last.
        sync_folder(&self.folder());
        remove(&self.mark(tenant))?;
        sync_folder(&self.folder());
        Ok(())
    }

    fn mark(&self, tenant: &TenantName) -> PathBuf {
        self.folder().join(format!("{tenant}.{MARK}"))
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::symlink_metadata(path) {
        // Whatever stands in a tenant's place goes; what a link leads to is none of ours.
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        _ => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(from_io(path, &error)),
        _ => Ok(()),
    }
}

/// Has the folder's entries reach the disk, where the system can do that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
