//! Syncs, and what is kept about them.

use clap::{Args, Subcommand, ValueEnum};

use super::connections::NamedOrAll;
use super::pace::PaceArgs;
use super::recording::RecordingArgs;
use crate::domain::{ConnectionName, DataStreamName, RunId, TenantName};

/// What to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Full where it must be, else incremental; the reason is told
    Auto,
    /// All that the configuration's filters let in
    Full,
    /// What changed since the last complete sync, and what was open and may have closed
    Incremental,
}

/// What `sync` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Read a connection's data streams into assets and findings",
    long_about = "Read a connection's data streams and turn them into assets and findings. Each step's records are committed together with \
        the checkpoint that covers them, so a sync that ends early has lost nothing: what was committed stays. Ctrl-C stops it \
        cleanly after the step that is being committed; a second Ctrl-C ends it at once.\n\nAt the end it tells what was read and what \
        became of it: new, changed, unchanged, closed, filtered, parked or rejected, each with the reason. Where nothing was stored, it \
        says why.\n\nA full sync that is proven to have read all closes what it did not see any more; an incremental one never closes \
        anything for absence. A sync that would remove too much, or the first after the key was replaced, removes nothing, tells \
        what it would remove, and ends with exit code 8 until it is run with --confirm-removals.\n\nWith --all, each connection is synced for itself: one \
        that fails, is set aside, or whose tenant's file can't be used keeps no other from being synced. What failed is told at the end, and the exit \
        code is that of the first that failed, by tenant and name.\n\n\
        --record keeps what the connector asked and was told in a file, without secrets; --replay runs such a file again bit for bit, without a \
        network, a connection or a data directory, and tells the first thing that the loaded component does otherwise.",
    after_long_help = "Examples:\n  \
        host-runner sync xdr --tenant acme\n  \
        host-runner sync xdr --tenant acme --stream endpoints --requests-per-second 2\n  \
        host-runner sync xdr --tenant acme --dry-run --examples 20\n  \
        host-runner sync --all --at-once 8\n  \
        host-runner sync xdr --tenant acme --stream alerts --mode full --confirm-removals\n  \
        host-runner sync xdr --tenant acme --record bug.ndjson.zst --anonymise\n  \
        host-runner sync --replay bug.ndjson.zst --plugin new_build.wasm"
)]
pub struct SyncArgs {
    /// Which connection, or all.
    #[command(flatten)]
    pub connection: NamedOrAll,

    /// What to read
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    pub mode: Mode,

    /// Only this data stream; may be given several times [default: all that the configuration chooses]
    #[arg(long = "stream", value_name = "STREAM")]
    pub streams: Vec<DataStreamName>,

    /// Try it: the same requests and the same run on a copy of the tenant's data, and what it would add, change, close, park and remove, with
    /// reasons; nothing is written. The requests are real: so is the quota of an XQL query
    #[arg(long)]
    pub dry_run: bool,

    /// Examples that a dry run shows of each kind of change
    #[arg(long, value_name = "N", default_value_t = 5, requires = "dry_run")]
    pub examples: u32,

    /// Read from the beginning, even if an earlier sync was interrupted and could be gone on with
    #[arg(long)]
    pub restart: bool,

    /// Let this sync remove what it proves to be missing, however much that is. Look first at what would be removed: `runs show`
    #[arg(long, conflicts_with_all = ["removal_share", "removal_at_least"])]
    pub confirm_removals: bool,

    /// Withhold removals that would take more than this share of a data stream's open records ...
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub removal_share: u8,

    /// ... and at least so many of them
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub removal_at_least: u64,

    /// Recordings.
    #[command(flatten)]
    pub recording: RecordingArgs,

    /// Limits and pace.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `runs` takes.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    about = "List runs, or show one with each of its calls",
    long_about = "List a tenant's runs, the latest first: each sync of a data stream, how it ended, and what it read and changed. `runs show ID` \
        shows one whole: each call with its count, statuses and bytes, the names of the secrets that were used, and warnings.",
    after_long_help = "Examples:\n  host-runner runs --tenant acme\n  host-runner runs show 12 --tenant acme"
)]
pub struct RunsArgs {
    /// One run.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,

    /// All of them.
    #[command(flatten)]
    pub list: Option<RunsListArgs>,
}

/// Which runs to list.
#[derive(Debug, Clone, Args)]
pub struct RunsListArgs {
    /// Only this connection's
    pub name: Option<ConnectionName>,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// At most so many [default: 20, or all with --json]
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
}

/// What can be done with one run.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum RunsCommand {
    Show(RunsShowArgs),
}

/// What `runs show` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show one run whole: its calls, statuses, bytes, secrets by name, and warnings",
    long_about = "Show one run whole: what it read and what became of it, each call with its count, statuses, bytes and retries, the names \
        (never the values) of the secrets that were used, warnings, and why it ended as it did.",
    after_long_help = "Example:\n  host-runner runs show 12 --tenant acme"
)]
pub struct RunsShowArgs {
    /// The run's id, as `runs` lists it
    pub id: RunId,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}
