//! The one way out: HTTP to a connection's own origins, by the calls that the manifest declares.
//!
//! One [`Egress`] per connection. It judges each request ([`policy`]), waits until the API's budgets allow it
//! ([`governor`]), puts the headers together anew for each attempt ([`signing`]), connects only to addresses that are allowed
//! ([`address`], [`resolve`]), repeats what may be repeated ([`retry`]) and counts what happened ([`usage`]). It knows
//! nothing of components: whatever runs the connector translates.
//!
//! What is a decision is a pure function with a table of cases; what touches the network is as thin as it can be.

pub mod address;
pub mod authority;
pub mod body;
pub mod certificate;
mod client;
pub mod config;
pub mod echoes;
pub mod exchange;
pub mod failure;
pub mod governor;
pub mod origin;
pub mod policy;
pub mod proxy;
pub mod request;
pub mod resolve;
pub mod retry;
pub mod signing;
pub mod tls;
pub mod usage;
mod verifier;

pub use authority::{Authority, AuthorityError};
pub use body::IncomingBody;
pub use config::{Budget, DeclaredCall, EgressConfig, EgressLimits, Rate};
pub use echoes::Echoes;
pub use exchange::{Egress, Incoming};
pub use failure::{EgressError, Failure, Limit, Rule};
pub use origin::{Origin, OriginError, OriginRule, Scheme};
pub use proxy::ProxyConfig;
pub use request::{Algorithm, Digest, Encoding, Fill, OutgoingRequest, Part};
pub use resolve::{Resolve, SystemResolver};
pub use usage::{CallUsage, Usage};

#[cfg(test)]
mod tests;
