//! What documents are made with, beside the record.

use super::books::Books;
use super::job::SyncJob;
use super::report::SyncError;
use crate::component::DataStream;
use crate::domain::sha256_hex;
use crate::personal::LeaveOut;
use crate::store::{StoredMap, Switches};
use serde_json::Value;

/// What documents are made with.
pub(super) struct Made {
    pub(super) map: StoredMap,
    pub(super) custom_fields: Vec<String>,
    /// Leaves users out of the records, where the connection is set up so.
    pub(super) leave_out: Option<LeaveOut>,
    /// All of it, as a hash.
    pub(super) with: String,
}

impl Made {
    pub(super) async fn of<S: Books>(
        job: &SyncJob<S>,
        declared: &DataStream,
    ) -> Result<Self, SyncError> {
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
        let with = making(
            &map,
            job.plugin.sha256(),
            job.switches,
            &custom_fields,
            job.connection.leave_out_users,
        );
        Ok(Self {
            map,
            custom_fields,
            leave_out: job
                .connection
                .leave_out_users
                .then(|| LeaveOut::of(&declared.schema)),
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
    leave_out_users: bool,
) -> String {
    let mut all = vec![
        Value::from(map.hash.as_str()),
        Value::from(component),
        Value::from(switches.update_existing_assets),
        Value::from(switches.auto_onboard_assets),
        Value::from(custom_fields),
    ];
    // Only where it is on: what was made before there was this option stays as it is.
    if leave_out_users {
        all.push(Value::from("leave-out-users"));
    }
    let all = Value::from(all);
    let mut hash = sha256_hex(all.to_string().as_bytes());
    hash.truncate(32);
    hash
}
