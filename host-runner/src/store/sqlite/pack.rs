//! Many rows in one statement.
//!
//! Where rows are written, all of their values are parameters of one statement (`VALUES (?, ?), (?, ?) ...`), which is prepared once for each number
//! of rows. Where they are only named, they are one JSON list that `json_each` takes apart; that is one parameter and one statement whatever
//! their number, but measured at half the speed for rows with bodies.

use serde::Serialize;
use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::fail::Fail;

/// Rows in one statement: a page of the API. SQLite takes 32,766 parameters.
const ROWS: usize = 100;

/// Zstandard's fastest level: bodies shrink to a third, at a few microseconds each.
const LEVEL: i32 = 1;

/// The values of one row, in the order of the statement's columns.
pub(super) type Columns<'a> = Separated<'a, Sqlite, &'static str>;

/// Inserts rows: `head` up to `VALUES`, `tail` what follows the rows.
pub(super) async fn insert<R: Sync>(
    tx: &mut SqliteConnection,
    head: &'static str,
    rows: &[R],
    tail: &'static str,
    columns: impl Fn(&mut Columns<'_>, &R) + Send + Sync,
) -> Result<(), Fail> {
    for rows in rows.chunks(ROWS) {
        let mut statement = QueryBuilder::<Sqlite>::new(head);
        statement.push_values(rows, |mut row, values| columns(&mut row, values));
        statement.push(tail);
        statement.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Rows as SQLite's `json_each` takes them.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<String, Fail> {
    Ok(serde_json::to_string(rows)?)
}

/// Compresses many bodies with one context, which costs more to make than a body to compress.
pub(super) struct Compressor(zstd::bulk::Compressor<'static>);

impl Compressor {
    pub(super) fn new() -> Result<Self, Fail> {
        zstd::bulk::Compressor::new(LEVEL)
            .map(Self)
            .map_err(unexpected)
    }

    pub(super) fn compress(&mut self, body: &[u8]) -> Result<Vec<u8>, Fail> {
        self.0.compress(body).map_err(unexpected)
    }
}

fn unexpected(error: std::io::Error) -> Fail {
    super::fail::refused("a body", format!("it can't be compressed: {error}"))
}

/// The body as it was.
pub(super) fn decompress(body: &[u8]) -> Result<Vec<u8>, Fail> {
    zstd::stream::decode_all(body)
        .map_err(|error| Fail::Damaged(format!("a body can't be decompressed: {error}")))
}
