//! The command line: every command, flag and help text. Only words and their shapes; what they do is in [`super::commands`].

mod assets;
mod blindspots;
mod component;
mod connections;
mod custom_fields;
mod explain;
mod identification;
mod keys;
mod maps;
mod models;
mod pace;
mod recording;
mod records;
mod runs;
mod simulator;
mod values;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub use assets::{
    AmbiguousArgs, AssetsArgs, AssetsCommand, DoubtsArgs, DuplicatesArgs, ImportArgs,
};
pub use blindspots::BlindspotsArgs;
pub use component::{InspectArgs, VerifyArgs};
pub use connections::{
    ConfigureArgs, ConnectArgs, ConnectionsArgs, DisconnectArgs, Named, NamedOrAll, PurgeArgs,
    ReinstateArgs, SettingsArgs, StatusArgs, TestArgs, UpdateArgs,
};
pub use custom_fields::{CustomFieldsArgs, CustomFieldsCommand};
pub use explain::ExplainArgs;
pub use identification::{IdentificationArgs, IdentificationCommand, IdentificationSetArgs};
pub use keys::{KeysArgs, KeysCommand};
pub use maps::{
    MapNamed, MapsArgs, MapsCheckArgs, MapsCloneArgs, MapsCommand, MapsDiffArgs, MapsEditArgs,
    MapsExportArgs, MapsHistoryArgs, MapsImportArgs, MapsListArgs, MapsNewArgs, MapsPreviewArgs,
    MapsRemoveArgs, MapsShowArgs,
};
pub use models::{ModelsArgs, ModelsCommand, ModelsListArgs, ModelsShowArgs};
pub use pace::{PaceArgs, RequestRate};
pub use recording::RecordingArgs;
pub use records::{
    AssetStanding, AssetsListArgs, FindingStanding, FindingsArgs, QuarantineArgs, TransformArgs,
};
pub use runs::{Mode, RunsArgs, RunsCommand, RunsListArgs, RunsShowArgs, SyncArgs};
pub use simulator::{DemoArgs, SimulateArgs};
pub use values::{ComponentArg, InputFile, OnOff, Sha256};

use super::exit::Exit;

/// Loads connector components, sandboxes them, and drives them into assets and findings.
///
/// A connector is one WebAssembly component that knows a vendor's API. host-runner looks into it, connects a tenant with it, syncs
/// the tenant's records into a store of its own, and shows the assets and findings that came out. The component sees
/// neither a key nor a socket: it can make only the calls that it declares, and host-runner signs, paces and retries them.
///
/// New here? Type `host-runner demo`: everything at once against a simulated tenant, in seconds.
#[derive(Debug, Parser)]
#[command(
    name = "host-runner",
    version,
    max_term_width = 110,
    disable_help_subcommand = true,
    after_long_help = Exit::help_table(),
    after_help = "Type `host-runner --help` for exit codes, and `host-runner COMMAND --help` for details and an example."
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// The connector component to use [default: the bundled connector]
    #[arg(long, value_name = "FILE", global = true)]
    pub plugin: Option<PathBuf>,

    /// Where tenants' stores, the master key and compiled components are kept [default: the user's data directory]
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        env = "HOST_RUNNER_DATA",
        hide_env_values = true
    )]
    pub data: Option<PathBuf>,

    /// Load only a component that is signed with a trusted key, else end with exit code 11. The bundled connector is a part of host-runner and
    /// trusted with it
    #[arg(
        long,
        global = true,
        env = "HOST_RUNNER_REQUIRE_SIGNATURE",
        hide_env_values = true,
        hide_short_help = true,
        action = ArgAction::SetTrue,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub require_signature: bool,

    /// A publisher's minisign public key, or a file with such keys, to trust beside those in the file `trusted-keys` of the data directory. May
    /// be given several times, or with commas between
    #[arg(
        long = "trusted-key",
        value_name = "KEY|FILE",
        global = true,
        env = "HOST_RUNNER_TRUSTED_KEYS",
        hide_env_values = true,
        hide_short_help = true,
        value_delimiter = ','
    )]
    pub trusted_keys: Vec<String>,

    /// The minisign signature of the component, which must be good then [default: the component's file with .minisig behind it]
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    pub signature: Option<PathBuf>,

    /// Tell results as JSON: one document, or one object per line for lists; errors too, on stderr
    #[arg(long, global = true)]
    pub json: bool,

    /// Tell more on stderr: -v what happens, -vv each request, -vvv everything (never a secret)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Tell only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// What host-runner can do, in the order in which it is usually done.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "clap takes a variant's doc comment for the whole help and drops the details; the words are with the arguments"
)]
pub enum Command {
    Demo(DemoArgs),
    Inspect(InspectArgs),
    Verify(VerifyArgs),
    Simulate(SimulateArgs),
    Configure(ConfigureArgs),
    Connect(ConnectArgs),
    Update(UpdateArgs),
    Connections(ConnectionsArgs),
    Disconnect(DisconnectArgs),
    Purge(PurgeArgs),
    Reinstate(ReinstateArgs),
    Keys(KeysArgs),
    Test(TestArgs),
    Sync(SyncArgs),
    Status(StatusArgs),
    Runs(RunsArgs),
    Identification(IdentificationArgs),
    CustomFields(CustomFieldsArgs),
    Assets(AssetsArgs),
    Findings(FindingsArgs),
    Quarantine(QuarantineArgs),
    Explain(ExplainArgs),
    Blindspots(BlindspotsArgs),
    Maps(MapsArgs),
    Models(ModelsArgs),
    Transform(TransformArgs),
    #[command(hide = true)]
    CompileComponent(CompileComponentArgs),
}

/// What the runner calls itself with, to compile a component in a process of its own. Not for people.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Compile a component; host-runner calls itself with this",
    long_about = "Compile a component ahead of time in a process of its own, whose memory and time can be bounded. host-runner calls itself with \
        this; there is no need to type it.",
    after_long_help = "Example:\n  host-runner compile-component connector.wasm connector.cwasm"
)]
pub struct CompileComponentArgs {
    /// The component
    pub input: PathBuf,

    /// Where the compiled code goes
    pub output: PathBuf,

    /// The limits that shape the engine.
    #[command(flatten)]
    pub pace: PaceArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_command_teaches_with_a_sentence_details_and_an_example() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let about = command
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(about.len() > 10, "{name} has no sentence");
            let long = command
                .get_long_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(long.len() > about.len(), "{name} has no details");
            let example = command
                .get_after_long_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                example.contains(&format!("host-runner {name}")),
                "{name} has no example"
            );
        }
    }

    #[test]
    fn each_flag_has_a_help_text() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments() {
                assert!(
                    arg.get_help().is_some(),
                    "{} {} has no help",
                    command.get_name(),
                    arg.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn the_help_of_each_command_is_as_recorded() {
        fn record(command: &mut clap::Command, path: &str) {
            let text = command.render_long_help().to_string();
            let text: Vec<&str> = text.lines().map(str::trim_end).collect();
            insta::assert_snapshot!(format!("help_{path}"), text.join("\n"));
            let names: Vec<String> = command
                .get_subcommands()
                .map(|each| each.get_name().to_owned())
                .collect();
            for name in names {
                if let Some(each) = command.find_subcommand_mut(&name) {
                    record(each, &format!("{path}_{name}"));
                }
            }
        }
        let mut command = Cli::command().term_width(110);
        command.build();
        record(&mut command, "host-runner");
    }
}
