//! What records wait for, and waking them: their documents are made anew then, however old they are.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use crate::identification::Key;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack;

/// Says what records wait for, in the place of what they waited for before. `held` are those that may have waited.
pub(in crate::store::sqlite) async fn write(
    tx: &mut SqliteConnection,
    held: &[i64],
    waits: &BTreeMap<i64, BTreeSet<Key>>,
) -> Result<(), Fail> {
    if !held.is_empty() {
        sqlx::query("DELETE FROM waiting WHERE record_id IN (SELECT value FROM json_each(?1))")
            .bind(pack::json(held)?)
            .execute(&mut *tx)
            .await?;
    }
    // In the order of the table, which is quicker.
    let mut rows: Vec<(Key, i64)> = waits
        .iter()
        .flat_map(|(record, keys)| keys.iter().map(move |key| (*key, *record)))
        .collect();
    rows.sort_unstable();
    pack::insert(
        tx,
        "INSERT OR IGNORE INTO waiting (key, record_id) ",
        &rows,
        "",
        |row, (key, record)| {
            row.push_bind(key.0).push_bind(*record);
        },
    )
    .await
}

/// Has the documents of records made anew that wait for these keys: an asset gained one of them, or lost it, which may leave another alone with it.
pub(in crate::store::sqlite) async fn wake(
    tx: &mut SqliteConnection,
    keys: &BTreeSet<Key>,
) -> Result<(), Fail> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE records SET making_id = NULL WHERE making_id IS NOT NULL AND id IN (
             SELECT w.record_id FROM json_each(?1) AS j CROSS JOIN waiting AS w ON w.key = j.value)",
    )
    .bind(pack::json(keys)?)
    .execute(tx)
    .await?;
    Ok(())
}
