//! Writes assets by the table of switches, and attaches what waited for them.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::de::IgnoredAny;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::identify::identify;
use super::links::{self, Link};
use super::sort::Written;
use super::{Context, max_id};
use crate::domain::Ledger;
use crate::store::merge::{lay_over, lay_pairs_over, lay_parts_over};
use crate::store::sqlite::fail::{Fail, refused};
use crate::store::sqlite::pack;
use crate::store::{Document, DocumentKind, Placeholder, StepCommit};

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
    /// JSON text: as it came, until something is laid over it.
    body: String,
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

pub(super) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    step: &StepCommit,
    written: &[Written<'_>],
    ledger: &mut Ledger,
) -> Result<Resolved, Fail> {
    let documents: Vec<(&Written<'_>, &Document)> = written
        .iter()
        .flat_map(|record| {
            record
                .documents
                .iter()
                .map(move |document| (record, document))
        })
        .filter(|(_, document)| document.kind == DocumentKind::Asset)
        .collect();
    let mut resolved = Resolved {
        by_key: links::linked(tx, ctx, written).await?,
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
    let mut given: Vec<Link<'_>> = Vec::with_capacity(documents.len());
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
                resolved.parked.insert(record.id);
                None
            }
        };
        given.push(Link {
            key: &document.key,
            own: document.key == record.entry.key,
            record: record.id,
            asset,
            finding_source: document.facet("finding-source"),
        });
    }
    changed.extend(&created);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    ledger.documents.assets_created += count(created.len());
    ledger.documents.assets_updated += count(changed.len().saturating_sub(created.len()));
    write_assets(tx, ctx, &assets, &changed).await?;
    links::drop_missing(tx, ctx, written, &given, ledger).await?;
    links::write(tx, ctx, &given).await?;
    let fresh: Vec<(&str, i64)> = resolved
        .by_key
        .iter()
        .filter(|(key, _)| !known.contains(*key))
        .map(|(key, asset)| (key.as_str(), *asset))
        .collect();
    links::attach(tx, ctx, &fresh, ledger).await?;
    links::reopen(tx, ctx, &revived, ledger).await?;
    Ok(resolved)
}

fn parse(document: &Document) -> Result<Value, Fail> {
    serde_json::from_slice(&document.body).map_err(|error| no_json(document, &error.to_string()))
}

fn no_json(document: &Document, reason: &str) -> Fail {
    refused(
        format!("the document of asset \"{}\"", document.key),
        format!("its body is no JSON: {reason}"),
    )
}

fn create(document: &Document) -> Result<Asset, Fail> {
    let body = std::str::from_utf8(&document.body)
        .map_err(|error| no_json(document, &error.to_string()))?;
    serde_json::from_str::<IgnoredAny>(body)
        .map_err(|error| no_json(document, &error.to_string()))?;
    Ok(Asset {
        active: true,
        onboarding_source: document.facet(ONBOARDING_SOURCE).map(str::to_owned),
        body: body.to_owned(),
        facets: document.facets.clone(),
        identity: document.identity.clone(),
        placeholders: document.placeholders.clone(),
    })
}

/// Lays a document over an asset that exists, as far as the switch lets it.
fn update(asset: &mut Asset, document: &Document, step: &StepCommit) -> Result<(), Fail> {
    asset.active = true;
    let whole = step.switches.update_existing_assets;
    if whole || !step.always_written.is_empty() {
        let over = parse(document)?;
        let held: Value = serde_json::from_str(&asset.body)?;
        let mut body = held.clone();
        if whole {
            lay_over(&mut body, over);
        } else {
            lay_parts_over(&mut body, &over, &step.always_written);
        }
        if body != held {
            asset.body = body.to_string();
        }
    }
    if !whole {
        return Ok(());
    }
    let facets: Vec<(String, String)> = document
        .facets
        .iter()
        .filter(|(name, _)| name != ONBOARDING_SOURCE)
        .cloned()
        .collect();
    lay_pairs_over(&mut asset.facets, &facets);
    lay_pairs_over(&mut asset.identity, &document.identity);
    for placeholder in &document.placeholders {
        match asset
            .placeholders
            .iter_mut()
            .find(|held| held.pointer == placeholder.pointer)
        {
            Some(held) => held.clone_from(placeholder),
            None => asset.placeholders.push(placeholder.clone()),
        }
    }
    Ok(())
}

async fn load(
    tx: &mut SqliteConnection,
    documents: &[(&Written<'_>, &Document)],
    by_key: &HashMap<String, i64>,
) -> Result<HashMap<i64, Asset>, Fail> {
    let ids: BTreeSet<i64> = documents
        .iter()
        .filter_map(|(_, document)| by_key.get(&document.key).copied())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    type Found = (i64, bool, Option<String>, String, String, String, String);
    let rows: Vec<Found> = sqlx::query_as(
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
            body,
            facets: serde_json::from_str(&facets)?,
            identity: serde_json::from_str(&identity)?,
            placeholders: serde_json::from_str(&placeholders)?,
        };
        assets.insert(id, asset);
    }
    Ok(assets)
}

/// An asset's row.
struct Row<'a> {
    id: i64,
    asset: &'a Asset,
    facets: String,
    identity: String,
    placeholders: String,
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
    let mut rows = Vec::with_capacity(changed.len());
    for (id, asset) in changed
        .iter()
        .filter_map(|id| assets.get(id).map(|asset| (*id, asset)))
    {
        rows.push(Row {
            id,
            asset,
            facets: pack::json(&asset.facets)?,
            identity: pack::json(&asset.identity)?,
            placeholders: pack::json(&asset.placeholders)?,
        });
    }
    let now = ctx.now.as_i64();
    pack::insert(
        tx,
        "INSERT INTO assets (id, state, created_by, onboarding_source, host_name, title, first_seen, updated_at,
                             facets, identity, placeholders, body) ",
        &rows,
        " ON CONFLICT (id) DO UPDATE SET
             state = 0, closed_at = NULL, host_name = excluded.host_name, title = excluded.title,
             updated_at = excluded.updated_at, facets = excluded.facets, identity = excluded.identity,
             placeholders = excluded.placeholders, body = excluded.body",
        |row, values| {
            row.push_bind(values.id)
                .push_bind(0)
                .push_bind(ctx.connection.0)
                .push_bind(values.asset.onboarding_source.as_deref())
                .push_bind(values.asset.facet("host-name"))
                .push_bind(values.asset.facet("title"))
                .push_bind(now)
                .push_bind(now)
                .push_bind(values.facets.as_str())
                .push_bind(values.identity.as_str())
                .push_bind(values.placeholders.as_str())
                .push_bind(values.asset.body.as_str());
        },
    )
    .await
}
