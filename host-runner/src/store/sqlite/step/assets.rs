//! Writes assets by the table of switches, and attaches what waited for them.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::identify::identify;
use super::sort::Written;
use super::{Context, max_id};
use crate::domain::Ledger;
use crate::store::merge::{lay_over, lay_pairs_over, lay_parts_over};
use crate::store::sqlite::closing;
use crate::store::sqlite::fail::{Fail, refused};
use crate::store::sqlite::pack::{self, Pieces};
use crate::store::{Document, DocumentKind, Placeholder, Standing, StepCommit};

/// The facet that says where an asset came from. It is set when the asset is created, and stays.
const ONBOARDING_SOURCE: &str = "onboarding-source";

/// Which assets the step's documents mean.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// By the key of the asset's document.
    pub(super) by_key: HashMap<String, i64>,
    /// Records that gave a document for an asset that is not there.
    pub(super) parked: HashSet<i64>,
}

/// An asset as it will be.
#[derive(Debug, Clone, PartialEq)]
struct Asset {
    active: bool,
    onboarding_source: Option<String>,
    body: Value,
    facets: Vec<(String, String)>,
    identity: Vec<(String, String)>,
    placeholders: Vec<Placeholder>,
}

impl Asset {
    fn facet(&self, name: &str) -> Option<&str> {
        self.facets
            .iter()
            .find(|(facet, _)| facet == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Serialize)]
struct Row<'a>(
    i64,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    &'a [(String, String)],
    &'a [(String, String)],
    &'a [Placeholder],
    usize,
    usize,
);

#[derive(Serialize)]
struct Link<'a>(&'a str, i64, Option<i64>, Option<&'a str>);

pub(super) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    step: &StepCommit,
    written: &[Written<'_>],
    ledger: &mut Ledger,
) -> Result<Resolved, Fail> {
    let documents: Vec<(i64, &Document)> = written
        .iter()
        .flat_map(|record| {
            record
                .documents
                .iter()
                .map(|document| (record.id, document))
        })
        .filter(|(_, document)| document.kind == DocumentKind::Asset)
        .collect();
    let mut resolved = Resolved {
        by_key: linked(tx, ctx, written).await?,
        parked: HashSet::new(),
    };
    let known: HashSet<String> = resolved.by_key.keys().cloned().collect();
    for (_, document) in &documents {
        if !resolved.by_key.contains_key(&document.key)
            && let Some(asset) = identify(&document.identity)?
        {
            resolved.by_key.insert(document.key.clone(), asset);
        }
    }
    let mut assets = load(tx, &documents, &resolved.by_key).await?;
    let mut last_id = max_id(tx, "SELECT max(id) FROM assets").await?;
    let mut changed: BTreeSet<i64> = BTreeSet::new();
    let mut created: HashSet<i64> = HashSet::new();
    let mut revived: Vec<i64> = Vec::new();
    let mut links: Vec<Link<'_>> = Vec::with_capacity(documents.len());
    for (record, document) in &documents {
        let asset = match resolved.by_key.get(&document.key) {
            Some(id) => {
                if let Some(asset) = assets.get_mut(id) {
                    let before = asset.clone();
                    update(asset, document, step)?;
                    if !before.active {
                        revived.push(*id);
                    }
                    if *asset != before {
                        changed.insert(*id);
                    }
                }
                Some(*id)
            }
            None if step.switches.auto_onboard_assets => {
                last_id = last_id.saturating_add(1);
                assets.insert(last_id, create(document)?);
                created.insert(last_id);
                resolved.by_key.insert(document.key.clone(), last_id);
                Some(last_id)
            }
            None => {
                resolved.parked.insert(*record);
                None
            }
        };
        links.push(Link(
            &document.key,
            *record,
            asset,
            document.facet("finding-source"),
        ));
    }
    changed.extend(&created);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    ledger.documents.assets_created += count(created.len());
    ledger.documents.assets_updated += count(changed.len().saturating_sub(created.len()));
    write_assets(tx, ctx, &assets, &changed).await?;
    drop_links(tx, ctx, written, &links, ledger).await?;
    write_links(tx, ctx, &links).await?;
    let fresh: Vec<(&str, i64)> = resolved
        .by_key
        .iter()
        .filter(|(key, _)| !known.contains(*key))
        .map(|(key, asset)| (key.as_str(), *asset))
        .collect();
    attach(tx, ctx, &fresh, ledger).await?;
    reopen(tx, ctx, &revived, ledger).await?;
    Ok(resolved)
}

fn parse(document: &Document) -> Result<Value, Fail> {
    serde_json::from_slice(&document.body).map_err(|error| {
        refused(
            format!("the document of asset \"{}\"", document.key),
            format!("its body is no JSON: {error}"),
        )
    })
}

fn create(document: &Document) -> Result<Asset, Fail> {
    Ok(Asset {
        active: true,
        onboarding_source: document.facet(ONBOARDING_SOURCE).map(str::to_owned),
        body: parse(document)?,
        facets: document.facets.clone(),
        identity: document.identity.clone(),
        placeholders: document.placeholders.clone(),
    })
}

/// Lays a document over an asset that exists, as far as the switch lets it.
fn update(asset: &mut Asset, document: &Document, step: &StepCommit) -> Result<(), Fail> {
    asset.active = true;
    if !step.switches.update_existing_assets {
        if !step.always_written.is_empty() {
            lay_parts_over(&mut asset.body, &parse(document)?, &step.always_written);
        }
        return Ok(());
    }
    lay_over(&mut asset.body, parse(document)?);
    let facets: Vec<(String, String)> = document
        .facets
        .iter()
        .filter(|(name, _)| name != ONBOARDING_SOURCE)
        .cloned()
        .collect();
    lay_pairs_over(&mut asset.facets, &facets);
    lay_pairs_over(&mut asset.identity, &document.identity);
    for placeholder in &document.placeholders {
        asset
            .placeholders
            .retain(|held| held.pointer != placeholder.pointer);
        asset.placeholders.push(placeholder.clone());
    }
    asset.placeholders.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    asset.facets.sort();
    asset.identity.sort();
    Ok(())
}

/// Assets that are linked to the keys that the step's documents name, findings' assets among them.
async fn linked(
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
         CROSS JOIN links AS l ON l.key = j.value AND l.connection_id = ?2 WHERE l.asset_id IS NOT NULL",
    )
    .bind(pack::json(&keys)?)
    .bind(ctx.connection.0)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().collect())
}

async fn load(
    tx: &mut SqliteConnection,
    documents: &[(i64, &Document)],
    by_key: &HashMap<String, i64>,
) -> Result<HashMap<i64, Asset>, Fail> {
    let ids: BTreeSet<i64> = documents
        .iter()
        .filter_map(|(_, document)| by_key.get(&document.key).copied())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, bool, Option<String>, String, String, String, String)> = sqlx::query_as(
        "SELECT id, state = 0, onboarding_source, body, facets, identity, placeholders
         FROM assets WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(pack::json(&ids)?)
    .fetch_all(tx)
    .await?;
    let mut assets = HashMap::with_capacity(rows.len());
    for (id, active, onboarding_source, body, facets, identity, placeholders) in rows {
        let asset = Asset {
            active,
            onboarding_source,
            body: serde_json::from_str(&body)?,
            facets: serde_json::from_str(&facets)?,
            identity: serde_json::from_str(&identity)?,
            placeholders: serde_json::from_str(&placeholders)?,
        };
        assets.insert(id, asset);
    }
    Ok(assets)
}

async fn write_assets(
    tx: &mut SqliteConnection,
    ctx: &Context,
    assets: &HashMap<i64, Asset>,
    changed: &BTreeSet<i64>,
) -> Result<(), Fail> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut pieces = Pieces::default();
    let mut rows = Vec::with_capacity(changed.len());
    for (id, asset) in changed
        .iter()
        .filter_map(|id| assets.get(id).map(|asset| (*id, asset)))
    {
        let (place, length) = pieces.push(pack::json(&asset.body)?.as_bytes());
        rows.push(Row(
            id,
            asset.onboarding_source.as_deref(),
            asset.facet("host-name"),
            asset.facet("title"),
            &asset.facets,
            &asset.identity,
            &asset.placeholders,
            place,
            length,
        ));
    }
    sqlx::query(
        "INSERT INTO assets (id, state, created_by, onboarding_source, host_name, title, first_seen, updated_at,
                             facets, identity, placeholders, body)
         SELECT j.value ->> 0, 0, ?3, j.value ->> 1, j.value ->> 2, j.value ->> 3, ?4, ?4,
                j.value -> 4, j.value -> 5, j.value -> 6, CAST(substr(?2, j.value ->> 7, j.value ->> 8) AS TEXT)
         FROM json_each(?1) AS j WHERE true
         ON CONFLICT (id) DO UPDATE SET
             state = 0, closed_at = NULL, host_name = excluded.host_name, title = excluded.title,
             updated_at = excluded.updated_at, facets = excluded.facets, identity = excluded.identity,
             placeholders = excluded.placeholders, body = excluded.body",
    )
    .bind(pack::json(&rows)?)
    .bind(pieces.bytes)
    .bind(ctx.connection.0)
    .bind(ctx.now.as_i64())
    .execute(tx)
    .await?;
    Ok(())
}

/// Links of records that are read again and give another asset than before, or none: those are closed.
async fn drop_links(
    tx: &mut SqliteConnection,
    ctx: &Context,
    written: &[Written<'_>],
    links: &[Link<'_>],
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    let again: Vec<i64> = written
        .iter()
        .filter(|record| record.standing != Standing::New)
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
    let given: HashSet<(i64, &str)> = links.iter().map(|link| (link.1, link.0)).collect();
    let dropped: Vec<(i64, Option<i64>)> = held
        .into_iter()
        .filter(|(_, record, key, _)| !given.contains(&(*record, key.as_str())))
        .map(|(id, _, _, asset)| (id, asset))
        .collect();
    if dropped.is_empty() {
        return Ok(());
    }
    closing::clear(tx).await?;
    sqlx::query(
        "UPDATE links SET state = 1 WHERE id IN (SELECT j.value ->> 0 FROM json_each(?1) AS j)",
    )
    .bind(pack::json(&dropped)?)
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

async fn write_links(
    tx: &mut SqliteConnection,
    ctx: &Context,
    links: &[Link<'_>],
) -> Result<(), Fail> {
    if links.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO links (connection_id, key, record_id, asset_id, state, finding_source)
         SELECT ?2, j.value ->> 0, j.value ->> 1, j.value ->> 2, 0, j.value ->> 3 FROM json_each(?1) AS j WHERE true
         ON CONFLICT (record_id, key) DO UPDATE SET
             asset_id = excluded.asset_id, state = 0, finding_source = excluded.finding_source",
    )
    .bind(pack::json(links)?)
    .bind(ctx.connection.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// What waited for these keys gets its asset, in the transaction that brings the asset. A record whose own asset document waited is made anew when it
/// is read next, so that its values are laid over too.
async fn attach(
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
    sqlx::query(
        "UPDATE records SET parked = 0 WHERE id IN (SELECT value FROM json_each(?1))
             AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.record_id = records.id AND l.asset_id IS NULL AND l.state = 0)
             AND NOT EXISTS (SELECT 1 FROM findings AS f WHERE f.record_id = records.id AND f.asset_id IS NULL AND f.state = 0)",
    )
    .bind(pack::json(&records)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// Findings that left only because their asset did are there again with it.
async fn reopen(
    tx: &mut SqliteConnection,
    ctx: &Context,
    assets: &[i64],
    ledger: &mut Ledger,
) -> Result<(), Fail> {
    if assets.is_empty() {
        return Ok(());
    }
    let reopened = sqlx::query(
        "UPDATE findings SET state = 0, closed_at = NULL, evidence = NULL, last_seen = NULL, reopened_at = ?3, updated_at = ?3
         WHERE asset_id IN (SELECT value FROM json_each(?1)) AND connection_id = ?2 AND state <> 0
           AND evidence ->> '$.reason' = 'asset-gone'
           AND (SELECT r.state FROM records AS r WHERE r.id = findings.record_id) = 0",
    )
    .bind(pack::json(assets)?)
    .bind(ctx.connection.0)
    .bind(ctx.now.as_i64())
    .execute(tx)
    .await?;
    ledger.documents.findings_reopened += reopened.rows_affected();
    Ok(())
}
