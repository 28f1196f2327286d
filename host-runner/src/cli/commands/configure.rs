//! `configure`: a configuration checked and completed; nothing is sent or saved.

use std::sync::Arc;

use serde_json::json;

use crate::cli::args::ConfigureArgs;
use crate::cli::context::{Context, read_config, read_secrets};
use crate::cli::exit::Exit;
use crate::cli::explain::problems_json;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::connection::{TracingLog, TypedConfig, complete};

/// Runs it.
pub async fn run(context: &Context, args: &ConfigureArgs) -> CommandResult {
    let secrets = read_secrets(&args.secrets, Some(&args.config))?;
    let config = read_config(&args.config)?;
    let plugin = context.plugin_alone(&args.pace).await?;
    let typed = TypedConfig::new(config, secrets, &plugin.manifest().secret_fields())?;
    // Loopback is allowed here: nothing is sent, and `connect` judges again.
    let completed = complete(
        &plugin,
        &typed,
        None,
        true,
        Arc::new(TracingLog::new("configure")),
    )
    .await?;
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "config": completed.config,
            "origins": completed.origin_texts().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "dataStreams": completed.data_streams,
            "secrets": completed.secrets,
            "warnings": problems_json(&completed.warnings),
        }))?;
        return Ok(Exit::Success);
    }
    let text = serde_json::to_string_pretty(&completed.config)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    output.line(text)?;
    for (name, origin) in completed.origin_texts() {
        output.note(format!(
            "requests will go to {} ({})",
            human::plain(&origin),
            human::plain(&name)
        ));
    }
    for warning in &completed.warnings {
        output.note(format!(
            "warning: {}: {}",
            human::plain(&warning.pointer),
            human::plain(&warning.message)
        ));
    }
    Ok(Exit::Success)
}
