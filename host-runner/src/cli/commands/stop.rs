//! Ctrl-C: the first stops cleanly, the second at once.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::pipeline::Cancel;

/// Listens until it is dropped.
pub struct Listening {
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Turns the first Ctrl-C (or a request to terminate) into a clean stop, the second into the end of the process. What is committed is
/// safe in both cases.
pub fn on_signal(cancel: &Cancel, output: &Arc<Output>) -> Listening {
    let (cancel, output) = (cancel.clone(), Arc::clone(output));
    let task = tokio::spawn(async move {
        if signal().await {
            output.error_line(
                "stopping: the step under way is committed first; Ctrl-C again ends at once",
            );
            cancel.stop();
            if signal().await {
                std::process::exit(i32::from(Exit::Cancelled.code()));
            }
        }
    });
    Listening { task }
}

/// Waits for a signal; false where signals can't be listened to.
async fn signal() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
                terminated = terminate.recv() => terminated.is_some(),
            };
        }
    }
    tokio::signal::ctrl_c().await.is_ok()
}
