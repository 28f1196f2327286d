//! Target models.

use clap::{Args, Subcommand};

/// What `models` takes.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    about = "List the target models, or show one's paths",
    long_about = "List the target models: what a platform's assets and findings look like, where its field names come from, and which switches hold where \
        the user chooses none. `models show NAME` lists the paths that a map may write.",
    after_long_help = "Examples:\n  host-runner models\n  host-runner models show qualys-etm finding"
)]
pub struct ModelsArgs {
    /// One model.
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
}

/// What can be done with models.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum ModelsCommand {
    List(ModelsListArgs),
    Show(ModelsShowArgs),
}

/// What `models list` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List the target models",
    long_about = "List the target models, with the switches that hold where the user chooses none. Without a command `models` does the same.",
    after_long_help = "Example:\n  host-runner models list --json"
)]
pub struct ModelsListArgs {}

/// What `models show` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show a target model: the paths that a map may write, their types, and what is required",
    long_about = "Show a target model: where its field names come from, the switches that hold where the user chooses none, and the paths that a map may \
        write, as it writes them, with their types and what is required. `yes` is what each document must have, `there` what must be there where the \
        object is that it stands in, `some` what only some forms of it must have. With PATH only what is at or below it. With --json it is the JSON Schema, or with PATH one object per path.",
    after_long_help = "Examples:\n  \
        host-runner models show safe\n  \
        host-runner models show qualys-etm finding[].findingType\n  \
        host-runner models show ocsf --json > ocsf.schema.json"
)]
pub struct ModelsShowArgs {
    /// The model's name
    pub name: String,

    /// Only what is at or below this path; `asset` and `finding` are the two kinds of documents
    pub path: Option<String>,
}
