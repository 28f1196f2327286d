//! Writes findings: an entry's documents replace all that the same entry gave before.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::SqliteConnection;

use super::assets::Resolved;
use super::identify::identify;
use super::sort::Written;
use super::{Context, max_id};
use crate::domain::Ledger;
use crate::store::sqlite::fail::{Fail, refused};
use crate::store::sqlite::held::state_of;
use crate::store::sqlite::{closing, pack};
use crate::store::{Closing, Document, DocumentKind, Evidence, RecordState, Severity, Standing};

/// A finding that is held.
#[derive(Debug)]
struct Held {
    id: i64,
    record: i64,
    state: RecordState,
    asset: Option<i64>,
    first_seen: i64,
    reopened_at: Option<i64>,
    body: String,
}

/// A finding's row.
struct Row<'a> {
    id: i64,
    record: i64,
    document: &'a Document,
    asset: Option<i64>,
    first_seen: i64,
    reopened_at: Option<i64>,
    facets: String,
    identity: String,
    placeholders: String,
    body: &'a str,
}

/// Writes the findings, and says which records have one that waits for its asset.
pub(super) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    written: &[Written<'_>],
    assets: &Resolved,
    ledger: &mut Ledger,
) -> Result<HashSet<i64>, Fail> {
    let documents: Vec<(i64, &Document)> = written
        .iter()
        .flat_map(|record| {
            record
                .documents
                .iter()
                .map(|document| (record.id, document))
        })
        .filter(|(_, document)| document.kind == DocumentKind::Finding)
        .collect();
    let again: Vec<i64> = written
        .iter()
        .filter(|record| record.standing != Standing::New)
        .map(|record| record.id)
        .collect();
    let mut parked = HashSet::new();
    if documents.is_empty() && again.is_empty() {
        return Ok(parked);
    }
    let held = held(tx, ctx, &documents, &again).await?;
    let mut last_id = max_id(tx, "SELECT max(id) FROM findings").await?;
    let mut given: HashSet<&str> = HashSet::with_capacity(documents.len());
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(documents.len());
    for (record, document) in documents {
        if !given.insert(&document.key) {
            continue;
        }
        let asset = asset_of(document, assets)?;
        if asset.is_none() {
            parked.insert(record);
        }
        let body = std::str::from_utf8(&document.body)
            .ok()
            .filter(|body| is_json(body))
            .ok_or_else(|| {
                refused(
                    format!("the document of finding \"{}\"", document.key),
                    "its body is no JSON",
                )
            })?;
        let before = held.get(&document.key);
        let mut reopened_at = before.and_then(|before| before.reopened_at);
        let (id, first_seen) = match before {
            None => {
                ledger.documents.findings_new += 1;
                last_id = last_id.saturating_add(1);
                (last_id, ctx.now.as_i64())
            }
            Some(before) => {
                match before.state {
                    RecordState::Open
                        if before.body == body
                            && before.asset == asset
                            && before.record == record =>
                    {
                        continue;
                    }
                    RecordState::Open => ledger.documents.findings_changed += 1,
                    RecordState::Closed => {
                        ledger.documents.findings_reopened += 1;
                        reopened_at = Some(ctx.now.as_i64());
                    }
                    RecordState::OutOfScope => ledger.documents.findings_reopened += 1,
                }
                (before.id, before.first_seen)
            }
        };
        rows.push(Row {
            id,
            record,
            document,
            asset,
            first_seen,
            reopened_at,
            facets: pack::json(&document.facets)?,
            identity: pack::json(&document.identity)?,
            placeholders: pack::json(&document.placeholders)?,
            body,
        });
    }
    insert(tx, ctx, &rows).await?;
    let on: BTreeSet<i64> = rows.iter().filter_map(|row| row.asset).collect();
    if !on.is_empty() {
        closing::follow_assets(tx, ctx, &on, ledger).await?;
    }
    // A partial entry proves nothing about what it lacks.
    let last_seen: HashMap<i64, i64> = written
        .iter()
        .filter(|record| !record.entry.partial)
        .filter_map(|record| Some((record.id, record.before.as_ref()?.last_seen)))
        .collect();
    let missing: Vec<(i64, i64)> = held
        .iter()
        .filter(|(key, finding)| {
            finding.state == RecordState::Open
                && !given.contains(key.as_str())
                && last_seen.contains_key(&finding.record)
        })
        .map(|(_, finding)| {
            (
                finding.id,
                last_seen
                    .get(&finding.record)
                    .copied()
                    .unwrap_or(ctx.now.as_i64()),
            )
        })
        .collect();
    close_missing(tx, ctx, &missing, ledger).await?;
    Ok(parked)
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The asset that a finding is on.
fn asset_of(document: &Document, assets: &Resolved) -> Result<Option<i64>, Fail> {
    match &document.asset {
        Some(key) => Ok(assets.by_key.get(key).copied()),
        None => identify(&document.identity),
    }
}

/// What is held under the documents' keys, and what the records that are read again gave before.
async fn held(
    tx: &mut SqliteConnection,
    ctx: &Context,
    documents: &[(i64, &Document)],
    again: &[i64],
) -> Result<HashMap<String, Held>, Fail> {
    type Found = (String, i64, i64, i64, Option<i64>, i64, Option<i64>, String);
    let keys: BTreeSet<&str> = documents
        .iter()
        .map(|(_, document)| document.key.as_str())
        .collect();
    let mut rows: Vec<Found> = sqlx::query_as(
        "SELECT f.key, f.id, f.record_id, f.state, f.asset_id, f.first_seen, f.reopened_at, f.body
         FROM json_each(?1) AS j CROSS JOIN findings AS f ON f.stream_id = ?2 AND f.key = j.value",
    )
    .bind(pack::json(&keys)?)
    .bind(ctx.stream)
    .fetch_all(&mut *tx)
    .await?;
    if !again.is_empty() {
        let before: Vec<Found> = sqlx::query_as(
            "SELECT key, id, record_id, state, asset_id, first_seen, reopened_at, body
             FROM findings WHERE record_id IN (SELECT value FROM json_each(?1))",
        )
        .bind(pack::json(again)?)
        .fetch_all(tx)
        .await?;
        rows.extend(before);
    }
    let held = |(key, id, record, state, asset, first_seen, reopened_at, body)| {
        let held = Held {
            id,
            record,
            state: state_of(state),
            asset,
            first_seen,
            reopened_at,
            body,
        };
        (key, held)
    };
    Ok(rows.into_iter().map(held).collect())
}

async fn insert(tx: &mut SqliteConnection, ctx: &Context, rows: &[Row<'_>]) -> Result<(), Fail> {
    let now = ctx.now.as_i64();
    pack::insert(
        tx,
        "INSERT INTO findings (id, connection_id, stream_id, key, record_id, asset_key, asset_id, state, severity,
                               finding_source, host_name, title, first_seen, updated_at, reopened_at,
                               facets, identity, placeholders, body) ",
        rows,
        " ON CONFLICT (id) DO UPDATE SET
             record_id = excluded.record_id, asset_key = excluded.asset_key, asset_id = excluded.asset_id, state = 0,
             severity = excluded.severity, finding_source = excluded.finding_source, host_name = excluded.host_name,
             title = excluded.title, last_seen = NULL, updated_at = excluded.updated_at, closed_at = NULL,
             reopened_at = excluded.reopened_at, evidence = NULL, facets = excluded.facets,
             identity = excluded.identity, placeholders = excluded.placeholders, body = excluded.body",
        |row, finding| {
            let document = finding.document;
            let severity = Severity::from_facet(document.facet("severity").unwrap_or_default());
            row.push_bind(finding.id)
                .push_bind(ctx.connection.0)
                .push_bind(ctx.stream)
                .push_bind(document.key.as_str())
                .push_bind(finding.record)
                .push_bind(document.asset.as_deref())
                .push_bind(finding.asset)
                .push_bind(0)
                .push_bind(severity.rank())
                .push_bind(document.facet("finding-source"))
                .push_bind(document.facet("host-name"))
                .push_bind(document.facet("title"))
                .push_bind(finding.first_seen)
                .push_bind(now)
                .push_bind(finding.reopened_at)
                .push_bind(finding.facets.as_str())
                .push_bind(finding.identity.as_str())
                .push_bind(finding.placeholders.as_str())
                .push_bind(finding.body);
        },
    )
    .await
}

/// Closes what an entry gave before and gives no more: id and when it was last seen.
async fn close_missing(
    tx: &mut SqliteConnection,
    ctx: &Context,
    missing: &[(i64, i64)],
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    if missing.is_empty() {
        return Ok(());
    }
    let evidence = Evidence {
        closing: Closing::NoLongerListed,
        word: "its record was read again and lists it no more".to_owned(),
        at: None,
        sync: ctx.sync,
        run: ctx.run,
    };
    let closed = sqlx::query(
        "UPDATE findings SET state = 1, closed_at = ?2, updated_at = ?2, evidence = ?3, last_seen = j.value ->> 1
         FROM json_each(?1) AS j WHERE findings.id = j.value ->> 0",
    )
    .bind(pack::json(missing)?)
    .bind(ctx.now.as_i64())
    .bind(pack::json(&evidence)?)
    .execute(tx)
    .await?;
    ledger.documents.findings_closed += closed.rows_affected();
    Ok(())
}
