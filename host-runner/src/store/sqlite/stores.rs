//! The tenants of a data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::erase::BESIDE;
use super::error::from_io;
use super::gate::{self, Gate};
use super::open::open;
use super::{Inner, SqliteStore};
use crate::domain::{TenantName, make_private_folder};
use crate::store::StoreError;

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
    /// [`StoreError::NoSuchTenant`] where there is none, [`StoreError::TenantBusy`] while it is being erased, and whatever is wrong with its file.
    pub async fn open(&self, tenant: &TenantName) -> Result<SqliteStore, StoreError> {
        let file = self.file(tenant);
        let gate = loop {
            if self.is_marked(tenant) {
                self.finish_purge(tenant)?;
            }
            match fs::symlink_metadata(&file) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(StoreError::NoSuchTenant {
                        tenant: tenant.clone(),
                        data: self.data.clone(),
                        known: self.tenants()?,
                    });
                }
                Err(error) => return Err(from_io(&file, &error)),
            }
            // It may be erased until the gate is held.
            let gate = gate::enter(&self.locks(tenant), tenant)?;
            if !self.is_marked(tenant) {
                break gate;
            }
        };
        self.connect(tenant, file, false, gate).await
    }

    /// Opens a tenant's store and makes it where there is none. Folders and files that it makes are for this user alone.
    ///
    /// # Errors
    /// As for [`Stores::open`], but for a tenant that is not there.
    pub async fn create(&self, tenant: &TenantName) -> Result<SqliteStore, StoreError> {
        private_folder(&self.data)?;
        private_folder(&self.folder())?;
        let gate = loop {
            if self.is_marked(tenant) {
                self.finish_purge(tenant)?;
            }
            let gate = gate::enter(&self.locks(tenant), tenant)?;
            if !self.is_marked(tenant) {
                break gate;
            }
        };
        self.connect(tenant, self.file(tenant), true, gate).await
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
        let mut tenants = self.named(ENDING)?;
        tenants.retain(|tenant| !self.is_marked(tenant));
        Ok(tenants)
    }

    /// The tenants that have a file with this ending, by name.
    pub(super) fn named(&self, wanted: &str) -> Result<Vec<TenantName>, StoreError> {
        let folder = self.folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(from_io(&folder, &error)),
        };
        let mut tenants = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| from_io(&folder, &error))?.path();
            if path.extension().is_some_and(|ending| ending == wanted)
                && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
                && let Ok(tenant) = TenantName::new(name)
            {
                tenants.push(tenant);
            }
        }
        tenants.sort();
        Ok(tenants)
    }

    async fn connect(
        &self,
        tenant: &TenantName,
        file: PathBuf,
        create: bool,
        gate: Gate,
    ) -> Result<SqliteStore, StoreError> {
        own(&file)?;
        if create {
            make_private(&file)?;
        }
        close_to_others(&self.folder(), 0o700);
        close_to_others(&file, 0o600);
        let (writer, readers) = open(&file, create).await?;
        Ok(SqliteStore {
            inner: Arc::new(Inner {
                tenant: tenant.clone(),
                locks: self.locks(tenant),
                file,
                writer,
                readers,
                _gate: gate,
            }),
        })
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.data.join("tenants")
    }

    pub(super) fn file(&self, tenant: &TenantName) -> PathBuf {
        self.folder().join(format!("{tenant}.{ENDING}"))
    }

    pub(super) fn locks(&self, tenant: &TenantName) -> PathBuf {
        self.data.join("locks").join(tenant.as_str())
    }
}

/// A tenant's file, and those beside it, stand in the folder themselves: a link would lead to another tenant's data, say.
fn own(file: &Path) -> Result<(), StoreError> {
    for ending in BESIDE {
        let mut path = file.as_os_str().to_owned();
        path.push(ending);
        let path = PathBuf::from(path);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_symlink()) {
            return Err(StoreError::NotADatabase {
                file: path,
                reason: "it is a symbolic link, which might lead to another tenant's data"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// Makes an empty file that others can't read, where there is none: SQLite would let everybody read it, and gives those beside it the same mode.
fn make_private(file: &Path) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(from_io(file, &error)),
        _ => Ok(()),
    }
}

/// Takes away what others may do with a file or folder that an earlier version, or a backup, left open to them.
fn close_to_others(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = fs::symlink_metadata(path)
            .is_ok_and(|found| !found.is_symlink() && found.permissions().mode() & 0o077 != 0);
        if open && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
            tracing::warn!("others may read {}: {error}", path.display());
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// Makes a folder, with those above it, that others can't read.
pub(super) fn private_folder(path: &Path) -> Result<(), StoreError> {
    make_private_folder(path).map_err(|error| from_io(path, &error))
}
