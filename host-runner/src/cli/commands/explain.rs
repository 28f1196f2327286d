//! `explain`: where the values of a document came from.

use serde_json::json;

use crate::cli::args::{ExplainArgs, PaceArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::view::explained as view;
use crate::connection::explain::{ExplainError, ExplainRequest, explain};

/// Runs it.
pub async fn run(context: &Context, args: &ExplainArgs) -> CommandResult {
    // A tenant that is misspelt is told before the component is loaded.
    context.stores()?.open(&args.tenant).await?;
    let desk = context.desk(&PaceArgs::default()).await?;
    let request = ExplainRequest {
        tenant: args.tenant.clone(),
        key: args.key.clone(),
        target: args.target.clone(),
        connection: args.connection.clone(),
    };
    let explained = explain(&desk, &request).await?;
    let output = &context.output;
    if output.json() {
        let documents: Vec<_> = explained.iter().map(view::document).collect();
        output.document(&json!({"tenant": args.tenant, "documents": documents}))?;
        return Ok(Exit::Success);
    }
    let colour = output.style().colour;
    for (at, one) in explained.iter().enumerate() {
        if at > 0 {
            output.line("")?;
        }
        output.line(view::text(one, args.target.is_some(), colour))?;
    }
    Ok(Exit::Success)
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        let message = error.to_string();
        let told = |names: Vec<String>, before: &str| {
            if names.is_empty() {
                String::new()
            } else {
                format!("{before} {}", human::plain(&names.join(", ")))
            }
        };
        match error {
            ExplainError::Store(error) => error.into(),
            ExplainError::Connection(error) => error.into(),
            ExplainError::NoSuchKey { near, .. } => {
                let near_json = json!(near);
                let remedy = if near.is_empty() {
                    "`assets` and `findings` list what is held, with --json --history also the keys"
                        .to_owned()
                } else {
                    told(near, "these are held:")
                };
                Self::new(Exit::Input, message)
                    .remedy(remedy)
                    .detail("near", near_json)
            }
            ExplainError::SeveralHosts { keys, .. } => {
                let keys_json = json!(keys);
                Self::new(Exit::Input, message)
                    .remedy(told(keys, "give one of their keys:"))
                    .detail("keys", keys_json)
            }
            ExplainError::NoSuchPath { near, .. } => {
                let near_json = json!(near);
                Self::new(Exit::Input, message)
                    .remedy(told(near, "it has"))
                    .detail("near", near_json)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;
    use crate::domain::TenantName;

    #[test]
    fn where_nothing_is_near_the_flags_are_named_that_list_keys() {
        let failure = Failure::from(ExplainError::NoSuchKey {
            tenant: TenantName::new("acme").unwrap(),
            key: "nosuch".to_owned(),
            near: Vec::new(),
        });
        let remedy = failure.remedy.unwrap();
        assert!(remedy.contains("--json --history"), "{remedy}");
        // Without --json the flag is refused, and without the flag there are no keys.
        for list in ["assets", "findings"] {
            let line = [
                "host-runner",
                list,
                "--tenant",
                "acme",
                "--json",
                "--history",
            ];
            assert!(Cli::try_parse_from(line).is_ok());
        }
    }
}
