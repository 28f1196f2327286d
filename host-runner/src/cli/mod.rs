//! The command line: words in, results out. What is done stands in the modules below; here it is parsed, told and turned into an exit
//! code.

pub mod args;
mod bad_line;
mod commands;
pub mod context;
mod editor;
pub mod exit;
pub mod explain;
pub mod failure;
pub mod human;
pub mod lines;
pub mod logging;
pub mod output;
pub mod progress;
pub mod table;
pub mod view;
mod way_out;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use self::args::{Cli, Command};
use self::context::Context;
use self::exit::Exit;
use self::failure::{CommandResult, Failure};
use self::output::{Output, Style};
use crate::engine::Compiler;

/// Parses a command line, runs it and tells how it ended. `executable` is the runner's own, which it calls to compile components; none
/// compiles in this process.
pub fn main(args: impl IntoIterator<Item = OsString>, executable: Option<PathBuf>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, args.iter().any(|arg| arg == "--json")),
    };
    let style = Style::detect(cli.global.json, cli.global.quiet);
    let output = Arc::new(Output::standard(style));
    if !matches!(cli.command, Command::CompileComponent(_)) {
        logging::start(cli.global.verbose, cli.global.quiet, cli.global.json);
    }
    let context = Context {
        global: cli.global,
        output: Arc::clone(&output),
        compiler: executable.map_or(Compiler::InProcess, Compiler::Child),
        trusted_in: None,
    };
    let ended = run(&context, &cli.command).and_then(|exit| output.flush().map(|()| exit));
    let exit = match ended {
        Ok(exit) => exit,
        Err(failure) => {
            let _ = output.flush();
            output.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

/// Two workers: one for the component, one for everything else; the store has threads of its own.
fn run(context: &Context, command: &Command) -> CommandResult {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(Exit::Internal, format!("threads can't be started: {error}"))
        })?;
    let ended = runtime.block_on(commands::run(context, command));
    // What still runs (a component that was cancelled) is not waited for.
    runtime.shutdown_background();
    ended
}

/// What is wrong with a command line. What is missing or may be given stands on lines below the first; the usage after an empty one.
fn wrong_line(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let more: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let message = format!(
        "{} {}",
        first.trim_start_matches("error: "),
        more.join(", ")
    );
    Failure::new(Exit::Usage, message.trim_end())
        .remedy("type `host-runner --help` for the commands and flags")
}

/// A command line that is wrong, or one that asks for help.
fn refuse(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        eprintln!("{}", wrong_line(error).to_json());
    } else {
        // That the help can't be written can't be told anywhere.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() {
        Exit::Usage.code()
    } else {
        Exit::Success.code()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let words = line.split_whitespace();
        wrong_line(&Cli::try_parse_from(words).unwrap_err()).message
    }

    #[test]
    fn a_wrong_command_line_is_told_in_json_with_what_is_missing_or_may_be_given() {
        assert_eq!(
            told("host-runner maps preview mine --tenant acme --json"),
            "the following required arguments were not provided: --connection <NAME>"
        );
        let two = told("host-runner maps new mine --tenant acme --json");
        assert!(
            two.ends_with("--source <STREAM>, --target <MODEL>"),
            "{two}"
        );
        let state = told("host-runner assets --tenant acme --state gone");
        assert!(
            state.starts_with("invalid value 'gone' for '--state <STATE>' ["),
            "{state}"
        );
        assert_eq!(
            told("host-runner assets --tenant acme --nope"),
            "unexpected argument '--nope' found"
        );
    }
}
