//! The whole path, pages in and documents in SQLite; and parse and transform, native beside wasm. Ratios side by side in one run:
//!
//!     cargo bench -p cross-crate-tests

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark"
)]

use cortex_xdr::contract::{Entry, MapContext};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use cross_crate_tests::records::{entries, fixed_rig};
use cross_crate_tests::{Rig, plugin};
use host_runner::contract::connector;
use host_runner::imports::Silent;
use host_runner::model::Model;
use host_runner::pipeline::{ModeChoice, SyncOptions};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const RECORDS: usize = 5_000;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn rig(runtime: &Runtime) -> Rig {
    runtime.block_on(fixed_rig(RECORDS, RECORDS))
}

/// Pages over HTTP, parsed, transformed, committed into SQLite; beside it the same reading natively, into nothing.
fn whole_path(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("whole-path");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    for stream in ["endpoints", "alerts"] {
        // What is read is less than what there is: statuses and sources narrow it.
        let read = {
            let rig = rig(&runtime);
            runtime.block_on(rig.sync(stream)).ledger.read
        };
        group.throughput(Throughput::Elements(read));
        group.bench_function(BenchmarkId::new("component-into-sqlite", stream), |bench| {
            // A store of its own for each run: all records are new.
            bench.iter_batched(
                || rig(&runtime),
                |rig| {
                    let options = SyncOptions {
                        mode: ModeChoice::Full,
                        ..SyncOptions::default()
                    };
                    let report = runtime.block_on(rig.sync_with(stream, options));
                    assert!(report.fault.is_none(), "{:?}", report.fault);
                    rig
                },
                BatchSize::PerIteration,
            );
        });
        let rig = rig(&runtime);
        group.bench_function(BenchmarkId::new("native-into-nothing", stream), |bench| {
            bench.iter(|| runtime.block_on(entries(&rig, stream)).len());
        });
    }
    group.finish();
}

/// One batch of records through the map: the same code natively and as the component, limits on.
fn transform(criterion: &mut Criterion) {
    let runtime = runtime();
    let rig = rig(&runtime);
    let mut group = criterion.benchmark_group("transform");
    for stream in ["endpoints", "alerts"] {
        let mut batch = runtime.block_on(entries(&rig, stream));
        batch.truncate(100);
        let map = rig
            .connection
            .maps
            .iter()
            .find(|(name, _)| name.as_str() == stream)
            .unwrap()
            .1;
        let model = Model::by_name(&rig.connection.target)
            .unwrap()
            .schema_bytes();
        group.throughput(Throughput::Elements(batch.len() as u64));

        let context = MapContext {
            data_stream: stream.to_owned(),
            custom_fields: vec![],
            model: model.clone(),
        };
        let native = cortex_xdr::transform::prepare(map.body.as_bytes(), &context).unwrap();
        group.bench_function(BenchmarkId::new("native", stream), |bench| {
            bench.iter_batched(
                || copies(&batch),
                |batch| native.apply(batch),
                BatchSize::SmallInput,
            );
        });

        let context = connector::MapContext {
            data_stream: stream.to_owned(),
            custom_fields: vec![],
            model,
        };
        let component = runtime
            .block_on(async {
                plugin()
                    .await
                    .mapper(map.body.clone().into_bytes(), context, Arc::new(Silent))
                    .await
            })
            .unwrap()
            .unwrap();
        group.bench_function(BenchmarkId::new("component", stream), |bench| {
            bench.iter_batched(
                || handed(&batch),
                |batch| runtime.block_on(component.apply(batch)).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// What rules cost by their number: the same records through maps of more and more rules, natively and as the component, and both as ratios.
fn rules(criterion: &mut Criterion) {
    const RULES: [usize; 4] = [10, 20, 40, 80];
    let runtime = runtime();
    let rig = rig(&runtime);
    let mut batch = runtime.block_on(entries(&rig, "endpoints"));
    batch.truncate(100);
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(batch.len() as u64));
    let mut table = Vec::new();
    for rules in RULES {
        let map = map_of(rules);
        let context = MapContext {
            data_stream: "endpoints".to_owned(),
            custom_fields: vec![],
            model: b"{}".to_vec(),
        };
        let native = cortex_xdr::transform::prepare(&map, &context).unwrap();
        let context = connector::MapContext {
            data_stream: "endpoints".to_owned(),
            custom_fields: vec![],
            model: b"{}".to_vec(),
        };
        let component = runtime
            .block_on(async { plugin().await.mapper(map, context, Arc::new(Silent)).await })
            .unwrap()
            .unwrap();
        group.bench_function(BenchmarkId::new("native", rules), |bench| {
            bench.iter_batched(
                || copies(&batch),
                |batch| native.apply(batch),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("component", rules), |bench| {
            bench.iter_batched(
                || handed(&batch),
                |batch| runtime.block_on(component.apply(batch)).unwrap(),
                BatchSize::SmallInput,
            );
        });
        let records = batch.len() as f64;
        let natively = fastest(|| copies(&batch), |batch| native.apply(batch)) / records;
        let contained = fastest(
            || handed(&batch),
            |batch| runtime.block_on(component.apply(batch)).unwrap(),
        ) / records;
        table.push((rules, natively, contained));
    }
    group.finish();
    println!("rules  native µs/record  per rule  component µs/record  per rule  component/native");
    for (rules, native, component) in table {
        let each = |time: f64| time / rules as f64;
        println!(
            "{rules:>5}  {native:>16.2}  {:>8.3}  {component:>19.2}  {:>8.3}  {:>16.2}",
            each(native),
            each(component),
            component / native
        );
    }
}

/// The least time that a call takes, in microseconds: what disturbs it only makes it longer.
fn fastest<I, R>(mut input: impl FnMut() -> I, mut call: impl FnMut(I) -> R) -> f64 {
    let times = (0..50).map(|_| {
        let input = input();
        let start = Instant::now();
        std::hint::black_box(call(input));
        start.elapsed().as_secs_f64() * 1e6
    });
    times.fold(f64::INFINITY, f64::min)
}

/// A map of endpoints with so many rules, of the kinds that the bundled ones are made of.
fn map_of(rules: usize) -> Vec<u8> {
    let kinds = [
        json!({"source": "endpoint_name", "target": "N"}),
        json!({"source": "first_seen", "target": "N.at", "convert": "time"}),
        json!({"source": "mac_address[]", "target": "N[].mac"}),
        json!({"source": "tags.server_tags", "target": "N", "when": {"source": "os_type", "present": true}}),
        json!({"source": "os_version", "target": "same.N", "convert": ["trim", "lower"]}),
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
    let rules: Vec<Value> = numbered.collect();
    let map = json!({
        "name": "many", "version": "1.0.0", "source": "endpoints", "target": "any",
        "asset": {"key": "endpoint_id"},
        "rules": rules,
    });
    serde_json::to_vec(&map).unwrap()
}

fn copies(batch: &[Entry]) -> Vec<Entry> {
    batch
        .iter()
        .map(|entry| Entry {
            key: entry.key.clone(),
            fingerprint: entry.fingerprint.clone(),
            seen_at: entry.seen_at,
            partial: entry.partial,
            body: entry.body.clone(),
        })
        .collect()
}

fn handed(batch: &[Entry]) -> Vec<connector::Entry> {
    batch
        .iter()
        .map(|entry| connector::Entry {
            key: entry.key.clone(),
            fingerprint: entry.fingerprint.clone(),
            seen_at: entry.seen_at,
            partial: entry.partial,
            body: entry.body.clone(),
        })
        .collect()
}

criterion_group!(benches, whole_path, transform, rules);
criterion_main!(benches);
