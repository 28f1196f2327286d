//! What another configuration leaves out of what is held, done on a copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::WhatIfError;
use crate::connection::{ConnectionError, Desk, maps};
use crate::contract::connector::{Entry as WitEntry, Sifted as Word};
use crate::domain::{DataStreamName, Mode};
use crate::engine::Mapper;
use crate::pipeline::{RemakeJob, RunFault, kept_entry, making, outcome};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    BeginSync, Closing, Closure, Connection, Entry, NewRun, Outcome, Record, RecordQuery,
    RecordState, StepCommit, Store,
};

/// Records that are sifted together.
const PAGE: u32 = 200;

/// What another configuration would do with what is held of a data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sifted {
    /// The data stream.
    pub stream: DataStreamName,
    /// Open records that it leaves out, by the filter's name.
    pub leaves: BTreeMap<String, u64>,
    /// Open records that would be others.
    pub changes: u64,
    /// Records that are kept out of scope now, and that it lets in: they come in with the next sync.
    pub comes_in: u64,
    /// Whether it may take in what is not held at all: only a sync can tell.
    pub may_add: bool,
    /// Records that would be others and that the map rejects.
    pub rejected: u64,
}

/// Sifts each data stream that is chosen before and after, where the configuration is another one. `job` is of the copy, where the change is made.
pub(super) async fn sift(
    desk: &Desk,
    job: &RemakeJob<SqliteStore>,
    before: &Connection,
) -> Result<Vec<Sifted>, WhatIfError> {
    let after = &job.connection;
    if before.config == after.config {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for stream in &after.data_streams {
        if !before.data_streams.contains(stream) {
            continue;
        }
        let sifting = Sifting {
            desk,
            job,
            before,
            stream,
            custom_fields: job.store.custom_fields().await?,
        };
        all.push(sifting.all().await?);
        if job.cancel.is_stopped() {
            break;
        }
    }
    Ok(all)
}

struct Sifting<'a> {
    desk: &'a Desk,
    job: &'a RemakeJob<SqliteStore>,
    before: &'a Connection,
    stream: &'a DataStreamName,
    custom_fields: Vec<String>,
}

impl Sifting<'_> {
    async fn all(&self) -> Result<Sifted, WhatIfError> {
        let connection = &self.job.connection;
        let mut sifted = Sifted {
            stream: self.stream.clone(),
            leaves: BTreeMap::new(),
            changes: 0,
            comes_in: 0,
            may_add: false,
            rejected: 0,
        };
        // As the next sync would commit it.
        let now = self.desk.clock.now();
        let run = NewRun {
            connection: connection.id,
            stream: self.stream.clone(),
            mode: Mode::Full,
            reason: "what if".to_owned(),
            map: None,
            now,
        };
        let run = self.job.store.begin_run(&run).await?;
        let begin = BeginSync {
            run,
            connection: connection.id,
            stream: self.stream.clone(),
            mode: Mode::Full,
            scope: connection.scope_of(self.stream).to_owned(),
            restart: true,
            now,
        };
        let sync = self.job.store.begin_or_resume_sync(&begin).await?.sync;
        let mut mapper = None;
        let mut after = None;
        while !self.job.cancel.is_stopped() {
            let query = RecordQuery {
                connection: connection.id,
                stream: self.stream.clone(),
                key: None,
                after,
                limit: PAGE,
            };
            let page = self.job.store.records(&query).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let (closures, changed) = self.page(page, &mut sifted).await?;
            let entries = self.entries(changed, &mut mapper, &mut sifted).await?;
            let step = StepCommit {
                connection: connection.id,
                stream: self.stream.clone(),
                run,
                sync,
                now: self.desk.clock.now(),
                made_with: self.made_with(),
                asset_rules: self.job.asset_rules.clone(),
                entries,
                closures,
                quarantine: Vec::new(),
                confirmed: Vec::new(),
                skipped: Vec::new(),
                checkpoint: b"{}".to_vec(),
            };
            self.job.store.commit_step(step).await?;
        }
        Ok(sifted)
    }

    /// Sorts a page: what leaves, and what would be another record.
    async fn page(
        &self,
        page: Vec<Record>,
        sifted: &mut Sifted,
    ) -> Result<(Vec<Closure>, Vec<WitEntry>), WhatIfError> {
        let held: Vec<Record> = page
            .into_iter()
            .filter(|record| record.state != RecordState::Closed)
            .collect();
        let sifting = self
            .desk
            .plugin
            .sift(
                &self.before.config,
                &self.job.connection.config,
                self.stream.as_str(),
                held.iter().map(kept_entry).collect(),
                Arc::new(crate::imports::Silent),
            )
            .await
            .map_err(ConnectionError::from)?;
        let sifting =
            sifting.map_err(|fault| WhatIfError::Fault(Box::new(RunFault::from(fault))))?;
        sifted.may_add |= sifting.may_add;
        let (mut closures, mut changed) = (Vec::new(), Vec::new());
        for (record, word) in held.iter().zip(sifting.entries) {
            match (record.state, word) {
                (RecordState::Open, Word::Leaves(filter)) => {
                    let count = sifted.leaves.entry(filter.clone()).or_default();
                    *count = count.saturating_add(1);
                    closures.push(Closure {
                        key: record.key.clone(),
                        closing: Closing::OutOfScope(filter),
                        evidence: "the other configuration leaves it out".to_owned(),
                        at: None,
                    });
                }
                (RecordState::Open, Word::Changes(body)) => {
                    sifted.changes += 1;
                    changed.push(WitEntry {
                        body,
                        fingerprint: "what if".to_owned(),
                        ..kept_entry(record)
                    });
                }
                (RecordState::OutOfScope, Word::Stays | Word::Changes(_)) => sifted.comes_in += 1,
                _ => {}
            }
        }
        Ok((closures, changed))
    }

    /// What the map makes of records that would be others.
    async fn entries(
        &self,
        changed: Vec<WitEntry>,
        mapper: &mut Option<Mapper>,
        sifted: &mut Sifted,
    ) -> Result<Vec<Entry>, WhatIfError> {
        let connection = &self.job.connection;
        let (false, Some(map)) = (changed.is_empty(), connection.maps.get(self.stream)) else {
            return Ok(Vec::new());
        };
        let mapper = match mapper {
            Some(mapper) => mapper,
            none => none.insert(
                maps::prepare(
                    &self.desk.plugin,
                    self.stream,
                    map,
                    &connection.target,
                    &self.custom_fields,
                    Arc::new(crate::imports::Silent),
                )
                .await?,
            ),
        };
        let kept: Vec<WitEntry> = changed.clone();
        let made = mapper.apply(changed).await.map_err(ConnectionError::from)?;
        let limits = self.desk.plugin.limits();
        let mut entries = Vec::with_capacity(kept.len());
        for (entry, made) in kept.into_iter().zip(made) {
            let outcome =
                outcome(made, limits).map_err(|fault| WhatIfError::Fault(Box::new(fault)))?;
            if matches!(outcome, Outcome::Rejected(_)) {
                sifted.rejected += 1;
            }
            entries.push(Entry {
                key: entry.key,
                fingerprint: entry.fingerprint,
                seen_at: None,
                partial: entry.partial,
                body: entry.body,
                outcome,
            });
        }
        Ok(entries)
    }

    fn made_with(&self) -> String {
        let connection = &self.job.connection;
        connection
            .maps
            .get(self.stream)
            .map(|map| {
                making(
                    map,
                    self.desk.plugin.sha256(),
                    self.job.asset_rules.switches,
                    &self.custom_fields,
                    connection.leave_out_users,
                )
            })
            .unwrap_or_default()
    }
}
