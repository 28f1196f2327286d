//! What keeps a sync from removing too much.

use super::job::SyncJob;
use crate::store::{RemovalGuard, SyncHistory};

/// The guard that was asked for. Until a full sync that began after the key was replaced is complete, nothing is removed unasked: a key that may see
/// less makes records look gone.
pub(super) fn guard<S>(job: &SyncJob<S>, history: &SyncHistory) -> RemovalGuard {
    let replaced = job.connection.secrets_changed_at.filter(|at| {
        history
            .last_complete_full
            .as_ref()
            .is_none_or(|full| full.started_at < *at)
    });
    RemovalGuard {
        hold: replaced.map(|at| {
            format!("the key was replaced at {at}, and the new one may be allowed to see less")
        }),
        ..job.options.guard.clone()
    }
}
