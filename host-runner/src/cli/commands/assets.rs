//! `assets`: what is held, and what is in doubt about it.

use super::import;
use super::listing::{more, tell};
use super::records::assets;
use crate::cli::args::{AmbiguousArgs, AssetsArgs, AssetsCommand, DoubtsArgs, DuplicatesArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::view::identification as view;
use crate::domain::ConnectionId;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

/// Runs it.
pub async fn run(context: &Context, args: &AssetsArgs) -> CommandResult {
    match (&args.command, &args.list) {
        (Some(AssetsCommand::Import(args)), _) => import::run(context, args).await,
        (Some(AssetsCommand::Ambiguous(args)), _) => ambiguous(context, args).await,
        (Some(AssetsCommand::Duplicates(args)), _) => duplicates(context, args).await,
        (None, Some(args)) => assets(context, args).await,
        (None, None) => {
            Err(Failure::new(Exit::Usage, "the tenant is missing").remedy("give --tenant TENANT"))
        }
    }
}

async fn open(
    context: &Context,
    args: &DoubtsArgs,
) -> Result<(SqliteStore, Option<ConnectionId>), Failure> {
    let store = context.stores()?.open(&args.tenant).await?;
    let connection = match &args.connection {
        Some(name) => Some(store.connection(name).await?.id),
        None => None,
    };
    Ok((store, connection))
}

async fn ambiguous(context: &Context, AmbiguousArgs { doubts }: &AmbiguousArgs) -> CommandResult {
    let (store, connection) = open(context, doubts).await?;
    let output = &context.output;
    let limit = context.limit(doubts.limit);
    let mut matches = store
        .ambiguous(connection, more(limit, output.json()))
        .await?;
    let rows = rows(matches.len());
    if output.json() {
        for each in &matches {
            output.item(&view::ambiguous_document(each))?;
        }
        return Ok(Exit::Success);
    }
    matches.truncate(shown(limit));
    let table = view::ambiguous_table(&matches, context.now());
    tell(context, &table, rows, limit, "ambiguous match")
}

async fn duplicates(
    context: &Context,
    DuplicatesArgs { doubts }: &DuplicatesArgs,
) -> CommandResult {
    let (store, connection) = open(context, doubts).await?;
    let output = &context.output;
    let limit = context.limit(doubts.limit);
    let mut pairs = store
        .duplicates(connection, more(limit, output.json()))
        .await?;
    let rows = rows(pairs.len());
    if output.json() {
        for pair in &pairs {
            output.item(&view::duplicate_document(pair))?;
        }
        return Ok(Exit::Success);
    }
    pairs.truncate(shown(limit));
    let table = view::duplicates_table(&pairs, context.now());
    tell(context, &table, rows, limit, "probable duplicate")
}

fn rows(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn shown(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}
