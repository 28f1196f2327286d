//! The run itself: step by step from the component to the store.

use super::accept;
use super::books::Books;
use super::bounds::Bounds;
use super::fault::{FaultKind, RunFault};
use super::guard::guard;
use super::inventory::StoreInventory;
use super::job::SyncJob;
use super::judge::judge;
use super::making::Made;
use super::mode::{Chosen, Due, choose};
use super::notes::Notes;
use super::observe::Progress;
use super::prepare::prepare;
use super::report::{RunReport, SyncError};
use super::stop::{Ending, Stop};
use crate::contract::connector::{self, SyncRequest};
use crate::domain::{Ledger, Mode, RunId, RunState, Timestamp};
use crate::engine::{CallError, Delivery, LimitReached, Mapper};
use crate::imports::Reach;
use crate::personal::LeaveOut;
use crate::store::{
    BeginSync, Conduct, EndCommit, Entry, NewRun, Outcome, RemovalGuard, RunEnd, StandingQuery,
    StepCommit, StoreError, SyncState, UsedMap, Verdict,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Syncs one data stream: begins a run, or goes on with an interrupted sync, and records how it ended.
///
/// A run that fails is no error here: its report says what happened. What it committed is kept, and the next run goes on from
/// there.
///
/// # Errors
/// Where no run could be begun, or the store failed to record its end.
pub async fn sync<S: Books>(job: &SyncJob<S>) -> Result<RunReport, SyncError> {
    let history = job
        .store
        .sync_history(job.connection.id, &job.stream)
        .await?;
    let declared = job
        .plugin
        .manifest()
        .data_stream(job.stream.as_str())
        .filter(|_| job.connection.data_streams.contains(&job.stream));
    let Some(declared) = declared else {
        let chosen: Vec<&str> = job
            .connection
            .data_streams
            .iter()
            .map(AsRef::as_ref)
            .collect();
        return Err(SyncError::Stream {
            connection: job.connection.name.to_string(),
            stream: job.stream.to_string(),
            chosen: chosen.join(", "),
        });
    };
    let made = Made::of(
        &job.connection,
        &job.plugin,
        job.asset_rules.switches,
        declared,
        &job.stream,
        job.store.custom_fields().await?,
    )?;
    let chosen = match job.store.chosen() {
        Some(chosen) => chosen,
        None => choose(
            &history,
            &Due::of(
                &job.connection,
                &job.stream,
                job.options.mode,
                declared.incremental,
                made.with.clone(),
                job.plugin.clock().now(),
            ),
        )
        .map_err(SyncError::Mode)?,
    };
    let guard = guard(&job.options.guard, &job.connection, &history);

    let report = Run::begin(job, chosen, job.options.restart, &made, &guard)
        .await?
        .finish()
        .await?;
    let unusable = report
        .fault
        .as_ref()
        .filter(|fault| fault.kind == FaultKind::Checkpoint)
        .map(|fault| fault.message.clone());
    let Some(message) = unusable else {
        return Ok(report);
    };
    // Once: a connector that refuses its own fresh start has no checkpoint to blame.
    let again = Chosen {
        mode: Mode::Full,
        reason: format!("the last checkpoint could not be used: {message}"),
    };
    Run::begin(job, again, true, &made, &guard)
        .await?
        .finish()
        .await
}

/// A run under way.
struct Run<'a, S> {
    job: &'a SyncJob<S>,
    id: RunId,
    chosen: Chosen,
    sync: SyncState,
    notes: Arc<Notes>,
    started: Instant,
    /// What this run committed.
    ledger: Ledger,
    steps: u64,
    peak_memory: u64,
    made: &'a Made,
    guard: &'a RemovalGuard,
    last_checkpoint: Option<Vec<u8>>,
    bounds: Bounds,
}

impl<'a, S: Books> Run<'a, S> {
    async fn begin(
        job: &'a SyncJob<S>,
        chosen: Chosen,
        restart: bool,
        made: &'a Made,
        guard: &'a RemovalGuard,
    ) -> Result<Self, SyncError> {
        let now = job.plugin.clock().now();
        let connection = &job.connection;
        let id = job
            .store
            .begin_run(&NewRun {
                connection: connection.id,
                stream: job.stream.clone(),
                mode: chosen.mode,
                reason: chosen.reason.clone(),
                map: Some(UsedMap::from(&made.map)),
                now,
            })
            .await?;
        let sync = job
            .store
            .begin_or_resume_sync(&BeginSync {
                run: id,
                connection: connection.id,
                stream: job.stream.clone(),
                mode: chosen.mode,
                scope: connection.scope_of(&job.stream).to_owned(),
                restart,
                now,
            })
            .await?;
        Ok(Self {
            job,
            id,
            last_checkpoint: sync.checkpoint.clone(),
            chosen,
            sync,
            notes: Arc::new(Notes::new(job.plugin.limits().sync_log_lines)),
            started: Instant::now(),
            ledger: Ledger::default(),
            steps: 0,
            peak_memory: 0,
            made,
            guard,
            bounds: Bounds::default(),
        })
    }

    /// Runs until there is nothing more to read, or something ends it; then records how it ended.
    async fn finish(mut self) -> Result<RunReport, SyncError> {
        let ending = match self.read().await {
            Ok(ending) => ending,
            Err(Stop::Fault(fault)) => Ending::Fault(fault),
            // What the store refuses is what the component handed over.
            Err(Stop::Store(error @ StoreError::Refused { .. })) => {
                Ending::Fault(RunFault::broken_contract(error.to_string()))
            }
            Err(Stop::Store(error)) => Ending::Fault(RunFault::new(
                FaultKind::Store,
                error.to_string(),
                "What was committed before is kept; mend the cause and sync again.",
            )),
        };
        let (state, verdict, fault) = match ending {
            Ending::End(verdict @ Verdict::Withheld { .. }) => {
                (RunState::Withheld, Some(verdict), None)
            }
            Ending::End(verdict) => (RunState::Processed, Some(verdict), None),
            Ending::Cancelled => (RunState::Cancelled, None, None),
            Ending::Fault(fault) => (RunState::Failed, None, Some(fault)),
        };
        if fault
            .as_ref()
            .is_some_and(|fault| fault.kind == FaultKind::Checkpoint)
        {
            self.job.store.abandon_sync(self.sync.sync).await?;
        }
        if !self.ledger.adds_up() {
            self.notes.add(format!(
                "the account does not add up: {} read, {} accounted for",
                self.ledger.read,
                self.ledger.accounted()
            ));
        }
        let usage = self.job.egress.take_usage();
        let warnings = self.notes.taken();
        let conduct = match &fault {
            Some(fault) if fault.is_the_components() => Conduct::Broken,
            None if state != RunState::Cancelled => Conduct::Sound,
            _ => Conduct::Silent,
        };
        let set_aside = self
            .job
            .store
            .finish_run(
                self.id,
                &RunEnd {
                    state,
                    now: self.job.plugin.clock().now(),
                    calls: serde_json::to_value(&usage).unwrap_or_default(),
                    fault: fault
                        .as_ref()
                        .and_then(|fault| serde_json::to_value(fault).ok()),
                    conduct,
                    warnings: warnings.clone(),
                    peak_memory: Some(self.peak_memory),
                    details: serde_json::json!({
                        "component": self.job.plugin.sha256(),
                        "removal": verdict,
                        "told": self.notes.told(),
                    }),
                },
            )
            .await?;
        Ok(RunReport {
            run: self.id,
            stream: self.job.stream.clone(),
            mode: self.chosen.mode,
            reason: self.chosen.reason,
            state,
            resumed: self.sync.resumed,
            ledger: self.ledger,
            verdict,
            fault,
            set_aside,
            warnings,
            usage,
            steps: self.steps,
            duration: self.started.elapsed(),
            peak_memory: self.peak_memory,
        })
    }

    async fn read(&mut self) -> Result<Ending, Stop> {
        let mapper = self.mapper().await?;
        let hours = self.job.plugin.limits().sync_wall_h;
        let deadline = Duration::from_secs(hours.saturating_mul(3_600));
        // Of the instances that were replaced.
        let mut requests = 0_u64;
        loop {
            let mut reading = self.job.plugin.sync(self.request(), self.reach()).await?;
            let recycled = loop {
                let left = deadline.saturating_sub(self.started.elapsed());
                let delivery = tokio::select! {
                    biased;
                    () = self.job.cancel.stopped() => return Ok(Ending::Cancelled),
                    delivery = tokio::time::timeout(left, reading.next()) => delivery,
                };
                let delivery = delivery.map_err(|_| self.limit("sync-wall"))?;
                self.peak_memory = self.peak_memory.max(reading.memory_peak());
                let sent = requests.saturating_add(reading.requests());
                if sent > self.job.plugin.limits().sync_requests {
                    return Err(self.limit("sync-requests").into());
                }
                match delivery {
                    Some(Delivery::Progress(connector::Progress::Step(step))) => {
                        self.step(&mapper, step).await?;
                    }
                    Some(Delivery::Progress(connector::Progress::End(summary))) => {
                        return Ok(Ending::End(self.end(summary).await?));
                    }
                    Some(Delivery::Recycle) => break true,
                    Some(Delivery::Fault(fault)) => return Ok(Ending::Fault(fault.into())),
                    Some(Delivery::Broken(error)) => return Ok(Ending::Fault(error.into())),
                    None => break false,
                }
            };
            if !recycled {
                return Err(RunFault::broken_contract(
                    "the connector's instance ended without a word",
                )
                .into());
            }
            requests = requests.saturating_add(reading.requests());
            tracing::debug!(stream = %self.job.stream, "the instance has grown: a new one goes on from the last checkpoint");
        }
    }

    async fn mapper(&self) -> Result<Mapper, Stop> {
        prepare(
            &self.job.plugin,
            &self.job.stream,
            self.made,
            &self.job.model_schema,
            &self.notes,
        )
        .await
    }

    fn request(&self) -> SyncRequest {
        SyncRequest {
            config: self.job.connection.config.to_string().into_bytes(),
            data_stream: self.job.stream.to_string(),
            mode: match self.chosen.mode {
                Mode::Incremental => connector::Mode::Incremental,
                // A sync is never a remake: that asks the component for no record.
                Mode::Full | Mode::Remake => connector::Mode::Full,
            },
            checkpoint: self.last_checkpoint.clone(),
        }
    }

    fn reach(&self) -> Reach {
        let plain = Reach {
            egress: Some(Arc::clone(&self.job.egress)),
            inventory: Arc::new(StoreInventory {
                store: self.job.store.clone(),
                connection: self.job.connection.id,
                streams: self.job.connection.data_streams.clone(),
                before: Some(self.sync.sync),
            }),
            clock: self.job.plugin.clock(),
            log: Arc::clone(&self.notes) as _,
            tap: None,
        };
        match &self.job.tap {
            Some(tap) => Arc::clone(tap).reach(plain),
            None => plain,
        }
    }

    async fn step(&mut self, mapper: &Mapper, step: connector::Step) -> Result<(), Stop> {
        accept::step(&step, self.job.plugin.limits())?;
        self.bounds
            .count(
                &step,
                self.last_checkpoint.as_deref(),
                self.job.plugin.limits(),
            )
            .map_err(|limit| self.limit(limit))?;
        self.filters(&step)?;
        let entries = self.transform(mapper, step.entries).await?;
        let committed = self
            .job
            .store
            .commit_step(StepCommit {
                connection: self.job.connection.id,
                stream: self.job.stream.clone(),
                run: self.id,
                sync: self.sync.sync,
                now: self.now(),
                made_with: self.made.with.clone(),
                asset_rules: self.job.asset_rules.clone(),
                entries,
                closures: step.closures.into_iter().map(accept::closure).collect(),
                quarantine: step
                    .quarantine
                    .into_iter()
                    .map(accept::unreadable)
                    .map(|unreadable| match self.made.leave_out {
                        Some(_) => unreadable.without_raw(),
                        None => unreadable,
                    })
                    .collect(),
                confirmed: step.confirmed,
                skipped: step.skipped,
                checkpoint: step.checkpoint.clone(),
            })
            .await?;
        self.ledger += &committed;
        self.steps += 1;
        self.last_checkpoint = Some(step.checkpoint);
        self.job.observer.step(&Progress {
            stream: self.job.stream.clone(),
            mode: self.chosen.mode,
            read: step.read,
            expected: step.expected,
            note: accept::note(step.note),
            ledger: self.ledger.clone(),
        });
        Ok(())
    }

    /// Only what is new or changed is transformed; the rest keeps its documents.
    async fn transform(
        &self,
        mapper: &Mapper,
        entries: Vec<connector::Entry>,
    ) -> Result<Vec<Entry>, Stop> {
        let fingerprints: Vec<_> = entries.iter().map(accept::fingerprint).collect();
        let keys: Vec<(&str, &str)> = entries
            .iter()
            .zip(&fingerprints)
            .map(|(entry, fingerprint)| (entry.key.as_str(), fingerprint.as_ref()))
            .collect();
        let standings = self
            .job
            .store
            .standing(&StandingQuery {
                connection: self.job.connection.id,
                stream: &self.job.stream,
                sync: self.sync.sync,
                entries: &keys,
                made_with: &self.made.with,
            })
            .await?;
        // What is as it was is not written again.
        let needed = standings.iter().map(|standing| standing.needs_transform());
        let entries = without_users(self.made.leave_out.as_ref(), entries, needed)?;
        let due: Vec<connector::Entry> = entries
            .iter()
            .zip(&standings)
            .filter(|(_, standing)| standing.needs_transform())
            .map(|(entry, _)| connector::Entry {
                key: entry.key.clone(),
                fingerprint: entry.fingerprint.clone(),
                seen_at: entry.seen_at,
                partial: entry.partial,
                body: entry.body.clone(),
            })
            .collect();
        let mut outcomes = if due.is_empty() {
            Vec::new().into_iter()
        } else {
            mapper.apply(due).await?.into_iter()
        };
        entries
            .into_iter()
            .zip(standings)
            .map(|(entry, standing)| {
                let outcome = if standing.needs_transform() {
                    accept::outcome(
                        outcomes.next().ok_or_else(missing_outcome)?,
                        self.job.plugin.limits(),
                    )?
                } else {
                    Outcome::Unchanged
                };
                Ok(Entry {
                    fingerprint: accept::fingerprint(&entry).into_owned(),
                    key: entry.key,
                    seen_at: accept::checked_time(entry.seen_at),
                    partial: entry.partial,
                    body: entry.body,
                    outcome,
                })
            })
            .collect()
    }

    async fn end(&mut self, summary: connector::Summary) -> Result<Verdict, Stop> {
        accept::checkpoint(&summary.checkpoint, self.job.plugin.limits())?;
        let mut whole = self.sync.ledger.clone();
        whole += &self.ledger;
        let report = self
            .job
            .store
            .commit_end(&EndCommit {
                run: self.id,
                sync: self.sync.sync,
                now: self.now(),
                checkpoint: summary.checkpoint,
                made_with: self.made.with.clone(),
                coverage: judge(accept::coverage(summary.coverage), &whole),
                guard: self.guard.clone(),
            })
            .await?;
        self.ledger += &report.ledger;
        match &report.verdict {
            Verdict::Incomplete { reasons } => {
                for reason in reasons {
                    self.notes.add(format!("nothing is removed: {reason}"));
                }
            }
            Verdict::Incremental { reasons } => {
                for reason in reasons {
                    self.notes
                        .add(format!("something may have been missed: {reason}"));
                }
            }
            Verdict::Complete { .. } | Verdict::Withheld { .. } => {}
        }
        Ok(report.verdict)
    }

    /// The account of a sync names its filters, and is kept with each step: a name for each record would make it grow without end.
    fn filters(&self, step: &connector::Step) -> Result<(), Stop> {
        let known = self.sync.ledger.filtered.keys();
        let known = known.chain(self.ledger.filtered.keys());
        let names: BTreeSet<&str> = known
            .map(String::as_str)
            .chain(accept::filters(step))
            .collect();
        if names.len() as u64 > self.job.plugin.limits().filters {
            return Err(self.limit("filters").into());
        }
        Ok(())
    }

    fn limit(&self, name: &'static str) -> RunFault {
        let reached = LimitReached::of(self.job.plugin.limits(), name);
        CallError::Limit {
            verb: "sync",
            reached,
        }
        .into()
    }

    fn now(&self) -> Timestamp {
        self.job.plugin.clock().now()
    }
}

/// The entries without their users, as far as they are needed.
fn without_users(
    leave_out: Option<&LeaveOut>,
    entries: Vec<connector::Entry>,
    needed: impl Iterator<Item = bool>,
) -> Result<Vec<connector::Entry>, Stop> {
    let Some(leave_out) = leave_out else {
        return Ok(entries);
    };
    entries
        .into_iter()
        .zip(needed)
        .map(|(entry, needed)| {
            let body = if needed {
                leave_out.record(&entry.body).map_err(|unfit| {
                    RunFault::broken_contract(format!(
                        "the connector gave the entry `{}`: {unfit}",
                        entry.key
                    ))
                })?
            } else {
                entry.body
            };
            Ok(connector::Entry { body, ..entry })
        })
        .collect()
}

fn missing_outcome() -> Stop {
    Stop::Fault(RunFault::broken_contract(
        "the connector gave fewer outcomes than entries",
    ))
}
