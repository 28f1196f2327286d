//! Chaos: faults in the answers and changes of the tenant between them, seeded and replayable.
//!
//! A [`spec::Chaos`] says what may happen and how often; its text form (`7:storm,until=200`) is what the command line takes and
//! what a failing test prints. The [`plan`] draws from the seed what happens to the request of each number. The
//! [`handle`] counts requests, keeps what lasts (a revoked key, a clock that is off) and the log, and takes scripted faults.
//!
//! How a fault is brought: [`instead`] answers in place of the API, [`query`] upsets XQL before it is asked, [`alter`] moves the
//! window of a request or changes a finished answer, [`delivery`] spoils it on the way through the [`door`].
//!
//! What can happen: [`fault`] and [`mutation`] list it by name, [`profile`] has named sets.

pub mod alter;
pub mod delivery;
pub mod door;
pub mod entry;
pub mod fault;
pub mod handle;
pub mod instead;
mod mutate;
pub mod mutation;
mod plan;
pub mod profile;
pub mod query;
pub mod rate;
pub mod spec;
