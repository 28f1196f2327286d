//! The simulated tenant, and the demonstration that uses it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// What `simulate` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Run a simulated Cortex XDR tenant to connect to",
    long_about = "Run a simulated Cortex XDR tenant in the foreground, until Ctrl-C: the calls, filters, limits and errors of the API over \
        HTTP on this machine, with data made from a seed. The first line on stdout is a JSON object with url, apiKeyId, apiKey, \
        securityLevel, and with --tls caFile.",
    after_long_help = simulate_help()
)]
pub struct SimulateArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8732")]
    pub listen: SocketAddr,

    /// How many endpoints the tenant has
    #[arg(long, value_name = "N", default_value_t = 250)]
    pub endpoints: u32,

    /// How many alerts
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub alerts: u32,

    /// How many different CVEs, shared between hosts
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub cves: u32,

    /// What the data is made from: the same seed gives the same tenant
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Wait so long before each answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency_ms: u64,

    /// Answer at most so many requests per second, and 429 to the rest; 0 answers all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub rate: u32,

    /// Let endpoints report in all the time, as a living tenant's do: last_seen moves on
    #[arg(long)]
    pub heartbeat: bool,

    /// Serve TLS, with a certificate of an authority that is made at the start
    #[arg(long)]
    pub tls: bool,

    /// Where the authority's certificate is written, for `connect --ca-file`
    #[arg(
        long,
        value_name = "FILE",
        default_value = "simulator-ca.pem",
        requires = "tls"
    )]
    pub ca_out: PathBuf,

    /// Misbehave, as planned from a seed: `7`, `7:storm`, `7:storm,until=200`, `7:empty-list=0.1+reset=0.05`; names and forms
    /// are listed below
    ///
    /// The same seed does the same to the same requests, in the order in which they arrive. What was done is told in the end.
    #[cfg(feature = "simulator")]
    #[arg(long, value_name = "CHAOS")]
    pub chaos: Option<cortex_xdr_simulator::Chaos>,
}

/// What follows the flags of `simulate` in its long help.
fn simulate_help() -> String {
    let examples = "Examples:\n  host-runner simulate --endpoints 20000 --alerts 20000 --seed 7";
    #[cfg(feature = "simulator")]
    let examples = format!(
        "{examples}\n  host-runner simulate --tls --ca-out ca.pem\n  host-runner simulate --chaos 7:storm,until=200\n\n{}",
        cortex_xdr_simulator::Chaos::help()
    );
    examples.to_owned()
}

/// What `demo` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "See everything at once: a simulated tenant, connected, synced and shown, within seconds",
    long_about = "See everything at once, within seconds: a simulated tenant is started on this machine, connected, tested and synced; then \
        the sync's card, a sample of assets and findings, and what to type next. Touches no network but this machine's own, and \
        leaves nothing behind unless --keep is given.",
    after_long_help = "Example:\n  host-runner demo --keep ./demo-data"
)]
pub struct DemoArgs {
    /// Keep the tenant's store in this directory, to look at it afterwards
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

#[cfg(all(test, feature = "simulator"))]
mod tests {
    use clap::Parser;

    use crate::cli::args::{Cli, Command};

    #[test]
    fn chaos_is_taken_in_the_form_in_which_failing_tests_print_it() {
        let text = "7:storm+reset=0.25,until=200";
        let cli = Cli::try_parse_from(["host-runner", "simulate", "--chaos", text]).unwrap();
        let Command::Simulate(args) = cli.command else {
            panic!("another command")
        };
        let chaos = args.chaos.expect("chaos");
        assert_eq!((chaos.seed, chaos.to_string().as_str()), (7, text));
    }

    #[test]
    fn a_name_that_is_no_chaos_is_answered_with_those_that_are() {
        let wrong = ["host-runner", "simulate", "--chaos", "7:strom"];
        let error = Cli::try_parse_from(wrong).unwrap_err().to_string();
        for word in ["\"strom\"", "storm", "empty-list", "alert-resolved"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
