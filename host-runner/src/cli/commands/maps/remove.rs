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
pub async fn run(context: &Context, MapsRemoveArgs { map }: &MapsRemoveArgs) -> CommandResult {
    let room = Room::of(context, &map.pace, Some(&map.tenant), &[]).await?;
    let removed = match &room.store {
        Some(store) => maps::remove(store, &room.shelf, &map.name).await?,
        None => 0,
    };
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "removed": map.name,
            "tenant": map.tenant,
            "versions": removed,
        }))?;
        return Ok(Exit::Success);
    }
    output.line(format!(
        "removed: {} of tenant {}, {}",
        map.name,
        map.tenant,
        human::counted(removed, "version")
    ))?;
    Ok(Exit::Success)
}
