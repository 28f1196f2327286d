//! `keys show` and `keys rotate`, as a person types them: keys in the file, in the environment, from a command, lost, and seen by others.

use crate::runner::{Ended, Runner, ended};
use cortex_xdr_simulator::Options;
use serde_json::{Value, json};

const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const KEY: &str = "HOST_RUNNER_MASTER_KEY";
const COMMAND: &str = "HOST_RUNNER_MASTER_KEY_COMMAND";

/// Two tenants' connections, one of which has two.
pub const CONNECTIONS: [[&str; 2]; 3] = [["xdr", "acme"], ["second", "acme"], ["xdr", "other"]];

pub fn tiny() -> Options {
    Options {
        endpoints: 10,
        alerts: 10,
        ..Options::default()
    }
}

/// Connects all of them, with these variables.
pub async fn connect_all(runner: &Runner, variables: &[(&str, &str)]) {
    let config = runner.config(json!({}));
    for [name, tenant] in CONNECTIONS {
        let mut command = runner.command(&[
            "connect",
            name,
            "--tenant",
            tenant,
            "--config",
            &config,
            "--secret",
            "apiKey=env:SIMULATOR_KEY",
            "--allow-loopback",
            "--skip-test",
        ]);
        command.envs(variables.iter().copied());
        ended(command).await.succeeded();
    }
}

async fn run(runner: &Runner, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = runner.command(arguments);
    command.envs(variables.iter().copied());
    let ended = ended(command).await;
    let told = format!("{}{}", ended.out, ended.err);
    for key in [ONE, TWO, runner.simulator.api_key()] {
        assert!(!told.contains(key), "{told}");
    }
    ended
}

async fn expect_all_work(runner: &Runner, variables: &[(&str, &str)]) {
    for [name, tenant] in CONNECTIONS {
        run(runner, variables, &["test", name, "--tenant", tenant])
            .await
            .succeeded();
    }
}

async fn shown(runner: &Runner, variables: &[(&str, &str)]) -> Value {
    let shown = run(runner, variables, &["keys", "show", "--json"]).await;
    shown.succeeded().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_in_the_file_is_rotated_and_every_connection_goes_on() {
    let runner = Runner::new(tiny()).await;
    let before = shown(&runner, &[]).await;
    assert_eq!(
        (&before["source"], &before["keys"]),
        (&Value::Null, &json!([]))
    );
    connect_all(&runner, &[]).await;
    let file = runner.data().join("master.key");
    let old_text = std::fs::read_to_string(&file).unwrap();
    let before = shown(&runner, &[]).await;
    assert_eq!(before["source"], "file");
    assert_eq!(before["path"], file.to_str().unwrap());
    assert_eq!(before["fileMode"], "0600");
    assert_eq!(before["keys"][0]["connections"], 3);

    let rotated = run(&runner, &[], &["keys", "rotate", "--json"]).await;
    let rotated = rotated.succeeded().json();
    assert_eq!(rotated["retired"], json!([before["keys"][0]["id"]]));
    assert_eq!(
        (&rotated["resealed"], &rotated["tenants"]),
        (&json!(3), &json!(2))
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() == 1 && text != old_text);
    let after = shown(&runner, &[]).await;
    assert_eq!(after["keys"][0]["id"], rotated["key"]);
    expect_all_work(&runner, &[]).await;
    for told in [
        run(&runner, &[], &["keys", "show"]).await.succeeded(),
        run(&runner, &[], &["keys", "rotate"]).await.succeeded(),
    ] {
        assert!(!told.out.contains(text.trim()), "{told:?}");
        assert!(
            told.out.contains(rotated["key"].as_str().unwrap()),
            "{told:?}"
        );
    }
    expect_all_work(&runner, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_environment_are_rotated_by_giving_both_and_the_unused_one_is_named() {
    let runner = Runner::new(tiny()).await;
    let old = [(KEY, ONE)];
    connect_all(&runner, &old).await;
    run(&runner, &old, &["keys", "rotate"])
        .await
        .failed(3, &["put a new key on a line before the old one"]);
    let id = |shown: &Value| shown["keys"][0]["id"].as_str().unwrap().to_owned();
    let old_id = id(&shown(&runner, &old).await);

    let both_keys = format!("{TWO}\n{ONE}\n");
    let both = [(KEY, both_keys.as_str())];
    let before = shown(&runner, &both).await;
    assert_eq!(before["keys"][1]["secrets"], 3, "{before}");
    let rotated = run(&runner, &both, &["keys", "rotate"]).await.succeeded();
    let told = format!(
        "nothing needs {old_id} any more: take it away from the environment variable {KEY}"
    );
    assert!(rotated.out.contains(&told), "{rotated:?}");
    // The same again changes nothing and says the same.
    let again = run(&runner, &both, &["keys", "rotate", "--json"]).await;
    let again = again.succeeded().json();
    assert_eq!(again["retired"], json!([old_id]));
    assert_eq!(
        (&again["resealed"], &again["unchanged"]),
        (&json!(0), &json!(3))
    );

    // The same two from a command, and then the new one alone.
    let keys = runner.file("keys.txt", &both_keys);
    let command = format!("cat '{keys}'");
    expect_all_work(&runner, &[(COMMAND, &command)]).await;
    expect_all_work(&runner, &[(KEY, TWO)]).await;
    assert!(!runner.data().join("master.key").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_told_and_nothing_that_it_printed() {
    let runner = Runner::new(tiny()).await;
    let command = format!("echo {ONE}");
    connect_all(&runner, &[(COMMAND, &command)]).await;
    for (command, told) in [
        (format!("echo {ONE}; exit 4"), "exit status: 4"),
        (format!("echo {ONE}{TWO}"), "holds no master key"),
    ] {
        let variables = [(COMMAND, command.as_str()), ("RUST_LOG", "trace")];
        for arguments in [&["test", "xdr", "--tenant", "acme"][..], &["keys", "show"]] {
            let refused = run(&runner, &variables, arguments).await;
            refused.failed(7, &[COMMAND, told]);
        }
    }
    let variables = [(COMMAND, command.as_str()), ("RUST_LOG", "trace")];
    run(&runner, &variables, &["test", "xdr", "--tenant", "acme"])
        .await
        .succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_told_with_the_connection_and_giving_the_secret_again_mends_it() {
    let runner = Runner::new(tiny()).await;
    connect_all(&runner, &[]).await;
    let synced = runner.sync().await.succeeded().json();
    assert_eq!(synced["runs"][0]["state"], "processed");
    let assets = runner.assets().await;
    assert!(!assets.is_empty());

    std::fs::remove_file(runner.data().join("master.key")).unwrap();
    for arguments in [
        &["test", "xdr", "--tenant", "acme"][..],
        &["sync", "xdr", "--tenant", "acme"],
        // A change that needs the secret which is lost.
        &[
            "update",
            "xdr",
            "--tenant",
            "acme",
            "--config",
            &runner.config(json!({})),
        ],
    ] {
        let refused = run(&runner, &[], arguments).await;
        refused.failed(
            7,
            &[
                "connection \"xdr\" of tenant \"acme\"",
                "`apiKey`",
                "host-runner update xdr --tenant acme --secret apiKey=env:VARIABLE",
            ],
        );
    }
    let show = run(&runner, &[], &["keys", "show", "--json"]).await;
    assert_eq!(show.code, Some(7), "{show:?}");
    assert_eq!(show.json()["lost"].as_array().unwrap().len(), 3);
    let show = run(&runner, &[], &["keys", "show"]).await;
    assert!(show.out.contains("is not here"), "{show:?}");
    assert!(
        show.out.contains("host-runner update second --tenant acme"),
        "{show:?}"
    );

    let update = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
    ];
    run(&runner, &[], &update).await.succeeded();
    run(&runner, &[], &["test", "xdr", "--tenant", "acme"])
        .await
        .succeeded();
    assert_eq!(runner.assets().await, assets);
    // The others are as they were: told, and no hindrance.
    let rotated = run(&runner, &[], &["keys", "rotate", "--json"]).await;
    let rotated = rotated.succeeded().json();
    assert_eq!(rotated["lost"].as_array().unwrap().len(), 2);
    run(&runner, &[], &["test", "xdr", "--tenant", "acme"])
        .await
        .succeeded();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_or_folder_that_others_can_touch_is_refused_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let runner = Runner::new(tiny()).await;
    connect_all(&runner, &[]).await;
    let (data, file) = (runner.data(), runner.data().join("master.key"));
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let commands = [
        &["test", "xdr", "--tenant", "acme"][..],
        &["keys", "show"],
        &["keys", "rotate"],
    ];
    for arguments in commands {
        set(&file, 0o640);
        let refused = run(&runner, &[], arguments).await;
        refused.failed(7, &["mode 0640", "chmod 600", file.to_str().unwrap()]);
        set(&file, 0o600);
        set(&data, 0o775);
        let refused = run(&runner, &[], arguments).await;
        refused.failed(7, &["mode 0775", "chmod 700", data.to_str().unwrap()]);
        set(&data, 0o700);
    }
    expect_all_work(&runner, &[]).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_and_a_key_that_are_made_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let runner = Runner::new(tiny()).await;
    let data = runner.folder.path().join("fresh/data");
    let config = runner.config(json!({}));
    // Whatever the user's own mask lets others do.
    let script = "umask 000; exec \"$0\" \"$@\"";
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_host-runner")])
        .args(["connect", "xdr", "--tenant", "acme", "--config", &config])
        .args(["--secret", "apiKey=env:SIMULATOR_KEY", "--allow-loopback"])
        .arg("--data")
        .arg(&data)
        .env("SIMULATOR_KEY", runner.simulator.api_key())
        .stdin(std::process::Stdio::null());
    ended(command).await.succeeded();
    let mode =
        |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data.join("master.key")), 0o600);
    for folder in ["", "tenants", "components", "../"] {
        assert_eq!(mode(data.join(folder)), 0o700, "{folder}");
    }
}
