//! A copy of a tenant's data to try a sync on: all that it would do happens there, and goes with it.
//!
//! Copies stand in a folder of the data directory that only this user can read. Each has a lock beside it that ends with the process, so that the
//! next sync knows which ones a killed process left behind.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::error::from_io;
use super::stores::private_folder;
use super::{SqliteStore, Stores};
use crate::store::{Store, StoreError};

/// The folder of copies in the data directory.
const FOLDER: &str = "trials";
/// The ending of a copy's lock.
const LOCK: &str = "lock";
/// How many names are tried: each may be taken, or be cleared away by another process at the same moment.
const NAMES: u32 = 1_000;

/// A copy of a tenant's data. It is deleted when this is dropped, or by the next sync if the process is killed.
#[derive(Debug)]
pub struct Trial {
    /// The copy.
    pub store: SqliteStore,
    place: Place,
}

impl Stores {
    /// Copies a tenant's data as it is now. That takes as much room as the data themselves, and a second or so for each 100 MB.
    ///
    /// # Errors
    /// Where there is no room, or the data directory can't be written to.
    pub async fn trial(&self, store: &SqliteStore) -> Result<Trial, StoreError> {
        self.clear_trials()?;
        let place = Place::take(&self.data().join(FOLDER))?;
        let copies = Stores::new(&place.folder);
        let file = copies.prepare(store.tenant())?;
        // Makes the file; what others commit meanwhile is in it whole or not at all.
        sqlx::query("VACUUM INTO ?1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&store.inner.readers)
            .await
            .map_err(|error| super::error::explain(&file, error))?;
        Ok(Trial {
            store: copies.open(store.tenant()).await?,
            place,
        })
    }

    /// Deletes copies that killed processes left behind.
    ///
    /// # Errors
    /// Where one can't be deleted.
    pub fn clear_trials(&self) -> Result<(), StoreError> {
        let folder = self.data().join(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(from_io(&folder, &error)),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != LOCK) {
                continue;
            }
            let Ok(lock) = OpenOptions::new().write(true).open(&path) else {
                // It went meanwhile.
                continue;
            };
            if lock.try_lock().is_ok() {
                Place {
                    folder: path.with_extension(""),
                    lock,
                }
                .clear()?;
            }
        }
        Ok(())
    }
}

impl Trial {
    /// Where the copy is.
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }
}

/// A folder that is taken for one process.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    lock: File,
}

impl Place {
    fn take(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder)?;
        let mut name = 0;
        loop {
            name += 1;
            let place = folder.join(format!("{}-{name}", std::process::id()));
            let lock = place.with_extension(LOCK);
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                // Else another process has just taken it for one left behind.
                Ok(file) if file.try_lock().is_ok() => {
                    private_folder(&place)?;
                    return Ok(Self {
                        folder: place,
                        lock: file,
                    });
                }
                Ok(_) if name < NAMES => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && name < NAMES => {}
                Ok(_) => {
                    let taken = io::Error::from(io::ErrorKind::AlreadyExists);
                    return Err(from_io(&lock, &taken));
                }
                Err(error) => return Err(from_io(&lock, &error)),
            }
        }
    }

    /// Deletes the folder, then the lock.
    fn clear(&self) -> Result<(), StoreError> {
        for (path, removed) in [
            (&self.folder, fs::remove_dir_all(&self.folder)),
            (
                &self.folder.with_extension(LOCK),
                fs::remove_file(self.folder.with_extension(LOCK)),
            ),
        ] {
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(from_io(path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be deleted now is by the next sync.
        let _ = self.clear();
        let _ = self.lock.unlock();
    }
}
