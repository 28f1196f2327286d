//! What came out: assets, findings, quarantine; and maps applied by hand.

use clap::{Args, ValueEnum};

use super::connections::Named;
use super::pace::PaceArgs;
use crate::domain::{DataStreamName, TenantName};
use crate::query::findings_help;
use crate::store::Severity;

/// How an asset may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AssetStanding {
    /// Something feeds it, or it was there before any connection
    Active,
    /// Each source that fed it says that it is gone
    Inactive,
    /// Its source has it, and the configuration leaves it out
    OutOfScope,
    /// Any of these
    All,
}

/// How a finding may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingStanding {
    /// It is there, and on an asset
    Open,
    /// It is there, and waits for its asset
    Parked,
    /// It is proven gone or dealt with
    Closed,
    /// Its record lives, and the configuration leaves it out
    OutOfScope,
    /// Any of these
    All,
}

/// Which assets to list.
#[derive(Debug, Clone, Args)]
pub struct AssetsListArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Only those on which this source reports findings
    #[arg(long, value_name = "SOURCE")]
    pub finding_source: Option<String>,

    /// Only those that this source brought in
    #[arg(long, value_name = "SOURCE")]
    pub onboarding_source: Option<String>,

    /// Only those with an open finding of this severity: critical, high, medium, low, informational or unknown; may be
    /// given several times
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Vec<Severity>,

    /// Only the host of this name, in any case
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,

    /// Only those that a query asks for, as users of the platforms type it: 'asset.inventory:(source:`Cortex XDR`)'; how it is written and
    /// which fields there are is said below
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// Only those in this state; may be given several times [default: active]
    #[arg(long, value_enum, value_name = "STATE")]
    pub state: Vec<AssetStanding>,

    /// With --json: each in an envelope with its keys, its state and the platform's own times
    #[arg(long)]
    pub history: bool,

    /// At most so many [default: 20, or all with --json]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// What `findings` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List a tenant's findings",
    long_about = "List a tenant's open findings, or those in the states that are asked for: what is closed with the evidence for it, what is out of \
        scope (it lives, and the configuration leaves it out) with the filter. With --json each is printed whole, in the target model, one \
        per line; --history puts each in an envelope with its state, the platform's own times and the evidence.",
    after_long_help = format!("Examples:\n  \
        host-runner findings --tenant acme --severity critical --severity high\n  \
        host-runner findings --tenant acme --query 'finding.vendorProductName:`Cortex XDR`'\n  \
        host-runner findings --tenant acme --query 'finding.severity >= high and asset.tags:prod'\n  \
        host-runner findings --tenant acme --state closed --json --history\n  \
        host-runner findings --tenant acme --json | jq -r .title\n\n{}", findings_help())
)]
pub struct FindingsArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Only those of this source, such as "PAN Cortex XDR"
    #[arg(long, value_name = "SOURCE")]
    pub finding_source: Option<String>,

    /// Only those on assets that this source brought in
    #[arg(long, value_name = "SOURCE")]
    pub onboarding_source: Option<String>,

    /// Only those of this severity: critical, high, medium, low, informational or unknown; may be given several times
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Vec<Severity>,

    /// Only those on the host of this name, in any case
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,

    /// Only those that a query asks for, as users of the platforms type it: 'finding.vendorProductName:`Cortex XDR`'; how it is written and
    /// which fields there are is said below
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// Only those in this state; may be given several times [default: open]
    #[arg(long, value_enum, value_name = "STATE")]
    pub state: Vec<FindingStanding>,

    /// With --json: each in an envelope with its key, its state, the platform's own times (first and last seen, closed, reopened) and the
    /// evidence
    #[arg(long)]
    pub history: bool,

    /// At most so many [default: 20, or all with --json]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// What `quarantine` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List what could not be read, as it came, with the reasons",
    long_about = "List what a connection's syncs could not read or map, as it came, with the reasons. Nothing is dropped without a trace: \
        what stands here was neither stored nor taken for gone.",
    after_long_help = "Example:\n  host-runner quarantine xdr --tenant acme --json"
)]
pub struct QuarantineArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,

    /// At most so many [default: 20, or all with --json]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// What `transform` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Apply a transform map: source records in, documents out, one per line",
    long_about = "Apply a transform map to source records from standard input, one JSON object per line, and print the documents, one per \
        line. Problems go to stderr with the line's number; the rest is processed all the same, and the command ends with exit code \
        3. What only the platform knows, such as when it first saw a record, is filled in as for a record that it sees now for the first time. With \
        --json each document stands in an envelope with its kind, key, asset, identity and facets, and these places are left open and listed. Needs \
        neither a tenant nor a network, and as little memory for a million records as for one.",
    after_long_help = "Example:\n  host-runner transform --map qualys-etm --stream endpoints < records.ndjson > documents.ndjson"
)]
pub struct TransformArgs {
    /// The map: the name of a bundled one or, with --tenant, of one of the tenant's own, or a file
    #[arg(long, value_name = "NAME|FILE")]
    pub map: String,

    /// The tenant whose own maps and custom fields count
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,

    /// The data stream that the records are of
    #[arg(long, value_name = "STREAM")]
    pub stream: DataStreamName,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}
