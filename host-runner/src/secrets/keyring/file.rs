//! The file that keeps the master keys: for its owner only, replaced whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

use super::{KEY_FILE, KeyringError, LONGEST, MasterKey};
use crate::domain::make_private_folder;

/// What the name of a file begins with that is still being written. Nobody can guess the rest.
const STAGED: &str = ".master.key.";

/// The permissions of the key's file and of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// The file's.
    pub file: u32,
    /// The folder's.
    pub folder: u32,
}

impl Modes {
    /// Those of this file; none where it is not there, or the system has no such permissions.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<Self> {
        Some(Self {
            file: mode(&fs::metadata(path).ok()?),
            folder: mode(&fs::metadata(folder(path)).ok()?),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Path) -> Option<Self> {
        None
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The file's text, or none where there is no file. Refused where others can read it, or could have put it there.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let failed = |error| KeyringError::File {
        path: path.to_owned(),
        verb: "read",
        error,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Asked of the open file, so that nobody can change it between the question and the reading.
    #[cfg(unix)]
    {
        let mode = mode(&file.metadata().map_err(failed)?);
        if mode & 0o077 != 0 {
            return Err(KeyringError::Permissions {
                path: path.to_owned(),
                mode,
            });
        }
    }
    check_folder(path)?;
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(Some(text))
}

/// Refuses a folder in which others could put another key in this one's place.
#[cfg_attr(
    not(unix),
    expect(clippy::unnecessary_wraps, reason = "no such permissions there")
)]
fn check_folder(path: &Path) -> Result<(), KeyringError> {
    #[cfg(unix)]
    {
        let folder = folder(path);
        let metadata = fs::metadata(folder).map_err(|error| KeyringError::File {
            path: folder.to_owned(),
            verb: "read",
            error,
        })?;
        let mode = mode(&metadata);
        if mode & 0o022 != 0 {
            return Err(KeyringError::Folder {
                path: folder.to_owned(),
                mode,
            });
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Keys that are written beside the file that they are to become.
#[derive(Debug)]
pub(super) struct StagedFile {
    file: NamedTempFile,
    path: PathBuf,
}

/// Writes keys into a file of its own beside the real one.
pub(super) fn stage<'a>(
    path: &Path,
    keys: impl Iterator<Item = &'a MasterKey>,
) -> Result<StagedFile, KeyringError> {
    let failed = |error| written(path, error);
    make_private_folder(folder(path)).map_err(failed)?;
    check_folder(path)?;
    // It is readable by its owner only from the start.
    let mut file = tempfile::Builder::new()
        .prefix(STAGED)
        .tempfile_in(folder(path))
        .map_err(failed)?;
    for key in keys {
        file.write_all(key.to_line().as_bytes()).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    Ok(StagedFile {
        file,
        path: path.to_owned(),
    })
}

impl StagedFile {
    /// Puts it in the place of the file that is there.
    pub(super) fn replace(self) -> Result<(), KeyringError> {
        let Self { file, path } = self;
        file.persist(&path)
            .map_err(|error| written(&path, error.error))?;
        settle(&path)
    }

    /// Puts it in its place where nothing is.
    pub(super) fn place_new(self) -> Result<(), KeyringError> {
        let Self { file, path } = self;
        file.persist_noclobber(&path)
            .map_err(|error| written(&path, error.error))?;
        settle(&path)
    }
}

/// Waits until the disk has the new name. Else a crash could leave secrets behind that are sealed with a key which is not.
fn settle(path: &Path) -> Result<(), KeyringError> {
    #[cfg(unix)]
    File::open(folder(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|error| written(path, error))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Removes what processes left behind that were killed while they wrote keys. Only for whoever holds the keys alone.
pub(super) fn clear_leftovers(path: &Path) -> Result<(), KeyringError> {
    debug_assert!(path.ends_with(KEY_FILE));
    let entries = fs::read_dir(folder(path)).map_err(|error| written(path, error))?;
    for entry in entries.flatten() {
        let left_behind = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(STAGED));
        if left_behind {
            fs::remove_file(entry.path()).map_err(|error| written(&entry.path(), error))?;
        }
    }
    Ok(())
}

fn written(path: &Path, error: io::Error) -> KeyringError {
    KeyringError::File {
        path: path.to_owned(),
        verb: "written",
        error,
    }
}
