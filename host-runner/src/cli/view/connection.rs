//! A connection, as it is shown.

use serde_json::{Map, Value, json};

use super::way_out;
use crate::cli::human;
use crate::domain::{TenantName, Timestamp};
use crate::model::Model;
use crate::store::{Connection, Tested};

/// A connection as JSON: all but the bodies of its maps, which are long.
pub fn document(connection: &Connection, tenant: &TenantName) -> Value {
    let maps: Map<String, Value> = connection
        .maps
        .iter()
        .map(|(stream, map)| {
            let told = json!({
                "name": map.name,
                "version": map.version,
                "number": map.origin.number(),
                "sha256": map.hash,
                "caution": map.caution(),
            });
            (stream.to_string(), told)
        })
        .collect();
    let origins: Map<String, Value> = connection
        .origins
        .iter()
        .map(|(name, origin)| (name.clone(), json!(origin)))
        .collect();
    json!({
        "name": connection.name,
        "tenant": tenant,
        "description": connection.description,
        "component": connection.component,
        "config": connection.config,
        "origins": origins,
        "secrets": connection.secrets,
        "dataStreams": connection.data_streams,
        "policy": policy(connection),
        "target": connection.target,
        "maps": maps,
        "allowLoopback": connection.allow_loopback,
        "authorities": way_out::authorities_json(connection),
        "proxy": way_out::proxy_json(connection),
        "tested": match &connection.tested {
            Tested::Passed { at } => json!({"state": "passed", "at": at.to_rfc3339()}),
            Tested::Untested { reason } => json!({"state": "untested", "reason": reason}),
        },
        "leaveOutUsers": connection.leave_out_users,
        "setAside": connection.set_aside.as_ref().map(|set_aside| json!({
            "at": set_aside.at.to_rfc3339(),
            "run": set_aside.run,
            "inARow": set_aside.in_a_row,
            "reason": set_aside.reason,
        })),
        "createdAt": connection.created_at.to_rfc3339(),
        "updatedAt": connection.updated_at.to_rfc3339(),
    })
}

/// Where it goes.
pub fn origins(connection: &Connection) -> String {
    let origins: Vec<&str> = connection
        .origins
        .iter()
        .map(|(_, origin)| origin.as_str())
        .collect();
    origins.join(", ")
}

/// Whether it was tested, as text.
pub fn tested(connection: &Connection, now: Timestamp) -> String {
    match &connection.tested {
        Tested::Passed { at } => format!("passed {}", human::moment_and_distance(now, *at)),
        Tested::Untested { reason } => format!("untested: {reason}"),
    }
}

/// A switch that is in force, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// What holds.
    pub on: bool,
    /// Whether the user chose it; else the target model does.
    pub chosen: bool,
}

/// The two switches in force: `updateExistingAssets` and `autoOnboardAssets`.
pub fn switches(connection: &Connection) -> (Switch, Switch) {
    let defaults = Model::by_name(&connection.target)
        .ok()
        .map(|model| model.defaults);
    let switch = |chosen: Option<bool>, default: Option<bool>| Switch {
        // A model that this build does not know gives no leave to change anything.
        on: chosen.or(default).unwrap_or(false),
        chosen: chosen.is_some(),
    };
    (
        switch(
            connection.policy.update_existing_assets,
            defaults.map(|defaults| defaults.update_existing_assets),
        ),
        switch(
            connection.policy.auto_onboard_assets,
            defaults.map(|defaults| defaults.auto_onboard_assets),
        ),
    )
}

impl Switch {
    /// "on (chosen)", "off (as safe has it)".
    pub fn text(self, target: &str) -> String {
        let on = if self.on { "on" } else { "off" };
        if self.chosen {
            format!("{on} (chosen)")
        } else {
            format!("{on} (as {target} has it)")
        }
    }
}

fn policy(connection: &Connection) -> Value {
    let (update, onboard) = switches(connection);
    let value = |switch: Switch| json!({"on": switch.on, "chosen": switch.chosen});
    json!({
        "updateExistingAssets": value(update),
        "autoOnboardAssets": value(onboard),
        "fullSyncEveryDays": connection.policy.full_sync_every_days,
    })
}
