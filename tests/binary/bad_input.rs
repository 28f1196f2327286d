//! Bad input of every kind ends in one clear message, the right exit code and no lost data.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};
use std::net::TcpListener;

/// How each component begins.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

async fn tenant(endpoints: usize) -> Runner {
    Runner::new(Options {
        endpoints,
        alerts: 0,
        ..Options::default()
    })
    .await
}

/// A component that imports an empty instance of this name, and exports nothing.
fn importing(name: &str) -> Vec<u8> {
    let mut import = vec![1, 0, u8::try_from(name.len()).unwrap()];
    import.extend(name.as_bytes());
    import.extend([5, 0]);
    let mut bytes = COMPONENT.to_vec();
    bytes.extend([7, 3, 1, 0x42, 0]);
    bytes.extend([10, u8::try_from(import.len()).unwrap()]);
    bytes.extend(import);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_connector_is_refused_with_what_is_wrong_with_it() {
    let runner = tenant(1).await;
    let cases: [(&str, Vec<u8>, &str); 5] = [
        (
            "text.wasm",
            b"hello".to_vec(),
            "not a WebAssembly component",
        ),
        ("empty.wasm", Vec::new(), "the file is empty"),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec(), "core module"),
        (
            "no-export.wasm",
            COMPONENT.to_vec(),
            "connector:platform/connector",
        ),
        (
            "wasi.wasm",
            importing("wasi:cli/environment@0.2.0"),
            "wasi:cli/environment",
        ),
    ];
    for (name, bytes, says) in cases {
        let path = runner.file(name, bytes);
        let inspected = runner.run(&["inspect", "--plugin", &path]).await;
        inspected.failed(6, &[name, says]);
    }
    let missing = runner.run(&["inspect", "--plugin", "no-such.wasm"]).await;
    missing.failed(3, &["no-such.wasm", "--plugin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_one_json_object_where_json_is_asked_for() {
    let runner = tenant(1).await;
    let missing = runner
        .run(&["assets", "--tenant", "nobody", "--json"])
        .await;
    assert_eq!(missing.code, Some(3));
    let told: Value = serde_json::from_str(&missing.err).unwrap();
    assert_eq!(told["error"]["exitCode"], 3);
    assert_eq!(told["error"]["kind"], "input");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_cannot_be_used_or_is_of_a_later_version_is_left_as_it_is() {
    let runner = tenant(5).await;
    let file = runner.file("no-folder", "");
    let on_a_file = runner
        .run(&["status", "xdr", "--tenant", "acme", "--data", &file])
        .await;
    on_a_file.failed(7, &["no-folder"]);

    runner.connect(json!({})).await.succeeded();
    let database = runner.data().join("tenants/acme.db");
    let address = format!("sqlite://{}", database.display());
    let opened = sqlx::SqlitePool::connect(&address).await.unwrap();
    sqlx::query("PRAGMA user_version = 99")
        .execute(&opened)
        .await
        .unwrap();
    opened.close().await;
    let bytes = std::fs::read(&database).unwrap();
    let later = runner.run(&["status", "xdr", "--tenant", "acme"]).await;
    later.failed(7, &["later version", "99"]);
    assert_eq!(std::fs::read(&database).unwrap(), bytes);

    for ending in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(database.with_extension(ending));
    }
    std::fs::write(&database, "these are notes").unwrap();
    let foreign = runner.run(&["status", "xdr", "--tenant", "acme"]).await;
    foreign.failed(7, &["holds no data of host-runner"]);
    assert_eq!(std::fs::read(&database).unwrap(), b"these are notes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_with_problems_is_told_all_of_them_at_once() {
    let runner = tenant(1).await;
    let no_json = runner.file("no.json", "{baseUrl: 1");
    let read = runner.run(&["configure", "--config", &no_json]).await;
    read.failed(3, &["isn't JSON", "line 1"]);
    let odd = runner.file(
        "odd.json",
        r#"{"baseUrl": "https://<fqdn>", "apikeyId": 1, "tagz": []}"#,
    );
    let read = runner.run(&["configure", "--config", &odd, "--json"]).await;
    assert_eq!(read.code, Some(3));
    let told: Value = serde_json::from_str(&read.err).unwrap();
    let pointers: Vec<&str> = told["error"]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/baseUrl", "/apiKeyId", "/apikeyId", "/tagz", "/apiKey"] {
        assert!(pointers.contains(&pointer), "{pointer} of {pointers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_with_an_unknown_field_is_refused_and_nothing_is_saved() {
    let runner = tenant(1).await;
    let map = json!({"name": "mine", "version": "1.0.0", "target": "safe", "bogus": true});
    let map = runner.file("mine.json", map.to_string());
    let map = format!("endpoints={map}");
    let connected = runner.connect_with(json!({}), &["--map", &map]).await;
    connected.failed(3, &["bogus"]);
    let connected = runner
        .connect_with(json!({}), &["--map", "endpoints=no-such.json"])
        .await;
    connected.failed(3, &["no-such.json", "can't be read"]);
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    assert!(listed.out.is_empty(), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let runner = tenant(1).await;
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let simulated = runner.run(&["simulate", "--listen", &address]).await;
    simulated.failed(3, &[&address, "in use"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_that_was_committed() {
    let runner = tenant(1_500).await;
    let config = json!({"dataStreams": ["endpoints"]});
    runner.connect(config).await.succeeded();
    let sync = [
        "sync",
        "xdr",
        "--tenant",
        "acme",
        "--requests-per-second",
        "unlimited",
    ];
    let full = runner.run_with_little_room(3_000, &sync).await;
    full.failed(7, &["acme.db", "committed"]);
    let kept = runner.assets().await.len();
    let resumed = runner.sync().await.succeeded().json();
    assert_eq!(resumed["runs"][0]["resumed"], kept > 0);
    let in_scope = runner.simulator.tenant().endpoints();
    let in_scope = in_scope
        .iter()
        .filter(|endpoint| endpoint.status != "UNINSTALLED")
        .count();
    assert!(kept < in_scope, "the limit was never reached");
    assert_eq!(runner.assets().await.len(), in_scope);
}
