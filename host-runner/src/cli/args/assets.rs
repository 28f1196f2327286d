//! Assets: what is held, what else is brought in, and what is in doubt.

use clap::{Args, Subcommand};

use super::records::AssetsListArgs;
use super::values::InputFile;
use crate::domain::{ConnectionName, TenantName};
use crate::query::assets_help;

/// What `assets` takes.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    about = "List a tenant's assets, import some, or list what is in doubt about them",
    long_about = "List a tenant's active assets, or those in the states that are asked for. With --json each is printed whole, in the target model, \
        one per line.",
    after_long_help = format!("Examples:\n  \
        host-runner assets --tenant acme --onboarding-source security.safe.cortex.xdr\n  \
        host-runner assets --tenant acme --query 'asset.inventory:(source:`Cortex XDR`)'\n  \
        host-runner assets --tenant acme --query 'finding:(severity >= high and firstSeen > now-7d)'\n  \
        host-runner assets --tenant acme --state inactive --state out-of-scope\n  \
        host-runner assets --tenant acme --json > assets.ndjson\n  \
        host-runner assets duplicates --tenant acme\n\n{}", assets_help())
)]
pub struct AssetsArgs {
    /// What else than to list them.
    #[command(subcommand)]
    pub command: Option<AssetsCommand>,

    /// Which to list.
    #[command(flatten)]
    pub list: Option<AssetsListArgs>,
}

/// What can be done with assets besides listing them.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum AssetsCommand {
    Import(ImportArgs),
    Ambiguous(AmbiguousArgs),
    Duplicates(DuplicatesArgs),
}

/// What `assets import` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Bring in assets that the platform knows from elsewhere",
    long_about = "Bring in assets that the platform knows from elsewhere, such as an inventory or another tenant. They are active whatever becomes of connections that feed \
        them too: something else knows them. Connections that onboard nothing find their assets here: what waits for an asset of these attaches.\n\nThe file is NDJSON (one \
        object per line) or a JSON list. A row says by what an asset is known, and what is known of it:\n\n  \
        {\"externalId\": \"...\", \"hostName\": \"...\", \"domain\": \"...\", \"macAddresses\": [...], \"ipAddresses\": [...],\n   \
        \"firstSeen\": \"2024-01-02T03:04:05Z\", \"asset\": {the document in the target model}}\n\nAll are optional, but one that identifies must be there; a list may be a single value. Or a \
        row is what `assets --json --history` prints; one that is not active there is left out.\n\nA row that the rules of `host-runner identification` know to be an asset \
        that is held is linked to it: it fills gaps and overwrites nothing, and the asset's onboarding source stays. One that fits several is told and left out. Any other is a new asset, whose \
        onboarding source is NAME.\n\nImporting a file again doubles nothing: a row of the same source and the same externalId is the same asset (without an externalId, the same host name and domain, \
        else the same first MAC address that identifies, else the same first IP address, else the same host name). Where two rows of a file come to the same asset and do not say \
        the same, the second is told and not laid over the first. Rows that can't be loaded are told with their line, the others are loaded, and the command ends with exit code 3.",
    after_long_help = "Examples:\n  \
        host-runner assets import inventory.ndjson --source cmdb.example --tenant acme\n  \
        host-runner assets --tenant acme --json --history | host-runner assets import - --source acme.copy --tenant other"
)]
pub struct ImportArgs {
    /// The rows, NDJSON or a JSON list; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    pub file: InputFile,

    /// What knows these assets; becomes the onboarding source of new ones
    #[arg(long, value_name = "NAME", value_parser = source)]
    pub source: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}

/// The longest name of a source, in characters.
const LONGEST_SOURCE: usize = 128;

fn source(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty()
        || name.chars().count() > LONGEST_SOURCE
        || name.chars().any(char::is_control)
    {
        return Err(format!(
            "a source's name has 1 to {LONGEST_SOURCE} characters, and no control characters"
        ));
    }
    Ok(name.to_owned())
}

/// What `assets ambiguous` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List records that a rule of identification finds several assets for",
    long_about = "List records that a rule of identification finds several assets for, with the assets. Such a record is taken for none of them: it waits, or \
        an asset of its own was onboarded for it. It is listed for as long as several fit, and a record that waits is tried again as soon as that \
        changes.\n\nWhat helps: rules that tell the assets apart (`host-runner identification`), or the assets themselves put right at their source.",
    after_long_help = "Example:\n  host-runner assets ambiguous --tenant acme"
)]
pub struct AmbiguousArgs {
    /// What to list.
    #[command(flatten)]
    pub doubts: DoubtsArgs,
}

/// What `assets duplicates` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List ids of one connection that look like one machine: agents that were installed again",
    long_about = "List ids of one connection that look like one machine: the same host name and a MAC address in common. That is what an agent that was installed again \
        leaves behind. Two ids of a connection are never taken for one asset, because nothing proves it; once the source deletes the old one, a full sync closes it.",
    after_long_help = "Example:\n  host-runner assets duplicates --tenant acme --json"
)]
pub struct DuplicatesArgs {
    /// What to list.
    #[command(flatten)]
    pub doubts: DoubtsArgs,
}

/// What is in doubt.
#[derive(Debug, Clone, Args)]
pub struct DoubtsArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Only what came by this connection
    #[arg(long, value_name = "NAME")]
    pub connection: Option<ConnectionName>,

    /// At most so many [default: 20, or all with --json]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}
