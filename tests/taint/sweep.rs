//! Full and incremental syncs with faults on the way, for both kinds of keys, and then the search.

use crate::listening::{heard, listen};
use crate::store;
use cortex_xdr_simulator::{Fault, NewAlert, NewEndpoint, Options, SecurityLevel, Simulator};
use cross_crate_tests::memory::Kept;
use cross_crate_tests::traces::{Traces, mark, places};
use cross_crate_tests::{Rig, tenant};
use host_runner::cli::failure::Failure;
use host_runner::cli::view;
use host_runner::component::Source;
use host_runner::connection::{self, ConnectionError};
use host_runner::domain::RunState;
use host_runner::engine::{Plugin, Runtime, RuntimeOptions};
use host_runner::pipeline::{self, ModeChoice, Observer, Progress, SyncOptions};
use host_runner::store::{RunFilter, Store};
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const STREAMS: [&str; 3] = ["endpoints", "alerts", "vulnerabilities"];

/// Where components are kept that are compiled for memories that can be searched.
fn compiled() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_TARGET_TMPDIR"),
        "/searchable-components"
    ))
}

/// The bundled connector, its memories kept.
pub async fn plugin(kept: &Kept) -> Arc<Plugin> {
    // Compiled once, by whoever comes first.
    static FIRST: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _first = FIRST.lock().await;
    let runtime = Runtime::new(RuntimeOptions {
        cache: Some(compiled().to_owned()),
        memories: Some(kept.memories()),
        ..RuntimeOptions::default()
    })
    .expect("an engine");
    runtime.load(&Source::Bundled).await.expect("the connector")
}

/// What a host could do wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    AsItIs,
    /// It leaves the key in the configuration, and traces that.
    Leaking,
}

/// All that was said and kept, by where.
#[derive(Default)]
struct Found(Vec<(String, Vec<u8>)>);

impl Found {
    fn add(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.to_owned(), bytes.into()));
    }

    /// Where something stands and what.
    fn traces(&self, traces: &Traces) -> Vec<(String, String)> {
        let found = self.0.iter().filter_map(|(place, bytes)| {
            let what = traces.find(bytes)?;
            Some((place.clone(), what))
        });
        found.collect()
    }
}

/// Prints all that an observer is told.
#[derive(Default)]
struct Watching(Mutex<String>);

impl Observer for Watching {
    fn step(&self, progress: &Progress) {
        self.0.lock().unwrap().push_str(&format!("{progress:?}\n"));
    }
}

fn options(security_level: SecurityLevel, seed: u64) -> Options {
    Options {
        endpoints: 230,
        alerts: 270,
        cves: 30,
        seed,
        security_level,
        xql_pending_polls: 1,
        ..Options::default()
    }
}

/// One fault of each kind that a connector and its host meet, in the way of each of the calls that read.
fn put_faults_in_the_way(simulator: &Simulator) {
    let chaos = simulator.chaos();
    for (call, faults) in [
        (
            "endpoints/get_endpoint",
            [
                Fault::RateLimited,
                Fault::ErrorJson,
                Fault::Reset,
                Fault::CutGzip,
            ],
        ),
        (
            "alerts/get_alerts_multi_events",
            [
                Fault::Unavailable,
                Fault::CutBody,
                Fault::HtmlPage,
                Fault::ErrorIn200,
            ],
        ),
        (
            "xql/get_query_results",
            [
                Fault::BadGateway,
                Fault::ResetBody,
                Fault::ErrorList,
                Fault::NotGzip,
            ],
        ),
    ] {
        for fault in faults {
            chaos.inject(call, fault, 1).expect("a fault for this call");
        }
    }
}

/// Syncs a data stream until it has come to its end.
async fn sync(rig: &Rig, stream: &str, mode: ModeChoice, found: &mut Found) -> RunState {
    let watching = Arc::new(Watching::default());
    let mut state = RunState::Failed;
    for _ in 0..12 {
        let options = SyncOptions {
            mode,
            ..SyncOptions::default()
        };
        let mut job = rig.job(stream, options).await;
        job.observer = Arc::clone(&watching) as _;
        let report = pipeline::sync(&job).await.expect("a run");
        found.add("a report", format!("{report:?} {:?}", job.connection));
        state = report.state;
        if state == RunState::Processed {
            break;
        }
    }
    found.add("progress", watching.0.lock().unwrap().clone());
    state
}

async fn sweep(level: SecurityLevel, seed: u64, host: Host) -> (Found, Traces) {
    listen();
    let mut found = Found::default();
    let kept = Kept::default();
    let streams = json!({"dataStreams": STREAMS});
    let mut rig = Rig::with_plugin(plugin(&kept).await, options(level, seed), streams, false).await;
    rig.patience = Some(Duration::from_millis(5));
    let key = rig.simulator.api_key().to_owned();
    if host == Host::Leaking {
        rig.connection.config["note"] = json!(key);
        rig.store
            .update_connection(&rig.connection, &[])
            .await
            .unwrap();
        tracing::trace!(config = %rig.connection.config, "a host that traces too much");
    }

    put_faults_in_the_way(&rig.simulator);
    for stream in STREAMS {
        let state = sync(&rig, stream, ModeChoice::Full, &mut found).await;
        assert!(
            host == Host::Leaking || state == RunState::Processed,
            "{stream}: {state}"
        );
    }
    assert!(host == Host::Leaking || rig.simulator.chaos().log().len() >= 12);
    refused(&rig, &mut found).await;

    // Something changes, and is read incrementally.
    let tenant_now = rig.simulator.tenant();
    let id = tenant_now.add_endpoint(NewEndpoint::default());
    tenant_now.add_alert(NewAlert {
        endpoint_id: Some(id),
        ..NewAlert::default()
    });
    put_faults_in_the_way(&rig.simulator);
    for stream in STREAMS {
        let state = sync(&rig, stream, ModeChoice::Auto, &mut found).await;
        assert!(
            host == Host::Leaking || state == RunState::Processed,
            "{stream}: {state}"
        );
    }
    rig.simulator.chaos().stop();
    everything_else(&rig, &mut found).await;

    for (index, memory) in kept.all().await.into_iter().enumerate() {
        found.add(&format!("the memory of instance {index}"), memory);
    }
    found.add("what was heard", heard());
    for (place, bytes) in store::files(compiled()) {
        found.add(&place, bytes);
    }
    let proofs = rig.simulator.log().proofs();
    let made = proofs
        .into_iter()
        .filter(|proof| !proof.contains(mark(&key)));
    (found, Traces::of(mark(&key), made))
}

/// A key that is refused, whatever asks.
async fn refused(rig: &Rig, found: &mut Found) {
    rig.simulator.tenant().revoke_key();
    let report = rig.sync("endpoints").await;
    assert_eq!(report.state, RunState::Failed);
    found.add("the report of a refused run", format!("{report:?}"));
    let name = &rig.connection.name;
    let tested = connection::test(&rig.desk, &tenant(), name, rig.rate, &()).await;
    found.add("the report of a refused test", format!("{tested:?}"));
    let connected = cross_crate_tests::request(&rig.simulator, json!({}));
    found.add("what is asked for", format!("{connected:?}"));
    let connected = host_runner::connection::ConnectRequest {
        name: "again".parse().unwrap(),
        ..connected
    };
    let error = connection::connect(&rig.desk, connected, &())
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectionError::TestFailed(_)), "{error}");
    found.add("an error", format!("{error} {error:?}"));
    let failure = Failure::from(error);
    found.add(
        "a failure",
        format!("{} {}", failure.to_text(), failure.to_json()),
    );
    rig.simulator.tenant().restore_key();
}

/// The other verbs, what is kept, and what is shown of it.
async fn everything_else(rig: &Rig, found: &mut Found) {
    let name = &rig.connection.name;
    let tested = connection::test(&rig.desk, &tenant(), name, rig.rate, &()).await;
    found.add("the report of a test", format!("{tested:?}"));
    let survey = connection::survey(&rig.desk, &tenant(), name, 30, rig.rate).await;
    found.add("a survey", format!("{survey:?}"));
    let shown = view::connection::document(&rig.connection, &tenant());
    found.add("a connection as it is shown", shown.to_string());
    let runs = rig.store.runs(&RunFilter::default()).await.unwrap();
    assert!(runs.len() >= 6);
    for run in &runs {
        let document = view::run::document(run, "xdr");
        found.add("the record of a run", format!("{run:?} {document}"));
    }
    for asset in rig.assets().await {
        found.add("an asset", asset.body.to_string());
    }
    for finding in rig.findings().await {
        found.add("a finding", finding.body.to_string());
    }
    let keyring = rig.desk.keyring().await.unwrap();
    found.add("a keyring", format!("{keyring:?}"));
    drop(keyring);

    // While a dry run's copy is there as well.
    let session = connection::session(&rig.desk, &tenant(), name, &[], rig.rate)
        .await
        .unwrap();
    let trial = session.on_trial(&rig.desk).await.unwrap();
    for (place, bytes) in store::files(rig.desk.stores.data()) {
        found.add(&place, bytes);
    }
    let file = rig.desk.stores.data().join("tenants/acme.db");
    for (place, bytes) in store::values(&file).await {
        found.add(&place, bytes);
    }
    drop(trial);
}

async fn nothing_is_found(level: SecurityLevel, seed: u64) {
    let (found, traces) = sweep(level, seed, Host::AsItIs).await;
    let told = found.traces(&traces);
    assert!(told.is_empty(), "{}", places(&told));
    // Nothing is proven where nothing was searched.
    let holds = |what: &str, text: &str| {
        found.0.iter().any(|(place, bytes)| {
            place.contains(what)
                && bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
        })
    };
    for (what, text) in [
        ("the memory of instance", "apiKeyId"),
        ("the memory of instance", "get_alerts_multi_events"),
        ("what was heard", "hyper"),
        ("what was heard", "answered"),
        (".db", "SQLite format 3"),
        (".db-wal", "endpoint"),
        ("unpacked", "endpoint_name"),
        ("of the table secrets", "apiKey"),
        (".cwasm", "ELF"),
        ("the record of a run", "get_endpoint"),
        ("progress", "endpoints"),
    ] {
        assert!(holds(what, text), "{text} is not in {what}");
    }
    let memories = found
        .0
        .iter()
        .filter(|(place, _)| place.contains("memory of"));
    assert!(memories.count() >= 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trace_of_a_standard_key_is_anywhere_after_syncs_with_faults() {
    nothing_is_found(SecurityLevel::Standard, 41).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trace_of_an_advanced_key_or_a_signature_is_anywhere_after_syncs_with_faults() {
    nothing_is_found(SecurityLevel::Advanced, 42).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_host_left_in_the_configuration_is_found_in_memory_and_store_and_log() {
    let (found, traces) = sweep(SecurityLevel::Standard, 43, Host::Leaking).await;
    let told = found.traces(&traces);
    for place in [
        "the memory of instance",
        "what was heard",
        "the file",
        "document of the table connections",
        "a report",
        "a connection as it is shown",
    ] {
        let found = told.iter().any(|(found, _)| found.starts_with(place));
        assert!(found, "not found in {place}: {}", places(&told));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_that_prints_all_that_holds_a_key_prints_none() {
    listen();
    let kept = Kept::default();
    let options = Options {
        endpoints: 5,
        alerts: 0,
        seed: 44,
        ..Options::default()
    };
    let rig = Rig::with_plugin(plugin(&kept).await, options, json!({}), true).await;
    let request = cross_crate_tests::request(&rig.simulator, json!({}));
    let egress = rig.egress().await;
    let panicked = tokio::spawn(async move {
        panic!(
            "a mistake on purpose: {request:?} {:?} {egress:?}",
            request.typed.secrets
        );
    });
    assert!(panicked.await.unwrap_err().is_panic());
    let heard = heard();
    let mistake = b"a mistake on purpose";
    assert!(heard.windows(mistake.len()).any(|part| part == mistake));
    let traces = Traces::of(mark(rig.simulator.api_key()), []);
    assert_eq!(traces.find(&heard), None);
}
