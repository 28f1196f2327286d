//! Looking into a component before it is used: `inspect` and `verify`.

use std::path::PathBuf;

use clap::Args;

use super::pace::PaceArgs;
use super::values::{ComponentArg, Sha256};

/// What `inspect` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Look into a component: what it is, what it can reach, what it reads; or compare two",
    long_about = "Look into a component without running a sync: its name, version, licence, SHA-256, size and signature, every import and \
        export, the origins and calls that it can reach and whether one of them changes anything, the limits on its requests, its data \
        streams, the fields of its configuration, its transform maps, and how to obtain the credentials.\n\nWhat it shows is the whole \
        truth: host-runner refuses any request that is not in the list.\n\nWith --against it compares the component with another build and \
        tells in what that one reaches further (one more import, origin, call, permission, data stream or secret; a call that changes \
        something; a larger budget; a value that is not marked as personal any more), in what it reaches less, and what else is \
        different. Where it can't be told which of the two it is, such as for another path, it counts as further. Ends with exit code \
        12 where the other build reaches further.",
    after_long_help = "Examples:\n  \
        host-runner inspect my_connector.wasm\n  \
        host-runner inspect my_connector-0.1.0.wasm --against my_connector-0.2.0.wasm"
)]
pub struct InspectArgs {
    /// The component; `bundled` is the bundled connector [default: what --plugin says, else the bundled connector]
    #[arg(value_name = "FILE", conflicts_with = "plugin")]
    pub component: Option<ComponentArg>,

    /// Another build, to tell what it can do that the first one can't; `bundled` is the bundled connector. --signature is for this one then
    #[arg(long, value_name = "FILE")]
    pub against: Option<ComponentArg>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `verify` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Check a component against the hash or the signature that its publisher gave",
    long_about = "Check that a component is the one that its publisher gave, without loading it: against a SHA-256, against a list of them as \
        sha256sum writes it, or against a minisign signature. What is asked for is checked, all of it must be right, and what was checked \
        and by whose key is told. Ends with exit code 11 where something is wrong.\n\nWithout --public-key the signature is checked with \
        the trusted keys: those of --trusted-key and those in the file `trusted-keys` of the data directory. Only signatures over a \
        file's hash are taken, which minisign makes by default since 0.10.\n\nTo make it a rule for every command, see --require-signature.",
    after_long_help = "Examples:\n  \
        host-runner verify my_connector.wasm --public-key publisher.pub\n  \
        host-runner verify my_connector.wasm --sums SHA256SUMS"
)]
pub struct VerifyArgs {
    /// The component
    pub file: PathBuf,

    /// Its SHA-256: 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<Sha256>,

    /// A list of hashes that names the file, as sha256sum writes it
    #[arg(long, value_name = "FILE")]
    pub sums: Option<PathBuf>,

    /// The publisher's minisign public key, or a file with it [default: the trusted keys]
    #[arg(long, value_name = "KEY|FILE")]
    pub public_key: Option<String>,
}
