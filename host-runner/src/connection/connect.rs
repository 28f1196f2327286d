//! Setting a connection up: configure, test, save. Nothing is saved when one of them fails.

use std::sync::Arc;

use super::maps::OwnMaps;
use super::{
    Completed, ConnectionError, Desk, MapArgument, MapChoice, TypedConfig, WayOut, WayOutChange,
    binding, complete, link, maps, test,
};
use crate::contract::connector::Check;
use crate::domain::{ConnectionId, ConnectionName, TenantName};
use crate::egress::Rate;
use crate::pipeline::{Cancel, Observer, Unobserved};
use crate::store::{Connection, Store, StoreError, Tested};

/// What to set up.
#[derive(Debug, Clone)]
pub struct ConnectRequest {
    /// Whose.
    pub tenant: TenantName,
    /// What to call it.
    pub name: ConnectionName,
    /// A line about it, or none.
    pub description: Option<String>,
    /// What the user typed.
    pub typed: TypedConfig,
    /// Which maps.
    pub maps: Vec<MapArgument>,
    /// Whether this machine may be reached.
    pub allow_loopback: bool,
    /// Leave users' names out of all that is kept.
    pub leave_out_users: bool,
    /// Save without testing.
    pub skip_test: bool,
    /// How fast requests go out.
    pub rate: Rate,
    /// How they get out.
    pub way_out: WayOutChange,
}

/// Who is told what happens while a connection is set up or changed.
pub trait Onlooker: Send + Sync {
    /// The configuration is complete, and where requests will go is known. Nothing was sent yet.
    fn completed(&self, completed: &Completed, maps: &MapChoice, way_out: &WayOut) {
        let _ = (completed, maps, way_out);
    }

    /// The test has ended.
    fn tested(&self, checks: &[Check]) {
        let _ = checks;
    }

    /// Who watches documents being made anew.
    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Unobserved)
    }

    /// How that is stopped.
    fn cancel(&self) -> Cancel {
        Cancel::new()
    }
}

/// Nobody.
impl Onlooker for () {}

/// Why a connection that was not tested is untested.
pub(super) const SKIPPED: &str = "skipped by --skip-test";

/// Sets a connection up.
///
/// # Errors
/// Whatever fails; nothing is saved then.
pub async fn connect(
    desk: &Desk,
    request: ConnectRequest,
    onlooker: &dyn Onlooker,
) -> Result<Connection, ConnectionError> {
    let (custom_fields, own_maps) = before(desk, &request).await?;
    let log = desk.log(&request.name);
    let completed = complete(
        &desk.plugin,
        &request.typed,
        None,
        request.allow_loopback,
        Arc::clone(&log),
    )
    .await?;
    let choice = maps::choose(
        desk.plugin.manifest(),
        &own_maps,
        &completed.data_streams,
        &request.maps,
        None,
    )?;
    let way_out = request.way_out.of_nothing_yet();
    onlooker.completed(&completed, &choice, &way_out);
    maps::check(&desk.plugin, &choice, &custom_fields, Arc::clone(&log)).await?;

    let options = link::LinkOptions {
        rate: request.rate,
        allow_loopback: request.allow_loopback,
        way_out: way_out.clone(),
    };
    let egress = link::open(
        desk.plugin.manifest(),
        completed.origins.clone(),
        &request.typed.secrets,
        &completed.secrets,
        desk.plugin.limits(),
        options,
    )?;
    let tested = if request.skip_test {
        Tested::Untested {
            reason: SKIPPED.to_owned(),
        }
    } else {
        test::passes(desk, egress, &completed.config, log, onlooker).await?
    };
    save(desk, request, completed, choice, (way_out, tested)).await
}

/// What can be known before anything is asked: that the name is free, the tenant's custom fields, and its own maps. A tenant that has no store
/// yet is given none before all has gone well.
async fn before(
    desk: &Desk,
    request: &ConnectRequest,
) -> Result<(Vec<String>, OwnMaps), ConnectionError> {
    let store = match desk.stores.open(&request.tenant).await {
        Ok(store) => store,
        Err(StoreError::NoSuchTenant { .. }) => return Ok(Default::default()),
        Err(error) => return Err(error.into()),
    };
    match store.connection(&request.name).await {
        Ok(_) => Err(StoreError::NameTaken {
            tenant: request.tenant.clone(),
            name: request.name.clone(),
        }
        .into()),
        Err(StoreError::NoSuchConnection { .. }) => Ok((
            store.custom_fields().await?,
            OwnMaps::of(&store, &request.maps).await?,
        )),
        Err(error) => Err(error.into()),
    }
}

async fn save(
    desk: &Desk,
    request: ConnectRequest,
    completed: Completed,
    choice: MapChoice,
    (way_out, tested): (WayOut, Tested),
) -> Result<Connection, ConnectionError> {
    let store = desk.stores.create(&request.tenant).await?;
    // Held until the secrets are committed.
    let keyring = desk.keyring().await?;
    let now = desk.clock.now();
    let connection = Connection {
        id: ConnectionId::default(),
        name: request.name,
        description: request.description.unwrap_or_default(),
        component: binding::reference(&desk.plugin),
        reach: binding::reach(&desk.plugin),
        origins: completed.origin_texts(),
        typed_config: request.typed.config.clone(),
        config: completed.config,
        secrets: completed.secrets,
        data_streams: completed.data_streams,
        scope: completed.scope,
        policy: completed.policy,
        target: choice.target,
        maps: choice.maps,
        allow_loopback: request.allow_loopback,
        way_out: way_out.kept(),
        tested,
        leave_out_users: request.leave_out_users,
        set_aside: None,
        secrets_changed_at: None,
        created_at: now,
        updated_at: now,
    };
    let mut secrets = request
        .typed
        .secrets
        .restricted_to(connection.secrets.iter().map(String::as_str));
    if let Some((name, secret)) = way_out.secret() {
        secrets.insert(name, secret);
    }
    store
        .create_connection(&connection, |id| {
            link::sealed(&keyring, &request.tenant, id, &secrets)
        })
        .await
}
