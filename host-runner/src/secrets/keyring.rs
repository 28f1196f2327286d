//! The master key: where it comes from, and the tenants' keys that are made from it.
//!
//! In this order: the environment variable `HOST_RUNNER_MASTER_KEY`, the output of the command in
//! `HOST_RUNNER_MASTER_KEY_COMMAND`, the file `master.key` in the data directory, which is made on first use. Each may hold
//! several keys, one per line: the first seals, all open, which is what a rotation needs while it is under way.

mod command;
mod file;
mod master;

use std::env::VarError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

pub use self::file::Modes;
pub use self::master::{KeyId, MasterKey};

/// The environment variable that may hold the master key.
pub const KEY_VARIABLE: &str = "HOST_RUNNER_MASTER_KEY";
/// The environment variable that may hold a command that prints it.
pub const COMMAND_VARIABLE: &str = "HOST_RUNNER_MASTER_KEY_COMMAND";
/// The file's name in the data directory.
pub const KEY_FILE: &str = "master.key";

/// More than any number of keys that a rotation leaves behind.
const LONGEST: u64 = 16 << 10;

/// Why there is no master key. Never holds one.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// What should be a key is none.
    #[error(
        "{from} holds no master key: each line must be 32 bytes as 64 hexadecimal digits or as Base64"
    )]
    Malformed {
        /// Where it was read.
        from: String,
    },
    /// The file's permissions let others read it.
    #[error(
        "the master key {path} can be read or changed by other users (mode {mode:04o}); run `chmod 600` on it, and consider `keys rotate`"
    )]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The folder's permissions let others put another key there.
    #[error(
        "the folder {path} with the master key can be written to by other users (mode {mode:04o}), who could put another key there; run `chmod 700` on it"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file can't be read or written.
    #[error("the master key {path} can't be {verb}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// "read", "written".
        verb: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The command failed.
    #[error("the command in HOST_RUNNER_MASTER_KEY_COMMAND gave no key: {0}")]
    Command(String),
    /// The system gave no random bytes.
    #[error("the system's random number generator failed; no master key was made")]
    Random,
    /// The key is not ours to replace.
    #[error(
        "the master key comes from {from}, which host-runner can't write: put a new key on a line before the old one there and run `keys rotate` again; it says when the old one can be taken away"
    )]
    Foreign {
        /// Where it comes from.
        from: &'static str,
    },
    /// Another process has the keys to itself, or uses them for too long.
    #[error(
        "the master keys are in use by another process (`keys rotate`, or a command that seals a secret): try again when it is done"
    )]
    Busy,
}

/// The master keys that are here: the first seals, all open.
#[derive(Clone, Debug)]
pub struct Keyring {
    current: MasterKey,
    former: Vec<MasterKey>,
    source: KeySource,
}

/// Where a keyring came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The environment variable [`KEY_VARIABLE`].
    Variable,
    /// The command in [`COMMAND_VARIABLE`].
    Command,
    /// A file of the runner's own.
    File(PathBuf),
    /// Whoever uses this library.
    Caller,
}

/// A keyring that is about to replace another: written where it is to be kept, and not in force yet.
#[derive(Debug)]
#[must_use = "nothing is replaced until it is put in place"]
pub struct Staged {
    keyring: Keyring,
    file: Option<file::StagedFile>,
}

impl Staged {
    /// Puts it in force, at once or not at all.
    ///
    /// # Errors
    /// Where its file can't be replaced: the old one stays then.
    pub fn place(self) -> Result<Keyring, KeyringError> {
        if let Some(file) = self.file {
            file.replace()?;
        }
        Ok(self.keyring)
    }
}

impl Keyring {
    /// The keys for a data directory, from the environment, the command or the file, which is made where nothing is.
    ///
    /// # Errors
    /// Where there is a key that can't be used, or none can be made.
    pub fn open(data: &Path) -> Result<Self, KeyringError> {
        match Keyring::find(data)? {
            Some(keyring) => Ok(keyring),
            None => Keyring::create(data.join(KEY_FILE)),
        }
    }

    /// The same, and none where there is none yet.
    ///
    /// # Errors
    /// Where there is a key that can't be used.
    pub fn find(data: &Path) -> Result<Option<Self>, KeyringError> {
        let variable = variable(KEY_VARIABLE, &KeySource::Variable)?;
        let command = variable_of_command()?;
        Keyring::from_sources(variable, command.as_deref(), data)
    }

    /// A keyring of these keys, which is kept nowhere. For hosts that have a vault of their own, and for `demo`.
    pub fn from_keys(current: MasterKey, former: Vec<MasterKey>) -> Self {
        Keyring {
            current,
            former,
            source: KeySource::Caller,
        }
    }

    /// The same, with the environment given.
    fn from_sources(
        variable: Option<Zeroizing<String>>,
        command: Option<&str>,
        data: &Path,
    ) -> Result<Option<Self>, KeyringError> {
        if let Some(text) = variable {
            return Keyring::read(&text, KeySource::Variable).map(Some);
        }
        if let Some(command) = command {
            return Keyring::read(&command::output_of(command)?, KeySource::Command).map(Some);
        }
        let path = data.join(KEY_FILE);
        file::read(&path)?
            .map(|text| Keyring::read(&text, KeySource::File(path)))
            .transpose()
    }

    fn read(text: &str, source: KeySource) -> Result<Self, KeyringError> {
        let malformed = || KeyringError::Malformed {
            from: source.to_string(),
        };
        let mut keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(MasterKey::parse);
        let current = keys.next().flatten().ok_or_else(malformed)?;
        let former = keys.collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
        Ok(Keyring {
            current,
            former,
            source,
        })
    }

    fn create(path: PathBuf) -> Result<Self, KeyringError> {
        let keyring = Keyring {
            current: MasterKey::generate()?,
            former: Vec::new(),
            source: KeySource::File(path.clone()),
        };
        match keyring.stage(&path)?.place_new() {
            Ok(()) => Ok(keyring),
            // Another process was faster: its key counts.
            Err(KeyringError::File { error, .. })
                if error.kind() == io::ErrorKind::AlreadyExists =>
            {
                let text = file::read(&path)?.ok_or(KeyringError::File {
                    path: path.clone(),
                    verb: "read",
                    error,
                })?;
                Keyring::read(&text, KeySource::File(path))
            }
            Err(error) => Err(error),
        }
    }

    /// The key that seals.
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// The names of the older keys, which only open.
    pub fn former(&self) -> impl Iterator<Item = KeyId> {
        self.former.iter().map(MasterKey::id)
    }

    /// Where it came from.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// Whether secrets may still be sealed with an older key.
    pub fn is_rotating(&self) -> bool {
        !self.former.is_empty()
    }

    pub(super) fn find_key(&self, id: KeyId) -> Option<&MasterKey> {
        std::iter::once(&self.current)
            .chain(&self.former)
            .find(|key| key.id() == id)
    }

    /// Begins a rotation: a new key that seals, beside the old ones, which still open. Every sealed secret is then to be
    /// resealed, after which [`Keyring::finish_rotation`] forgets the old keys. A rotation that was interrupted goes on with
    /// the key that it made. Whoever rotates holds the keys alone ([`super::KeyLock`]).
    ///
    /// # Errors
    /// [`KeyringError::Foreign`] where the keys are not in the data directory and no new one stands among them.
    pub fn begin_rotation(&self) -> Result<Staged, KeyringError> {
        if self.is_rotating() {
            return Ok(Staged {
                keyring: self.clone(),
                file: None,
            });
        }
        let KeySource::File(path) = &self.source else {
            return Err(KeyringError::Foreign {
                from: self.source.name(),
            });
        };
        // What a process that was killed while it wrote keys left behind.
        file::clear_leftovers(path)?;
        let keyring = Keyring {
            current: MasterKey::generate()?,
            former: vec![self.current.clone()],
            source: self.source.clone(),
        };
        let file = Some(keyring.stage(path)?);
        Ok(Staged { keyring, file })
    }

    /// Ends a rotation: the old keys are forgotten. Only after every secret of every tenant was resealed. Where the keys are not
    /// in the data directory, whoever keeps them takes the old ones away.
    ///
    /// # Errors
    /// Where the file can't be written: the old keys stay then.
    pub fn finish_rotation(&self) -> Result<Staged, KeyringError> {
        let keyring = Keyring {
            current: self.current.clone(),
            former: Vec::new(),
            source: self.source.clone(),
        };
        let file = match &self.source {
            KeySource::File(path) => {
                file::clear_leftovers(path)?;
                Some(keyring.stage(path)?)
            }
            _ => None,
        };
        Ok(Staged { keyring, file })
    }

    fn stage(&self, path: &Path) -> Result<file::StagedFile, KeyringError> {
        file::stage(path, std::iter::once(&self.current).chain(&self.former))
    }
}

impl KeySource {
    fn name(&self) -> &'static str {
        match self {
            KeySource::Variable => "the environment variable HOST_RUNNER_MASTER_KEY",
            KeySource::Command => "the command in HOST_RUNNER_MASTER_KEY_COMMAND",
            KeySource::File(_) => "its file",
            KeySource::Caller => "the program",
        }
    }

    /// The word for it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            KeySource::Variable => "variable",
            KeySource::Command => "command",
            KeySource::File(_) => "file",
            KeySource::Caller => "caller",
        }
    }

    /// The permissions of the file and its folder, where it is one and the system has such.
    pub fn modes(&self) -> Option<Modes> {
        match self {
            KeySource::File(path) => Modes::of(path),
            _ => None,
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::File(path) => write!(f, "the file {}", path.display()),
            other => f.write_str(other.name()),
        }
    }
}

/// A variable's value. One that is no text is no key, and must not be passed over as if it were not there.
fn variable(name: &str, source: &KeySource) -> Result<Option<Zeroizing<String>>, KeyringError> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(KeyringError::Malformed {
            from: source.to_string(),
        }),
    }
}

fn variable_of_command() -> Result<Option<String>, KeyringError> {
    match std::env::var(COMMAND_VARIABLE) {
        Ok(command) => Ok(Some(command)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(KeyringError::Command("it is no text".to_owned())),
    }
}

#[cfg(test)]
mod tests;
