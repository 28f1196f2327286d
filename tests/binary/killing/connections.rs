//! Killed while a connection is saved, changed or removed: it is there whole, as it was or as it should be, or not at all.

use super::state::State;
use super::tenant::{config, small};
use super::victim::{SYNC, Victim};
use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use host_runner::store::commit_point::CommitPoint;
use serde_json::{Value, json};

async fn tiny() -> Runner {
    let options = Options {
        endpoints: 30,
        alerts: 60,
        ..small(21)
    };
    Runner::new(options).await
}

async fn listed(victim: &Victim<'_>) -> Vec<Value> {
    let listed = victim.run(&["connections", "--json"]).await;
    listed.succeeded().lines()
}

const TEST: [&str; 4] = ["test", "xdr", "--tenant", "acme"];

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_never_there_without_its_secret() {
    let runner = tiny().await;
    let config = runner.config(config());
    let connect = [
        "connect",
        "xdr",
        "--tenant",
        "acme",
        "--config",
        &config,
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
        "--allow-loopback",
        "--skip-test",
    ];
    for point in [CommitPoint::ConnectionRow, CommitPoint::ConnectionSecrets] {
        let victim = Victim::new(&runner);
        victim.dies_at(point, 1, &connect).await;
        assert!(listed(&victim).await.is_empty(), "{point}");
        victim.run(&connect).await.succeeded();
        victim.run(&TEST).await.succeeded();
    }
    let victim = Victim::new(&runner);
    victim
        .dies_at(CommitPoint::ConnectionCommitted, 1, &connect)
        .await;
    assert_eq!(listed(&victim).await[0]["secrets"], json!(["apiKey"]));
    victim.run(&TEST).await.succeeded();
    victim.run(&connect).await.failed(3, &["xdr"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_configuration_and_secret_together() {
    let runner = tiny().await;
    runner
        .connect_with(config(), &["--skip-test"])
        .await
        .succeeded();
    let before = Victim::of(&runner);
    let tagged = runner.config(json!({"tags": ["another"]}));
    let wrong = runner.file("wrong.txt", "test-key");
    let wrong = format!("apiKey=file:{wrong}");
    let update = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--config",
        &tagged,
        "--secret",
        &wrong,
        "--skip-test",
    ];
    for (point, changed) in [
        (CommitPoint::ConnectionRow, false),
        (CommitPoint::ConnectionSecrets, false),
        (CommitPoint::ConnectionCommitted, true),
    ] {
        let victim = before.copy();
        victim.dies_at(point, 1, &update).await;
        let connection = victim.held().await.connection;
        let tags = if changed {
            json!(["another"])
        } else {
            json!([])
        };
        assert_eq!(connection.config["tags"], tags, "{point}");
        let tested = victim.run(&TEST).await;
        assert_eq!(
            tested.code,
            Some(if changed { 4 } else { 0 }),
            "{point}: {tested:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_removed_with_all_that_goes_with_it_or_not_at_all() {
    let runner = tiny().await;
    runner
        .connect_with(config(), &["--skip-test"])
        .await
        .succeeded();
    runner.run(&SYNC).await.succeeded();
    let base = Victim::of(&runner);
    let before = State::of(&base.held().await).await;
    let keep = ["disconnect", "xdr", "--tenant", "acme"];
    let purge = [&keep[..], &["--purge"]].concat();
    for (command, tables) in [(&keep[..], vec![1, 2, 4]), (&purge[..], vec![1, 5, 8, 13])] {
        for table in tables {
            let victim = base.copy();
            victim
                .dies_at(CommitPoint::RemovalTable, table, command)
                .await;
            let told = State::of(&victim.held().await).await.differences(&before);
            assert!(told.is_empty(), "{command:?}, table {table}: {told:#?}");
            victim.run(&TEST).await.succeeded();
        }
        let victim = base.copy();
        victim
            .dies_at(CommitPoint::RemovalCommitted, 1, command)
            .await;
        assert!(listed(&victim).await.is_empty(), "{command:?}");
    }
}
