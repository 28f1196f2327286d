//! `sync`: a connection's data streams, one after the other, and what became of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::recording::{self, Recording};
use super::{remaking, replay, stop, sync_all};
use crate::cli::args::{Mode, SyncArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::progress::Line;
use crate::cli::view::{changes, ledger, removal, run as view};
use crate::connection::{Desk, Session, session};
use crate::domain::RunState;
use crate::pipeline::{
    Cancel, FaultKind, ModeChoice, RemakeReport, RunFault, RunReport, SyncError, SyncOptions, sync,
};
use crate::recording::Recorder;
use crate::store::{Changed, RemovalGuard, Run, Store, Verdict};

/// What the syncs of a session came to.
pub struct Ended {
    /// Documents that were made anew before anything was read.
    pub remade: Vec<RemakeReport>,
    /// Each of them.
    pub runs: Vec<Ran>,
    /// Why not all went well, where it did not.
    pub failure: Option<Failure>,
}

/// One sync.
pub struct Ran {
    /// The run, as it was kept.
    pub run: Run,
    /// What it changed, where it was only tried.
    pub changes: Option<Vec<Changed>>,
}

/// Runs it.
pub async fn run(context: &Context, args: &SyncArgs) -> CommandResult {
    if let Some(file) = &args.recording.replay {
        return replay::run(context, args, file).await;
    }
    recording::check(&args.recording)?;
    let desk = context.desk(&args.pace).await?;
    let options = options(args);
    let Some(named) = args.connection.one() else {
        return sync_all::run(context, &desk, args, &options).await;
    };
    let session = session(
        &desk,
        &named.tenant,
        &named.name,
        &args.streams,
        args.pace.rate(),
    )
    .await?;
    let session = if args.dry_run {
        session.on_trial(&desk).await?
    } else {
        session
    };
    let recording = Recording::begin(&args.recording, &desk, &session, &options)?;
    let recorder = recording.as_ref().map(Recording::recorder);
    let mut ended = all(context, &desk, &session, &options, args.examples, recorder).await?;
    let recorded = match recording {
        Some(recording) => recording.end(context, &desk.plugin).await,
        None => Ok(Value::Null),
    };
    let recorded = recorded.unwrap_or_else(|failure| {
        let told = failure.to_json();
        // Why the sync failed comes first.
        match &mut ended.failure {
            Some(first) => first.message = format!("{first}; and {}", failure.message),
            none => *none = Some(failure),
        }
        told
    });
    if context.output.json() {
        context.output.document(&json!({
            "connection": named.name,
            "tenant": named.tenant,
            "dryRun": args.dry_run,
            "remade": remaking::document(&ended.remade),
            "runs": documents(&ended, named.name.as_str()),
            "recording": recorded,
            "process": process(),
        }))?;
    }
    ended.failure.map_or(Ok(Exit::Success), Err)
}

fn options(args: &SyncArgs) -> SyncOptions {
    SyncOptions {
        mode: match args.mode {
            Mode::Auto => ModeChoice::Auto,
            Mode::Full => ModeChoice::Full,
            Mode::Incremental => ModeChoice::Incremental,
        },
        restart: args.restart,
        guard: RemovalGuard {
            share: f64::from(args.removal_share) / 100.0,
            at_least: args.removal_at_least,
            hold: None,
            confirmed: args.confirm_removals,
        },
    }
}

/// Runs as JSON.
pub fn documents(ended: &Ended, connection: &str) -> Vec<Value> {
    ended
        .runs
        .iter()
        .map(|ran| {
            let mut document = view::document(&ran.run, connection);
            if let (Some(changes), Some(object)) = (&ran.changes, document.as_object_mut()) {
                // What was only tried has no number by which it could be found again.
                object.insert("id".to_owned(), Value::Null);
                object.insert("sync".to_owned(), Value::Null);
                object.insert("changes".to_owned(), json!(changes));
            }
            document
        })
        .collect()
}

/// Syncs each data stream of a session and tells each as it ends. One that fails for a reason of its own (a missing licence, say) does not
/// keep the others from being read; one that says that nothing will go does.
pub async fn all(
    context: &Context,
    desk: &Desk,
    session: &Session,
    options: &SyncOptions,
    examples: u32,
    recorder: Option<&Recorder>,
) -> Result<Ended, Failure> {
    let cancel = Cancel::new();
    let _listening = stop::on_signal(&cancel, &context.output);
    all_until(context, desk, session, options, examples, recorder, &cancel).await
}

/// The same, until it is stopped.
pub async fn all_until(
    context: &Context,
    desk: &Desk,
    session: &Session,
    options: &SyncOptions,
    examples: u32,
    recorder: Option<&Recorder>,
    cancel: &Cancel,
) -> Result<Ended, Failure> {
    // Outside of what is recorded: it asks nothing of the API.
    let remade = remaking::before(context, desk, session, cancel).await?;
    let mut ended = Ended {
        remade: remade.reports,
        runs: Vec::new(),
        failure: remade.failure,
    };
    if ended.failure.is_some() {
        return Ok(ended);
    }
    for stream in &session.streams {
        let line = Line::new(&context.output);
        let job = session.job(
            desk,
            stream,
            options.clone(),
            Arc::clone(&line) as _,
            cancel.clone(),
        );
        let report = match recorder {
            Some(recorder) => sync(&recorder.tapped(job)).await,
            None => sync(&job).await,
        };
        line.clear();
        let report = report.map_err(explained)?;
        let run = session.store.run(report.run).await?;
        let changes = if session.is_trial() {
            Some(session.store.changes(&run, examples).await?)
        } else {
            None
        };
        let ran = Ran { run, changes };
        tell(context, session, &ran, &report)?;
        let failure = failure(session, &report);
        let last = report.state == RunState::Cancelled
            || report.fault.as_ref().is_some_and(is_hopeless)
            || report.set_aside.is_some();
        if let Some(set_aside) = &report.set_aside
            && !session.is_trial()
        {
            let (tenant, name) = (session.store.tenant(), &session.connection.name);
            context.output.note(format!(
                "connection {name} of tenant {tenant} is set aside: {}\n{}",
                human::plain(&set_aside.to_string()),
                explain::reinstate(tenant, name, set_aside.run)
            ));
        }
        ended.runs.push(ran);
        ended.failure = ended.failure.or(failure);
        if last || cancel.is_stopped() {
            break;
        }
    }
    if !session.is_trial() && !cancel.is_stopped() {
        remaking::of_others(context, desk, session, cancel).await;
    }
    Ok(ended)
}

pub fn explained(error: SyncError) -> Failure {
    match error {
        SyncError::Store(error) => error.into(),
        other => Failure::new(Exit::Input, other.to_string()),
    }
}

/// Whether the other data streams would fail for the same reason.
fn is_hopeless(fault: &RunFault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Unauthorized | FaultKind::Unavailable | FaultKind::Store
    )
}

fn tell(
    context: &Context,
    session: &Session,
    ran: &Ran,
    report: &RunReport,
) -> Result<(), Failure> {
    let output = &context.output;
    if output.json() {
        return Ok(());
    }
    let name = session.connection.name.as_str();
    let (run, now) = (&ran.run, context.now());
    let card = match ran.changes {
        Some(_) => view::trial_card(run, name, now, peak_memory()),
        None => view::card(run, name, now, peak_memory()),
    };
    output.line(card.render(output.style().colour))?;
    if report.state == RunState::Processed
        && let Some(why) = ledger::why_nothing(
            &report.ledger,
            report.mode,
            session.switches().auto_onboard_assets,
        )
    {
        output.line(format!("  {}", human::plain(&why)))?;
    }
    if let Some(changes) = &ran.changes {
        output.line(format!("\n  It would change:\n{}", changes::text(changes)))?;
    }
    output.line("")?;
    output.flush()
}

/// Why a run is no success, in the words for whoever started it.
fn failure(session: &Session, report: &RunReport) -> Option<Failure> {
    let trial = session.is_trial();
    let kept = match report.ledger.read {
        _ if trial => "nothing is written by a dry run".to_owned(),
        0 => "nothing was committed in this run".to_owned(),
        read => format!(
            "what was committed in this run ({}) is kept",
            human::counted(read, "record")
        ),
    };
    match (report.state, &report.fault, &report.verdict) {
        (RunState::Cancelled, ..) => Some(
            Failure::new(
                Exit::Cancelled,
                format!("the sync of {} was stopped; {kept}", report.stream),
            )
            .remedy(if trial {
                "try again: a dry run begins where the last sync ended"
            } else {
                "sync again: it goes on from there"
            }),
        ),
        (_, Some(fault), _) => Some(
            Failure::new(
                exit(fault.kind),
                format!(
                    "the sync of {} failed: {}; {kept}",
                    report.stream,
                    fault.message.trim_end_matches('.')
                ),
            )
            .remedy(fault.remedy.clone())
            .detail("fault", serde_json::to_value(fault).unwrap_or_default()),
        ),
        (RunState::Withheld, _, Some(verdict @ Verdict::Withheld { reason, .. })) => Some(
            Failure::new(
                Exit::Withheld,
                format!("the sync of {} withholds removals: {reason}", report.stream),
            )
            .remedy(confirm(session, report))
            .detail("removal", removal::document(verdict)),
        ),
        (RunState::Failed | RunState::Withheld, ..) => Some(Failure::new(
            Exit::Internal,
            format!(
                "the sync of {} ended as {}; {kept}",
                report.stream, report.state
            ),
        )),
        _ => None,
    }
}

/// How to look at what is withheld, and to confirm it.
fn confirm(session: &Session, report: &RunReport) -> String {
    let (tenant, name) = (session.store.tenant(), &session.connection.name);
    let confirm = format!(
        "if that is right: host-runner sync {name} --tenant {tenant} --stream {} --mode full --confirm-removals",
        report.stream
    );
    if session.is_trial() {
        return format!("look at what would be removed, above\n{confirm}");
    }
    format!(
        "look at what would be removed: host-runner runs show {} --tenant {tenant}\n{confirm}",
        report.run
    )
}

/// The exit code for a fault.
pub fn exit(kind: FaultKind) -> Exit {
    match kind {
        FaultKind::Unauthorized | FaultKind::Forbidden | FaultKind::Unlicensed => Exit::Refused,
        FaultKind::Limit | FaultKind::Component => Exit::Component,
        FaultKind::Store => Exit::Store,
        FaultKind::Exhausted
        | FaultKind::Unavailable
        | FaultKind::Protocol
        | FaultKind::Checkpoint
        | FaultKind::Other => Exit::Api,
    }
}

/// What the syncs cost this process, as JSON.
pub fn process() -> Value {
    json!({"peakMemory": peak_memory()})
}

/// The most memory that this process has used, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}
