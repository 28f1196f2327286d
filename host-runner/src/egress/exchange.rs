//! One exchange from the judging of the request to the head of the answer.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::{EgressConfig, EgressError, Failure, IncomingBody, OutgoingRequest, Usage};

/// A connection's way out. Cheap to share (`Arc`); all its requests are paced together.
#[derive(Debug)]
pub struct Egress {
    config: EgressConfig,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Incoming {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers, without those that speak of the connection.
    pub headers: HeaderMap,
    /// The body, not yet read.
    pub body: IncomingBody,
    /// How long the host held this request back (pace and back-off).
    pub waited: Duration,
}

impl Egress {
    /// Sets a connection's way out up. Nothing is sent, no name is resolved.
    pub fn new(config: EgressConfig) -> Result<Self, EgressError> {
        Ok(Egress { config })
    }

    /// One exchange, judged, paced and, where repeatable, retried. Any status is an answer, not a failure.
    pub async fn send(&self, request: OutgoingRequest) -> Result<Incoming, Failure> {
        let _ = (request, &self.config);
        Err(Failure::Other("not built yet".to_owned()))
    }

    /// What happened so far.
    pub fn usage(&self) -> Usage {
        Usage::default()
    }

    /// What happened since the last time this was asked; for one run's account.
    pub fn take_usage(&self) -> Usage {
        Usage::default()
    }

    /// Wall time during which at least one request was held back by the host. It only grows; the difference between two
    /// moments does not count against a step's wall time.
    pub fn held_back(&self) -> Duration {
        Duration::ZERO
    }
}
