//! One run at a time on a connection, across processes.
//!
//! The lock is the operating system's, on a file: it ends with the process, however the process ends, so that none is ever left behind. The file
//! says who holds it, for the message to whoever comes second.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::domain::{ConnectionId, Timestamp};

use super::StoreError;

/// Holds a connection until it is dropped or the process ends, however it ends: the operating system gives the lock back.
#[derive(Debug)]
#[must_use = "the connection is free again as soon as this is dropped"]
pub struct RunLock {
    file: File,
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The lock goes with the file in any case; unlocking says it at once, also where a child inherited the file.
        let _ = self.file.unlock();
    }
}

/// Takes a connection's lock, or says who has it. `folder` is the tenant's folder of locks.
pub(super) fn take(
    folder: &Path,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<RunLock, StoreError> {
    let path = folder.join(format!("{connection}.lock"));
    let failed = |error: std::io::Error| StoreError::Io {
        path: path.clone(),
        reason: error.to_string(),
    };
    // Not truncated: until the lock is ours, the text is the holder's.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let (pid, since) = holder(&mut file);
            return Err(StoreError::Busy {
                connection: connection.to_string(),
                since,
                pid,
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let text = format!("{} {}\n", std::process::id(), now.as_ms());
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(text.as_bytes()))
        .map_err(failed)?;
    Ok(RunLock { file })
}

/// Takes all locks of a tenant that was ever locked; none where one is held.
pub(super) fn take_all(folder: &Path) -> Result<Vec<RunLock>, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(StoreError::Io {
                path: folder.to_owned(),
                reason: error.to_string(),
            });
        }
    };
    let mut held = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_suffix(".lock"))
            .and_then(|id| id.parse().ok());
        if let Some(id) = id {
            held.push(take(folder, id, Timestamp::EPOCH)?);
        }
    }
    Ok(held)
}

/// Who wrote the file, 0 and the epoch where it can't be told.
fn holder(file: &mut File) -> (u32, Timestamp) {
    let mut text = String::new();
    let mut bytes = Vec::new();
    if file.take(64).read_to_end(&mut bytes).is_ok() {
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    let since = words
        .next()
        .and_then(|word| word.parse().ok())
        .and_then(|ms| Timestamp::from_ms(ms).ok())
        .unwrap_or(Timestamp::EPOCH);
    (pid, since)
}
