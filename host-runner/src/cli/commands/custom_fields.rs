//! `custom-fields`: what a tenant's assets may have beside what the target model says.

use serde_json::json;

use crate::cli::args::{CustomFieldsArgs, CustomFieldsCommand};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::human;
use crate::cli::table::Table;
use crate::connection::custom_fields::{Asked, asked, near};
use crate::domain::TenantName;
use crate::store::{Store, StoreError};

/// Runs it.
pub async fn run(context: &Context, args: &CustomFieldsArgs) -> CommandResult {
    match &args.command {
        CustomFieldsCommand::List(args) => list(context, &args.tenant).await,
        CustomFieldsCommand::Add(args) => add(context, &args.tenant, &args.name).await,
        CustomFieldsCommand::Remove(args) => remove(context, &args.tenant, &args.name).await,
    }
}

/// The fields that the maps of a tenant's connections ask for.
async fn asked_of(store: &impl Store) -> Result<Asked, StoreError> {
    Ok(asked(&store.connections().await?))
}

async fn list(context: &Context, tenant: &TenantName) -> CommandResult {
    let store = context.stores()?.open(tenant).await?;
    let fields = store.custom_fields().await?;
    let asked = asked_of(&store).await?;
    let missing: Vec<&String> = asked.keys().filter(|name| !fields.contains(name)).collect();
    let output = &context.output;
    if output.json() {
        output.document(&json!({"customFields": fields, "askedForAndMissing": missing}))?;
        return Ok(Exit::Success);
    }
    if fields.is_empty() {
        output.note(format!("tenant {tenant} has no custom field"));
    } else {
        let mut table = Table::new(&["NAME", "WRITTEN BY"]);
        for field in &fields {
            let writers = asked.get(field).cloned().unwrap_or_default();
            table.row([
                field.clone(),
                writers.into_iter().collect::<Vec<_>>().join(", "),
            ]);
        }
        output.line(table.render())?;
    }
    for name in missing {
        let by = asked.get(name).cloned().unwrap_or_default();
        output.note(format!(
            "{} would write {name}, which does not exist{}: host-runner custom-fields add {} --tenant {tenant}",
            human::plain(&by.into_iter().collect::<Vec<_>>().join(", ")),
            near(name, &fields).map(|near| format!(" ({near} does)")).unwrap_or_default(),
            human::typed(name),
        ));
    }
    Ok(Exit::Success)
}

async fn add(context: &Context, tenant: &TenantName, name: &str) -> CommandResult {
    let store = context.stores()?.open(tenant).await?;
    let asked = asked_of(&store).await?;
    let added = store.add_custom_field(name, context.now()).await?;
    let meant = match asked.contains_key(name) {
        true => None,
        false => near(name, asked.keys()),
    };
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "customField": name,
            "added": added,
            "writtenBy": asked.get(name),
            "nearly": meant,
        }))?;
        return Ok(Exit::Success);
    }
    let name = human::plain(name);
    if !added {
        output.line(format!(
            "tenant {tenant} has the custom field {name} already"
        ))?;
    } else if asked.contains_key(name.as_ref()) {
        output.line(format!(
            "added the custom field {name}: the next sync fills it on all linked assets, those of unchanged records too"
        ))?;
    } else {
        output.line(format!(
            "added the custom field {name}: no map of the tenant's connections writes it"
        ))?;
    }
    if let Some(meant) = meant {
        let (typed_meant, typed) = (human::typed(&meant), human::typed(&name));
        output.note(format!(
            "a map asks for {meant}, which is not {name} to the letter; if that was meant: \
             host-runner custom-fields add {typed_meant} --tenant {tenant}, and host-runner custom-fields remove {typed} --tenant {tenant}"
        ));
    }
    Ok(Exit::Success)
}

async fn remove(context: &Context, tenant: &TenantName, name: &str) -> CommandResult {
    let store = context.stores()?.open(tenant).await?;
    let removed = store.remove_custom_field(name).await?;
    let output = &context.output;
    if output.json() {
        output.document(&json!({"customField": name, "removed": removed}))?;
        return Ok(Exit::Success);
    }
    let name = human::plain(name);
    output.line(if removed {
        format!("removed the custom field {name}: values that assets have in it stay, and no map writes it any more")
    } else {
        format!("tenant {tenant} has no custom field {name}; `host-runner custom-fields list --tenant {tenant}` lists them")
    })?;
    Ok(if removed { Exit::Success } else { Exit::Input })
}
