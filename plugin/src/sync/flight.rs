//! Requests under way while something else is done.

use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;

/// A request that is under way, or its answer.
pub(super) type InFlight<T> = Pin<Box<dyn Future<Output = T>>>;

/// Starts a request at once. A future does nothing before it is first polled, and a window polls a new one only when it runs out of
/// answers that came already: without this, a request would set off one step late.
pub(super) async fn started<T: 'static>(future: impl Future<Output = T> + 'static) -> InFlight<T> {
    let mut future: InFlight<T> = Box::pin(future);
    match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
        Poll::Ready(answer) => Box::pin(ready(answer)),
        Poll::Pending => future,
    }
}
