//! Stopping a sync from outside, between two steps.

use std::sync::Arc;
use tokio::sync::watch;

/// Says stop, once and for all. Clones share it.
#[derive(Debug, Clone)]
pub struct Cancel {
    sender: Arc<watch::Sender<bool>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self {
            sender: Arc::new(watch::Sender::new(false)),
        }
    }
}

impl Cancel {
    /// Not stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops whatever looks here: what is being committed is committed, nothing is begun anew.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }

    /// Whether someone said stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until someone says stop.
    pub async fn stopped(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so the channel can't close meanwhile.
        let _ = receiver.wait_for(|stopped| *stopped).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_before_the_wait_is_not_missed() {
        let cancel = Cancel::new();
        let twin = cancel.clone();
        twin.stop();
        cancel.stopped().await;
        assert!(cancel.is_stopped());
    }
}
