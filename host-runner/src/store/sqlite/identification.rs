//! The tenant's rules, and the table of keys that follows from them.

use std::collections::BTreeSet;

use sqlx::{Connection as _, SqliteConnection};

use super::fail::Fail;
use super::step::identify::Source;
use super::step::keys::{self, Rekeyed};
use super::step::waiting;
use super::{SqliteStore, pack};
use crate::domain::{ConnectionId, ConnectionName};
use crate::identification::{Key, Rules, Sources};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::{Identified, Retried};

/// Which normal forms this build has. It grows where one changes: keys that were made by others are made anew.
const FORMS: i64 = 2;

/// Assets that are looked at together.
const ROWS: i64 = 500;

/// The rules that hold.
pub(super) async fn rules(tx: &mut SqliteConnection) -> Result<Rules, Fail> {
    let rules: Option<String> = sqlx::query_scalar("SELECT rules FROM identification WHERE id = 1")
        .fetch_one(tx)
        .await?;
    Ok(match rules {
        Some(rules) => serde_json::from_str(&rules)?,
        None => Rules::default(),
    })
}

pub(super) async fn list(store: &SqliteStore) -> Result<Rules, Fail> {
    rules(&mut *store.inner.readers.acquire().await?).await
}

/// Makes the keys of a file that another build wrote.
pub(super) async fn refresh(connection: &mut SqliteConnection) -> Result<(), Fail> {
    let forms = "SELECT forms FROM identification WHERE id = 1";
    let made: i64 = sqlx::query_scalar(forms)
        .fetch_one(&mut *connection)
        .await?;
    if made == FORMS {
        return Ok(());
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Another process may have done the same.
    let made: i64 = sqlx::query_scalar(forms).fetch_one(&mut *tx).await?;
    if made != FORMS {
        let rules = rules(&mut tx).await?;
        rebuild(&mut tx, &rules).await?;
        wake_all(&mut tx, &rules).await?;
        sqlx::query("UPDATE identification SET forms = ?1 WHERE id = 1")
            .bind(FORMS)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Gives the tenant other rules, makes all keys anew, and has everything tried again that waits for an asset: in one transaction.
pub(super) async fn set(store: &SqliteStore, rules: &Rules) -> Result<Identified, Fail> {
    let mut tx = store.begin().await?;
    let before = self::rules(&mut tx).await?;
    if before == *rules {
        let (assets, keys) = count(&mut tx).await?;
        return Ok(Identified {
            before,
            assets,
            keys,
            retried: Vec::new(),
        });
    }
    let text = match *rules == Rules::default() {
        true => None,
        false => Some(pack::json(rules)?),
    };
    sqlx::query("UPDATE identification SET rules = ?1, forms = ?2 WHERE id = 1")
        .bind(text)
        .bind(FORMS)
        .execute(&mut *tx)
        .await?;
    rebuild(&mut tx, rules).await?;
    wake_all(&mut tx, rules).await?;
    let (assets, keys) = count(&mut tx).await?;
    let retried = retried(&mut tx, "r.parked AND r.state = 0").await?;
    reach(CommitPoint::RulesWritten);
    tx.commit().await?;
    Ok(Identified {
        before,
        assets,
        keys,
        retried,
    })
}

/// What waits and is to be made anew.
pub(super) async fn tried_again(store: &SqliteStore) -> Result<Vec<Retried>, Fail> {
    let mut reader = store.inner.readers.acquire().await?;
    retried(
        &mut reader,
        "r.parked AND r.state = 0 AND r.making_id IS NULL",
    )
    .await
}

async fn count(tx: &mut SqliteConnection) -> Result<(u64, u64), Fail> {
    let (assets, keys): (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM assets), (SELECT count(*) FROM asset_keys)")
            .fetch_one(tx)
            .await?;
    Ok((assets.unsigned_abs(), keys.unsigned_abs()))
}

/// Open records by connection. `which` is one of our own conditions on `r`.
pub(super) async fn retried(
    tx: &mut SqliteConnection,
    which: &'static str,
) -> Result<Vec<Retried>, Fail> {
    let rows: Vec<(i64, String, bool, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT c.id, c.name, c.removed_at IS NOT NULL, count(*) FROM records AS r
         JOIN streams AS s ON s.id = r.stream_id JOIN connections AS c ON c.id = s.connection_id
         WHERE {which} GROUP BY c.id ORDER BY c.name, c.id"
    )))
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|(id, name, removed, records)| {
            Ok(Retried {
                connection: ConnectionId(id),
                name: ConnectionName::new(name)?,
                removed,
                records: records.unsigned_abs(),
            })
        })
        .collect()
}

/// Makes the keys of all assets anew, a few assets at a time.
async fn rebuild(tx: &mut SqliteConnection, rules: &Rules) -> Result<(), Fail> {
    sqlx::query("DELETE FROM asset_keys")
        .execute(&mut *tx)
        .await?;
    let mut after = 0;
    loop {
        let page: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, identity FROM assets WHERE id > ?1 ORDER BY id LIMIT ?2")
                .bind(after)
                .bind(ROWS)
                .fetch_all(&mut *tx)
                .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        let mut rows: Vec<(Key, i64)> = Vec::new();
        for (asset, identity) in &page {
            let sources: Sources = serde_json::from_str(identity)?;
            rows.extend(sources.keys(rules).into_iter().map(|key| (key, *asset)));
        }
        keys::insert(tx, &mut rows).await?;
    }
}

/// Has all that waits tried again. What it waits for is said anew then; and what was in doubt by the rules before.
async fn wake_all(tx: &mut SqliteConnection, rules: &Rules) -> Result<(), Fail> {
    for statement in [
        "UPDATE records SET making_id = NULL WHERE parked OR id IN (SELECT record_id FROM waiting)",
        "DELETE FROM waiting",
    ] {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    sqlx::query("DELETE FROM ambiguous WHERE rule NOT IN (SELECT value FROM json_each(?1))")
        .bind(pack::json(rules)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets what a source said of assets that stay without it, and the keys that they had by its word alone.
pub(super) async fn forget(tx: &mut SqliteConnection, source: Source<'_>) -> Result<(), Fail> {
    let rules = rules(tx).await?;
    let name = source.name();
    let mut after = 0;
    loop {
        let page: Vec<(i64, String)> = sqlx::query_as(
            "SELECT id, identity FROM assets AS a WHERE id > ?1
             AND EXISTS (SELECT 1 FROM json_each(a.identity) AS j WHERE j.value ->> 2 = ?2) ORDER BY id LIMIT ?3",
        )
        .bind(after)
        .bind(name.as_str())
        .bind(ROWS)
        .fetch_all(&mut *tx)
        .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        let mut held: Vec<(i64, Sources, Sources)> = Vec::with_capacity(page.len());
        for (asset, identity) in page {
            let before: Sources = serde_json::from_str(&identity)?;
            held.push((asset, before.clone(), before.without(&name)));
        }
        let rows: Vec<(i64, &Sources)> = held.iter().map(|(id, _, after)| (*id, after)).collect();
        sqlx::query(
            "UPDATE assets SET identity = j.value ->> 1 FROM json_each(?1) AS j WHERE assets.id = j.value ->> 0",
        )
        .bind(pack::json(&rows)?)
        .execute(&mut *tx)
        .await?;
        let rekeyed: Vec<Rekeyed<'_>> = held
            .iter()
            .map(|(asset, before, after)| Rekeyed {
                asset: *asset,
                before: Some(before),
                after,
                keys: None,
            })
            .collect();
        keys::write(tx, &rules, &rekeyed, []).await?;
    }
}

/// Forgets the keys of assets that are deleted next (`doomed` is one of our own conditions on assets, over the parameter `?1`), and has what waits for them tried
/// again: another asset may be alone with one of them now.
pub(super) async fn forget_assets(
    tx: &mut SqliteConnection,
    doomed: &'static str,
    parameter: i64,
) -> Result<(), Fail> {
    let keys: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "DELETE FROM asset_keys WHERE asset_id IN (SELECT id FROM assets WHERE {doomed}) RETURNING key"
    )))
    .bind(parameter)
    .fetch_all(&mut *tx)
    .await?;
    let keys: BTreeSet<Key> = keys.into_iter().map(Key).collect();
    waiting::wake(tx, &keys).await
}
