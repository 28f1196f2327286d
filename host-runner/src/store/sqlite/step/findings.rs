//! Writes findings: an entry's documents replace all that the same entry gave before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::assets::Resolved;
use super::doubts;
use super::identify::{self, Attached, Lost};
use super::sort::Written;
use super::{Context, max_id};
use crate::domain::Ledger;
use crate::identification::Key;
use crate::store::sqlite::fail::{Fail, refused};
use crate::store::sqlite::held::{state_number, state_of};
use crate::store::sqlite::{closing, pack};
use crate::store::{Closing, Document, DocumentKind, Evidence, RecordState, Severity, Standing};

/// What a map leaves out is out of scope under this name, beside those of the configuration's filters.
const MAP: &str = "map";

/// Why an entry's findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sqlite) enum Again {
    /// It was read, for the first time or again.
    Read,
    /// It was not read: its documents are made anew.
    Made,
}

/// A finding that is held.
#[derive(Debug)]
struct Held {
    id: i64,
    record: i64,
    state: RecordState,
    asset: Option<i64>,
    first_seen: i64,
    updated_at: i64,
    reopened_at: Option<i64>,
    body: String,
    facets: String,
    identity: String,
    placeholders: String,
    asset_key: Option<String>,
    /// Whether the asset that it is on left.
    asset_left: bool,
}

impl Held {
    /// Whether nothing of it would be another.
    fn is(&self, row: &Row<'_>) -> bool {
        self.body == row.body
            && self.asset == row.asset
            && self.record == row.record
            && self.facets == row.facets
            && self.identity == row.identity
            && self.placeholders == row.placeholders
            && self.asset_key == row.document.asset
    }
}

/// A finding's row.
struct Row<'a> {
    id: i64,
    record: i64,
    document: &'a Document,
    asset: Option<i64>,
    first_seen: i64,
    /// When it last became another at its source: another map makes no other finding of it.
    updated_at: i64,
    reopened_at: Option<i64>,
    facets: String,
    identity: String,
    placeholders: String,
    body: &'a str,
}

/// Findings that wait.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Waiting {
    /// Records that have one that waits for its asset.
    pub(super) parked: HashSet<i64>,
    /// What records wait for: their findings' assets, or the link that says more than what the asset was found by.
    pub(super) waits: BTreeMap<i64, BTreeSet<Key>>,
}

/// Writes the findings, and says which wait.
pub(in crate::store::sqlite) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    written: &[Written<'_>],
    again: Again,
    assets: &Resolved,
    ledger: &mut Ledger,
) -> Result<Waiting, Fail> {
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
    let before: Vec<i64> = written
        .iter()
        .filter(|record| record.standing != Standing::New)
        .map(|record| record.id)
        .collect();
    let mut waiting = Waiting::default();
    if documents.is_empty() && before.is_empty() {
        return Ok(waiting);
    }
    let held = held(tx, ctx, &documents, &before).await?;
    let attached = attach(tx, ctx, &documents, &before, assets).await?;
    waiting.waits = attached.waits;
    let mut last_id = max_id(tx, "SELECT max(id) FROM findings").await?;
    let mut given: HashSet<&str> = HashSet::with_capacity(documents.len());
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(documents.len());
    let mut dressed: Vec<Row<'_>> = Vec::new();
    for (record, document) in documents {
        if !given.insert(&document.key) {
            continue;
        }
        let before = held.get(&document.key);
        let asset = match linked(document, assets) {
            Some(asset) => Some(asset),
            // What it was attached to by the same words stays its asset: a machine that is called so later is another one. That the rules find several
            // now, or none any more, is no reason either.
            None => match before.filter(|before| !before.asset_left) {
                Some(before)
                    if before.asset.is_some()
                        && before.asset_key == document.asset
                        && before.identity == pack::json(&document.identity)? =>
                {
                    before.asset
                }
                _ => attached
                    .assets
                    .get(&document.key)
                    .copied()
                    .or_else(|| before?.asset),
            },
        };
        if asset.is_none() {
            waiting.parked.insert(record);
        }
        let mut row = row(record, document, asset)?;
        row.updated_at = ctx.now.as_i64();
        match before {
            None => {
                ledger.documents.findings_new += 1;
                last_id = last_id.saturating_add(1);
                row.id = last_id;
                row.first_seen = ctx.now.as_i64();
            }
            Some(before) => {
                if again == Again::Made && before.state == RecordState::Open {
                    row.updated_at = before.updated_at;
                }
                row.id = before.id;
                row.first_seen = before.first_seen;
                row.reopened_at = before.reopened_at;
                match before.state {
                    RecordState::Open if before.is(&row) => continue,
                    RecordState::Open => ledger.documents.findings_changed += 1,
                    // It left with its asset, and its asset is not back.
                    _ if again == Again::Made && before.asset_left => {
                        dressed.push(row);
                        continue;
                    }
                    RecordState::Closed => {
                        ledger.documents.findings_reopened += 1;
                        row.reopened_at = Some(ctx.now.as_i64());
                    }
                    RecordState::OutOfScope => ledger.documents.findings_reopened += 1,
                }
            }
        }
        rows.push(row);
    }
    insert(tx, ctx, &rows).await?;
    update(tx, ctx, &dressed).await?;
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
    let_go(tx, ctx, &missing, again, ledger).await?;
    Ok(waiting)
}

/// Gives findings of records that are not open the documents that these give now. What they did not give before is not invented for them.
pub(in crate::store::sqlite) async fn dress(
    tx: &mut SqliteConnection,
    ctx: &Context,
    documents: &[(i64, &Document)],
) -> Result<(), Fail> {
    let rows = documents
        .iter()
        .map(|(record, document)| row(*record, document, None))
        .collect::<Result<Vec<_>, _>>()?;
    update(tx, ctx, &rows).await
}

/// A row, without what depends on what is held.
fn row<'a>(record: i64, document: &'a Document, asset: Option<i64>) -> Result<Row<'a>, Fail> {
    let body = std::str::from_utf8(&document.body)
        .ok()
        .filter(|body| is_json(body))
        .ok_or_else(|| {
            refused(
                format!("the document of finding \"{}\"", document.key),
                "its body is no JSON",
            )
        })?;
    Ok(Row {
        id: 0,
        record,
        document,
        asset,
        first_seen: 0,
        updated_at: 0,
        reopened_at: None,
        facets: pack::json(&document.facets)?,
        identity: pack::json(&document.identity)?,
        placeholders: pack::json(&document.placeholders)?,
        body,
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The asset that a finding is on by the endpoint that it names.
fn linked(document: &Document, assets: &Resolved) -> Option<i64> {
    let key = document.asset.as_ref()?;
    assets.by_key.get(key).copied()
}

/// Identifies the assets of findings that no link gives one to. Where the asset's own document is beside them, what it was taken for holds.
async fn attach(
    tx: &mut SqliteConnection,
    ctx: &Context,
    documents: &[(i64, &Document)],
    again: &[i64],
    assets: &Resolved,
) -> Result<Attached, Fail> {
    let beside = |key: &String| assets.by_key.contains_key(key) || assets.given.contains(key);
    let lost: Vec<Lost<'_>> = documents
        .iter()
        .filter(|(_, document)| !document.asset.as_ref().is_some_and(beside))
        .map(|(record, document)| Lost {
            record: *record,
            document,
        })
        .collect();
    let attached = identify::findings(tx, ctx.connection, &assets.identification, &lost).await?;
    let again: HashSet<i64> = again.iter().copied().collect();
    let asked: BTreeSet<(i64, String)> = documents
        .iter()
        .filter(|(record, _)| again.contains(record))
        .map(|(record, document)| (*record, document.key.clone()))
        .collect();
    doubts::ambiguous(tx, ctx, DocumentKind::Finding, &asked, &attached.ambiguous).await?;
    Ok(attached)
}

/// What is held under the documents' keys, and what the records that are read again gave before.
async fn held(
    tx: &mut SqliteConnection,
    ctx: &Context,
    documents: &[(i64, &Document)],
    records: &[i64],
) -> Result<HashMap<String, Held>, Fail> {
    let keys: BTreeSet<&str> = documents
        .iter()
        .map(|(_, document)| document.key.as_str())
        .collect();
    let mut rows: Vec<SqliteRow> = sqlx::query(
        "SELECT f.*, a.state <> 0 AS asset_left
         FROM json_each(?1) AS j CROSS JOIN findings AS f ON f.stream_id = ?2 AND f.key = j.value
         LEFT JOIN assets AS a ON a.id = f.asset_id",
    )
    .bind(pack::json(&keys)?)
    .bind(ctx.stream)
    .fetch_all(&mut *tx)
    .await?;
    if !records.is_empty() {
        let before: Vec<SqliteRow> = sqlx::query(
            "SELECT f.*, a.state <> 0 AS asset_left FROM findings AS f LEFT JOIN assets AS a ON a.id = f.asset_id
             WHERE f.record_id IN (SELECT value FROM json_each(?1))",
        )
        .bind(pack::json(records)?)
        .fetch_all(tx)
        .await?;
        rows.extend(before);
    }
    rows.iter()
        .map(|row| Ok((row.try_get("key")?, read(row)?)))
        .collect()
}

fn read(row: &SqliteRow) -> Result<Held, Fail> {
    Ok(Held {
        id: row.try_get("id")?,
        record: row.try_get("record_id")?,
        state: state_of(row.try_get("state")?),
        asset: row.try_get("asset_id")?,
        first_seen: row.try_get("first_seen")?,
        updated_at: row.try_get("updated_at")?,
        reopened_at: row.try_get("reopened_at")?,
        body: row.try_get("body")?,
        facets: row.try_get("facets")?,
        identity: row.try_get("identity")?,
        placeholders: row.try_get("placeholders")?,
        asset_key: row.try_get("asset_key")?,
        asset_left: row
            .try_get::<Option<bool>, _>("asset_left")?
            .unwrap_or(false),
    })
}

async fn insert(tx: &mut SqliteConnection, ctx: &Context, rows: &[Row<'_>]) -> Result<(), Fail> {
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
                .push_bind(finding.updated_at)
                .push_bind(finding.reopened_at)
                .push_bind(finding.facets.as_str())
                .push_bind(finding.identity.as_str())
                .push_bind(finding.placeholders.as_str())
                .push_bind(finding.body);
        },
    )
    .await
}

/// Gives findings that are not open other documents, and nothing else.
async fn update(tx: &mut SqliteConnection, ctx: &Context, rows: &[Row<'_>]) -> Result<(), Fail> {
    for row in rows {
        let document = row.document;
        let severity = Severity::from_facet(document.facet("severity").unwrap_or_default());
        sqlx::query(
            "UPDATE findings SET asset_key = ?4, severity = ?5, finding_source = ?6, host_name = ?7, title = ?8,
                 facets = ?9, identity = ?10, placeholders = ?11, body = ?12
             WHERE stream_id = ?1 AND key = ?2 AND record_id = ?3 AND state <> 0",
        )
        .bind(ctx.stream)
        .bind(document.key.as_str())
        .bind(row.record)
        .bind(document.asset.as_deref())
        .bind(severity.rank())
        .bind(document.facet("finding-source"))
        .bind(document.facet("host-name"))
        .bind(document.facet("title"))
        .bind(row.facets.as_str())
        .bind(row.identity.as_str())
        .bind(row.placeholders.as_str())
        .bind(row.body)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// What an entry gave before and gives no more, by id and when it was last seen, leaves. Read again, its source lists it no more, and it is closed. Made
/// anew, nothing was heard of it: a map leaves it out as a filter would, and it is back when a map gives it again.
async fn let_go(
    tx: &mut SqliteConnection,
    ctx: &Context,
    missing: &[(i64, i64)],
    again: Again,
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    if missing.is_empty() {
        return Ok(());
    }
    let (state, closing, word) = match again {
        Again::Read => (
            RecordState::Closed,
            Closing::NoLongerListed,
            "its record was read again and lists it no more",
        ),
        Again::Made => (
            RecordState::OutOfScope,
            Closing::OutOfScope(MAP.to_owned()),
            "its record was made anew by another map and gives it no more",
        ),
    };
    let evidence = Evidence {
        closing,
        word: word.to_owned(),
        at: None,
        sync: ctx.sync,
        run: ctx.run,
    };
    let left = sqlx::query(
        "UPDATE findings SET state = ?4, closed_at = ?2, updated_at = ?2, evidence = ?3, last_seen = j.value ->> 1
         FROM json_each(?1) AS j WHERE findings.id = j.value ->> 0",
    )
    .bind(pack::json(missing)?)
    .bind(ctx.now.as_i64())
    .bind(pack::json(&evidence)?)
    .bind(state_number(state))
    .execute(tx)
    .await?;
    let counted = match again {
        Again::Read => &mut ledger.documents.findings_closed,
        Again::Made => &mut ledger.documents.findings_out_of_scope,
    };
    *counted += left.rows_affected();
    Ok(())
}
