//! Answers that are there and wait to be told, in the order in which they came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The queue. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    waiting: Arc<Mutex<VecDeque<oneshot::Sender<()>>>>,
}

impl Turns {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues up, and waits for its turn. Dropping it leaves the queue.
    pub(super) async fn wait(&self) {
        let (turn, comes) = oneshot::channel();
        self.waiting().push_back(turn);
        if comes.await.is_err() {
            // The instance is gone, and with it whoever asked.
            std::future::pending::<()>().await;
        }
    }

    /// Lets the first one on; whether there was one.
    pub(super) fn next(&self) -> bool {
        loop {
            let Some(turn) = self.waiting().pop_front() else {
                return false;
            };
            if turn.send(()).is_ok() {
                return true;
            }
        }
    }

    /// Forgets all that waited on an instance that is gone.
    pub(super) fn clear(&self) {
        self.waiting().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Poll;

    async fn waits(future: &mut std::pin::Pin<Box<impl Future<Output = ()>>>) -> bool {
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending()))
            .await
    }

    #[tokio::test]
    async fn each_turn_lets_one_on_in_order_and_who_left_does_not_count() {
        let turns = Turns::default();
        let mut first = Box::pin(turns.wait());
        let mut second = Box::pin(turns.wait());
        let mut third = Box::pin(turns.wait());
        assert!(waits(&mut first).await && waits(&mut second).await && waits(&mut third).await);
        drop(second);
        assert!(turns.next());
        first.await;
        assert!(waits(&mut third).await);
        assert!(turns.next());
        third.await;
        assert!(!turns.next());
    }
}
