//! What can go wrong with stored data, and what to do about it.

use std::path::PathBuf;

use crate::domain::{ConnectionId, ConnectionName, RunId, SyncId, TenantName, Timestamp};

/// Why the store could not do what was asked. Nothing of what was asked is done then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The tenant has no data here.
    #[error("there is no tenant \"{tenant}\" under {}: {}", data.display(), known_tenants(.known))]
    NoSuchTenant {
        /// Who was asked for.
        tenant: TenantName,
        /// The data directory.
        data: PathBuf,
        /// Who is there.
        known: Vec<TenantName>,
    },
    /// The tenant has no connection of that name.
    #[error("tenant \"{tenant}\" has no connection \"{name}\": {}", known_connections(.known))]
    NoSuchConnection {
        /// Whose.
        tenant: TenantName,
        /// What was asked for.
        name: ConnectionName,
        /// What is there.
        known: Vec<ConnectionName>,
    },
    /// There is no connection with that id; it was removed meanwhile.
    #[error("connection {0} is not there any more: it was removed meanwhile")]
    ConnectionGone(ConnectionId),
    /// Another connection has that name.
    #[error(
        "tenant \"{tenant}\" has a connection \"{name}\" already: choose another name, or change that one with `update`"
    )]
    NameTaken {
        /// Whose.
        tenant: TenantName,
        /// The name.
        name: ConnectionName,
    },
    /// There is no such run.
    #[error("tenant \"{tenant}\" has no run {run}: `runs` lists them")]
    NoSuchRun {
        /// Whose.
        tenant: TenantName,
        /// What was asked for.
        run: RunId,
    },
    /// There is no such sync, or it is at its end: a step for it is a mistake in the program.
    #[error("sync {0} is not under way: it ended or was given up; start a new run")]
    NoSuchSync(SyncId),
    /// A run on the connection is under way.
    #[error(
        "connection {connection} is being synced by process {pid} since {since}: wait until it ends, or stop it"
    )]
    Busy {
        /// Which: its name in quotation marks where it is known, else its number.
        connection: String,
        /// Since when; the epoch where that is not known.
        since: Timestamp,
        /// By which process; 0 where that is not known.
        pid: u32,
    },
    /// Another process works with the tenant, or erases it.
    #[error("tenant \"{tenant}\" is {doing} by another process: wait until it ends, or stop it")]
    TenantBusy {
        /// Whose data.
        tenant: TenantName,
        /// "in use" or "being erased".
        doing: &'static str,
    },
    /// The file was written by a later version of this program.
    #[error(
        "{} was written by a later version of host-runner (its schema is {found}, this version knows up to {known}): use that version, or another --data directory",
        file.display()
    )]
    FutureSchema {
        /// The tenant's file.
        file: PathBuf,
        /// Its schema's number.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// The file is something else than a tenant's data.
    #[error("{} holds no data of host-runner ({reason}): move it away, or use another --data directory", file.display())]
    NotADatabase {
        /// The file.
        file: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The file's contents contradict themselves.
    #[error("{} is damaged ({reason}): restore it from a backup, or purge the tenant and sync anew", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// No space is left.
    #[error("no space is left for {}: what was committed before is safe; free some space and run again", file.display())]
    DiskFull {
        /// The tenant's file.
        file: PathBuf,
    },
    /// The file or folder may not be written or read.
    #[error("{} can't be used ({reason}): check its owner and permissions", path.display())]
    NoAccess {
        /// What.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{} can't be read or written ({reason}): what was committed before is safe; check the disk and run again", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Another process kept the file to itself for too long.
    #[error("{} is kept busy by another process: try again when it is done", file.display())]
    Locked {
        /// The tenant's file.
        file: PathBuf,
    },
    /// A value to store breaks the rules for it.
    #[error("{what} can't be stored: {reason}")]
    Refused {
        /// Which value, of which record.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Whatever else the database says.
    #[error("the database {} refused a statement ({reason}): this is a mistake in host-runner, please report it", file.display())]
    Database {
        /// The tenant's file.
        file: PathBuf,
        /// What it said.
        reason: String,
    },
}

fn known_tenants(known: &[TenantName]) -> String {
    list(
        known,
        "none has been connected yet; `connect` makes the first",
    )
}

fn known_connections(known: &[ConnectionName]) -> String {
    list(known, "it has none; `connect` makes one")
}

fn list<T: std::fmt::Display>(known: &[T], none: &str) -> String {
    if known.is_empty() {
        return none.to_owned();
    }
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    format!("there is {}", names.join(", "))
}
