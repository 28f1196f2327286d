//! Users' names, left out of what is kept.

use std::collections::BTreeSet;

use crate::files::{holds, that_hold};
use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;
use host_runner::domain::TenantName;
use host_runner::store::sqlite::Stores;
use host_runner::store::{RecordQuery, Store};
use serde_json::{Value, json};

async fn runner() -> Runner {
    let options = Options {
        endpoints: 60,
        alerts: 120,
        ..Options::default()
    };
    Runner::new(options).await
}

async fn connect(runner: &Runner, tenant: &str, flags: &[&str]) {
    let config = runner.config(json!({}));
    let mut arguments = vec!["connect", "xdr", "--tenant", tenant, "--config", &config];
    arguments.extend(["--secret", "apiKey=env:SIMULATOR_KEY", "--allow-loopback"]);
    // The simulated alerts name their users event by event.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin/maps");
    let map = std::fs::read_to_string(format!("{folder}/safe-alerts.json")).unwrap();
    let map = map.replace(
        "\"source\": \"user_name\"",
        "\"source\": \"events[].user_name\"",
    );
    let map = format!("alerts={}", runner.file("alerts-map.json", map));
    arguments.extend(["--map", "endpoints=safe", "--map", &map]);
    arguments.extend(["--skip-test"].iter().chain(flags));
    runner.run(&arguments).await.succeeded();
}

async fn sync(runner: &Runner, tenant: &str) -> Ended {
    let sync = [
        "sync",
        "xdr",
        "--json",
        "--requests-per-second",
        "unlimited",
    ];
    let sync = [&sync[..], &["--tenant", tenant]].concat();
    runner.run(&sync).await.succeeded()
}

/// The records that are kept, as they are kept.
async fn bodies(runner: &Runner, tenant: &str) -> Vec<Value> {
    let tenant = TenantName::new(tenant).unwrap();
    let store = Stores::new(runner.data()).open(&tenant).await.unwrap();
    let connection = store.connection(&"xdr".parse().unwrap()).await.unwrap();
    let mut bodies = Vec::new();
    for stream in connection.data_streams {
        let query = RecordQuery {
            connection: connection.id,
            stream,
            key: None,
            after: None,
            limit: 10_000,
        };
        for record in store.records(&query).await.unwrap() {
            bodies.push(serde_json::from_slice(&record.body).unwrap());
        }
    }
    store.close().await;
    bodies
}

/// The accounts in what is marked as a user's, without their domains and without those that are no person.
fn accounts(bodies: &[Value]) -> Vec<String> {
    let mut accounts = BTreeSet::new();
    for body in bodies {
        let users = body["users"].as_array().into_iter().flatten();
        let events = body["events"].as_array().into_iter().flatten();
        let named = events.map(|event| &event["user_name"]);
        for account in users.chain(named).filter_map(Value::as_str) {
            accounts.insert(account.rsplit('\\').next().unwrap().to_owned());
        }
    }
    accounts.remove("root");
    accounts.remove("");
    accounts.into_iter().collect()
}

async fn told(runner: &Runner, what: &str, tenant: &str) -> Ended {
    let told = [what, "--tenant", tenant, "--json", "--state", "all"];
    runner.run(&told).await.succeeded()
}

/// Nothing of these stands in a tenant's files, its records or what is told of it.
async fn expect_none(runner: &Runner, tenant: &str, accounts: &[String]) {
    // Opening the store may fold its log into the file, and what is left in it is to be looked at: first the files.
    let folder = runner.data().join("tenants");
    let files = that_hold(&folder, accounts);
    let of_tenant = |path: &std::path::Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&format!("{tenant}.db"))
    };
    let found: Vec<_> = files.iter().filter(|(path, _)| of_tenant(path)).collect();
    assert!(found.is_empty(), "{found:?}");
    let records = json!(bodies(runner, tenant).await).to_string();
    let mut texts = vec![("records", records)];
    for what in ["assets", "findings"] {
        texts.push((what, told(runner, what, tenant).await.out));
    }
    for what in ["quarantine", "runs"] {
        let listed = [what, "xdr", "--tenant", tenant, "--json"];
        texts.push((what, runner.run(&listed).await.succeeded().out));
    }
    for (what, text) in texts {
        let found: Vec<_> = accounts
            .iter()
            .filter(|account| holds(text.as_bytes(), account))
            .collect();
        assert!(found.is_empty(), "{found:?} in the {what}");
    }
}

/// Documents, without users and without the times at which the platform saw them.
fn documents(told: &Ended) -> BTreeSet<String> {
    let documents = told.lines().into_iter().map(|mut document| {
        let members = document.as_object_mut().unwrap();
        for differs in ["users", "firstSeen", "lastSeen"] {
            members.remove(differs);
        }
        document.to_string()
    });
    documents.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_name_is_kept_where_users_are_left_out_and_all_else_is() {
    let runner = runner().await;
    connect(&runner, "acme", &[]).await;
    connect(&runner, "beta", &["--leave-out-users"]).await;
    for tenant in ["acme", "beta"] {
        sync(&runner, tenant).await;
    }
    let accounts = accounts(&bodies(&runner, "acme").await);
    assert!(accounts.len() > 20, "{accounts:?}");
    assert!(!that_hold(&runner.data(), &accounts).is_empty());
    expect_none(&runner, "beta", &accounts).await;
    for what in ["assets", "findings"] {
        let with = documents(&told(&runner, what, "acme").await);
        let without = documents(&told(&runner, what, "beta").await);
        assert!(with.len() > 20, "{with:?}");
        assert_eq!(with, without, "{what}");
    }
    let status = runner.run(&["status", "xdr", "--tenant", "beta"]).await;
    assert!(status.succeeded().out.contains("left out"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_already_is_cleaned_at_once_and_comes_back_when_it_is_wanted_again() {
    let runner = runner().await;
    connect(&runner, "acme", &[]).await;
    sync(&runner, "acme").await;
    let accounts = accounts(&bodies(&runner, "acme").await);
    assert!(!that_hold(&runner.data(), &accounts).is_empty());
    let findings = told(&runner, "findings", "acme").await.lines().len();
    let update = ["update", "xdr", "--tenant", "acme"];
    let on = [&update[..], &["--leave-out-users"]].concat();
    runner.run(&on).await.succeeded();
    expect_none(&runner, "acme", &accounts).await;
    let synced = sync(&runner, "acme").await.json();
    for run in synced["runs"].as_array().unwrap() {
        assert_eq!(run["mode"], "full", "{run}");
    }
    expect_none(&runner, "acme", &accounts).await;
    assert_eq!(
        told(&runner, "findings", "acme").await.lines().len(),
        findings
    );

    let off = [&update[..], &["--leave-out-users=off"]].concat();
    runner.run(&off).await.succeeded();
    sync(&runner, "acme").await;
    let back = self::accounts(&bodies(&runner, "acme").await);
    assert_eq!(back, accounts);
}
