//! Brings in assets that something else knows: a few rows in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;
use sqlx::SqliteConnection;

use super::fail::Fail;
use super::identification::rules;
use super::step::identify::{Source, look_up};
use super::step::keys::{self, Rekeyed};
use super::step::max_id;
use super::{SqliteStore, pack};
use crate::domain::Timestamp;
use crate::identification::{Found, Identity, Key, Sources};
use crate::store::merge::fill_gaps;
use crate::store::{Imported, ImportedAsset};

/// An asset as it will be.
#[derive(Debug, Clone, PartialEq)]
struct Asset {
    /// 0 active: see the schema.
    state: i64,
    onboarding_source: Option<String>,
    host_name: Option<String>,
    title: Option<String>,
    first_seen: i64,
    body: Value,
    facets: Vec<(String, String)>,
    identity: Sources,
}

pub(super) async fn import(
    store: &SqliteStore,
    source: &str,
    rows: &[ImportedAsset],
    now: Timestamp,
) -> Result<Imported, Fail> {
    let mut tx = store.begin().await?;
    let imported = apply(&mut tx, source, rows, now).await?;
    tx.commit().await?;
    Ok(imported)
}

async fn apply(
    tx: &mut SqliteConnection,
    source: &str,
    rows: &[ImportedAsset],
    now: Timestamp,
) -> Result<Imported, Fail> {
    let rules = rules(tx).await?;
    let from = Source::Import(source);
    let mut by_key = brought_before(tx, source, rows).await?;
    let asked: Vec<(Identity, BTreeSet<Key>)> = rows
        .iter()
        .map(|row| {
            let pairs = row.identity.iter();
            let identity = Identity::of(pairs.map(|(name, value)| (name.as_str(), value.as_str())));
            let keys = identity.all_keys(&rules);
            (identity, keys)
        })
        .collect();
    let keys: BTreeSet<Key> = rows
        .iter()
        .zip(&asked)
        .filter(|(row, _)| !by_key.contains_key(&row.key))
        .flat_map(|(_, (_, keys))| keys.iter().copied())
        .collect();
    let known = look_up(tx, &keys, from).await?;

    let mut imported = Imported::default();
    let mut claimed: HashSet<i64> = HashSet::new();
    let mut last_id = max_id(tx, "SELECT max(id) FROM assets").await?;
    let first_new = last_id.saturating_add(1);
    let mut meant: Vec<(&ImportedAsset, i64)> = Vec::with_capacity(rows.len());
    for (row, (identity, keys)) in rows.iter().zip(&asked) {
        if let Some(asset) = by_key.get(&row.key) {
            imported.known += 1;
            meant.push((row, *asset));
            continue;
        }
        let asset = match known.ask(rules.iter().cloned(), (identity, keys), true, &claimed) {
            Found::One(asset) => {
                imported.linked += 1;
                asset
            }
            Found::None => {
                imported.created += 1;
                last_id = last_id.saturating_add(1);
                last_id
            }
            Found::Several { rule, assets } => {
                let number = u64::try_from(assets.len()).unwrap_or(u64::MAX);
                imported
                    .ambiguous
                    .push((row.line, rule.to_string(), number));
                continue;
            }
        };
        claimed.insert(asset);
        by_key.insert(row.key.clone(), asset);
        meant.push((row, asset));
    }

    let ids: BTreeSet<i64> = meant.iter().map(|(_, asset)| *asset).collect();
    let before = load(tx, &ids).await?;
    let mut assets = before.clone();
    for (row, id) in &meant {
        let asset = assets
            .entry(*id)
            .or_insert_with(|| create(source, row, now));
        asset.state = 0;
        fill_gaps(&mut asset.body, &row.body);
        if asset.host_name.is_none() {
            asset.host_name.clone_from(&row.host_name);
            asset
                .facets
                .extend(facet("host-name", row.host_name.as_deref()));
        }
        if asset.title.is_none() {
            asset.title.clone_from(&row.host_name);
            asset
                .facets
                .extend(facet("title", row.host_name.as_deref()));
        }
        asset.identity.say(&from.name(), &row.identity);
    }
    let gaps = |id: &&i64| {
        let (Some(before), Some(after)) = (before.get(id), assets.get(id)) else {
            return false;
        };
        before.body != after.body || before.facets != after.facets
    };
    imported.filled += u64::try_from(ids.iter().filter(gaps).count()).unwrap_or(u64::MAX);
    write(tx, &before, &assets, first_new, now).await?;
    remember(tx, source, &meant, now).await?;
    let rekeyed: Vec<Rekeyed<'_>> = assets
        .iter()
        .map(|(id, asset)| Rekeyed {
            asset: *id,
            before: before.get(id).map(|before| &before.identity),
            after: &asset.identity,
            keys: None,
        })
        .filter(|rekeyed| rekeyed.before != Some(rekeyed.after))
        .collect();
    keys::write(tx, &rules, &rekeyed, []).await?;
    Ok(imported)
}

fn facet(name: &str, value: Option<&str>) -> Option<(String, String)> {
    Some((name.to_owned(), value?.to_owned()))
}

fn create(source: &str, row: &ImportedAsset, now: Timestamp) -> Asset {
    Asset {
        state: 0,
        onboarding_source: Some(source.to_owned()),
        host_name: None,
        title: None,
        first_seen: row.first_seen.unwrap_or(now).as_i64(),
        body: row.body.clone(),
        facets: facet("onboarding-source", Some(source))
            .into_iter()
            .collect(),
        identity: Sources::default(),
    }
}

/// Which of the rows' keys the source has brought before, and for which assets.
async fn brought_before(
    tx: &mut SqliteConnection,
    source: &str,
    rows: &[ImportedAsset],
) -> Result<HashMap<String, i64>, Fail> {
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let known: Vec<(String, i64)> = sqlx::query_as(
        "SELECT i.key, i.asset_id FROM json_each(?2) AS j
         CROSS JOIN imported AS i ON i.source = ?1 AND i.key = j.value",
    )
    .bind(source)
    .bind(pack::json(&keys)?)
    .fetch_all(tx)
    .await?;
    Ok(known.into_iter().collect())
}

async fn load(tx: &mut SqliteConnection, ids: &BTreeSet<i64>) -> Result<HashMap<i64, Asset>, Fail> {
    type Row = (
        i64,
        i64,
        Option<String>,
        Option<String>,
        Option<String>,
        i64,
        String,
        String,
        String,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, state, onboarding_source, host_name, title, first_seen, body, facets, identity
         FROM assets WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(pack::json(ids)?)
    .fetch_all(tx)
    .await?;
    let mut assets = HashMap::with_capacity(rows.len());
    for (id, state, onboarding_source, host_name, title, first_seen, body, facets, identity) in rows
    {
        let asset = Asset {
            state,
            onboarding_source,
            host_name,
            title,
            first_seen,
            body: serde_json::from_str(&body)?,
            facets: serde_json::from_str(&facets)?,
            identity: serde_json::from_str(&identity)?,
        };
        assets.insert(id, asset);
    }
    Ok(assets)
}

async fn write(
    tx: &mut SqliteConnection,
    before: &HashMap<i64, Asset>,
    assets: &HashMap<i64, Asset>,
    first_new: i64,
    now: Timestamp,
) -> Result<(), Fail> {
    let mut rows = Vec::new();
    for (id, asset) in assets {
        if before.get(id) == Some(asset) {
            continue;
        }
        // What is new is as old as it is known to be; what was there is changed now.
        let updated = if *id >= first_new {
            asset.first_seen
        } else {
            now.as_i64()
        };
        rows.push((
            *id,
            asset,
            updated,
            pack::json(&asset.facets)?,
            pack::json(&asset.identity)?,
            asset.body.to_string(),
        ));
    }
    rows.sort_by_key(|(id, ..)| *id);
    pack::insert(
        tx,
        "INSERT INTO assets (id, state, created_by, onboarding_source, host_name, title, first_seen, updated_at,
                             facets, identity, placeholders, body) ",
        &rows,
        " ON CONFLICT (id) DO UPDATE SET
             state = 0, closed_at = NULL, host_name = excluded.host_name, title = excluded.title,
             updated_at = CASE WHEN body = excluded.body AND facets = excluded.facets AND state = 0 THEN updated_at ELSE excluded.updated_at END,
             facets = excluded.facets, identity = excluded.identity, body = excluded.body",
        |row, (id, asset, updated, facets, identity, body)| {
            row.push_bind(*id)
                .push_bind(0)
                .push_bind(None::<i64>)
                .push_bind(asset.onboarding_source.as_deref())
                .push_bind(asset.host_name.as_deref())
                .push_bind(asset.title.as_deref())
                .push_bind(asset.first_seen)
                .push_bind(*updated)
                .push_bind(facets.as_str())
                .push_bind(identity.as_str())
                .push_bind("[]")
                .push_bind(body.as_str());
        },
    )
    .await
}

/// Remembers which row is which asset.
async fn remember(
    tx: &mut SqliteConnection,
    source: &str,
    meant: &[(&ImportedAsset, i64)],
    now: Timestamp,
) -> Result<(), Fail> {
    pack::insert(
        tx,
        "INSERT INTO imported (source, key, asset_id, first_at, last_at) ",
        meant,
        " ON CONFLICT (source, key) DO UPDATE SET last_at = excluded.last_at",
        |row, (imported, asset)| {
            row.push_bind(source)
                .push_bind(imported.key.as_str())
                .push_bind(*asset)
                .push_bind(now.as_i64())
                .push_bind(now.as_i64());
        },
    )
    .await
}
