//! What a fixed transform costs, in instructions: a slower connector is seen without a clock. And what the component weighs.
//!
//! Fuel counts what the component executes, so the number is the same on every machine. A change that is meant to cost more (or less)
//! records it anew: `RECORD_FUEL=1 cargo test -p cross-crate-tests --test fuel`, and says why in its commit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use cross_crate_tests::records::{entries, fixed_rig};
use host_runner::component::Source;
use host_runner::contract::connector::{Entry, MapContext};
use host_runner::contract::{Plugin, PluginPre};
use host_runner::engine::{Limits, Meter};
use host_runner::imports::{Reach, Silent, State};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store};

/// How far a transform may drift from what is recorded, in percent.
const DRIFT: f64 = 5.0;

fn recorded_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuel/recorded.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_transform_uses_the_recorded_fuel() {
    let rig = fixed_rig(300, 300).await;
    let mut used = json!({});
    for stream in ["endpoints", "alerts"] {
        let entries = entries(&rig, stream).await;
        assert!(entries.len() > 20, "{stream}: {}", entries.len());
        let map = rig
            .connection
            .maps
            .iter()
            .find(|(name, _)| name.as_str() == stream)
            .unwrap()
            .1;
        let fuel = fuel_of_transform(map.body.clone().into_bytes(), stream, entries).await;
        used[stream] = fuel.into();
    }

    if std::env::var_os("RECORD_FUEL").is_some() {
        std::fs::write(recorded_file(), format!("{used:#}\n")).unwrap();
        return;
    }
    let recorded: Value = serde_json::from_slice(&std::fs::read(recorded_file()).unwrap()).unwrap();
    for stream in ["endpoints", "alerts"] {
        let (now, then) = (
            used[stream].as_f64().unwrap(),
            recorded[stream].as_f64().unwrap(),
        );
        let drift = (now / then - 1.0) * 100.0;
        assert!(
            drift.abs() <= DRIFT,
            "the transform of {stream} uses {now} units of fuel, {drift:+.1} % against {then}; if that is meant, record it with \
             `RECORD_FUEL=1 cargo test -p cross-crate-tests --test fuel`"
        );
    }
}

/// What a map, a schema or a line of code costs in size adds up unseen.
#[test]
fn the_component_is_smaller_than_a_mebibyte() {
    let file = Source::Bundled.read(&Limits::default()).unwrap();
    assert!(file.bytes.len() < 1 << 20, "{} bytes", file.bytes.len());
}

/// A map of endpoints with so many rules more than none, of all kinds that there are.
fn map_of(rules: usize) -> Vec<u8> {
    let kinds = [
        json!({"source": "endpoint_name", "target": "N"}),
        json!({"source": "first_seen", "target": "N.at", "convert": "time"}),
        json!({"source": "mac_address[]", "target": "N[].mac"}),
        json!({"source": "allIPs", "target": "nics[].N", "align": "value", "on": "ip"}),
        json!({"source": ["endpoint_id", "domain"], "target": "same.N", "convert": {"concat": {"separator": "/"}}}),
        json!({"source": "tags.server_tags", "target": "N", "when": {"source": "os_type", "present": true}}),
        json!({"source": "users[]", "target": "people[].N", "convert": ["trim", "lower"]}),
        json!({"constant": "c", "target": "nics[].N"}),
    ];
    let numbered = kinds.iter().cycle().take(rules).enumerate();
    let numbered = numbered.map(|(at, kind)| {
        let mut rule = kind.clone();
        let target = rule["target"]
            .as_str()
            .unwrap()
            .replace('N', &format!("r{at}"));
        rule["target"] = target.into();
        rule
    });
    let first = json!({"source": "allIPs", "target": "nics[].ip", "align": "value"});
    let rules: Vec<Value> = [first].into_iter().chain(numbered).collect();
    let map = json!({
        "name": "many", "version": "1.0.0", "source": "endpoints", "target": "any",
        "asset": {"key": "endpoint_id"},
        "rules": rules,
    });
    serde_json::to_vec(&map).unwrap()
}

/// Twice as many rules cost twice as much, and a little: to prepare, and for each record.
#[tokio::test(flavor = "multi_thread")]
async fn what_rules_cost_is_in_proportion_to_their_number() {
    let rig = fixed_rig(50, 1).await;
    let mut costs = Vec::new();
    for rules in [0, 24, 48, 96, 192] {
        let entries = entries(&rig, "endpoints").await;
        let cost = cost(map_of(rules), "endpoints", entries).await;
        println!("{rules} rules: {cost:?}");
        costs.push(cost);
    }
    let none = costs.remove(0);
    for pair in costs.windows(2) {
        let [half, whole] = pair else { unreachable!() };
        for (what, half, whole, none) in [
            ("to prepare", half.prepare, whole.prepare, none.prepare),
            ("to apply", half.apply, whole.apply, none.apply),
        ] {
            let times = (whole - none) as f64 / (half - none) as f64;
            assert!(
                times < 2.2,
                "twice as many rules cost {times:.2} times as much {what}"
            );
        }
    }
}

async fn fuel_of_transform(
    map: Vec<u8>,
    stream: &str,
    entries: Vec<cortex_xdr::contract::Entry>,
) -> u64 {
    cost(map, stream, entries).await.apply
}

/// What a map costs.
#[derive(Debug, Clone, Copy)]
struct Cost {
    prepare: u64,
    /// For each entry, times 1,000.
    apply: u64,
}

async fn cost(map: Vec<u8>, stream: &str, entries: Vec<cortex_xdr::contract::Entry>) -> Cost {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let file = Source::Bundled.read(&Limits::default()).unwrap();
    let component = Component::new(&engine, &file.bytes).unwrap();
    let mut linker = Linker::new(&engine);
    Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state).unwrap();
    let pre = PluginPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
    let reach = Reach::nothing(Arc::new(Silent));
    let meter = Arc::new(Meter::new(Limits::default()));
    let mut store = Store::new(&engine, State::new(reach, meter));
    store.set_fuel(u64::MAX / 2).unwrap();
    let plugin = pre.instantiate_async(&mut store).await.unwrap();

    let count = entries.len() as u64;
    let entries: Vec<Entry> = entries
        .into_iter()
        .map(|entry| Entry {
            key: entry.key,
            fingerprint: entry.fingerprint,
            seen_at: entry.seen_at,
            partial: entry.partial,
            body: entry.body,
        })
        .collect();
    let context = MapContext {
        data_stream: stream.to_owned(),
        custom_fields: vec![],
        model: b"{}".to_vec(),
    };
    let api = plugin.connector_platform_connector();
    let before = store.get_fuel().unwrap();
    let mapper = store
        .run_concurrent(async |accessor| api.call_transform(accessor, map, context).await)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let prepare = before - store.get_fuel().unwrap();
    let before = store.get_fuel().unwrap();
    let outcomes = store
        .run_concurrent(async |accessor| api.mapper().call_apply(accessor, mapper, entries).await)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(outcomes.len() as u64, count);
    Cost {
        prepare,
        apply: (before - store.get_fuel().unwrap()) * 1_000 / count,
    }
}
