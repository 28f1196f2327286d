//! What each command does: read its arguments, ask a service, tell the result.

mod assets;
mod blindspots;
mod compile_component;
mod configure;
mod connect;
mod connections;
mod custom_fields;
#[cfg(feature = "simulator")]
mod demo;
mod explain;
mod identification;
mod import;
mod inspect;
mod keys;
mod listing;
mod maps;
mod models;
mod purge;
mod recording;
mod records;
mod remaking;
mod replay;
mod runs;
#[cfg(feature = "simulator")]
mod simulate;
mod status;
mod stop;
mod sync;
mod sync_all;
mod test;
mod transform;
mod verify;
mod what_if;

use super::args::Command;
use super::context::Context;
use super::failure::CommandResult;

/// Runs a command.
pub async fn run(context: &Context, command: &Command) -> CommandResult {
    match command {
        #[cfg(feature = "simulator")]
        Command::Demo(args) => demo::run(context, args).await,
        #[cfg(not(feature = "simulator"))]
        Command::Demo(_) | Command::Simulate(_) => Err(without_simulator()),
        Command::Inspect(args) => inspect::run(context, args).await,
        Command::Verify(args) => verify::run(context, args),
        #[cfg(feature = "simulator")]
        Command::Simulate(args) => simulate::run(context, args).await,
        Command::Configure(args) => configure::run(context, args).await,
        Command::Connect(args) => connect::connect(context, args).await,
        Command::Update(args) => connect::update(context, args).await,
        Command::Connections(args) => connections::list(context, args).await,
        Command::Disconnect(args) => connections::remove(context, args).await,
        Command::Purge(args) => purge::run(context, args).await,
        Command::Reinstate(args) => connections::reinstate(context, args).await,
        Command::Test(args) => test::run(context, args).await,
        Command::Sync(args) => sync::run(context, args).await,
        Command::Status(args) => status::run(context, args).await,
        Command::Runs(args) => runs::run(context, args).await,
        Command::Keys(args) => keys::run(context, args).await,
        Command::Identification(args) => identification::run(context, args).await,
        Command::CustomFields(args) => custom_fields::run(context, args).await,
        Command::Assets(args) => assets::run(context, args).await,
        Command::Findings(args) => records::findings(context, args).await,
        Command::Quarantine(args) => records::quarantine(context, args).await,
        Command::Explain(args) => explain::run(context, args).await,
        Command::Blindspots(args) => blindspots::run(context, args).await,
        Command::Maps(args) => maps::run(context, args).await,
        Command::Models(args) => models::run(context, args),
        Command::Transform(args) => transform::run(context, args).await,
        Command::CompileComponent(args) => compile_component::run(args),
    }
}

#[cfg(not(feature = "simulator"))]
fn without_simulator() -> super::failure::Failure {
    super::failure::Failure::new(
        super::exit::Exit::Usage,
        "this host-runner was built without the simulator",
    )
    .remedy("build it with the feature `simulator`, which is on by default")
}
