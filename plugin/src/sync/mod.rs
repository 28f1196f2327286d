//! Reading a data stream, step by step.
//!
//! [`sync`] begins (or goes on with) a read and gives a [`Reading`]; each [`Reading::next`] gives one bounded step with the
//! checkpoint that covers it. Requests stay in flight between two steps; memory holds a window of pages, never the tenant.
//!
//! [`sift`] tells what another configuration would do with what is held, by the same sorting.

mod alerts;
mod checkpoint;
mod endpoints;
mod flight;
mod found;
mod recheck;
mod sift;
mod sliced;
#[cfg(test)]
mod tests;
mod vulnerabilities;

pub use sift::sift;

use crate::api::Client;
use crate::configure::{DataStream, Settings};
use crate::contract::types::Cause;
use crate::contract::{Fault, Mode, Progress, SyncRequest};
use crate::describe::incremental;
use crate::platform::Platform;
use sliced::Limits;
use std::cell::RefCell;

/// A read under way. One `next` at a time; dropping it ends all requests in flight.
pub struct Reading<P: Platform> {
    /// Taken out while a step is made: nothing may stay borrowed across an await.
    stream: RefCell<Option<Stream<P>>>,
}

/// The read of each kind of data stream.
enum Stream<P: Platform> {
    Sliced(Box<sliced::Sliced<P>>),
    Vulnerabilities(Box<vulnerabilities::Vulnerabilities<P>>),
}

/// Begins to read one data stream, or goes on from the request's checkpoint.
pub async fn sync<P: Platform>(platform: P, request: SyncRequest) -> Result<Reading<P>, Fault> {
    let settings = settings(&request.config)?;
    read(platform, &settings, &request).await
}

/// [`sync`] with a configuration that was read already.
pub async fn read<P: Platform>(
    platform: P,
    settings: &Settings,
    request: &SyncRequest,
) -> Result<Reading<P>, Fault> {
    let stream = stream(&request.data_stream)?;
    if request.mode == Mode::Incremental && !incremental(stream) {
        return Err(fault(
            "mode",
            format!(
                "The data stream \"{}\" can't be read incrementally by this version.",
                stream.name()
            ),
            "Run a full sync.",
        ));
    }
    let client = Client::new(platform, settings);
    let (mode, checkpoint) = (request.mode, request.checkpoint.as_deref());
    let stream = match stream {
        DataStream::Endpoints => Stream::Sliced(Box::new(endpoints::begin(
            client,
            settings,
            mode,
            checkpoint,
            Limits::API,
        )?)),
        DataStream::Alerts => Stream::Sliced(Box::new(alerts::begin(
            client,
            settings,
            mode,
            checkpoint,
            Limits::API,
        )?)),
        DataStream::Vulnerabilities => Stream::Vulnerabilities(Box::new(vulnerabilities::begin(
            client, settings, mode, checkpoint,
        )?)),
    };
    Ok(Reading {
        stream: RefCell::new(Some(stream)),
    })
}

impl<P: Platform> Reading<P> {
    /// The next step, or the end. After a fault it may be asked again: it goes on after the last step that it gave.
    pub async fn next(&self) -> Result<Progress, Fault> {
        let Some(mut stream) = self.stream.borrow_mut().take() else {
            return Err(fault(
                "busy",
                "The next step was asked for while another was being made.".to_owned(),
                "Report this: a sync is read one step at a time.",
            ));
        };
        let progress = match &mut stream {
            Stream::Sliced(stream) => stream.next().await,
            Stream::Vulnerabilities(stream) => stream.next().await,
        };
        *self.stream.borrow_mut() = Some(stream);
        progress
    }
}

fn settings(config: &[u8]) -> Result<Settings, Fault> {
    Settings::from_config(config).map_err(|problems| {
        let told: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.pointer, problem.message))
            .collect();
        fault(
            "configuration",
            format!(
                "The connection's configuration can't be read ({}).",
                told.join("; ")
            ),
            "Update the connection.",
        )
    })
}

fn stream(name: &str) -> Result<DataStream, Fault> {
    DataStream::from_name(name).ok_or_else(|| {
        fault(
            "data-stream",
            format!("The connector has no data stream \"{name}\"."),
            "Choose one of the manifest's data streams.",
        )
    })
}

/// A fault of the connector's own, before or beside any call.
fn fault(word: &str, message: String, remedy: &str) -> Fault {
    Fault {
        cause: Cause::Other(word.to_owned()),
        call: String::new(),
        status: None,
        message,
        remedy: remedy.to_owned(),
    }
}
