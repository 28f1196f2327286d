//! `maps list` and `maps history`.

use super::Room;
use crate::cli::args::{MapsHistoryArgs, MapsListArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::view::map as view;
use crate::connection::ConnectionError;
use crate::connection::maps::{name_of, with_all_versions};
use crate::domain::TenantName;
use crate::store::Store;

/// Runs `maps list`.
pub async fn run(context: &Context, args: &MapsListArgs) -> CommandResult {
    let room = Room::of(context, &args.pace, args.tenant.as_ref(), &[]).await?;
    let (output, now) = (&context.output, context.now());
    let rows = view::listed(&room.shelf);
    if output.json() {
        for row in &rows {
            output.item(&row.document())?;
        }
        return Ok(Exit::Success);
    }
    output.line(view::table(&rows, room.store.is_some(), now).render())?;
    match &args.tenant {
        None => output.note("--tenant TENANT lists the tenant's own maps too"),
        Some(tenant) if room.shelf.own().is_empty() => output.note(format!(
            "tenant {tenant} has no map of its own; to make one: host-runner maps clone NAME NEW --tenant {tenant}"
        )),
        Some(_) => {}
    }
    Ok(Exit::Success)
}

/// Runs `maps history`.
pub async fn history(
    context: &Context,
    MapsHistoryArgs { map }: &MapsHistoryArgs,
) -> CommandResult {
    with_all_versions(&map.name, "listed")?;
    let tenant: &TenantName = &map.tenant;
    let room = Room::of(context, &map.pace, Some(tenant), &[]).await?;
    let name = name_of(&map.name)?;
    let versions = match &room.store {
        Some(store) => store.map_versions(&name).await?,
        None => Vec::new(),
    };
    if versions.is_empty() {
        // Either there is no such map, or it is the connector's and has no versions.
        room.shelf.find(&map.name, None)?;
        return Err(ConnectionError::MapReadOnly(map.name.clone()).into());
    }
    let users = room.shelf.users_of_own(name.as_str());
    let output = &context.output;
    if output.json() {
        for version in &versions {
            output.item(&view::version_document(version, &users))?;
        }
        return Ok(Exit::Success);
    }
    output.line(view::versions(&versions, &users, context.now()).render())?;
    Ok(Exit::Success)
}
