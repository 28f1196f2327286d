//! What a connection's requests came to: per call, for `runs show`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

/// What one declared call came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallUsage {
    /// Requests that the connector made.
    pub requests: u64,
    /// Times that something was sent, repetitions included.
    pub attempts: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// How often each HTTP status was answered, repeated attempts included.
    pub statuses: BTreeMap<u16, u64>,
    /// Attempts that ended without a status.
    pub failures: u64,
    /// Requests that the policy or a limit refused. Nothing was sent.
    pub refused: u64,
    /// Bytes of bodies sent.
    pub bytes_sent: u64,
    /// Bytes of bodies read, Content-Encoding undone.
    pub bytes_received: u64,
    /// Milliseconds that its requests were held back by the host (pace and back-off), added up.
    pub waited_ms: u64,
}

/// What a connection's requests came to since the last [`Usage`] was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// By the call's name. Requests that no declared call covers are under "".
    pub calls: BTreeMap<String, CallUsage>,
    /// Names of the secrets that were used.
    pub secrets: BTreeSet<String>,
}

impl Usage {
    /// Requests over all calls, refused ones not counted.
    pub fn requests(&self) -> u64 {
        self.calls.values().map(|call| call.requests).sum()
    }

    /// Time that requests were held back, added up.
    pub fn waited(&self) -> Duration {
        Duration::from_millis(self.calls.values().map(|call| call.waited_ms).sum())
    }

    /// Bytes of bodies read.
    pub fn bytes_received(&self) -> u64 {
        self.calls.values().map(|call| call.bytes_received).sum()
    }
}
