//! Which record gives a document for which asset, and what waits for an asset that is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sqlx::SqliteConnection;

use super::sort::Written;
use super::{Context, doubts, waiting};
use crate::domain::Ledger;
use crate::store::sqlite::closing;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::held::state_number;
use crate::store::sqlite::pack;
use crate::store::{DocumentKind, RecordState, Standing};

/// Which record gives a document for which asset.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub(super) key: &'a str,
    /// Whether the record has the same key: then it is found through the record.
    pub(super) own: bool,
    pub(super) record: i64,
    pub(super) asset: Option<i64>,
    pub(super) finding_source: Option<&'a str>,
}

/// Assets that are linked to the keys that the step's documents name, findings' assets among them.
pub(super) async fn linked(
    tx: &mut SqliteConnection,
    ctx: &Context,
    written: &[Written<'_>],
) -> Result<HashMap<String, i64>, Fail> {
    let keys: BTreeSet<&str> = written
        .iter()
        .flat_map(|record| record.documents)
        .filter_map(|document| match document.kind {
            DocumentKind::Asset => Some(document.key.as_str()),
            DocumentKind::Finding => document.asset.as_deref(),
        })
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT l.key, l.asset_id FROM json_each(?1) AS j
         CROSS JOIN streams AS s ON s.connection_id = ?2
         CROSS JOIN records AS r ON r.stream_id = s.id AND r.key = j.value
         CROSS JOIN links AS l ON l.record_id = r.id AND l.key = j.value
         WHERE l.asset_id IS NOT NULL
         UNION ALL
         SELECT l.key, l.asset_id FROM json_each(?1) AS j
         CROSS JOIN links AS l ON l.key = j.value AND l.connection_id = ?2
         WHERE l.own = 0 AND l.asset_id IS NOT NULL",
    )
    .bind(pack::json(&keys)?)
    .bind(ctx.connection.0)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Links of records that are read again and give another asset than before, or none: those are closed. Of records that are made anew nothing was heard:
/// what another map leaves out is out of scope.
pub(super) async fn drop_missing(
    tx: &mut SqliteConnection,
    ctx: &Context,
    written: &[Written<'_>],
    links: &[Link<'_>],
    made_anew: bool,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    let again: Vec<i64> = written
        .iter()
        .filter(|record| record.standing != Standing::New && !record.entry.partial)
        .map(|record| record.id)
        .collect();
    if again.is_empty() {
        return Ok(());
    }
    let held: Vec<(i64, i64, String, Option<i64>)> = sqlx::query_as(
        "SELECT id, record_id, key, asset_id FROM links
         WHERE state = 0 AND record_id IN (SELECT value FROM json_each(?1))",
    )
    .bind(pack::json(&again)?)
    .fetch_all(&mut *tx)
    .await?;
    let given: HashSet<(i64, &str)> = links.iter().map(|link| (link.record, link.key)).collect();
    let dropped: Vec<(i64, Option<i64>)> = held
        .into_iter()
        .filter(|(_, record, key, _)| !given.contains(&(*record, key.as_str())))
        .map(|(id, _, _, asset)| (id, asset))
        .collect();
    if dropped.is_empty() {
        return Ok(());
    }
    let state = if made_anew {
        RecordState::OutOfScope
    } else {
        RecordState::Closed
    };
    closing::clear(tx).await?;
    sqlx::query(
        "UPDATE links SET state = ?2 WHERE id IN (SELECT j.value ->> 0 FROM json_each(?1) AS j)",
    )
    .bind(pack::json(&dropped)?)
    .bind(state_number(state))
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT OR IGNORE INTO temp.touched (asset_id)
         SELECT j.value ->> 1 FROM json_each(?1) AS j WHERE j.value ->> 1 IS NOT NULL",
    )
    .bind(pack::json(&dropped)?)
    .execute(&mut *tx)
    .await?;
    closing::release_assets(tx, ctx, ledger).await
}

pub(super) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    links: &[Link<'_>],
) -> Result<(), Fail> {
    pack::insert(
        tx,
        "INSERT INTO links (connection_id, key, own, record_id, asset_id, state, finding_source) ",
        links,
        " ON CONFLICT (record_id, key) DO UPDATE SET
             asset_id = excluded.asset_id, state = 0, finding_source = excluded.finding_source",
        |row, link| {
            row.push_bind(ctx.connection.0)
                .push_bind(link.key)
                .push_bind(link.own)
                .push_bind(link.record)
                .push_bind(link.asset)
                .push_bind(0)
                .push_bind(link.finding_source);
        },
    )
    .await
}

/// What waited for these keys gets its asset, in the transaction that brings the asset. A record whose own asset document waited is made anew when it
/// is read next, so that its values are laid over too.
pub(super) async fn attach(
    tx: &mut SqliteConnection,
    ctx: &Context,
    fresh: &[(&str, i64)],
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    if fresh.is_empty() {
        return Ok(());
    }
    let fresh = pack::json(fresh)?;
    let by_link: Vec<i64> = sqlx::query_scalar(
        "UPDATE links SET asset_id = j.value ->> 1 FROM json_each(?1) AS j
         WHERE links.key = j.value ->> 0 AND links.connection_id = ?2 AND links.asset_id IS NULL
         RETURNING record_id",
    )
    .bind(&fresh)
    .bind(ctx.connection.0)
    .fetch_all(&mut *tx)
    .await?;
    let by_finding: Vec<i64> = sqlx::query_scalar(
        "UPDATE findings SET asset_id = j.value ->> 1, updated_at = ?3 FROM json_each(?1) AS j
         WHERE findings.asset_key = j.value ->> 0 AND findings.connection_id = ?2 AND findings.asset_id IS NULL
         RETURNING record_id",
    )
    .bind(&fresh)
    .bind(ctx.connection.0)
    .bind(ctx.now.as_i64())
    .fetch_all(&mut *tx)
    .await?;
    ledger.documents.findings_attached += u64::try_from(by_finding.len()).unwrap_or(u64::MAX);
    if !by_link.is_empty() {
        sqlx::query(
            "UPDATE records SET making_id = NULL WHERE id IN (SELECT value FROM json_each(?1))",
        )
        .bind(pack::json(&by_link)?)
        .execute(&mut *tx)
        .await?;
    }
    let records: BTreeSet<i64> = by_link.into_iter().chain(by_finding).collect();
    if records.is_empty() {
        return Ok(());
    }
    let attached: Vec<i64> = sqlx::query_scalar(
        "UPDATE records SET parked = 0 WHERE id IN (SELECT value FROM json_each(?1))
             AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.record_id = records.id AND l.asset_id IS NULL AND l.state = 0)
             AND NOT EXISTS (SELECT 1 FROM findings AS f WHERE f.record_id = records.id AND f.asset_id IS NULL AND f.state = 0)
         RETURNING id",
    )
    .bind(pack::json(&records)?)
    .fetch_all(&mut *tx)
    .await?;
    waiting::write(tx, &attached, &BTreeMap::new()).await?;
    doubts::forget(tx, &attached).await
}

/// Findings that left only because their asset did are there again with it.
pub(super) async fn reopen(
    tx: &mut SqliteConnection,
    ctx: &Context,
    assets: &[i64],
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    if assets.is_empty() {
        return Ok(());
    }
    let reopened = sqlx::query(
        "UPDATE findings SET state = 0, closed_at = NULL, evidence = NULL, last_seen = NULL, updated_at = ?3,
             reopened_at = CASE state WHEN 1 THEN ?3 ELSE reopened_at END
         WHERE asset_id IN (SELECT value FROM json_each(?1)) AND connection_id = ?2 AND state <> 0
           AND (evidence ->> '$.reason' = 'asset-gone'
                OR (evidence ->> '$.reason' = 'out-of-scope' AND evidence ->> '$.detail' = ?4))
           AND (SELECT r.state FROM records AS r WHERE r.id = findings.record_id) = 0",
    )
    .bind(pack::json(assets)?)
    .bind(ctx.connection.0)
    .bind(ctx.now.as_i64())
    .bind(closing::ASSET)
    .execute(tx)
    .await?;
    ledger.documents.findings_reopened += reopened.rows_affected();
    Ok(())
}
