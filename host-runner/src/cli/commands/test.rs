//! `test`: a report of all that a sync will need.

use std::sync::Arc;

use serde_json::json;

use super::connect::Telling;
use crate::cli::args::TestArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain::checks_json;
use crate::cli::failure::CommandResult;
use crate::connection::{self as service, passed};

/// Runs it.
pub async fn run(context: &Context, args: &TestArgs) -> CommandResult {
    let desk = context.desk(&args.pace).await?;
    let telling = Telling::new(Arc::clone(&context.output));
    let named = &args.connection;
    let report = service::test(
        &desk,
        &named.tenant,
        &named.name,
        args.pace.rate(),
        &telling,
    )
    .await?;
    let passed = passed(&report.checks);
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "connection": named.name,
            "tenant": named.tenant,
            "passed": passed,
            "checks": checks_json(&report.checks),
        }))?;
    } else {
        output.line(if passed {
            "passed"
        } else {
            "failed: a sync would not come to its end"
        })?;
    }
    Ok(if passed { Exit::Success } else { Exit::Refused })
}
