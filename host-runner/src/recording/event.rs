//! What the lines of a recording say.
//!
//! The first line is the [`Header`]; each further one is an [`Event`]. Two accounts are interleaved, each in its own order: what the component asked
//! and was told ([`Lane::Guest`]), and what the run asked of the store ([`Lane::Run`]); the component is a step ahead of the run.

use super::digest::Parts;
use super::payload::Payload;
use crate::domain::{DataStreamName, Ledger, Mode, RunId, RunState, SyncId, Timestamp};
use crate::pipeline::RunFault;
use crate::store::{ComponentRef, StoredMap, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the header calls the format.
pub const FORMAT: &str = "host-runner-recording";
/// The version of the format that is written and read.
pub const VERSION: u64 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u64,
    /// What wrote it, and the contract's version that it speaks.
    pub runner: String,
    /// The version of the contract.
    pub contract: String,
    /// The build of the connector that was recorded.
    pub component: ComponentRef,
    /// When the recording began.
    pub started_at: Timestamp,
    /// Whether host names, users, addresses and ids are other ones than the tenant's.
    pub anonymised: bool,
    /// The connection, without secrets.
    pub connection: Setup,
    /// The limits that the component was held to, by name.
    pub limits: BTreeMap<String, u64>,
}

/// What a sync needs to know of its connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// Its name.
    pub name: String,
    /// The configuration as the connector completed it, without secrets.
    pub config: Value,
    /// The data streams that are chosen.
    pub data_streams: Vec<DataStreamName>,
    /// What narrows each.
    pub scope: Vec<(String, String)>,
    /// The target model's name.
    pub target: String,
    /// JSON Schema of the target model.
    pub model: Value,
    /// The map of each data stream.
    pub maps: BTreeMap<DataStreamName, StoredMap>,
    /// What holds about existing and new assets.
    pub update_existing_assets: bool,
    /// The same for new ones.
    pub auto_onboard_assets: bool,
    /// Whether users' names are left out before documents are made.
    #[serde(default)]
    pub leave_out_users: bool,
}

/// A request as the component made it. Secrets stand in it by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The origin's name.
    pub origin: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// Names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Names, and how each value is put together: `Bearer {secret:apiKey}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Payload,
    /// Whether it may be sent twice.
    pub repeatable: bool,
}

/// Why there was no answer, or no more of it, in the contract's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "text")]
#[expect(missing_docs, reason = "the contract's own words")]
pub enum Refusal {
    Denied(String),
    Limit(String),
    Timeout,
    Connect(String),
    Tls(String),
    Body(String),
    Busy,
    Other(String),
}

/// A record that the platform held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Its key.
    pub key: String,
    /// When it was last confirmed.
    pub checked: u64,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// A new instance was asked for a sync.
    Instance {
        /// Of which data stream.
        stream: String,
        /// In which mode.
        mode: Mode,
        /// The digest of the checkpoint that it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<String>,
        /// The number of its first question.
        first: u64,
    },
    /// It asked for the time and was told.
    Now {
        /// Milliseconds since the epoch.
        ms: u64,
    },
    /// It sent a request.
    Request {
        /// By which answers name it.
        id: u64,
        /// The request.
        request: Asked,
    },
    /// The head of the answer.
    Reply {
        /// To which request.
        id: u64,
        /// The status.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// How often the host sent the call's requests so far, repetitions included: for the reader only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempts: Option<u64>,
    },
    /// The next bytes of a body; none at its end.
    Chunk {
        /// Of which request's answer.
        id: u64,
        /// The bytes.
        body: Payload,
    },
    /// There was no answer, or no more of it.
    Failure {
        /// To which request.
        id: u64,
        /// Why.
        failure: Refusal,
    },
    /// It asked to sleep.
    Sleep {
        /// By which its waking names it.
        id: u64,
        /// How long.
        ms: u64,
    },
    /// It woke.
    Woke {
        /// From which sleep.
        id: u64,
    },
    /// It asked what the platform holds.
    List {
        /// By which the answer names it.
        id: u64,
        /// Of which data stream.
        stream: String,
        /// Whether the oldest checks come first.
        oldest: bool,
        /// After which key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// How many at most.
        limit: u32,
    },
    /// What the platform holds.
    Held {
        /// The answer to which question.
        id: u64,
        /// The records.
        records: Vec<Holding>,
        /// Why there is no answer, where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// It logged a line.
    Log {
        /// How much it matters.
        level: String,
        /// What it says.
        message: String,
        /// Names and values.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<(String, String)>,
    },
    /// It gave a step, or the end.
    Gave {
        /// Whether it was the end.
        end: bool,
        /// What it was.
        parts: Parts,
    },
    /// It gave up.
    Fault {
        /// Why.
        fault: RunFault,
    },

    /// The sync of a data stream began.
    Stream {
        /// Which.
        stream: DataStreamName,
        /// The custom fields that existed on the platform.
        custom_fields: Vec<String>,
    },
    /// A run began.
    Run {
        /// Its number then.
        run: RunId,
        /// In which mode.
        mode: Mode,
        /// Why that.
        reason: String,
        /// When.
        now: Timestamp,
    },
    /// The sync that the run began or went on with.
    Sync {
        /// Its number then.
        sync: SyncId,
        /// Where it went on from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<Payload>,
        /// When it was begun.
        started_at: Timestamp,
        /// Whether an earlier run began it.
        resumed: bool,
        /// Whether another scope was read since the last complete full sync.
        scope_changed: bool,
        /// What earlier runs did.
        ledger: Ledger,
    },
    /// The sync was given up: its checkpoint could not be used.
    Abandoned,
    /// How each entry of a step stood to what was held, a letter each: see [`super::replay`].
    Standing {
        /// The letters.
        letters: String,
    },
    /// A step was committed.
    Commit {
        /// What was committed.
        parts: Parts,
        /// What became of it.
        ledger: Ledger,
        /// When.
        now: Timestamp,
    },
    /// The end was committed.
    Ended {
        /// What the facts said by the host's own judgement: its digest.
        coverage: String,
        /// What became of what was not seen.
        verdict: Verdict,
        /// What the end added to the account.
        ledger: Ledger,
    },
    /// The run was finished.
    Finish {
        /// How.
        state: RunState,
        /// When.
        now: Timestamp,
        /// What was called.
        calls: Value,
        /// Why it ended early, where it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<Value>,
        /// What was worth telling a person.
        warnings: Vec<String>,
        /// The most memory that the component held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peak_memory: Option<u64>,
        /// What else was kept.
        details: Value,
    },

    /// The last line: the recording is whole.
    Closed {
        /// How often a secret or a signature was taken out.
        blanked: u64,
    },
}

/// Whose account an event is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The component's.
    Guest,
    /// The run's.
    Run,
}

impl Event {
    /// Whose account it is part of.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Stream { .. }
            | Self::Run { .. }
            | Self::Sync { .. }
            | Self::Abandoned
            | Self::Standing { .. }
            | Self::Commit { .. }
            | Self::Ended { .. }
            | Self::Finish { .. }
            | Self::Closed { .. } => Lane::Run,
            _ => Lane::Guest,
        }
    }

    /// Which question it answers, where it answers one.
    pub fn answers(&self) -> Option<u64> {
        match self {
            Self::Reply { id, .. }
            | Self::Chunk { id, .. }
            | Self::Failure { id, .. }
            | Self::Woke { id }
            | Self::Held { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// In a few words, for messages.
    pub fn told(&self) -> String {
        match self {
            Self::Instance { stream, mode, .. } => format!("begins a {mode} sync of {stream}"),
            Self::Now { .. } => "asks for the time".to_owned(),
            Self::Request { request, .. } => format!(
                "sends {} {} with the body {}",
                request.method,
                request.path,
                shortened(&String::from_utf8_lossy(&request.body.0))
            ),
            Self::Reply { id, status, .. } => format!("is answered {status} to request {id}"),
            Self::Chunk { id, body } if body.0.is_empty() => {
                format!("reads the end of the answer to request {id}")
            }
            Self::Chunk { id, body } => {
                format!("reads {} bytes of the answer to request {id}", body.0.len())
            }
            Self::Failure { id, failure } => format!("is told of request {id}: {failure:?}"),
            Self::Sleep { ms, .. } => format!("sleeps for {ms} ms"),
            Self::Woke { .. } => "wakes".to_owned(),
            Self::List { stream, after, .. } => match after {
                Some(after) => format!("asks what is held of {stream} after {}", shortened(after)),
                None => format!("asks what is held of {stream}"),
            },
            Self::Held { records, .. } => format!("is told of {} held records", records.len()),
            Self::Log { message, .. } => format!("logs \"{}\"", shortened(message)),
            Self::Gave { end: false, parts } => {
                format!("gives a step of {} records", parts.records.len())
            }
            Self::Gave { end: true, .. } => "ends the sync".to_owned(),
            Self::Fault { fault } => format!("gives up: {}", shortened(&fault.message)),
            Self::Stream { stream, .. } => format!("the sync of {stream} begins"),
            Self::Run { mode, .. } => format!("a {mode} run begins"),
            Self::Sync { .. } => "a sync begins".to_owned(),
            Self::Abandoned => "the sync is given up".to_owned(),
            Self::Standing { letters } => format!("{} records are compared", letters.len()),
            Self::Commit { parts, .. } => format!("{} records are committed", parts.records.len()),
            Self::Ended { .. } => "the end of the sync is committed".to_owned(),
            Self::Finish { state, .. } => format!("the run ends as {state}"),
            Self::Closed { .. } => "the recording ends".to_owned(),
        }
    }
}

/// The beginning of a long text.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}
