//! What a change of a connection would do to what is held, without a request and without saving it.
//!
//! The change is made on a copy of the tenant's data: saved there, documents made anew there, and what the other configuration leaves out moved out of
//! scope there. Then the copy is compared with what is held. So it can tell nothing but what the change would do.

mod difference;
mod sift;

use crate::connection::connect::Onlooker;
use crate::connection::update::{leave_out, plan};
use crate::connection::{ConnectionError, Desk, UpdateRequest, remake as service};
use crate::domain::RunState;
use crate::pipeline::{RemakeReport, RunFault, SyncError, remake};
use crate::store::{Store, StoreError};

pub use self::difference::{Counted, Difference, Example, Values, What, difference};
pub use self::sift::Sifted;

/// What a change would do.
#[derive(Debug)]
pub struct WhatIf {
    /// What would be otherwise.
    pub difference: Difference,
    /// Documents that would be made anew.
    pub remade: Vec<RemakeReport>,
    /// What the other configuration would leave out and let in, for each data stream where it is another one.
    pub sifted: Vec<Sifted>,
}

impl WhatIf {
    /// Records that the map would reject: they would stay as they are.
    pub fn rejected(&self) -> u64 {
        let remade = self.remade.iter().map(|report| report.ledger.quarantined);
        let sifted = self.sifted.iter().map(|sifted| sifted.rejected);
        remade.chain(sifted).sum()
    }
}

/// Why it can't be told.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The change itself.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The store, or the copy of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing could be made anew.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The component did not make it to the end.
    #[error("what the change would do can't be told: {}", .0.message.trim_end_matches('.'))]
    Fault(Box<RunFault>),
    /// Someone said stop.
    #[error("it was stopped; nothing was changed")]
    Stopped,
}

/// Tells what a change would do, with up to so many examples of each kind. The connection is held meanwhile, so that nothing else changes it.
///
/// # Errors
/// What the change itself would fail with, or the copy.
pub async fn what_if(
    desk: &Desk,
    request: &UpdateRequest,
    onlooker: &dyn Onlooker,
    examples: usize,
) -> Result<WhatIf, WhatIfError> {
    let store = desk.stores.open(&request.tenant).await?;
    let connection = store.connection(&request.name).await?;
    let _lock = store.lock(connection.id, desk.clock.now()).await?;
    let planned = plan(desk, &store, request, connection.clone(), onlooker).await?;
    let changed = planned.changed;
    let trial = desk.stores.trial(&store).await?;
    if request.leave_out_users == Some(true) {
        trial
            .store
            .leave_out_users(changed.id, &leave_out(desk))
            .await?;
    }
    trial.store.update_connection(&changed, &[]).await?;
    let cancel = onlooker.cancel();
    let job = service::job(
        desk,
        &trial.store,
        &changed,
        onlooker.observer(),
        cancel.clone(),
    )?;
    let remade = remake(&job).await?;
    if let Some(last) = remade.last() {
        match (last.state, &last.fault) {
            (RunState::Processed, _) => {}
            (_, Some(fault)) => return Err(WhatIfError::Fault(Box::new(fault.clone()))),
            _ => return Err(WhatIfError::Stopped),
        }
    }
    let sifted = sift::sift(desk, &job, &connection).await?;
    if cancel.is_stopped() {
        return Err(WhatIfError::Stopped);
    }
    Ok(WhatIf {
        difference: difference(&store, &trial.store, changed.id, examples).await?,
        remade,
        sifted,
    })
}
