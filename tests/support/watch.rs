//! What a test does while a sync goes on.

use crate::Rig;
use host_runner::pipeline::{self, Cancel, Observer, Progress, RunReport, SyncOptions};
use std::sync::Arc;

/// Is called after each step that was committed.
struct AfterStep<F>(F);

impl<F: Fn(&Progress) + Send + Sync> Observer for AfterStep<F> {
    fn step(&self, progress: &Progress) {
        (self.0)(progress);
    }
}

impl Rig {
    /// Syncs one data stream and calls `after` after each committed step; what it is handed stops the sync.
    ///
    /// # Panics
    /// Where no run could be begun.
    pub async fn sync_watched(
        &self,
        stream: &str,
        options: SyncOptions,
        after: impl Fn(&Progress, &Cancel) + Send + Sync + 'static,
    ) -> RunReport {
        let mut job = self.job(stream, options).await;
        let cancel = job.cancel.clone();
        job.observer = Arc::new(AfterStep(move |progress: &Progress| {
            after(progress, &cancel);
        }));
        pipeline::sync(&job).await.expect("a run")
    }

    /// Syncs one data stream and stops it after so many steps, if it takes that many.
    ///
    /// # Panics
    /// Where no run could be begun.
    pub async fn sync_cut(&self, stream: &str, options: SyncOptions, steps: u32) -> RunReport {
        let left = std::sync::atomic::AtomicU32::new(steps);
        self.sync_watched(stream, options, move |_, cancel| {
            if left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
                cancel.stop();
            }
        })
        .await
    }
}
