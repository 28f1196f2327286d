//! What a full sync did not see, and what would become of it.

use sqlx::SqliteConnection;

use super::end::Open;
use super::fail::Fail;
use super::scope;
use crate::domain::SyncId;
use crate::store::{RemovalGuard, RemovalPreview, Unseen, UnseenRecord};

/// Records that a preview shows.
const SAMPLE: i64 = 10;

/// How much was not seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) held: u64,
    pub(super) unseen: u64,
    pub(super) would_be: Unseen,
}

/// Counts. A later sync that saw a record proves as well that it is there, hence "less than".
pub(super) async fn count(
    tx: &mut SqliteConnection,
    sync: SyncId,
    open: &Open,
    guard: &RemovalGuard,
) -> Result<Counted, Fail> {
    let (held, unseen): (i64, i64) = sqlx::query_as(
        "SELECT count(*), coalesce(sum(sync_id < ?2), 0) FROM records WHERE stream_id = ?1 AND state = 0",
    )
    .bind(open.stream)
    .bind(sync.0)
    .fetch_one(&mut *tx)
    .await?;
    let one_scope = scope::read_since(tx, open.stream, Some(sync))
        .await?
        .iter()
        .all(|scope| *scope == open.scope);
    Ok(Counted {
        held: held.unsigned_abs(),
        unseen: unseen.unsigned_abs(),
        would_be: if one_scope && guard.hold.is_none() {
            Unseen::Gone
        } else {
            Unseen::OutOfScope
        },
    })
}

/// The findings of the records themselves, and those on assets that nothing else of the connection feeds.
const FINDINGS: &str = "
    WITH unseen AS (SELECT id FROM records WHERE stream_id = ?1 AND state = 0 AND sync_id < ?2),
         left_alone AS (
            SELECT l.asset_id FROM unseen AS u CROSS JOIN links AS l ON l.record_id = u.id
            WHERE l.asset_id IS NOT NULL AND l.state = 0 AND NOT EXISTS (
                SELECT 1 FROM links AS k WHERE k.asset_id = l.asset_id AND k.connection_id = ?3 AND k.state = 0
                AND k.record_id NOT IN (SELECT id FROM unseen)))
    SELECT count(*) FROM (
        SELECT f.id FROM unseen AS u CROSS JOIN findings AS f ON f.record_id = u.id WHERE f.state = 0
        UNION
        SELECT f.id FROM left_alone AS a CROSS JOIN findings AS f ON f.asset_id = a.asset_id
        WHERE f.state = 0 AND f.connection_id = ?3)";

/// Some of the records, with the words by which people know them.
const RECORDS: &str = "
    SELECT r.key,
           coalesce((SELECT coalesce(f.host_name, a.host_name) FROM findings AS f LEFT JOIN assets AS a ON a.id = f.asset_id
                     WHERE f.record_id = r.id AND f.state = 0 LIMIT 1),
                    (SELECT a.host_name FROM links AS l JOIN assets AS a ON a.id = l.asset_id WHERE l.record_id = r.id LIMIT 1)),
           (SELECT CASE count(*) WHEN 1 THEN max(f.title) END FROM findings AS f WHERE f.record_id = r.id AND f.state = 0)
    FROM records AS r WHERE r.stream_id = ?1 AND r.state = 0 AND r.sync_id < ?2 ORDER BY r.id LIMIT ?3";

/// Looks closer at what was not seen.
pub(super) async fn preview(
    tx: &mut SqliteConnection,
    sync: SyncId,
    open: &Open,
    counted: Counted,
) -> Result<RemovalPreview, Fail> {
    let findings: i64 = sqlx::query_scalar(FINDINGS)
        .bind(open.stream)
        .bind(sync.0)
        .bind(open.connection.0)
        .fetch_one(&mut *tx)
        .await?;
    let sample: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(RECORDS)
        .bind(open.stream)
        .bind(sync.0)
        .bind(SAMPLE)
        .fetch_all(tx)
        .await?;
    Ok(RemovalPreview {
        held: counted.held,
        unseen: counted.unseen,
        would_be: counted.would_be,
        findings: findings.unsigned_abs(),
        sample: sample
            .into_iter()
            .map(|(key, host, title)| UnseenRecord { key, host, title })
            .collect(),
    })
}
