//! Transform maps: listing, showing, making, changing, comparing and trying them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::pace::PaceArgs;
use crate::domain::{ConnectionName, DataStreamName, TenantName};

/// What `maps` takes.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    about = "List, show, make, change, compare and try transform maps",
    long_about = "A transform map says which field of a source record goes where in a document. The connector brings some, which are read-only; a tenant \
        has its own beside them. Without a command this lists them.\n\nA tenant's own maps are kept in all their versions, and saving one changes no \
        connection: a connection keeps the map that it was given until `update --map` gives it another. So a map can be tried with `maps preview` \
        first.\n\nA map is written NAME, or NAME@VERSION for an older version of one of the tenant's own; where a file will do, it is written as its \
        path.",
    after_long_help = "Examples:\n  \
        host-runner maps --tenant acme\n  \
        host-runner maps clone qualys-etm mine --tenant acme\n  \
        host-runner maps edit mine --tenant acme\n  \
        host-runner maps diff qualys-etm mine --tenant acme\n  \
        host-runner update xdr --tenant acme --map mine"
)]
pub struct MapsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<MapsCommand>,

    /// Which to list.
    #[command(flatten)]
    pub list: MapsListArgs,
}

/// What can be done with maps.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum MapsCommand {
    List(MapsListArgs),
    Show(MapsShowArgs),
    New(MapsNewArgs),
    Clone(MapsCloneArgs),
    Edit(MapsEditArgs),
    Check(MapsCheckArgs),
    Import(MapsImportArgs),
    Export(MapsExportArgs),
    Diff(MapsDiffArgs),
    Preview(MapsPreviewArgs),
    Remove(MapsRemoveArgs),
    History(MapsHistoryArgs),
}

/// What `maps list` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List the connector's maps and a tenant's own",
    long_about = "List the connector's maps, which are read-only, and with --tenant the tenant's own, with the number of their newest version, when it \
        was saved, and which connections use which version. A name of the connector's may stand for several maps, each for data streams of its own.",
    after_long_help = "Examples:\n  host-runner maps list\n  host-runner maps --tenant acme"
)]
pub struct MapsListArgs {
    /// The tenant whose own maps are listed too
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// A map by its name, of the connector or of a tenant.
#[derive(Debug, Clone, Args)]
pub struct MapNamed {
    /// The map: NAME, or NAME@VERSION of one of the tenant's own
    #[arg(value_name = "NAME")]
    pub map: String,

    /// The tenant whose own maps count
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,

    /// Of a name of the connector's that stands for several maps, the one for this data stream
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<DataStreamName>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps show` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show a map: what its documents are known by, and its rules",
    long_about = "Show a map: what its documents are known by (keys, identity, facets), and each rule with its source, target, conversions, condition \
        and what else holds. With --json it is the map itself, byte for byte as it was saved, so that it can be written to a file.",
    after_long_help = "Examples:\n  \
        host-runner maps show safe --stream alerts\n  \
        host-runner maps show mine --tenant acme --version 2\n  \
        host-runner maps show mine --tenant acme --json > mine.json"
)]
pub struct MapsShowArgs {
    /// Which.
    #[command(flatten)]
    pub map: MapNamed,

    /// Of one of the tenant's own, this version [default: the newest]
    #[arg(long, value_name = "N")]
    pub version: Option<u32>,
}

/// What `maps clone` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Copy a map under a new name, as one of the tenant's own",
    long_about = "Copy a map, one of the connector's or of the tenant's own, under a new name, as one of the tenant's own. No connection uses it before \
        `update --map` says so.",
    after_long_help = "Examples:\n  \
        host-runner maps clone qualys-etm mine --tenant acme\n  \
        host-runner maps clone safe my-alerts --stream alerts --tenant acme"
)]
pub struct MapsCloneArgs {
    /// The map to copy: NAME, or NAME@VERSION of one of the tenant's own
    #[arg(value_name = "NAME")]
    pub map: String,

    /// The name of the copy: letters a to z, digits, dots, dashes and underscores
    #[arg(value_name = "NEW")]
    pub new: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Of a name of the connector's that stands for several maps, the one for this data stream
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<DataStreamName>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps check` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Check a map's file, and tell all that is wrong with it",
    long_about = "Check a map's file as it is checked when it is saved, and tell all that is wrong at once, each thing with its place in the map and the \
        nearest that would be right: source paths against the schemas of the data streams, target paths against the target model. Tells also what the map \
        would be used for. Saves nothing. Ends with exit code 3 where something is wrong.",
    after_long_help = "Example:\n  host-runner maps check mine.json"
)]
pub struct MapsCheckArgs {
    /// The file
    pub file: PathBuf,

    /// The tenant whose custom fields count
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps import` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Save a file as one of the tenant's own maps",
    long_about = "Check a map's file and save it as one of the tenant's own: a new map, or a new version of the one that has its name. A file with the \
        same text as the newest version saves nothing. Where it is wrong, nothing is saved, and all that is wrong is told.",
    after_long_help = "Examples:\n  \
        host-runner maps import mine.json --tenant acme\n  \
        host-runner maps import download.json --name mine --tenant acme"
)]
pub struct MapsImportArgs {
    /// The file
    pub file: PathBuf,

    /// Under this name [default: the name that stands in the map]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps export` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Write a map to a file or to standard output, as it was saved",
    long_about = "Write a map, byte for byte as it was saved, to a file or to standard output. A file that is there already is replaced only with \
        --overwrite.",
    after_long_help = "Examples:\n  \
        host-runner maps export mine mine.json --tenant acme\n  \
        host-runner maps export ocsf --stream alerts > ocsf-alerts.json"
)]
pub struct MapsExportArgs {
    /// Which.
    #[command(flatten)]
    pub map: MapNamed,

    /// Where to [default: standard output]
    pub file: Option<PathBuf>,

    /// Replace the file where it is there already
    #[arg(long, requires = "file")]
    pub overwrite: bool,
}

/// One of the tenant's own maps.
#[derive(Debug, Clone, Args)]
pub struct OwnMap {
    /// The map
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps remove` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Remove one of the tenant's own maps, with all its versions",
    long_about = "Remove one of the tenant's own maps, with all its versions. Refused while a connection uses any of them. Numbers of versions are not \
        given again, so that a run's record stays unmistakable.",
    after_long_help = "Example:\n  host-runner maps remove mine --tenant acme"
)]
pub struct MapsRemoveArgs {
    /// Which map.
    #[command(flatten)]
    pub map: OwnMap,
}

/// What `maps history` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List the versions of one of the tenant's own maps",
    long_about = "List the versions of one of the tenant's own maps, the newest first: when each was saved, its hash, and which connections use it. \
        `maps diff mine@1 mine@2` tells what changed between two.",
    after_long_help = "Example:\n  host-runner maps history mine --tenant acme"
)]
pub struct MapsHistoryArgs {
    /// Which map.
    #[command(flatten)]
    pub map: OwnMap,
}

/// What `maps new` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Begin a map for a data stream and a target",
    long_about = "Begin a map for a data stream and a target: one that loads and makes valid documents. What its documents are known by (keys, identity, \
        facets) is as in the connector's own map of that stream; of its rules it has those that the target requires. The rest is for `maps edit`.",
    after_long_help = "Example:\n  host-runner maps new mine --source endpoints --target qualys-etm --tenant acme"
)]
pub struct MapsNewArgs {
    /// The name of the map: letters a to z, digits, dots, dashes and underscores
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The data stream whose records it takes
    #[arg(long, value_name = "STREAM")]
    pub source: DataStreamName,

    /// The target model; `models` lists them
    #[arg(long, value_name = "MODEL")]
    pub target: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps edit` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Edit one of the tenant's own maps in your editor; it is checked when you save it",
    long_about = "Edit one of the tenant's own maps in the editor that VISUAL or EDITOR names, which may have arguments. When the editor ends, the text \
        is checked and saved as a new version. Where something is wrong, all of it is told, with its place and the nearest that would be right: on a \
        terminal you may edit again; else nothing is saved, the text stays in a file that is named, and the exit code is 3. A text that was not changed \
        saves nothing. No connection is changed: what is told is which ones use an older version.",
    after_long_help = "Examples:\n  \
        host-runner maps edit mine --tenant acme\n  \
        EDITOR='code --wait' host-runner maps edit mine@2 --tenant acme"
)]
pub struct MapsEditArgs {
    /// The map: NAME, or NAME@VERSION to begin with an older version
    #[arg(value_name = "NAME")]
    pub map: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps diff` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Tell what is different between two maps",
    long_about = "Tell what is different between two maps: rules that were added, removed or changed, by their target path; what documents are known by; the \
        map's other keys. Layout is no difference. `maps preview --against` tells what the difference does to documents.",
    after_long_help = "Examples:\n  \
        host-runner maps diff qualys-etm qualys-etm-scoped --stream vulnerabilities\n  \
        host-runner maps diff mine@1 mine --tenant acme\n  \
        host-runner maps diff mine mine.json --tenant acme --json"
)]
pub struct MapsDiffArgs {
    /// The one map: NAME, NAME@VERSION, or a file
    #[arg(value_name = "A")]
    pub one: String,

    /// The other
    #[arg(value_name = "B")]
    pub other: String,

    /// The tenant whose own maps count
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,

    /// Of a name of the connector's that stands for several maps, the one for this data stream
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<DataStreamName>,

    /// End with exit code 3 where they differ
    #[arg(long)]
    pub exit_code: bool,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `maps preview` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Tell what a map would make of records, and what would be different; nothing is saved",
    long_about = "Apply a map to the source records that are kept of a connection, or to a file of records, and tell what would come out: documents, \
        records that would give none, problems by place; source fields that no rule reads, those too that records have and the data stream's schema \
        does not; target fields that no document has; and the difference to the documents of another map, by target path, with an example of each. \
        Documents are compared as the platform would show them, with its own times filled in: of records in a file it knows none, so they count as first \
        and last seen now. A line of a file that is no record is told with its number and counted, the rest is processed all the same, and the command ends \
        with exit code 3. Makes no request and saves nothing, and needs as little memory for a million records as for one.",
    after_long_help = "Examples:\n  \
        host-runner maps preview mine --connection xdr --tenant acme\n  \
        host-runner maps preview mine --connection xdr --tenant acme --against mine@1 --limit 1000\n  \
        host-runner maps preview mine.json --file records.ndjson --stream endpoints --against safe"
)]
pub struct MapsPreviewArgs {
    /// The map: NAME, NAME@VERSION, or a file
    #[arg(value_name = "NAME")]
    pub map: String,

    /// The connection whose kept records are taken, and whose map it is held against
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "file",
        requires = "tenant"
    )]
    pub connection: Option<ConnectionName>,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,

    /// Take the records of this file instead, one JSON object per line
    #[arg(long, value_name = "RECORDS.ndjson")]
    pub file: Option<PathBuf>,

    /// Hold it against this map: NAME, NAME@VERSION, or a file [default: the one that the connection uses for the data stream]
    #[arg(long, value_name = "MAP")]
    pub against: Option<String>,

    /// Only this data stream; may be given several times [default: all that the map takes and the connection reads]
    #[arg(long = "stream", value_name = "STREAM")]
    pub streams: Vec<DataStreamName>,

    /// At most so many records of each data stream
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<u64>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// Of no record nothing could be told.
fn at_least_one(text: &str) -> Result<u64, &'static str> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("expected a number of records, 1 or more"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::args::Cli;

    #[test]
    fn a_preview_of_no_record_is_refused() {
        let preview = |limit| {
            let line = [
                "host-runner",
                "maps",
                "preview",
                "safe",
                "--file",
                "r",
                "--limit",
                limit,
            ];
            Cli::try_parse_from(line)
        };
        assert!(preview("1").is_ok());
        for wrong in ["0", "none"] {
            let error = preview(wrong).unwrap_err().to_string();
            assert!(error.contains("--limit"), "{error}");
        }
        let error = preview("0").unwrap_err().to_string();
        assert!(error.contains("1 or more"), "{error}");
    }
}
