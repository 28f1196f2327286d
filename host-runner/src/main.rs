//! The binary `host-runner`. Everything is in the library, so that tests and other hosts can use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    host_runner::cli::main(std::env::args_os(), std::env::current_exe().ok())
}
