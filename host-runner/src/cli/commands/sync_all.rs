//! `sync --all`: many connections, some at a time, each for itself.
//!
//! Whatever keeps one from being synced (its tenant's file, its component, its API, that it is set aside) is told, and the others go on. They share
//! nothing but the loaded component: each has its own way out with its own budgets, its own instances and limits.

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::sync::{Ended, all_until, documents, process};
use super::{remaking, stop};
use crate::cli::args::SyncArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::connection::{Desk, session};
use crate::domain::{ConnectionName, TenantName};
use crate::pipeline::{Cancel, SyncOptions};
use crate::store::Store;

/// One connection, or a tenant whose connections could not be told.
struct Due {
    tenant: TenantName,
    connection: Result<ConnectionName, Failure>,
}

/// What became of it.
struct Done {
    tenant: TenantName,
    connection: Option<ConnectionName>,
    ended: Result<Ended, Failure>,
}

/// Runs it.
pub async fn run(
    context: &Context,
    desk: &Desk,
    args: &SyncArgs,
    options: &SyncOptions,
) -> CommandResult {
    let due = due(desk, args.connection.tenant.as_ref()).await?;
    let cancel = Cancel::new();
    let _listening = stop::on_signal(&cancel, &context.output);
    let at_once = usize::from(args.connection.at_once).max(1);
    let (cancel, many) = (&cancel, due.len());
    let mut done: Vec<Done> = futures_util::stream::iter(due)
        .map(|due| async move {
            let Due { tenant, connection } = due;
            let (connection, ended) = match connection {
                Ok(name) => {
                    let ended = one(context, desk, args, options, cancel, &tenant, &name).await;
                    (Some(name), ended)
                }
                Err(failure) => (None, Err(failure)),
            };
            Done {
                tenant,
                connection,
                ended,
            }
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    done.sort_by(|one, other| {
        (&one.tenant, &one.connection).cmp(&(&other.tenant, &other.connection))
    });
    if context.output.json() {
        context.output.document(&json!({
            "connections": done.iter().map(document).collect::<Vec<_>>(),
            "process": process(),
        }))?;
    }
    let failed = done.iter().filter_map(|done| Some((done, done.failure()?)));
    let failed: Vec<(&Done, &Failure)> = failed.collect();
    let Some((_, first)) = failed.first() else {
        if many == 0 {
            context.output.note("there is no connection to sync");
        }
        return Ok(Exit::Success);
    };
    let lines: Vec<String> = failed
        .iter()
        .map(|(done, failure)| format!("\n  {}: {}", done.name(), failure.message))
        .collect();
    let message = format!(
        "{} of {} did not end well; the others did{}",
        failed.len(),
        human::counted(many as u64, "connection"),
        lines.concat()
    );
    Err(Failure::new(first.exit, message).remedy(
        "sync one of them alone to be told what to do about it: host-runner sync NAME --tenant TENANT",
    ))
}

/// All connections, or all of a tenant. A tenant whose file can't be used keeps no other from being synced.
async fn due(desk: &Desk, tenant: Option<&TenantName>) -> Result<Vec<Due>, Failure> {
    let tenants = match tenant {
        Some(tenant) => vec![tenant.clone()],
        None => desk.stores.tenants()?,
    };
    let mut due = Vec::new();
    for tenant in tenants {
        let listed = match desk.stores.open(&tenant).await {
            Ok(store) => store.connections().await,
            Err(error) => Err(error),
        };
        match listed {
            Ok(connections) => due.extend(connections.into_iter().map(|connection| Due {
                tenant: tenant.clone(),
                connection: Ok(connection.name),
            })),
            Err(error) => due.push(Due {
                tenant,
                connection: Err(error.into()),
            }),
        }
    }
    Ok(due)
}

async fn one(
    context: &Context,
    desk: &Desk,
    args: &SyncArgs,
    options: &SyncOptions,
    cancel: &Cancel,
    tenant: &TenantName,
    name: &ConnectionName,
) -> Result<Ended, Failure> {
    if cancel.is_stopped() {
        return Err(Failure::new(Exit::Cancelled, "it was not begun"));
    }
    let rate = args.pace.rate();
    let session = session(desk, tenant, name, &args.streams, rate).await?;
    all_until(
        context,
        desk,
        &session,
        options,
        args.examples,
        None,
        cancel,
    )
    .await
}

impl Done {
    fn failure(&self) -> Option<&Failure> {
        match &self.ended {
            Ok(ended) => ended.failure.as_ref(),
            Err(failure) => Some(failure),
        }
    }

    fn name(&self) -> String {
        match &self.connection {
            Some(name) => format!("{name} of tenant {}", self.tenant),
            None => format!("tenant {}", self.tenant),
        }
    }
}

fn document(done: &Done) -> Value {
    let name = done.connection.as_ref().map_or("", |name| name.as_str());
    json!({
        "tenant": done.tenant,
        "connection": done.connection,
        "remade": done.ended.as_ref().map(|ended| remaking::document(&ended.remade)).unwrap_or_default(),
        "runs": done.ended.as_ref().map(|ended| documents(ended, name)).unwrap_or_default(),
        "error": done.failure().map(|failure| failure.to_json().get("error").cloned()),
    })
}
