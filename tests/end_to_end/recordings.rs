//! A sync that was recorded runs again without its API, its store and its clock, and does the same bit for bit.

use cortex_xdr_simulator::{
    Chaos, ChaosProfile, EndpointChange, NewAlert, Options, SecurityLevel, Simulator,
};
use cross_crate_tests::{Rig, STREAMS, loopback, request};
use host_runner::connection::{self, ConnectRequest, Desk};
use host_runner::domain::{Clock, RunState, SystemClock};
use host_runner::imports::Outbound;
use host_runner::pipeline::{self, ModeChoice, RunReport, SyncOptions, Unobserved};
use host_runner::recording::replay::ReplayOptions;
use host_runner::recording::{Ending, Recorder, Replayed, Target, anonymise, replay, setup};
use host_runner::store::{RecordQuery, Store};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn options() -> ReplayOptions {
    ReplayOptions {
        observer: Arc::new(Unobserved),
        cancel: pipeline::Cancel::new(),
    }
}

fn target(folder: &Path, name: &str) -> Target {
    Target {
        path: folder.join(name),
        force: false,
    }
}

/// Syncs these data streams into one recording.
async fn record(rig: &Rig, streams: &[&str], mode: ModeChoice, target: &Target) -> Vec<RunReport> {
    let how = SyncOptions {
        mode,
        ..SyncOptions::default()
    };
    let mut recorder: Option<Recorder> = None;
    let mut reports = Vec::new();
    for stream in streams {
        let mut job = rig.job(stream, how.clone()).await;
        let egress = rig.egress().await;
        egress.watch_echoes();
        job.egress = Arc::clone(&egress) as Arc<dyn Outbound>;
        let recorder = recorder.get_or_insert_with(|| {
            let header = setup(&job, SystemClock.now());
            Recorder::create(target, &header, egress).unwrap()
        });
        reports.push(pipeline::sync(&recorder.tapped(job)).await.unwrap());
    }
    recorder.unwrap().close().unwrap();
    reports
}

async fn played(rig: &Rig, path: &Path) -> Replayed {
    replay(path, &rig.desk.plugin, &options()).await.unwrap()
}

/// Some endpoints get another name, some alerts are resolved, some are new.
fn change(rig: &Rig) {
    let tenant = rig.simulator.tenant();
    for (number, endpoint) in tenant.endpoints().iter().take(40).enumerate() {
        let change = EndpointChange {
            name: Some(format!("renamed-{number}")),
            ..EndpointChange::default()
        };
        assert!(tenant.change_endpoint(&endpoint.id, change));
    }
    for alert in tenant.alerts().iter().take(30) {
        tenant.resolve_alert(&alert.id, "STATUS_060_RESOLVED_FALSE_POSITIVE");
        tenant.add_alert(NewAlert::default());
    }
}

/// The replay is the same, and its runs are those that were reported.
fn assert_same(replayed: &Replayed, reports: &[RunReport]) {
    assert_eq!(replayed.ending, Ending::Same);
    assert_eq!(replayed.runs.len(), reports.len());
    for (run, report) in replayed.runs.iter().zip(reports) {
        assert_eq!(run.ledger, report.ledger);
        assert_eq!((run.state, run.mode), (report.state, report.mode));
        assert_eq!(run.steps, report.steps);
        assert_eq!(run.warnings, report.warnings);
    }
    let steps: u64 = reports.iter().map(|report| report.steps).sum();
    assert!(replayed.steps >= steps, "{} of {steps}", replayed.steps);
}

fn tenant() -> Options {
    Options {
        endpoints: 600,
        alerts: 800,
        seed: 4,
        ..Options::default()
    }
}

fn small() -> Options {
    Options {
        endpoints: 250,
        alerts: 300,
        ..tenant()
    }
}

fn all_streams() -> serde_json::Value {
    json!({"dataStreams": STREAMS})
}

#[tokio::test(flavor = "multi_thread")]
async fn full_and_incremental_syncs_of_all_streams_replay_bit_for_bit_with_the_tenant_gone() {
    let rig = Rig::new(tenant(), all_streams()).await;
    let folder = tempfile::tempdir().unwrap();
    let full = target(folder.path(), "full.ndjson");
    let first = record(&rig, &STREAMS, ModeChoice::Full, &full).await;
    change(&rig);
    let later = target(folder.path(), "later.ndjson.zst");
    let second = record(&rig, &STREAMS, ModeChoice::Incremental, &later).await;
    assert!(
        second.iter().any(|report| report.ledger.closed > 0),
        "{second:?}"
    );
    let plugin = Arc::clone(&rig.desk.plugin);
    drop(rig);
    for (recorded, reports) in [(&full, &first), (&later, &second)] {
        let replayed = replay(&recorded.path, &plugin, &options()).await.unwrap();
        assert_same(&replayed, reports);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_chaos_did_to_a_sync_it_does_again() {
    let profiles = [ChaosProfile::Storm, ChaosProfile::Lies, ChaosProfile::All];
    for (seed, profile) in profiles.into_iter().enumerate() {
        let mut rig = Rig::untested(small(), all_streams()).await;
        rig.patience = Some(Duration::from_millis(50));
        let seed = seed as u64 + 11;
        rig.simulator
            .chaos()
            .set(Some(Chaos::new(seed).profile(profile)));
        let folder = tempfile::tempdir().unwrap();
        for turn in 0..2 {
            let target = target(folder.path(), &format!("{turn}.ndjson"));
            let reports = record(&rig, &STREAMS, ModeChoice::Auto, &target).await;
            assert_same(&played(&rig, &target.path).await, &reports);
        }
    }
}

/// Each line of a recording.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn write(folder: &Path, name: &str, lines: &[String]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_was_tampered_with_is_noticed_and_a_cut_one_says_so() {
    let rig = Rig::untested(small(), json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path(), "plain.ndjson");
    record(&rig, &["endpoints"], ModeChoice::Full, &target).await;
    let whole = lines(&target.path);

    let host = &rig.simulator.tenant().endpoints()[3];
    let mut tampered = whole.clone();
    let line = tampered
        .iter_mut()
        .find(|line| line.contains("\"chunk\"") && line.contains(&host.name))
        .unwrap();
    *line = line.replace(&host.name, "somebody-else");
    let path = write(folder.path(), "tampered.ndjson", &tampered);
    let Ending::Diverged(divergence) = played(&rig, &path).await.ending else {
        panic!("the other name was not noticed");
    };
    assert_eq!(divergence.details, [format!("other records: {}", host.id)]);

    // Wherever it is cut: all that is there is the same, and it is told that something is missing.
    for keep in [2, 3, whole.len() / 2, whole.len() - 2, whole.len() - 1] {
        let path = write(folder.path(), "cut.ndjson", &whole[..keep]);
        assert_eq!(played(&rig, &path).await.ending, Ending::Cut, "{keep}");
    }
    let bytes = std::fs::read(&target.path).unwrap();
    let path = folder.path().join("within-a-line.ndjson");
    std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    assert_eq!(played(&rig, &path).await.ending, Ending::Cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_sync_and_one_that_goes_on_replay_as_well() {
    let rig = Rig::untested(tenant(), json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let mut reports = Vec::new();
    for turn in 0..2 {
        let target = target(folder.path(), &format!("{turn}.ndjson"));
        let mut job = rig.job("endpoints", SyncOptions::default()).await;
        if turn == 0 {
            job.observer = cross_crate_tests::stop_after(2, job.cancel.clone());
        }
        let header = setup(&job, SystemClock.now());
        let recorder = Recorder::create(&target, &header, rig.egress().await).unwrap();
        let report = pipeline::sync(&recorder.tapped(job)).await.unwrap();
        recorder.close().unwrap();
        let replayed = played(&rig, &target.path).await;
        assert_eq!(replayed.ending, Ending::Same);
        assert_eq!(replayed.runs[0].state, report.state, "{replayed:?}");
        assert_eq!(replayed.runs[0].ledger, report.ledger);
        reports.push(report);
    }
    assert_eq!(reports[0].state, RunState::Cancelled);
    assert!(reports[1].resumed);
}

/// All values of these properties, at any depth.
fn values_of(names: &[&str], value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| values_of(names, value, found)),
        Value::Object(values) => {
            for (name, value) in values {
                if names.contains(&name.as_str()) {
                    texts_in(value, found);
                }
                values_of(names, value, found);
            }
        }
        _ => {}
    }
}

fn texts_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| texts_in(value, found)),
        _ => {}
    }
}

/// Who and what the tenant's documents and records tell of, by the store and by the simulator.
async fn personal(rig: &Rig) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for endpoint in rig.simulator.tenant().endpoints() {
        found.extend([endpoint.id, endpoint.name]);
    }
    found.extend(
        rig.simulator
            .tenant()
            .alerts()
            .into_iter()
            .map(|alert| alert.id),
    );
    let names = [
        "endpoint_id",
        "endpoint_name",
        "ip",
        "ipv6",
        "public_ip",
        "mac_address",
        "users",
        "user_name",
        "alert_id",
        "host_name",
        "host_ip",
        "mac",
        "agent_fqdn",
        "case_id",
        "action_local_ip",
    ];
    for stream in &rig.connection.data_streams {
        let query = RecordQuery {
            connection: rig.connection.id,
            stream: stream.clone(),
            key: None,
            after: None,
            limit: 1_000_000,
        };
        for record in rig.store.records(&query).await.unwrap() {
            let body: Value = serde_json::from_slice(&record.body).unwrap();
            values_of(&names, &body, &mut found);
        }
    }
    // A short number is any number.
    let number = |value: &str| value.chars().all(|c| c.is_ascii_digit());
    found.retain(|value| value.len() >= if number(value) { 7 } else { 5 });
    found.remove("127.0.0.1");
    found
}

/// Whether a value stands in a text by itself, and not as a piece of a longer one.
fn stands_in(value: &str, text: &str) -> bool {
    text.match_indices(value).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + value.len()..].chars();
        let next = after.next();
        let goes_on = match next {
            Some('.') => after.next().is_some_and(char::is_alphanumeric),
            Some(next) => next.is_alphanumeric(),
            None => false,
        };
        !goes_on && !before.is_some_and(|before| before.is_alphanumeric() || before == '.')
    })
}

fn assert_nobody(path: &Path, personal: &BTreeSet<String>) {
    let text = std::fs::read_to_string(path).unwrap().to_lowercase();
    let left: Vec<&String> = personal
        .iter()
        .filter(|value| {
            // Once quoted in a line, and once more in a body within it.
            let once = value.to_lowercase().replace('\\', "\\\\");
            stands_in(&once, &text) || stands_in(&once.replace('\\', "\\\\"), &text)
        })
        .collect();
    assert!(
        left.is_empty(),
        "{} of {}: {left:?}",
        left.len(),
        personal.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymised_recording_names_nobody_and_replays_bit_for_bit() {
    let rig = Rig::untested(small(), all_streams()).await;
    let folder = tempfile::tempdir().unwrap();
    let turns = [
        (ModeChoice::Full, &STREAMS[..]),
        (ModeChoice::Incremental, &STREAMS[..2]),
    ];
    for (turn, (mode, streams)) in turns.into_iter().enumerate() {
        let plain = target(folder.path(), &format!("plain-{turn}.ndjson"));
        let reports = record(&rig, streams, mode, &plain).await;
        let shared = target(folder.path(), &format!("shared-{turn}.ndjson"));
        let done = anonymise(&plain.path, &shared, &rig.desk.plugin, &options()).await;
        assert!(done.is_ok(), "{mode:?}: {done:?}");
        let personal = personal(&rig).await;
        assert!(personal.len() > 500, "{}", personal.len());
        assert_nobody(&shared.path, &personal);
        let replayed = played(&rig, &shared.path).await;
        assert!(replayed.header.anonymised);
        assert_same(&replayed, &reports);
        change(&rig);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

/// Hands requests on to a simulator, and gives back in each answer how it was asked.
async fn echoing(simulator: SocketAddr, seen: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream, simulator, Arc::clone(&seen)));
        }
    });
    format!("http://{address}")
}

async fn echo(mut stream: TcpStream, simulator: SocketAddr, seen: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let mut lines = text.lines();
        let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let length: usize = header("content-length").parse().unwrap_or(0);
        while bytes.len() < head + length {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
        }
        let body = bytes[head..head + length].to_vec();
        bytes.drain(..head + length);
        let mut request =
            format!("POST {path} HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\n");
        for (name, value) in &headers {
            if !["host", "accept-encoding", "connection"].contains(&name.as_str()) {
                request.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        request.push_str("\r\n");
        let mut server = TcpStream::connect(simulator).await.unwrap();
        server.write_all(request.as_bytes()).await.unwrap();
        server.write_all(&body).await.unwrap();
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (told, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = told.split(' ').nth(1).unwrap();
        let signature = header("authorization");
        seen.lock().unwrap().push(signature.clone());
        let body = format!("{{\"echo\":\"{signature}\",{}", &body[1..]);
        let head = format!(
            "HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\nx-echo: {signature}\r\nset-cookie: session=of-the-test\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // In the middle of what is given back.
        let (first, rest) = body.split_at(9 + signature.len() / 2);
        stream.write_all(first.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(rest.as_bytes()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_key_nor_a_signature_that_the_api_gives_back_is_written_down() {
    for level in [SecurityLevel::Standard, SecurityLevel::Advanced] {
        let options = Options {
            security_level: level,
            gzip: false,
            ..small()
        };
        let simulator = Simulator::start(options, loopback()).await.unwrap();
        let seen = Arc::default();
        let url = echoing(simulator.address(), Arc::clone(&seen)).await;
        let data = tempfile::tempdir().unwrap();
        let desk = Desk::new(cross_crate_tests::plugin().await, data.path());
        let request = ConnectRequest {
            skip_test: true,
            ..request(&simulator, json!({"baseUrl": url}))
        };
        let connection = connection::connect(&desk, request, &()).await.unwrap();
        let store = desk
            .stores
            .open(&cross_crate_tests::tenant())
            .await
            .unwrap();
        let rig = Rig::over(simulator, desk, connection, store, data);
        let folder = tempfile::tempdir().unwrap();
        let target = target(folder.path(), "echo.ndjson");
        let reports = record(&rig, &["endpoints"], ModeChoice::Full, &target).await;
        assert_eq!(
            reports[0].state,
            RunState::Processed,
            "{:?}",
            reports[0].fault
        );
        let text = std::fs::read_to_string(&target.path).unwrap();
        assert!(!text.contains(rig.simulator.api_key()), "the key");
        assert!(!text.contains("of-the-test"), "the session");
        let echoes = text.matches("[secret]").count();
        let answers = text.matches("{\"event\":\"reply\"").count();
        assert!(
            answers > 0 && echoes >= 2 * answers,
            "{echoes} of {answers}"
        );
        let seen = seen.lock().unwrap().clone();
        assert!(seen.len() >= answers);
        for signature in seen {
            let (first, last) = (&signature[..16], &signature[signature.len() - 16..]);
            assert!(
                !text.contains(first) && !text.contains(last),
                "half a signature"
            );
        }
        let replayed = played(&rig, &target.path).await;
        assert!(replayed.blanked > 0 || matches!(replayed.ending, Ending::Diverged(_)));
    }
}
