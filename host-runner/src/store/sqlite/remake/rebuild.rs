//! Assets that are made up again, because another map laid their values down.
//!
//! Laying the new map's values over the old one's would leave what the new map does not write: two models in one document. What a source does not know
//! erases nothing, but a map that does not write a field any more does not mean it any more. So an asset that nothing but this connection ever fed is
//! made up again from all of its records, as they are kept. An asset that was there before, or that another connection feeds, keeps what it has:
//! nobody can tell there whose a value is.

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use super::Sorted;
use super::due::OWN_ASSETS;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack;
use crate::store::sqlite::step::Context;
use crate::store::{Document, DocumentKind, RemakeCommit};

/// Who gives a document for an asset, in the order of laying over: what is not open first, then by data stream, then by record.
type Giver = (bool, usize, i64);

/// Asset, record, key of the asset's document, and whether the link is live.
type Link = (i64, i64, String, bool);

/// The documents of each asset that is made up again, in their order.
pub(super) async fn plan<'a>(
    tx: &mut SqliteConnection,
    ctx: &Context,
    commit: &'a RemakeCommit,
    sorted: &Sorted<'a>,
) -> Result<HashMap<i64, Vec<&'a Document>>, Fail> {
    let given = given(commit, sorted);
    let otherwise: Vec<i64> = commit
        .records
        .iter()
        .filter(|remade| remade.other_map && given.contains_key(&remade.id))
        .map(|remade| remade.id)
        .collect();
    // Where existing assets are not updated, another map does not update them either.
    if otherwise.is_empty() || !commit.asset_rules.switches.update_existing_assets {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT k.asset_id, k.record_id, k.key, k.state = 0 FROM ({OWN_ASSETS}) AS o
         CROSS JOIN links AS k ON k.asset_id = o.asset_id"
    );
    let links: Vec<Link> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(pack::json(&otherwise)?)
        .bind(ctx.connection.0)
        .fetch_all(tx)
        .await?;
    // All or nothing: a record that is not given (its map rejects it, say) still means what it gave before.
    let incomplete: HashSet<i64> = links
        .iter()
        .filter(|(_, record, _, _)| !given.contains_key(record))
        .map(|(asset, _, _, _)| *asset)
        .collect();
    let written: HashSet<i64> = sorted.written.iter().map(|written| written.id).collect();
    let by_key: HashMap<&str, i64> = links
        .iter()
        .map(|(asset, _, key, _)| (key.as_str(), *asset))
        .collect();
    let by_link: HashMap<(i64, &str), (i64, bool)> = links
        .iter()
        .map(|(asset, record, key, live)| ((*record, key.as_str()), (*asset, *live)))
        .collect();
    let mut rebuilt: HashMap<i64, Vec<(Giver, &'a Document)>> = HashMap::new();
    for (record, (place, documents)) in &given {
        for document in documents.iter() {
            let key = document.key.as_str();
            let is_open = written.contains(record);
            // What an open record gives for the first time belongs to it too.
            let fed = by_link.get(&(*record, key)).copied();
            let fed = fed.or_else(|| Some((*by_key.get(key).filter(|_| is_open)?, true)));
            let Some((asset, live)) = fed.filter(|(asset, _)| {
                document.kind == DocumentKind::Asset && !incomplete.contains(asset)
            }) else {
                continue;
            };
            rebuilt
                .entry(asset)
                .or_default()
                .push(((is_open || live, *place, *record), document));
        }
    }
    Ok(rebuilt
        .into_iter()
        .map(|(asset, mut documents)| {
            documents.sort_by_key(|(giver, _)| *giver);
            let documents = documents.into_iter().map(|(_, document)| document);
            (asset, documents.collect())
        })
        .collect())
}

/// The documents of all records that are given: the place of their data stream, and what they give.
fn given<'a>(
    commit: &'a RemakeCommit,
    sorted: &Sorted<'a>,
) -> HashMap<i64, (usize, &'a [Document])> {
    let written = sorted
        .written
        .iter()
        .map(|written| (written.id, (commit.place, written.documents)));
    let left = sorted
        .left
        .iter()
        .map(|left| (left.held.id, (commit.place, left.documents)));
    let beside = commit
        .beside
        .iter()
        .map(|beside| (beside.id, (beside.place, beside.documents.as_slice())));
    written.chain(left).chain(beside).collect()
}
