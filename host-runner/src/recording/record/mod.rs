//! Writing a sync down while it goes on.

mod books;
mod outbound;
mod turns;

pub use books::RecordedBooks;
pub(super) use books::{judgement, standing};
pub(super) use outbound::asked;

use self::outbound::RecordedOutbound;
use self::turns::Turns;
use super::digest;
use super::error::RecordingError;
use super::event::{Event, FORMAT, Header, Holding, Setup, VERSION};
use super::file::{Target, Writer};
use crate::contract;
use crate::contract::connector::{Mode as WitMode, Progress, SyncRequest};
use crate::contract::types::Fault;
use crate::domain::{Clock, Mode, Timestamp};
use crate::engine::{Limits, Plugin};
use crate::imports::{HeldRecord, Inventory, LogLine, LogSink, Outbound, Reach, Tap};
use crate::pipeline::{Books, RunFault, SyncJob};
use crate::store::ComponentRef;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The header of a recording of these syncs.
pub fn setup<S>(job: &SyncJob<S>, now: Timestamp) -> Header {
    let connection = &job.connection;
    Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        runner: format!("host-runner {}", env!("CARGO_PKG_VERSION")),
        contract: contract::VERSION.to_owned(),
        component: component(&job.plugin),
        started_at: now,
        anonymised: false,
        connection: Setup {
            name: connection.name.to_string(),
            config: connection.config.clone(),
            data_streams: connection.data_streams.clone(),
            scope: connection.scope.clone(),
            target: connection.target.clone(),
            model: serde_json::from_slice(&job.model_schema).unwrap_or_default(),
            maps: connection.maps.clone(),
            update_existing_assets: job.asset_rules.switches.update_existing_assets,
            auto_onboard_assets: job.asset_rules.switches.auto_onboard_assets,
            leave_out_users: connection.leave_out_users,
        },
        limits: Limits::ALL
            .iter()
            .filter_map(|limit| {
                let value = job.plugin.limits().get(limit.name)?;
                Some((limit.name.to_owned(), value))
            })
            .collect(),
    }
}

/// The loaded build.
pub(super) fn component(plugin: &Plugin) -> ComponentRef {
    ComponentRef {
        name: plugin.manifest().name.clone(),
        version: plugin.manifest().version.clone(),
        sha256: plugin.sha256().to_owned(),
    }
}

/// Writes down what the syncs of a session ask and are told.
pub struct Recorder {
    book: Arc<Book>,
}

/// What all syncs of a session are written into.
struct Book {
    writer: Writer,
    /// Where a secret's value, and a signature made with one, can be recognised.
    watch: Arc<dyn Outbound>,
    ids: AtomicU64,
}

impl Book {
    fn write(&self, event: &Event) {
        self.writer.write(event, &|line| self.watch.blanked(line));
    }
}

impl Recorder {
    /// Makes the file. `watch` recognises secrets.
    ///
    /// # Errors
    /// Where the file can't be made.
    pub fn create(
        target: &Target,
        header: &Header,
        watch: Arc<dyn Outbound>,
    ) -> Result<Self, RecordingError> {
        let writer = Writer::create(target, header, &|line| watch.blanked(line))?;
        Ok(Self {
            book: Arc::new(Book {
                writer,
                watch,
                ids: AtomicU64::new(1),
            }),
        })
    }

    /// The same sync, written down. A tap that it has stays below: a recording can be played while it is written anew.
    pub fn tapped<S: Books>(&self, job: SyncJob<S>) -> SyncJob<RecordedBooks<S>> {
        let scribe = Arc::new(Scribe {
            book: Arc::clone(&self.book),
            turns: Turns::default(),
            asked: AtomicBool::new(false),
            over: AtomicBool::new(false),
            below: job.tap,
        });
        SyncJob {
            store: RecordedBooks {
                store: job.store,
                scribe: Arc::clone(&scribe),
                stream: job.stream.clone(),
            },
            plugin: job.plugin,
            connection: job.connection,
            stream: job.stream,
            model_schema: job.model_schema,
            asset_rules: job.asset_rules,
            egress: job.egress,
            tap: Some(scribe),
            options: job.options,
            observer: job.observer,
            cancel: job.cancel,
        }
    }

    /// Ends the recording: how often a secret was taken out.
    ///
    /// # Errors
    /// Where not all could be written.
    pub fn close(&self) -> Result<u64, RecordingError> {
        self.book.writer.close()
    }

    /// Leaves the recording where it is: it says that it is cut short.
    ///
    /// # Errors
    /// Where not all could be written.
    pub(super) fn leave(&self) -> Result<(), RecordingError> {
        self.book.writer.leave()
    }

    /// Writes down what another recording says.
    pub(super) fn copy(&self, event: &Event) {
        self.book.write(event);
    }
}

/// Writes one sync down.
struct Scribe {
    book: Arc<Book>,
    turns: Turns,
    asked: AtomicBool,
    /// The run has ended. What its instance still does while it is being ended belongs to nothing.
    over: AtomicBool,
    below: Option<Arc<dyn Tap>>,
}

impl Scribe {
    /// Writes down what the component does or is told.
    fn write(&self, event: &Event) {
        if !self.over.load(Ordering::SeqCst) {
            self.book.write(event);
        }
    }

    fn id(&self) -> u64 {
        self.book.ids.fetch_add(1, Ordering::Relaxed)
    }
}

impl Tap for Scribe {
    fn reach(self: Arc<Self>, plain: Reach) -> Reach {
        let plain = match &self.below {
            Some(below) => Arc::clone(below).reach(plain),
            None => plain,
        };
        Reach {
            egress: plain.egress.map(|inner| {
                Arc::new(RecordedOutbound {
                    inner,
                    scribe: Arc::clone(&self),
                }) as _
            }),
            inventory: Arc::new(RecordedInventory {
                inner: plain.inventory,
                scribe: Arc::clone(&self),
            }),
            clock: Arc::new(RecordedClock {
                inner: plain.clock,
                scribe: Arc::clone(&self),
            }),
            log: Arc::new(RecordedLog {
                inner: plain.log,
                scribe: Arc::clone(&self),
            }),
            tap: Some(self),
        }
    }

    fn instance(&self, request: &SyncRequest) {
        if let Some(below) = &self.below {
            below.instance(request);
        }
        self.turns.clear();
        self.write(&instance(request, self.book.ids.load(Ordering::Relaxed)));
    }

    fn asked(&self) {
        if let Some(below) = &self.below {
            below.asked();
        }
        self.asked.store(true, Ordering::SeqCst);
    }

    fn gave(&self, progress: &Result<Progress, Fault>) -> bool {
        self.asked.store(false, Ordering::SeqCst);
        if self
            .below
            .as_ref()
            .is_some_and(|below| !below.gave(progress))
        {
            return false;
        }
        self.write(&gave(progress));
        true
    }

    fn idle(&self) {
        if !self.asked.load(Ordering::SeqCst) || self.turns.next() {
            return;
        }
        if let Some(below) = &self.below {
            below.idle();
        }
    }

    fn sleep(self: Arc<Self>, milliseconds: u64) -> BoxFuture<'static, ()> {
        let id = self.id();
        self.write(&Event::Sleep {
            id,
            ms: milliseconds,
        });
        // Begun now: what is below counts as well.
        let sleep: BoxFuture<'static, ()> = match &self.below {
            Some(below) => Arc::clone(below).sleep(milliseconds),
            None => {
                let most = milliseconds.min(u64::from(u32::MAX));
                Box::pin(tokio::time::sleep(Duration::from_millis(most)))
            }
        };
        Box::pin(async move {
            sleep.await;
            self.turns.wait().await;
            self.write(&Event::Woke { id });
        })
    }
}

/// What an instance is asked, as an event.
pub(super) fn instance(request: &SyncRequest, first: u64) -> Event {
    Event::Instance {
        first,
        stream: request.data_stream.clone(),
        mode: match request.mode {
            WitMode::Full => Mode::Full,
            WitMode::Incremental => Mode::Incremental,
        },
        checkpoint: request
            .checkpoint
            .as_deref()
            .map(|checkpoint| digest::of("checkpoint", checkpoint)),
    }
}

/// What a call gave, as an event.
pub(super) fn gave(progress: &Result<Progress, Fault>) -> Event {
    match progress {
        Ok(progress) => Event::Gave {
            end: matches!(progress, Progress::End(_)),
            parts: digest::progress(progress),
        },
        Err(fault) => Event::Fault {
            fault: RunFault::from(fault.clone()),
        },
    }
}

/// A line of log as an event.
pub(super) fn line(line: &LogLine) -> Event {
    Event::Log {
        level: line.level.as_str().to_ascii_lowercase(),
        message: line.message.clone(),
        fields: line.fields.clone(),
    }
}

struct RecordedClock {
    inner: Arc<dyn Clock>,
    scribe: Arc<Scribe>,
}

impl Clock for RecordedClock {
    fn now(&self) -> Timestamp {
        let now = self.inner.now();
        self.scribe.write(&Event::Now { ms: now.as_ms() });
        now
    }
}

struct RecordedLog {
    inner: Arc<dyn LogSink>,
    scribe: Arc<Scribe>,
}

impl LogSink for RecordedLog {
    fn write(&self, entry: LogLine) {
        self.scribe.write(&line(&entry));
        self.inner.write(entry);
    }
}

struct RecordedInventory {
    inner: Arc<dyn Inventory>,
    scribe: Arc<Scribe>,
}

impl Inventory for RecordedInventory {
    fn open(
        &self,
        data_stream: String,
        oldest_check_first: bool,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<HeldRecord>, String>> {
        Box::pin(async move {
            let id = self.scribe.id();
            self.scribe.write(&Event::List {
                id,
                stream: data_stream.clone(),
                oldest: oldest_check_first,
                after: after.clone(),
                limit,
            });
            let held = self
                .inner
                .open(data_stream, oldest_check_first, after, limit)
                .await;
            self.scribe.turns.wait().await;
            let (records, error) = match &held {
                Ok(records) => (records.as_slice(), None),
                Err(error) => (&[][..], Some(error.clone())),
            };
            self.scribe.write(&Event::Held {
                id,
                records: records
                    .iter()
                    .map(|record| Holding {
                        key: record.key.clone(),
                        checked: record.checked,
                        fingerprint: record.fingerprint.clone(),
                    })
                    .collect(),
                error,
            });
            held
        })
    }
}
