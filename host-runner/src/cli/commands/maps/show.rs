//! `maps show`.

use super::Room;
use crate::cli::args::MapsShowArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::view::map as view;

/// Runs it.
pub async fn run(context: &Context, args: &MapsShowArgs) -> CommandResult {
    let named = &args.map;
    let name = match args.version {
        Some(_) if named.map.contains('@') => {
            return Err(Failure::new(
                Exit::Usage,
                format!("{} names a version, and so does --version", named.map),
            )
            .remedy("give one of them"));
        }
        Some(number) => format!("{}@{number}", named.map),
        None => named.map.clone(),
    };
    let room = Room::of(context, &named.pace, named.tenant.as_ref(), &[&name]).await?;
    let stream = named.stream.as_ref().map(AsRef::as_ref);
    let output = &context.output;
    if output.json() {
        let map = room.shelf.one(&name, stream)?;
        output.text(map.document().text())?;
        return Ok(Exit::Success);
    }
    let colour = output.style().colour;
    let found = room.shelf.find(&name, stream)?;
    for (at, map) in found.iter().enumerate() {
        if at > 0 {
            output.line("")?;
        }
        output.line(view::whole(map, &room.shelf, context.now(), colour))?;
    }
    Ok(Exit::Success)
}
