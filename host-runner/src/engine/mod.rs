//! The engine: compiles components, and runs their verbs within limits.
//!
//! Three lifetimes: a [`Runtime`] lives as long as the process, a [`Plugin`] as long as its component is in use, an instance as
//! long as one verb (or one sync of one data stream). A trap, a limit or a cancel drops the instance; nothing is called on
//! it again.

mod answers;
mod cache;
mod call;
mod compile;
mod config;
mod error;
mod instance;
mod limits;
mod mapper;
mod memories;
mod meter;
mod plugin;
mod processor;
mod reading;
mod runtime;
mod turns;

pub use call::CallError;
pub use compile::{Compiler, compile_file};
pub(crate) use config::{CORE_INSTANCES, MEMORIES, TABLES};
pub use error::EngineError;
pub use limits::{LimitInfo, LimitReached, Limits};
pub use mapper::Mapper;
pub use memories::Memories;
pub use meter::{HeldBack, LogVerdict, Meter};
pub use plugin::Plugin;
pub use reading::{Delivery, Reading};
pub use runtime::{Runtime, RuntimeOptions};
