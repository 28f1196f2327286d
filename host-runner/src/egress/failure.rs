//! Why there is no answer: what the connector is told ([`Failure`]) and what keeps egress from being set up
//! ([`EgressError`]). Neither ever holds a secret.

use std::fmt;

/// The rules that a request can break. The name is what a connector is told and what the documentation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The manifest declares no call with this origin, method and path.
    Call,
    /// The path is written in a way that a server could read as another one.
    Path,
    /// The connection has no origin of this name.
    Origin,
    /// A header's name is reserved for HTTP or for the host, or is no header name.
    HeaderName,
    /// A header's value holds what could end it.
    HeaderValue,
    /// The secret is not one that `configure` declared.
    Secret,
    /// A digest covers a secret and nothing that varies.
    Digest,
    /// The host has only addresses that connectors may not reach.
    Address,
}

impl Rule {
    /// The rule's stable name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Call => "call-not-declared",
            Rule::Path => "path",
            Rule::Origin => "origin-unknown",
            Rule::HeaderName => "header-name",
            Rule::HeaderValue => "header-value",
            Rule::Secret => "secret-not-declared",
            Rule::Digest => "digest-of-secret-alone",
            Rule::Address => "address-forbidden",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The limits that egress itself enforces. The name is what an error shows and what a flag sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Bytes of a request's body.
    RequestBytes,
    /// Bytes of a request's or a response's header lines.
    HeaderBytes,
    /// Bytes of a response's body after decoding.
    ResponseBytes,
    /// Requests that wait, are under way or whose body is still held.
    ConcurrentRequests,
}

impl Limit {
    /// The limit's stable name.
    pub fn name(self) -> &'static str {
        match self {
            Limit::RequestBytes => "request",
            Limit::HeaderBytes => "headers",
            Limit::ResponseBytes => "response",
            Limit::ConcurrentRequests => "concurrent-requests",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no answer, or no more of it; mirrors `http.failure` of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host's policy forbids the request. Nothing was sent.
    #[error("refused by the rule `{rule}`: {text}")]
    Denied {
        /// Which rule.
        rule: Rule,
        /// What was asked for and what the rule wants.
        text: String,
    },
    /// One of the host's limits is reached.
    #[error("the limit `{0}` is reached")]
    Limit(Limit),
    /// No answer, or no next byte, in time.
    #[error("no answer in time")]
    Timeout,
    /// The name did not resolve, or nothing answered there.
    #[error("can't connect: {0}")]
    Connect(String),
    /// The server's certificate or the handshake was refused.
    #[error("TLS: {0}")]
    Tls(String),
    /// The body stopped short or can't be decoded.
    #[error("the response's body: {0}")]
    Body(String),
    /// A read is already under way on this body.
    #[error("a read is already under way on this body")]
    Busy,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(crate) fn denied(rule: Rule, text: impl Into<String>) -> Self {
        Failure::Denied {
            rule,
            text: text.into(),
        }
    }
}

/// Why a connection's way out can't be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// An origin is not one that a connection may have.
    #[error("the origin `{name}` ({origin}) can't be used: {reason}")]
    Origin {
        /// Its name in the configuration.
        name: String,
        /// The origin.
        origin: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Two declarations contradict each other.
    #[error("the {what} `{name}` is declared twice; the connector's manifest must name it once")]
    Twice {
        /// "origin" or "call".
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A declared call could never be sent.
    #[error("the call `{name}` can't be made: {reason}")]
    Call {
        /// Its name in the manifest.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A budget is nought, or names a call that does not exist.
    #[error("budget {index} of the connector's manifest can't be kept: {reason}")]
    Budget {
        /// Its place in the manifest, from 0.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// The rate makes no sense here.
    #[error("the rate can't be used: {0}")]
    Rate(String),
    /// A limit that nothing could pass.
    #[error("the limit `{0}` is 0; give it a value of at least 1")]
    Limit(&'static str),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
    /// The proxy's address can't be used.
    #[error("the proxy can't be used: {0}")]
    Proxy(String),
}
