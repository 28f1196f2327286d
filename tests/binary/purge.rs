//! All of a tenant goes, and nothing of another.

use crate::files::{files, that_hold};
use crate::killing::victim::Victim;
use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use host_runner::domain::TenantName;
use host_runner::store::Store;
use host_runner::store::commit_point::CommitPoint;
use host_runner::store::sqlite::Stores;
use serde_json::json;

async fn two_tenants() -> Runner {
    let options = Options {
        endpoints: 30,
        alerts: 30,
        ..Options::default()
    };
    let runner = Runner::new(options).await;
    for tenant in ["acme", "acme2"] {
        let config = runner.config(json!({}));
        let mut connect = vec!["connect", "xdr", "--tenant", tenant, "--config", &config];
        connect.extend(["--secret", "apiKey=env:SIMULATOR_KEY", "--allow-loopback"]);
        runner
            .run(&[&connect[..], &["--skip-test"]].concat())
            .await
            .succeeded();
        let sync = ["sync", "xdr", "--tenant", tenant, "--requests-per-second"];
        runner
            .run(&[&sync[..], &["unlimited"]].concat())
            .await
            .succeeded();
    }
    runner
}

const PURGE: [&str; 4] = ["purge", "--tenant", "acme", "--yes"];
const FINDINGS: [&str; 3] = ["findings", "--json", "--tenant"];

fn erased(data: &std::path::Path) -> bool {
    let names: Vec<String> = files(data)
        .iter()
        .map(|path| path.strip_prefix(data).unwrap().display().to_string())
        .collect();
    let left = names.iter().filter(|name| !name.contains("acme2"));
    left.filter(|name| name.contains("acme")).count() == 0 && !data.join("locks/acme").exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_one_tenant_goes_after_it_was_shown_and_nothing_of_another() {
    let runner = two_tenants().await;
    // The tenants are of one simulator, and alike: something of this one's own.
    let mark = "only-of-the-tenant-that-goes";
    let update = ["update", "xdr", "--tenant", "acme", "--description", mark];
    runner.run(&update).await.succeeded();
    let mark = [mark.to_owned()];
    assert!(!that_hold(&runner.data(), &mark).is_empty());
    let other = runner.run(&[&FINDINGS[..], &["acme2"]].concat()).await.out;

    let asked = runner.run(&PURGE[..3]).await;
    let asked = asked.failed(2, &["nothing was erased", "--yes"]);
    assert!(asked.out.contains("connection xdr: "), "{asked:?}");
    assert!(asked.out.contains("acme.db"), "{asked:?}");
    assert!(!that_hold(&runner.data(), &mark).is_empty());

    let purged = runner.run(&[&PURGE[..], &["--json"]].concat()).await;
    let purged = purged.succeeded().json();
    assert_eq!(purged["purged"], "acme");
    assert_eq!(purged["connections"][0]["name"], "xdr");
    assert!(erased(&runner.data()), "{:?}", files(&runner.data()));
    assert!(that_hold(&runner.data(), &mark).is_empty());
    let left = runner.run(&[&FINDINGS[..], &["acme2"]].concat()).await.out;
    assert_eq!(left, other);
    runner.run(&PURGE).await.failed(3, &["no tenant \"acme\""]);
    runner
        .connect_with(json!({}), &["--skip-test"])
        .await
        .succeeded();
    let fresh = runner.run(&[&FINDINGS[..], &["acme"]].concat()).await;
    assert!(fresh.succeeded().out.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_at_work_is_not_erased() {
    let runner = two_tenants().await;
    let tenant = TenantName::new("acme").unwrap();
    let store = Stores::new(runner.data()).open(&tenant).await.unwrap();
    runner.run(&PURGE).await.failed(9, &["in use by another"]);
    let connection = store.connection(&"xdr".parse().unwrap()).await.unwrap();
    let now = host_runner::domain::Clock::now(&host_runner::domain::SystemClock);
    let lock = store.lock(connection.id, now).await.unwrap();
    let held = runner.run(&PURGE).await;
    held.failed(9, &[&std::process::id().to_string()]);
    drop(lock);
    store.close().await;
    runner.run(&PURGE).await.succeeded();
    assert!(erased(&runner.data()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_cannot_be_read_can_be_erased() {
    let runner = two_tenants().await;
    let file = runner.data().join("tenants/acme.db");
    std::fs::write(&file, b"no database at all").unwrap();
    let purged = runner.run(&PURGE).await.succeeded();
    assert!(purged.out.contains("can't be told"), "{purged:?}");
    assert!(erased(&runner.data()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_is_killed_is_finished_by_the_next_command_whatever_it_is() {
    let runner = two_tenants().await;
    let base = Victim::of(&runner);
    let points = (1..=5).map(|times| (CommitPoint::PurgeFile, times));
    for (point, times) in [(CommitPoint::PurgeMarked, 1)].into_iter().chain(points) {
        for next in [
            &["connections", "--tenant", "acme2"][..],
            &["connections"][..],
            &["status", "xdr", "--tenant", "acme2"][..],
        ] {
            let victim = base.copy();
            victim.dies_at(point, times, &PURGE).await;
            let told = victim.run(next).await.succeeded();
            assert!(
                told.err.contains("all of tenant acme is erased now"),
                "{told:?}"
            );
            assert!(!told.out.contains("acme "), "{told:?}");
            assert!(erased(&victim.data()), "{point} {times}");
        }
        let victim = base.copy();
        victim.dies_at(point, times, &PURGE).await;
        let again = victim.run(&PURGE).await;
        assert_eq!(again.code, Some(3), "{again:?}");
        assert!(
            again.err.contains("all of tenant acme is erased now"),
            "{again:?}"
        );
        assert!(erased(&victim.data()), "{point} {times}");
    }
}
