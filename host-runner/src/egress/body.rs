//! An answer's body, read at the connector's pace.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::client::root_cause;
use super::usage::Ledger;
use super::{EgressLimits, Failure, Limit};

/// What the API answers. Nothing is read ahead beyond one chunk, so a connector that does not read slows the server down;
/// dropping it ends the exchange.
pub struct IncomingBody {
    state: State,
    account: Account,
}

enum State {
    Open(Box<Open>),
    Ended,
    Failed(Failure),
}

struct Open {
    response: reqwest::Response,
    /// What is read and not yet asked for.
    rest: Bytes,
    /// How many bytes may still come.
    left: u64,
    idle: Duration,
    /// How long the server may still be waited for.
    patience: Duration,
    /// Held until the body is: a body that nobody reads counts as a request under way.
    _permit: OwnedSemaphorePermit,
}

/// Where the bytes are counted.
struct Account {
    ledger: Arc<Ledger>,
    call: String,
}

impl IncomingBody {
    pub(super) fn new(
        response: reqwest::Response,
        limits: &EgressLimits,
        patience: Duration,
        permit: OwnedSemaphorePermit,
        (ledger, call): (Arc<Ledger>, String),
    ) -> Self {
        let open = Open {
            response,
            rest: Bytes::new(),
            left: limits.response_bytes,
            idle: limits.idle_timeout,
            patience,
            _permit: permit,
        };
        IncomingBody {
            state: State::Open(Box::new(open)),
            account: Account { ledger, call },
        }
    }

    /// The next bytes with Content-Encoding undone: at least one and at most `limit`, none at the end. After a failure it gives
    /// the same failure again. Dropping the future loses nothing.
    pub async fn read(&mut self, limit: u32) -> Result<Bytes, Failure> {
        let open = match &mut self.state {
            State::Open(open) => open,
            State::Ended => return Ok(Bytes::new()),
            State::Failed(failure) => return Err(failure.clone()),
        };
        if limit == 0 {
            return Err(Failure::Other(
                "a read of at most 0 bytes can't give any; ask for at least 1".to_owned(),
            ));
        }
        match open.next(limit as usize, &self.account).await {
            Ok(bytes) => {
                if bytes.is_empty() {
                    self.state = State::Ended;
                }
                Ok(bytes)
            }
            Err(failure) => {
                self.state = State::Failed(failure.clone());
                Err(failure)
            }
        }
    }
}

impl Open {
    async fn next(&mut self, limit: usize, account: &Account) -> Result<Bytes, Failure> {
        while self.rest.is_empty() {
            let asked = Instant::now();
            let chunk = timeout(self.idle.min(self.patience), self.response.chunk()).await;
            self.patience = self.patience.saturating_sub(asked.elapsed());
            match chunk {
                Err(_) => return Err(Failure::Timeout),
                Ok(Err(error)) => {
                    return Err(Failure::Body(format!(
                        "it stopped short or can't be decoded ({})",
                        root_cause(&error)
                    )));
                }
                Ok(Ok(None)) => return Ok(Bytes::new()),
                Ok(Ok(Some(bytes))) => {
                    account.ledger.received(&account.call, bytes.len());
                    self.left = self
                        .left
                        .checked_sub(bytes.len() as u64)
                        .ok_or(Failure::Limit(Limit::ResponseBytes))?;
                    self.rest = bytes;
                }
            }
        }
        Ok(self.rest.split_to(limit.min(self.rest.len())))
    }
}

impl fmt::Debug for IncomingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the bytes: they are a tenant's data.
        let state = match &self.state {
            State::Open(_) => "open",
            State::Ended => "ended",
            State::Failed(_) => "failed",
        };
        f.debug_struct("IncomingBody")
            .field("call", &self.account.call)
            .field("state", &state)
            .finish()
    }
}
