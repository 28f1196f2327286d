//! The tenants of a data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::from_io;
use super::open::open;
use super::{Inner, SqliteStore};
use crate::domain::{TenantName, make_private_folder};
use crate::store::{StoreError, lock};

/// The ending of a tenant's file.
const ENDING: &str = "db";

/// The tenants of a data directory.
#[derive(Debug, Clone)]
pub struct Stores {
    data: PathBuf,
}

impl Stores {
    /// Those of this directory. Touches nothing yet.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into() }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Opens a tenant's store.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTenant`] where there is none, and whatever is wrong with its file.
    pub async fn open(&self, tenant: &TenantName) -> Result<SqliteStore, StoreError> {
        let file = self.file(tenant);
        match fs::metadata(&file) {
            Ok(_) => self.connect(tenant, file, false).await,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::NoSuchTenant {
                    tenant: tenant.clone(),
                    data: self.data.clone(),
                    known: self.tenants()?,
                })
            }
            Err(error) => Err(from_io(&file, &error)),
        }
    }

    /// Opens a tenant's store and makes it where there is none. Folders that it makes are for this user alone.
    ///
    /// # Errors
    /// Whatever is wrong with the directory or the file.
    pub async fn create(&self, tenant: &TenantName) -> Result<SqliteStore, StoreError> {
        private_folder(&self.data)?;
        private_folder(&self.folder())?;
        self.connect(tenant, self.file(tenant), true).await
    }

    /// Where a tenant's file is to be made, its folder there.
    pub(super) fn prepare(&self, tenant: &TenantName) -> Result<PathBuf, StoreError> {
        private_folder(&self.folder())?;
        Ok(self.file(tenant))
    }

    /// All tenants that have a file here, by name.
    ///
    /// # Errors
    /// Where the directory can't be read; one that does not exist has no tenants.
    pub fn tenants(&self) -> Result<Vec<TenantName>, StoreError> {
        let folder = self.folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(from_io(&folder, &error)),
        };
        let mut tenants = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| from_io(&folder, &error))?.path();
            if path.extension().is_some_and(|ending| ending == ENDING)
                && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
                && let Ok(tenant) = TenantName::new(name)
            {
                tenants.push(tenant);
            }
        }
        tenants.sort();
        Ok(tenants)
    }

    /// Erases all of a tenant; whether there was anything.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while one of its connections is being synced.
    pub fn purge(&self, tenant: &TenantName) -> Result<bool, StoreError> {
        let locks = self.locks(tenant);
        let held = lock::take_all(&locks)?;
        let file = self.file(tenant);
        let mut erased = false;
        for ending in ["-wal", "-shm", ""] {
            let mut path = file.clone().into_os_string();
            path.push(ending);
            erased |= remove(Path::new(&path))?;
        }
        drop(held);
        match fs::remove_dir_all(&locks) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(from_io(&locks, &error)),
        }
        Ok(erased)
    }

    async fn connect(
        &self,
        tenant: &TenantName,
        file: PathBuf,
        create: bool,
    ) -> Result<SqliteStore, StoreError> {
        let (writer, readers) = open(&file, create).await?;
        Ok(SqliteStore {
            inner: Arc::new(Inner {
                tenant: tenant.clone(),
                locks: self.locks(tenant),
                file,
                writer,
                readers,
            }),
        })
    }

    fn folder(&self) -> PathBuf {
        self.data.join("tenants")
    }

    fn file(&self, tenant: &TenantName) -> PathBuf {
        self.folder().join(format!("{tenant}.{ENDING}"))
    }

    fn locks(&self, tenant: &TenantName) -> PathBuf {
        self.data.join("locks").join(tenant.as_str())
    }
}

fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(from_io(path, &error)),
    }
}

/// Makes a folder, with those above it, that others can't read.
pub(super) fn private_folder(path: &Path) -> Result<(), StoreError> {
    make_private_folder(path).map_err(|error| from_io(path, &error))
}
