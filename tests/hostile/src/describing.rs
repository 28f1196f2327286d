//! The manifest, and what can be wrong with one.

use crate::contract::http::Method;
use crate::contract::{Call, DataStream, Manifest, OriginRule, TransformMap, clock};
use crate::order::{Attack, MARK, Order, ROOM, Verb};
use std::hint::black_box;

/// The mark that tests write an attack's name into.
static MARKED: [u8; MARK.len() + ROOM] = *b"ordered-of-describe:behave..................";

/// What `describe`, which has no configuration, is ordered to do.
pub(crate) fn ordered() -> Order {
    let name: Vec<u8> = black_box(&MARKED)
        .iter()
        .skip(MARK.len())
        .copied()
        .filter(|byte| *byte != b'.')
        .collect();
    let name = String::from_utf8_lossy(&name).into_owned();
    Order {
        attack: serde_json::from_value(name.into()).unwrap_or_default(),
        at: Verb::Describe,
        ..Order::default()
    }
}

/// The calls that it may make, all to the server of the tests.
const PATHS: [&str; 8] = [
    "/small",
    "/giant",
    "/slow",
    "/bomb",
    "/headers",
    "/redirect",
    "/silent",
    "/trickle",
];

pub(crate) fn manifest(order: &Order) -> Manifest {
    let calls = PATHS.iter().map(|path| call(path, Method::Get));
    let mut title = "Hostile".to_owned();
    let mut schema = br#"{"type": "object"}"#.to_vec();
    match order.attack {
        Attack::ManifestGiant => title = "x".repeat(40 << 20),
        Attack::ManifestDeep => schema = deep(100_000),
        Attack::ManifestDiffers => title = format!("Hostile at {}", clock::now()),
        _ => {}
    }
    Manifest {
        name: "hostile".to_owned(),
        title,
        version: "1.0.0".to_owned(),
        vendor: "Nobody".to_owned(),
        product: "Nothing".to_owned(),
        category: "Test".to_owned(),
        details: Vec::new(),
        setup: String::new(),
        config_schema: br#"{"type": "object", "properties": {"apiKey": {"type": "string", "writeOnly": true}}}"#
            .to_vec(),
        origins: vec![("api".to_owned(), vec![OriginRule::Field("/baseUrl".to_owned())])],
        calls: calls.chain([call("/echo", Method::Post)]).collect(),
        budgets: Vec::new(),
        data_streams: vec![DataStream {
            name: "things".to_owned(),
            title: "Things".to_owned(),
            schema,
            incremental: false,
        }],
        maps: vec![TransformMap {
            name: "safe".to_owned(),
            data_stream: "things".to_owned(),
            target: "safe".to_owned(),
            body: b"{}".to_vec(),
        }],
    }
}

fn call(path: &str, method: Method) -> Call {
    Call {
        name: path.to_owned(),
        origin: "api".to_owned(),
        method,
        path: path.to_owned(),
        permission: String::new(),
        licence: None,
        data_streams: vec!["things".to_owned()],
        changes: false,
    }
}

/// Lists within lists.
pub(crate) fn deep(levels: usize) -> Vec<u8> {
    let mut deep = vec![b'['; levels];
    deep.resize(2 * levels, b']');
    deep
}
