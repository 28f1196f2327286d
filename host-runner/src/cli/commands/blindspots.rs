//! `blindspots`: what the tenant holds and the platform does not see.

use crate::cli::args::BlindspotsArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::view::blindspots;
use crate::connection as service;

/// Runs it. That there are some is what was asked for, and no failure.
pub async fn run(context: &Context, args: &BlindspotsArgs) -> CommandResult {
    let desk = context.desk(&args.pace).await?;
    let named = &args.connection;
    let report = service::survey(
        &desk,
        &named.tenant,
        &named.name,
        args.silent_days,
        args.pace.rate(),
    )
    .await?;
    let now = context.now();
    let rows = blindspots::rows(&report, &named.tenant, now);
    let output = &context.output;
    if output.json() {
        output.document(&blindspots::document(
            &report.connection.name,
            &named.tenant,
            args.silent_days,
            now,
            &rows,
        ))?;
    } else {
        output.line(blindspots::text(&rows))?;
    }
    Ok(Exit::Success)
}
