//! What a connection's requests came to: per call, for `runs show`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What one declared call came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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

    /// Adds what happened elsewhere or later, for a run that went on in several pieces.
    pub fn add(&mut self, other: &Usage) {
        for (name, call) in &other.calls {
            let sum = self.calls.entry(name.clone()).or_default();
            sum.requests += call.requests;
            sum.attempts += call.attempts;
            sum.retries += call.retries;
            sum.failures += call.failures;
            sum.refused += call.refused;
            sum.bytes_sent += call.bytes_sent;
            sum.bytes_received += call.bytes_received;
            sum.waited_ms += call.waited_ms;
            for (status, count) in &call.statuses {
                *sum.statuses.entry(*status).or_default() += count;
            }
        }
        self.secrets.extend(other.secrets.iter().cloned());
    }

    /// Bytes of bodies read.
    pub fn bytes_received(&self) -> u64 {
        self.calls.values().map(|call| call.bytes_received).sum()
    }
}

/// Where a connection's requests are counted while they happen.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    usage: Mutex<Usage>,
    held: Mutex<Held>,
}

/// How many requests are held back, and how long at least one was.
#[derive(Debug, Default)]
struct Held {
    requests: u32,
    since: Option<Instant>,
    total: Duration,
}

impl Ledger {
    pub(super) fn usage(&self) -> Usage {
        lock(&self.usage).clone()
    }

    pub(super) fn take(&self) -> Usage {
        std::mem::take(&mut *lock(&self.usage))
    }

    pub(super) fn refused(&self, call: &str) {
        self.count(call, |usage| usage.refused += 1);
    }

    pub(super) fn requested<'a>(&self, call: &str, secrets: impl IntoIterator<Item = &'a str>) {
        self.count(call, |usage| usage.requests += 1);
        lock(&self.usage)
            .secrets
            .extend(secrets.into_iter().map(str::to_owned));
    }

    pub(super) fn attempted(&self, call: &str, repeated: bool, bytes: usize) {
        self.count(call, |usage| {
            usage.attempts += 1;
            usage.retries += u64::from(repeated);
            usage.bytes_sent += bytes as u64;
        });
    }

    /// How an attempt ended: its status, or none.
    pub(super) fn ended(&self, call: &str, status: Option<u16>) {
        self.count(call, |usage| match status {
            Some(status) => *usage.statuses.entry(status).or_default() += 1,
            None => usage.failures += 1,
        });
    }

    pub(super) fn received(&self, call: &str, bytes: usize) {
        self.count(call, |usage| usage.bytes_received += bytes as u64);
    }

    fn count(&self, call: &str, change: impl FnOnce(&mut CallUsage)) {
        let mut usage = lock(&self.usage);
        match usage.calls.get_mut(call) {
            Some(call) => change(call),
            None => change(usage.calls.entry(call.to_owned()).or_default()),
        }
    }

    /// From now until the guard is dropped a request of this call is held back.
    pub(super) fn hold<'a>(&'a self, call: &'a str) -> HoldingBack<'a> {
        let mut held = lock(&self.held);
        held.requests += 1;
        if held.requests == 1 {
            held.since = Some(Instant::now());
        }
        HoldingBack {
            ledger: self,
            call,
            since: Instant::now(),
        }
    }

    /// How long at least one request was held back, up to now.
    pub(super) fn held_back(&self) -> Duration {
        let held = lock(&self.held);
        held.total + held.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Counts the time that a request is held back, also where the request is dropped meanwhile.
pub(super) struct HoldingBack<'a> {
    ledger: &'a Ledger,
    call: &'a str,
    since: Instant,
}

impl HoldingBack<'_> {
    pub(super) fn so_far(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for HoldingBack<'_> {
    fn drop(&mut self) {
        let waited = self.so_far();
        self.ledger.count(self.call, |usage| {
            usage.waited_ms += u64::try_from(waited.as_millis()).unwrap_or(u64::MAX)
        });
        let mut held = lock(&self.ledger.held);
        held.requests = held.requests.saturating_sub(1);
        if held.requests == 0
            && let Some(since) = held.since.take()
        {
            held.total += since.elapsed();
        }
    }
}

/// A thread that panicked while it counted leaves counts that are still true enough.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let ledger = Ledger::default();
        ledger.requested("list", ["apiKey"]);
        ledger.attempted("list", false, 10);
        ledger.ended("list", Some(503));
        ledger.attempted("list", true, 10);
        ledger.ended("list", None);
        ledger.received("list", 5);
        ledger.refused("");
        ledger
    }

    #[test]
    fn usage_added_to_itself_is_twice_as_much() {
        let once = ledger().usage();
        let mut twice = once.clone();
        twice.add(&once);
        let call = &twice.calls["list"];
        assert_eq!(
            (call.requests, call.attempts, call.retries, call.failures),
            (2, 4, 2, 2)
        );
        assert_eq!(
            (call.bytes_sent, call.bytes_received, call.statuses[&503]),
            (40, 10, 2)
        );
        assert_eq!(
            (
                twice.calls[""].refused,
                twice.requests(),
                twice.bytes_received()
            ),
            (2, 2, 10)
        );
        assert_eq!(twice.secrets, once.secrets);
    }

    #[test]
    fn usage_reads_back_from_json_also_where_a_later_version_left_something_out() {
        let usage = ledger().usage();
        let json = serde_json::to_string(&usage).unwrap();
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), usage);
        assert_eq!(
            serde_json::from_str::<Usage>("{}").unwrap(),
            Usage::default()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_several_requests_wait_counts_once_on_the_wall_and_for_each_in_the_sum() {
        let ledger = Ledger::default();
        let (one, other) = (ledger.hold("list"), ledger.hold("get"));
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(one);
        tokio::time::advance(Duration::from_secs(1)).await;
        // Also what has not ended yet.
        assert_eq!(ledger.held_back(), Duration::from_secs(3));
        drop(other);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(ledger.held_back(), Duration::from_secs(3));
        assert_eq!(ledger.usage().waited(), Duration::from_secs(5));
    }
}
