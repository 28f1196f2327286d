//! Opens a tenant's file.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::{explain, from_io};
use super::identification;
use super::schema::migrate;
use crate::store::StoreError;

/// How long to wait while another process writes. A step takes milliseconds, a removal at the end of a sync of a large tenant seconds.
const BUSY: Duration = Duration::from_secs(30);

/// How long a task waits for its turn among those of this process.
const TURN: Duration = Duration::from_secs(120);

/// KiB of pages that each connection keeps, beside those that the system keeps of the file: the whole process is to stay under 64 MiB, and its code
/// alone takes nearly half of that in a debug build.
const WRITER_CACHE: &str = "-2500";
const READER_CACHE: &str = "-500";

/// Pages of 4 KiB in the log before it is written back and the disk waited for: 64 MB, which SQLite deletes when the file is closed. A page
/// of a key index is written many times in it and once from it; with SQLite's own 1,000 a sync takes twice as long.
const LOG_PAGES: &str = "16000";

/// Every SQLite file begins with this.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Writer and readers of a file, brought to this build's schema. The file must exist or `create` say that it may be made.
pub(super) async fn open(
    file: &Path,
    create: bool,
) -> Result<(SqlitePool, SqlitePool), StoreError> {
    check_magic(file)?;
    let failed = |error| explain(file, error);
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TURN)
        .test_before_acquire(false)
        .connect_with(
            options
                .clone()
                .create_if_missing(create)
                .pragma("cache_size", WRITER_CACHE)
                .pragma("wal_autocheckpoint", LOG_PAGES),
        )
        .await
        .map_err(failed)?;
    let mut connection = writer.acquire().await.map_err(failed)?;
    migrate(&mut connection, file).await?;
    identification::refresh(&mut connection)
        .await
        .map_err(|fail| fail.explain(file))?;
    drop(connection);
    let readers = SqlitePoolOptions::new()
        .max_connections(2)
        .acquire_timeout(TURN)
        .test_before_acquire(false)
        .connect_lazy_with(options.read_only(true).pragma("cache_size", READER_CACHE));
    Ok((writer, readers))
}

/// SQLite would take any short file for an empty database and write into it: look first.
fn check_magic(file: &Path) -> Result<(), StoreError> {
    let mut opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(from_io(file, &error)),
    };
    let metadata = opened.metadata().map_err(|error| from_io(file, &error))?;
    let not_ours = |reason: &str| StoreError::NotADatabase {
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    if !metadata.is_file() {
        return Err(not_ours("it is no file"));
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    let mut start = [0; MAGIC.len()];
    match opened.read_exact(&mut start) {
        Ok(()) if start == *MAGIC => Ok(()),
        Ok(()) => Err(not_ours("it does not begin as SQLite files do")),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(not_ours("it is too short"))
        }
        Err(error) => Err(from_io(file, &error)),
    }
}
