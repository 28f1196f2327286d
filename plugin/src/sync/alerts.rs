//! The data stream `alerts`: alerts of the configured sources, by the time of their creation.
//!
//! An incremental read asks for what the server stored since the last one, whatever creation time it bears, and then again for
//! the alerts that are held open (see [`super::recheck`]).

use super::found::Found;
use super::recheck::Recheck;
use super::sliced::{Limits, Listing, Sliced, Sorter};
use crate::api::{Client, Filter};
use crate::configure::{AlertStatus, DataStream, Settings};
use crate::contract::{Closing, Closure, Fault, Mode};
use crate::json_text::json_text;
use crate::platform::Platform;
use crate::record::{self, AlertState};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How long after it was stored an alert is surely listed, in milliseconds.
const LAG: u64 = 300_000;

pub(super) fn begin<P: Platform>(
    client: Client<P>,
    settings: &Settings,
    mode: Mode,
    from: Option<&[u8]>,
    limits: Limits,
) -> Result<Sliced<P>, Fault> {
    let listing = Listing {
        stream: DataStream::Alerts,
        filters: vec![Filter::any_of(
            "alert_source",
            settings.alert_sources.iter().map(String::as_str),
        )],
        filter_time: "creation_time",
        sort: "creation_time",
        // The same time under its name in the reply (API reference: "creation_time ... = detection_timestamp").
        record_time: "detection_timestamp",
        key: "alert_id",
        // `local_insert_ts` in the reply. The API filters by it and does not sort by it.
        new_by: "server_creation_time",
        lag: LAG,
        seen_by: "",
        sweep_hours: None,
        limits,
    };
    let scope = settings.scope(listing.stream);
    let sorter = ByStatus::new(settings);
    let recheck = (mode == Mode::Incremental).then(Recheck::default);
    Sliced::new(
        client,
        listing,
        scope,
        mode,
        Box::new(sorter),
        recheck,
        from,
    )
}

/// Sorts alerts by their status: the API has no filter for that.
pub(super) struct ByStatus {
    chosen: BTreeSet<AlertStatus>,
}

/// What becomes of an alert with a status.
pub(super) enum Verdict {
    Meant,
    /// The filter that leaves it out.
    LeftOut(&'static str),
    Resolved,
    Unknown,
}

impl ByStatus {
    pub fn new(settings: &Settings) -> ByStatus {
        ByStatus {
            chosen: settings.alert_statuses.clone(),
        }
    }

    /// Judges an alert by its status; gives the API's word for that too.
    pub fn judge(&self, fields: &Map<String, Value>) -> (Verdict, String) {
        let word = fields
            .get("resolution_status")
            .map(|status| {
                status
                    .as_str()
                    .map_or_else(|| json_text(status), str::to_owned)
            })
            .unwrap_or_default();
        let verdict = match record::alert_state(&word) {
            AlertState::Open(status) if self.chosen.contains(&status) => Verdict::Meant,
            AlertState::Open(_) => Verdict::LeftOut("alertStatuses"),
            AlertState::Resolved => Verdict::Resolved,
            AlertState::Unknown => Verdict::Unknown,
        };
        (verdict, word)
    }
}

impl<P: Platform> Sorter<P> for ByStatus {
    fn sort(&self, raw: Value, _: &mut BTreeSet<String>, found: &mut Found) {
        let record = match record::alert(raw) {
            Ok(record) => record,
            Err(quarantined) => return found.quarantine.push(*quarantined),
        };
        let (verdict, word) = self.judge(&record.fields);
        match verdict {
            Verdict::Meant => found.entry(record),
            Verdict::LeftOut(filter) => {
                found.out_of_scope(record.key, filter, word, record.seen_at)
            }
            Verdict::Resolved => found.closures.push(Closure {
                key: record.key,
                closing: Closing::Resolved,
                evidence: word,
                at: record.seen_at,
            }),
            // Neither opens nor closes: as a record in quarantine with a key it counts as seen.
            Verdict::Unknown => {
                let said = if word.is_empty() {
                    "no status".to_owned()
                } else {
                    format!("the status \"{word}\"")
                };
                found.quarantine.push(record::quarantined(
                    Some(record.key),
                    &Value::Object(record.fields),
                    "/resolution_status",
                    format!("The alert has {said}, which the connector does not know: it is neither opened nor closed."),
                ));
            }
        }
    }

    fn ended(&self, _: &Client<P>, _: &BTreeSet<String>) {}
}
