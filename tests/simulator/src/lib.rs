//! A stateful simulator of the Palo Alto Cortex XDR public API, over real HTTP.
//!
//! [`Simulator::start`] listens on an address and serves a tenant that is derived from a seed. A test reads the whole truth
//! about the tenant, and changes it, through [`Simulator::tenant`]; it sees what was asked for in [`Simulator::log`].
//! [`Options::chaos`] and [`Simulator::chaos`] make it misbehave, in ways that a seed or a script decides.

mod api;
mod auth;
mod call;
mod chaos;
mod clock;
mod json;
mod log;
mod options;
mod query;
mod reply;
mod selection;
mod server;
mod simulator;
mod tenant;
mod tls;
mod xql;

pub use chaos::entry::{ChaosAct, ChaosEntry};
pub use chaos::fault::{Family, Fault};
pub use chaos::handle::{ChaosHandle, InjectError};
pub use chaos::mutation::Mutation;
pub use chaos::profile::ChaosProfile;
pub use chaos::rate::Rate;
pub use chaos::spec::{Chaos, ChaosTerm, ChaosTextError};
pub use log::{COUNTED_PATHS, OTHER_PATHS, PathCount, REMEMBERED, RequestLog, SeenRequest};
pub use options::{
    AlertShape, Licence, Options, Role, SecurityLevel, StreamGzip, WithoutHostInsights, XqlOutcome,
};
pub use simulator::{Simulator, StartError};
pub use tenant::handle::TenantHandle;
pub use tenant::history::{AlertState, EndpointState, History};
pub use tenant::view::{
    AlertChange, AlertView, CveView, EndpointChange, EndpointView, NewAlert, NewEndpoint,
    VulnerabilityView,
};
pub use tls::{ServerCertificate, Tls};
