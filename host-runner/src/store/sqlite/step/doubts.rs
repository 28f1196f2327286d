//! What a person may want to look at: documents that a rule found several assets for, and assets that look like one machine.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::Context;
use crate::identification::{Key, Rule};
use crate::store::DocumentKind;
use crate::store::sqlite::fail::Fail;
use crate::store::sqlite::pack;

/// A document that a rule found several assets for.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Ambiguous {
    pub(in crate::store::sqlite) record: i64,
    pub(in crate::store::sqlite) kind: DocumentKind,
    pub(in crate::store::sqlite) key: String,
    pub(in crate::store::sqlite) rule: Rule,
    /// The document's keys for the rule: whom they lead to is asked when it is listed.
    pub(in crate::store::sqlite) keys: Vec<Key>,
    /// Only assets that the connection knows under no other key.
    pub(in crate::store::sqlite) others: bool,
}

/// A document that looks like the one of another key of the same connection.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Duplicate {
    pub(in crate::store::sqlite) record: i64,
    pub(in crate::store::sqlite) key: String,
    pub(in crate::store::sqlite) other_record: i64,
    pub(in crate::store::sqlite) other_key: String,
}

impl Duplicate {
    /// Of two records and their documents' keys, in whatever order: a pair is one row.
    pub(in crate::store::sqlite) fn of(one: (i64, &str), other: (i64, &str)) -> Self {
        // By key, since several records may give the same one.
        let (later, earlier) = if one.1 > other.1 {
            (one, other)
        } else {
            (other, one)
        };
        Self {
            record: later.0,
            key: later.1.to_owned(),
            other_record: earlier.0,
            other_key: earlier.1.to_owned(),
        }
    }
}

/// How a kind is stored.
pub(in crate::store::sqlite) fn kind_number(kind: DocumentKind) -> i64 {
    match kind {
        DocumentKind::Asset => 0,
        DocumentKind::Finding => 1,
    }
}

/// Writes what was found of documents that were asked about (`again`: those of records that were held before), in the place of what was found before.
pub(in crate::store::sqlite) async fn ambiguous(
    tx: &mut SqliteConnection,
    ctx: &Context,
    kind: DocumentKind,
    again: &BTreeSet<(i64, String)>,
    found: &[Ambiguous],
) -> Result<(), Fail> {
    if !again.is_empty() {
        sqlx::query(
            "DELETE FROM ambiguous WHERE id IN (
                 SELECT a.id FROM json_each(?1) AS j
                 CROSS JOIN ambiguous AS a ON a.record_id = j.value ->> 0 AND a.kind = ?2 AND a.key = j.value ->> 1)",
        )
        .bind(pack::json(again)?)
        .bind(kind_number(kind))
        .execute(&mut *tx)
        .await?;
    }
    let mut rows = Vec::with_capacity(found.len());
    for one in found {
        rows.push((one, one.rule.to_string(), pack::json(&one.keys)?));
    }
    let now = ctx.now.as_i64();
    pack::insert(
        tx,
        "INSERT OR REPLACE INTO ambiguous (record_id, kind, key, rule, keys, others, at) ",
        &rows,
        "",
        |row, (one, rule, keys)| {
            row.push_bind(one.record)
                .push_bind(kind_number(one.kind))
                .push_bind(one.key.as_str())
                .push_bind(rule.as_str())
                .push_bind(keys.as_str())
                .push_bind(one.others)
                .push_bind(now);
        },
    )
    .await
}

/// Nothing is in doubt any more about these records: all that they give is on assets.
pub(in crate::store::sqlite) async fn forget(
    tx: &mut SqliteConnection,
    records: &[i64],
) -> Result<(), Fail> {
    sqlx::query("DELETE FROM ambiguous WHERE record_id IN (SELECT value FROM json_each(?1))")
        .bind(pack::json(records)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes what looks alike now, in the place of what looked like these documents before.
pub(in crate::store::sqlite) async fn duplicates(
    tx: &mut SqliteConnection,
    ctx: &Context,
    again: &BTreeSet<(i64, String)>,
    found: &[Duplicate],
) -> Result<(), Fail> {
    if !again.is_empty() {
        sqlx::query(
            "DELETE FROM duplicates WHERE id IN (
                 SELECT d.id FROM json_each(?1) AS j
                 CROSS JOIN duplicates AS d ON d.record_id = j.value ->> 0 AND d.key = j.value ->> 1
                 UNION ALL
                 SELECT d.id FROM json_each(?1) AS j
                 CROSS JOIN duplicates AS d ON d.other_record_id = j.value ->> 0 AND d.other_key = j.value ->> 1)",
        )
        .bind(pack::json(again)?)
        .execute(&mut *tx)
        .await?;
    }
    let now = ctx.now.as_i64();
    pack::insert(
        tx,
        "INSERT OR IGNORE INTO duplicates (record_id, key, other_record_id, other_key, at) ",
        found,
        "",
        |row, one| {
            row.push_bind(one.record)
                .push_bind(one.key.as_str())
                .push_bind(one.other_record)
                .push_bind(one.other_key.as_str())
                .push_bind(now);
        },
    )
    .await
}
