//! What the connector needs of its host, as a trait: the imports of the contract without WebAssembly.
//!
//! `component` implements it over the contract's imports; tests and benchmarks implement it over a real HTTP client or
//! over canned replies.

use crate::contract::{inventory, log, signing};
use crate::describe::Call;
use http::{HeaderMap, HeaderName, StatusCode};

pub use crate::contract::http::Failure;

/// One request to the Cortex XDR API. Where it goes follows from the call: there is no other way to name a path.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which of the declared calls.
    pub call: Call,
    /// Names and recipes for values; the host fills secrets in.
    pub headers: Vec<(HeaderName, Vec<signing::Fill>)>,
    /// The body, JSON or empty.
    pub body: Vec<u8>,
    /// Whether the host may send it again when the connection broke or the API was busy.
    pub repeatable: bool,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Response<B> {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers that the host hands on.
    pub headers: HeaderMap,
    /// The body, read at the connector's pace.
    pub body: B,
}

/// A response body, Content-Encoding undone. Dropping it ends the exchange.
#[allow(
    async_fn_in_trait,
    reason = "single-threaded by design: a component has one thread"
)]
pub trait Body {
    /// The next bytes: at least one and at most `limit`, none at the end.
    async fn read(&mut self, limit: u32) -> Result<Vec<u8>, Failure>;
}

/// What the host provides. Cheap to clone; single-threaded.
#[allow(
    async_fn_in_trait,
    reason = "single-threaded by design: a component has one thread"
)]
pub trait Platform: Clone + 'static {
    /// A response body of this platform.
    type Body: Body + 'static;

    /// One exchange, paced, signed and, where repeatable, retried by the host.
    async fn send(&self, request: Request) -> Result<Response<Self::Body>, Failure>;

    /// Milliseconds since the Unix epoch, as the host tells it.
    fn now(&self) -> u64;

    /// Waits.
    async fn sleep(&self, milliseconds: u64);

    /// Open records of a data stream that the platform holds, at most `limit`, after the key `after` in that order.
    async fn open(
        &self,
        data_stream: &str,
        order: inventory::Order,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<inventory::Held>, String>;

    /// What a person should read.
    fn log(&self, level: log::Level, message: &str, fields: &[(&str, String)]);
}
