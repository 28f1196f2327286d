//! Which asset a document means, where no link says so: the tenant's rules, asked of the table of keys in one statement for a whole step.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sqlx::SqliteConnection;

use super::doubts::{Ambiguous, Duplicate};
use crate::domain::ConnectionId;
use crate::identification::{
    Candidate, Field, Found, Identity, Key, Rule, Rules, Sources, choose, machines_alike,
};
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack;
use crate::store::{Document, DocumentKind};

/// A value that more assets than these have is nobody's own, and identifies none of them.
const MOST_ALIKE: i64 = 100;

/// Whose documents are asked about: two keys of one of these never mean one asset.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::sqlite) enum Source<'a> {
    Connection(ConnectionId),
    Import(&'a str),
}

impl Source<'_> {
    /// As it stands beside the values that it gives.
    pub(in crate::store::sqlite) fn name(self) -> String {
        match self {
            Self::Connection(id) => format!("c{}", id.0),
            Self::Import(name) => format!("i:{name}"),
        }
    }
}

/// An asset that shares a key with one of the documents that were asked about.
#[derive(Debug)]
struct Alike {
    candidate: Candidate,
    /// The key under which the source has it already, with the record that gives it (0 for an import).
    taken: Option<(String, i64)>,
}

/// What is known of the keys that were asked for.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Known {
    by_key: HashMap<Key, Vec<i64>>,
    assets: HashMap<i64, Alike>,
    /// Keys that too many have.
    common: HashSet<Key>,
}

/// `?1` the keys, `?2` the source, `?3` how many of a key at most. An asset that is linked once is taken for ever, whether its link lives or not.
macro_rules! known_by {
    ($taken:literal) => {
        concat!(
            "SELECT k.key, a.id, a.state, a.identity, ",
            $taken,
            " AS taken
             FROM json_each(?1) AS j CROSS JOIN asset_keys AS k ON k.key = j.value
                  AND k.asset_id <= coalesce((SELECT n.asset_id FROM asset_keys AS n WHERE n.key = j.value
                                              ORDER BY n.asset_id LIMIT 1 OFFSET ?3), 9223372036854775807)
             CROSS JOIN assets AS a ON a.id = k.asset_id"
        )
    };
}

const BY_CONNECTION: &str = known_by!(
    "(SELECT json_array(l.key, l.record_id) FROM links AS l WHERE l.asset_id = a.id AND l.connection_id = ?2 LIMIT 1)"
);
const BY_IMPORT: &str = known_by!(
    "(SELECT json_array(i.key, 0) FROM imported AS i WHERE i.asset_id = a.id AND i.source = ?2 LIMIT 1)"
);

/// Looks keys up.
pub(in crate::store::sqlite) async fn look_up(
    tx: &mut SqliteConnection,
    keys: &BTreeSet<Key>,
    source: Source<'_>,
) -> Result<Known, Fail> {
    type Row = (i64, i64, i64, String, Option<String>);
    let mut known = Known::default();
    if keys.is_empty() {
        return Ok(known);
    }
    let query = match source {
        Source::Connection(id) => sqlx::query_as(BY_CONNECTION)
            .bind(pack::json(keys)?)
            .bind(id.0),
        Source::Import(name) => sqlx::query_as(BY_IMPORT)
            .bind(pack::json(keys)?)
            .bind(name.to_owned()),
    };
    let rows: Vec<Row> = query.bind(MOST_ALIKE).fetch_all(tx).await?;
    for (key, asset, state, identity, taken) in rows {
        let holders = known.by_key.entry(Key(key)).or_default();
        holders.push(asset);
        if i64::try_from(holders.len()).is_ok_and(|number| number > MOST_ALIKE) {
            known.common.insert(Key(key));
        }
        if known.assets.contains_key(&asset) {
            continue;
        }
        let identities = serde_json::from_str::<Sources>(&identity)?.identities();
        let alike = Alike {
            candidate: Candidate {
                asset,
                inactive: state == 1,
                identities,
            },
            taken: match taken {
                Some(taken) => Some(serde_json::from_str(&taken)?),
                None => None,
            },
        };
        known.assets.insert(asset, alike);
    }
    Ok(known)
}

impl Known {
    /// Asks the rules. `others`: only assets that the source has under no other key; `claimed` are those that it just got.
    pub(in crate::store::sqlite) fn ask(
        &self,
        rules: impl IntoIterator<Item = Rule>,
        (identity, keys): (&Identity, &BTreeSet<Key>),
        others: bool,
        claimed: &HashSet<i64>,
    ) -> Found {
        if self.assets.is_empty() {
            return Found::None;
        }
        let mine: Vec<&Candidate> = self
            .sharing(keys)
            .filter(|alike| {
                !others || (alike.taken.is_none() && !claimed.contains(&alike.candidate.asset))
            })
            .map(|alike| &alike.candidate)
            .collect();
        choose(rules, identity, &mine, &self.common)
    }

    /// Assets that share one of the keys. Many documents are asked about at once, and most assets share none with this one.
    fn sharing(&self, keys: &BTreeSet<Key>) -> impl Iterator<Item = &Alike> {
        let ids: BTreeSet<i64> = keys
            .iter()
            .filter_map(|key| self.by_key.get(key))
            .flatten()
            .copied()
            .collect();
        ids.into_iter().filter_map(|id| self.assets.get(&id))
    }
}

/// What came of the step's asset documents that no link knows.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Identified {
    /// Which asset each key means.
    pub(in crate::store::sqlite) by_key: HashMap<String, i64>,
    pub(in crate::store::sqlite) ambiguous: Vec<Ambiguous>,
    pub(in crate::store::sqlite) duplicates: Vec<Duplicate>,
}

/// An asset's document whose identity is new to the platform.
pub(in crate::store::sqlite) struct Stranger<'a> {
    pub(in crate::store::sqlite) record: i64,
    pub(in crate::store::sqlite) key: &'a str,
    document: &'a Document,
    /// As much of it as its keys are made of.
    identity: Identity,
    pub(in crate::store::sqlite) keys: BTreeSet<Key>,
    /// Whether its key is linked already: then only what looks like it is looked for.
    linked: bool,
}

impl<'a> Stranger<'a> {
    pub(in crate::store::sqlite) fn of(
        record: i64,
        document: &'a Document,
        rules: &Rules,
        linked: bool,
    ) -> Self {
        let identity = Identity::to_find(said(document), rules);
        Self {
            record,
            key: &document.key,
            document,
            keys: identity.all_keys(rules),
            identity,
            linked,
        }
    }

    /// All that it says. Few need be looked at so closely.
    fn whole(&self) -> Identity {
        Identity::of(said(self.document))
    }
}

/// What a document says of its asset.
fn said(document: &Document) -> impl Iterator<Item = (&str, &str)> {
    let pairs = document.identity.iter();
    pairs.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Identifies asset documents, in their order, and finds those that look like another asset of the same connection.
pub(in crate::store::sqlite) async fn assets(
    tx: &mut SqliteConnection,
    connection: ConnectionId,
    rules: &Rules,
    strangers: &[Stranger<'_>],
) -> Result<Identified, Fail> {
    let mut identified = Identified::default();
    let keys: BTreeSet<Key> = strangers
        .iter()
        .flat_map(|stranger| stranger.keys.iter().copied())
        .collect();
    let known = look_up(tx, &keys, Source::Connection(connection)).await?;
    let mut claimed: HashSet<i64> = HashSet::new();
    for stranger in strangers {
        for alike in known.sharing(&stranger.keys) {
            let mut held = alike.candidate.identities.iter();
            if let Some((other_key, other_record)) = &alike.taken
                && other_key != stranger.key
                && held.any(|held| machines_alike(held, &stranger.whole()))
            {
                let one = (stranger.record, stranger.key);
                let other = (*other_record, other_key.as_str());
                identified.duplicates.push(Duplicate::of(one, other));
            }
        }
        if stranger.linked || identified.by_key.contains_key(stranger.key) {
            continue;
        }
        let asked = (&stranger.identity, &stranger.keys);
        match known.ask(rules.iter().cloned(), asked, true, &claimed) {
            Found::None => {}
            Found::One(asset) => {
                claimed.insert(asset);
                identified.by_key.insert(stranger.key.to_owned(), asset);
            }
            Found::Several { rule, .. } => identified.ambiguous.push(Ambiguous {
                record: stranger.record,
                kind: DocumentKind::Asset,
                key: stranger.key.to_owned(),
                keys: stranger.identity.keys(&rule),
                rule,
                others: true,
            }),
        }
    }
    among_themselves(strangers, &mut identified.duplicates);
    Ok(identified)
}

/// Documents of one step that look like one machine under two keys.
fn among_themselves(strangers: &[Stranger<'_>], duplicates: &mut Vec<Duplicate>) {
    let mut by_name: HashMap<&str, Vec<&Stranger<'_>>> = HashMap::new();
    for stranger in strangers {
        for name in stranger.identity.values(Field::HostName) {
            let before = by_name.entry(name).or_default();
            for other in before.iter().take(usize::try_from(MOST_ALIKE).unwrap_or(0)) {
                if other.key != stranger.key && machines_alike(&other.whole(), &stranger.whole()) {
                    let one = (stranger.record, stranger.key);
                    duplicates.push(Duplicate::of(one, (other.record, other.key)));
                }
            }
            before.push(stranger);
        }
    }
}

/// A finding's document that no link gives an asset to.
pub(in crate::store::sqlite) struct Lost<'a> {
    pub(in crate::store::sqlite) record: i64,
    pub(in crate::store::sqlite) document: &'a Document,
}

/// What came of findings.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Attached {
    /// By the finding's key.
    pub(in crate::store::sqlite) assets: HashMap<String, i64>,
    pub(in crate::store::sqlite) ambiguous: Vec<Ambiguous>,
    /// What each record waits for.
    pub(in crate::store::sqlite) waits: BTreeMap<i64, BTreeSet<Key>>,
}

/// Finds the assets of findings. One that names no asset key may be on any asset, also on one that the connection knows; one that names a key is on
/// none that the connection knows under another.
pub(in crate::store::sqlite) async fn findings(
    tx: &mut SqliteConnection,
    connection: ConnectionId,
    rules: &Rules,
    lost: &[Lost<'_>],
) -> Result<Attached, Fail> {
    let asked: Vec<(Identity, BTreeSet<Key>)> = lost
        .iter()
        .map(|lost| {
            let identity = Identity::to_find(said(lost.document), rules);
            let keys = identity.all_keys(rules);
            (identity, keys)
        })
        .collect();
    let keys: BTreeSet<Key> = asked
        .iter()
        .flat_map(|(_, keys)| keys.iter().copied())
        .collect();
    let known = look_up(tx, &keys, Source::Connection(connection)).await?;
    let mut attached = Attached::default();
    let nothing = HashSet::new();
    for (lost, (identity, keys)) in lost.iter().zip(&asked) {
        let waits = attached.waits.entry(lost.record).or_default();
        if let Some(key) = &lost.document.asset {
            // Once its key is linked, that is its asset, whatever was found before.
            waits.insert(Key::of_link(connection.0, key));
        }
        let others = lost.document.asset.is_some();
        let found = known.ask(rules.iter().cloned(), (identity, keys), others, &nothing);
        match found {
            Found::One(asset) => {
                attached.assets.insert(lost.document.key.clone(), asset);
                continue;
            }
            Found::None => {}
            Found::Several { rule, .. } => attached.ambiguous.push(Ambiguous {
                record: lost.record,
                kind: DocumentKind::Finding,
                key: lost.document.key.clone(),
                keys: identity.keys(&rule),
                rule,
                others: lost.document.asset.is_some(),
            }),
        }
        waits.extend(keys);
    }
    Ok(attached)
}
