//! The Cortex XDR public API as the connector uses it: requests built and signed, replies read leniently, and every way
//! in which a call can fail told apart.
//!
//! [`Client`] makes the calls of [`crate::describe::Call`] and no other. A [`Fault`] says what happened and what an
//! administrator should change; it turns into the contract's `fault`.

mod body;
mod classify;
mod client;
mod fault;
mod page;
mod said;
#[cfg(test)]
mod sample_tests;
mod sign;
mod stream;
mod tenant;
pub mod time;
mod xql;

pub use client::{Client, MAX_REPLY_BYTES, Reply};
pub use fault::{Fault, FaultKind};
pub use page::{Filter, PAGE_RECORDS, Page, PageRequest};
pub use stream::{RowStream, StreamRow};
pub use tenant::TenantInfo;
pub use xql::{QueryAnswer, QueryRows, QueryStatus, Quota};
