//! `sync`: a connection's data streams, one after the other, and what became of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stop;
use crate::cli::args::{Mode, SyncArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::progress::Line;
use crate::cli::view::{ledger, run as view};
use crate::connection::{Desk, Session, session};
use crate::domain::RunState;
use crate::pipeline::{
    Cancel, FaultKind, ModeChoice, RunFault, RunReport, SyncError, SyncOptions, sync,
};
use crate::store::{Run, Store, Verdict};

/// What the syncs of a session came to.
pub struct Ended {
    /// Each run, as it was kept.
    pub runs: Vec<(Run, RunReport)>,
    /// Why not all went well, where it did not.
    pub failure: Option<Failure>,
}

/// Runs it.
pub async fn run(context: &Context, args: &SyncArgs) -> CommandResult {
    let desk = context.desk(&args.pace).await?;
    let named = &args.connection;
    let session = session(
        &desk,
        &named.tenant,
        &named.name,
        &args.streams,
        args.pace.rate(),
    )
    .await?;
    let options = SyncOptions {
        mode: match args.mode {
            Mode::Auto => ModeChoice::Auto,
            Mode::Full => ModeChoice::Full,
            Mode::Incremental => ModeChoice::Incremental,
        },
        ..SyncOptions::default()
    };
    let ended = all(context, &desk, &session, &options).await?;
    if context.output.json() {
        context.output.document(&json!({
            "connection": named.name,
            "tenant": named.tenant,
            "runs": documents(&ended, named.name.as_str()),
            "process": process(),
        }))?;
    }
    ended.failure.map_or(Ok(Exit::Success), Err)
}

/// Runs as JSON, with what was done about records that were not seen.
pub fn documents(ended: &Ended, connection: &str) -> Vec<Value> {
    ended
        .runs
        .iter()
        .map(|(run, report)| {
            let mut document = view::document(run, connection);
            if let Some(object) = document.as_object_mut() {
                object.insert(
                    "removal".to_owned(),
                    report.verdict.as_ref().map_or(Value::Null, verdict_json),
                );
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
) -> Result<Ended, Failure> {
    let cancel = Cancel::new();
    let _listening = stop::on_signal(&cancel, &context.output);
    let mut ended = Ended {
        runs: Vec::new(),
        failure: None,
    };
    for stream in &session.streams {
        let line = Line::new(&context.output);
        let job = session.job(
            desk,
            stream,
            options.clone(),
            Arc::clone(&line) as _,
            cancel.clone(),
        );
        let report = sync(&job).await;
        line.clear();
        let report = report.map_err(explained)?;
        let run = session.store.run(report.run).await?;
        tell(context, session, &run, &report)?;
        let failure = failure(&report);
        let last =
            report.state == RunState::Cancelled || report.fault.as_ref().is_some_and(is_hopeless);
        ended.runs.push((run, report));
        ended.failure = ended.failure.or(failure);
        if last || cancel.is_stopped() {
            break;
        }
    }
    Ok(ended)
}

fn explained(error: SyncError) -> Failure {
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
    run: &Run,
    report: &RunReport,
) -> Result<(), Failure> {
    let output = &context.output;
    if output.json() {
        return Ok(());
    }
    let name = session.connection.name.as_str();
    let card = view::card(run, name, context.now(), peak_memory());
    output.line(card.render(output.style().colour))?;
    if report.state == RunState::Processed
        && let Some(why) =
            ledger::why_nothing(&report.ledger, session.switches().auto_onboard_assets)
    {
        output.line(format!("  {}", human::plain(&why)))?;
    }
    match &report.verdict {
        Some(Verdict::Incomplete { reasons }) => output.line(format!(
            "  the read may be incomplete, so nothing was removed for absence: {}",
            human::plain(&reasons.join("; "))
        ))?,
        Some(Verdict::Withheld { reason, .. }) => {
            output.line(format!("  removals are withheld: {}", human::plain(reason)))?;
        }
        _ => {}
    }
    output.line("")?;
    output.flush()
}

/// Why a run is no success, in the words for whoever started it.
fn failure(report: &RunReport) -> Option<Failure> {
    let kept = match report.ledger.read {
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
            .remedy("sync again: it goes on from there"),
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
        (RunState::Withheld, _, Some(Verdict::Withheld { reason, .. })) => Some(
            Failure::new(
                Exit::Withheld,
                format!("the sync of {} withholds removals: {reason}", report.stream),
            )
            .remedy("look at what would be removed with `host-runner runs show`"),
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

fn exit(kind: FaultKind) -> Exit {
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

fn verdict_json(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Incremental => json!({"verdict": "incremental"}),
        Verdict::Complete { removed, .. } => json!({"verdict": "complete", "removed": removed}),
        Verdict::Incomplete { reasons } => json!({"verdict": "incomplete", "reasons": reasons}),
        Verdict::Withheld { reason, preview } => json!({
            "verdict": "withheld",
            "reason": reason,
            "held": preview.held,
            "unseen": preview.unseen,
            "sample": preview.sample,
        }),
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
