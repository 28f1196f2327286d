//! The embedded store: one SQLite file per tenant, `<data>/tenants/<tenant>.db`.
//!
//! Isolation, deletion and keys follow from the file. It runs in WAL mode with `synchronous=NORMAL`: what a step committed survives the
//! death of the process at any moment. Should the machine lose power, the last commits may be missing, never a part of one; because records
//! and the checkpoint that covers them are one commit, the next run then reads a little again and loses nothing.

mod error;
mod open;
mod schema;
mod stores;
mod stub;

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::SqlitePool;

use crate::domain::TenantName;

pub use schema::SCHEMA_VERSION;
pub use stores::Stores;

/// One tenant's file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tenant: TenantName,
    file: PathBuf,
    locks: PathBuf,
    /// One connection: SQLite has one writer, and within a process waiting for it in a queue is fairer than its own waiting.
    writer: SqlitePool,
    /// Readers see the last commit and do not wait for the writer.
    readers: SqlitePool,
}
