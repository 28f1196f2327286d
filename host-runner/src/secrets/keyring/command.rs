//! The command that prints the master key.

use std::io::Read;
use std::process::{Command, Stdio};

use secrecy::zeroize::Zeroizing;

use super::{KeySource, KeyringError, LONGEST};

/// What the command prints. It runs in the system's shell, as the user wrote it; what it says on standard error goes where the runner's
/// own errors go, and what it prints nowhere else than into this value.
pub(super) fn output_of(command: &str) -> Result<Zeroizing<String>, KeyringError> {
    let mut shell = if cfg!(windows) {
        Command::new("cmd")
    } else {
        Command::new("sh")
    };
    let failed = |error: std::io::Error| {
        KeyringError::Command(format!("it could not be started or read ({error})"))
    };
    let mut child = shell
        .arg(if cfg!(windows) { "/C" } else { "-c" })
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(failed)?;
    // With all its room at once: a buffer that grows leaves what it held behind in memory.
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    let read = match child.stdout.take() {
        Some(output) => output.take(LONGEST + 1).read_to_end(&mut text),
        None => Ok(0),
    };
    if read.is_err() || text.len() as u64 > LONGEST {
        // It would wait for ever for somebody to read the rest.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    read.map_err(failed)?;
    let malformed = || KeyringError::Malformed {
        from: KeySource::Command.to_string(),
    };
    if text.len() as u64 > LONGEST {
        return Err(malformed());
    }
    if !status.success() {
        return Err(KeyringError::Command(format!("it ended with {status}")));
    }
    let text = std::str::from_utf8(&text).map_err(|_| malformed())?;
    Ok(Zeroizing::new(text.to_owned()))
}
