//! `sync --record` and `sync --replay`, as a person types them.

use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

fn tenant() -> Options {
    Options {
        endpoints: 350,
        alerts: 250,
        seed: 3,
        ..Options::default()
    }
}

async fn connected() -> Runner {
    let runner = Runner::new(tenant()).await;
    let flags = ["--skip-test"];
    let connected = runner.connect_with(json!({}), &flags).await;
    connected.succeeded();
    runner
}

/// Syncs and records.
async fn record(runner: &Runner, file: &str, more: &[&str]) -> Ended {
    let unpaced = ["--requests-per-second", "unlimited", "--record", file];
    let sync = ["sync", "xdr", "--tenant", "acme"];
    runner.run(&[&sync[..], &unpaced, more].concat()).await
}

/// Replays where there is neither tenant nor data directory.
async fn replay(runner: &Runner, file: &str, more: &[&str]) -> Ended {
    let elsewhere = runner.folder.path().join("nowhere");
    let nowhere = ["--data", elsewhere.to_str().unwrap()];
    let replay = ["sync", "--replay", file];
    runner.run(&[&replay[..], &nowhere, more].concat()).await
}

fn path(runner: &Runner, name: &str) -> String {
    runner.folder.path().join(name).to_str().unwrap().to_owned()
}

fn ledgers(document: &Value) -> Vec<&Value> {
    let runs = document["runs"].as_array().unwrap().iter();
    runs.map(|run| &run["ledger"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_sync_is_replayed_elsewhere_and_gives_the_same_account() {
    let runner = connected().await;
    for name in ["run.ndjson", "run.ndjson.zst"] {
        let file = path(&runner, name);
        let recorded = record(&runner, &file, &["--json", "--mode", "full"]).await;
        let recorded = recorded.succeeded().json();
        assert_eq!(recorded["recording"]["file"], file);
        let replayed = replay(&runner, &file, &["--json"]).await.succeeded().json();
        assert_eq!(replayed["ending"], "same");
        assert_eq!(ledgers(&replayed), ledgers(&recorded));
        let told = replay(&runner, &file, &[]).await.succeeded();
        assert!(told.out.contains("the same, bit for bit."), "{told:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let again = record(&runner, &file, &[]).await;
        again.failed(2, &["is there already", "--force"]);
        record(&runner, &file, &["--force"]).await.succeeded();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_changed_has_an_exit_code_of_its_own_and_is_named() {
    let runner = connected().await;
    let file = path(&runner, "run.ndjson");
    record(&runner, &file, &[]).await.succeeded();
    let text = std::fs::read_to_string(&file).unwrap();
    let endpoint = &runner.simulator.tenant().endpoints()[5];
    let tampered = runner.file(
        "tampered.ndjson",
        text.replace(&endpoint.name, "somebody-else"),
    );
    let says = [
        "something else than was recorded",
        "other records",
        endpoint.id.as_str(),
    ];
    replay(&runner, &tampered, &[]).await.failed(13, &says);
    let told = replay(&runner, &tampered, &["--json"]).await;
    assert_eq!(told.code, Some(13));
    assert_eq!(told.json()["ending"], "diverged");
    let error: Value = serde_json::from_str(&told.err).unwrap();
    assert_eq!(error["error"]["kind"], "diverged");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_recording_is_refused_in_words() {
    let runner = Runner::new(tenant()).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let header =
        json!({"format": "host-runner-recording", "version": 2, "runner": "host-runner 9.9.9"});
    for (name, content, says) in [
        ("version", format!("{header}\n"), "version 2"),
        (
            "later",
            header.to_string().replace('2', "77") + "\n",
            "version 77",
        ),
        (
            "other",
            "{\"format\": \"har\", \"version\": 1}\n".to_owned(),
            "its format is",
        ),
        ("garbage", "\u{1b}[31mnothing\n".to_owned(), "no recording"),
        ("deep", deep + "\n", "no recording"),
        ("empty", String::new(), "no recording"),
        ("packed", "\u{28}\u{b5}".to_owned(), "no recording"),
    ] {
        let file = runner.file(name, content);
        replay(&runner, &file, &[]).await.failed(3, &[says]);
    }
    let nothing = path(&runner, "nothing");
    replay(&runner, &nothing, &[]).await.failed(3, &["nothing"]);
    // What belongs to a connection has no place beside a recording.
    let both = runner.run(&["sync", "xdr", "--replay", "x"]).await;
    assert_eq!(both.code, Some(2));
    let neither = runner.run(&["sync"]).await;
    assert_eq!(neither.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_killed_leaves_a_recording_that_says_that_it_is_cut_short() {
    let runner = connected().await;
    for name in ["killed.ndjson", "killed.ndjson.zst"] {
        let file = path(&runner, name);
        let mut command = runner.command(&[
            "sync",
            "xdr",
            "--tenant",
            "acme",
            "--mode",
            "full",
            "--restart",
            "--requests-per-second",
            "unlimited",
            "--record",
            &file,
        ]);
        command.env("HOST_RUNNER_KILL_AT", "step-committed:3");
        let killed = crate::runner::ended(command).await;
        assert_eq!(killed.code, None, "{killed:?}");
        let replayed = replay(&runner, &file, &["--json"]).await.succeeded().json();
        assert_eq!(replayed["ending"], "cut");
        assert!(replayed["steps"].as_u64().unwrap() >= 2, "{replayed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymised_recording_leaves_nothing_else_behind_also_where_the_process_was_killed() {
    let runner = connected().await;
    let file = path(&runner, "shared.ndjson");
    let mut command = runner.command(&[
        "sync",
        "xdr",
        "--tenant",
        "acme",
        "--mode",
        "full",
        "--requests-per-second",
        "unlimited",
        "--record",
        &file,
        "--anonymise",
    ]);
    command.env("HOST_RUNNER_KILL_AT", "step-committed:2");
    assert_eq!(crate::runner::ended(command).await.code, None);
    let plain = format!("{file}.unanonymised");
    assert!(std::path::Path::new(&plain).exists());
    assert!(!std::path::Path::new(&file).exists());

    record(&runner, &file, &["--anonymise"]).await.succeeded();
    assert!(!std::path::Path::new(&plain).exists());
    let text = std::fs::read_to_string(&file).unwrap();
    for endpoint in runner.simulator.tenant().endpoints() {
        assert!(!text.contains(&endpoint.id) && !text.contains(&endpoint.name));
    }
    replay(&runner, &file, &[]).await.succeeded();

    // The same of a recording that is there already.
    let plain = path(&runner, "plain.ndjson.zst");
    record(&runner, &plain, &["--mode", "full"])
        .await
        .succeeded();
    let anew = path(&runner, "anew.ndjson.zst");
    let more = ["--record", anew.as_str(), "--anonymise"];
    replay(&runner, &plain, &more).await.succeeded();
    let told = replay(&runner, &anew, &["--json"]).await.succeeded().json();
    assert_eq!(
        (&told["ending"], &told["recording"]["anonymised"]),
        (&json!("same"), &json!(true))
    );
    let left = std::fs::read_dir(runner.folder.path()).unwrap();
    let names: Vec<String> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".ndjson"))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
}
