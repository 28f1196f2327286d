//! The lock of a process that was killed.

use super::tenant::{config, small};
use super::victim::{Moment, SYNC, Victim};
use crate::runner::Runner;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_a_killed_process_is_recovered_and_its_run_is_told_as_interrupted() {
    let runner = Runner::new(small(31)).await;
    runner
        .connect_with(config(), &["--skip-test"])
        .await
        .succeeded();
    let victim = Victim::of(&runner);
    let moment = Moment {
        requests: 1,
        later: Duration::ZERO,
    };
    assert!(victim.killed(moment, &SYNC).await, "it had ended before");
    let lock = victim.data().join("locks/acme/1.lock");
    assert!(lock.exists(), "the lock's file is left behind");

    let synced = victim.run(&SYNC).await.succeeded().json();
    assert_eq!(synced["runs"].as_array().unwrap().len(), 3);
    let shown = ["runs", "show", "1", "--tenant", "acme", "--json"];
    let shown = victim.run(&shown).await.succeeded().json();
    assert_eq!(shown["state"], "failed");
    assert_eq!(shown["fault"]["cause"], "interrupted");
}
