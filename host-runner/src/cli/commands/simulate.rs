//! `simulate`: the simulated tenant in the foreground.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cortex_xdr_simulator::{ChaosEntry, Options, Simulator, Tls};
use serde_json::{Value, json};

use crate::cli::args::SimulateArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};

/// Runs it, until Ctrl-C.
pub async fn run(context: &Context, args: &SimulateArgs) -> CommandResult {
    let simulator = start(options(args), args.listen).await?;
    let ca_file = write_authority(&simulator, &args.ca_out)?;
    let output = &context.output;
    // On one line also on a terminal: it is what a script reads.
    output.item(&access(&simulator, ca_file))?;
    output.flush()?;
    output.note(format!(
        "\nA simulated tenant with {} endpoints and {} alerts listens on {}, until Ctrl-C. To connect to it, type elsewhere:\n\n  \
         echo '{}' |\n    SIMULATOR_KEY={} host-runner connect simulated --tenant try --config - \\\n      \
         --secret apiKey=env:SIMULATOR_KEY --allow-loopback{}\n  host-runner sync simulated --tenant try{}",
        args.endpoints,
        args.alerts,
        simulator.url(),
        configuration(&simulator),
        simulator.api_key(),
        ca_file.map_or_else(String::new, |file| format!(
            " \\\n      --ca-file {}",
            file.display()
        )),
        pace(args.rate),
    ));
    if let Some(chaos) = &args.chaos {
        output.note(format!(
            "\nIt misbehaves: --chaos {chaos} does the same again to the same requests"
        ));
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        return Err(Failure::new(
            Exit::Internal,
            format!("Ctrl-C can't be waited for: {error}"),
        ));
    }
    if let Some(chaos) = &args.chaos {
        output.note(format!(
            "\n--chaos {chaos}: {}",
            deeds(&simulator.chaos().log(), simulator.chaos().requests())
        ));
    }
    simulator.shutdown().await;
    Ok(Exit::Success)
}

/// Starts a simulator, or says why it can't.
pub async fn start(options: Options, listen: std::net::SocketAddr) -> Result<Simulator, Failure> {
    Simulator::start(options, listen)
        .await
        .map_err(|error| Failure::new(Exit::Input, error.to_string()))
}

fn options(args: &SimulateArgs) -> Options {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Options {
        endpoints: size(args.endpoints),
        alerts: size(args.alerts),
        cves: size(args.cves),
        seed: args.seed,
        latency: Duration::from_millis(args.latency_ms),
        rate: (args.rate > 0).then_some(args.rate),
        heartbeat: args.heartbeat,
        chaos: args.chaos.clone(),
        tls: args.tls.then(Tls::default),
        ..Options::default()
    }
}

/// How fast a sync may ask it, where that is not the pace that a sync has by itself: four fifths of the API's rate, which is the simulator's by default.
fn pace(rate: u32) -> String {
    match rate {
        0 => " --requests-per-second unlimited".to_owned(),
        slow @ 1..10 => format!(" --requests-per-second {:.1}", f64::from(slow) * 0.8),
        _ => String::new(),
    }
}

/// What chaos did, how often.
fn deeds(log: &[ChaosEntry], requests: u64) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in log {
        *counts.entry(entry.act.name()).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    match counts.is_empty() {
        true => format!("nothing in {requests} requests"),
        false => format!("in {requests} requests {}", counts.join(", ")),
    }
}

/// Writes the certificate of the simulator's authority, where it serves TLS.
fn write_authority<'a>(simulator: &Simulator, file: &'a Path) -> Result<Option<&'a Path>, Failure> {
    let Some(authority) = simulator.authority() else {
        return Ok(None);
    };
    std::fs::write(file, authority).map_err(|error| {
        Failure::new(
            Exit::Input,
            format!(
                "the authority's certificate can't be written to {}: {error}",
                file.display()
            ),
        )
        .remedy("name another file with --ca-out")
    })?;
    Ok(Some(file))
}

/// What the first line says.
fn access(simulator: &Simulator, ca_file: Option<&Path>) -> Value {
    let mut access = json!({
        "url": simulator.url(),
        "apiKeyId": simulator.api_key_id(),
        "apiKey": simulator.api_key(),
        "securityLevel": simulator.security_level().as_str(),
    });
    if let (Some(object), Some(file)) = (access.as_object_mut(), ca_file) {
        object.insert("caFile".to_owned(), json!(file));
    }
    access
}

/// A configuration for it, without the key.
pub fn configuration(simulator: &Simulator) -> Value {
    json!({
        "baseUrl": simulator.url(),
        "apiKeyId": simulator.api_key_id(),
        "securityLevel": simulator.security_level().as_str(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use cortex_xdr_simulator::{ChaosAct, Fault, Mutation};

    use super::*;
    use crate::cli::args::{Cli, Command};

    #[test]
    fn the_command_to_type_asks_no_faster_than_is_answered() {
        let line = Cli::try_parse_from(["host-runner", "simulate"]).unwrap();
        let Command::Simulate(args) = line.command else {
            panic!("another command")
        };
        assert_eq!(pace(args.rate), "");
        for (rate, words) in [
            (0, " --requests-per-second unlimited"),
            (1, " --requests-per-second 0.8"),
            (3, " --requests-per-second 2.4"),
            (100, ""),
        ] {
            assert_eq!(pace(rate), words);
            let line = format!("host-runner sync simulated --tenant try{words}");
            assert!(
                Cli::try_parse_from(line.split_whitespace()).is_ok(),
                "{line}"
            );
        }
    }

    #[test]
    fn what_chaos_did_is_told_by_name_and_count() {
        let entry = |act| ChaosEntry {
            request: 1,
            call: "endpoints/get_endpoint".to_owned(),
            act,
            detail: String::new(),
        };
        let log = [
            entry(ChaosAct::Fault(Fault::Reset)),
            entry(ChaosAct::Mutation(Mutation::AlertAdded)),
            entry(ChaosAct::Fault(Fault::Reset)),
        ];
        assert_eq!(deeds(&log, 9), "in 9 requests 1 alert-added, 2 reset");
        assert_eq!(deeds(&[], 9), "nothing in 9 requests");
    }
}
