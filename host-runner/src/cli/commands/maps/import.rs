//! `maps import` and `maps clone`: maps that become a tenant's own.

use serde_json::json;

use super::Room;
use crate::cli::args::{MapsCloneArgs, MapsImportArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::view::map as view;
use crate::connection::maps::{Draft, Kept, name_of_file, new_name, read_file, save};
use crate::domain::TenantName;
use crate::maps::MapDocument;

/// Runs `maps import`.
pub async fn run(context: &Context, args: &MapsImportArgs) -> CommandResult {
    let document = read_file(&args.file)?;
    let room = Room::of(context, &args.pace, Some(&args.tenant), &[]).await?;
    let given = args.name.as_deref();
    let name = name_of_file(&room.shelf, given, &document, &args.file)?;
    let draft = Draft {
        // Only a name is put into it that is given here; that a map has none is wrong.
        document: match given {
            Some(_) => document.named(name.as_str()),
            None => document,
        },
        name,
        after: None,
    };
    let kept = keep(context, &room, &draft).await?;
    let origin = args.file.display().to_string();
    tell(context, &args.tenant, &draft.document, &kept, &origin)
}

/// Runs `maps clone`.
pub async fn clone(context: &Context, args: &MapsCloneArgs) -> CommandResult {
    let room = Room::of(context, &args.pace, Some(&args.tenant), &[&args.map]).await?;
    let stream = args.stream.as_ref().map(AsRef::as_ref);
    let original = room.shelf.one(&args.map, stream)?;
    let name = new_name(&room.shelf, &args.new)?;
    let draft = Draft {
        document: original.document().copied_as(name.as_str()),
        name,
        after: None,
    };
    let kept = keep(context, &room, &draft).await?;
    tell(
        context,
        &args.tenant,
        &draft.document,
        &kept,
        &original.label(),
    )?;
    context.output.note(format!(
        "next: host-runner maps edit {} --tenant {}",
        kept.version.name, args.tenant
    ));
    Ok(Exit::Success)
}

/// Checks and saves a map.
pub(super) async fn keep(context: &Context, room: &Room, draft: &Draft) -> Result<Kept, Failure> {
    let Some(store) = &room.store else {
        return Err(Failure::new(
            Exit::Internal,
            "a map is saved without a tenant",
        ));
    };
    let (plugin, shelf, log) = (&room.plugin, &room.shelf, super::log());
    Ok(save(plugin, store, shelf, draft, context.now(), &log).await?)
}

/// Tells what was saved, and which connections do not use it yet. `origin` is what it was made from.
pub(super) fn tell(
    context: &Context,
    tenant: &TenantName,
    map: &MapDocument,
    kept: &Kept,
    origin: &str,
) -> CommandResult {
    let output = &context.output;
    let version = &kept.version;
    if output.json() {
        output.document(&json!({
            "map": version.name,
            "tenant": tenant,
            "number": version.number,
            "sha256": version.hash,
            "savedAt": version.saved_at.to_rfc3339(),
            "saved": kept.changed,
            "from": origin,
            "uses": view::use_document(map),
            "behind": kept.behind.iter().map(view::use_json).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Success);
    }
    output.line(if kept.changed {
        format!(
            "saved: {} of tenant {tenant}, version {}, from {} ({})",
            version.name,
            version.number,
            human::plain(origin),
            view::used_for(map)
        )
    } else {
        format!(
            "nothing was saved: version {} of {} has the same text",
            version.number, version.name
        )
    })?;
    for line in view::behind(version, &kept.behind, tenant) {
        output.note(line);
    }
    Ok(Exit::Success)
}
