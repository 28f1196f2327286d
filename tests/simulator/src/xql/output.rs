//! Rows as they are delivered: inline JSON, CSV, and streams of NDJSON that may be compressed once or twice.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::eval::{Row, Table};
use super::value::Value;
use crate::clock::{csv_time, stream_time};
use crate::json::Json;

/// Rows per chunk of a stream.
const CHUNK: usize = 1_000;

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Epoch milliseconds, as inline results do.
    Millis,
    /// `2021-05-18 09:59:28 UTC`, as streams do.
    Text,
}

fn write_value(json: &mut Json, value: &Value, times: Times) {
    match value {
        Value::Null => json.null(),
        Value::Bool(yes) => json.bool(*yes),
        Value::Int(number) => json.int(*number),
        Value::Float(number) => json.float(*number),
        Value::Time(ms) if times == Times::Text => json.text(&stream_time(*ms)),
        Value::Time(ms) => json.int(*ms),
        Value::Text(text) => json.text(text),
        Value::List(items) => {
            json.begin_list();
            items.iter().for_each(|item| write_value(json, item, times));
            json.end_list();
        }
    }
}

/// Writes one row as an object.
pub fn write_row(json: &mut Json, table: &Table, row: &Row, times: Times) {
    json.begin_object();
    for column in &table.columns {
        json.any_key(&column.name);
        write_value(json, column.of(row), times);
    }
    json.end_object();
}

/// Rows as CSV with a head, lines ended by CRLF.
pub fn csv(table: &Table, limit: usize) -> String {
    let mut out = String::new();
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    out.push_str(&names.join(","));
    out.push_str("\r\n");
    for row in table.rows.iter().take(limit) {
        let cells: Vec<String> = table
            .columns
            .iter()
            .map(|column| quoted(&cell(column.of(row))))
            .collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => yes.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Time(ms) => csv_time(*ms),
        Value::Text(text) => text.to_string(),
        Value::List(_) => {
            let mut json = Json::default();
            write_value(&mut json, value, Times::Millis);
            String::from_utf8(json.into_bytes()).unwrap_or_default()
        }
    }
}

fn quoted(cell: &str) -> String {
    let special = cell.contains([',', '"', '\r', '\n']);
    if special {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A stream of rows, made chunk by chunk as the client takes it.
pub struct RowStream {
    table: Arc<Table>,
    next: usize,
    limit: usize,
    /// Compressors, the inner one first.
    packers: Vec<GzEncoder<Vec<u8>>>,
    ended: bool,
}

impl RowStream {
    /// A stream of the first `limit` rows, compressed `times` times.
    pub fn new(table: Arc<Table>, limit: usize, times: usize) -> Self {
        let packers = (0..times)
            .map(|_| GzEncoder::new(Vec::new(), Compression::fast()))
            .collect();
        RowStream {
            table,
            next: 0,
            limit,
            packers,
            ended: false,
        }
    }

    /// Passes bytes through the compressors.
    fn pack(&mut self, mut bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
        for packer in &mut self.packers {
            packer.write_all(&bytes)?;
            bytes = std::mem::take(packer.get_mut());
        }
        Ok(bytes)
    }

    /// Ends the compressors, each one's rest going through those outside of it.
    fn finish(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        for mut packer in std::mem::take(&mut self.packers) {
            packer.write_all(&rest)?;
            rest = packer.finish()?;
        }
        Ok(rest)
    }
}

impl Iterator for RowStream {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.ended {
                return None;
            }
            let end = (self.next + CHUNK)
                .min(self.limit)
                .min(self.table.rows.len());
            let mut lines = Vec::new();
            for row in self.table.rows.get(self.next..end).unwrap_or_default() {
                let mut json = Json::with_capacity(256);
                write_row(&mut json, &self.table, row, Times::Text);
                lines.extend_from_slice(&json.into_bytes());
                lines.push(b'\n');
            }
            let done = end <= self.next;
            self.next = end;
            // Compressing into memory cannot fail.
            let bytes = if done {
                self.finish()
            } else {
                self.pack(lines)
            }
            .unwrap_or_default();
            self.ended = done;
            if !bytes.is_empty() {
                return Some(bytes.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn table(rows: usize) -> Arc<Table> {
        let row = |number: usize| {
            vec![
                Value::Int(number as i64),
                Value::Text("a,\"b\"".into()),
                Value::Time(1_621_331_968_000),
                Value::Null,
            ]
        };
        Arc::new(Table::new(&["n", "text", "at", "none"], (0..rows).map(row)))
    }

    fn collect(stream: RowStream) -> Vec<u8> {
        stream.flat_map(|chunk| chunk.to_vec()).collect()
    }

    fn unpack(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn a_stream_has_a_row_per_line_with_times_as_text() {
        let bytes = collect(RowStream::new(table(2_500), usize::MAX, 0));
        let text = String::from_utf8(bytes).unwrap();
        let rows: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), 2_500);
        assert_eq!(rows[2_499]["n"], 2_499);
        assert_eq!(rows[0]["at"], "2021-05-18 09:59:28 UTC");
    }

    #[test]
    fn compressing_once_or_twice_loses_nothing() {
        for rows in [0, 1, 2_500] {
            let plain = collect(RowStream::new(table(rows), usize::MAX, 0));
            assert_eq!(
                unpack(&collect(RowStream::new(table(rows), usize::MAX, 1))),
                plain
            );
            assert_eq!(
                unpack(&unpack(&collect(RowStream::new(
                    table(rows),
                    usize::MAX,
                    2
                )))),
                plain
            );
        }
    }

    #[test]
    fn a_limit_ends_a_stream() {
        let text = String::from_utf8(collect(RowStream::new(table(2_500), 1_500, 0))).unwrap();
        assert_eq!(text.lines().count(), 1_500);
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        assert_eq!(
            csv(&table(1), 10),
            "n,text,at,none\r\n0,\"a,\"\"b\"\"\",2021-05-18 09:59:28+00:00,\r\n"
        );
    }
}
