//! The data streams against a small tenant that answers as the API does.

mod alerts;
mod doubts;
mod endpoints;
mod incremental;
mod paging;
mod resume;
mod sift;
mod tenant;
mod vulnerabilities;
mod xql;

use super::{Limits, Reading, Stream, alerts as alert_stream, endpoints as endpoint_stream};
use crate::api::Client;
use crate::configure::{AlertStatus, DataStream, SecurityLevel, Settings};
use crate::contract::{Closing, Coverage, Fault, Mode, Progress, Step, Summary, SyncRequest};
use crate::testing::{FakePlatform, block_on};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Paging limits small enough that a few hundred records meet all of them.
const SMALL: Limits = Limits {
    page: 5,
    capped: 49,
    cut_at: 40,
    last_offset: 50,
};

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn settings() -> Settings {
    Settings {
        origin: "https://api-test.xdr.us.paloaltonetworks.com".to_owned(),
        api_key_id: "42".to_owned(),
        security_level: SecurityLevel::Advanced,
        tags: BTreeSet::new(),
        data_streams: DataStream::ALL.into_iter().collect(),
        alert_sources: set(&["XDR BIOC", "XDR IOC"]),
        alert_statuses: [AlertStatus::New, AlertStatus::UnderInvestigation].into(),
        endpoint_statuses: set(&["connected", "disconnected", "lost"]),
        update_existing_assets: None,
        auto_onboard_assets: None,
        full_sync_every_days: 7,
        endpoint_sweep_hours: 24,
        xql_daily_share: 0.5,
    }
}

/// Begins a full read with the API's own limits.
fn begin(
    platform: &FakePlatform,
    settings: &Settings,
    stream: DataStream,
    checkpoint: Option<Vec<u8>>,
) -> Result<Reading<FakePlatform>, Fault> {
    begin_as(Mode::Full, platform, settings, stream, checkpoint)
}

/// Begins a read of a mode with the API's own limits.
fn begin_as(
    mode: Mode,
    platform: &FakePlatform,
    settings: &Settings,
    stream: DataStream,
    checkpoint: Option<Vec<u8>>,
) -> Result<Reading<FakePlatform>, Fault> {
    let request = SyncRequest {
        config: Vec::new(),
        data_stream: stream.name().to_owned(),
        mode,
        checkpoint,
    };
    block_on(super::read(platform.clone(), settings, &request))
}

/// Begins a full read of endpoints or alerts with small limits.
fn begin_small(
    platform: &FakePlatform,
    settings: &Settings,
    stream: DataStream,
    checkpoint: Option<Vec<u8>>,
) -> Result<Reading<FakePlatform>, Fault> {
    begin_small_as(Mode::Full, platform, settings, stream, checkpoint)
}

/// Begins a read of a mode of endpoints or alerts with small limits.
fn begin_small_as(
    mode: Mode,
    platform: &FakePlatform,
    settings: &Settings,
    stream: DataStream,
    checkpoint: Option<Vec<u8>>,
) -> Result<Reading<FakePlatform>, Fault> {
    let client = Client::new(platform.clone(), settings);
    let sliced = match stream {
        DataStream::Alerts => {
            alert_stream::begin(client, settings, mode, checkpoint.as_deref(), SMALL)?
        }
        _ => endpoint_stream::begin(client, settings, mode, checkpoint.as_deref(), SMALL)?,
    };
    Ok(Reading {
        stream: RefCell::new(Some(Stream::Sliced(Box::new(sliced)))),
    })
}

/// All that a read gave.
#[derive(Debug, Default)]
struct All {
    steps: Vec<Step>,
    end: Option<Summary>,
}

impl All {
    fn entries(&self) -> Vec<String> {
        self.steps
            .iter()
            .flat_map(|step| step.entries.iter().map(|entry| entry.key.clone()))
            .collect()
    }

    /// Each key once.
    fn keys(&self) -> BTreeSet<String> {
        self.entries().into_iter().collect()
    }

    fn closures(&self) -> Vec<(String, String, String)> {
        self.steps
            .iter()
            .flat_map(|step| &step.closures)
            .map(|closure| {
                let why = match &closure.closing {
                    Closing::Resolved => "resolved".to_owned(),
                    Closing::Deleted => "deleted".to_owned(),
                    Closing::OutOfScope(filter) => format!("out of scope: {filter}"),
                };
                (closure.key.clone(), why, closure.evidence.clone())
            })
            .collect()
    }

    fn quarantined(&self) -> Vec<Option<String>> {
        self.steps
            .iter()
            .flat_map(|step| step.quarantine.iter().map(|record| record.key.clone()))
            .collect()
    }

    /// The reasons why the read is incomplete; none where it is complete.
    fn reasons(&self) -> Vec<String> {
        match &self.end.as_ref().expect("the read ended").coverage {
            Coverage::Complete(_) => Vec::new(),
            Coverage::Incomplete(reasons) => reasons.clone(),
        }
    }
}

/// Reads to the end.
fn all(reading: &Reading<FakePlatform>) -> Result<All, Fault> {
    let mut all = All::default();
    loop {
        match block_on(reading.next())? {
            Progress::Step(step) => all.steps.push(step),
            Progress::End(summary) => {
                all.end = Some(summary);
                return Ok(all);
            }
        }
        assert!(all.steps.len() < 10_000, "the read never ends");
    }
}
