//! `compile-component`: what the runner calls itself with.

use crate::cli::args::CompileComponentArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::engine::compile_file;

/// Runs it.
pub fn run(args: &CompileComponentArgs) -> CommandResult {
    compile_file(&args.input, &args.output, &args.pace.limits())?;
    Ok(Exit::Success)
}
