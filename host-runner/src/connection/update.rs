//! Changing a connection and keeping its data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::connect::{Onlooker, SKIPPED};
use super::maps::OwnMaps;
use super::{
    Completed, ConnectionError, Desk, MapArgument, MapChoice, TypedConfig, WayOut, WayOutChange,
    binding, complete, link, maps, origins, remake, test,
};
use crate::domain::{ConnectionName, DataStreamName, TenantName};
use crate::egress::{Origin, Rate};
use crate::personal::LeaveOut;
use crate::pipeline::{RemakeReport, SyncError, remake};
use crate::secrets::SecretSet;
use crate::store::sqlite::SqliteStore;
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

/// A connection that was changed.
#[derive(Debug)]
pub struct Updated {
    /// As it is saved.
    pub connection: Connection,
    /// Which documents were made anew for it; what was left is by the next sync.
    pub remade: Result<Vec<RemakeReport>, SyncError>,
}

/// Changes a connection, and makes documents anew where they would be made otherwise now. It is held while that happens, so that no sync runs with half
/// of it.
///
/// # Errors
/// Whatever fails; nothing is changed then.
pub async fn update(
    desk: &Desk,
    request: UpdateRequest,
    onlooker: &dyn Onlooker,
) -> Result<Updated, ConnectionError> {
    let store = desk.stores.open(&request.tenant).await?;
    let connection = store.connection(&request.name).await?;
    let _lock = store.lock(connection.id, desk.clock.now()).await?;
    let Planned {
        mut changed,
        mut given,
        secrets,
        origins,
        way_out,
    } = plan(desk, &store, &request, connection, onlooker).await?;
    if request.needs_no_test() {
        // What it was tested with is as it was.
    } else if request.skip_test {
        changed.tested = Tested::Untested {
            reason: SKIPPED.to_owned(),
        };
    } else {
        let options = link::LinkOptions {
            rate: request.rate,
            allow_loopback: changed.allow_loopback,
            way_out: way_out.clone().valid_at(desk.clock.now()),
        };
        let egress = link::open(
            desk.plugin.manifest(),
            origins,
            &secrets,
            &changed.secrets,
            desk.plugin.limits(),
            options,
        )?;
        let log = desk.log(&request.name);
        changed.tested = test::passes(desk, egress, &changed.config, log, onlooker).await?;
    }
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
    drop(keyring);
    // As it is now: the store knows whether it is set aside.
    let changed = store.connection(&changed.name).await?;
    let remade = if changed.set_aside.is_some() {
        // Nothing of its component runs until someone looks.
        Ok(Vec::new())
    } else {
        remake(&remake::job(
            desk,
            &store,
            &changed,
            onlooker.observer(),
            onlooker.cancel(),
        )?)
        .await
    };
    Ok(Updated {
        connection: changed,
        remade,
    })
}

/// A change that was checked, and neither tested nor saved.
pub(super) struct Planned {
    /// The connection as it would be.
    pub(super) changed: Connection,
    /// The connector's secrets that are new.
    given: SecretSet,
    /// All of the connector's secrets.
    secrets: SecretSet,
    /// Where requests would go.
    origins: Vec<(String, Origin)>,
    /// How they would get out.
    way_out: WayOut,
}

/// What a change would make of a connection. Makes no request, and saves nothing.
pub(super) async fn plan(
    desk: &Desk,
    store: &SqliteStore,
    request: &UpdateRequest,
    connection: Connection,
    onlooker: &dyn Onlooker,
) -> Result<Planned, ConnectionError> {
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
    let kept = link::kept(desk, store, &connection, &given).await?;
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
            connection: request.name.clone(),
            from: origins::as_text(&connection.origins),
            to: origins::as_text(&origins_now),
        });
    }
    let own_maps = OwnMaps::of(store, &request.maps).await?;
    let choice = choose(desk, request, &connection, &completed, &own_maps)?;
    let way_out = request
        .way_out
        .clone()
        .of_connection(desk, store, &connection)
        .await?;
    onlooker.completed(&completed, &choice, &way_out);
    let custom_fields = store.custom_fields().await?;
    maps::check(&desk.plugin, &choice, &custom_fields, log).await?;

    let given = given.restricted_to(completed.secrets.iter().map(String::as_str));
    let now = desk.clock.now();
    let changed = Connection {
        description: request
            .description
            .clone()
            .unwrap_or(connection.description),
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
    Ok(Planned {
        changed,
        given,
        secrets: typed.secrets,
        origins: completed.origins,
        way_out,
    })
}

/// Whether a secret that was kept is another one now.
fn replaces(given: &SecretSet, kept: &SecretSet) -> bool {
    given.iter().any(|(name, secret)| {
        kept.get(name)
            .is_some_and(|before| before.expose() != secret.expose())
    })
}

/// What leaves users out of each data stream's records.
pub(super) fn leave_out(desk: &Desk) -> BTreeMap<DataStreamName, LeaveOut> {
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
    own_maps: &OwnMaps,
) -> Result<MapChoice, ConnectionError> {
    let manifest = desk.plugin.manifest();
    let streams = &completed.data_streams;
    let kept = maps::carry_over(manifest, streams, &connection.target, &connection.maps);
    if request.maps.is_empty() {
        return kept;
    }
    // Where one is missing, what is given has to make up for it.
    maps::choose(
        manifest,
        own_maps,
        streams,
        &request.maps,
        kept.ok().as_ref(),
    )
}
