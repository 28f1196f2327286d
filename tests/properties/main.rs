//! Random tenants, random faults, random schedules of full and incremental runs. While faults last, nothing is closed that was open at the
//! tenant all along; after they stop, the store equals the tenant: no loss, no duplicate, no false closing.
//!
//! Each case follows from a number. `XDR_SEED=<number>` plays one case, `XDR_CASES=<count>` that many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod case;
mod changes;
mod closings;
mod draw;
mod lane;
mod play;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many cases are played where nobody says.
const CASES: u64 = 40;

/// How many are played at once: most of a case is waiting.
const LANES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn after_faults_stop_the_store_equals_the_tenant_and_while_they_last_nothing_is_closed_falsely()
 {
    let seeds = seeds();
    let next = Arc::new(AtomicU64::new(seeds.start));
    let failed = Arc::new(Mutex::new(Vec::new()));
    let compiled = tempfile::tempdir().unwrap();
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..LANES.min(usize::try_from(seeds.end - seeds.start).unwrap()) {
        let lane = lane::Lane::new(compiled.path()).await;
        let (next, failed, end) = (Arc::clone(&next), Arc::clone(&failed), seeds.end);
        lanes.spawn(async move {
            loop {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if seed >= end {
                    return;
                }
                // In a task of its own, so that a panic in it is told with its seed too.
                let lane = lane.clone();
                let played = tokio::spawn(async move { play::case(seed, &lane).await }).await;
                let complaint = match played {
                    Ok(Ok(())) => continue,
                    Ok(Err(complaint)) => complaint,
                    Err(panicked) => panicked.to_string(),
                };
                failed.lock().unwrap().push((seed, complaint));
            }
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended.unwrap();
    }
    let failed = failed.lock().unwrap();
    for (seed, complaint) in failed.iter() {
        eprintln!(
            "{complaint}\ncase {seed} failed; play it again with\n{}\n",
            replay(*seed)
        );
    }
    let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    assert!(
        seeds.is_empty(),
        "cases {seeds:?} failed; {}",
        replay(seeds[0])
    );
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| -> Option<u64> {
        let text = std::env::var(name).ok()?;
        Some(
            text.trim()
                .parse()
                .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        )
    };
    match number("XDR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..1 + number("XDR_CASES").unwrap_or(CASES),
    }
}

fn replay(seed: u64) -> String {
    format!("XDR_SEED={seed} cargo test -p cross-crate-tests --test properties")
}
