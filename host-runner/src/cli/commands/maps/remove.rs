//! `maps remove`.

use serde_json::json;

use super::Room;
use crate::cli::args::MapsRemoveArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::human;
use crate::connection::maps;

/// Runs it.
pub async fn run(context: &Context, args: &MapsRemoveArgs) -> CommandResult {
    let room = Room::of(context, &args.pace, Some(&args.tenant), &[]).await?;
    let removed = match &room.store {
        Some(store) => maps::remove(store, &room.shelf, &args.map).await?,
        None => 0,
    };
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "removed": args.map,
            "tenant": args.tenant,
            "versions": removed,
        }))?;
        return Ok(Exit::Success);
    }
    output.line(format!(
        "removed: {} of tenant {}, {}",
        args.map,
        args.tenant,
        human::counted(removed, "version")
    ))?;
    Ok(Exit::Success)
}
