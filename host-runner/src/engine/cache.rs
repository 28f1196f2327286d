//! Compiled components on disk.
//!
//! What is in here is trusted as the runner itself is: the folder is the runner's own and closed to others. A file's name holds
//! the component's SHA-256 and the engine's compatibility hash, so that neither a changed component nor another engine
//! ever meets a stale one.

use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use wasmtime::Engine;

/// Where compiled components are kept.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the folder, making it where it is missing, closed to others.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        // The data directory may be made by this too.
        crate::domain::make_private_folder(folder)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    /// The file for this component under this engine.
    pub(crate) fn path(&self, sha256: &str, engine: &Engine) -> PathBuf {
        // A fixed hasher: std's default one is seeded alike in every process.
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder
            .join(format!("{sha256}-{:016x}.cwasm", hasher.finish()))
    }

    /// Puts compiled bytes in place, at once or not at all.
    pub(crate) fn store(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        io::Write::write_all(&mut file, compiled)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}
