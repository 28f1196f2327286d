//! `maps new`.

use super::Room;
use super::import::{keep, tell};
use crate::cli::args::MapsNewArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::connection::maps::{Draft, begin, new_name};

/// Runs it.
pub async fn run(context: &Context, args: &MapsNewArgs) -> CommandResult {
    let room = Room::of(context, &args.pace, Some(&args.tenant), &[]).await?;
    let name = new_name(&room.shelf, &args.name)?;
    let manifest = room.plugin.manifest();
    let begun = begin(
        manifest,
        &room.shelf,
        &name,
        args.source.as_str(),
        &args.target,
    )?;
    let draft = Draft {
        name,
        document: begun.skeleton.map,
        after: None,
    };
    let kept = keep(context, &room, &draft).await?;
    let origin = format!("the connector's {}", begun.from);
    tell(context, &args.tenant, &draft.document, &kept, &origin)?;
    let (output, name, tenant) = (&context.output, &kept.version.name, &args.tenant);
    for path in &begun.skeleton.missing {
        output.note(format!("still to be written: the target requires {path}"));
    }
    output.note(format!(
        "it has what the target requires and what documents are known by; next:\n  \
         host-runner maps edit {name} --tenant {tenant}\n  \
         host-runner models show {}  lists the target's paths\n  \
         host-runner maps preview {name} --connection CONNECTION --tenant {tenant}  tells what it makes of records, and which fields it leaves out\n  \
         host-runner update CONNECTION --tenant {tenant} --map {}={name}",
        args.target, args.source
    ));
    Ok(Exit::Success)
}
