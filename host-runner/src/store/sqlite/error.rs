//! What SQLite says, in the store's terms.

use std::io;
use std::path::Path;

use crate::store::StoreError;

/// SQLite's primary result codes, <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

/// What an error of the database means to whoever uses the store.
pub(super) fn explain(file: &Path, error: sqlx::Error) -> StoreError {
    let reason = error.to_string();
    let path = file.to_owned();
    match &error {
        sqlx::Error::Io(error) => from_io(file, error),
        sqlx::Error::PoolTimedOut => StoreError::Locked { file: path },
        sqlx::Error::Database(database) => {
            // Extended codes carry the primary one in their lowest byte.
            let primary = database
                .code()
                .and_then(|text| text.parse::<i32>().ok())
                .map(|code| code & 0xff);
            match primary {
                Some(code::FULL) => StoreError::DiskFull { file: path },
                Some(code::BUSY | code::LOCKED) => StoreError::Locked { file: path },
                Some(code::IOERR) => StoreError::Io { path, reason },
                Some(code::PERM | code::READONLY | code::CANTOPEN) => {
                    StoreError::NoAccess { path, reason }
                }
                Some(code::NOTADB) => StoreError::NotADatabase { file: path, reason },
                Some(code::CORRUPT) => StoreError::Damaged { file: path, reason },
                _ => StoreError::Database { file: path, reason },
            }
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
            StoreError::Damaged { file: path, reason }
        }
        _ => StoreError::Database { file: path, reason },
    }
}

/// What an error of the file system means.
pub(super) fn from_io(path: &Path, error: &io::Error) -> StoreError {
    let reason = error.to_string();
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::DiskFull { file: path }
        }
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory => StoreError::NoAccess { path, reason },
        _ => StoreError::Io { path, reason },
    }
}
