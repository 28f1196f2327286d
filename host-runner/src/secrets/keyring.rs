//! The master key: where it comes from, and the tenants' keys that are made from it.
//!
//! In this order: the environment variable `HOST_RUNNER_MASTER_KEY`, the output of the command in
//! `HOST_RUNNER_MASTER_KEY_COMMAND`, the file `master.key` in the data directory, which is made on first use. Each may hold
//! several keys, one per line: the first seals, all open, which is what a rotation needs while it is under way.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::zeroize::{Zeroize, Zeroizing};
use sha2::{Digest, Sha256};

/// The environment variable that may hold the master key.
pub const KEY_VARIABLE: &str = "HOST_RUNNER_MASTER_KEY";
/// The environment variable that may hold a command that prints it.
pub const COMMAND_VARIABLE: &str = "HOST_RUNNER_MASTER_KEY_COMMAND";
/// The file's name in the data directory.
pub const KEY_FILE: &str = "master.key";

const LENGTH: usize = 32;
/// More than any number of keys that a rotation leaves behind.
const LONGEST_FILE: u64 = 16 << 10;

/// Names a master key without telling anything about it: the beginning of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(super) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// 32 random bytes from which the tenants' keys are made. Wiped when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; LENGTH]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, [secret])", self.id())
    }
}

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
        "the master key {path} can be read by other users (mode {mode:o}); run `chmod 600` on it, and consider `keys rotate`"
    )]
    Permissions {
        /// The file.
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
        "the master key comes from {from}; put the new key before the old one there, run `keys rotate` again, then take the old one away"
    )]
    Foreign {
        /// Where it comes from.
        from: &'static str,
    },
}

impl MasterKey {
    /// A new one from the system's random numbers.
    pub fn generate() -> Result<Self, KeyringError> {
        let mut bytes = Zeroizing::new([0u8; LENGTH]);
        SysRng
            .try_fill_bytes(bytes.as_mut_slice())
            .map_err(|_| KeyringError::Random)?;
        Ok(MasterKey(bytes))
    }

    /// Reads 64 hexadecimal digits, or Base64 (either alphabet, padded or not).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == 2 * LENGTH {
            from_hex(text)?
        } else {
            from_base64(text)?
        };
        Some(MasterKey(bytes))
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        let hash = Sha256::new()
            .chain_update(b"host-runner key id")
            .chain_update(self.0.as_slice())
            .finalize();
        let mut id = [0u8; 8];
        id.iter_mut()
            .zip(hash.iter())
            .for_each(|(to, from)| *to = *from);
        KeyId(id)
    }

    /// The key of one tenant: HMAC-SHA256 of the tenant's name (RFC 5869's expansion to a single block).
    pub(super) fn tenant_key(&self, tenant: &str) -> Zeroizing<[u8; LENGTH]> {
        // HMAC fills a short key up with zeros to the hash's block; done here, no length can be wrong.
        let mut block = Zeroizing::new([0u8; 64]);
        block
            .iter_mut()
            .zip(self.0.iter())
            .for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(b"host-runner tenant key");
        mac.update(tenant.as_bytes());
        mac.update(&[1]);
        let mut made = mac.finalize().into_bytes();
        let mut key = Zeroizing::new([0u8; LENGTH]);
        key.iter_mut()
            .zip(made.iter())
            .for_each(|(to, from)| *to = *from);
        made.as_mut_slice().zeroize();
        key
    }

    fn to_line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(2 * LENGTH + 1));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
            }
        }
        line.push('\n');
        line
    }
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
enum KeySource {
    Variable,
    Command,
    File(PathBuf),
    Caller,
}

impl Keyring {
    /// The keys for a data directory, from the environment, the command or the file, which is made where nothing is.
    pub fn open(data: &Path) -> Result<Self, KeyringError> {
        let variable = std::env::var(KEY_VARIABLE).ok().map(Zeroizing::new);
        let command = std::env::var(COMMAND_VARIABLE).ok();
        Keyring::from_sources(variable, command, data)
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
        command: Option<String>,
        data: &Path,
    ) -> Result<Self, KeyringError> {
        if let Some(text) = variable {
            return Keyring::read(&text, KeySource::Variable);
        }
        if let Some(command) = command {
            return Keyring::read(&output_of(&command)?, KeySource::Command);
        }
        let path = data.join(KEY_FILE);
        match read_file(&path)? {
            Some(text) => Keyring::read(&text, KeySource::File(path)),
            None => Keyring::create(path),
        }
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
        match keyring.write(&path, Replace::Never) {
            Ok(()) => Ok(keyring),
            // Another process was faster: its key counts.
            Err(KeyringError::File { error, .. })
                if error.kind() == io::ErrorKind::AlreadyExists =>
            {
                let text = read_file(&path)?.ok_or(KeyringError::File {
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

    /// Whether secrets may still be sealed with an older key.
    pub fn is_rotating(&self) -> bool {
        !self.former.is_empty()
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&MasterKey> {
        std::iter::once(&self.current)
            .chain(&self.former)
            .find(|key| key.id() == id)
    }

    /// Begins a rotation: a new key that seals, beside the old ones, which still open. Every sealed secret is then to be
    /// resealed, after which [`Keyring::finish_rotation`] forgets the old keys. A rotation that was interrupted goes on with
    /// the key that it made.
    pub fn begin_rotation(&self) -> Result<Self, KeyringError> {
        if self.is_rotating() {
            return Ok(self.clone());
        }
        let KeySource::File(path) = &self.source else {
            return Err(KeyringError::Foreign {
                from: self.source.name(),
            });
        };
        let mut former = vec![self.current.clone()];
        former.extend(self.former.iter().cloned());
        let keyring = Keyring {
            current: MasterKey::generate()?,
            former,
            source: self.source.clone(),
        };
        keyring.write(path, Replace::Old)?;
        Ok(keyring)
    }

    /// Ends a rotation: the old keys are forgotten. Only after every secret of every tenant was resealed. Where the keys are not
    /// in the data directory, whoever keeps them takes the old ones away.
    pub fn finish_rotation(&self) -> Result<Self, KeyringError> {
        let keyring = Keyring {
            current: self.current.clone(),
            former: Vec::new(),
            source: self.source.clone(),
        };
        if let KeySource::File(path) = &self.source {
            keyring.write(path, Replace::Old)?;
        }
        Ok(keyring)
    }

    /// Writes a file of its own beside the real one, and puts it in place whole.
    fn write(&self, path: &Path, replace: Replace) -> Result<(), KeyringError> {
        let failed = |error| KeyringError::File {
            path: path.to_owned(),
            verb: "written",
            error,
        };
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(failed)?;
        // tempfile makes it readable by its owner only, under a name that nobody can guess.
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        for key in std::iter::once(&self.current).chain(&self.former) {
            file.write_all(key.to_line().as_bytes()).map_err(failed)?;
        }
        file.as_file().sync_all().map_err(failed)?;
        let placed = match replace {
            Replace::Never => file.persist_noclobber(path).map_err(|e| e.error),
            Replace::Old => file.persist(path).map_err(|e| e.error),
        };
        placed.map_err(failed)?;
        // Else a crash could leave secrets behind that are sealed with a key which is not.
        #[cfg(unix)]
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(failed)?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Replace {
    Never,
    Old,
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
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::File(path) => write!(f, "the file {}", path.display()),
            other => f.write_str(other.name()),
        }
    }
}

/// The file's text, or none where there is no file. Refused where others can read it.
fn read_file(path: &Path) -> Result<Option<Zeroizing<String>>, KeyringError> {
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
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::Permissions {
                path: path.to_owned(),
                mode,
            });
        }
    }
    let mut text = Zeroizing::new(String::with_capacity(1 << 10));
    file.take(LONGEST_FILE)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(Some(text))
}

/// What the command prints. It runs in the system's shell, as the user wrote it.
fn output_of(command: &str) -> Result<Zeroizing<String>, KeyringError> {
    let mut shell = if cfg!(windows) {
        Command::new("cmd")
    } else {
        Command::new("sh")
    };
    let output = shell
        .arg(if cfg!(windows) { "/C" } else { "-c" })
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| KeyringError::Command(format!("it could not be started ({error})")))?;
    let text = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(KeyringError::Command(format!(
            "it ended with {}",
            output.status
        )));
    }
    let text = std::str::from_utf8(&text).map_err(|_| KeyringError::Malformed {
        from: KeySource::Command.to_string(),
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let mut bytes = Zeroizing::new([0u8; LENGTH]);
    for (to, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let [high, low] = pair else { return None };
        let digit = |c: u8| char::from(c).to_digit(16);
        *to = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let text = text.trim_end_matches('=');
    // 32 bytes are 43 characters, of which the last carries four bits.
    if text.len() != 43 {
        return None;
    }
    let mut bytes = Zeroizing::new([0u8; LENGTH]);
    let mut room = bytes.iter_mut();
    let (mut held, mut bits) = (0u32, 0u32);
    for c in text.bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *room.next()? = u8::try_from(held >> bits & 0xff).ok()?;
        }
    }
    // What is left over must be nought, else two texts would name one key.
    (held & ((1 << bits) - 1) == 0 && room.next().is_none()).then_some(bytes)
}

#[cfg(test)]
mod tests;
