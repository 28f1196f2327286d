//! Explaining a document.

use clap::Args;

use crate::domain::{ConnectionName, TenantName};

/// What `explain` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show where each value of an asset or finding came from",
    long_about = "Show where each value of an asset or finding came from: the path in the source record, the raw value there, the map's rule and its \
        conversion; without a request. Several records may feed one asset: the one that was laid over last is told first. A value that no record \
        gives now was laid down by an earlier record, map or import, and is told as that; so is what only the platform knows, such as when it \
        first saw the thing.\n\nNothing of this is kept: the kept records are mapped again, and what comes out is compared with what is held. Where \
        what is held was made by another map or build, that is said.",
    after_long_help = "Examples:\n  \
        host-runner explain web-1 --tenant acme\n  \
        host-runner explain web-1 hostName --tenant acme\n  \
        host-runner explain 'e1|CVE-2024-1' severity --tenant acme --json"
)]
pub struct ExplainArgs {
    /// The key of an asset or a finding, or the name of an asset's host
    pub key: String,

    /// Only what stands at this path of the document or below it, as maps write it (finding[].severity), with numbers (finding[0].severity), or as a
    /// JSON Pointer
    #[arg(value_name = "TARGET-PATH")]
    pub target: Option<String>,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Only what this connection brought
    #[arg(long, value_name = "NAME")]
    pub connection: Option<ConnectionName>,
}
