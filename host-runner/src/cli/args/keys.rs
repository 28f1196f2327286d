//! The master keys, which secrets are sealed with.

use clap::{Args, Subcommand};

/// What `keys` takes.
#[derive(Debug, Clone, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    about = "Show the master key that secrets are encrypted with, or rotate it",
    long_about = "Show the master key that the secrets of all tenants are encrypted with, or rotate it. Keys are told by their ids, never \
        by their values.\n\nThe key comes from the environment variable HOST_RUNNER_MASTER_KEY, else from the output of the command in \
        HOST_RUNNER_MASTER_KEY_COMMAND, else from the file master.key in the data directory, which the first `connect` makes for its owner only \
        (mode 0600; one that others can read is refused). Each may hold several keys, one per line, as 64 hexadecimal digits or as Base64: the first \
        encrypts, all decrypt.",
    after_long_help = "Examples:\n  host-runner keys show\n  host-runner keys rotate"
)]
pub struct KeysArgs {
    /// Which.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// What can be done with the master keys.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum KeysCommand {
    Show(KeysShowArgs),
    Rotate(KeysRotateArgs),
}

/// What `keys show` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show where the master key comes from, its id and permissions, and what is encrypted with it",
    long_about = "Show where the master key comes from, its id and permissions, and how many connections and secrets are encrypted with which key. \
        Secrets that can't be decrypted are listed with what to do about each; it ends with exit code 7 then. Makes no key and changes nothing.",
    after_long_help = "Example:\n  host-runner keys show --json"
)]
pub struct KeysShowArgs {}

/// What `keys rotate` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Encrypt every secret of every tenant with a new master key, and forget the old one",
    long_about = "Encrypt every secret of every tenant with a new master key, and forget the old one. No connection is lost, also if it is interrupted: \
        until everything is committed both keys decrypt, and `keys rotate` again finishes it. Syncs may run meanwhile.\n\nThe key in the file is made anew \
        and the file replaced. Where the key comes from HOST_RUNNER_MASTER_KEY or HOST_RUNNER_MASTER_KEY_COMMAND, put a new key on a line before \
        the old one there (`openssl rand -hex 32` makes one) and run this: it says which key can be taken away.\n\nCopies of the old key and of the data \
        (backups) still fit each other: who fears that a key was seen should also replace the secrets themselves, with `update --secret`.",
    after_long_help = "Example:\n  host-runner keys rotate"
)]
pub struct KeysRotateArgs {}
