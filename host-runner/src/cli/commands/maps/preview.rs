//! `maps preview`: what a map would make of records, and what would be different.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::{Value, json};

use super::Room;
use crate::cli::args::MapsPreviewArgs;
use crate::cli::bad_line;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::lines::{Line, next_line, unmarked};
use crate::cli::view::preview as view;
use crate::component::DataStream;
use crate::connection::ConnectionError;
use crate::connection::maps::{Preview, Previews, Shelf, Shelved, Source};
use crate::domain::DataStreamName;
use crate::store::{Connection, Store, StoredMap};

/// Records of a file that go to the map at once.
const BATCH: usize = 200;

/// Bytes of records of a file that go to the map at once.
const BATCH_BYTES: usize = 4 << 20;

/// Runs it.
pub async fn run(context: &Context, args: &MapsPreviewArgs) -> CommandResult {
    let names: Vec<&str> = [Some(&args.map), args.against.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let room = Room::of(context, &args.pace, args.tenant.as_ref(), &names).await?;
    let connection = match (&args.connection, &room.store) {
        (Some(name), Some(store)) => Some(store.connection(name).await?),
        _ => None,
    };
    let maps = found(&room.shelf, &args.map)?;
    let against = match &args.against {
        Some(name) => Some(found(&room.shelf, name)?),
        None => None,
    };
    let custom_fields = room.custom_fields().await?;
    let previews = Previews {
        plugin: &room.plugin,
        custom_fields: &custom_fields,
        log: super::log(),
    };
    let mut reports = Vec::new();
    for stream in streams(&room, args, &maps, connection.as_ref())? {
        let Some(map) = for_stream(&maps, &stream.name) else {
            continue;
        };
        let other = other(args, against.as_deref(), connection.as_ref(), stream, map)?;
        let mut preview = previews
            .of(stream, &stored(map), other.map.as_ref())
            .await?;
        let bad_lines = match (&args.file, &room.store, &connection) {
            (Some(file), _, _) => Some(read(context, &mut preview, file, args.limit).await?),
            (None, Some(store), Some(connection)) => {
                let name = stream_name(stream)?;
                preview.kept(store, connection, &name, args.limit).await?;
                None
            }
            _ => None,
        };
        reports.push(view::Report {
            stream: stream.name.clone(),
            map: map.label(),
            against: other.label,
            in_use: other.in_use,
            bad_lines,
            tally: preview.tally,
            coverage: preview.coverage,
        });
    }
    let any_bad = reports.iter().any(|report| report.bad_lines > Some(0));
    let exit = if any_bad { Exit::Input } else { Exit::Success };
    let output = &context.output;
    let source = match (&args.file, &args.connection) {
        (Some(file), _) => file.display().to_string(),
        (None, Some(name)) => format!("the kept records of connection {name}"),
        (None, None) => String::new(),
    };
    if output.json() {
        let streams: Vec<Value> = reports.iter().map(view::Report::document).collect();
        output.document(&json!({"map": args.map, "records": source, "streams": streams}))?;
        return Ok(exit);
    }
    for report in &reports {
        output.line(report.text(&source, output.style().colour))?;
        output.line("")?;
    }
    output.note("nothing was saved");
    Ok(exit)
}

/// All maps that a name means, or the file's.
fn found(shelf: &Shelf, name: &str) -> Result<Vec<Shelved>, ConnectionError> {
    match shelf.find(name, None) {
        Ok(found) => Ok(found),
        Err(_) => Ok(vec![shelf.one_or_file(name, None)?]),
    }
}

fn for_stream<'m>(maps: &'m [Shelved], stream: &str) -> Option<&'m Shelved> {
    maps.iter()
        .find(|map| map.streams().iter().any(|name| name == stream))
}

fn stored(map: &Shelved) -> StoredMap {
    map.document().stored(map.label(), map.origin())
}

fn stream_name(stream: &DataStream) -> Result<DataStreamName, ConnectionError> {
    DataStreamName::new(stream.name.clone())
        .map_err(|error| ConnectionError::Contract(error.to_string()))
}

/// The data streams to go through: what the map takes, the connection reads and the user asks for.
fn streams<'r>(
    room: &'r Room,
    args: &MapsPreviewArgs,
    maps: &[Shelved],
    connection: Option<&Connection>,
) -> Result<Vec<&'r DataStream>, Failure> {
    let takes: Vec<String> = maps.iter().flat_map(Shelved::streams).collect();
    for asked in &args.streams {
        if !takes.iter().any(|name| name == asked.as_str()) {
            return Err(Failure::new(
                Exit::Input,
                format!(
                    "the map {} does not take the data stream `{asked}`",
                    args.map
                ),
            )
            .remedy(format!("it takes {}", takes.join(", "))));
        }
    }
    let of_file = args.file.is_some();
    let chosen: Vec<&DataStream> = room
        .plugin
        .manifest()
        .data_streams
        .iter()
        .filter(|stream| takes.contains(&stream.name))
        .filter(|stream| {
            args.streams.is_empty()
                || args
                    .streams
                    .iter()
                    .any(|asked| asked.as_str() == stream.name)
        })
        .filter(|stream| {
            // A file's records may be of any.
            of_file
                || connection.is_none_or(|connection| {
                    let mut reads = connection.data_streams.iter();
                    reads.any(|name| name.as_str() == stream.name)
                })
        })
        .collect();
    if of_file && chosen.len() > 1 {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "the map {} takes {}: of which are the records?",
                args.map,
                takes.join(", ")
            ),
        )
        .remedy("say it with --stream STREAM"));
    }
    if chosen.is_empty() {
        let reads = connection.map(|connection| {
            let names: Vec<&str> = connection.data_streams.iter().map(AsRef::as_ref).collect();
            format!("connection {} reads {}", connection.name, names.join(", "))
        });
        return Err(Failure::new(
            Exit::Input,
            format!("the map {} takes {}", args.map, takes.join(", ")),
        )
        .remedy(reads.unwrap_or_default()));
    }
    Ok(chosen)
}

/// What a map is held against.
#[derive(Default)]
struct Other {
    map: Option<StoredMap>,
    /// What to call it.
    label: Option<String>,
    /// Whether it would be the same map, against which nothing would differ.
    in_use: bool,
}

/// The map to hold it against: the one that is asked for, else the one that the connection uses.
fn other(
    args: &MapsPreviewArgs,
    against: Option<&[Shelved]>,
    connection: Option<&Connection>,
    stream: &DataStream,
    map: &Shelved,
) -> Result<Other, Failure> {
    if let Some(against) = against {
        let Some(other) = for_stream(against, &stream.name) else {
            return Err(Failure::new(
                Exit::Input,
                format!(
                    "the map {} does not take the data stream `{}`",
                    args.against.as_deref().unwrap_or_default(),
                    stream.name
                ),
            )
            .remedy("choose the data streams to compare with --stream"));
        };
        return Ok(Other {
            map: Some(stored(other)),
            label: Some(other.label()),
            in_use: false,
        });
    }
    let used = connection.and_then(|connection| {
        let name = stream_name(stream).ok()?;
        Some((connection, connection.maps.get(&name)?))
    });
    Ok(match used {
        Some((_, used)) if used.hash == map.document().hash() => Other {
            in_use: true,
            ..Other::default()
        },
        Some((connection, used)) => {
            let label = match used.origin.number() {
                Some(number) => format!("{}@{number}", used.name),
                None => used.name.clone(),
            };
            Other {
                map: Some(used.clone()),
                label: Some(format!(
                    "{label}, which connection {} uses",
                    connection.name
                )),
                in_use: false,
            }
        }
        None => Other::default(),
    })
}

/// Goes through a file of records, and tells each line that is none; gives how many those are.
async fn read(
    context: &Context,
    preview: &mut Preview,
    file: &Path,
    limit: Option<u64>,
) -> Result<u64, Failure> {
    let unreadable = |what: String| {
        Failure::new(Exit::Input, format!("{} {what}", file.display()))
            .remedy("it must have one JSON object per line, such as `transform` reads")
    };
    let opened = File::open(file).map_err(|error| unreadable(format!("can't be read: {error}")))?;
    let mut input = BufReader::with_capacity(256 * 1024, opened);
    let (mut batch, mut bytes, mut number, mut taken) = (Vec::new(), 0, 0_u64, 0_u64);
    let mut line = Vec::new();
    let now = context.now();
    let mut bad = 0;
    let mut complain = |number, reason: &str| {
        bad += 1;
        bad_line::tell(&context.output, number, "", reason);
    };
    while limit.is_none_or(|limit| taken < limit) {
        number += 1;
        let what = next_line(&mut input, &mut line)
            .map_err(|error| unreadable(format!("can't be read: {error}")))?;
        match what {
            Line::End => break,
            Line::TooLong => {
                complain(number, bad_line::TOO_LONG);
                continue;
            }
            Line::Whole => {}
        }
        let line = unmarked(number, &line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Some(reason) = bad_line::reason(line) {
            complain(number, &reason);
            continue;
        }
        taken += 1;
        bytes += line.len();
        batch.push(Source::unseen(format!("line-{number}"), line.to_vec(), now));
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            preview.take(std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
    }
    preview.take(batch).await?;
    Ok(bad)
}
