//! Changing a connection and keeping its data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::connect::{Onlooker, SKIPPED};
use super::{
    Completed, ConnectionError, Desk, MapArgument, MapChoice, TypedConfig, WayOutChange, binding,
    complete, link, maps, origins, test,
};
use crate::domain::{ConnectionName, DataStreamName, TenantName};
use crate::egress::Rate;
use crate::personal::LeaveOut;
use crate::secrets::SecretSet;
use crate::store::{Connection, Store, Tested};

/// What to change. What is none stays.
#[derive(Debug, Clone)]
pub struct UpdateRequest {
    /// Whose.
    pub tenant: TenantName,
    /// Which.
    pub name: ConnectionName,
    /// A new configuration, as the user typed it.
    pub config: Option<Value>,
    /// New secrets.
    pub secrets: SecretSet,
    /// A new line about it.
    pub description: Option<String>,
    /// Other maps; none keeps those in use.
    pub maps: Vec<MapArgument>,
    /// Whether this machine may be reached; once allowed, it stays so.
    pub allow_loopback: bool,
    /// Whether users' names are left out of all that is kept.
    pub leave_out_users: Option<bool>,
    /// Save without testing.
    pub skip_test: bool,
    /// Move to the build that is loaded.
    pub upgrade: bool,
    /// Also where that build reaches further than the one before.
    pub accept_reach: bool,
    /// How fast requests go out.
    pub rate: Rate,
    /// How they get out.
    pub way_out: WayOutChange,
}

impl UpdateRequest {
    /// Whether it changes nothing that a test could find wrong.
    fn needs_no_test(&self) -> bool {
        self.config.is_none() && self.secrets.is_empty() && !self.upgrade && self.way_out.is_none()
    }
}

/// Changes a connection. It is held while that happens, so that no sync runs with half of it.
///
/// # Errors
/// Whatever fails; nothing is changed then.
pub async fn update(
    desk: &Desk,
    request: UpdateRequest,
    onlooker: &dyn Onlooker,
) -> Result<Connection, ConnectionError> {
    let store = desk.stores.open(&request.tenant).await?;
    let connection = store.connection(&request.name).await?;
    let _lock = store.lock(connection.id, desk.clock.now()).await?;
    let untested = request.needs_no_test();
    match binding::check(&desk.plugin, &connection) {
        Err(ConnectionError::OtherBuild { .. }) if request.upgrade => {
            binding::judge_upgrade(&desk.plugin, &connection, request.accept_reach)?;
        }
        checked => checked?,
    }
    let fields = desk.plugin.manifest().secret_fields();
    // A saved configuration was completed by a known version of the connector; a new one by none.
    let written_by = request
        .config
        .is_none()
        .then_some(connection.component.version.as_str());
    let config = request
        .config
        .clone()
        .unwrap_or_else(|| connection.typed_config.clone());
    let typed = TypedConfig::new(config, request.secrets.clone(), &fields)?;
    let given = typed.secrets.clone();
    let kept = link::kept(desk, &store, &connection, &given).await?;
    let typed = typed.with_kept(&kept.secrets);
    let allow_loopback = request.allow_loopback || connection.allow_loopback;

    let log = desk.log(&request.name);
    let completed = complete(
        &desk.plugin,
        &typed,
        written_by,
        allow_loopback,
        Arc::clone(&log),
    )
    .await?;
    let origins_now = completed.origin_texts();
    if origins_now != connection.origins {
        return Err(ConnectionError::OtherOrigin {
            connection: request.name,
            from: origins::as_text(&connection.origins),
            to: origins::as_text(&origins_now),
        });
    }
    let choice = choose(desk, &request, &connection, &completed)?;
    let way_out = request
        .way_out
        .of_connection(desk, &store, &connection)
        .await?;
    onlooker.completed(&completed, &choice, &way_out);
    let custom_fields = store.custom_fields().await?;
    maps::check(&desk.plugin, &choice, &custom_fields, Arc::clone(&log)).await?;

    let tested = if untested {
        connection.tested.clone()
    } else if request.skip_test {
        Tested::Untested {
            reason: SKIPPED.to_owned(),
        }
    } else {
        let options = link::LinkOptions {
            rate: request.rate,
            allow_loopback,
            way_out: way_out.clone().valid_at(desk.clock.now()),
        };
        let egress = link::open(
            desk.plugin.manifest(),
            completed.origins.clone(),
            &typed.secrets,
            &completed.secrets,
            desk.plugin.limits(),
            options,
        )?;
        test::passes(desk, egress, &completed.config, log, onlooker).await?
    };

    let mut given = given.restricted_to(completed.secrets.iter().map(String::as_str));
    let now = desk.clock.now();
    let changed = Connection {
        description: request.description.unwrap_or(connection.description),
        component: binding::reference(&desk.plugin),
        reach: binding::reach(&desk.plugin),
        typed_config: typed.config,
        config: completed.config,
        secrets: completed.secrets,
        data_streams: completed.data_streams,
        scope: completed.scope,
        policy: completed.policy,
        target: choice.target,
        maps: choice.maps,
        allow_loopback,
        way_out: way_out.kept(),
        tested,
        leave_out_users: request
            .leave_out_users
            .unwrap_or(connection.leave_out_users),
        secrets_changed_at: if kept.some_lost || replaces(&given, &kept.secrets) {
            Some(now)
        } else {
            connection.secrets_changed_at
        },
        updated_at: now,
        ..connection
    };
    if let Some((name, secret)) = way_out.secret() {
        given.insert(name, secret);
    }
    if request.leave_out_users == Some(true) {
        // Before it is saved: whoever is killed in between asks again, and has it cleaned again.
        store.leave_out_users(changed.id, &leave_out(desk)).await?;
    }
    // Read again, and held until they are committed: the keys may have been rotated while the test ran.
    let keyring = desk.keyring().await?;
    let sealed = link::sealed(&keyring, store.tenant(), changed.id, &given)?;
    store.update_connection(&changed, &sealed).await?;
    Ok(changed)
}

/// Whether a secret that was kept is another one now.
fn replaces(given: &SecretSet, kept: &SecretSet) -> bool {
    given.iter().any(|(name, secret)| {
        kept.get(name)
            .is_some_and(|before| before.expose() != secret.expose())
    })
}

/// What leaves users out of each data stream's records.
fn leave_out(desk: &Desk) -> BTreeMap<DataStreamName, LeaveOut> {
    let streams = desk.plugin.manifest().data_streams.iter();
    streams
        .filter_map(|stream| {
            let name = DataStreamName::new(stream.name.clone()).ok()?;
            Some((name, LeaveOut::of(&stream.schema)))
        })
        .collect()
}

fn choose(
    desk: &Desk,
    request: &UpdateRequest,
    connection: &Connection,
    completed: &Completed,
) -> Result<MapChoice, ConnectionError> {
    let manifest = desk.plugin.manifest();
    if request.maps.is_empty() {
        maps::carry_over(
            manifest,
            &completed.data_streams,
            &connection.target,
            &connection.maps,
        )
    } else {
        maps::choose(manifest, &completed.data_streams, &request.maps)
    }
}
