//! The requests that the simulator has seen: counts for ever, details of the last few thousand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use tokio::sync::Notify;

/// How many requests are remembered one by one.
pub const REMEMBERED: usize = 10_000;

/// How many distinct paths are counted apart; the rest share the entry [`OTHER_PATHS`].
pub const COUNTED_PATHS: usize = 256;

/// The name under which paths are counted once there are too many of them.
pub const OTHER_PATHS: &str = "(other paths)";

/// One request and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// When it was answered, in epoch milliseconds of the machine's clock.
    pub at_ms: u64,
    /// The number of the TCP connection that it came by, from 1.
    pub connection: u64,
    /// Method, for example `POST`.
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// Status of the reply; 0 when the connection was reset before it.
    pub status: u16,
    /// Bytes of the request's body.
    pub request_bytes: usize,
    /// Bytes of the reply's body as sent (0 for a stream, whose length is not known beforehand).
    pub reply_bytes: usize,
}

/// Counts for one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathCount {
    /// Requests seen.
    pub requests: u64,
    /// Replies by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Bytes of all reply bodies.
    pub reply_bytes: u64,
}

#[derive(Debug, Default)]
struct Entries {
    connections: u64,
    total: u64,
    counts: BTreeMap<String, PathCount>,
    last: VecDeque<SeenRequest>,
    proofs: BTreeSet<String>,
}

/// A handle to the log of a running simulator. Clones share the log.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    entries: Arc<Mutex<Entries>>,
    seen: Arc<Notify>,
}

impl RequestLog {
    /// Number of requests since the start (or the last [`RequestLog::clear`]).
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    /// Number of TCP connections since the start, whether or not a request came by them (or a handshake was made).
    pub fn connections(&self) -> u64 {
        self.lock().connections
    }

    /// Counts per path, without a trailing slash.
    pub fn counts(&self) -> BTreeMap<String, PathCount> {
        self.lock().counts.clone()
    }

    /// Number of requests to one path.
    pub fn count(&self, path: &str) -> u64 {
        self.lock()
            .counts
            .get(path.trim_end_matches('/'))
            .map_or(0, |count| count.requests)
    }

    /// The last [`REMEMBERED`] requests, oldest first.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.lock().last.iter().cloned().collect()
    }

    /// What requests proved with that they know the key: each distinct value of `Authorization` (the key itself, or a signature made with it)
    /// and `x-xdr-nonce`, of the first [`REMEMBERED`]. For tests that look for them where they must not be.
    pub fn proofs(&self) -> BTreeSet<String> {
        self.lock().proofs.clone()
    }

    /// Waits until so many requests were seen.
    pub async fn reached(&self, total: u64) {
        loop {
            // Listens before it looks, so that no request falls between the two.
            let seen = self.seen.notified();
            tokio::pin!(seen);
            seen.as_mut().enable();
            if self.total() >= total {
                return;
            }
            seen.await;
        }
    }

    /// Forgets everything but the number of connections.
    pub fn clear(&self) {
        let mut entries = self.lock();
        *entries = Entries {
            connections: entries.connections,
            ..Entries::default()
        };
    }

    /// Counts a connection and gives its number.
    pub(crate) fn connected(&self) -> u64 {
        let mut entries = self.lock();
        entries.connections += 1;
        entries.connections
    }

    pub(crate) fn record(&self, seen: SeenRequest) {
        let mut entries = self.lock();
        entries.total += 1;
        let path = seen.path.trim_end_matches('/');
        let known = entries.counts.contains_key(path);
        let path = if known || entries.counts.len() < COUNTED_PATHS {
            path
        } else {
            OTHER_PATHS
        };
        if !entries.counts.contains_key(path) {
            entries.counts.insert(path.to_owned(), PathCount::default());
        }
        if let Some(count) = entries.counts.get_mut(path) {
            count.requests += 1;
            count.reply_bytes += seen.reply_bytes as u64;
            *count.by_status.entry(seen.status).or_default() += 1;
        }
        if entries.last.len() >= REMEMBERED {
            entries.last.pop_front();
        }
        entries.last.push_back(seen);
        drop(entries);
        self.seen.notify_waiters();
    }

    pub(crate) fn record_proof(&self, headers: &HeaderMap) {
        let mut entries = self.lock();
        for name in ["authorization", "x-xdr-nonce"] {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            if let Some(value) = value
                && entries.proofs.len() < REMEMBERED
            {
                entries.proofs.insert(value.to_owned());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, status: u16) -> SeenRequest {
        SeenRequest {
            at_ms: 0,
            connection: 1,
            method: "POST".into(),
            path: path.into(),
            status,
            request_bytes: 2,
            reply_bytes: 10,
        }
    }

    #[test]
    fn a_trailing_slash_counts_for_the_same_path() {
        let log = RequestLog::default();
        log.record(seen("/a/b", 200));
        log.record(seen("/a/b/", 500));
        assert_eq!(log.count("/a/b"), 2);
        assert_eq!(
            log.counts()["/a/b"].by_status,
            BTreeMap::from([(200, 1), (500, 1)])
        );
        assert_eq!(log.counts()["/a/b"].reply_bytes, 20);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_number_of_requests_is_told_when_it_is_reached() {
        let log = RequestLog::default();
        log.record(seen("/a", 200));
        log.reached(1).await;
        let waiting = tokio::spawn({
            let log = log.clone();
            async move { log.reached(3).await }
        });
        log.record(seen("/a", 200));
        log.record(seen("/a", 200));
        waiting.await.unwrap();
        assert_eq!(log.total(), 3);
    }

    #[test]
    fn memory_is_bounded_in_requests_and_in_paths() {
        let log = RequestLog::default();
        for n in 0..(REMEMBERED + 5) {
            log.record(seen(&format!("/p/{n}"), 200));
        }
        assert_eq!(log.total(), (REMEMBERED + 5) as u64);
        assert_eq!(log.requests().len(), REMEMBERED);
        assert_eq!(log.requests()[0].path, "/p/5");
        assert_eq!(log.counts().len(), COUNTED_PATHS + 1);
        assert_eq!(
            log.count(OTHER_PATHS),
            (REMEMBERED + 5 - COUNTED_PATHS) as u64
        );
    }
}
