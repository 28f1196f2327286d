//! Requests under way while something else is done.
//!
//! Two rules keep a window of requests alive from one `next` to another. Each request is polled by the window alone, never by hand: its
//! waker is then the window's own, and the component's runtime need not move its event from one task to another while the
//! event is on its way (wasmtime ends the instance where that happens). And no request is dropped under way, which would cancel it at such a
//! moment: what is not wanted any more is waited for and thrown away.

use futures_util::stream::{FuturesOrdered, Stream};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A request that is under way.
pub(super) type InFlight<T> = Pin<Box<dyn Future<Output = T>>>;

/// Requests under way, answered in the order in which they were sent.
pub(super) struct Window<T> {
    requests: FuturesOrdered<InFlight<T>>,
    /// Answers that came while requests were started.
    answers: VecDeque<T>,
}

impl<T: 'static> Default for Window<T> {
    fn default() -> Window<T> {
        Window::new()
    }
}

impl<T: 'static> Window<T> {
    /// Nothing under way.
    pub fn new() -> Window<T> {
        Window {
            requests: FuturesOrdered::new(),
            answers: VecDeque::new(),
        }
    }

    /// How many requests are under way or answered and not taken.
    pub fn len(&self) -> usize {
        self.requests.len() + self.answers.len()
    }

    /// Whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a request. It sets off with the next [`Window::start`] or [`Window::next`].
    pub fn push(&mut self, request: impl Future<Output = T> + 'static) {
        self.push_boxed(Box::pin(request));
    }

    /// [`Window::push`] of a request that is in a box already.
    pub fn push_boxed(&mut self, request: InFlight<T>) {
        self.requests.push_back(request);
    }

    /// Has all requests set off, without waiting for any: a future does nothing before it is first polled.
    pub async fn start(&mut self) {
        poll_fn(|context| {
            while let Poll::Ready(Some(answer)) = self.poll_requests(context) {
                self.answers.push_back(answer);
            }
            Poll::Ready(())
        })
        .await;
    }

    /// The answer to the oldest request; none where nothing is under way.
    pub async fn next(&mut self) -> Option<T> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(answer);
        }
        poll_fn(|context| self.poll_requests(context)).await
    }

    /// Waits for all that is under way, and forgets it.
    pub async fn void(&mut self) {
        while self.next().await.is_some() {}
    }

    fn poll_requests(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.requests).poll_next(context)
    }
}
