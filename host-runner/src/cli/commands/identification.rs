//! `identification`: by what assets are known again.

use super::remaking;
use crate::cli::args::{IdentificationArgs, IdentificationCommand, IdentificationSetArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::view::identification as view;
use crate::domain::TenantName;
use crate::identification::Rules;
use crate::store::Store;

/// Runs it.
pub async fn run(context: &Context, args: &IdentificationArgs) -> CommandResult {
    match (&args.command, &args.list) {
        (Some(IdentificationCommand::List(args)), _) | (None, Some(args)) => {
            list(context, &args.tenant).await
        }
        (Some(IdentificationCommand::Set(args)), _) => {
            let rules = rules(args)?;
            set(context, &args.tenant, &rules).await
        }
        (Some(IdentificationCommand::Reset(args)), _) => {
            set(context, &args.tenant, &Rules::default()).await
        }
        (None, None) => {
            Err(Failure::new(Exit::Usage, "the tenant is missing").remedy("give --tenant TENANT"))
        }
    }
}

async fn list(context: &Context, tenant: &TenantName) -> CommandResult {
    let store = context.stores()?.open(tenant).await?;
    let rules = store.identification().await?;
    let output = &context.output;
    if output.json() {
        output.document(&view::document(&rules))?;
        return Ok(Exit::Success);
    }
    output.line(view::table(&rules).render())?;
    Ok(Exit::Success)
}

fn rules(args: &IdentificationSetArgs) -> Result<Rules, Failure> {
    args.rules().map_err(|error| {
        Failure::new(Exit::Usage, error.to_string()).remedy(
            "write each rule as one field or several with + between, the strongest first: \
             host-runner identification set external-id host-name+domain mac --tenant TENANT",
        )
    })
}

async fn set(context: &Context, tenant: &TenantName, rules: &Rules) -> CommandResult {
    let store = context.stores()?.open(tenant).await?;
    let changed = store.set_identification(rules).await?;
    let output = &context.output;
    if !output.json() {
        for line in view::changed_lines(tenant, rules, &changed) {
            output.line(line)?;
        }
    }
    let retried = changed.retried.clone();
    let (remade, left) = remaking::at_once(context, &store, retried).await?;
    if output.json() {
        let remade = remaking::document(&remade);
        output.document(&view::changed_document(rules, &changed, &remade, &left))?;
        return Ok(Exit::Success);
    }
    for line in view::retried_lines(tenant, &left) {
        output.line(line)?;
    }
    Ok(Exit::Success)
}
