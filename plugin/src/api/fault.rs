//! Why a call led nowhere, told apart by what the reader should do about it.

use crate::contract::{self, types::Cause};
use crate::describe::Call;
use http::HeaderMap;
use std::fmt;

/// What kind of failure it was. More kinds than the contract's causes: some of them the connector itself acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 401: key, key id or security level are wrong, or the key expired. The API says the same for all of them.
    Unauthorized,
    /// 403: the key's role lacks a permission.
    Forbidden,
    /// 402, or a 500 that speaks of a licence or a missing module.
    Unlicensed,
    /// 429, after the host's retries; when to try again, in milliseconds since the epoch, where the API said so.
    TooManyRequests(Option<u64>),
    /// The daily XQL quota is used up until this moment, in milliseconds since the epoch.
    QuotaExhausted(u64),
    /// Too many XQL queries run in parallel; waiting helps.
    TooManyQueries,
    /// The API could not parse the XQL query (`parse_err`): an unknown dataset, or a language older than the query.
    QueryRefused,
    /// The query's id or the stream's id is not known (any more).
    QueryGone,
    /// 400 or 422: the API did not understand the request.
    BadRequest,
    /// 404, or the API's plain-text 500 for a path that it does not have.
    UnknownCall,
    /// 408, 502, 503, 504, or a gateway's page.
    Unavailable,
    /// A 500 with a reason that fits nothing above.
    Refused,
    /// A status that the API's documentation does not name.
    UnexpectedStatus,
    /// A reply that is no JSON, or JSON that stops short.
    NotJson,
    /// JSON of another shape than the call's.
    WrongShape,
    /// A reply larger than the connector reads.
    TooLarge,
    /// One of the host's limits; its name.
    HostLimit(String),
    /// The host's policy forbids the request; the rule's name.
    HostDenied(String),
    /// The server answered, and its certificate or the handshake was refused.
    Tls,
    /// The exchange broke: no answer in time, no connection, a body cut short.
    Broken,
}

/// A call that led nowhere.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which call.
    pub call: Call,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// What kind of failure.
    pub kind: FaultKind,
    /// What happened, to which thing, in a sentence.
    pub message: String,
    /// What an administrator can do about it, "" where nothing.
    pub remedy: String,
    /// The answer's headers, where one came (`Date` tells the clock's skew even from a refusal).
    pub headers: Box<HeaderMap>,
}

impl Fault {
    /// A fault without an answer's headers.
    pub(crate) fn new(
        call: Call,
        status: Option<u16>,
        kind: FaultKind,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        Fault {
            call,
            status,
            kind,
            message: message.into(),
            remedy: remedy.into(),
            headers: Box::default(),
        }
    }

    /// The contract's cause for it.
    pub fn cause(&self) -> Cause {
        match &self.kind {
            FaultKind::Unauthorized => Cause::Unauthorized,
            FaultKind::Forbidden => Cause::Forbidden,
            FaultKind::Unlicensed => Cause::Unlicensed,
            FaultKind::TooManyRequests(at) => Cause::Exhausted(*at),
            FaultKind::QuotaExhausted(at) => Cause::Exhausted(Some(*at)),
            FaultKind::TooManyQueries => Cause::Exhausted(None),
            FaultKind::Unavailable | FaultKind::Tls | FaultKind::Broken => Cause::Unavailable,
            FaultKind::BadRequest
            | FaultKind::UnexpectedStatus
            | FaultKind::NotJson
            | FaultKind::WrongShape
            | FaultKind::QueryRefused
            | FaultKind::QueryGone
            | FaultKind::TooLarge => Cause::Protocol,
            FaultKind::UnknownCall => Cause::Other("unknown-call".into()),
            FaultKind::Refused => Cause::Other("refused".into()),
            FaultKind::HostLimit(name) => Cause::Limit(name.clone()),
            FaultKind::HostDenied(_) => Cause::Other("denied".into()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for contract::Fault {
    fn from(fault: Fault) -> contract::Fault {
        contract::Fault {
            cause: fault.cause(),
            call: fault.call.name().to_owned(),
            status: fault.status,
            message: fault.message,
            remedy: fault.remedy,
        }
    }
}
