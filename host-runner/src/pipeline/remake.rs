//! Making documents anew from the source records that are kept, without one request to the API.
//!
//! It happens before a sync's first request and after a connection was changed, for each data stream whose documents were made with something else than
//! they would be now. That is a run of its own, and none where there is nothing to do. Each page is one transaction, and which records are due is
//! asked of the store each time: a run that is killed or stopped anywhere leaves the rest to the next one.

use super::accept;
use super::cancel::Cancel;
use super::fault::{FaultKind, RunFault};
use super::making::{Made, Part, differences};
use super::notes::Notes;
use super::observe::{Observer, Progress};
use super::prepare::prepare;
use super::report::SyncError;
use super::stop::Stop;
use crate::contract::connector;
use crate::domain::{DataStreamName, Ledger, Mode, RunId, RunState, Timestamp};
use crate::engine::{CallError, LimitReached, Mapper, Plugin};
use crate::store::{
    AssetRules, Beside, Conduct, Connection, Due, DueRecords, Entry, KeptRecord, NewRun, Outcome,
    Remade, RemakeCommit, RunEnd, SetAside, Store, StoreError, UsedMap,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Records that are made anew together: a page of the API.
const PAGE: u32 = 100;

/// How often the data streams are gone through: what one of them brings (an asset, say) may be what a record of an earlier one waited for.
const ROUNDS: u32 = 3;

/// Documents of one connection that are to be made anew.
pub struct RemakeJob<S> {
    /// The tenant's store.
    pub store: S,
    /// The component that the connection is bound to.
    pub plugin: Arc<Plugin>,
    /// The connection. Whoever calls holds its lock.
    pub connection: Connection,
    /// JSON Schema of the target model.
    pub model_schema: Vec<u8>,
    /// How documents are written to assets, the model's defaults filled in.
    pub asset_rules: AssetRules,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// How to stop it.
    pub cancel: Cancel,
}

/// A run that made documents anew.
#[derive(Debug, Clone)]
pub struct RemakeReport {
    /// Its id.
    pub run: RunId,
    /// Which data stream.
    pub stream: DataStreamName,
    /// What changed.
    pub reason: String,
    /// How it ended.
    pub state: RunState,
    /// Records that were due.
    pub due: u64,
    /// What became of them.
    pub ledger: Ledger,
    /// Why it ended early, where it did.
    pub fault: Option<RunFault>,
    /// The connection is set aside: this was one run too many that its component ended.
    pub set_aside: Option<SetAside>,
    /// What is worth telling a person.
    pub warnings: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// Makes documents anew that were made with something else than they would be now, in the order of reading. One report for each data stream where there
/// was something to do; after one that did not end well, or that was stopped, the others are left as they are.
///
/// # Errors
/// Where a run could not be begun, or the store failed to record its end.
pub async fn remake<S: Store>(job: &RemakeJob<S>) -> Result<Vec<RemakeReport>, SyncError> {
    let streams = streams(job).await?;
    let mut reports = Vec::new();
    for _ in 0..ROUNDS {
        let mut some = false;
        for (place, stream) in streams.iter().enumerate() {
            let due = job.store.due(&stream.due(job, 0)).await?;
            if due.records == 0 {
                continue;
            }
            some = true;
            let run = Run::begin(job, &streams, place, stream, due).await?;
            let report = run.finish().await?;
            let ended = report.state == RunState::Processed;
            reports.push(report);
            if !ended {
                return Ok(reports);
            }
        }
        if !some {
            break;
        }
    }
    Ok(reports)
}

/// A data stream of the connection.
struct Stream {
    name: DataStreamName,
    made: Made,
}

impl Stream {
    fn due<'a, S>(&'a self, job: &RemakeJob<S>, after: i64) -> DueRecords<'a> {
        DueRecords {
            connection: job.connection.id,
            stream: &self.name,
            made_with: &self.made.with,
            after,
            limit: PAGE,
        }
    }
}

/// The chosen data streams that the component has, each with what its documents are made with.
async fn streams<S: Store>(job: &RemakeJob<S>) -> Result<Vec<Stream>, SyncError> {
    let custom_fields = job.store.custom_fields().await?;
    let mut streams = Vec::new();
    for name in &job.connection.data_streams {
        let Some(declared) = job.plugin.manifest().data_stream(name.as_str()) else {
            continue;
        };
        let made = Made::of(
            &job.connection,
            &job.plugin,
            job.asset_rules.switches,
            declared,
            name,
            custom_fields.clone(),
        )?;
        streams.push(Stream {
            name: name.clone(),
            made,
        });
    }
    Ok(streams)
}

/// A run under way.
struct Run<'a, S> {
    job: &'a RemakeJob<S>,
    streams: &'a [Stream],
    place: usize,
    stream: &'a Stream,
    id: RunId,
    due: u64,
    reason: String,
    notes: Arc<Notes>,
    started: Instant,
    ledger: Ledger,
    /// The maps at work, by the place of their data stream: this one's, and those of others whose records feed the same assets.
    mappers: BTreeMap<usize, Mapper>,
}

impl<'a, S: Store> Run<'a, S> {
    async fn begin(
        job: &'a RemakeJob<S>,
        streams: &'a [Stream],
        place: usize,
        stream: &'a Stream,
        due: Due,
    ) -> Result<Self, SyncError> {
        let reason = reason(&due, &stream.made.with);
        let id = job
            .store
            .begin_run(&NewRun {
                connection: job.connection.id,
                stream: stream.name.clone(),
                mode: Mode::Remake,
                reason: reason.clone(),
                map: Some(UsedMap::from(&stream.made.map)),
                now: job.plugin.clock().now(),
            })
            .await?;
        Ok(Self {
            job,
            streams,
            place,
            stream,
            id,
            due: due.records,
            reason,
            notes: Arc::new(Notes::new(job.plugin.limits().sync_log_lines)),
            started: Instant::now(),
            ledger: Ledger::default(),
            mappers: BTreeMap::new(),
        })
    }

    async fn finish(mut self) -> Result<RemakeReport, SyncError> {
        let (state, fault) = match self.pages().await {
            Ok(true) => (RunState::Processed, None),
            Ok(false) => (RunState::Cancelled, None),
            Err(Stop::Fault(fault)) => (RunState::Failed, Some(fault)),
            Err(Stop::Store(error @ StoreError::Refused { .. })) => (
                RunState::Failed,
                Some(RunFault::broken_contract(error.to_string())),
            ),
            Err(Stop::Store(error)) => {
                let fault = RunFault::new(
                    FaultKind::Store,
                    error.to_string(),
                    "What was committed before is kept; mend the cause and sync again.",
                );
                (RunState::Failed, Some(fault))
            }
        };
        let warnings = self.notes.taken();
        // It says nothing good of a component that it maps: its syncs may break all the same, and are counted by themselves.
        let conduct = match &fault {
            Some(fault) if fault.is_the_components() => Conduct::Broken,
            _ => Conduct::Silent,
        };
        let end = RunEnd {
            state,
            now: self.now(),
            calls: serde_json::Value::Null,
            fault: fault
                .as_ref()
                .and_then(|fault| serde_json::to_value(fault).ok()),
            conduct,
            warnings: warnings.clone(),
            peak_memory: None,
            details: serde_json::json!({
                "component": self.job.plugin.sha256(),
                "due": self.due,
                "told": self.notes.told(),
            }),
        };
        let set_aside = self.job.store.finish_run(self.id, &end).await?;
        Ok(RemakeReport {
            run: self.id,
            stream: self.stream.name.clone(),
            reason: self.reason,
            state,
            due: self.due,
            ledger: self.ledger,
            fault,
            set_aside,
            warnings,
            duration: self.started.elapsed(),
        })
    }

    /// Page after page. False where someone said stop.
    async fn pages(&mut self) -> Result<bool, Stop> {
        let hours = self.job.plugin.limits().sync_wall_h;
        let deadline = Duration::from_secs(hours.saturating_mul(3_600));
        let mut after = 0;
        loop {
            if self.job.cancel.is_stopped() {
                return Ok(false);
            }
            let due = self.stream.due(self.job, after);
            let page = self.job.store.due_records(&due).await?;
            let Some(last) = page.last() else {
                return Ok(true);
            };
            after = last.record.id;
            if self.started.elapsed() > deadline {
                let reached = LimitReached::of(self.job.plugin.limits(), "sync-wall");
                return Err(CallError::Limit {
                    verb: "transform",
                    reached,
                }
                .into());
            }
            let cancel = self.job.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.stopped() => return Ok(false),
                done = self.page(page) => done?,
            }
        }
    }

    async fn page(&mut self, page: Vec<KeptRecord>) -> Result<(), Stop> {
        let with = &self.stream.made.with;
        let parts: Vec<Parts> = page.iter().map(|kept| Parts::of(kept, with)).collect();
        let otherwise: Vec<i64> = page
            .iter()
            .zip(&parts)
            .filter(|(_, parts)| parts.other_map)
            .map(|(kept, _)| kept.record.id)
            .collect();
        let beside = self.beside(&otherwise, &page).await?;
        let outcomes = self.outcomes(self.place, &page).await?;
        let records = page
            .into_iter()
            .zip(parts)
            .zip(outcomes)
            .map(|((kept, parts), outcome)| Remade {
                id: kept.record.id,
                entry: entry(kept, outcome),
                other_map: parts.other_map,
                stale: parts.stale,
            })
            .collect();
        let committed = self
            .job
            .store
            .commit_remake(&RemakeCommit {
                connection: self.job.connection.id,
                stream: self.stream.name.clone(),
                run: self.id,
                now: self.now(),
                made_with: self.stream.made.with.clone(),
                asset_rules: self.job.asset_rules.clone(),
                place: self.place,
                records,
                beside,
            })
            .await?;
        self.ledger += &committed;
        self.job.observer.step(&Progress {
            stream: self.stream.name.clone(),
            mode: Mode::Remake,
            read: self.ledger.read,
            expected: Some(self.due),
            note: None,
            ledger: self.ledger.clone(),
        });
        Ok(())
    }

    /// What other records give for the assets that another map laid down. One that its map rejects gives nothing, and is not listed.
    async fn beside(
        &mut self,
        otherwise: &[i64],
        page: &[KeptRecord],
    ) -> Result<Vec<Beside>, Stop> {
        if otherwise.is_empty() || !self.job.asset_rules.switches.update_existing_assets {
            return Ok(Vec::new());
        }
        let in_page: BTreeSet<i64> = page.iter().map(|kept| kept.record.id).collect();
        let others = self
            .job
            .store
            .beside(self.job.connection.id, otherwise)
            .await?;
        let mut by_stream: BTreeMap<usize, Vec<KeptRecord>> = BTreeMap::new();
        for kept in others {
            let place = self
                .streams
                .iter()
                .position(|stream| stream.name == kept.stream);
            if let Some(place) = place.filter(|_| !in_page.contains(&kept.record.id)) {
                by_stream.entry(place).or_default().push(kept);
            }
        }
        let mut beside = Vec::new();
        for (place, kept) in by_stream {
            for kept in kept.chunks(PAGE as usize) {
                let outcomes = self.outcomes(place, kept).await?;
                for (kept, outcome) in kept.iter().zip(outcomes) {
                    if let Outcome::Documents { documents, .. } = outcome {
                        beside.push(Beside {
                            id: kept.record.id,
                            place,
                            documents,
                        });
                    }
                }
            }
        }
        Ok(beside)
    }

    /// What the map of a data stream makes of records.
    async fn outcomes(&mut self, place: usize, kept: &[KeptRecord]) -> Result<Vec<Outcome>, Stop> {
        let Some(stream) = self.streams.get(place) else {
            return Ok(Vec::new());
        };
        let mut entries = Vec::with_capacity(kept.len());
        for kept in kept {
            entries.push(without_users(stream, accept::kept(&kept.record))?);
        }
        if !self.mappers.contains_key(&place) {
            let mapper = prepare(
                &self.job.plugin,
                &stream.name,
                &stream.made,
                &self.job.model_schema,
                &self.notes,
            )
            .await?;
            self.mappers.insert(place, mapper);
        }
        let Some(mapper) = self.mappers.get(&place) else {
            return Ok(Vec::new());
        };
        let limits = self.job.plugin.limits();
        let outcomes = mapper.apply(entries).await?;
        outcomes
            .into_iter()
            .map(|outcome| Ok(accept::outcome(outcome, limits)?))
            .collect()
    }

    fn now(&self) -> Timestamp {
        self.job.plugin.clock().now()
    }
}

/// What is kept holds no user where they are left out. Should one have been kept before that was asked for, it is in no document either.
fn without_users(stream: &Stream, entry: connector::Entry) -> Result<connector::Entry, Stop> {
    let Some(leave_out) = &stream.made.leave_out else {
        return Ok(entry);
    };
    let body = leave_out.record(&entry.body).map_err(|unfit| {
        RunFault::new(
            FaultKind::Store,
            format!("the kept record `{}`: {unfit}", entry.key),
            "Sync in full: `sync --mode full` keeps it anew.",
        )
    })?;
    Ok(connector::Entry { body, ..entry })
}

/// The record as it is kept, with what the map makes of it.
fn entry(kept: KeptRecord, outcome: Outcome) -> Entry {
    let record = kept.record;
    Entry {
        partial: accept::kept(&record).partial,
        key: record.key,
        fingerprint: record.fingerprint,
        seen_at: record.seen_at,
        body: record.body,
        outcome,
    }
}

/// What differs from how a record's documents were made.
#[derive(Debug, Clone, Copy)]
struct Parts {
    other_map: bool,
    stale: bool,
}

impl Parts {
    fn of(kept: &KeptRecord, with: &str) -> Self {
        match &kept.made_with {
            Some(before) => {
                let parts = differences(before, with);
                Self {
                    other_map: parts.contains(&Part::Map),
                    // Another build may keep more of what it reads, and users that were left out are not in the kept record.
                    stale: kept.stale
                        || parts.contains(&Part::Component)
                        || parts.contains(&Part::Users),
                }
            }
            // It waited for its asset, and then it was never laid over one; or its users were taken out of all that is kept.
            None => Self {
                other_map: kept.stale,
                stale: kept.stale,
            },
        }
    }
}

/// What changed, for a person.
fn reason(due: &Due, with: &str) -> String {
    let parts: BTreeSet<Part> = due
        .made_with
        .iter()
        .flatten()
        .flat_map(|before| differences(before, with))
        .collect();
    let mut told: Vec<&str> = parts.into_iter().map(Part::as_str).collect();
    let last = told.pop();
    match (told.is_empty(), last) {
        (_, None) => "records to be tried again".to_owned(),
        (true, Some(last)) => format!("{last} changed"),
        (false, Some(last)) => format!("{} and {last} changed", told.join(", ")),
    }
}
