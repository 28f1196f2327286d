//! `maps diff`.

use serde_json::json;

use super::Room;
use crate::cli::args::MapsDiffArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::view::map_difference as view;
use crate::connection::maps::Shelved;
use crate::maps::difference;

/// Runs it.
pub async fn run(context: &Context, args: &MapsDiffArgs) -> CommandResult {
    let names = [args.one.as_str(), args.other.as_str()];
    let room = Room::of(context, &args.pace, args.tenant.as_ref(), &names).await?;
    let stream = args.stream.as_ref().map(AsRef::as_ref);
    let one = room.shelf.one_or_file(&args.one, stream)?;
    let other = room.shelf.one_or_file(&args.other, stream)?;
    let (before, after) = (one.document(), other.document());
    let difference = difference(before.body(), after.body());
    let output = &context.output;
    if output.json() {
        let side = |map: &Shelved| json!({"map": map.label(), "sha256": map.document().hash()});
        output.document(&json!({
            "before": side(&one),
            "after": side(&other),
            "difference": view::document(&difference),
        }))?;
    } else if difference.is_empty() {
        output.line("there is no difference")?;
    } else {
        output.line(view::text(&difference, output.style().colour))?;
    }
    Ok(if args.exit_code && !difference.is_empty() {
        Exit::Input
    } else {
        Exit::Success
    })
}
