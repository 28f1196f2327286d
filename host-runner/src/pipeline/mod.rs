//! One sync of one data stream: steps out of a component, documents made of them, all committed with the checkpoint that covers
//! them.
//!
//! The component fetches the next step while the last one is transformed and committed. Nothing of a step is kept longer than that, so
//! memory does not grow with the tenant.

mod accept;
mod books;
mod bounds;
mod cancel;
mod fault;
mod guard;
mod inventory;
mod job;
mod judge;
mod making;
mod mode;
mod notes;
mod observe;
mod prepare;
mod remake;
mod report;
mod run;
mod shape;
mod stop;

pub use accept::{kept as kept_entry, outcome};
pub use books::Books;
pub use cancel::Cancel;
pub use fault::{FaultKind, RunFault};
pub use inventory::StoreInventory;
pub use job::{ModeChoice, SyncJob, SyncOptions};
pub use making::{Part, differences, making};
pub use mode::{Chosen, Due, choose, full_due};
pub use observe::{Observer, Progress, Unobserved};
pub use remake::{RemakeJob, RemakeReport, remake};
pub use report::{RunReport, SyncError};
pub use run::sync;
