//! Documents that are made anew, told: by `update`, by `sync` before it reads, and where an import or other rules may let records find their assets.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stop;
use super::sync::{exit, explained};
use crate::cli::args::PaceArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::cli::progress::Line;
use crate::connection::{Desk, Session, remake as service};
use crate::domain::RunState;
use crate::pipeline::{Cancel, RemakeReport, remake};
use crate::store::sqlite::SqliteStore;
use crate::store::{Retried, Store};

/// What was made anew.
#[derive(Default)]
pub struct Remade {
    /// A run for each data stream where there was something to do.
    pub reports: Vec<RemakeReport>,
    /// Why not all went well, where it did not.
    pub failure: Option<Failure>,
}

/// Makes documents anew that were made with something else than they would be now, before the first request of a sync, and tells it.
pub async fn before(
    context: &Context,
    desk: &Desk,
    session: &Session,
    cancel: &Cancel,
) -> Result<Remade, Failure> {
    let line = Line::new(&context.output);
    let job = service::job(
        desk,
        &session.store,
        &session.connection,
        Arc::clone(&line) as _,
        cancel.clone(),
    )?;
    let reports = remake(&job).await;
    line.clear();
    let reports = reports.map_err(explained)?;
    tell(context, &reports)?;
    Ok(Remade {
        failure: failure(&reports),
        reports,
    })
}

/// Makes the documents anew of other connections of the tenant whose records may have found their assets by what a sync brought, and tells it. One that is at
/// work itself does so at its next sync, and what fails is told and left to that too.
pub async fn of_others(context: &Context, desk: &Desk, session: &Session, cancel: &Cancel) {
    let woken = async {
        let woken = session.store.tried_again().await?;
        let others = woken
            .into_iter()
            .filter(|one| !one.removed && one.connection != session.connection.id);
        for other in others {
            let taken = service::take(desk, &session.store, &other.name).await?;
            let Some((connection, _lock)) = taken else {
                continue;
            };
            let line = Line::new(&context.output);
            let observer = Arc::clone(&line) as _;
            let job = service::job(desk, &session.store, &connection, observer, cancel.clone())?;
            let reports = remake(&job).await;
            line.clear();
            let reports = reports.map_err(explained)?;
            if !context.output.json() {
                for report in &reports {
                    let text = format!("connection {}: {}", other.name, text(report));
                    context.output.line(human::plain(&text))?;
                }
            }
            if let Some(failure) = failure(&reports) {
                context.output.note(failure.to_text());
            }
        }
        Ok::<(), Failure>(())
    };
    if let Err(failure) = woken.await {
        context.output.note(failure.to_text());
    }
}

/// Makes the documents anew at once of connections whose records may have found their assets, and tells it. What is left to their next sync is given back.
pub async fn at_once(
    context: &Context,
    store: &SqliteStore,
    retried: Vec<Retried>,
) -> Result<(Vec<RemakeReport>, Vec<Retried>), Failure> {
    let (here, mut left): (Vec<_>, Vec<_>) = retried.into_iter().partition(|one| !one.removed);
    if here.is_empty() {
        return Ok((Vec::new(), left));
    }
    let desk = match context.desk(&PaceArgs::default()).await {
        Ok(desk) => desk,
        Err(failure) => {
            tracing::info!("documents are left to the next sync: {failure}");
            left.extend(here);
            return Ok((Vec::new(), left));
        }
    };
    let cancel = Cancel::new();
    let _listening = stop::on_signal(&cancel, &context.output);
    let mut all = Vec::new();
    for one in here {
        let Some((connection, _lock)) = service::take(&desk, store, &one.name).await? else {
            left.push(one);
            continue;
        };
        let line = Line::new(&context.output);
        let observer = Arc::clone(&line) as _;
        let job = service::job(&desk, store, &connection, observer, cancel.clone())?;
        let reports = remake(&job).await;
        line.clear();
        let reports = reports.map_err(explained)?;
        tell(context, &reports)?;
        if let Some(failure) = failure(&reports) {
            context.output.note(failure.to_text());
        }
        all.extend(reports);
    }
    Ok((all, left))
}

/// Tells what was made anew.
pub fn tell(context: &Context, reports: &[RemakeReport]) -> Result<(), Failure> {
    if context.output.json() {
        return Ok(());
    }
    for report in reports {
        context.output.line(human::plain(&text(report)))?;
    }
    context.output.flush()
}

/// "documents of endpoints made anew: 18,204 of 18,204 (the map changed)", with what becomes of findings that are given under other keys or not at all.
fn text(report: &RemakeReport) -> String {
    let rejected = match report.ledger.quarantined {
        0 => String::new(),
        some => format!(
            "; {} rejected by the map, which stay as they were",
            human::counted(some, "record")
        ),
    };
    let documents = &report.ledger.documents;
    let counted = |count: u64, what: &str| {
        (count > 0).then(|| format!("; {} {what}", human::counted(count, "finding")))
    };
    let findings: String = [
        counted(documents.findings_new, "new"),
        counted(
            documents.findings_out_of_scope,
            "out of scope, which are not given any more",
        ),
        counted(documents.findings_reopened, "back"),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!(
        "documents of {} made anew: {} of {} ({}){findings}{rejected}",
        report.stream,
        human::count(report.ledger.read.saturating_sub(report.ledger.quarantined)),
        human::count(report.due),
        report.reason,
    )
}

/// As JSON.
pub fn document(reports: &[RemakeReport]) -> Vec<Value> {
    reports
        .iter()
        .map(|report| {
            json!({
                "run": report.run,
                "stream": report.stream,
                "reason": report.reason,
                "state": report.state,
                "due": report.due,
                "ledger": report.ledger,
                "fault": report.fault,
            })
        })
        .collect()
}

/// Why not all went well, where it did not.
pub fn failure(reports: &[RemakeReport]) -> Option<Failure> {
    let last = reports.last()?;
    let rest = "what was made anew is kept, the rest is by the next sync";
    match (last.state, &last.fault) {
        (RunState::Processed, _) => None,
        (_, Some(fault)) => Some(
            Failure::new(
                exit(fault.kind),
                format!(
                    "the documents of {} could not be made anew: {}; {rest}",
                    last.stream,
                    fault.message.trim_end_matches('.')
                ),
            )
            .remedy(fault.remedy.clone())
            .detail("fault", serde_json::to_value(fault).unwrap_or_default()),
        ),
        _ => Some(Failure::new(
            Exit::Cancelled,
            format!(
                "making the documents of {} anew was stopped; {rest}",
                last.stream
            ),
        )),
    }
}
