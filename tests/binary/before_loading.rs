//! What is looked into before a component is used: who signed it, and what another build of it can do that this one can't.

use crate::publisher::Publisher;
use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;
use host_runner::component::Source;
use host_runner::domain::sha256_hex;
use host_runner::engine::Limits;
use host_runner::store::Store;
use host_runner::store::sqlite::Stores;
use serde_json::{Value, json};

const NAMED: [&str; 3] = ["xdr", "--tenant", "acme"];

fn bundled() -> Vec<u8> {
    Source::Bundled
        .read(&Limits::default())
        .unwrap()
        .bytes
        .into_owned()
}

/// The bundled connector as a hostile update would change it: what read the endpoints isolates one.
fn hostile() -> Vec<u8> {
    let (from, to) = (
        b"/public_api/v1/endpoints/get_endpoint",
        b"/public_api/v1/endpoints/isolate_host",
    );
    let mut bytes = bundled();
    let at: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter_map(|(at, window)| (window == from).then_some(at))
        .collect();
    assert_eq!(at.len(), 1, "the path stands in the component once");
    bytes[at[0]..at[0] + to.len()].copy_from_slice(to);
    bytes
}

async fn connected() -> Runner {
    let runner = Runner::new(Options {
        endpoints: 5,
        alerts: 5,
        ..Options::default()
    })
    .await;
    runner
        .connect_with(json!({}), &["--skip-test"])
        .await
        .succeeded();
    runner
}

async fn upgrade(runner: &Runner, more: &[&str]) -> Ended {
    let flags = ["--upgrade", "--skip-test"];
    runner
        .run(&[&["update"][..], &NAMED, &flags, more].concat())
        .await
}

async fn bound_to(runner: &Runner) -> Value {
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    listed.lines()[0]["component"]["sha256"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_build_is_compared_and_the_exit_code_tells_whether_it_reaches_further() {
    let runner = Runner::new(Options::default()).await;
    let hostile = runner.file("hostile.wasm", hostile());
    let same = runner
        .run(&["inspect", "bundled", "--against", "bundled", "--json"])
        .await;
    let same = same.succeeded().json();
    assert_eq!(same["reachesFurther"], false);
    for direction in ["further", "less", "other"] {
        assert_eq!(same[direction], json!([]));
    }
    let further = runner
        .run(&["inspect", "bundled", "--against", &hostile, "--json"])
        .await;
    assert_eq!(further.code, Some(12), "{further:?}");
    let document = further.json();
    assert_eq!(document["reachesFurther"], true);
    assert_eq!(
        document["further"],
        json!([{
            "direction": "further",
            "aspect": "call",
            "name": "get_endpoint",
            "part": "path",
            "old": "/public_api/v1/endpoints/get_endpoint",
            "new": "/public_api/v1/endpoints/isolate_host",
        }])
    );
    assert_eq!(document["other"].as_array().unwrap().len(), 1, "{document}");
    let told = runner.run(&["inspect", "--against", &hostile]).await;
    assert_eq!(told.code, Some(12), "{told:?}");
    for text in [
        "Reaches further\n  call `get_endpoint`, path: ",
        "Reaches less\n  nothing",
        "Other differences\n  sha-256: ",
    ] {
        assert!(told.out.contains(text), "`{text}` is missing: {}", told.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_to_a_build_that_reaches_further_is_refused_unless_that_is_accepted() {
    let runner = connected().await;
    let before = bound_to(&runner).await;
    let hostile = runner.file("hostile.wasm", hostile());
    let plugin = ["--plugin", &hostile];
    upgrade(&runner, &plugin)
        .await
        .failed(12, &["reaches further", "isolate_host", "--accept-reach"]);
    assert_eq!(bound_to(&runner).await, before);
    let refused = upgrade(&runner, &[&plugin[..], &["--json"]].concat()).await;
    let error: Value = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(error["error"]["kind"], "reach");
    assert_eq!(error["error"]["further"][0]["part"], "path");

    let accepted = [&plugin[..], &["--accept-reach"]].concat();
    upgrade(&runner, &accepted).await.succeeded();
    assert_ne!(bound_to(&runner).await, before);
    // What was accepted is what the next build is compared with: back is further again, as it is another path.
    upgrade(&runner, &[]).await.failed(12, &["get_endpoint"]);
    // And the flag alone does nothing.
    let alone = [&["update"][..], &NAMED, &["--accept-reach"]].concat();
    assert_eq!(runner.run(&alone).await.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_call_is_found_against_what_was_kept_with_the_connection() {
    let runner = connected().await;
    let store = Stores::new(runner.data())
        .open(&"acme".parse().unwrap())
        .await
        .unwrap();
    // As an earlier build would have left it, which could not read alerts.
    let mut connection = store.connection(&"xdr".parse().unwrap()).await.unwrap();
    connection.component.sha256 = sha256_hex(b"an earlier build");
    let reach = connection.reach.as_mut().unwrap();
    let calls = reach["calls"].as_object_mut().unwrap();
    assert!(calls.remove("get_alerts_multi_events").is_some());
    store.update_connection(&connection, &[]).await.unwrap();
    upgrade(&runner, &[]).await.failed(
        12,
        &[
            "call `get_alerts_multi_events`: new: POST /public_api/v1/alerts/get_alerts_multi_events",
            "--accept-reach",
        ],
    );
    // Where nobody knows what the earlier build could do, nobody can compare.
    connection.reach = None;
    store.update_connection(&connection, &[]).await.unwrap();
    upgrade(&runner, &[])
        .await
        .failed(12, &["is not known", "--accept-reach"]);
    upgrade(&runner, &["--accept-reach"]).await.succeeded();
    let connection = store.connection(&"xdr".parse().unwrap()).await.unwrap();
    let kept = &connection.reach.unwrap()["calls"]["get_alerts_multi_events"];
    assert_eq!(kept["changes"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_verified_against_what_its_publisher_gave() {
    let runner = Runner::new(Options::default()).await;
    let (publisher, other) = (Publisher::new(), Publisher::new());
    let bytes = b"any file at all".to_vec();
    let file = runner.file("c.wasm", &bytes);
    let key_file = runner.file("publisher.pub", publisher.key_file());
    let right = sha256_hex(&bytes);
    let sums = runner.file("SHA256SUMS", format!("{right}  dist/c.wasm\n"));
    runner.file("c.wasm.minisig", publisher.sign(&bytes));
    for good in [
        &["--sha256", &right.to_uppercase()][..],
        &["--sums", &sums],
        &["--public-key", &publisher.key()],
        &["--public-key", &key_file, "--sha256", &right],
        &["--trusted-key", &key_file],
    ] {
        let verified = runner.run(&[&["verify", &file], good].concat()).await;
        let verified = verified.succeeded();
        assert!(verified.out.ends_with("\nverified\n"), "{verified:?}");
    }
    let told = runner
        .run(&["verify", &file, "--public-key", &key_file])
        .await;
    for text in [publisher.key().as_str(), "version 1", "a publisher"] {
        assert!(told.out.contains(text), "{told:?}");
    }

    let refused = |more: Vec<String>| {
        let runner = &runner;
        let file = &file;
        async move {
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            let ended = runner
                .run(&[&["verify", file, "--json"], &more[..]].concat())
                .await;
            assert_eq!(ended.code, Some(11), "{ended:?}");
            assert_eq!(ended.json()["verified"], false);
            ended.out
        }
    };
    let with = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    refused(with(&["--sha256", &sha256_hex(b"another")])).await;
    refused(with(&["--public-key", &other.key()])).await;
    let old_form = runner.file("old.minisig", publisher.sign_in_the_old_form(&bytes));
    let told = refused(with(&["--public-key", &key_file, "--signature", &old_form])).await;
    assert!(told.contains("sign it anew"), "{told}");
    std::fs::write(&file, b"any file at all!").unwrap();
    refused(with(&["--sums", &sums])).await;
    // One thing that is wrong is enough.
    let now = sha256_hex(b"any file at all!");
    refused(with(&["--sha256", &now, "--public-key", &key_file])).await;

    runner
        .run(&["verify", &file])
        .await
        .failed(2, &["nothing to check"]);
    runner
        .run(&["verify", "no-such-file", "--sha256", &right])
        .await
        .failed(3, &["no-such-file"]);
    let missing = runner.file("d.wasm", b"d");
    runner
        .run(&["verify", &missing, "--public-key", &key_file])
        .await
        .failed(3, &["d.wasm.minisig"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_signatures_are_a_rule_no_command_loads_a_component_without_one() {
    let runner = connected().await;
    let publisher = Publisher::new();
    let component = runner.file("c.wasm", bundled());
    let config = runner.config(json!({}));
    let rule = ["--require-signature", "--plugin", &component];
    let secret = ["--secret", "apiKey=env:SIMULATOR_KEY", "--allow-loopback"];
    let connect = ["connect", "other", "--tenant", "acme", "--config", &config];
    let commands: Vec<Vec<&str>> = vec![
        vec!["inspect"],
        vec!["demo"],
        vec!["configure", "--config", &config],
        vec!["transform", "--stream", "alerts", "--map", "safe"],
        vec!["maps", "list"],
        vec!["maps", "remove", "mine", "--tenant", "acme"],
        [&connect[..], &secret].concat(),
        [&["update"][..], &NAMED, &["--upgrade"]].concat(),
        [&["sync"][..], &NAMED].concat(),
        [&["test"][..], &NAMED].concat(),
        [&["blindspots"][..], &NAMED].concat(),
    ];
    for command in &commands {
        let ended = runner.run(&[&command[..], &rule].concat()).await;
        ended.failed(11, &["c.wasm", "it has no signature"]);
    }
    let against = ["inspect", "--against", &component, "--require-signature"];
    runner.run(&against).await.failed(11, &["c.wasm"]);

    // Signed, but by nobody who is trusted; then trusted by the data directory's own list.
    let signature = runner.file("c.wasm.minisig", publisher.sign(&bundled()));
    let inspect = [&["inspect"][..], &rule].concat();
    runner
        .run(&inspect)
        .await
        .failed(11, &["no key is trusted"]);
    let list = runner.data().join("trusted-keys");
    std::fs::write(&list, Publisher::new().key_file()).unwrap();
    runner.run(&inspect).await.failed(11, &["another key"]);
    std::fs::write(&list, publisher.key_file()).unwrap();
    let json = [&inspect[..], &["--json"]].concat();
    let shown = runner.run(&json).await.succeeded().json();
    assert_eq!(shown["signature"]["state"], "signed");
    assert_eq!(shown["signature"]["key"], publisher.key());
    for command in [&["sync"][..], &["test"]] {
        let ended = runner.run(&[command, &NAMED, &rule].concat()).await;
        ended.succeeded();
    }
    let demo = [&["demo"][..], &rule].concat();
    runner.run(&demo).await.succeeded();

    // What is no component is refused for its signature: nobody looked further. One that is named must be good without the rule, too.
    std::fs::write(&component, b"not signed").unwrap();
    runner.run(&inspect).await.failed(11, &["does not fit"]);
    let named = ["inspect", "--plugin", &component, "--signature", &signature];
    runner.run(&named).await.failed(11, &["does not fit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundled_connector_is_trusted_with_the_runner_and_the_rule_may_stand_in_the_environment()
 {
    let runner = connected().await;
    let component = runner.file("c.wasm", bundled());
    let shown = runner
        .run(&["inspect", "--require-signature", "--json"])
        .await;
    assert_eq!(shown.succeeded().json()["signature"]["state"], "bundled");
    let sync = [&["sync"][..], &NAMED, &["--require-signature"]].concat();
    runner.run(&sync).await.succeeded();
    for (value, code) in [("1", 11), ("true", 11), ("0", 0), ("false", 0)] {
        let mut command = runner.command(&["inspect", "--plugin", &component]);
        command.env("HOST_RUNNER_REQUIRE_SIGNATURE", value);
        let ended = crate::runner::ended(command).await;
        assert_eq!(ended.code, Some(code), "{value}: {ended:?}");
    }
}
