//! A host whose API answers what it is told to.

use cortex_xdr::contract::http::Failure;
use cortex_xdr::contract::{inventory, log};
use cortex_xdr::platform::{Body, Platform, Request, Response};
use futures_util::task::noop_waker;
use http::{HeaderMap, StatusCode};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// 2024-02-29 00:00:00 UTC.
const NOW: u64 = 1_709_164_800_000;

/// How often a future may ask for more before it counts as one that never ends.
const PATIENCE: u32 = 200_000;

/// Answers to one request, or none where there is nothing more to say.
type Api = dyn FnMut(&Request) -> Option<(u16, Vec<u8>)>;

struct Inner {
    api: RefCell<Box<Api>>,
    now: Cell<u64>,
    lines: Cell<u64>,
}

/// The host.
#[derive(Clone)]
pub struct Scripted(Rc<Inner>);

impl Scripted {
    /// A host behind which this API answers.
    pub fn new(api: impl FnMut(&Request) -> Option<(u16, Vec<u8>)> + 'static) -> Self {
        Self(Rc::new(Inner {
            api: RefCell::new(Box::new(api)),
            now: Cell::new(NOW),
            lines: Cell::new(0),
        }))
    }
}

/// A body that is all there, handed out in small pieces.
pub struct Whole(Vec<u8>);

impl Body for Whole {
    async fn read(&mut self, limit: u32) -> Result<Vec<u8>, Failure> {
        let end = self.0.len().min(limit as usize).min(4_096);
        Ok(self.0.drain(..end).collect())
    }
}

impl Platform for Scripted {
    type Body = Whole;

    async fn send(&self, request: Request) -> Result<Response<Whole>, Failure> {
        let answer = (self.0.api.borrow_mut())(&request);
        let (status, body) =
            answer.ok_or_else(|| Failure::Connect("there is nothing more to say".to_owned()))?;
        Ok(Response {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            headers: HeaderMap::new(),
            body: Whole(body),
        })
    }

    fn now(&self) -> u64 {
        self.0.now.get()
    }

    async fn sleep(&self, milliseconds: u64) {
        self.0.now.set(self.0.now.get().saturating_add(milliseconds));
    }

    async fn open(
        &self,
        _: &str,
        _: inventory::Order,
        _: Option<String>,
        _: u32,
    ) -> Result<Vec<inventory::Held>, String> {
        Ok(Vec::new())
    }

    fn log(&self, _: log::Level, _: &str, _: &[(&str, String)]) {
        self.0.lines.set(self.0.lines.get() + 1);
    }
}

/// Runs a future to its end. Nothing of this host ever waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    for _ in 0..PATIENCE {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("it never ends");
}
