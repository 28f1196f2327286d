//! Recordings of syncs.

use std::path::PathBuf;

use clap::Args;

/// What `sync` takes to write itself down, or to run again what was written down.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Recordings")]
pub struct RecordingArgs {
    /// Write down what the connector asks and is told, in order: replies and clock, no secret and no signature. For this user alone; compressed
    /// where the name ends in .zst; written step by step, so that a killed sync leaves what it came to
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub record: Option<PathBuf>,

    /// Put other host names, users, addresses and ids into the recording, each the same everywhere. Until the sync ends, what was read stands in
    /// FILE.unanonymised; it is removed then, and by the next such run where the process was killed. With --replay, write a recording anew
    #[arg(long, requires = "record")]
    pub anonymise: bool,

    /// Replace FILE where it is there
    #[arg(long, requires = "record")]
    pub force: bool,

    /// Run a recording again, without a network: the same steps and documents bit for bit, or exit code 13 and the first thing that this component
    /// does otherwise. Any build of the connector: --plugin
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "name", "tenant", "all", "mode", "streams", "dry_run", "restart", "confirm_removals", "removal_share", "removal_at_least",
            "requests_per_second",
        ]
    )]
    pub replay: Option<PathBuf>,
}
