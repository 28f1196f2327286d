//! Writes assets by the table of switches, and attaches what waited for them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::de::IgnoredAny;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::doubts;
use super::identify::{self, Source, Stranger};
use super::keys::{self, Rekeyed};
use super::links::{self, Link};
use super::sort::Written;
use super::{Context, max_id};
use crate::domain::Ledger;
use crate::identification::{Key, Rules as Identification, Sources};
use crate::store::merge::{lay_over, lay_pairs_over, lay_parts_over};
use crate::store::sqlite::fail::{Fail, refused};
use crate::store::sqlite::{identification, pack};
use crate::store::{AssetRules, Document, DocumentKind, Placeholder, Standing};

/// How an active asset is stored.
const ACTIVE: i64 = 0;

/// The facet that says where an asset came from. It is set when the asset is created, and stays.
const ONBOARDING_SOURCE: &str = "onboarding-source";

/// What is made anew without being read again.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Anew<'a> {
    /// Whether this is all that happens: an asset that takes on another form has not changed at its source then.
    pub(in crate::store::sqlite) made: bool,
    /// Assets that are made up again, each from these documents alone, in this order.
    pub(in crate::store::sqlite) rebuilt: HashMap<i64, Vec<&'a Document>>,
    /// Documents of records that are not open, for assets that are not active either.
    pub(in crate::store::sqlite) left: Vec<(i64, &'a Document)>,
}

/// Which assets the step's documents mean.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Resolved {
    /// By the key of the asset's document.
    pub(super) by_key: HashMap<String, i64>,
    /// Records that gave a document for an asset that is not there.
    pub(in crate::store::sqlite) parked: HashSet<i64>,
    /// Keys of the step's own asset documents.
    pub(super) given: HashSet<String>,
    /// What the parked records wait for.
    pub(super) waits: BTreeMap<i64, BTreeSet<Key>>,
    /// By which assets are identified.
    pub(super) identification: Identification,
}

/// An asset as it will be.
#[derive(Debug, Clone, PartialEq)]
struct Asset {
    /// 0 active: see the schema.
    state: i64,
    onboarding_source: Option<String>,
    /// JSON text: as it came, until something is laid over it.
    body: String,
    facets: Vec<(String, String)>,
    identity: Sources,
    placeholders: Vec<Placeholder>,
}

impl Asset {
    /// Whether all but what identifies it is the same: that is the sources' own, and no value of the asset that a switch could keep as it is.
    fn shows_the_same(&self, other: &Self) -> bool {
        let Self {
            state,
            onboarding_source,
            body,
            facets,
            identity: _,
            placeholders,
        } = self;
        *state == other.state
            && *onboarding_source == other.onboarding_source
            && *body == other.body
            && *facets == other.facets
            && *placeholders == other.placeholders
    }

    fn facet(&self, name: &str) -> Option<&str> {
        self.facets
            .iter()
            .find(|(facet, _)| facet == name)
            .map(|(_, value)| value.as_str())
    }
}

pub(in crate::store::sqlite) async fn write(
    tx: &mut SqliteConnection,
    ctx: &Context,
    rules: &AssetRules,
    written: &[Written<'_>],
    anew: &Anew<'_>,
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
        given: documents
            .iter()
            .map(|(_, document)| document.key.clone())
            .collect(),
        identification: identification::rules(tx).await?,
        ..Resolved::default()
    };
    let known: HashSet<String> = resolved.by_key.keys().cloned().collect();
    let source = Source::Connection(ctx.connection).name();
    let strangers: Vec<Stranger<'_>> = documents
        .iter()
        .filter(|(_, document)| !resolved.by_key.contains_key(&document.key))
        .map(|(record, document)| {
            Stranger::of(record.id, document, &resolved.identification, false)
        })
        .collect();
    let identified =
        identify::assets(tx, ctx.connection, &resolved.identification, &strangers).await?;
    resolved.by_key.extend(identified.by_key);
    let named = documents
        .iter()
        .filter_map(|(_, document)| resolved.by_key.get(&document.key).copied());
    let left = anew.left.iter().map(|(asset, _)| *asset);
    let ids: BTreeSet<i64> = named
        .chain(anew.rebuilt.keys().copied())
        .chain(left)
        .collect();
    let before = load(tx, &ids).await?;
    let mut assets = before.clone();
    make_anew(&mut assets, anew, &source, rules)?;
    let mut last_id = max_id(tx, "SELECT max(id) FROM assets").await?;
    let mut created: HashSet<i64> = HashSet::new();
    // Assets that one document made, and none was laid over: their keys are the document's.
    let mut made_by: HashMap<i64, (i64, &str)> = HashMap::new();
    let mut given: Vec<Link<'_>> = Vec::with_capacity(documents.len());
    for (record, document) in &documents {
        let asset = match resolved.by_key.get(&document.key) {
            Some(id) => {
                if let Some(asset) = assets.get_mut(id) {
                    asset.state = ACTIVE;
                    made_by.remove(id);
                    if !anew.rebuilt.contains_key(id) {
                        update(asset, document, &source, rules)?;
                    }
                }
                Some(*id)
            }
            None if rules.switches.auto_onboard_assets => {
                last_id = last_id.saturating_add(1);
                assets.insert(last_id, create(document, &source)?);
                created.insert(last_id);
                made_by.insert(last_id, (record.id, document.key.as_str()));
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
    let differs = |(id, asset): &(&i64, &Asset)| {
        let before = before.get(id);
        before.is_none_or(|before| !before.shows_the_same(asset))
    };
    let changed: BTreeSet<i64> = assets.iter().filter(differs).map(|(id, _)| *id).collect();
    let is_active = |id: &i64| assets.get(id).is_some_and(|asset| asset.state == ACTIVE);
    let revived: Vec<i64> = before
        .iter()
        .filter(|(id, asset)| asset.state != ACTIVE && is_active(id))
        .map(|(id, _)| *id)
        .collect();
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    ledger.documents.assets_created += count(created.len());
    ledger.documents.assets_updated += count(changed.len().saturating_sub(created.len()));
    write_assets(tx, ctx, rules, &assets, &changed, anew.made).await?;
    links::drop_missing(tx, ctx, written, &given, anew.made, ledger).await?;
    links::write(tx, ctx, &given).await?;
    let fresh: Vec<(&str, i64)> = resolved
        .by_key
        .iter()
        .filter(|(key, _)| !known.contains(*key))
        .map(|(key, asset)| (key.as_str(), *asset))
        .collect();
    links::attach(tx, ctx, &fresh, ledger).await?;
    links::reopen(tx, ctx, &revived, ledger).await?;

    let keys_of: HashMap<(i64, &str), &BTreeSet<Key>> = strangers
        .iter()
        .map(|stranger| ((stranger.record, stranger.key), &stranger.keys))
        .collect();
    let known_keys = |asset: i64| made_by.get(&asset).and_then(|by| keys_of.get(by)).copied();
    let rekeyed = rekeyed(&before, &assets, known_keys);
    write_identities(tx, &assets, &changed, &rekeyed).await?;
    let linked = fresh
        .iter()
        .map(|(key, _)| Key::of_link(ctx.connection.0, key));
    keys::write(tx, &resolved.identification, &rekeyed, linked).await?;
    for stranger in &strangers {
        if resolved.parked.contains(&stranger.record) {
            let waits = resolved.waits.entry(stranger.record).or_default();
            waits.extend(&stranger.keys);
        }
    }
    let renamed: HashSet<i64> = rekeyed
        .iter()
        .filter(|rekeyed| rekeyed.before.is_some())
        .map(|rekeyed| rekeyed.asset)
        .collect();
    let renamed: Vec<Stranger<'_>> = documents
        .iter()
        .filter(|(_, document)| known.contains(&document.key))
        .filter(|(_, document)| {
            let asset = resolved.by_key.get(&document.key);
            asset.is_some_and(|asset| renamed.contains(asset))
        })
        .map(|(record, document)| Stranger::of(record.id, document, &resolved.identification, true))
        .collect();
    let mut duplicates = identified.duplicates;
    duplicates.extend(
        identify::assets(tx, ctx.connection, &resolved.identification, &renamed)
            .await?
            .duplicates,
    );
    let again = |(record, document): &(&Written<'_>, &'_ Document)| {
        (record.standing != Standing::New).then(|| (record.id, document.key.clone()))
    };
    let asked: BTreeSet<(i64, String)> = documents
        .iter()
        .filter(|(_, document)| !known.contains(&document.key))
        .filter_map(again)
        .collect();
    doubts::ambiguous(tx, ctx, DocumentKind::Asset, &asked, &identified.ambiguous).await?;
    let renamed = renamed
        .iter()
        .map(|stranger| (stranger.record, stranger.key.to_owned()));
    let asked = asked.into_iter().chain(renamed).collect();
    doubts::duplicates(tx, ctx, &asked, &duplicates).await?;
    Ok(resolved)
}

/// Assets whose identity is another than before.
fn rekeyed<'a>(
    before: &'a HashMap<i64, Asset>,
    after: &'a HashMap<i64, Asset>,
    known_keys: impl Fn(i64) -> Option<&'a BTreeSet<Key>>,
) -> Vec<Rekeyed<'a>> {
    after
        .iter()
        .map(|(id, asset)| Rekeyed {
            asset: *id,
            before: before.get(id).map(|before| &before.identity),
            after: &asset.identity,
            keys: known_keys(*id),
        })
        .filter(|rekeyed| rekeyed.before != Some(rekeyed.after))
        .collect()
}

/// Writes what identifies assets that are else as they were.
async fn write_identities(
    tx: &mut SqliteConnection,
    assets: &HashMap<i64, Asset>,
    changed: &BTreeSet<i64>,
    rekeyed: &[Rekeyed<'_>],
) -> Result<(), Fail> {
    let rows: Vec<(i64, &Sources)> = rekeyed
        .iter()
        .filter(|rekeyed| !changed.contains(&rekeyed.asset))
        .filter_map(|rekeyed| Some((rekeyed.asset, &assets.get(&rekeyed.asset)?.identity)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE assets SET identity = j.value ->> 1 FROM json_each(?1) AS j WHERE assets.id = j.value ->> 0",
    )
    .bind(pack::json(&rows)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes assets up again, and lays over those that are not active what the records that are not open give.
fn make_anew(
    assets: &mut HashMap<i64, Asset>,
    anew: &Anew<'_>,
    source: &str,
    rules: &AssetRules,
) -> Result<(), Fail> {
    for (id, documents) in &anew.rebuilt {
        let (Some(asset), Some((first, rest))) = (assets.get_mut(id), documents.split_first())
        else {
            continue;
        };
        let mut made = create(first, source)?;
        for document in rest {
            update(&mut made, document, source, rules)?;
        }
        made.state = asset.state;
        *asset = made;
    }
    for (id, document) in &anew.left {
        if let Some(asset) = assets.get_mut(id).filter(|asset| asset.state != ACTIVE) {
            update(asset, document, source, rules)?;
        }
    }
    Ok(())
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

fn create(document: &Document, source: &str) -> Result<Asset, Fail> {
    let body = std::str::from_utf8(&document.body)
        .map_err(|error| no_json(document, &error.to_string()))?;
    serde_json::from_str::<IgnoredAny>(body)
        .map_err(|error| no_json(document, &error.to_string()))?;
    let mut identity = Sources::default();
    identity.say(source, &document.identity);
    Ok(Asset {
        state: ACTIVE,
        onboarding_source: document.facet(ONBOARDING_SOURCE).map(str::to_owned),
        body: body.to_owned(),
        facets: document.facets.clone(),
        identity,
        placeholders: document.placeholders.clone(),
    })
}

/// Lays a document over an asset that exists, as far as the switch lets it. What the source identifies it by is the source's, whatever the switch says.
fn update(
    asset: &mut Asset,
    document: &Document,
    source: &str,
    rules: &AssetRules,
) -> Result<(), Fail> {
    asset.identity.say(source, &document.identity);
    let whole = rules.switches.update_existing_assets;
    if whole || !rules.always_written.is_empty() {
        let mut over = parse(document)?;
        keep_onboarding_source(asset, &mut over, rules);
        let held: Value = serde_json::from_str(&asset.body)?;
        let mut body = held.clone();
        if whole {
            lay_over(&mut body, over);
        } else {
            lay_parts_over(&mut body, &over, &rules.always_written);
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

/// Who brought the asset stays, also where the document says it.
fn keep_onboarding_source(asset: &Asset, over: &mut Value, rules: &AssetRules) {
    let place = rules.onboarding_source.as_deref();
    let said = place.and_then(|place| over.pointer_mut(place));
    if let (Some(kept), Some(said)) = (&asset.onboarding_source, said) {
        *said = Value::from(kept.as_str());
    }
}

async fn load(tx: &mut SqliteConnection, ids: &BTreeSet<i64>) -> Result<HashMap<i64, Asset>, Fail> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    type Found = (i64, i64, Option<String>, String, String, String, String);
    let rows: Vec<Found> = sqlx::query_as(
        "SELECT id, state, onboarding_source, body, facets, identity, placeholders
         FROM assets WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(pack::json(ids)?)
    .fetch_all(tx)
    .await?;
    let mut assets = HashMap::with_capacity(rows.len());
    for (id, state, onboarding_source, body, facets, identity, placeholders) in rows {
        let asset = Asset {
            state,
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
    rules: &AssetRules,
    assets: &HashMap<i64, Asset>,
    changed: &BTreeSet<i64>,
    made_anew: bool,
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
                             nests, facets, identity, placeholders, body) ",
        &rows,
        if made_anew {
            " ON CONFLICT (id) DO UPDATE SET
             state = excluded.state, closed_at = CASE excluded.state WHEN 0 THEN NULL ELSE closed_at END,
             onboarding_source = excluded.onboarding_source, host_name = excluded.host_name, title = excluded.title,
             updated_at = CASE WHEN excluded.state = 0 AND state <> 0 THEN excluded.updated_at ELSE updated_at END,
             nests = coalesce(excluded.nests, nests), facets = excluded.facets, identity = excluded.identity,
             placeholders = excluded.placeholders, body = excluded.body"
        } else {
            " ON CONFLICT (id) DO UPDATE SET
             state = excluded.state, closed_at = CASE excluded.state WHEN 0 THEN NULL ELSE closed_at END,
             onboarding_source = excluded.onboarding_source, host_name = excluded.host_name, title = excluded.title,
             updated_at = CASE excluded.state WHEN 0 THEN excluded.updated_at ELSE updated_at END,
             nests = coalesce(excluded.nests, nests), facets = excluded.facets, identity = excluded.identity,
             placeholders = excluded.placeholders, body = excluded.body"
        },
        |row, values| {
            row.push_bind(values.id)
                .push_bind(values.asset.state)
                .push_bind(ctx.connection.0)
                .push_bind(values.asset.onboarding_source.as_deref())
                .push_bind(values.asset.facet("host-name"))
                .push_bind(values.asset.facet("title"))
                .push_bind(now)
                .push_bind(now)
                .push_bind(rules.findings.as_deref())
                .push_bind(values.facets.as_str())
                .push_bind(values.identity.as_str())
                .push_bind(values.placeholders.as_str())
                .push_bind(values.asset.body.as_str());
        },
    )
    .await
}
