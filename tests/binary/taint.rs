//! A marked key through every command of the real binary at its most verbose, with faults on the way; and then the search in all that it wrote.

use crate::runner::Runner;
use crate::traces::{Traces, mark, places};
use cortex_xdr_simulator::{Fault, NewEndpoint, Options, SecurityLevel};
use serde_json::json;
use std::path::Path;

const STREAMS: [&str; 3] = ["endpoints", "alerts", "vulnerabilities"];

/// All files below a folder, with what they hold.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// Runs a command that tells everything, and keeps what it told. Whether it succeeded.
async fn told(runner: &Runner, arguments: &[&str], found: &mut Vec<(String, Vec<u8>)>) -> bool {
    let mut command = runner.command(arguments);
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    if !arguments.contains(&"--quiet") {
        command.arg("-vvv");
    }
    let output = command.output().await.unwrap();
    let name = arguments[..2.min(arguments.len())].join(" ");
    found.push((format!("output of {name}"), output.stdout));
    found.push((format!("errors of {name}"), output.stderr));
    output.status.success()
}

async fn every_command(level: SecurityLevel, seed: u64) {
    let options = Options {
        endpoints: 130,
        alerts: 130,
        cves: 10,
        seed,
        security_level: level,
        xql_pending_polls: 1,
        ..Options::default()
    };
    let runner = Runner::new(options).await;
    let mut found = Vec::new();
    let config = runner.config(json!({"dataStreams": STREAMS}));
    let connect = [
        "connect",
        "xdr",
        "--tenant",
        "acme",
        "--config",
        &config,
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
        "--allow-loopback",
    ];
    assert!(told(&runner, &connect, &mut found).await);
    let chaos = runner.simulator.chaos();
    for (call, fault) in [
        ("endpoints/get_endpoint", Fault::Reset),
        ("endpoints/get_endpoint", Fault::BadGateway),
        ("alerts/get_alerts_multi_events", Fault::CutBody),
        ("alerts/get_alerts_multi_events", Fault::HtmlPage),
        ("xql/get_query_results", Fault::Unavailable),
    ] {
        chaos.inject(call, fault, 1).unwrap();
    }
    let unlimited = ["--requests-per-second", "unlimited"];
    let sync = [&["sync", "xdr", "--tenant", "acme"][..], &unlimited].concat();
    let synced = async |found: &mut Vec<(String, Vec<u8>)>| {
        let mut done = false;
        for _ in 0..6 {
            done = told(&runner, &sync, found).await;
            if done {
                break;
            }
        }
        assert!(done, "no sync came to its end");
    };
    synced(&mut found).await;
    assert!(chaos.log().len() >= 5);
    // Refused, in text and in JSON.
    runner.simulator.tenant().revoke_key();
    for arguments in [
        sync.clone(),
        [&sync[..], &["--json"]].concat(),
        vec!["test", "xdr", "--tenant", "acme"],
        vec!["test", "xdr", "--tenant", "acme", "--json"],
        [&["connect", "again"], &connect[2..]].concat(),
    ] {
        assert!(!told(&runner, &arguments, &mut found).await);
    }
    runner.simulator.tenant().restore_key();
    runner
        .simulator
        .tenant()
        .add_endpoint(NewEndpoint::default());
    synced(&mut found).await;
    // What is written down of a sync is in the data directory, and so among what is searched.
    let recording = runner.data().join("recording.ndjson");
    let recorded = ["--mode", "full", "--record", recording.to_str().unwrap()];
    let recorded = [&sync[..], &recorded].concat();
    assert!(told(&runner, &recorded, &mut found).await);
    let tried = [&sync[..], &["--dry-run"]].concat();
    assert!(told(&runner, &tried, &mut found).await);

    let update = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
    ];
    let configure = [
        "configure",
        "--config",
        &config,
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
    ];
    for arguments in [
        &update[..],
        &configure,
        &["keys", "show"],
        &["keys", "rotate"],
        &["test", "xdr", "--tenant", "acme"],
        &["blindspots", "xdr", "--tenant", "acme"],
        &["status", "xdr", "--tenant", "acme"],
        &["connections"],
        &["runs", "--tenant", "acme"],
        &["runs", "show", "1", "--tenant", "acme"],
        &["assets", "--tenant", "acme"],
        &["findings", "--tenant", "acme"],
        &["quarantine", "xdr", "--tenant", "acme"],
        &["inspect"],
    ] {
        for json in [false, true] {
            let mut arguments = arguments.to_vec();
            if json {
                arguments.push("--json");
            }
            assert!(told(&runner, &arguments, &mut found).await, "{arguments:?}");
        }
    }
    files(&runner.data(), &mut found);

    let key = runner.simulator.api_key();
    let proofs = runner.simulator.log().proofs();
    assert!(level == SecurityLevel::Standard || proofs.len() > 20);
    let made = proofs
        .into_iter()
        .filter(|proof| !proof.contains(mark(key)));
    let traces = Traces::of(mark(key), made);
    let told: Vec<_> = found
        .iter()
        .filter_map(|(place, bytes)| Some((place.clone(), traces.find(bytes)?)))
        .collect();
    assert!(told.is_empty(), "{}", places(&told));
    // Nothing is proven where nothing was told.
    for (place, text) in [
        ("errors of sync", "answered"),
        ("errors of sync", "DEBUG"),
        ("output of runs show", "apiKey"),
        ("acme.db", "SQLite format 3"),
        ("recording.ndjson", "get_endpoint"),
    ] {
        let told = found.iter().any(|(found, bytes)| {
            found.contains(place)
                && bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
        });
        assert!(told, "{text} is not in {place}");
    }
}

/// elastic/beats #52224; airbytehq/airbyte #15576: secrets in logs and traces.
#[tokio::test(flavor = "multi_thread")]
async fn no_command_tells_or_keeps_a_standard_key_in_any_form() {
    every_command(SecurityLevel::Standard, 61).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_tells_or_keeps_an_advanced_key_or_a_signature_in_any_form() {
    every_command(SecurityLevel::Advanced, 62).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stands_in_an_ordinary_field_is_refused_and_one_that_gets_through_is_found() {
    let options = Options {
        endpoints: 5,
        alerts: 0,
        seed: 63,
        ..Options::default()
    };
    let runner = Runner::new(options).await;
    let key = runner.simulator.api_key();
    let traces = Traces::of(mark(key), []);
    // The runner knows the secret, and so where else it stands.
    let refused = runner.connect(json!({"tags": [key]})).await;
    let refused = refused.failed(3, &["apiKey", "/tags/0"]);
    assert_eq!(traces.find(format!("{refused:?}").as_bytes()), None);
    let refused = runner.connect(json!({"api_key": key})).await;
    let refused = refused.failed(3, &["`api_key`", "`apiKey`"]);
    assert_eq!(traces.find(format!("{refused:?}").as_bytes()), None);
    assert!(!runner.data().join("tenants").exists());

    // What it does not know for a secret it keeps and shows, and the search finds it there.
    let config = runner.config(json!({"tags": [key]}));
    let other = runner.file("other.txt", "test-key-of-nobody");
    let secret = format!("apiKey=file:{other}");
    let connect = [
        "connect",
        "xdr",
        "--tenant",
        "acme",
        "--config",
        &config,
        "--secret",
        &secret,
        "--allow-loopback",
        "--skip-test",
    ];
    runner.run(&connect).await.succeeded();
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    assert!(traces.find(listed.out.as_bytes()).is_some());
    let mut found = Vec::new();
    files(&runner.data().join("tenants"), &mut found);
    assert!(found.iter().any(|(_, bytes)| traces.find(bytes).is_some()));
}

/// What compiles a foreign component is told nothing but where that is.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_process_that_compiles_a_component_has_an_empty_environment() {
    use host_runner::component::Source;
    use host_runner::engine::{Compiler, Runtime, RuntimeOptions};
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let script = folder.path().join("compiler");
    let text = format!(
        "#!/bin/sh\n/usr/bin/env > '{0}'\nprintf '%s\\n' \"$@\" > '{0}.arguments'\nexec '{1}' \"$@\"\n",
        told.display(),
        env!("CARGO_BIN_EXE_host-runner"),
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    // This process's own environment holds something to hand on.
    assert!(std::env::vars().count() > 3);
    let runtime = Runtime::new(RuntimeOptions {
        cache: Some(folder.path().join("components")),
        compiler: Compiler::Child(script),
        ..RuntimeOptions::default()
    })
    .unwrap();
    runtime.load(&Source::Bundled).await.unwrap();
    let environment = std::fs::read_to_string(&told).unwrap();
    // What a shell makes for itself.
    let of_the_shell = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    for line in environment.lines() {
        assert!(
            of_the_shell.iter().any(|name| line.starts_with(name)),
            "{line}"
        );
    }
    let arguments = std::fs::read_to_string(format!("{}.arguments", told.display())).unwrap();
    assert!(arguments.starts_with("compile-component\n"), "{arguments}");
}
