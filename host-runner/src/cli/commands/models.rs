//! `models`: the target models.

use serde_json::json;

use crate::cli::args::{ModelsArgs, ModelsCommand, ModelsShowArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::view::model as view;
use crate::connection::ConnectionError;
use crate::domain::nearest;
use crate::model::{Model, ModelError};

/// Runs whichever.
pub fn run(context: &Context, args: &ModelsArgs) -> CommandResult {
    match &args.command {
        None | Some(ModelsCommand::List(_)) => list(context),
        Some(ModelsCommand::Show(args)) => show(context, args),
    }
}

fn list(context: &Context) -> CommandResult {
    let models = Model::bundled().map_err(ConnectionError::from)?;
    let output = &context.output;
    if output.json() {
        for model in &models {
            output.item(&view::listed(model))?;
        }
        return Ok(Exit::Success);
    }
    output.line(view::table(&models).render())?;
    output.note("`host-runner models show NAME` lists the paths that a map may write");
    Ok(Exit::Success)
}

fn show(context: &Context, args: &ModelsShowArgs) -> CommandResult {
    let model = Model::by_name(&args.name).map_err(|error| missing(&args.name, error))?;
    let output = &context.output;
    let colour = output.style().colour;
    let Some(path) = &args.path else {
        if output.json() {
            output.document(&model.schema)?;
            return Ok(Exit::Success);
        }
        output.line(view::whole(&model, colour))?;
        return Ok(Exit::Success);
    };
    let rows = view::below(&model, path);
    if rows.is_empty() {
        let paths = view::below(&model, "");
        let near = nearest(path, paths.iter().map(|(_, row)| row.path.as_str()));
        let near = near.map(|near| format!(" (did you mean `{near}`?)"));
        return Err(Failure::new(
            Exit::Input,
            format!(
                "the target model {} has no path `{path}`{}",
                model.name,
                near.unwrap_or_default()
            ),
        )
        .remedy(format!(
            "`host-runner models show {}` lists them",
            model.name
        )));
    }
    if output.json() {
        for (kind, row) in &rows {
            output.item(&view::row_document(kind, row))?;
        }
        return Ok(Exit::Success);
    }
    output.line(view::paths(&rows, colour))?;
    Ok(Exit::Success)
}

fn missing(name: &str, error: ModelError) -> Failure {
    let hint = match &error {
        ModelError::Unknown { known, .. } => nearest(name, known.iter().map(String::as_str))
            .map(|near| format!("did you mean {}?", human::plain(near))),
        ModelError::Unreadable { .. } => None,
    };
    Failure::from(ConnectionError::from(error))
        .remedy(hint.unwrap_or_default())
        .detail("model", json!(name))
}
