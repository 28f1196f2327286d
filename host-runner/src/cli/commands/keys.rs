//! `keys show` and `keys rotate`.

use crate::cli::args::{KeysArgs, KeysCommand};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::view::keys as view;
use crate::connection::keys as service;

/// Runs either.
pub async fn run(context: &Context, args: &KeysArgs) -> CommandResult {
    match &args.command {
        KeysCommand::Show(_) => show(context).await,
        KeysCommand::Rotate(_) => rotate(context).await,
    }
}

async fn show(context: &Context) -> CommandResult {
    let stores = context.stores()?;
    let standing = service::standing(&stores).await?;
    let output = &context.output;
    if output.json() {
        output.document(&view::standing_document(&standing))?;
    } else {
        output.line(view::standing_text(&standing, output.style().colour))?;
    }
    Ok(if standing.lost.is_empty() {
        Exit::Success
    } else {
        Exit::Store
    })
}

async fn rotate(context: &Context) -> CommandResult {
    let rotation = service::rotate(&context.stores()?).await?;
    let output = &context.output;
    if output.json() {
        output.document(&view::rotation_document(&rotation))?;
    } else {
        output.line(view::rotation_text(&rotation))?;
    }
    Ok(Exit::Success)
}
