//! What documents are made with, beside the record.

use super::books::Books;
use super::job::SyncJob;
use super::report::SyncError;
use crate::domain::sha256_hex;
use crate::store::{StoredMap, Switches};

/// What documents are made with.
pub(super) struct Made {
    pub(super) map: StoredMap,
    pub(super) custom_fields: Vec<String>,
    /// All of it, as a hash.
    pub(super) with: String,
}

impl Made {
    pub(super) async fn of<S: Books>(job: &SyncJob<S>) -> Result<Self, SyncError> {
        let map = job
            .connection
            .maps
            .get(&job.stream)
            .cloned()
            .ok_or_else(|| {
                SyncError::Mode(format!(
                    "the connection `{}` has no map for `{}`: give it one with `update --map`",
                    job.connection.name, job.stream
                ))
            })?;
        let custom_fields = job.store.custom_fields().await?;
        let with = making(&map, job.plugin.sha256(), job.switches, &custom_fields);
        Ok(Self {
            map,
            custom_fields,
            with,
        })
    }
}

/// A hash of all that documents depend on besides the record: where it changes, they are made anew.
pub fn making(
    map: &StoredMap,
    component: &str,
    switches: Switches,
    custom_fields: &[String],
) -> String {
    let all = serde_json::json!([
        map.hash,
        component,
        switches.update_existing_assets,
        switches.auto_onboard_assets,
        custom_fields,
    ]);
    let mut hash = sha256_hex(all.to_string().as_bytes());
    hash.truncate(32);
    hash
}
