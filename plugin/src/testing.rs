//! A platform for unit tests: canned answers, a clock that moves only by sleeping, and a record of what was sent.

use crate::contract::{inventory, log};
use crate::platform::{Body, Failure, Platform, Request, Response};
use futures_util::task::noop_waker;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// 2024-02-29 00:00:00 UTC, the clock's first moment.
pub const NOW: u64 = 1_709_164_800_000;

/// What the API answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// An answer with any body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, body.to_string())
    }

    /// A good answer in the API's envelope.
    pub fn reply(reply: Value) -> Answer {
        Answer::json(200, &serde_json::json!({ "reply": reply }))
    }

    /// The answer with a header more.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }
}

type Api = dyn Fn(&Request) -> Result<Answer, Failure>;

struct Inner {
    api: Box<Api>,
    now: Cell<u64>,
    requests: RefCell<Vec<Request>>,
    lines: RefCell<Vec<(log::Level, String)>>,
    held: RefCell<Vec<(String, inventory::Held)>>,
}

/// The platform.
#[derive(Clone)]
pub struct FakePlatform(Rc<Inner>);

impl FakePlatform {
    /// A platform behind which this API answers.
    pub fn new(api: impl Fn(&Request) -> Result<Answer, Failure> + 'static) -> FakePlatform {
        FakePlatform(Rc::new(Inner {
            api: Box::new(api),
            now: Cell::new(NOW),
            requests: RefCell::default(),
            lines: RefCell::default(),
            held: RefCell::default(),
        }))
    }

    /// What was sent so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests.borrow().clone()
    }

    /// What was logged so far, in order.
    pub fn lines(&self) -> Vec<(log::Level, String)> {
        self.0.lines.borrow().clone()
    }

    /// Sets the clock, in milliseconds since the epoch.
    pub fn set_now(&self, now: u64) {
        self.0.now.set(now);
    }

    /// Adds a record that the platform holds open, with a fingerprint that no record has.
    pub fn hold(&self, data_stream: &str, key: &str, checked: u64) {
        self.hold_as(data_stream, key, checked, "held");
    }

    /// The platform holds these open, and no others of the data stream.
    pub fn held_are(&self, data_stream: &str, keys: &std::collections::BTreeSet<String>) {
        self.0
            .held
            .borrow_mut()
            .retain(|(stream, _)| stream != data_stream);
        for key in keys {
            self.hold(data_stream, key, self.now());
        }
    }

    /// Adds a record that the platform holds open with this fingerprint.
    pub fn hold_as(&self, data_stream: &str, key: &str, checked: u64, fingerprint: &str) {
        let held = inventory::Held {
            key: key.to_owned(),
            checked,
            fingerprint: fingerprint.to_owned(),
        };
        self.0
            .held
            .borrow_mut()
            .push((data_stream.to_owned(), held));
    }
}

/// A body that is all there, handed out in pieces.
pub struct FakeBody(Vec<u8>);

impl Body for FakeBody {
    async fn read(&mut self, limit: u32) -> Result<Vec<u8>, Failure> {
        let end = self.0.len().min(limit as usize);
        Ok(self.0.drain(..end).collect())
    }
}

impl Platform for FakePlatform {
    type Body = FakeBody;

    async fn send(&self, request: Request) -> Result<Response<FakeBody>, Failure> {
        let answer = (self.0.api)(&request);
        self.0.requests.borrow_mut().push(request);
        answer.map(|answer| Response {
            status: StatusCode::from_u16(answer.status).unwrap(),
            headers: answer.headers,
            body: FakeBody(answer.body),
        })
    }

    fn now(&self) -> u64 {
        self.0.now.get()
    }

    async fn sleep(&self, milliseconds: u64) {
        self.0.now.set(self.0.now.get() + milliseconds);
    }

    async fn open(
        &self,
        data_stream: &str,
        order: inventory::Order,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<inventory::Held>, String> {
        let mut held: Vec<_> = self
            .0
            .held
            .borrow()
            .iter()
            .filter(|(stream, _)| stream == data_stream)
            .map(|(_, held)| held.clone())
            .collect();
        held.sort_by_key(|held| match order {
            inventory::Order::Key => (0, held.key.clone()),
            inventory::Order::OldestCheck => (held.checked, held.key.clone()),
        });
        let skip = match after {
            Some(after) => held
                .iter()
                .position(|held| held.key == after)
                .map_or(0, |at| at + 1),
            None => 0,
        };
        Ok(held.into_iter().skip(skip).take(limit as usize).collect())
    }

    fn log(&self, level: log::Level, message: &str, _fields: &[(&str, String)]) {
        self.0.lines.borrow_mut().push((level, message.to_owned()));
    }
}

/// Runs a future to its end. Nothing of the fake ever waits, so a future that does not end is a bug.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    for _ in 0..1_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("the future waits for something that never comes");
}

mod tests {
    use super::*;

    #[test]
    fn the_fake_lists_what_is_held_in_either_order_and_after_a_key() {
        let platform = FakePlatform::new(|_| Err(Failure::Timeout));
        for (key, checked) in [("b", 1), ("a", 2), ("c", 0)] {
            platform.hold("alerts", key, checked);
        }
        let keys = |order, after: Option<&str>, limit| {
            let held = platform.open("alerts", order, after.map(str::to_owned), limit);
            let held = block_on(held).unwrap();
            held.into_iter().map(|held| held.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(inventory::Order::Key, None, 2), ["a", "b"]);
        assert_eq!(keys(inventory::Order::Key, Some("a"), 9), ["b", "c"]);
        assert_eq!(
            keys(inventory::Order::OldestCheck, None, 9),
            ["c", "b", "a"]
        );
        assert!(
            block_on(platform.open("endpoints", inventory::Order::Key, None, 9))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn the_fake_keeps_what_is_logged() {
        let platform = FakePlatform::new(|_| Err(Failure::Timeout));
        platform.log(log::Level::Warn, "look", &[]);
        assert_eq!(platform.lines().len(), 1);
    }
}

/// A public sample of a reply, from the folder that may stand beside the project (`../shared/fixtures`) or that `CORTEX_FIXTURES` names.
/// None, and said so, where it is not there; a sample that can't be read is a failure.
pub fn sample(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("CORTEX_FIXTURES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!(
            "not checked against {name}: the folder with public samples is not there; CORTEX_FIXTURES names it"
        );
        return None;
    }
    Some(std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// [`sample`], read as JSON.
pub fn sample_json(name: &str) -> Option<Value> {
    let bytes = sample(name)?;
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}")))
}
