//! `purge`: all of a tenant goes.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::args::PurgeArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::domain::{ConnectionId, TenantName};
use crate::store::sqlite::Stores;
use crate::store::{Store, StoreError};

/// What will go.
struct Doomed {
    files: Vec<(PathBuf, u64)>,
    /// Each connection with its assets and open findings, or why that can't be told.
    connections: Result<Vec<Held>, StoreError>,
}

/// What a connection brought.
struct Held {
    id: ConnectionId,
    name: String,
    assets: u64,
    findings: u64,
}

/// Runs it.
pub async fn run(context: &Context, args: &PurgeArgs) -> CommandResult {
    let (tenant, stores) = (&args.tenant, context.stores()?);
    let output = &context.output;
    let doomed = look(&stores, tenant).await?;
    if !output.json() {
        for line in doomed.lines(tenant) {
            output.line(line)?;
        }
        output.flush()?;
    }
    if !args.yes {
        confirm(context, tenant)?;
    }
    stores.purge(tenant).map_err(|error| doomed.named(error))?;
    if output.json() {
        output.document(&doomed.document(tenant))?;
        return Ok(Exit::Success);
    }
    output.line(format!("erased: all of tenant {tenant}"))?;
    Ok(Exit::Success)
}

async fn look(stores: &Stores, tenant: &TenantName) -> Result<Doomed, Failure> {
    let connections = match stores.open(tenant).await {
        Ok(store) => {
            let held = held(&store).await;
            store.close().await;
            held
        }
        Err(error @ (StoreError::TenantBusy { .. } | StoreError::Busy { .. })) => {
            return Err(error.into());
        }
        Err(error @ StoreError::NoSuchTenant { .. }) if stores.parts(tenant)?.is_empty() => {
            return Err(error.into());
        }
        Err(error) => Err(error),
    };
    Ok(Doomed {
        files: stores.parts(tenant)?,
        connections,
    })
}

async fn held(store: &impl Store) -> Result<Vec<Held>, StoreError> {
    let mut held = Vec::new();
    for connection in store.connections().await? {
        let summary = store.summary(connection.id).await?;
        held.push(Held {
            id: connection.id,
            name: connection.name.to_string(),
            assets: summary.assets,
            findings: summary
                .streams
                .iter()
                .map(|stream| stream.findings_open)
                .sum(),
        });
    }
    Ok(held)
}

impl Doomed {
    /// Says by its name which connection is being synced: the lock knows its number.
    fn named(&self, error: StoreError) -> StoreError {
        let (
            StoreError::Busy {
                connection,
                since,
                pid,
            },
            Ok(held),
        ) = (&error, &self.connections)
        else {
            return error;
        };
        match held.iter().find(|held| held.id.to_string() == *connection) {
            Some(held) => StoreError::Busy {
                connection: format!("\"{}\"", held.name),
                since: *since,
                pid: *pid,
            },
            None => error,
        }
    }

    fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }

    fn lines(&self, tenant: &TenantName) -> Vec<String> {
        let mut lines = vec![format!("All of tenant {tenant} will be erased:")];
        match &self.connections {
            Ok(held) if held.is_empty() => lines.push("  no connection".to_owned()),
            Ok(held) => lines.extend(held.iter().map(|held| {
                format!(
                    "  connection {}: {} and {}, its secrets, records and runs",
                    held.name,
                    human::counted(held.assets, "asset"),
                    human::counted(held.findings, "open finding")
                )
            })),
            Err(error) => lines.push(format!(
                "  what it holds can't be told: {}",
                human::plain(&error.to_string())
            )),
        }
        for (path, bytes) in &self.files {
            lines.push(format!(
                "  {} ({})",
                human::plain(&path.display().to_string()),
                human::bytes(*bytes)
            ));
        }
        lines
    }

    fn document(&self, tenant: &TenantName) -> Value {
        let connections = self.connections.as_ref().map(|held| {
            held.iter()
                .map(|held| {
                    json!({"name": held.name, "assets": held.assets, "findings": held.findings})
                })
                .collect::<Vec<_>>()
        });
        json!({
            "purged": tenant,
            "connections": connections.ok(),
            "files": self.files.len(),
            "bytes": self.bytes(),
        })
    }
}

/// Has a person type the name: there is no way back.
fn confirm(context: &Context, tenant: &TenantName) -> Result<(), Failure> {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if context.output.json() || !terminal {
        return Err(Failure::new(
            Exit::Usage,
            format!("nothing was erased: tenant {tenant} is erased only where someone confirms it"),
        )
        .remedy("type the command on a terminal, or give --yes"));
    }
    let mut asked = std::io::stderr();
    write!(
        asked,
        "Type the tenant's name to erase it, anything else to leave it: "
    )?;
    asked.flush()?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if typed.trim() == tenant.as_str() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Cancelled,
        format!("nothing was erased: that is not the name of tenant {tenant}"),
    ))
}
