//! Many rows in one statement: their short columns as one JSON list, their long ones as pieces of one blob.
//!
//! `INSERT ... SELECT j.value ->> 0, substr(?2, j.value ->> 1, j.value ->> 2) FROM json_each(?1) AS j` is one statement whatever the number of rows,
//! so it is prepared once; and bodies are not escaped into JSON and back.

use serde::Serialize;

use super::fail::Fail;

/// Zstandard's fastest level: bodies shrink to a third, at a few microseconds each.
const LEVEL: i32 = 1;

/// Rows as SQLite's `json_each` takes them.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<String, Fail> {
    Ok(serde_json::to_string(rows)?)
}

/// Pieces of one blob.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) bytes: Vec<u8>,
}

impl Pieces {
    /// Adds a piece: its place and length, as SQL's `substr` counts them.
    pub(super) fn push(&mut self, piece: &[u8]) -> (usize, usize) {
        let place = self.bytes.len().saturating_add(1);
        self.bytes.extend_from_slice(piece);
        (place, piece.len())
    }
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
