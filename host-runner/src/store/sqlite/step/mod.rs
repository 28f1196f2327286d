//! Commits a step of a sync: one transaction, one statement per table whatever the number of records.

pub(super) mod assets;
pub(super) mod doubts;
pub(super) mod findings;
pub(super) mod identify;
pub(super) mod keys;
mod links;
pub(super) mod quarantine;
pub(super) mod records;
pub(super) mod sort;
pub(super) mod waiting;

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use self::assets::Anew;
use self::findings::Again;
use super::closing::{self, Leaving};
use super::fail::{Fail, refused};
use super::held::{Held, held};
use super::{SqliteStore, pack};
use crate::domain::{ConnectionId, Ledger, RunId, SyncId, Timestamp};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{Closing, Evidence, RecordState, Standing, StepCommit, StoreError};

/// What all statements of a step share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) connection: ConnectionId,
    pub(super) stream: i64,
    pub(super) sync: SyncId,
    /// None where it is a change of the configuration.
    pub(super) run: Option<RunId>,
    pub(super) now: Timestamp,
}

pub(super) async fn commit(store: &SqliteStore, step: StepCommit) -> Result<Ledger, Fail> {
    let mut tx = store.begin().await?;
    reach(CommitPoint::StepBegun);
    let ledger = apply(&mut tx, &step).await?;
    tx.commit().await?;
    reach(CommitPoint::StepCommitted);
    Ok(ledger)
}

async fn apply(tx: &mut SqliteConnection, step: &StepCommit) -> Result<Ledger, Fail> {
    let stream = open_sync(tx, step).await?;
    let ctx = Context {
        connection: step.connection,
        stream: stream.id,
        sync: step.sync,
        run: Some(step.run),
        now: step.now,
    };
    let mut held = held(tx, stream.id, &keys(step), &step.made_with).await?;
    let mut ledger = Ledger::default();
    count_read(step, &mut ledger);

    let mut next_id = max_id(tx, "SELECT max(id) FROM records").await?;
    let mut sorted = sort::sort(step, &held, &mut next_id, &mut ledger)?;
    let assets = assets::write(
        tx,
        &ctx,
        &step.asset_rules,
        &sorted.written,
        &Anew::default(),
        &mut ledger,
    )
    .await?;
    reach(CommitPoint::StepAssets);
    let found =
        findings::write(tx, &ctx, &sorted.written, Again::Read, &assets, &mut ledger).await?;
    reach(CommitPoint::StepFindings);
    park(tx, &mut sorted.written, assets, found, &mut ledger).await?;
    records::write(tx, &ctx, &step.made_with, &sorted.written).await?;
    reach(CommitPoint::StepRecords);
    for written in &sorted.written {
        held.insert(written.entry.key.clone(), as_held(written, &ctx));
    }
    let mut seen = sorted.seen;
    quarantine::write(
        tx,
        &ctx,
        step,
        &sorted.rejected,
        &held,
        stream.has_quarantine,
        &mut seen,
    )
    .await?;
    reach(CommitPoint::StepQuarantine);
    confirm(step, &ctx, &held, &mut seen, &mut ledger)?;
    let leaving = close(step, &ctx, &held, &mut seen, &mut ledger)?;
    // Before they are marked as seen: a finding was last seen open before its record was seen closed.
    if !leaving.is_empty() {
        closing::fill(tx, &leaving).await?;
        closing::apply(tx, &ctx, &mut ledger).await?;
    }
    reach(CommitPoint::StepClosings);
    records::mark_seen(tx, &ctx, &seen).await?;
    reach(CommitPoint::StepSeen);
    progress(tx, step, &ledger).await?;
    reach(CommitPoint::StepCheckpoint);
    Ok(ledger)
}

/// What the step is told about its data stream.
struct OpenStream {
    id: i64,
    has_quarantine: bool,
}

/// Says which records wait, and for what, and counts them.
pub(super) async fn park(
    tx: &mut SqliteConnection,
    written: &mut [sort::Written<'_>],
    assets: assets::Resolved,
    findings: findings::Waiting,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    for written in &mut *written {
        written.parked =
            assets.parked.contains(&written.id) || findings.parked.contains(&written.id);
        sort::count(written, ledger);
    }
    let mut waits = assets.waits;
    for (record, keys) in findings.waits {
        waits.entry(record).or_default().extend(keys);
    }
    let held: Vec<i64> = written
        .iter()
        .filter(|record| record.standing != Standing::New)
        .map(|record| record.id)
        .collect();
    waiting::write(tx, &held, &waits).await
}

/// The sync's stream, if the sync is under way and the step's own.
async fn open_sync(tx: &mut SqliteConnection, step: &StepCommit) -> Result<OpenStream, Fail> {
    let row: Option<(i64, bool)> = sqlx::query_as(
        "SELECT s.id, EXISTS (SELECT 1 FROM quarantine AS q WHERE q.stream_id = s.id)
         FROM syncs AS y JOIN streams AS s ON s.id = y.stream_id
         WHERE y.id = ?1 AND y.state = 'open' AND s.connection_id = ?2 AND s.name = ?3",
    )
    .bind(step.sync.0)
    .bind(step.connection.0)
    .bind(step.stream.as_str())
    .fetch_optional(tx)
    .await?;
    let (id, has_quarantine) = row.ok_or(StoreError::NoSuchSync(step.sync))?;
    Ok(OpenStream { id, has_quarantine })
}

/// Every key that the step names.
fn keys(step: &StepCommit) -> Vec<&str> {
    let entries = step.entries.iter().map(|entry| entry.key.as_str());
    let closures = step.closures.iter().map(|closure| closure.key.as_str());
    let unreadable = step
        .quarantine
        .iter()
        .filter_map(|unreadable| unreadable.key.as_deref());
    let confirmed = step.confirmed.iter().map(String::as_str);
    entries
        .chain(closures)
        .chain(unreadable)
        .chain(confirmed)
        .collect()
}

fn count_read(step: &StepCommit, ledger: &mut Ledger) {
    let records =
        step.entries.len() + step.closures.len() + step.quarantine.len() + step.confirmed.len();
    ledger.read = u64::try_from(records).unwrap_or(u64::MAX);
    for (filter, count) in &step.skipped {
        ledger.read = ledger.read.saturating_add(*count);
        ledger.filter(filter, *count);
    }
    for unreadable in &step.quarantine {
        ledger.quarantined += 1;
        if unreadable.key.is_none() {
            ledger.without_key += 1;
        }
    }
}

/// The greatest id of a table, 0 for an empty one: new rows get ids from here on, since the transaction is the only writer.
pub(super) async fn max_id(tx: &mut SqliteConnection, sql: &'static str) -> Result<i64, Fail> {
    let id: Option<i64> = sqlx::query_scalar(sql).fetch_one(tx).await?;
    Ok(id.unwrap_or(0))
}

fn as_held(written: &sort::Written<'_>, ctx: &Context) -> Held {
    Held {
        id: written.id,
        fingerprint: written.entry.fingerprint.clone(),
        state: RecordState::Open,
        parked: written.parked,
        sync: ctx.sync.0,
        last_seen: ctx.now.as_i64(),
        made_alike: true,
    }
}

/// Records that the connector found as they are held. One that is not held open can't have been, and would be lost if it were believed.
fn confirm(
    step: &StepCommit,
    ctx: &Context,
    held: &HashMap<String, Held>,
    seen: &mut Vec<records::Seen>,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    let mut seen_here: HashSet<i64> = seen.iter().map(|seen| seen.id).collect();
    for key in &step.confirmed {
        let Some(record) = held
            .get(key)
            .filter(|record| record.state == RecordState::Open)
        else {
            return Err(refused(
                format!("the confirmation of \"{key}\""),
                "no such record is held open: the connector may confirm only what the inventory gave it",
            ));
        };
        if record.sync == ctx.sync.0 || !seen_here.insert(record.id) {
            ledger.duplicate += 1;
            continue;
        }
        seen.push(records::Seen {
            id: record.id,
            seen_at: None,
        });
        if record.parked {
            ledger.parked += 1;
        } else {
            ledger.unchanged += 1;
        }
    }
    Ok(())
}

/// Sorts the closures: those of records that are held, and those that are none of ours.
fn close(
    step: &StepCommit,
    ctx: &Context,
    held: &HashMap<String, Held>,
    seen: &mut Vec<records::Seen>,
    ledger: &mut Ledger,
) -> Result<Vec<Leaving>, Fail> {
    let mut leaving: Vec<Leaving> = Vec::new();
    let mut named: HashSet<&str> = HashSet::new();
    for closure in &step.closures {
        let to = match closure.closing {
            Closing::Resolved | Closing::Deleted => RecordState::Closed,
            Closing::OutOfScope(_) => RecordState::OutOfScope,
            Closing::Gone | Closing::NoLongerListed | Closing::AssetGone => {
                return Err(refused(
                    format!("the closure of \"{}\"", closure.key),
                    "only the platform itself may say that a record is gone",
                ));
            }
        };
        if !named.insert(&closure.key) {
            ledger.duplicate += 1;
            continue;
        }
        let Some(record) = held.get(&closure.key) else {
            ledger.filter(closure.closing.filter_name(), 1);
            continue;
        };
        seen.push(records::Seen {
            id: record.id,
            seen_at: None,
        });
        match (record.state, to) {
            (RecordState::Closed, RecordState::Closed) => {
                ledger.unchanged += 1;
                continue;
            }
            (RecordState::OutOfScope, RecordState::OutOfScope) => {
                ledger.out_of_scope += 1;
                continue;
            }
            // One that was closed lives again, and is left out: it is not to be shown as resolved any more.
            (_, RecordState::OutOfScope) => ledger.out_of_scope += 1,
            _ => ledger.closed += 1,
        }
        leaving.push(Leaving {
            record: record.id,
            to,
            evidence: Evidence {
                closing: closure.closing.clone(),
                word: closure.evidence.clone(),
                at: closure.at,
                sync: ctx.sync,
                run: ctx.run,
            },
        });
    }
    Ok(leaving)
}

/// The checkpoint and the counts, of the run and of the sync over all its runs.
async fn progress(
    tx: &mut SqliteConnection,
    step: &StepCommit,
    counted: &Ledger,
) -> Result<(), Fail> {
    let ledgers: Option<(String, String)> = sqlx::query_as(
        "SELECT r.ledger, y.ledger FROM runs AS r JOIN syncs AS y ON y.id = ?2 WHERE r.id = ?1",
    )
    .bind(step.run.0)
    .bind(step.sync.0)
    .fetch_optional(&mut *tx)
    .await?;
    let Some((run, sync)) = ledgers else {
        return Err(refused(
            format!("a step of run {}", step.run),
            "there is no such run",
        ));
    };
    let mut run: Ledger = serde_json::from_str(&run)?;
    let mut sync: Ledger = serde_json::from_str(&sync)?;
    run += counted;
    sync += counted;
    sqlx::query("UPDATE syncs SET checkpoint = ?2, ledger = ?3 WHERE id = ?1")
        .bind(step.sync.0)
        .bind(step.checkpoint.as_slice())
        .bind(pack::json(&sync)?)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE runs SET ledger = ?2, steps = steps + 1, committed_at = ?3 WHERE id = ?1")
        .bind(step.run.0)
        .bind(pack::json(&run)?)
        .bind(step.now.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
