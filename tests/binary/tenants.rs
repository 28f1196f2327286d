//! Tenants with odd names, and tenants whose files can't be used, beside one that is sound.

use crate::files::files;
use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;
use host_runner::domain::TenantName;
use host_runner::store::Store;
use host_runner::store::sqlite::Stores;
use serde_json::{Value, json};

async fn runner(endpoints: usize) -> Runner {
    let options = Options {
        endpoints,
        alerts: 20,
        ..Options::default()
    };
    Runner::new(options).await
}

async fn connect(runner: &Runner, tenant: &str, config: Value) -> Ended {
    let config = runner.config(config);
    let mut arguments = vec!["connect", "xdr", "--tenant", tenant, "--config", &config];
    arguments.extend(["--secret", "apiKey=env:SIMULATOR_KEY", "--allow-loopback"]);
    arguments.push("--skip-test");
    runner.run(&arguments).await
}

const SYNC_ALL: [&str; 5] = [
    "sync",
    "--all",
    "--json",
    "--requests-per-second",
    "unlimited",
];

fn error(ended: &Ended) -> Value {
    serde_json::from_str(ended.err.lines().last().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_a_path_trick_names_nobody_and_makes_no_file() {
    let runner = runner(5).await;
    let before = files(runner.folder.path());
    let long = "a".repeat(64);
    for name in [
        "..",
        "../acme",
        "a/b",
        "a\\b",
        "/etc/passwd",
        ".hidden",
        "acme.",
        "acme%2f..",
        "CON",
        "nul",
        "com1.x",
        "Acme",
        "\u{430}cme",
        "acme\u{200b}",
        "",
        &long,
    ] {
        let connected = connect(&runner, name, json!({})).await;
        assert_eq!(connected.code, Some(2), "{name:?}: {connected:?}");
        for command in [
            &["purge", "--yes"][..],
            &["connections"],
            &["findings"],
            &["sync", "xdr"],
            &["status", "xdr"],
        ] {
            let ended = runner.run(&[command, &["--tenant", name]].concat()).await;
            assert_eq!(ended.code, Some(2), "{name:?} {command:?}: {ended:?}");
        }
    }
    let config = runner.folder.path().join("config.json");
    let after = files(runner.folder.path());
    let new: Vec<_> = after.iter().filter(|path| !before.contains(path)).collect();
    assert_eq!(new, [&config]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_whose_files_cannot_be_used_keep_no_other_from_being_listed_synced_or_shown() {
    let runner = runner(20).await;
    for tenant in ["acme", "zulu"] {
        connect(&runner, tenant, json!({})).await.succeeded();
    }
    let tenants = runner.data().join("tenants");
    std::fs::write(tenants.join("broken.db"), b"no database").unwrap();
    std::fs::create_dir(tenants.join("folder.db")).unwrap();
    let mut torn = std::fs::read(tenants.join("acme.db")).unwrap();
    torn.truncate(50);
    std::fs::write(tenants.join("torn.db"), torn).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(tenants.join("acme.db"), tenants.join("link.db")).unwrap();

    let listed = runner.run(&["connections", "--json"]).await;
    assert_eq!(listed.code, Some(7), "{listed:?}");
    let lines = listed.lines();
    let sound: Vec<&str> = lines
        .iter()
        .map(|line| line["tenant"].as_str().unwrap())
        .collect();
    assert_eq!(sound, ["acme", "zulu"]);
    let told = error(&listed).to_string();
    for name in ["broken.db", "folder.db", "torn.db"] {
        assert!(told.contains(name), "{told}");
    }

    let synced = runner.run(&SYNC_ALL).await;
    assert_eq!(synced.code, Some(7), "{synced:?}");
    let document = synced.json();
    for each in document["connections"].as_array().unwrap() {
        let sound = ["acme", "zulu"].contains(&each["tenant"].as_str().unwrap());
        assert_eq!(each["error"].is_null(), sound, "{each}");
        assert_eq!(
            each["runs"].as_array().unwrap().len(),
            if sound { 2 } else { 0 }
        );
    }
    for tenant in ["acme", "zulu"] {
        let status = runner
            .run(&["status", "xdr", "--tenant", tenant, "--json"])
            .await;
        assert_eq!(status.succeeded().json()["state"], "processed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_another_process_writes_to_keeps_no_other_waiting() {
    let runner = runner(20).await;
    for tenant in ["acme", "beta"] {
        connect(&runner, tenant, json!({})).await.succeeded();
    }
    let tenant = TenantName::new("beta").unwrap();
    let store = Stores::new(runner.data()).open(&tenant).await.unwrap();
    let connection = store.connection(&"xdr".parse().unwrap()).await.unwrap();
    let now = host_runner::domain::Clock::now(&host_runner::domain::SystemClock);
    let lock = store.lock(connection.id, now).await.unwrap();
    let listed = runner.run(&["connections", "--json"]).await.succeeded();
    assert_eq!(listed.lines().len(), 2);
    let synced = runner.run(&SYNC_ALL).await;
    assert_eq!(synced.code, Some(9), "{synced:?}");
    let document = synced.json();
    assert!(document["connections"][0]["error"].is_null(), "{document}");
    assert_eq!(document["connections"][1]["error"]["kind"], "busy");
    drop(lock);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_room_and_one_that_is_set_aside_keep_no_other_from_being_synced() {
    let runner = runner(1_500).await;
    connect(&runner, "large", json!({})).await.succeeded();
    let none = json!({"tags": ["borne-by-none"], "dataStreams": ["endpoints"]});
    connect(&runner, "small", none).await.succeeded();
    // Two MiB for any one file.
    let synced = runner.run_with_little_room(4_096, &SYNC_ALL).await;
    assert_eq!(synced.code, Some(7), "{synced:?}");
    let document = synced.json();
    assert_eq!(
        document["connections"][0]["error"]["kind"], "store",
        "{document}"
    );
    assert!(document["connections"][1]["error"].is_null(), "{document}");

    let breaks = ["sync", "xdr", "--tenant", "large", "--stream", "alerts"];
    let breaks = [&breaks[..], &["--limit-step-records", "1"]].concat();
    for _ in 0..3 {
        assert_eq!(runner.run(&breaks).await.code, Some(6));
    }
    let synced = runner.run(&SYNC_ALL).await;
    assert_eq!(synced.code, Some(10), "{synced:?}");
    let document = synced.json();
    assert_eq!(document["connections"][0]["error"]["kind"], "set-aside");
    assert!(document["connections"][1]["error"].is_null(), "{document}");
    let text = runner.run(&["sync", "--all"]).await;
    let text = text.failed(
        10,
        &["1 of 2 connections", "xdr of tenant large", "set aside"],
    );
    assert!(text.out.contains("endpoints of xdr"), "{text:?}");
}
