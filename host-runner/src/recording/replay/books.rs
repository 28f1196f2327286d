//! The run's account: what it asks of the store is answered as it was then, and what it would commit is compared.

use super::state::{Replayer, State, Stop};
use crate::domain::{ConnectionId, DataStreamName, Ledger, Mode, RunId, SyncId};
use crate::pipeline::{Books, Chosen};
use crate::recording::digest;
use crate::recording::event::Event;
use crate::recording::file::Numbered;
use crate::recording::record::{judgement, standing};
use crate::store::{
    BeginSync, EndCommit, EndReport, NewRun, OpenRecord, OpenRecords, RunEnd, SetAside, Standing,
    StandingQuery, StepCommit, StoreError, SyncHistory, SyncState,
};
use std::sync::Arc;

/// A store that answers from a recording, and keeps nothing.
#[derive(Clone)]
pub struct ReplayedBooks(Arc<Replayer>);

impl ReplayedBooks {
    pub(super) fn of(replayer: &Arc<Replayer>) -> Self {
        Self(Arc::clone(replayer))
    }

    /// Takes what comes next in the run's account, where `wanted` finds in it what it looks for. Else the replay ends here, and nothing is answered.
    async fn next<T>(
        &self,
        asks: &str,
        wanted: impl FnOnce(&Numbered, &mut State) -> Result<T, Vec<String>>,
    ) -> T {
        if let Some(answer) = self.found(asks, wanted) {
            return answer;
        }
        std::future::pending().await
    }

    fn found<T>(
        &self,
        asks: &str,
        wanted: impl FnOnce(&Numbered, &mut State) -> Result<T, Vec<String>>,
    ) -> Option<T> {
        let replayer = &self.0;
        let mut state = replayer.state();
        let recorded = match state.run.take() {
            Ok(Some(recorded)) => recorded,
            Ok(None) => {
                replayer.stop(Stop::Cut);
                return None;
            }
            Err(error) => {
                replayer.stop(Stop::Broken(error));
                return None;
            }
        };
        match wanted(&recorded, &mut state) {
            Ok(answer) => {
                replayer.settle(&mut state);
                Some(answer)
            }
            Err(details) => {
                if !matches!(recorded.event, Event::Finish { .. }) {
                    replayer.diverged(&recorded, asks, details);
                    return None;
                }
                if details.is_empty() {
                    replayer.stop(Stop::Over);
                } else {
                    replayer.diverged(&recorded, asks, details);
                }
                // Whoever tells how the run ended takes it.
                state.run.put_back(recorded);
                None
            }
        }
    }
}

impl Books for ReplayedBooks {
    fn chosen(&self) -> Option<Chosen> {
        let mut state = self.0.state();
        let (mode, reason) = match state.run.peek() {
            Ok(Some(Numbered {
                event: Event::Run { mode, reason, .. },
                ..
            })) => (*mode, reason.clone()),
            // Beginning the run will find out.
            _ => (Mode::Full, String::new()),
        };
        Some(Chosen { mode, reason })
    }

    async fn sync_history(
        &self,
        _connection: ConnectionId,
        _stream: &DataStreamName,
    ) -> Result<SyncHistory, StoreError> {
        Ok(SyncHistory::default())
    }

    async fn custom_fields(&self) -> Result<Vec<String>, StoreError> {
        let fields = self.next("begins to sync", |recorded, _| match &recorded.event {
            Event::Stream { custom_fields, .. } => Ok(custom_fields.clone()),
            _ => Err(Vec::new()),
        });
        Ok(fields.await)
    }

    async fn begin_run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        let id = self.next("begins a run", |recorded, state| match &recorded.event {
            Event::Run { run: id, mode, .. } if *mode == run.mode => {
                state.begin(&recorded.event);
                // What was still under way when an earlier run was ended.
                while let Ok(Some(next)) = state.guest.peek() {
                    if matches!(next.event, Event::Instance { .. }) {
                        break;
                    }
                    let _ = state.guest.take();
                }
                Ok(*id)
            }
            Event::Run { mode, .. } => Err(vec![format!("{mode} then, {} now", run.mode)]),
            _ => Err(Vec::new()),
        });
        Ok(id.await)
    }

    async fn begin_or_resume_sync(&self, _begin: &BeginSync) -> Result<SyncState, StoreError> {
        let sync = self.next("begins a sync", |recorded, state| match &recorded.event {
            Event::Sync {
                sync,
                checkpoint,
                started_at,
                resumed,
                scope_changed,
                ledger,
            } => {
                if let Some(run) = &mut state.current {
                    run.sync = Some(*sync);
                    run.resumed = *resumed;
                }
                Ok(SyncState {
                    sync: *sync,
                    checkpoint: checkpoint.clone().map(|checkpoint| checkpoint.0),
                    started_at: *started_at,
                    resumed: *resumed,
                    scope_changed: *scope_changed,
                    ledger: ledger.clone(),
                })
            }
            _ => Err(Vec::new()),
        });
        Ok(sync.await)
    }

    async fn abandon_sync(&self, _sync: SyncId) -> Result<(), StoreError> {
        let abandoned = self.next("gives the sync up", |recorded, _| match &recorded.event {
            Event::Abandoned => Ok(()),
            _ => Err(Vec::new()),
        });
        abandoned.await;
        Ok(())
    }

    async fn standing(&self, query: &StandingQuery<'_>) -> Result<Vec<Standing>, StoreError> {
        let standings =
            self.next(
                "gives other records than are compared",
                |recorded, _| match &recorded.event {
                    Event::Standing { letters } => {
                        let standings: Vec<Standing> =
                            letters.chars().filter_map(standing).collect();
                        if standings.len() == query.entries.len() {
                            Ok(standings)
                        } else {
                            Err(vec![format!(
                                "{} records then, {} now",
                                letters.len(),
                                query.entries.len()
                            )])
                        }
                    }
                    _ => Err(Vec::new()),
                },
            );
        Ok(standings.await)
    }

    async fn commit_step(&self, step: StepCommit) -> Result<Ledger, StoreError> {
        let made = digest::commit(&step);
        let strict = self.0.strict;
        let ledger = self.next("makes other documents", |recorded, state| {
            match &recorded.event {
                Event::Commit { parts, ledger, now } => {
                    if strict && parts.sha256 != made.sha256 {
                        return Err(parts.differences(&made));
                    }
                    if let Some(run) = &mut state.current {
                        run.ledger += ledger;
                        run.steps += 1;
                        run.committed_at = Some(*now);
                    }
                    Ok(ledger.clone())
                }
                _ => Err(Vec::new()),
            }
        });
        Ok(ledger.await)
    }

    async fn commit_end(&self, end: &EndCommit) -> Result<EndReport, StoreError> {
        let made = judgement(&end.coverage);
        let strict = self.0.strict;
        let report = self.next("ends the sync", |recorded, state| match &recorded.event {
            Event::Ended {
                coverage,
                verdict,
                ledger,
            } => {
                if strict && *coverage != made {
                    return Err(vec![
                        "the host judges otherwise whether it is complete".to_owned(),
                    ]);
                }
                if let Some(run) = &mut state.current {
                    run.ledger += ledger;
                }
                Ok(EndReport {
                    verdict: verdict.clone(),
                    ledger: ledger.clone(),
                })
            }
            _ => Err(Vec::new()),
        });
        Ok(report.await)
    }

    async fn finish_run(&self, _run: RunId, end: &RunEnd) -> Result<Option<SetAside>, StoreError> {
        let strict = self.0.strict;
        let finished = self.next("ends the run", |recorded, state| match &recorded.event {
            Event::Finish {
                state: then,
                fault,
                warnings,
                ..
            } => {
                let mut told = Vec::new();
                if *then != end.state {
                    told.push(format!("{then} then, {} now", end.state));
                }
                if strict && *fault != end.fault {
                    told.push(format!(
                        "another fault: {:?} then, {:?} now",
                        fault, end.fault
                    ));
                }
                if strict && *warnings != end.warnings {
                    told.push(format!(
                        "other warnings: {warnings:?} then, {:?} now",
                        end.warnings
                    ));
                }
                if told.is_empty() {
                    state.finish(&recorded.event);
                    Ok(())
                } else {
                    Err(told)
                }
            }
            _ => Err(Vec::new()),
        });
        finished.await;
        Ok(None)
    }

    async fn open_records(&self, _query: &OpenRecords) -> Result<Vec<OpenRecord>, StoreError> {
        // The component's questions are answered in its own account.
        Ok(Vec::new())
    }
}
