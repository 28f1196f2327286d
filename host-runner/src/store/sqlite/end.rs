//! The end of a sync: its checkpoint, and what a proven full sync did not see.

use serde_json::json;
use sqlx::SqliteConnection;

use super::fail::Fail;
use super::step::Context;
use super::{SqliteStore, closing, pack, unseen};
use crate::domain::{ConnectionId, Ledger, Mode, RunId, SyncId};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{
    Closing, Coverage, EndCommit, EndReport, Evidence, RemovalGuard, RemovalPreview, StoreError,
    Unseen, Verdict,
};

/// A sync under way.
pub(super) struct Open {
    pub(super) stream: i64,
    pub(super) connection: ConnectionId,
    mode: Mode,
    pub(super) scope: String,
    ledger: Ledger,
}

pub(super) async fn preview(
    store: &SqliteStore,
    sync: SyncId,
    guard: &RemovalGuard,
) -> Result<RemovalPreview, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let open = open(&mut tx, sync).await?;
    let counted = unseen::count(&mut tx, sync, &open, guard).await?;
    unseen::preview(&mut tx, sync, &open, counted).await
}

pub(super) async fn commit(store: &SqliteStore, end: &EndCommit) -> Result<EndReport, Fail> {
    let mut tx = store.begin().await?;
    reach(CommitPoint::EndBegun);
    let open = open(&mut tx, end.sync).await?;
    let ctx = Context {
        connection: open.connection,
        stream: open.stream,
        sync: end.sync,
        run: Some(end.run),
        now: end.now,
    };
    let mut ledger = Ledger::default();
    let verdict = judge(&mut tx, end, &open).await?;
    if let Verdict::Complete { removed, unseen } = &verdict {
        if *removed > 0 {
            list_unseen(&mut tx, &ctx, end, *unseen).await?;
            closing::apply(&mut tx, &ctx, &mut ledger).await?;
            ledger.removed = *removed;
        }
        forget_quarantine(&mut tx, &ctx).await?;
    }
    reach(CommitPoint::EndClosings);
    finish(&mut tx, &ctx, end, &open, &verdict, &ledger).await?;
    reach(CommitPoint::EndCheckpoint);
    tx.commit().await?;
    reach(CommitPoint::EndCommitted);
    Ok(EndReport { verdict, ledger })
}

async fn open(tx: &mut SqliteConnection, sync: SyncId) -> Result<Open, Fail> {
    let row: Option<(i64, i64, String, String, String)> = sqlx::query_as(
        "SELECT y.stream_id, s.connection_id, y.mode, y.scope, y.ledger
         FROM syncs AS y JOIN streams AS s ON s.id = y.stream_id WHERE y.id = ?1 AND y.state = 'open'",
    )
    .bind(sync.0)
    .fetch_optional(tx)
    .await?;
    let (stream, connection, mode, scope, ledger) = row.ok_or(StoreError::NoSuchSync(sync))?;
    Ok(Open {
        stream,
        connection: ConnectionId(connection),
        mode: mode
            .parse()
            .map_err(|e: crate::domain::UnknownMode| Fail::Damaged(e.to_string()))?,
        scope,
        ledger: serde_json::from_str(&ledger)?,
    })
}

async fn judge(tx: &mut SqliteConnection, end: &EndCommit, open: &Open) -> Result<Verdict, Fail> {
    let mut reasons = match &end.coverage {
        Coverage::Complete { .. } => Vec::new(),
        Coverage::Incomplete { reasons } => reasons.clone(),
    };
    if open.ledger.without_key > 0 {
        reasons.push(format!(
            "{} records could not be read so far as to tell their key",
            open.ledger.without_key
        ));
    }
    if open.mode == Mode::Incremental {
        return Ok(Verdict::Incremental { reasons });
    }
    if !reasons.is_empty() || matches!(end.coverage, Coverage::Incomplete { .. }) {
        return Ok(Verdict::Incomplete { reasons });
    }
    let counted = unseen::count(tx, end.sync, open, &end.guard).await?;
    if let Some(reason) = end.guard.withholds(counted.held, counted.unseen) {
        let preview = unseen::preview(tx, end.sync, open, counted).await?;
        return Ok(Verdict::Withheld { reason, preview });
    }
    Ok(Verdict::Complete {
        removed: counted.unseen,
        unseen: counted.would_be,
    })
}

async fn list_unseen(
    tx: &mut SqliteConnection,
    ctx: &Context,
    end: &EndCommit,
    unseen: Unseen,
) -> Result<(), Fail> {
    let slices = match &end.coverage {
        Coverage::Complete { slices } => slices.to_string(),
        Coverage::Incomplete { .. } => String::new(),
    };
    let (state, closing, word) = match unseen {
        Unseen::Gone => (
            1,
            Closing::Gone,
            format!("not seen in a full sync that read all: {slices}"),
        ),
        Unseen::OutOfScope => {
            let (filter, word) = match &end.guard.hold {
                Some(hold) => (
                    "permissions",
                    format!("not seen in the first complete full sync since: {hold}"),
                ),
                None => (
                    "scope",
                    "not seen in the first full sync since the configuration narrows it otherwise"
                        .to_owned(),
                ),
            };
            (2, Closing::OutOfScope(filter.to_owned()), word)
        }
    };
    let evidence = Evidence {
        closing,
        word,
        at: None,
        sync: ctx.sync,
        run: ctx.run,
    };
    closing::clear(tx).await?;
    sqlx::query(
        "INSERT INTO temp.leaving (record_id, state, evidence)
         SELECT id, ?3, ?4 FROM records WHERE stream_id = ?1 AND state = 0 AND sync_id < ?2",
    )
    .bind(ctx.stream)
    .bind(ctx.sync.0)
    .bind(state)
    .bind(pack::json(&evidence)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// What a complete read did not meet again is no longer there to be put right.
async fn forget_quarantine(tx: &mut SqliteConnection, ctx: &Context) -> Result<(), Fail> {
    sqlx::query(
        "DELETE FROM quarantine WHERE stream_id = ?1 AND last_seen < (SELECT started_at FROM syncs WHERE id = ?2)",
    )
    .bind(ctx.stream)
    .bind(ctx.sync.0)
    .execute(tx)
    .await?;
    Ok(())
}

async fn finish(
    tx: &mut SqliteConnection,
    ctx: &Context,
    end: &EndCommit,
    open: &Open,
    verdict: &Verdict,
    ledger: &Ledger,
) -> Result<(), Fail> {
    let (state, evidence) = match verdict {
        Verdict::Incremental { .. } => ("incremental", coverage_evidence(&end.coverage)),
        Verdict::Complete { removed, .. } => (
            "complete",
            json!({"removed": removed, "coverage": coverage_evidence(&end.coverage)}),
        ),
        Verdict::Incomplete { reasons } => ("incomplete", json!({"incomplete": reasons})),
        Verdict::Withheld { reason, preview } => (
            "withheld",
            json!({"withheld": reason, "held": preview.held, "unseen": preview.unseen}),
        ),
    };
    let mut sync_ledger = open.ledger.clone();
    sync_ledger += ledger;
    sqlx::query("UPDATE syncs SET state = ?2, ended_at = ?3, checkpoint = NULL, evidence = ?4, ledger = ?5, made_with = ?6 WHERE id = ?1")
        .bind(ctx.sync.0)
        .bind(state)
        .bind(ctx.now.as_i64())
        .bind(pack::json(&evidence)?)
        .bind(pack::json(&sync_ledger)?)
        .bind(end.made_with.as_str())
        .execute(&mut *tx)
        .await?;
    reach(CommitPoint::EndSync);
    // The end of a full sync supersedes what an interrupted incremental one had left to do.
    sqlx::query("UPDATE syncs SET state = 'abandoned', checkpoint = NULL WHERE stream_id = ?1 AND state = 'open' AND id < ?2 AND mode = 'incremental'")
        .bind(ctx.stream)
        .bind(ctx.sync.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO checkpoints (stream_id, body, sync_id, scope, committed_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (stream_id) DO UPDATE SET
             body = excluded.body, sync_id = excluded.sync_id, scope = excluded.scope, committed_at = excluded.committed_at",
    )
    .bind(ctx.stream)
    .bind(end.checkpoint.as_slice())
    .bind(ctx.sync.0)
    .bind(open.scope.as_str())
    .bind(ctx.now.as_i64())
    .execute(&mut *tx)
    .await?;
    count_run(tx, end.run, end, ledger).await
}

fn coverage_evidence(coverage: &Coverage) -> serde_json::Value {
    match coverage {
        Coverage::Complete { slices } => json!({"slices": slices}),
        Coverage::Incomplete { reasons } => json!({"incomplete": reasons}),
    }
}

async fn count_run(
    tx: &mut SqliteConnection,
    run: RunId,
    end: &EndCommit,
    ledger: &Ledger,
) -> Result<(), Fail> {
    let counted: Option<String> = sqlx::query_scalar("SELECT ledger FROM runs WHERE id = ?1")
        .bind(run.0)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(counted) = counted else {
        return Err(super::fail::refused(
            format!("the end of run {run}"),
            "there is no such run",
        ));
    };
    let mut counted: Ledger = serde_json::from_str(&counted)?;
    counted += ledger;
    sqlx::query("UPDATE runs SET ledger = ?2, committed_at = ?3 WHERE id = ?1")
        .bind(run.0)
        .bind(pack::json(&counted)?)
        .bind(end.now.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
