//! Answers handed to an instance one at a time, each when it has nothing left to do but wait: what it then does follows from the answers and their
//! order alone, not from how fast the machine is.

use crate::imports::Tap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A future that runs an instance, whose tap is told each time that the instance is idle. Without a tap it is the future itself.
pub(crate) struct Turns<F> {
    inner: Pin<Box<F>>,
    tap: Option<Arc<dyn Tap>>,
    bell: Arc<Bell>,
}

impl<F> Turns<F> {
    /// Runs `inner` turn by turn.
    pub(crate) fn new(inner: F, tap: Option<Arc<dyn Tap>>) -> Self {
        Self {
            inner: Box::pin(inner),
            tap,
            bell: Arc::default(),
        }
    }
}

impl<F: Future> Future for Turns<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let Some(tap) = &this.tap else {
            return this.inner.as_mut().poll(context);
        };
        this.bell.answered_by(context.waker());
        let waker = Waker::from(Arc::clone(&this.bell));
        let polled = this.inner.as_mut().poll(&mut Context::from_waker(&waker));
        // A guest that was only interrupted (its slice of time is over, it yields) has rung already.
        if polled.is_pending() && !this.bell.rung.load(Ordering::SeqCst) {
            tap.idle();
        }
        polled
    }
}

/// Passes a wake-up on, and remembers that there was one since the last poll began.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    fn answered_by(&self, waker: &Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
        self.rung.store(false, Ordering::SeqCst);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let waker = self
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
