//! Small types that every other module shares: names that are safe to build paths from, time, modes, states, severities and counts.
//!
//! Nothing here does I/O but for making a folder, and nothing here knows any other module of the runner.

mod clock;
mod fingerprint;
mod folder;
mod host_secret;
mod ids;
mod ledger;
mod mode;
mod names;
mod nearest;
pub mod needles;
mod run_state;
mod severity;
mod text;
mod timestamp;

pub use clock::{Clock, FixedClock, SystemClock};
pub use fingerprint::sha256_hex;
pub use folder::make_private_folder;
pub use host_secret::{HOST_SECRET, PROXY_CREDENTIALS};
pub use ids::{ConnectionId, RunId, SyncId};
pub use ledger::{Documents, Ledger};
pub use mode::{Mode, UnknownMode};
pub use names::{ConnectionName, DataStreamName, MapName, NameError, TenantName};
pub use nearest::nearest;
pub use run_state::{RunState, UnknownRunState};
pub use severity::{Severity, UnknownSeverity};
pub use text::{cut, cut_line};
pub use timestamp::{Timestamp, TimestampError};
