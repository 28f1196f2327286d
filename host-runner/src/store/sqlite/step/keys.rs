//! Under what assets are found: kept as their identity is written.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::waiting;
use crate::identification::{Key, Rules, Sources};
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack;

/// An asset whose identity is another now.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Rekeyed<'a> {
    pub(in crate::store::sqlite) asset: i64,
    /// None for a new asset.
    pub(in crate::store::sqlite) before: Option<&'a Sources>,
    pub(in crate::store::sqlite) after: &'a Sources,
    /// Its keys, where they are known already.
    pub(in crate::store::sqlite) keys: Option<&'a BTreeSet<Key>>,
}

/// Writes the keys that assets gained, forgets those that they lost, and wakes what waits for either, or for these links.
pub(in crate::store::sqlite) async fn write(
    tx: &mut SqliteConnection,
    rules: &Rules,
    assets: &[Rekeyed<'_>],
    links: impl IntoIterator<Item = Key>,
) -> Result<(), Fail> {
    let mut gained: Vec<(Key, i64)> = Vec::new();
    let mut lost: Vec<(Key, i64)> = Vec::new();
    for each in assets {
        let after = match each.keys {
            Some(keys) => Cow::Borrowed(keys),
            None => Cow::Owned(each.after.keys(rules)),
        };
        let before = each
            .before
            .map(|before| before.keys(rules))
            .unwrap_or_default();
        gained.extend(after.difference(&before).map(|key| (*key, each.asset)));
        lost.extend(before.difference(&after).map(|key| (*key, each.asset)));
    }
    insert(tx, &mut gained).await?;
    if !lost.is_empty() {
        sqlx::query(
            "DELETE FROM asset_keys WHERE (key, asset_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))",
        )
        .bind(pack::json(&lost)?)
        .execute(&mut *tx)
        .await?;
    }
    // Mostly nothing waits, and there is no need to know for what.
    let some_wait: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM waiting)")
        .fetch_one(&mut *tx)
        .await?;
    if !some_wait {
        return Ok(());
    }
    let moved: BTreeSet<Key> = gained
        .into_iter()
        .chain(lost)
        .map(|(key, _)| key)
        .chain(links)
        .collect();
    waiting::wake(tx, &moved).await
}

/// In the order of the table, which is quicker.
pub(in crate::store::sqlite) async fn insert(
    tx: &mut SqliteConnection,
    rows: &mut [(Key, i64)],
) -> Result<(), Fail> {
    rows.sort_unstable();
    pack::insert(
        tx,
        "INSERT OR IGNORE INTO asset_keys (key, asset_id) ",
        rows,
        "",
        |row, (key, asset)| {
            row.push_bind(key.0).push_bind(*asset);
        },
    )
    .await
}
