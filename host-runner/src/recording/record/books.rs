//! What the store answers a run, written down.

use super::Scribe;
use crate::domain::{ConnectionId, DataStreamName, Ledger, RunId, SyncId};
use crate::pipeline::{Books, Chosen};
use crate::recording::digest;
use crate::recording::event::Event;
use crate::recording::payload::Payload;
use crate::store::{
    BeginSync, Coverage, EndCommit, EndReport, NewRun, OpenRecord, OpenRecords, RunEnd, SetAside,
    Standing, StandingQuery, StepCommit, StoreError, SyncHistory, SyncState,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A store, with a scribe beside it.
pub struct RecordedBooks<S> {
    pub(super) store: S,
    pub(super) scribe: Arc<Scribe>,
    pub(super) stream: DataStreamName,
}

impl<S: Clone> Clone for RecordedBooks<S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            scribe: Arc::clone(&self.scribe),
            stream: self.stream.clone(),
        }
    }
}

/// The letter for how an entry stands.
pub(in crate::recording) fn letter(standing: Standing) -> char {
    match standing {
        Standing::New => 'n',
        Standing::Changed => 'c',
        Standing::NeedsTransform => 't',
        Standing::Unchanged => 'u',
        Standing::Duplicate => 'd',
    }
}

/// How an entry stands, by its letter.
pub(in crate::recording) fn standing(letter: char) -> Option<Standing> {
    Some(match letter {
        'n' => Standing::New,
        'c' => Standing::Changed,
        't' => Standing::NeedsTransform,
        'u' => Standing::Unchanged,
        'd' => Standing::Duplicate,
        _ => return None,
    })
}

/// The digest of the host's judgement.
pub(in crate::recording) fn judgement(coverage: &Coverage) -> String {
    let text = match coverage {
        Coverage::Complete { slices } => slices.to_string(),
        Coverage::Incomplete { reasons } => serde_json::json!(reasons).to_string(),
    };
    digest::of("judgement", text.as_bytes())
}

impl<S: Books> Books for RecordedBooks<S> {
    fn chosen(&self) -> Option<Chosen> {
        self.store.chosen()
    }

    async fn sync_history(
        &self,
        connection: ConnectionId,
        stream: &DataStreamName,
    ) -> Result<SyncHistory, StoreError> {
        self.store.sync_history(connection, stream).await
    }

    async fn custom_fields(&self) -> Result<Vec<String>, StoreError> {
        let fields = self.store.custom_fields().await?;
        self.scribe.book.write(&Event::Stream {
            stream: self.stream.clone(),
            custom_fields: fields.clone(),
        });
        Ok(fields)
    }

    async fn begin_run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        let id = self.store.begin_run(run).await?;
        self.scribe.over.store(false, Ordering::SeqCst);
        self.scribe.book.write(&Event::Run {
            run: id,
            mode: run.mode,
            reason: run.reason.clone(),
            now: run.now,
        });
        Ok(id)
    }

    async fn begin_or_resume_sync(&self, begin: &BeginSync) -> Result<SyncState, StoreError> {
        let state = self.store.begin_or_resume_sync(begin).await?;
        self.scribe.book.write(&Event::Sync {
            sync: state.sync,
            checkpoint: state.checkpoint.clone().map(Payload),
            started_at: state.started_at,
            resumed: state.resumed,
            scope_changed: state.scope_changed,
            ledger: state.ledger.clone(),
        });
        Ok(state)
    }

    async fn abandon_sync(&self, sync: SyncId) -> Result<(), StoreError> {
        self.store.abandon_sync(sync).await?;
        self.scribe.book.write(&Event::Abandoned);
        Ok(())
    }

    async fn standing(&self, query: &StandingQuery<'_>) -> Result<Vec<Standing>, StoreError> {
        let standings = self.store.standing(query).await?;
        self.scribe.book.write(&Event::Standing {
            letters: standings.iter().copied().map(letter).collect(),
        });
        Ok(standings)
    }

    async fn commit_step(&self, step: StepCommit) -> Result<Ledger, StoreError> {
        let (parts, now) = (digest::commit(&step), step.now);
        let ledger = self.store.commit_step(step).await?;
        self.scribe.book.write(&Event::Commit {
            parts,
            ledger: ledger.clone(),
            now,
        });
        Ok(ledger)
    }

    async fn commit_end(&self, end: &EndCommit) -> Result<EndReport, StoreError> {
        let report = self.store.commit_end(end).await?;
        self.scribe.book.write(&Event::Ended {
            coverage: judgement(&end.coverage),
            verdict: report.verdict.clone(),
            ledger: report.ledger.clone(),
        });
        Ok(report)
    }

    async fn finish_run(&self, run: RunId, end: &RunEnd) -> Result<Option<SetAside>, StoreError> {
        self.scribe.over.store(true, Ordering::SeqCst);
        let set_aside = self.store.finish_run(run, end).await?;
        self.scribe.book.write(&Event::Finish {
            state: end.state,
            now: end.now,
            calls: end.calls.clone(),
            fault: end.fault.clone(),
            warnings: end.warnings.clone(),
            peak_memory: end.peak_memory,
            details: end.details.clone(),
        });
        Ok(set_aside)
    }

    async fn open_records(&self, query: &OpenRecords) -> Result<Vec<OpenRecord>, StoreError> {
        self.store.open_records(query).await
    }
}
