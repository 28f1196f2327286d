//! A stream of XQL rows, read as it arrives: NDJSON, plain, gzipped, or gzipped twice (once because the request asks for it,
//! once by a Content-Encoding that nobody announced). Memory is bounded by one row and two small buffers, whatever a
//! compressed byte expands to.

use super::body::READ_BYTES;
use super::classify;
use super::client::failed;
use super::fault::{Fault, FaultKind};
use crate::describe::Call;
use crate::platform::Body;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

/// The longest row that is read, in bytes. A row is one CVE on one endpoint: a few kilobytes.
const MAX_ROW_BYTES: usize = 4 << 20;
/// How many layers of gzip are undone.
const MAX_LAYERS: u8 = 3;
/// How much is decompressed at once.
const CHUNK: usize = 64 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// One line of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamRow {
    /// A row.
    Row(Value),
    /// A line that is no JSON, as it came, and what is wrong with it.
    Unreadable(Vec<u8>, String),
}

/// The rows of a query, one by one.
pub struct RowStream<B> {
    body: B,
    status: u16,
    /// When the stream was opened.
    now: u64,
    feed: Feed,
    plain: Box<dyn Read>,
    /// The first bytes of the present layer, until two of them tell whether it is gzip.
    head: Vec<u8>,
    layers: u8,
    sniffed: bool,
    buffer: Vec<u8>,
    /// Where the unread part of the buffer begins.
    start: usize,
    /// Up to where the buffer was searched for the end of a line.
    searched: usize,
    ended: bool,
    /// Whether no line was read yet.
    first: bool,
}

impl<B: Body> RowStream<B> {
    pub(super) fn new(body: B, status: u16, now: u64) -> RowStream<B> {
        let feed = Feed::default();
        RowStream {
            body,
            status,
            now,
            plain: Box::new(feed.clone()),
            feed,
            head: Vec::new(),
            layers: 0,
            sniffed: false,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            ended: false,
            first: true,
        }
    }

    /// The next row; none at the end.
    pub async fn next(&mut self) -> Result<Option<StreamRow>, Fault> {
        loop {
            if let Some(line) = self.line() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let parsed = serde_json::from_slice::<Value>(&line);
                if std::mem::take(&mut self.first)
                    && let Some(fault) = self.instead(&line, &parsed)
                {
                    return Err(fault);
                }
                return Ok(Some(match parsed {
                    Ok(row) => StreamRow::Row(row),
                    Err(error) => StreamRow::Unreadable(line, error.to_string()),
                }));
            }
            if self.ended {
                return Ok(None);
            }
            if self.buffer.len() - self.start > MAX_ROW_BYTES {
                return Err(self.fault(
                    FaultKind::TooLarge,
                    format!(
                        "A row of the stream is longer than {} MiB.",
                        MAX_ROW_BYTES >> 20
                    ),
                ));
            }
            self.fill().await?;
        }
    }

    /// The fault where the first line is no row but an error in the API's usual envelope, or a web page: both came with a good status.
    fn instead(&self, line: &[u8], parsed: &Result<Value, serde_json::Error>) -> Option<Fault> {
        let status = StatusCode::from_u16(self.status).ok()?;
        let call = Call::GetXqlResultsStream;
        match parsed {
            Ok(Value::Object(fields)) if fields.contains_key("reply") => {
                classify::judge(call, status, &HeaderMap::new(), line, parsed, self.now)
            }
            Err(error) if line.trim_ascii_start().first() == Some(&b'<') => {
                Some(classify::not_json(call, status, line, error))
            }
            _ => None,
        }
    }

    /// A complete line, taken out of the buffer. At the end of the stream the rest is one.
    fn line(&mut self) -> Option<Vec<u8>> {
        let unsearched = self.buffer.get(self.searched..)?;
        let end = match unsearched.iter().position(|byte| *byte == b'\n') {
            Some(at) => self.searched + at,
            None => {
                self.searched = self.buffer.len();
                if !self.ended || self.start >= self.buffer.len() {
                    return None;
                }
                self.buffer.len()
            }
        };
        let line = self.buffer.get(self.start..end).map(<[u8]>::to_vec);
        self.start = (end + 1).min(self.buffer.len());
        self.searched = self.start;
        line
    }

    /// Decompresses the next piece, or fetches more to decompress.
    async fn fill(&mut self) -> Result<(), Fault> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        match self.decompress() {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.ended = true;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let bytes = self.body.read(READ_BYTES).await.map_err(|failure| {
                    failed(Call::GetXqlResultsStream, Some(self.status), failure)
                })?;
                self.feed.give(bytes);
                Ok(())
            }
            Err(error) => {
                let cut = error.kind() == io::ErrorKind::UnexpectedEof;
                Err(self.fault(
                    FaultKind::NotJson,
                    if cut {
                        "The compressed stream of rows stops short.".to_owned()
                    } else {
                        format!("The compressed stream of rows can't be decompressed: {error}.")
                    },
                ))
            }
        }
    }

    /// Moves a piece into the buffer; false at the end. `WouldBlock` where bytes are wanted.
    fn decompress(&mut self) -> io::Result<bool> {
        while !self.sniffed {
            let mut byte = [0_u8; 2];
            let want = GZIP.len().saturating_sub(self.head.len());
            let room = byte.get_mut(..want).unwrap_or_default();
            let read = if room.is_empty() {
                0
            } else {
                self.plain.read(room)?
            };
            self.head
                .extend_from_slice(byte.get(..read).unwrap_or_default());
            if self.head == GZIP && self.layers < MAX_LAYERS {
                self.layers += 1;
                let layer = std::mem::replace(&mut self.plain, Box::new(io::empty()));
                let head = io::Cursor::new(std::mem::take(&mut self.head));
                self.plain = Box::new(MultiGzDecoder::new(head.chain(layer)));
            } else if self.head.len() >= GZIP.len() || read == 0 {
                self.sniffed = true;
                self.buffer.append(&mut self.head);
            }
        }
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let read = self
            .plain
            .read(self.buffer.get_mut(length..).unwrap_or_default());
        self.buffer
            .truncate(length + read.as_ref().map_or(0, |read| (*read).min(CHUNK)));
        Ok(read? > 0)
    }

    fn fault(&self, kind: FaultKind, message: String) -> Fault {
        Fault::new(
            Call::GetXqlResultsStream,
            Some(self.status),
            kind,
            message,
            "Start the sync again; if it stays, report it with the tenant's product version.",
        )
    }
}

/// Bytes that arrived and were not decompressed yet. The decompressors read from it; it says `WouldBlock` when it is empty
/// and the stream goes on.
#[derive(Clone, Default)]
struct Feed(Rc<RefCell<Fed>>);

#[derive(Default)]
struct Fed {
    bytes: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Feed {
    /// What arrived; nothing means the end.
    fn give(&self, bytes: Vec<u8>) {
        let mut fed = self.0.borrow_mut();
        fed.ended = bytes.is_empty();
        fed.bytes = bytes;
        fed.at = 0;
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut fed = self.0.borrow_mut();
        let rest = fed.bytes.get(fed.at..).unwrap_or_default();
        if rest.is_empty() {
            return if fed.ended {
                Ok(0)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            };
        }
        let count = rest.len().min(into.len());
        for (to, from) in into.iter_mut().zip(rest) {
            *to = *from;
        }
        fed.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Failure;
    use crate::testing::block_on;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;
    use std::collections::VecDeque;
    use std::io::Write;

    /// A body that arrives in these pieces.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Pieces {
        fn new(bytes: &[u8], size: usize) -> Pieces {
            Pieces(bytes.chunks(size.max(1)).map(<[u8]>::to_vec).collect())
        }
    }

    impl Body for Pieces {
        async fn read(&mut self, _: u32) -> Result<Vec<u8>, Failure> {
            Ok(self.0.pop_front().unwrap_or_default())
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn rows(bytes: &[u8], size: usize) -> Result<Vec<StreamRow>, Fault> {
        let mut stream = RowStream::new(Pieces::new(bytes, size), 200, 0);
        let mut rows = Vec::new();
        while let Some(row) = block_on(stream.next())? {
            rows.push(row);
        }
        Ok(rows)
    }

    #[test]
    fn the_last_row_needs_no_end_of_line_and_empty_lines_are_none() {
        assert_eq!(
            rows(b"{\"a\":1}\r\n\n{\"a\":2}", 3).unwrap(),
            [
                StreamRow::Row(json!({"a": 1})),
                StreamRow::Row(json!({"a": 2}))
            ]
        );
        assert_eq!(rows(b"", 1).unwrap(), []);
        assert_eq!(rows(b"7", 1).unwrap(), [StreamRow::Row(json!(7))]);
    }

    #[test]
    fn a_compressed_body_that_stops_short_is_a_fault() {
        let whole = gzip(b"{\"a\":1}\n{\"a\":2}\n");
        for end in 3..whole.len() {
            assert!(
                rows(&whole[..end], 4).is_err(),
                "{end} of {} bytes",
                whole.len()
            );
        }
    }

    #[test]
    fn gzip_that_is_none_is_a_fault() {
        let mut broken = gzip(&[b'x'; 500]);
        broken[15] ^= 0xff;
        assert!(rows(&broken, 100).is_err());
        assert!(rows(b"\x1f\x8bnot gzip at all", 100).is_err());
    }

    #[test]
    fn a_bomb_of_one_endless_row_ends_in_a_fault_before_it_fills_memory() {
        // 64 MiB of blanks in twice compressed few bytes.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        let bomb = gzip(&encoder.finish().unwrap());
        assert!(bomb.len() < 4_096);
        let fault = rows(&bomb, 100).unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooLarge);
    }

    #[test]
    fn a_web_page_with_a_good_status_is_told_as_one() {
        let fault = rows(b"<html><body>Please log in</body></html>", 10).unwrap_err();
        assert!(fault.message.contains("web page"), "{}", fault.message);
    }

    proptest::proptest! {
        #[test]
        fn rows_are_the_same_however_they_are_cut_and_compressed(
            texts in proptest::collection::vec("[^\\x00]{0,40}", 0..30),
            size in 1_usize..200,
            layers in 0_u8..3,
        ) {
            let mut bytes: Vec<u8> = texts.iter().flat_map(|text| format!("{}\n", json!({"t": text})).into_bytes()).collect();
            for _ in 0..layers {
                bytes = gzip(&bytes);
            }
            let expected: Vec<StreamRow> = texts.iter().map(|text| StreamRow::Row(json!({"t": text}))).collect();
            proptest::prop_assert_eq!(rows(&bytes, size).unwrap(), expected);
        }

        #[test]
        fn no_bytes_make_the_stream_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), gzipped in proptest::bool::ANY) {
            let _ = rows(&bytes, 7);
            if gzipped {
                let _ = rows(&gzip(&bytes), 7);
                let mut looks_like_it = vec![0x1f, 0x8b, 8, 0];
                looks_like_it.extend(bytes);
                let _ = rows(&looks_like_it, 7);
            }
        }
    }
}
