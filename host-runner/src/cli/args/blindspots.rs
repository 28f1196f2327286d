//! Asking what is not seen.

use clap::Args;

use super::connections::Named;
use super::pace::PaceArgs;

/// What `blindspots` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show what the tenant holds and the platform does not see",
    long_about = "Show what the tenant holds and the platform does not see: what the configuration leaves out, what never reports, what waits for its \
        asset, what could not be read, and how much of each. The connector asks the API, in a bounded number of requests; what was \
        read and is not shown is counted in the store.\n\nA count that could not be found out is unknown, with the reason and what to do, and \
        keeps nothing else from being told; \"or more\" stands where the API stops counting. Takes no lock and keeps nothing: it can be asked while a \
        sync runs. That there are blind spots is no failure.",
    after_long_help = "Examples:\n  \
        host-runner blindspots xdr --tenant acme\n  \
        host-runner blindspots xdr --tenant acme --silent-days 7 --json"
)]
pub struct BlindspotsArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,

    /// After how many days without a report an agent counts as silent
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub silent_days: u16,

    /// Limits and pace.
    #[command(flatten)]
    pub pace: PaceArgs,
}
