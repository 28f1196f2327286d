//! A recording written anew with other names.
//!
//! First what tells who or where somebody is is collected from all that the component was told ([`cast`]). Then the answers are written down with other
//! names in its place. Then the component runs against these, so that its requests, and the digests of what it gives, are those that it makes of them:
//! what it hashes and sorts by is another thing now. At last the new recording is replayed, and searched for what was collected.

mod cast;
mod error;
mod ids;
mod packing;
mod patterns;
mod spool;
mod texts;
mod tokens;

pub use error::AnonymiseError;

use self::cast::{Cast, Mask};
use self::spool::Spool;
use self::texts::{Marked, masked, visit};
use super::event::{Event, Header};
use super::file::{Reader, Target, Writer};
use super::payload::Payload;
use super::replay::{Ending, ReplayOptions, anew, replay};
use crate::engine::Plugin;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the names of files on the way end in.
const ON_THE_WAY: [&str; 2] = [".answers", ".new"];

/// A file that goes when this goes.
struct OnTheWay(PathBuf);

impl OnTheWay {
    fn beside(target: &Target, ending: &str) -> Self {
        let mut path = target.path.clone().into_os_string();
        path.push(ending);
        // What compresses the target compresses this.
        if target
            .path
            .extension()
            .is_some_and(|ending| ending == "zst")
        {
            path.push(".zst");
        }
        Self(path.into())
    }

    fn target(&self) -> Target {
        Target {
            path: self.0.clone(),
            force: true,
        }
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        // It may never have been made; what is in it has other names already.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes the recording `from` anew with other host names, users, addresses and ids, each the same everywhere.
///
/// # Errors
/// Where the component, told other names, asks for something that the recording does not answer. Nothing is written then.
pub async fn anonymise(
    from: &Path,
    to: &Target,
    plugin: &Arc<Plugin>,
    options: &ReplayOptions,
) -> Result<(), AnonymiseError> {
    to.check()?;
    let marked = Marked::of(plugin.manifest());
    let mask = collected(from, &marked)?.masked(&mut rand::random::<u64>);
    let [answers, new] = ON_THE_WAY.map(|ending| OnTheWay::beside(to, ending));
    write_answers(from, &answers.target(), &marked, &mask)?;
    let told = anew(&answers.0, plugin, options, &new.target()).await?;
    drop(answers);
    let whole = match told.ending {
        Ending::Same => Ending::Same,
        Ending::Cut => Ending::Cut,
        Ending::Diverged(divergence) => return Err(AnonymiseError::Parted(divergence)),
        Ending::Stopped => return Err(AnonymiseError::Stopped),
    };
    let again = replay(&new.0, plugin, options).await?;
    if again.ending != whole {
        return Err(match again.ending {
            Ending::Diverged(divergence) => AnonymiseError::Parted(divergence),
            Ending::Stopped => AnonymiseError::Stopped,
            Ending::Same | Ending::Cut => AnonymiseError::NotTheSame,
        });
    }
    search(&new.0, &mask)?;
    to.take(&new.0)?;
    Ok(())
}

/// All that a recording speaks of.
fn collected(from: &Path, marked: &Marked) -> Result<Cast, AnonymiseError> {
    let mut cast = Cast::default();
    let (header, reader) = Reader::open(from)?;
    for name in texts::origins(&header.connection.config) {
        cast.add_origin(&name);
    }
    visit(header, reader, &mut |_, text| {
        texts::collect(text, marked, &mut cast);
    })?;
    Ok(cast)
}

/// The recording with other names in all that the component and the run were told. What the component asked and gave is left as it was but for the
/// names: it is made anew.
fn write_answers(
    from: &Path,
    to: &Target,
    marked: &Marked,
    mask: &Mask,
) -> Result<(), AnonymiseError> {
    let mut spool = Spool::fill(from, marked, mask)?;
    let (header, mut reader) = Reader::open(from)?;
    let writer = Writer::create(to, &other_header(header, marked, mask)?, &|_| None)?;
    let mut whole = false;
    while let Some(numbered) = reader.next()? {
        let event = match numbered.event {
            Event::Closed { .. } => {
                whole = true;
                break;
            }
            Event::Chunk { id, body } if !body.0.is_empty() => Event::Chunk {
                id,
                body: Payload(spool.next(id)?),
            },
            event => other_event(&event, marked, mask)?,
        };
        writer.write(&event, &|_| None);
    }
    if whole {
        writer.close()?;
    } else {
        writer.leave()?;
    }
    Ok(())
}

fn other_header(
    mut header: Header,
    marked: &Marked,
    mask: &Mask,
) -> Result<Header, AnonymiseError> {
    header.anonymised = true;
    let setup = &mut header.connection;
    setup.name = "anonymised".to_owned();
    let config = masked(&setup.config.to_string(), &marked.of_config(), mask);
    setup.config =
        serde_json::from_str(&config).map_err(|_| AnonymiseError::Unfit("the configuration"))?;
    for (_, scope) in &mut setup.scope {
        *scope = masked(scope, marked, mask);
    }
    Ok(header)
}

fn other_event(event: &Event, marked: &Marked, mask: &Mask) -> Result<Event, AnonymiseError> {
    let line = serde_json::to_string(event).map_err(|_| AnonymiseError::Unfit("a line"))?;
    let line = masked(&line, &marked.of_events(), mask);
    serde_json::from_str(&line).map_err(|_| AnonymiseError::Unfit("a line"))
}

/// Looks for what must not be there.
fn search(new: &Path, mask: &Mask) -> Result<(), AnonymiseError> {
    let (mut count, mut first) = (0, None);
    let (header, reader) = Reader::open(new)?;
    visit(header, reader, &mut |line, text| {
        let left = texts::left(text, mask);
        if left > 0 {
            count += left as u64;
            first.get_or_insert(line);
        }
    })?;
    match first {
        Some(line) => Err(AnonymiseError::Left { count, line }),
        None => Ok(()),
    }
}
