//! What can be done with a connection, without a word printed: set it up, change it, test it, and build what a run of it needs.
//!
//! The command line asks for these services and tells their results; another front end could do the same.

pub mod binding;
mod complete;
mod connect;
pub mod custom_fields;
mod desk;
mod error;
pub mod explain;
pub mod keys;
pub mod link;
mod log;
mod map_argument;
pub mod maps;
mod origins;
pub mod remake;
mod run;
mod survey;
mod test;
mod typed_config;
mod update;
pub mod way_out;
pub mod what_if;

pub use complete::{Completed, complete};
pub use connect::{ConnectRequest, Onlooker, connect};
pub use desk::Desk;
pub use error::ConnectionError;
pub use log::TracingLog;
pub use map_argument::{MapArgument, MapArgumentError};
pub use maps::MapChoice;
pub use run::{Session, session};
pub use survey::{SurveyReport, survey};
pub use test::{TestReport, passed, test};
pub use typed_config::TypedConfig;
pub use update::{UpdateRequest, Updated, update};
pub use way_out::{Change, WayOut, WayOutChange};
