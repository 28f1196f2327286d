//! `runs` and `runs show`.

use std::collections::BTreeMap;

use crate::cli::args::{RunsArgs, RunsCommand, RunsListArgs, RunsShowArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::table::bold;
use crate::cli::view::run as view;
use crate::domain::ConnectionId;
use crate::store::sqlite::SqliteStore;
use crate::store::{RunFilter, Store};

/// Runs either.
pub async fn run(context: &Context, args: &RunsArgs) -> CommandResult {
    match (&args.command, &args.list) {
        (Some(RunsCommand::Show(args)), _) => show(context, args).await,
        (None, Some(args)) => list(context, args).await,
        (None, None) => {
            Err(Failure::new(Exit::Usage, "the tenant is missing").remedy("give --tenant TENANT"))
        }
    }
}

async fn list(context: &Context, args: &RunsListArgs) -> CommandResult {
    let store = context.stores()?.open(&args.tenant).await?;
    let connection = match &args.name {
        Some(name) => Some(store.connection(name).await?.id),
        None => None,
    };
    let names = names(&store).await?;
    let filter = RunFilter {
        connection,
        limit: context
            .limit(args.limit.map(u64::from))
            .and_then(|limit| u32::try_from(limit).ok()),
        ..RunFilter::default()
    };
    let runs: Vec<_> = store
        .runs(&filter)
        .await?
        .into_iter()
        .map(|run| {
            let name = name(&names, run.connection);
            (run, name)
        })
        .collect();
    let output = &context.output;
    if output.json() {
        for (run, connection) in &runs {
            output.item(&view::document(run, connection))?;
        }
    } else if runs.is_empty() {
        output.note("there is no run yet; `host-runner sync` makes one");
    } else {
        output.line(view::table(&runs, context.now()).render())?;
    }
    Ok(Exit::Success)
}

async fn show(context: &Context, args: &RunsShowArgs) -> CommandResult {
    let store = context.stores()?.open(&args.tenant).await?;
    let run = store.run(args.id).await?;
    let connection = name(&names(&store).await?, run.connection);
    let output = &context.output;
    if output.json() {
        output.document(&view::document(&run, &connection))?;
        return Ok(Exit::Success);
    }
    let colour = output.style().colour;
    output.line(view::card(&run, &connection, context.now(), None).render(colour))?;
    let usage = view::usage(&run);
    let calls = view::calls(&usage);
    if !calls.is_empty() {
        output.line(format!("\n{}\n{}", bold("Calls", colour), calls.render()))?;
    }
    let secrets: Vec<&str> = usage.secrets.iter().map(String::as_str).collect();
    let secrets = if secrets.is_empty() {
        "none".to_owned()
    } else {
        human::plain(&secrets.join(", ")).into_owned()
    };
    output.line(format!("\nSecrets used, by name: {secrets}"))?;
    Ok(Exit::Success)
}

async fn names(store: &SqliteStore) -> Result<BTreeMap<ConnectionId, String>, Failure> {
    let connections = store.connections().await?;
    Ok(connections
        .into_iter()
        .map(|connection| (connection.id, connection.name.to_string()))
        .collect())
}

/// The name of a connection; of one that was removed, its number.
fn name(names: &BTreeMap<ConnectionId, String>, id: ConnectionId) -> String {
    names
        .get(&id)
        .cloned()
        .unwrap_or_else(|| format!("(removed: {id})"))
}
