//! `maps export`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde_json::json;

use crate::cli::args::MapsExportArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;

/// Runs it.
pub async fn run(context: &Context, args: &MapsExportArgs) -> CommandResult {
    let (_, map) = super::found(context, &args.map).await?;
    let output = &context.output;
    let Some(file) = &args.file else {
        output.text(map.document().text())?;
        return Ok(Exit::Success);
    };
    write(file, map.document().text(), args.overwrite)?;
    if output.json() {
        output.document(&json!({
            "exported": map.label(),
            "file": file,
            "sha256": map.document().hash(),
        }))?;
        return Ok(Exit::Success);
    }
    output.line(format!(
        "exported: {} to {}",
        human::plain(&map.label()),
        human::plain(&file.display().to_string())
    ))?;
    Ok(Exit::Success)
}

fn write(file: &Path, text: &str, overwrite: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let failure = Failure::new(
            Exit::Input,
            format!("{} can't be written: {error}", file.display()),
        );
        if error.kind() == ErrorKind::AlreadyExists {
            failure.remedy("give another file, or replace that one with --overwrite")
        } else {
            failure.remedy("check the path and its permissions")
        }
    })
}
