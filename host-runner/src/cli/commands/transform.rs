//! `transform`: source records in, documents out, one per line, in bounded memory.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::args::TransformArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::connection::{TracingLog, maps};
use crate::contract::connector::{Document, DocumentKind, Entry, Outcome};
use crate::engine::Mapper;

/// Records that go to the map at once.
const BATCH: usize = 200;

/// Bytes of records that go to the map at once.
const BATCH_BYTES: usize = 4 << 20;

/// The longest line that is read: the largest record that may cross to a component, and then some.
const LONGEST_LINE: u64 = 16 << 20;

/// Runs it.
pub async fn run(context: &Context, args: &TransformArgs) -> CommandResult {
    let plugin = context.plugin_alone(&args.pace).await?;
    if plugin
        .manifest()
        .data_stream(args.stream.as_str())
        .is_none()
    {
        let known: Vec<&str> = plugin
            .manifest()
            .data_streams
            .iter()
            .map(|stream| stream.name.as_str())
            .collect();
        return Err(Failure::new(
            Exit::Input,
            format!("the connector has no data stream `{}`", args.stream),
        )
        .remedy(format!("it has {}", known.join(", "))));
    }
    let (target, map) = maps::find(plugin.manifest(), &args.stream, &args.map)?;
    let log = Arc::new(TracingLog::new("transform"));
    let mapper = maps::prepare(&plugin, &args.stream, &map, &target, &[], log).await?;
    let mut input = BufReader::with_capacity(256 * 1024, std::io::stdin().lock());
    let mut work = Work {
        context,
        mapper,
        batch: Vec::new(),
        bytes: 0,
        problems: 0,
        records: 0,
    };
    let mut number = 0;
    let mut line = Vec::new();
    while !context.output.closed() {
        number += 1;
        match next_line(&mut input, &mut line)? {
            Line::End => break,
            Line::TooLong => work.complain(number, "", "the line is longer than 16 MiB"),
            Line::Whole if line.iter().all(u8::is_ascii_whitespace) => {}
            Line::Whole => work.take(number, &line).await?,
        }
    }
    work.send().await?;
    if work.problems == 0 {
        return Ok(Exit::Success);
    }
    context.output.note(format!(
        "{} in {}; the rest was transformed",
        human::counted(work.problems, "problem"),
        human::counted(work.records, "record")
    ));
    Ok(Exit::Input)
}

struct Work<'a> {
    context: &'a Context,
    mapper: Mapper,
    batch: Vec<(u64, Entry)>,
    bytes: usize,
    problems: u64,
    records: u64,
}

impl Work<'_> {
    /// Takes a line's record, and hands the batch over when it is full.
    async fn take(&mut self, number: u64, line: &[u8]) -> Result<(), Failure> {
        self.records += 1;
        match serde_json::from_slice::<Value>(line) {
            Ok(Value::Object(_)) => {}
            Ok(_) => {
                self.complain(number, "", "it is JSON, but no object");
                return Ok(());
            }
            Err(error) => {
                self.complain(
                    number,
                    "",
                    &format!("it isn't JSON, from column {} on", error.column()),
                );
                return Ok(());
            }
        }
        self.bytes += line.len();
        let entry = Entry {
            key: format!("line-{number}"),
            fingerprint: String::new(),
            seen_at: None,
            partial: false,
            body: line.to_vec(),
        };
        self.batch.push((number, entry));
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (numbers, entries): (Vec<u64>, Vec<Entry>) =
            std::mem::take(&mut self.batch).into_iter().unzip();
        self.bytes = 0;
        let outcomes = self.mapper.apply(entries).await?;
        for (number, outcome) in numbers.into_iter().zip(outcomes) {
            self.tell(number, outcome)?;
        }
        Ok(())
    }

    fn tell(&mut self, number: u64, outcome: Outcome) -> Result<(), Failure> {
        for problem in &outcome.problems {
            self.complain(number, &problem.pointer, &problem.message);
        }
        for document in &outcome.documents {
            let line = if self.context.output.json() {
                enveloped(document)
            } else {
                body(document)
            };
            match line {
                Ok(document) => self.context.output.item(&document)?,
                Err(error) => {
                    self.complain(number, "", &format!("its document isn't JSON ({error})"))
                }
            }
        }
        Ok(())
    }

    fn complain(&mut self, line: u64, pointer: &str, message: &str) {
        self.problems += 1;
        let output = &self.context.output;
        if output.json() {
            output.error_line(
                json!({"problem": {"line": line, "pointer": pointer, "message": message}})
                    .to_string(),
            );
        } else {
            let place = if pointer.is_empty() {
                String::new()
            } else {
                format!("{}: ", human::plain(pointer))
            };
            output.error_line(format!("line {line}: {place}{}", human::plain(message)));
        }
    }
}

/// The document in the target model.
fn body(document: &Document) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(&document.body)
}

/// With `--json` the document as the contract has it, with all that the platform goes by.
fn enveloped(document: &Document) -> Result<Value, serde_json::Error> {
    let pairs = |list: &[(String, String)]| -> Vec<Value> {
        list.iter()
            .map(|(name, value)| json!([name, value]))
            .collect()
    };
    Ok(json!({
        "kind": match document.kind {
            DocumentKind::Asset => "asset",
            DocumentKind::Finding => "finding",
        },
        "key": document.key,
        "asset": document.asset,
        "identity": pairs(&document.identity),
        "facets": pairs(&document.facets),
        "placeholders": document
            .placeholders
            .iter()
            .map(|place| json!({"pointer": place.pointer, "format": place.format}))
            .collect::<Vec<_>>(),
        "body": body(document)?,
    }))
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// It is in the buffer.
    Whole,
    /// It was too long to keep, and is skipped.
    TooLong,
    /// There is none.
    End,
}

fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Line, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Exit::Input,
            format!("standard input can't be read: {error}"),
        )
    };
    line.clear();
    let read = input
        .by_ref()
        .take(LONGEST_LINE)
        .read_until(b'\n', line)
        .map_err(unreadable)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') || (read as u64) < LONGEST_LINE {
        return Ok(Line::Whole);
    }
    line.clear();
    loop {
        let buffer = input.fill_buf().map_err(unreadable)?;
        if buffer.is_empty() {
            return Ok(Line::TooLong);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = buffer.len();
        input.consume(end.map_or(length, |at| at + 1));
        if end.is_some() {
            return Ok(Line::TooLong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_and_one_that_is_too_long_is_skipped_whole() {
        let mut text = b"{\"a\":1}\n\n".to_vec();
        text.extend(vec![b'x'; usize::try_from(LONGEST_LINE).unwrap() + 5]);
        text.extend(b"\n{\"b\":2}");
        let mut input = BufReader::with_capacity(1024, text.as_slice());
        let mut line = Vec::new();
        let mut next = || {
            let what = next_line(&mut input, &mut line).unwrap();
            (what, String::from_utf8_lossy(&line).trim().to_owned())
        };
        assert_eq!(next(), (Line::Whole, "{\"a\":1}".to_owned()));
        assert_eq!(next(), (Line::Whole, String::new()));
        assert_eq!(next(), (Line::TooLong, String::new()));
        assert_eq!(next(), (Line::Whole, "{\"b\":2}".to_owned()));
        assert_eq!(next().0, Line::End);
    }
}
