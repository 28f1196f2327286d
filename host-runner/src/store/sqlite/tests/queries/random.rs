//! Random queries over random rows find what going through all of them finds.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::super::support::*;
use super::naive::World;
use crate::domain::{Mode, Timestamp};
use crate::query::tests::arbitrary::{WORDS, asset_query, finding_query};
use crate::query::tests::now;
use crate::query::{AssetQuery, FindingQuery};
use crate::store::*;

/// Places that some field or some path of the random queries looks at.
const PATHS: [&str; 27] = [
    "tags",
    "n.m",
    "n.list",
    "deep.er.still",
    "score",
    "at",
    "custom-1 x",
    "domain",
    "operatingSystem.name",
    "operatingSystem",
    "type",
    "device.os.name",
    "networkInterfaces.ipAddress",
    "ipAddresses",
    "customFields.x",
    "customFields.y",
    "temp_q_customAttributes.serverTags",
    "temp_q_customAttributes.endPointTags",
    "sourceFirstSeen",
    "sourceSeverity",
    "externalFindingId",
    "cveId",
    "description",
    "sourceRiskScore",
    "publishedAt",
    "firstFoundOn",
    "findingType.detection.detector",
];

fn word() -> impl Strategy<Value = String> {
    select(WORDS.to_vec()).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let day = 86_400_000;
    let now = now().as_i64();
    let scalar = prop_oneof![
        4 => word().prop_map(Value::from),
        1 => (0..20_i64).prop_map(Value::from),
        1 => (0..100_i32).prop_map(|n| Value::from(f64::from(n) / 10.0)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (now - 40 * day..now).prop_map(Value::from),
        2 => (now - 40 * day..now).prop_map(|ms| Value::from(Timestamp::from_i64(ms).unwrap().to_rfc3339())),
        1 => Just(json!("now")),
        1 => Just(json!("2026-99-99T00:00:00Z")),
        1 => Just(json!({"m": "web"})),
    ];
    prop_oneof![3 => scalar.clone(), 1 => vec(scalar, 0..3).prop_map(Value::from)]
}

fn put(object: &mut Map<String, Value>, path: &str, value: Value, listed: bool) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let mut inner = Map::new();
            put(&mut inner, rest, value, false);
            let inner = if listed {
                json!([inner, 7, {rest: "web"}])
            } else {
                Value::from(inner)
            };
            object.insert(first.to_owned(), inner);
        }
    }
}

fn body() -> impl Strategy<Value = Value> {
    vec((select(PATHS.to_vec()), value(), any::<bool>()), 0..8).prop_map(|parts| {
        let mut body = Map::new();
        for (path, value, listed) in parts {
            put(&mut body, path, value, listed);
        }
        Value::from(body)
    })
}

fn pairs(names: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, String)>> {
    vec(
        (select(names.to_vec()).prop_map(str::to_owned), word()),
        0..5,
    )
}

/// A document of an asset or a finding, and what comes of it: it stays, or closes in one of two ways.
#[derive(Debug, Clone)]
struct Row {
    body: Value,
    facets: Vec<(String, String)>,
    identity: Vec<(String, String)>,
    severity: &'static str,
    asset: Option<usize>,
    placeholder: Option<(Lifecycle, &'static str, &'static str)>,
    days: u64,
    ends: Option<bool>,
    comes_back: bool,
}

fn row() -> impl Strategy<Value = Row> {
    let facets = &[
        "host-name",
        "title",
        "vendor-product",
        "onboarding-source",
        "finding-source",
        "cve",
        "detector",
    ];
    let times = select(vec![
        Lifecycle::FirstSeen,
        Lifecycle::LastSeen,
        Lifecycle::ClosedAt,
    ]);
    let table = r#"{"new": "web", "changed": 7, "closed": true, "reopened": "db"}"#;
    let placeholder = (
        prop_oneof![
            2 => (times, select(vec!["rfc3339", "epoch-ms"])),
            1 => select(vec!["", table]).prop_map(|format| (Lifecycle::State, format)),
        ],
        // Each kind's own place for a time, and places that are there or not in any document.
        select(vec!["", "", "at", "score", "tags"]),
    )
        .prop_map(|((value, format), place)| (value, format, place));
    (
        (body(), pairs(facets), pairs(&["ip", "mac", "domain"])),
        select(vec![
            "critical",
            "high",
            "medium",
            "low",
            "informational",
            "odd",
        ]),
        proptest::option::of(0..4_usize),
        proptest::option::of(placeholder),
        0..35_u64,
        proptest::option::weighted(0.3, any::<bool>()),
        any::<bool>(),
    )
        .prop_map(
            |((body, facets, identity), severity, asset, placeholder, days, ends, comes_back)| {
                Row {
                    body,
                    facets,
                    identity,
                    severity,
                    asset,
                    placeholder,
                    days,
                    ends,
                    comes_back,
                }
            },
        )
}

fn document(row: &Row, kind: DocumentKind, key: &str) -> Document {
    let place = match kind {
        DocumentKind::Asset => "firstFoundDate",
        DocumentKind::Finding => "firstFoundOn",
    };
    let mut facets = row.facets.clone();
    if kind == DocumentKind::Finding {
        facets.push(("severity".to_owned(), row.severity.to_owned()));
    }
    Document {
        kind,
        key: key.to_owned(),
        asset: row
            .asset
            .map(|at| format!("e{at}"))
            .filter(|_| kind == DocumentKind::Finding),
        identity: row.identity.clone(),
        facets,
        placeholders: row
            .placeholder
            .map(|(value, format, other)| Placeholder {
                pointer: format!("/{}", if other.is_empty() { place } else { other }),
                value,
                format: format.to_owned(),
            })
            .into_iter()
            .collect(),
        body: row.body.to_string().into_bytes(),
    }
}

async fn world(bench: &Bench, assets: &[Row], findings: &[Row]) -> World {
    let mut world = World {
        assets: Vec::new(),
        findings: Vec::new(),
        identity: HashMap::new(),
        feeding: HashMap::new(),
        stored: HashMap::new(),
        filled: HashSet::new(),
    };
    let day = 86_400_000;
    let start = now().as_ms() - 40 * day;
    for (stream, kind, letter, rows) in [
        ("endpoints", DocumentKind::Asset, 'e', assets),
        ("alerts", DocumentKind::Finding, 'a', findings),
    ] {
        let mut sync = bench.begin(stream, Mode::Full, start).await;
        let mut again = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let key = format!("{letter}{at}");
            sync.now = super::super::support::at(start + row.days * day + at as u64);
            let document = document(row, kind, &key);
            if kind == DocumentKind::Finding {
                let filled = document.placeholders.iter().map(|placeholder| {
                    let name = placeholder.pointer.trim_start_matches('/');
                    (key.clone(), name.to_owned())
                });
                world.filled.extend(filled);
            }
            if kind == DocumentKind::Asset {
                world
                    .identity
                    .insert(key.clone(), document.identity.clone());
                if let Some(source) = document.facet("finding-source") {
                    world.feeding.insert(key.clone(), source.to_owned());
                }
            }
            bench
                .put(&sync, vec![entry(&key, "1", vec![document.clone()])])
                .await;
            if let Some(out) = row.ends {
                let closing = if out {
                    Closing::OutOfScope("tags".to_owned())
                } else {
                    Closing::Resolved
                };
                bench.close(&sync, vec![closure(&key, closing)]).await;
                if row.comes_back {
                    again.push(entry(&key, "2", vec![document]));
                }
            }
        }
        sync.now = now();
        bench.put(&sync, again).await;
    }
    world.assets = bench.assets().await;
    world.findings = bench.findings().await;
    let filter = FindingFilter {
        include_closed: true,
        include_out_of_scope: true,
        include_parked: true,
        as_stored: true,
        ..FindingFilter::default()
    };
    let stored: Vec<Finding> = bench.store.findings(&filter).try_collect().await.unwrap();
    world.stored = stored
        .into_iter()
        .map(|finding| (finding.id, finding.body))
        .collect();
    world
}

async fn check(
    assets: Vec<Row>,
    findings: Vec<Row>,
    of_assets: Vec<AssetQuery>,
    of_findings: Vec<FindingQuery>,
) {
    let bench = Bench::new().await;
    let world = world(&bench, &assets, &findings).await;
    for query in of_assets {
        let wanted: Vec<i64> = world
            .assets
            .iter()
            .filter(|asset| world.asset(&query, asset))
            .map(|asset| asset.id)
            .collect();
        let text = query.to_string();
        let filter = AssetFilter {
            query: Some(query),
            include_inactive: true,
            include_out_of_scope: true,
            ..AssetFilter::default()
        };
        let found: Vec<Asset> = bench.store.assets(&filter).try_collect().await.unwrap();
        let found: Vec<i64> = found.iter().map(|asset| asset.id).collect();
        assert_eq!(found, wanted, "{text}");
    }
    for query in of_findings {
        let wanted: Vec<i64> = world
            .findings
            .iter()
            .filter(|finding| world.finding(&query, finding))
            .map(|finding| finding.id)
            .collect();
        let text = query.to_string();
        let filter = FindingFilter {
            query: Some(query),
            include_closed: true,
            include_out_of_scope: true,
            include_parked: true,
            ..FindingFilter::default()
        };
        let found: Vec<Finding> = bench.store.findings(&filter).try_collect().await.unwrap();
        let found: Vec<i64> = found.iter().map(|finding| finding.id).collect();
        assert_eq!(found, wanted, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_query_finds_what_going_through_everything_finds(
        assets in vec(row(), 1..6),
        findings in vec(row(), 0..8),
        of_assets in vec(asset_query(), 20),
        of_findings in vec(finding_query(), 20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(assets, findings, of_assets, of_findings));
    }
}
