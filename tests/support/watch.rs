//! What a test does while a sync goes on.

use crate::Rig;
use host_runner::pipeline::{self, Cancel, Observer, Progress, RunReport, SyncOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    pub async fn sync_cut(&self, stream: &str, options: SyncOptions, steps: usize) -> RunReport {
        let mut job = self.job(stream, options).await;
        job.observer = stop_after(steps, job.cancel.clone());
        pipeline::sync(&job).await.expect("a run")
    }
}

/// Stops a sync after so many steps, at least one.
#[must_use]
pub fn stop_after(steps: usize, cancel: Cancel) -> Arc<dyn Observer> {
    let left = AtomicUsize::new(steps);
    Arc::new(AfterStep(move |_: &Progress| {
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            cancel.stop();
        }
    }))
}
