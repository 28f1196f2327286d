//! `maps`: the connector's transform maps and a tenant's own.

mod check;
mod diff;
mod edit;
mod export;
mod import;
mod list;
mod new;
mod preview;
mod remove;
mod show;

use std::sync::Arc;

use crate::cli::args::{MapNamed, MapsArgs, MapsCommand, PaceArgs};
use crate::cli::context::Context;
use crate::cli::failure::{CommandResult, Failure};
use crate::connection::TracingLog;
use crate::connection::maps::{OwnMaps, Shelf, Shelved};
use crate::domain::TenantName;
use crate::engine::Plugin;
use crate::imports::LogSink;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

/// Runs whichever.
pub async fn run(context: &Context, args: &MapsArgs) -> CommandResult {
    match &args.command {
        None => list::run(context, &args.list).await,
        Some(MapsCommand::List(args)) => list::run(context, args).await,
        Some(MapsCommand::Show(args)) => show::run(context, args).await,
        Some(MapsCommand::Clone(args)) => import::clone(context, args).await,
        Some(MapsCommand::New(args)) => new::run(context, args).await,
        Some(MapsCommand::Edit(args)) => edit::run(context, args).await,
        Some(MapsCommand::Diff(args)) => diff::run(context, args).await,
        Some(MapsCommand::Preview(args)) => preview::run(context, args).await,
        Some(MapsCommand::Check(args)) => check::run(context, args).await,
        Some(MapsCommand::Import(args)) => import::run(context, args).await,
        Some(MapsCommand::Export(args)) => export::run(context, args).await,
        Some(MapsCommand::Remove(args)) => remove::run(context, args).await,
        Some(MapsCommand::History(args)) => list::history(context, args).await,
    }
}

/// The component, a tenant's store where there is a tenant, and all maps.
pub(super) struct Room {
    pub(super) plugin: Arc<Plugin>,
    pub(super) store: Option<SqliteStore>,
    pub(super) shelf: Shelf,
}

impl Room {
    /// With the older versions of these names.
    async fn of(
        context: &Context,
        pace: &PaceArgs,
        tenant: Option<&TenantName>,
        names: &[&str],
    ) -> Result<Self, Failure> {
        // First: a tenant that does not exist need not wait for the component.
        let store = match tenant {
            Some(tenant) => Some(context.stores()?.open(tenant).await?),
            None => None,
        };
        let plugin = context.plugin_alone(pace).await?;
        let (own, connections) = match &store {
            Some(store) => (
                OwnMaps::with(store, names).await?,
                store.connections().await?,
            ),
            None => Default::default(),
        };
        let shelf = Shelf::new(plugin.manifest(), own, &connections);
        Ok(Self {
            plugin,
            store,
            shelf,
        })
    }

    /// The custom fields of the tenant, where there is one.
    async fn custom_fields(&self) -> Result<Vec<String>, Failure> {
        match &self.store {
            Some(store) => Ok(store.custom_fields().await?),
            None => Ok(Vec::new()),
        }
    }
}

/// The room and the one map that is named in it.
async fn found(context: &Context, named: &MapNamed) -> Result<(Room, Shelved), Failure> {
    let tenant = named.tenant.as_ref();
    let room = Room::of(context, &named.pace, tenant, &[&named.map]).await?;
    let stream = named.stream.as_ref().map(AsRef::as_ref);
    let map = room.shelf.one(&named.map, stream)?;
    Ok((room, map))
}

/// Where a component that looks at a map logs to.
fn log() -> Arc<dyn LogSink> {
    Arc::new(TracingLog::new("maps"))
}
