//! `maps check`.

use serde_json::json;

use super::Room;
use crate::cli::args::MapsCheckArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain::problems_json;
use crate::cli::failure::CommandResult;
use crate::cli::human;
use crate::cli::view::map as view;
use crate::connection::ConnectionError;
use crate::connection::maps::{judge, read_file};

/// Runs it.
pub async fn run(context: &Context, args: &MapsCheckArgs) -> CommandResult {
    let map = read_file(&args.file)?;
    let room = Room::of(context, &args.pace, args.tenant.as_ref(), &[]).await?;
    let custom_fields = room.custom_fields().await?;
    let judgement = judge(&room.plugin, &map, &custom_fields, &super::log()).await?;
    let output = &context.output;
    let good = judgement.is_good();
    let problems = judgement.into_problems();
    if output.json() {
        output.document(&json!({
            "file": args.file,
            "valid": good,
            "map": view::use_document(&map),
            "problems": problems_json(&problems),
        }))?;
        return Ok(if good { Exit::Success } else { Exit::Input });
    }
    if !good {
        return Err(ConnectionError::MapWrong {
            name: args.file.display().to_string(),
            problems,
        }
        .into());
    }
    output.line(format!(
        "{} can be used: {}",
        human::plain(&args.file.display().to_string()),
        view::used_for(&map)
    ))?;
    Ok(Exit::Success)
}
