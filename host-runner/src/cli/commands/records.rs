//! `assets`, `findings` and `quarantine`: what a tenant's store holds, read out as it is printed, so that memory does not grow with it.

use serde_json::{Value, json};

use super::listing::{Listing, more};
use crate::cli::args::{
    AssetStanding, AssetsListArgs, FindingStanding, FindingsArgs, QuarantineArgs,
};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain::{store_problems_json, wrong_query};
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::table::Table;
use crate::cli::view::{asset, finding};
use crate::query::{AssetQuery, FindingQuery};
use crate::store::{
    Asset, AssetFilter, Finding, FindingFilter, QuarantineFilter, Quarantined, Store,
};

/// Runs `assets`.
pub async fn assets(context: &Context, args: &AssetsListArgs) -> CommandResult {
    history_is_json(context, args.history)?;
    let store = context.stores()?.open(&args.tenant).await?;
    let (output, now) = (&context.output, context.now());
    let limit = context.limit(args.limit);
    let query = args
        .query
        .as_deref()
        .map(|text| {
            AssetQuery::parse(text, now).map_err(|error| wrong_query(&error, output.json()))
        })
        .transpose()?;
    let asks = query.as_ref().is_some_and(AssetQuery::asks_for_state);
    let filter = AssetFilter {
        query,
        finding_source: args.finding_source.clone(),
        onboarding_source: args.onboarding_source.clone(),
        severities: args.severity.clone(),
        host: args.host.clone(),
        limit: more(limit, output.json()),
        ..asset_states(&args.state, asks)
    };
    let standing = asks || !args.state.is_empty();
    Listing {
        noun: "asset",
        limit,
        table: asset::table(standing),
        row: |table: &mut Table, each: &Asset| asset::row(table, each, standing, now),
        item: |each: &Asset| {
            if args.history {
                output.item(&asset::history(each))
            } else {
                output.item(&each.body)
            }
        },
    }
    .print(context, store.assets(&filter))
    .await
}

/// Runs `findings`.
pub async fn findings(context: &Context, args: &FindingsArgs) -> CommandResult {
    history_is_json(context, args.history)?;
    let store = context.stores()?.open(&args.tenant).await?;
    let (output, now) = (&context.output, context.now());
    let limit = context.limit(args.limit);
    let query = args
        .query
        .as_deref()
        .map(|text| {
            FindingQuery::parse(text, now).map_err(|error| wrong_query(&error, output.json()))
        })
        .transpose()?;
    let asks = query.as_ref().is_some_and(FindingQuery::asks_for_state);
    let filter = FindingFilter {
        query,
        finding_source: args.finding_source.clone(),
        onboarding_source: args.onboarding_source.clone(),
        severities: args.severity.clone(),
        host: args.host.clone(),
        limit: more(limit, output.json()),
        ..finding_states(&args.state, asks)
    };
    let standing = asks || !args.state.is_empty();
    Listing {
        noun: "finding",
        limit,
        table: finding::table(standing),
        row: |table: &mut Table, each: &Finding| finding::row(table, each, standing, now),
        item: |each: &Finding| {
            if args.history {
                output.item(&finding::history(each))
            } else {
                output.item(&each.body)
            }
        },
    }
    .print(context, store.findings(&filter))
    .await
}

fn history_is_json(context: &Context, history: bool) -> Result<(), Failure> {
    if history && !context.output.json() {
        return Err(Failure::new(
            Exit::Usage,
            "--history is a form of --json, which is not given",
        )
        .remedy("add --json, or ask for --state to see states and evidence in a table"));
    }
    Ok(())
}

/// None asked for means the active ones, or all where the query says which.
fn asset_states(asked: &[AssetStanding], by_query: bool) -> AssetFilter {
    let all = asked.contains(&AssetStanding::All) || (by_query && asked.is_empty());
    let asks = |state| all || asked.contains(&state);
    AssetFilter {
        without_active: !asked.is_empty() && !asks(AssetStanding::Active),
        include_inactive: asks(AssetStanding::Inactive),
        include_out_of_scope: asks(AssetStanding::OutOfScope),
        ..AssetFilter::default()
    }
}

/// None asked for means the open ones, or all where the query says which.
fn finding_states(asked: &[FindingStanding], by_query: bool) -> FindingFilter {
    let all = asked.contains(&FindingStanding::All) || (by_query && asked.is_empty());
    let asks = |state| all || asked.contains(&state);
    FindingFilter {
        without_open: !asked.is_empty() && !asks(FindingStanding::Open),
        include_closed: asks(FindingStanding::Closed),
        include_out_of_scope: asks(FindingStanding::OutOfScope),
        include_parked: asks(FindingStanding::Parked),
        ..FindingFilter::default()
    }
}

/// Runs `quarantine`.
pub async fn quarantine(context: &Context, args: &QuarantineArgs) -> CommandResult {
    let store = context.stores()?.open(&args.connection.tenant).await?;
    let connection = store.connection(&args.connection.name).await?;
    let (output, now) = (&context.output, context.now());
    let limit = context.limit(args.limit);
    let filter = QuarantineFilter {
        connection: Some(connection.id),
        limit: more(limit, output.json()),
        ..QuarantineFilter::default()
    };
    let table = Table::new(&[
        "STREAM",
        "KEY",
        "FIRST SEEN",
        "LAST SEEN",
        ">TIMES",
        "PROBLEMS",
        "RAW",
    ]);
    Listing {
        noun: "record in quarantine",
        limit,
        table,
        row: |table: &mut Table, each: &Quarantined| {
            let problems: Vec<String> = each
                .problems
                .iter()
                .map(|problem| format!("{}: {}", problem.pointer, problem.message))
                .collect();
            table.row([
                each.stream.to_string(),
                each.key.clone().unwrap_or_default(),
                human::relative(now, each.first_seen),
                human::relative(now, each.last_seen),
                human::count(each.times),
                human::shortened(&problems.join("; "), 80),
                human::shortened(&String::from_utf8_lossy(&each.raw), 60),
            ]);
        },
        item: |each: &Quarantined| {
            output.item(&json!({
                "stream": each.stream,
                "key": each.key,
                "raw": raw(&each.raw),
                "problems": store_problems_json(&each.problems),
                "firstSeen": each.first_seen.to_rfc3339(),
                "lastSeen": each.last_seen.to_rfc3339(),
                "times": each.times,
            }))
        },
    }
    .print(context, store.quarantine(&filter))
    .await
}

/// As it came: as JSON where it is, else as text.
fn raw(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_listed() {
        let open = finding_states(&[], false);
        assert!(!open.without_open && !open.include_closed && !open.include_out_of_scope);
        let out = finding_states(&[FindingStanding::OutOfScope], false);
        assert!(out.without_open && out.include_out_of_scope && !out.include_closed);
        let all = finding_states(&[FindingStanding::All], false);
        assert!(!all.without_open && all.include_closed && all.include_parked);
        let two = asset_states(&[AssetStanding::Active, AssetStanding::Inactive], true);
        assert!(!two.without_active && two.include_inactive && !two.include_out_of_scope);
        let by_query = finding_states(&[], true);
        assert!(!by_query.without_open && by_query.include_closed && by_query.include_parked);
    }
}
