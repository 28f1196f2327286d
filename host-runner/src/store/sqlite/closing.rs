//! Records that leave: closed, or out of scope. Their findings go with them, and assets that nothing feeds any more.
//!
//! What leaves is listed in a temporary table first, so that the removal of a hundred thousand records is the same few statements as the closing
//! of one, and takes no memory here.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::SqliteConnection;

use super::fail::Fail;
use super::held::state_number;
use super::pack;
use super::step::Context;
use crate::domain::Ledger;
use crate::store::{Closing, Evidence, RecordState};

/// The filter's name in the evidence of a finding that is out of scope because its asset is.
pub(super) const ASSET: &str = "asset";

/// A record that leaves.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) record: i64,
    pub(super) to: RecordState,
    pub(super) evidence: Evidence,
}

#[derive(Serialize)]
struct Row<'a>(i64, i64, &'a Evidence);

/// An empty list.
pub(super) async fn clear(tx: &mut SqliteConnection) -> Result<(), Fail> {
    for statement in [
        "CREATE TEMP TABLE IF NOT EXISTS leaving (record_id INTEGER PRIMARY KEY, state INTEGER NOT NULL, evidence TEXT NOT NULL)",
        "CREATE TEMP TABLE IF NOT EXISTS touched (asset_id INTEGER PRIMARY KEY)",
        "DELETE FROM temp.leaving",
        "DELETE FROM temp.touched",
    ] {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Lists the records that leave.
pub(super) async fn fill(tx: &mut SqliteConnection, leaving: &[Leaving]) -> Result<(), Fail> {
    clear(tx).await?;
    let rows: Vec<Row<'_>> = leaving
        .iter()
        .map(|leaving| Row(leaving.record, state_number(leaving.to), &leaving.evidence))
        .collect();
    sqlx::query(
        "INSERT OR REPLACE INTO temp.leaving (record_id, state, evidence)
         SELECT j.value ->> 0, j.value ->> 1, j.value -> 2 FROM json_each(?1) AS j",
    )
    .bind(pack::json(&rows)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets the listed records leave. A finding that was closed before its record was stays closed.
pub(super) async fn apply(
    tx: &mut SqliteConnection,
    ctx: &Context,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    let now = ctx.now.as_i64();
    let counts: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT l.state, count(*) FROM temp.leaving AS l CROSS JOIN findings AS f ON f.record_id = l.record_id
         WHERE f.state = 0 GROUP BY l.state",
    )
    .fetch_all(&mut *tx)
    .await?;
    for (state, count) in counts {
        count_findings(ledger, state, count.unsigned_abs());
    }
    sqlx::query(
        "UPDATE findings SET closed_at = ?1, updated_at = ?1,
             state = (SELECT l.state FROM temp.leaving AS l WHERE l.record_id = findings.record_id),
             evidence = (SELECT l.evidence FROM temp.leaving AS l WHERE l.record_id = findings.record_id),
             last_seen = CASE state WHEN 0 THEN (SELECT r.last_seen FROM records AS r WHERE r.id = findings.record_id)
                                    ELSE last_seen END
         WHERE record_id IN (SELECT record_id FROM temp.leaving)
           AND (state <> 1 OR (SELECT r.state FROM records AS r WHERE r.id = findings.record_id) = 1)",
    )
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE records SET closed_at = ?1,
             state = (SELECT l.state FROM temp.leaving AS l WHERE l.record_id = records.id),
             evidence = (SELECT l.evidence FROM temp.leaving AS l WHERE l.record_id = records.id)
         WHERE id IN (SELECT record_id FROM temp.leaving)",
    )
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT OR IGNORE INTO temp.touched (asset_id)
         SELECT k.asset_id FROM temp.leaving AS l CROSS JOIN links AS k ON k.record_id = l.record_id
         WHERE k.asset_id IS NOT NULL AND k.state <> l.state",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE links SET state = (SELECT l.state FROM temp.leaving AS l WHERE l.record_id = links.record_id)
         WHERE record_id IN (SELECT record_id FROM temp.leaving)",
    )
    .execute(&mut *tx)
    .await?;
    release_assets(tx, ctx, ledger).await
}

/// After links changed: what becomes of the assets in `touched` that this connection feeds no more.
///
/// The connection's findings on them leave too, and an asset that nothing feeds becomes inactive, or out of scope where a source still has it. An
/// asset that was imported is known by something else and stays as it is.
pub(super) async fn release_assets(
    tx: &mut SqliteConnection,
    ctx: &Context,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    release_findings(tx, ctx, ledger).await?;
    let released = sqlx::query(
        "UPDATE assets SET closed_at = ?1, updated_at = ?1,
             state = CASE WHEN EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = assets.id AND k.state = 2) THEN 2 ELSE 1 END
         WHERE id IN (SELECT asset_id FROM temp.touched)
           AND NOT EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = assets.id AND k.state = 0)
           AND NOT EXISTS (SELECT 1 FROM imported AS i WHERE i.asset_id = assets.id)",
    )
    .bind(ctx.now.as_i64())
    .execute(tx)
    .await?;
    ledger.documents.assets_deactivated += released.rows_affected();
    Ok(())
}

/// Findings that were just written, on assets that left before: they leave too, as those did that were there when the asset left. They are open
/// again with their asset.
pub(super) async fn follow_assets(
    tx: &mut SqliteConnection,
    ctx: &Context,
    assets: &BTreeSet<i64>,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    let left: Vec<i64> = sqlx::query_scalar(
        "SELECT a.id FROM json_each(?1) AS j CROSS JOIN assets AS a ON a.id = j.value WHERE a.state <> 0",
    )
    .bind(pack::json(assets)?)
    .fetch_all(&mut *tx)
    .await?;
    if left.is_empty() {
        return Ok(());
    }
    clear(tx).await?;
    sqlx::query("INSERT INTO temp.touched (asset_id) SELECT value FROM json_each(?1)")
        .bind(pack::json(&left)?)
        .execute(&mut *tx)
        .await?;
    release_findings(tx, ctx, ledger).await
}

/// This connection's open findings on the assets in `touched` that it feeds no more.
async fn release_findings(
    tx: &mut SqliteConnection,
    ctx: &Context,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    let now = ctx.now.as_i64();
    let evidence = |closing, word: &str| Evidence {
        closing,
        word: word.to_owned(),
        at: None,
        sync: ctx.sync,
        run: ctx.run,
    };
    let gone = evidence(
        Closing::AssetGone,
        "no record of this connection gives its asset any more",
    );
    let out_of_scope = evidence(
        Closing::OutOfScope(ASSET.to_owned()),
        "the asset that it is on is out of scope",
    );
    let findings: Vec<i64> = sqlx::query_scalar(
        "UPDATE findings SET
             state = CASE WHEN EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = findings.asset_id
                                       AND k.connection_id = ?2 AND k.state = 2) THEN 2 ELSE 1 END,
             evidence = CASE WHEN EXISTS (SELECT 1 FROM links AS k WHERE k.asset_id = findings.asset_id
                                          AND k.connection_id = ?2 AND k.state = 2) THEN ?4 ELSE ?3 END,
             closed_at = ?1, updated_at = ?1,
             last_seen = (SELECT r.last_seen FROM records AS r WHERE r.id = findings.record_id)
         WHERE connection_id = ?2 AND state = 0 AND asset_id IN (
             SELECT t.asset_id FROM temp.touched AS t WHERE NOT EXISTS (
                 SELECT 1 FROM links AS k WHERE k.asset_id = t.asset_id AND k.connection_id = ?2 AND k.state = 0))
         RETURNING state",
    )
    .bind(now)
    .bind(ctx.connection.0)
    .bind(pack::json(&gone)?)
    .bind(pack::json(&out_of_scope)?)
    .fetch_all(&mut *tx)
    .await?;
    for state in findings {
        count_findings(ledger, state, 1);
    }
    Ok(())
}

fn count_findings(ledger: &mut Ledger, state: i64, count: u64) {
    if state == state_number(RecordState::OutOfScope) {
        ledger.documents.findings_out_of_scope += count;
    } else {
        ledger.documents.findings_closed += count;
    }
}
