//! `update --what-if`: what a change would do to what is held, told and not done.

use serde_json::json;

use super::remaking;
use crate::cli::args::UpdateArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::view::what_if as view;
use crate::connection::what_if::{WhatIfError, what_if};
use crate::connection::{Desk, Onlooker, UpdateRequest};

/// Examples of each kind where nobody says how many.
const EXAMPLES: u32 = 3;

/// Runs it.
pub async fn run(
    context: &Context,
    args: &UpdateArgs,
    desk: &Desk,
    request: &UpdateRequest,
    onlooker: &dyn Onlooker,
) -> CommandResult {
    let examples = usize::try_from(args.examples.unwrap_or(EXAMPLES)).unwrap_or(usize::MAX);
    let told = what_if(desk, request, onlooker, examples).await?;
    let output = &context.output;
    if output.json() {
        let mut document = view::document(&told);
        if let Some(object) = document.as_object_mut() {
            object.insert("connection".to_owned(), json!(request.name));
            object.insert("tenant".to_owned(), json!(request.tenant));
            object.insert("whatIf".to_owned(), json!(true));
            object.insert("remade".to_owned(), json!(remaking::document(&told.remade)));
        }
        output.document(&document)?;
        return Ok(Exit::Success);
    }
    output.line(view::text(&told))?;
    output.note(
        "nothing was changed, and nothing was asked of the API; without --what-if it is done",
    );
    Ok(Exit::Success)
}

impl From<WhatIfError> for Failure {
    fn from(error: WhatIfError) -> Self {
        let message = error.to_string();
        match error {
            WhatIfError::Connection(error) => error.into(),
            WhatIfError::Store(error) => error.into(),
            WhatIfError::Sync(error) => super::sync::explained(error),
            WhatIfError::Fault(fault) => {
                Self::new(super::sync::exit(fault.kind), message).remedy(fault.remedy)
            }
            WhatIfError::Stopped => Self::new(Exit::Cancelled, message),
        }
    }
}
