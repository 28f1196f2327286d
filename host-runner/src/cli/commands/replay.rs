//! Running a recording again: `sync --replay`.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{recording, stop};
use crate::cli::args::SyncArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human::counted;
use crate::cli::progress::Line;
use crate::cli::view::run as view;
use crate::engine::{Limits, Plugin};
use crate::pipeline::Cancel;
use crate::recording::replay::ReplayOptions;
use crate::recording::{Ending, Header, Reader, Replayed, replay};

/// Runs it.
pub async fn run(context: &Context, args: &SyncArgs, file: &Path) -> CommandResult {
    let (header, _) = Reader::open(file)?;
    let (limits, lowered) = limits(&header);
    let plugin = context.plugin_within(args.pace.limits_over(limits)).await?;
    if let Some(target) = recording::target(&args.recording) {
        if !args.recording.anonymise {
            return Err(Failure::new(
                Exit::Usage,
                "--replay with --record writes a recording anew, and there is nothing to change in it",
            )
            .remedy("add --anonymise, or copy the file"));
        }
        target.check()?;
        recording::anonymised(file, &target, &plugin).await?;
        context
            .output
            .note(format!("written anew in {}", target.path.display()));
        return Ok(Exit::Success);
    }
    for name in lowered {
        context.output.note(format!(
            "it was recorded with a higher limit `{name}` than the default, which holds here: --limit-{name} raises it"
        ));
    }
    let cancel = Cancel::new();
    let _listening = stop::on_signal(&cancel, &context.output);
    let line = Line::new(&context.output);
    let options = ReplayOptions {
        observer: Arc::clone(&line) as _,
        cancel,
    };
    let replayed = replay(file, &plugin, &options).await;
    line.clear();
    let replayed = replayed?;
    if context.output.json() {
        context
            .output
            .document(&document(&replayed, &plugin, file))?;
    } else {
        tell(context, &replayed, &plugin)?;
    }
    match &replayed.ending {
        Ending::Same | Ending::Cut => Ok(Exit::Success),
        Ending::Stopped => Err(Failure::new(Exit::Cancelled, "the replay was stopped")),
        Ending::Diverged(divergence) => Err(Failure::new(
            Exit::Diverged,
            format!(
                "the component does something else than was recorded, after {}: {divergence}",
                same(&replayed)
            ),
        )
        .remedy(advice(&replayed, &plugin))),
    }
}

/// The limits that were recorded, as far as they are not higher than the defaults: a file of somebody else's loosens nothing. And those that are.
fn limits(header: &Header) -> (Limits, Vec<&'static str>) {
    let mut limits = Limits::default();
    let mut lowered = Vec::new();
    for limit in Limits::ALL {
        match header.limits.get(limit.name) {
            Some(recorded) if *recorded <= limit.default && *recorded > 0 => {
                limits.set(limit.name, *recorded);
            }
            Some(recorded) if *recorded > limit.default => lowered.push(limit.name),
            _ => {}
        }
    }
    (limits, lowered)
}

/// "12 steps and 30 requests".
fn same(replayed: &Replayed) -> String {
    format!(
        "{} and {}",
        counted(replayed.steps, "step"),
        counted(replayed.requests, "request")
    )
}

fn other_build(replayed: &Replayed, plugin: &Plugin) -> bool {
    replayed.header.component.sha256 != plugin.sha256()
}

fn advice(replayed: &Replayed, plugin: &Plugin) -> String {
    if replayed.blanked > 0 {
        return "a secret was taken out of what the component was told: the recording can't be exact there".to_owned();
    }
    if other_build(replayed, plugin) {
        return "it is another build: if the change is meant, record it anew".to_owned();
    }
    "it is the very build that was recorded: the recording was changed, or host-runner behaves otherwise than the version that wrote it".to_owned()
}

fn tell(context: &Context, replayed: &Replayed, plugin: &Plugin) -> Result<(), Failure> {
    let output = &context.output;
    for run in &replayed.runs {
        let now = run.ended_at.or(run.committed_at).unwrap_or(run.started_at);
        let card = view::card(run, &replayed.header.connection.name, now, None);
        output.line(card.render(output.style().colour))?;
        output.line("")?;
    }
    let build = if other_build(replayed, plugin) {
        format!(
            " It was recorded with version {} ({}...), and replayed with version {} ({}...).",
            replayed.header.component.version,
            short(&replayed.header.component.sha256),
            plugin.manifest().version,
            short(plugin.sha256())
        )
    } else {
        String::new()
    };
    match replayed.ending {
        Ending::Same => output.line(format!(
            "Replayed {}: the same, bit for bit.{build}",
            same(replayed)
        ))?,
        Ending::Cut => output.line(format!(
            "Replayed {}: the same, bit for bit, as far as the recording goes. It is cut short.{build}",
            same(replayed)
        ))?,
        Ending::Diverged(_) | Ending::Stopped => {}
    }
    output.flush()
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

fn document(replayed: &Replayed, plugin: &Plugin, file: &Path) -> Value {
    let header = &replayed.header;
    let (ending, divergence) = match &replayed.ending {
        Ending::Same => ("same", Value::Null),
        Ending::Cut => ("cut", Value::Null),
        Ending::Stopped => ("stopped", Value::Null),
        Ending::Diverged(divergence) => (
            "diverged",
            json!({
                "line": divergence.line,
                "recorded": divergence.recorded,
                "made": divergence.made,
                "details": divergence.details,
            }),
        ),
    };
    json!({
        "recording": {
            "file": file,
            "startedAt": header.started_at.to_rfc3339(),
            "anonymised": header.anonymised,
            "component": header.component,
        },
        "component": {"version": plugin.manifest().version, "sha256": plugin.sha256()},
        "ending": ending,
        "divergence": divergence,
        "steps": replayed.steps,
        "requests": replayed.requests,
        "secretsTakenOut": replayed.blanked,
        "runs": replayed
            .runs
            .iter()
            .map(|run| view::document(run, &header.connection.name))
            .collect::<Vec<_>>(),
    })
}
