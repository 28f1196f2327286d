//! Endpoints that the tenant lists and nobody hears of: silent agents, and states that the configuration leaves out.

use super::ask::Asker;
use super::reads_endpoints;
use super::spot::{Count, EXAMPLES, counted, example};
use crate::api::{Filter, PAGE_RECORDS, Page};
use crate::configure::{ENDPOINT_STATES, Settings};
use crate::contract::BlindSpot;
use crate::platform::Platform;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is listed without an agent that could report.
const UNINSTALLED: &str = "uninstalled";

/// Agents that are installed and did not report for so many days; the longest silent ones are the examples.
pub async fn silent<P: Platform>(asker: &mut Asker<P>, now: u64, days: u16) -> BlindSpot {
    let s = if days == 1 { "" } else { "s" };
    let name = format!("agents silent for {days} day{s} or more");
    let since = now.saturating_sub(u64::from(days).saturating_mul(DAY_MS));
    let installed = ENDPOINT_STATES
        .into_iter()
        .filter(|state| *state != UNINSTALLED);
    let filters = vec![
        Filter::any_of("endpoint_status", installed),
        Filter::until("last_seen", since),
    ];
    match asker.endpoints(filters, "last_seen", 0).await {
        Ok(page) => with_names(
            counted(
                name,
                Count::of(&page, PAGE_RECORDS),
                "Asked by last_seen, whatever the configuration chooses; uninstalled agents are not counted.".to_owned(),
                "Find out whether these hosts still exist: what is held of them is as old as their last report.",
            ),
            &page,
        ),
        Err(unknown) => unknown.of(name),
    }
}

/// Endpoints in the states that the configuration leaves out; none where it leaves out none.
pub async fn left_out<P: Platform>(asker: &mut Asker<P>, settings: &Settings) -> Option<BlindSpot> {
    let read = reads_endpoints(settings);
    let states: Vec<&str> = ENDPOINT_STATES
        .into_iter()
        .filter(|state| !read || !settings.endpoint_statuses.contains(*state))
        .collect();
    let listed = states.join(", ");
    let (name, detail, remedy) = if !read {
        (
            "endpoints",
            "Neither endpoints nor vulnerabilities are among dataStreams.".to_owned(),
            "Add endpoints to dataStreams to read them.",
        )
    } else if states.is_empty() {
        return None;
    } else {
        (
            "endpoints in states that are left out",
            format!("endpointStatuses leaves out: {listed}."),
            "Add the state to endpointStatuses where such endpoints matter.",
        )
    };
    let filters = vec![Filter::any_of("endpoint_status", states)];
    Some(match asker.endpoints(filters, "first_seen", 0).await {
        Ok(page) => with_names(
            counted(name, Count::of(&page, PAGE_RECORDS), detail, remedy),
            &page,
        ),
        Err(unknown) => unknown.of(name),
    })
}

fn with_names(mut spot: BlindSpot, page: &Page) -> BlindSpot {
    let names = page
        .records
        .iter()
        .filter_map(|record| example(record, &["endpoint_name", "endpoint_id"]));
    spot.examples.extend(names.take(EXAMPLES));
    spot
}
