//! `connections` and `disconnect`: what a tenant is connected with, and the end of a connection.

use serde_json::json;

use crate::cli::args::{ConnectionsArgs, DisconnectArgs, ReinstateArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::table::Table;
use crate::cli::view::{connection, way_out};
use crate::domain::TenantName;
use crate::store::sqlite::SqliteStore;
use crate::store::{Connection, Purge, RunFilter, Store, Tested};

/// Runs `connections`.
pub async fn list(context: &Context, args: &ConnectionsArgs) -> CommandResult {
    let stores = context.stores()?;
    let tenants = match &args.tenant {
        Some(tenant) => vec![tenant.clone()],
        None => stores.tenants()?,
    };
    let output = &context.output;
    let mut table = Table::new(&[
        "TENANT",
        "NAME",
        "CONNECTOR",
        "ORIGIN",
        "TESTED",
        "LAST SYNC",
        "STATE",
        "DESCRIPTION",
    ]);
    // One tenant's file that can't be used hides no other tenant.
    let mut failures: Vec<Failure> = Vec::new();
    for tenant in &tenants {
        let listed = match stores.open(tenant).await {
            Ok(store) => rows(context, tenant, &store, &mut table).await,
            Err(error) => Err(error.into()),
        };
        if let Err(failure) = listed {
            failures.push(failure);
        }
    }
    if !output.json() {
        if table.is_empty() && !failures.is_empty() {
            // What is told below says why there is nothing.
        } else if table.is_empty() {
            let whose = args.tenant.as_ref().map_or_else(
                || format!("{} holds", stores.data().display()),
                |tenant| format!("tenant {tenant} has"),
            );
            output.note(format!(
                "{whose} no connection; `host-runner connect` makes one"
            ));
        } else {
            output.line(table.render())?;
        }
    }
    match failures.split_first() {
        None => Ok(Exit::Success),
        Some((one, [])) => Err(one.clone()),
        Some((first, _)) => {
            let messages: Vec<String> = failures
                .iter()
                .map(|failure| format!("\n  {}", failure.message))
                .collect();
            let message = format!(
                "the connections of {} can't be told:{}",
                human::counted(failures.len() as u64, "tenant"),
                messages.concat()
            );
            Err(Failure::new(first.exit, message))
        }
    }
}

/// One tenant's connections: as rows, or as JSON at once.
async fn rows(
    context: &Context,
    tenant: &TenantName,
    store: &SqliteStore,
    table: &mut Table,
) -> Result<(), Failure> {
    let (output, now) = (&context.output, context.now());
    for each in &store.connections().await? {
        if output.json() {
            output.item(&connection::document(each, tenant))?;
            continue;
        }
        let filter = RunFilter {
            connection: Some(each.id),
            syncs_only: true,
            limit: Some(1),
            ..RunFilter::default()
        };
        let last = store.runs(&filter).await?.into_iter().next();
        let last = last.map_or_else(
            || "never".to_owned(),
            |run| {
                format!(
                    "{}, {}",
                    run.state,
                    human::relative(now, run.ended_at.unwrap_or(run.started_at))
                )
            },
        );
        let tested = match &each.tested {
            Tested::Passed { at } => human::relative(now, *at),
            Tested::Untested { .. } => "untested".to_owned(),
        };
        table.row([
            tenant.as_str(),
            each.name.as_str(),
            &format!("{} {}", each.component.name, each.component.version),
            &way_out::cell(&connection::origins(each), each),
            &tested,
            &last,
            state(each),
            &each.description,
        ]);
    }
    Ok(())
}

/// Whether it is run.
fn state(connection: &Connection) -> &'static str {
    match connection.set_aside {
        Some(_) => "set aside",
        None => "active",
    }
}

/// Runs `reinstate`.
pub async fn reinstate(context: &Context, args: &ReinstateArgs) -> CommandResult {
    let (name, tenant) = (&args.connection.name, &args.connection.tenant);
    let store = context.stores()?.open(tenant).await?;
    let connection = store.connection(name).await?;
    let was = store.reinstate(connection.id).await?;
    let output = &context.output;
    if output.json() {
        output.document(&json!({"reinstated": name, "tenant": tenant, "wasSetAside": was}))?;
        return Ok(Exit::Success);
    }
    output.line(if was {
        format!("connection {name} of tenant {tenant} may run again")
    } else {
        format!("connection {name} of tenant {tenant} was not set aside; its runs are counted anew")
    })?;
    output.note(format!("next: host-runner sync {name} --tenant {tenant}"));
    Ok(Exit::Success)
}

/// Runs `disconnect`.
pub async fn remove(context: &Context, args: &DisconnectArgs) -> CommandResult {
    let (name, tenant) = (&args.connection.name, &args.connection.tenant);
    let store = context.stores()?.open(tenant).await?;
    let connection = store.connection(name).await?;
    let summary = store.summary(connection.id).await?;
    let purge = if args.purge {
        Purge::Data
    } else {
        Purge::KeepData
    };
    store.remove_connection(connection.id, purge).await?;
    let findings: u64 = summary
        .streams
        .iter()
        .map(|stream| stream.findings_open)
        .sum();
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "disconnected": name,
            "tenant": tenant,
            "purged": args.purge,
            "assets": summary.assets,
            "findings": findings,
        }))?;
        return Ok(Exit::Success);
    }
    let data = format!(
        "{} and {}",
        human::counted(summary.assets, "asset"),
        human::counted(findings, "open finding")
    );
    output.line(if args.purge {
        format!("disconnected {name} of tenant {tenant}, and erased what only it had brought (it fed {data})")
    } else {
        format!("disconnected {name} of tenant {tenant}; {data} that it fed are kept")
    })?;
    if !args.purge {
        output.note("to erase what a connection brought as well, disconnect it with --purge; connecting it again takes its data up");
    }
    Ok(Exit::Success)
}
