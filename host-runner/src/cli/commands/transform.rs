//! `transform`: source records in, documents out, one per line, in bounded memory.

use std::io::BufReader;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::args::TransformArgs;
use crate::cli::bad_line;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::lines::{Line, next_line, unmarked};
use crate::connection::maps::{OwnMaps, Source, filled};
use crate::connection::{TracingLog, maps};
use crate::contract::connector::{Document, DocumentKind, Entry, Outcome};
use crate::engine::Mapper;
use crate::store::Store;

/// Records that go to the map at once.
const BATCH: usize = 200;

/// Bytes of records that go to the map at once.
const BATCH_BYTES: usize = 4 << 20;

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
    let (own_maps, custom_fields) = match &args.tenant {
        Some(tenant) => {
            let store = context.stores()?.open(tenant).await?;
            let own_maps = OwnMaps::with(&store, &[&args.map]).await?;
            (own_maps, store.custom_fields().await?)
        }
        None => Default::default(),
    };
    let (target, map) = maps::find(plugin.manifest(), &own_maps, &args.stream, &args.map)?;
    // A target's name finds its map too. Which one that is nobody typed, so it is told.
    if map.origin.is_bundled() && map.name != args.map {
        context.output.note(format!(
            "`{}` is the target: of its maps `{}` is taken, which is for {}",
            human::plain(&args.map),
            map.name,
            args.stream
        ));
    }
    let log = Arc::new(TracingLog::new("transform"));
    let mapper = maps::prepare(&plugin, &args.stream, &map, &target, &custom_fields, log).await?;
    let mut input = BufReader::with_capacity(256 * 1024, std::io::stdin().lock());
    let mut work = Work {
        context,
        mapper,
        batch: Vec::new(),
        bytes: 0,
        problems: 0,
        records: 0,
        unseen: Source::unseen(String::new(), Vec::new(), context.now()),
    };
    let mut number = 0;
    let mut line = Vec::new();
    while !context.output.closed() {
        number += 1;
        let read = next_line(&mut input, &mut line).map_err(|error| {
            Failure::new(
                Exit::Input,
                format!("standard input can't be read: {error}"),
            )
        })?;
        match read {
            Line::End => break,
            Line::TooLong => work.complain(number, "", bad_line::TOO_LONG),
            Line::Whole => match unmarked(number, &line) {
                empty if empty.iter().all(u8::is_ascii_whitespace) => {}
                line => work.take(number, line).await?,
            },
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
    /// What the platform would know of a record that it sees now for the first time: all documents of a run are filled in with the same.
    unseen: Source,
}

impl Work<'_> {
    /// Takes a line's record, and hands the batch over when it is full.
    async fn take(&mut self, number: u64, line: &[u8]) -> Result<(), Failure> {
        self.records += 1;
        if let Some(reason) = bad_line::reason(line) {
            self.complain(number, "", &reason);
            return Ok(());
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
                filled(&self.unseen, document)
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
        bad_line::tell(&self.context.output, line, pointer, message);
    }
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
        "body": serde_json::from_slice::<Value>(&document.body)?,
    }))
}
