//! One exchange from the judging of the request to the head of the answer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use reqwest::{Client, Response};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::client;
use super::echoes::Echoes;
use super::governor::Governor;
use super::policy::{self, Declarations, Judged};
use super::resolve::{Guarded, ResolveError};
use super::retry::{self, Allowance, Ended, Verdict};
use super::signing::{Attempt, Ingredients, fill_headers};
use super::usage::Ledger;
use super::{
    EgressConfig, EgressError, Failure, IncomingBody, Limit, OutgoingRequest, ProxyConfig, Rate,
    Rule, Usage,
};

/// A connection's way out. All its requests are paced together, so there is one per connection, shared in an `Arc`.
pub struct Egress {
    config: EgressConfig,
    client: Client,
    resolver: Guarded,
    governor: Governor,
    ledger: Arc<Ledger>,
    room: Arc<Semaphore>,
    echoes: OnceLock<Echoes>,
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
    /// How often it was sent.
    pub attempts: u32,
}

impl Egress {
    /// Sets a connection's way out up, and refuses what could never be kept. Nothing is sent, no name is resolved.
    pub fn new(config: EgressConfig) -> Result<Self, EgressError> {
        check(&config)?;
        let governor = Governor::new(&config.budgets, &config.calls, config.rate)?;
        let resolver = Guarded {
            inner: config.resolver.clone(),
            allow_loopback: config.allow_loopback,
            exempt: config.proxy.as_ref().map(|proxy| proxy.host().to_string()),
        };
        let client = client::build(&config, resolver.clone())?;
        let room = Arc::new(Semaphore::new(config.limits.concurrent_requests as usize));
        Ok(Egress {
            config,
            client,
            resolver,
            governor,
            ledger: Arc::new(Ledger::default()),
            room,
            echoes: OnceLock::new(),
        })
    }

    /// One exchange, judged, paced and, where repeatable, retried. Any status is an answer, not a failure. Dropping the future
    /// ends it.
    pub async fn send(&self, request: OutgoingRequest) -> Result<Incoming, Failure> {
        let judged =
            policy::judge(&request, self.declarations()).inspect_err(|_| self.refused(&request))?;
        let url = url_of(&judged, &request).inspect_err(|_| self.refused(&request))?;
        let call = judged.call.name.as_str();
        // Not waited for: a connector that holds that many bodies and asks for one more would wait for itself.
        let permit = self.room.clone().try_acquire_owned().map_err(|_| {
            self.refused(&request);
            Failure::Limit(Limit::ConcurrentRequests)
        })?;
        self.ledger.requested(call, judged.secrets.iter().copied());
        let mut waited = Duration::ZERO;
        let mut number = 0;
        loop {
            number += 1;
            let holding = self.ledger.hold(call);
            self.governor.admit(call).await;
            waited += holding.so_far();
            drop(holding);

            let begun = Instant::now();
            let outcome = self.attempt(&judged, &request, &url, number > 1).await;
            let allowance = self.allowance(&request, number);
            let ended = match &outcome {
                Ok(response) => Ended::Answer(response.status(), response.headers()),
                Err(failure) => Ended::Failure(failure),
            };
            let verdict = retry::judge(ended, allowance);
            let quiet = retry::quiet_after(ended, allowance);
            if let Some(quiet) = quiet {
                self.governor.quiet(quiet);
            }
            if let Verdict::Again(pause) = verdict {
                // The body of an answer that is not handed over is not read either.
                drop(outcome);
                // After a 429 the governor holds this request back with all the others.
                if quiet.is_none() {
                    let holding = self.ledger.hold(call);
                    sleep(pause).await;
                    waited += holding.so_far();
                }
                continue;
            }
            let response = outcome?;
            let patience = self
                .config
                .limits
                .attempt_timeout
                .saturating_sub(begun.elapsed());
            let call = judged.call.name.clone();
            let mut incoming = self.answer(response, call, permit, patience, waited)?;
            incoming.attempts = number;
            return Ok(incoming);
        }
    }

    /// What happened since it was last taken.
    pub fn usage(&self) -> Usage {
        self.ledger.usage()
    }

    /// What happened since the last time this was called; for one run's account.
    pub fn take_usage(&self) -> Usage {
        self.ledger.take()
    }

    /// Wall time during which at least one request was held back by the host (pace and back-off). It only grows; the
    /// difference between two moments does not count against a step's wall time.
    pub fn held_back(&self) -> Duration {
        self.ledger.held_back()
    }

    /// From now on recognises the secrets, and what is made with them, where an answer gives them back.
    pub fn watch_echoes(&self) {
        self.echoes.get_or_init(|| Echoes::of(&self.config.secrets));
    }

    /// Recognises what must not be written down; none where nobody asked for that.
    pub fn echoes(&self) -> Option<&Echoes> {
        self.echoes.get()
    }

    fn declarations(&self) -> Declarations<'_> {
        Declarations {
            origins: &self.config.origins,
            calls: &self.config.calls,
            secrets: &self.config.secrets,
            limits: &self.config.limits,
        }
    }

    fn refused(&self, request: &OutgoingRequest) {
        let call = policy::find_call(
            &self.config.calls,
            &request.origin,
            &request.method,
            &request.path,
        );
        self.ledger
            .refused(call.map_or("", |call| call.name.as_str()));
    }

    fn allowance(&self, request: &OutgoingRequest, attempt: u32) -> Allowance {
        Allowance {
            repeatable: request.repeatable,
            attempt,
            attempts: self.config.limits.attempts,
            longest_wait: self.config.limits.longest_wait,
            jitter: rand::random(),
            now: Timestamp::now(),
        }
    }

    /// Sends it once: headers made for this attempt, connected to what the name leads to now.
    async fn attempt(
        &self,
        judged: &Judged<'_>,
        request: &OutgoingRequest,
        url: &Url,
        repeated: bool,
    ) -> Result<Response, Failure> {
        let call = judged.call.name.as_str();
        let limits = &self.config.limits;
        let ingredients = Ingredients {
            attempt: &Attempt::now(),
            body: &request.body,
            secrets: &self.config.secrets,
            header_bytes: limits.header_bytes,
        };
        let headers = fill_headers(&judged.headers, ingredients)?;
        if let Some(echoes) = self.echoes.get() {
            echoes.note(&headers);
        }
        self.judge_behind_proxy(judged).await?;
        self.ledger.attempted(call, repeated, request.body.len());
        let sending = self
            .client
            .request(request.method.clone(), url.clone())
            .headers(headers)
            .body(request.body.clone())
            .send();
        let outcome = match timeout(
            limits
                .attempt_timeout
                .min(limits.connect_timeout.saturating_add(limits.idle_timeout)),
            sending,
        )
        .await
        {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(client::failure(
                &error,
                judged.origin,
                self.config.proxy_for(judged.origin),
            )),
            Err(_) => Err(Failure::Timeout),
        };
        // Names and numbers only: headers hold signatures, bodies a tenant's data.
        match &outcome {
            Ok(response) => tracing::debug!(call, status = response.status().as_u16(), "answered"),
            Err(failure) => tracing::debug!(call, %failure, "not answered"),
        }
        self.ledger.ended(
            call,
            outcome
                .as_ref()
                .ok()
                .map(|response| response.status().as_u16()),
        );
        outcome
    }

    /// A proxy resolves names itself, and chooses among the addresses. A name of which any address is known here to be forbidden is refused
    /// before the proxy is asked; one that only the proxy can resolve, as is usual in networks that need a proxy, is its to judge.
    async fn judge_behind_proxy(&self, judged: &Judged<'_>) -> Result<(), Failure> {
        let url::Host::Domain(name) = judged.origin.host() else {
            return Ok(());
        };
        if self.config.proxy.is_none() || judged.origin.is_loopback() {
            return Ok(());
        }
        let looking = timeout(
            self.config.limits.connect_timeout,
            self.resolver.judge_all(name),
        );
        match looking.await {
            Ok(Err(error @ ResolveError::Forbidden { .. })) => Err(client::from_resolving(&error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn answer(
        &self,
        response: Response,
        call: String,
        permit: tokio::sync::OwnedSemaphorePermit,
        patience: Duration,
        waited: Duration,
    ) -> Result<Incoming, Failure> {
        let limits = &self.config.limits;
        if policy::header_bytes(response.headers()) > limits.header_bytes {
            return Err(Failure::Limit(Limit::HeaderBytes));
        }
        let mut headers = response.headers().clone();
        policy::strip_hop_by_hop(&mut headers);
        let status = response.status();
        let body = IncomingBody::new(
            response,
            limits,
            patience,
            permit,
            (self.ledger.clone(), call),
        );
        Ok(Incoming {
            status,
            headers,
            body,
            waited,
            attempts: 1,
        })
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The request's URL. It is read back, so that no reading of it differs from what was judged.
fn url_of(judged: &Judged<'_>, request: &OutgoingRequest) -> Result<Url, Failure> {
    let mut text = format!("{}{}", judged.origin, request.path);
    if !request.query.is_empty() {
        text.push('?');
        text.push_str(&policy::encode_query(&request.query));
    }
    let same = |url: &Url| {
        url.path() == request.path
            && url.host().map(|host| host.to_owned()).as_ref() == Some(judged.origin.host())
            && url.port_or_known_default() == Some(judged.origin.port())
            && url.scheme() == judged.origin.scheme().as_str()
    };
    Url::parse(&text).ok().filter(same).ok_or_else(|| {
        Failure::denied(
            Rule::Path,
            "the path would be read as another one than it is written",
        )
    })
}

/// What must hold before anything is sent.
fn check(config: &EgressConfig) -> Result<(), EgressError> {
    let mut names = BTreeSet::new();
    for (name, origin) in &config.origins {
        if !names.insert(name.as_str()) {
            return Err(EgressError::Twice {
                what: "origin",
                name: name.clone(),
            });
        }
        if let Some(reason) = origin.objection(config.allow_loopback) {
            return Err(EgressError::Origin {
                name: name.clone(),
                origin: origin.to_string(),
                reason,
            });
        }
        let proxy = config.proxy_for(origin).map(ProxyConfig::host);
        if proxy == Some(origin.host()) {
            let reason = "it is the proxy itself".to_owned();
            return Err(EgressError::Origin {
                name: name.clone(),
                origin: origin.to_string(),
                reason,
            });
        }
    }
    let mut names = BTreeSet::new();
    for call in &config.calls {
        if !names.insert(call.name.as_str()) {
            return Err(EgressError::Twice {
                what: "call",
                name: call.name.clone(),
            });
        }
        if let Some(reason) = policy::path_objection(&call.path) {
            let reason = format!("its path {reason}");
            return Err(EgressError::Call {
                name: call.name.clone(),
                reason,
            });
        }
    }
    if config.rate == Rate::Unlimited
        && !config
            .origins
            .iter()
            .all(|(_, origin)| origin.is_loopback())
    {
        let reason =
            "`unlimited` is for servers on this machine only; give a number of requests per second";
        return Err(EgressError::Rate(reason.to_owned()));
    }
    let limits = &config.limits;
    let nought = [
        ("response", limits.response_bytes == 0),
        ("headers", limits.header_bytes == 0),
        ("idle-timeout", limits.idle_timeout.is_zero()),
        ("attempt-timeout", limits.attempt_timeout.is_zero()),
        ("connect-timeout", limits.connect_timeout.is_zero()),
        ("attempts", limits.attempts == 0),
        ("concurrent-requests", limits.concurrent_requests == 0),
    ];
    match nought.iter().find(|(_, is_nought)| *is_nought) {
        Some((name, _)) => Err(EgressError::Limit(name)),
        None => Ok(()),
    }
}
