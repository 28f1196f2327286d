//! What the tenant holds and the platform does not see: the contract's `survey`.
//!
//! A report like that of `test`, one file per kind. Each kind costs one request, alerts one per source, tags a bounded number of pages, and
//! endpoints that were never scanned none. What can't be found out stands in the report with the reason, and keeps nothing else from being
//! told.

mod alerts;
mod ask;
mod scanned;
mod seen;
mod spot;
mod tags;
#[cfg(test)]
mod tests;

use crate::api::Client;
use crate::configure::{DataStream, Settings};
use crate::contract::{BlindSpot, Problem};
use crate::platform::Platform;
use ask::Asker;

/// Finds out what the configuration leaves out, in a bounded number of requests. Agents that did not report for `silent_days` days count as
/// silent.
pub async fn survey<P: Platform>(platform: P, config: &[u8], silent_days: u16) -> Vec<BlindSpot> {
    let settings = match Settings::from_config(config) {
        Ok(settings) => settings,
        Err(problems) => return problems.into_iter().map(unreadable).collect(),
    };
    let mut asker = Asker::new(Client::new(platform.clone(), &settings));
    let mut spots = vec![scanned::never_scanned(&platform, &settings).await];
    spots.push(seen::silent(&mut asker, platform.now(), silent_days).await);
    spots.extend(seen::left_out(&mut asker, &settings).await);
    tags::find(&mut asker, &settings, &mut spots).await;
    alerts::find(&mut asker, &settings, &mut spots).await;
    spots
}

/// Whether endpoints are read at all: vulnerabilities bring their endpoints along.
fn reads_endpoints(settings: &Settings) -> bool {
    let chosen = |stream| settings.data_streams.contains(&stream);
    chosen(DataStream::Endpoints) || chosen(DataStream::Vulnerabilities)
}

/// A problem of the configuration as something that could not be found out.
fn unreadable(problem: Problem) -> BlindSpot {
    spot::Unknown {
        detail: problem.message,
        remedy: "Update the connection's configuration.".to_owned(),
    }
    .of(format!("configuration {}", problem.pointer))
}
