//! What a run changed. Read right after it, from a store that nothing else writes to: times and the run's number tell what was its doing.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::SqliteStore;
use super::fail::Fail;
use super::runs::document;
use crate::domain::Timestamp;
use crate::store::{Change, Changed, ChangedExample, Evidence, Problem, Run, StoreError};

/// `?1` the connection, `?2` when the run began, `?3` the run: what it did to a finding, by name; null where it did nothing. The names are those of
/// the columns' values alone, and each example is read by the same words that counted it.
const FINDINGS: &str = "
    SELECT CASE
        WHEN f.state = 1 AND f.evidence ->> '$.run' = ?3 THEN 'closed'
        WHEN f.state = 2 AND f.evidence ->> '$.run' = ?3 THEN 'out'
        WHEN f.state <> 0 OR f.updated_at < ?2 THEN NULL
        WHEN f.asset_id IS NULL THEN 'parked'
        WHEN f.first_seen >= ?2 THEN 'new'
        WHEN f.reopened_at >= ?2 THEN 'reopened'
        ELSE 'changed' END AS change,
        f.id, f.key, f.title, coalesce(f.host_name, a.host_name, f.asset_key) AS host, f.evidence, NULL AS problems
    FROM findings AS f LEFT JOIN assets AS a ON a.id = f.asset_id WHERE f.connection_id = ?1";

const ASSETS: &str = "
    SELECT CASE
        WHEN a.updated_at < ?2 OR ?3 IS NULL THEN NULL
        WHEN a.state = 1 THEN 'inactive'
        WHEN a.state = 2 THEN 'out'
        WHEN a.first_seen >= ?2 THEN 'new'
        ELSE 'changed' END AS change,
        a.id, coalesce((SELECT min(l.key) FROM links AS l WHERE l.asset_id = a.id AND l.connection_id = ?1), '') AS key,
        a.title, a.host_name AS host, NULL AS evidence, NULL AS problems
    FROM assets AS a
    WHERE EXISTS (SELECT 1 FROM links AS l WHERE l.asset_id = a.id AND l.connection_id = ?1)";

const QUARANTINE: &str = "
    SELECT CASE WHEN q.last_seen >= ?2 AND ?3 IS NOT NULL THEN 'quarantined' END AS change,
        q.id, coalesce(q.key, '') AS key, NULL AS title, NULL AS host, NULL AS evidence, q.problems
    FROM quarantine AS q WHERE q.connection_id = ?1";

/// Where each change is read, and the word for it there.
fn place(change: Change) -> (&'static str, &'static str) {
    match change {
        Change::AssetsNew => (ASSETS, "new"),
        Change::AssetsChanged => (ASSETS, "changed"),
        Change::AssetsInactive => (ASSETS, "inactive"),
        Change::AssetsOutOfScope => (ASSETS, "out"),
        Change::FindingsNew => (FINDINGS, "new"),
        Change::FindingsChanged => (FINDINGS, "changed"),
        Change::FindingsReopened => (FINDINGS, "reopened"),
        Change::FindingsClosed => (FINDINGS, "closed"),
        Change::FindingsOutOfScope => (FINDINGS, "out"),
        Change::FindingsParked => (FINDINGS, "parked"),
        Change::Quarantined => (QUARANTINE, "quarantined"),
    }
}

impl SqliteStore {
    /// What the run did, with up to so many examples each; only what happened at all. To be asked right after the run, of a store that nothing
    /// else writes to, such as that of a [`super::Trial`].
    ///
    /// # Errors
    /// Where the store can't be read.
    pub async fn changes(&self, run: &Run, examples: u32) -> Result<Vec<Changed>, StoreError> {
        read(self, run, examples)
            .await
            .map_err(|fail| self.explain(fail))
    }
}

async fn read(store: &SqliteStore, run: &Run, examples: u32) -> Result<Vec<Changed>, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let mut counts = HashMap::new();
    for table in [ASSETS, FINDINGS, QUARANTINE] {
        counts.insert(table, count(&mut tx, table, run).await?);
    }
    let mut changes = Vec::new();
    for change in Change::ALL {
        let (table, word) = place(change);
        let count = counts.get(table).and_then(|counts| counts.get(word));
        if let Some(count) = count {
            changes.push(Changed {
                change,
                count: *count,
                examples: some(&mut tx, table, word, run, examples).await?,
            });
        }
    }
    Ok(changes)
}

async fn count(
    tx: &mut SqliteConnection,
    table: &'static str,
    run: &Run,
) -> Result<HashMap<String, u64>, Fail> {
    let sql = format!("SELECT change, count(*) FROM ({table}) WHERE change IS NOT NULL GROUP BY 1");
    let counts: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(run.connection.0)
        .bind(run.started_at.as_i64())
        .bind(run.id.0)
        .fetch_all(tx)
        .await?;
    Ok(counts
        .into_iter()
        .map(|(change, count)| (change, count.unsigned_abs()))
        .collect())
}

async fn some(
    tx: &mut SqliteConnection,
    table: &'static str,
    word: &str,
    run: &Run,
    limit: u32,
) -> Result<Vec<ChangedExample>, Fail> {
    let sql = format!("SELECT * FROM ({table}) WHERE change = ?4 ORDER BY id LIMIT ?5");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(run.connection.0)
        .bind(run.started_at.as_i64())
        .bind(run.id.0)
        .bind(word)
        .bind(i64::from(limit))
        .fetch_all(tx)
        .await?;
    rows.iter().map(example).collect()
}

fn example(row: &SqliteRow) -> Result<ChangedExample, Fail> {
    let evidence: Option<Evidence> = document(row, "evidence")?;
    let problems: Option<Vec<Problem>> = document(row, "problems")?;
    let told = |evidence: Evidence| {
        let at = |at: Timestamp| format!(" at {at}");
        format!(
            "{}: {}{}",
            evidence.closing.filter_name(),
            evidence.word,
            evidence.at.map(at).unwrap_or_default()
        )
    };
    let problems_told = |problems: Vec<Problem>| {
        let told: Vec<String> = problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.pointer, problem.message))
            .collect();
        told.join("; ")
    };
    Ok(ChangedExample {
        key: row.try_get("key")?,
        host: row.try_get("host")?,
        title: row.try_get("title")?,
        reason: evidence.map(told).or_else(|| problems.map(problems_told)),
    })
}
