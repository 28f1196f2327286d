//! Makes documents anew from kept records: a page at a time, each in one transaction.
//!
//! Which records are due follows from what is committed (what their documents were made with), so a process that is killed between two pages, or in one,
//! goes on where it was without a word of its own about that.

mod due;
mod rebuild;

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx::SqliteConnection;

pub(super) use self::due::{beside, due, due_records, read_kept};
use super::fail::{Fail, refused};
use super::held::{Held, held};
use super::step::assets::{self, Anew};
use super::step::findings::{self, Again};
use super::step::sort::{Rejected, Written};
use super::step::{Context, park, quarantine, records};
use super::{SqliteStore, pack};
use crate::domain::{Ledger, SyncId};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{
    Document, DocumentKind, Outcome, Problem, RecordState, Remade, RemakeCommit, Standing,
};

pub(super) async fn commit(store: &SqliteStore, commit: &RemakeCommit) -> Result<Ledger, Fail> {
    let mut tx = store.begin().await?;
    reach(CommitPoint::RemakeBegun);
    let ledger = apply(&mut tx, commit).await?;
    tx.commit().await?;
    reach(CommitPoint::RemakeCommitted);
    Ok(ledger)
}

/// A page's records by what is to be done with them.
#[derive(Default)]
struct Sorted<'a> {
    /// Open ones: as if they were read again.
    written: Vec<Written<'a>>,
    /// Those that are closed or out of scope, and stay so.
    left: Vec<Left<'a>>,
    rejected: Vec<Rejected<'a>>,
    /// The ids of the rejected.
    tried: Vec<i64>,
}

/// A record that is not open.
struct Left<'a> {
    remade: &'a Remade,
    held: Held,
    documents: &'a [Document],
    problems: &'a [Problem],
}

async fn apply(tx: &mut SqliteConnection, commit: &RemakeCommit) -> Result<Ledger, Fail> {
    let ctx = context(tx, commit).await?;
    let keys: Vec<&str> = commit
        .records
        .iter()
        .map(|remade| remade.entry.key.as_str())
        .collect();
    let mut held = held(tx, ctx.stream, &keys, &commit.made_with).await?;
    let mut ledger = Ledger::default();
    let mut sorted = sort(commit, &mut held, &mut ledger)?;
    let anew = Anew {
        made: true,
        rebuilt: rebuild::plan(tx, &ctx, commit, &sorted).await?,
        left: left_assets(tx, &sorted).await?,
    };
    let rules = &commit.asset_rules;
    let resolved = assets::write(tx, &ctx, rules, &sorted.written, &anew, &mut ledger).await?;
    reach(CommitPoint::RemakeAssets);
    let found = findings::write(
        tx,
        &ctx,
        &sorted.written,
        Again::Made,
        &resolved,
        &mut ledger,
    )
    .await?;
    findings::dress(tx, &ctx, &of_kind(&sorted.left, DocumentKind::Finding)).await?;
    reach(CommitPoint::RemakeFindings);
    park(tx, &mut sorted.written, resolved, found, &mut ledger).await?;
    write_records(tx, commit, &sorted).await?;
    quarantine::keep(tx, &ctx, &sorted.rejected, &[]).await?;
    let well: Vec<(&str, &[u8])> = sorted
        .written
        .iter()
        .map(|written| written.entry)
        .chain(sorted.left.iter().map(|left| &left.remade.entry))
        .map(|entry| (entry.key.as_str(), entry.body.as_slice()))
        .collect();
    quarantine::let_go(tx, &ctx, &well).await?;
    progress(tx, commit, &ledger).await?;
    reach(CommitPoint::RemakeRecords);
    Ok(ledger)
}

/// What is closed for it was seen in the data stream's last sync: a remake sees nothing itself.
async fn context(tx: &mut SqliteConnection, commit: &RemakeCommit) -> Result<Context, Fail> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT s.id, (SELECT coalesce(max(id), 0) FROM syncs WHERE stream_id = s.id)
         FROM streams AS s WHERE s.connection_id = ?1 AND s.name = ?2",
    )
    .bind(commit.connection.0)
    .bind(commit.stream.as_str())
    .fetch_optional(tx)
    .await?;
    let Some((stream, sync)) = row else {
        return Err(refused(
            format!("what is made anew of \"{}\"", commit.stream),
            "the data stream was never read",
        ));
    };
    Ok(Context {
        connection: commit.connection,
        stream,
        sync: SyncId(sync),
        run: Some(commit.run),
        now: commit.now,
    })
}

fn sort<'a>(
    commit: &'a RemakeCommit,
    held: &mut HashMap<String, Held>,
    ledger: &mut Ledger,
) -> Result<Sorted<'a>, Fail> {
    let mut sorted = Sorted::default();
    for remade in &commit.records {
        let entry = &remade.entry;
        let Some(held) = held
            .remove(&entry.key)
            .filter(|held| held.id == remade.id && held.fingerprint == entry.fingerprint)
        else {
            return Err(refused(
                format!("the record \"{}\" that was made anew", entry.key),
                "it is not held as it was",
            ));
        };
        ledger.read += 1;
        match &entry.outcome {
            Outcome::Documents {
                documents,
                problems,
            } if !documents.is_empty() => match held.state {
                RecordState::Open => sorted.written.push(Written {
                    entry,
                    documents,
                    problems,
                    id: held.id,
                    standing: Standing::NeedsTransform,
                    before: Some(held),
                    parked: false,
                }),
                state => {
                    match state {
                        RecordState::OutOfScope => ledger.out_of_scope += 1,
                        _ => ledger.unchanged += 1,
                    }
                    sorted.left.push(Left {
                        remade,
                        held,
                        documents,
                        problems,
                    });
                }
            },
            Outcome::Documents { problems, .. } | Outcome::Rejected(problems) => {
                ledger.quarantined += 1;
                sorted.tried.push(held.id);
                sorted.rejected.push(Rejected { entry, problems });
            }
            Outcome::Unchanged => {
                return Err(refused(
                    format!("the record \"{}\" that was made anew", entry.key),
                    "nothing was made of it",
                ));
            }
        }
    }
    Ok(sorted)
}

fn of_kind<'a>(left: &[Left<'a>], kind: DocumentKind) -> Vec<(i64, &'a Document)> {
    left.iter()
        .flat_map(|left| {
            left.documents
                .iter()
                .map(move |document| (left.held.id, document))
        })
        .filter(|(_, document)| document.kind == kind)
        .collect()
}

/// What records that are not open give for the assets that they fed.
async fn left_assets<'a>(
    tx: &mut SqliteConnection,
    sorted: &Sorted<'a>,
) -> Result<Vec<(i64, &'a Document)>, Fail> {
    let given = of_kind(&sorted.left, DocumentKind::Asset);
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let records: HashSet<i64> = given.iter().map(|(record, _)| *record).collect();
    let links: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT l.record_id, l.key, l.asset_id FROM json_each(?1) AS j CROSS JOIN links AS l ON l.record_id = j.value
         WHERE l.asset_id IS NOT NULL",
    )
    .bind(pack::json(&records)?)
    .fetch_all(tx)
    .await?;
    let links: HashMap<(i64, &str), i64> = links
        .iter()
        .map(|(record, key, asset)| ((*record, key.as_str()), *asset))
        .collect();
    let fed = |(record, document): (i64, &'a Document)| {
        let asset = links.get(&(record, document.key.as_str()))?;
        Some((*asset, document))
    };
    Ok(given.into_iter().filter_map(fed).collect())
}

/// A record's row: id, whether it is parked, its problems as JSON text, whether its body is stale.
#[derive(Serialize)]
struct Row(i64, bool, Option<String>, bool);

async fn write_records(
    tx: &mut SqliteConnection,
    commit: &RemakeCommit,
    sorted: &Sorted<'_>,
) -> Result<(), Fail> {
    let making = records::making(tx, &commit.made_with).await?;
    let stale: HashSet<i64> = commit
        .records
        .iter()
        .filter(|remade| remade.stale)
        .map(|remade| remade.id)
        .collect();
    let text = |problems: &[Problem]| match problems {
        [] => Ok(None),
        problems => pack::json(problems).map(Some),
    };
    let mut rows = Vec::with_capacity(commit.records.len());
    for written in &sorted.written {
        let id = written.id;
        rows.push(Row(
            id,
            written.parked,
            text(written.problems)?,
            stale.contains(&id),
        ));
    }
    for left in &sorted.left {
        let held = &left.held;
        rows.push(Row(
            held.id,
            held.parked,
            text(left.problems)?,
            stale.contains(&held.id),
        ));
    }
    sqlx::query(
        "UPDATE records SET making_id = ?2, tried_id = NULL, parked = j.value ->> 1, problems = j.value ->> 2,
             stale = max(stale, j.value ->> 3)
         FROM json_each(?1) AS j WHERE records.id = j.value ->> 0",
    )
    .bind(pack::json(&rows)?)
    .bind(making)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE records SET tried_id = ?2 WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(pack::json(&sorted.tried)?)
        .bind(making)
        .execute(tx)
        .await?;
    Ok(())
}

/// The run's counts.
async fn progress(
    tx: &mut SqliteConnection,
    commit: &RemakeCommit,
    counted: &Ledger,
) -> Result<(), Fail> {
    let ledger: Option<String> = sqlx::query_scalar("SELECT ledger FROM runs WHERE id = ?1")
        .bind(commit.run.0)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(ledger) = ledger else {
        return Err(refused(
            format!("what run {} made anew", commit.run),
            "there is no such run",
        ));
    };
    let mut ledger: Ledger = serde_json::from_str(&ledger)?;
    ledger += counted;
    sqlx::query("UPDATE runs SET ledger = ?2, steps = steps + 1, committed_at = ?3 WHERE id = ?1")
        .bind(commit.run.0)
        .bind(pack::json(&ledger)?)
        .bind(commit.now.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
