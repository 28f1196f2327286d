//! What is held of the records that a step names, and how its entries stand to it.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::fail::Fail;
use super::{SqliteStore, pack};
use crate::domain::SyncId;
use crate::store::{RecordState, Standing, StandingQuery};

/// A record that is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) id: i64,
    pub(super) fingerprint: String,
    pub(super) state: RecordState,
    pub(super) parked: bool,
    pub(super) sync: i64,
    /// When the platform last saw it.
    pub(super) last_seen: i64,
    /// Whether its documents were made with what documents are made with now, and its body is as it would be kept now.
    pub(super) made_alike: bool,
}

/// How records and findings are stored: see the schema.
pub(super) fn state_number(state: RecordState) -> i64 {
    match state {
        RecordState::Open => 0,
        RecordState::Closed => 1,
        RecordState::OutOfScope => 2,
    }
}

/// A number that this build does not know counts as open, which hides nothing.
pub(super) fn state_of(number: i64) -> RecordState {
    match number {
        1 => RecordState::Closed,
        2 => RecordState::OutOfScope,
        _ => RecordState::Open,
    }
}

/// What is held under these keys.
pub(super) async fn held(
    tx: &mut SqliteConnection,
    stream: i64,
    keys: &[&str],
    made_with: &str,
) -> Result<HashMap<String, Held>, Fail> {
    type Found = (String, i64, String, i64, bool, i64, i64, bool);
    let rows: Vec<Found> = sqlx::query_as(
        "SELECT r.key, r.id, r.fingerprint, r.state, r.parked, r.sync_id, r.last_seen, coalesce(m.made_with = ?3, 0) AND NOT r.stale
         FROM json_each(?1) AS j
         CROSS JOIN records AS r ON r.stream_id = ?2 AND r.key = j.value
         LEFT JOIN makings AS m ON m.id = r.making_id",
    )
    .bind(pack::json(keys)?)
    .bind(stream)
    .bind(made_with)
    .fetch_all(tx)
    .await?;
    let held = |(key, id, fingerprint, state, parked, sync, last_seen, made_alike)| {
        let held = Held {
            id,
            fingerprint,
            state: state_of(state),
            parked,
            sync,
            last_seen,
            made_alike,
        };
        (key, held)
    };
    Ok(rows.into_iter().map(held).collect())
}

/// How an entry stands to what is held under its key.
pub(super) fn judge(held: Option<&Held>, fingerprint: &str, sync: SyncId) -> Standing {
    let Some(held) = held else {
        return Standing::New;
    };
    let open = held.state == RecordState::Open;
    let same = held.fingerprint == fingerprint;
    if !open || !same {
        Standing::Changed
    } else if held.sync == sync.0 {
        Standing::Duplicate
    } else if !held.made_alike {
        Standing::NeedsTransform
    } else {
        Standing::Unchanged
    }
}

pub(super) async fn standing(
    store: &SqliteStore,
    query: &StandingQuery<'_>,
) -> Result<Vec<Standing>, Fail> {
    let mut tx = store.inner.readers.begin().await?;
    let stream: Option<i64> =
        sqlx::query_scalar("SELECT id FROM streams WHERE connection_id = ?1 AND name = ?2")
            .bind(query.connection.0)
            .bind(query.stream.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    let keys: Vec<&str> = query.entries.iter().map(|(key, _)| *key).collect();
    let held = match stream {
        Some(stream) => held(&mut tx, stream, &keys, query.made_with).await?,
        None => HashMap::new(),
    };
    let mut earlier: HashMap<&str, &str> = HashMap::with_capacity(query.entries.len());
    let mut standings = Vec::with_capacity(query.entries.len());
    for (key, fingerprint) in query.entries {
        let standing = if earlier.insert(key, fingerprint) == Some(*fingerprint) {
            Standing::Duplicate
        } else {
            judge(held.get(*key), fingerprint, query.sync)
        };
        standings.push(standing);
    }
    Ok(standings)
}
