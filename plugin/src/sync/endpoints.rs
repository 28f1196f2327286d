//! The data stream `endpoints`: all endpoints, by the time that they were first seen.
//!
//! The API could filter by status, and is not asked to: an endpoint that is uninstalled would then look as if it were gone. All are
//! read, and those of a status that is not chosen are told apart as out of scope, as those without a chosen tag are.

use super::found::Found;
use super::sliced::{Limits, Listing, Sliced, Sorter};
use crate::api::Client;
use crate::configure::{DataStream, Settings};
use crate::contract::log::Level;
use crate::contract::{Fault, Mode};
use crate::platform::Platform;
use crate::record::{self, Tags};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// `first_seen` never changes, so that what happens during the read shifts no page.
const TIME: &str = "first_seen";

pub(super) fn begin<P: Platform>(
    client: Client<P>,
    settings: &Settings,
    mode: Mode,
    from: Option<&[u8]>,
    limits: Limits,
) -> Result<Sliced<P>, Fault> {
    let listing = Listing {
        stream: DataStream::Endpoints,
        filters: Vec::new(),
        filter_time: TIME,
        sort: TIME,
        record_time: TIME,
        key: "endpoint_id",
        new_by: TIME,
        lag: 0,
        seen_by: "last_seen",
        sweep_hours: Some(settings.endpoint_sweep_hours),
        limits,
    };
    let scope = settings.scope(listing.stream);
    let sorter = ByStatusAndTags::new(settings);
    Sliced::new(client, listing, scope, mode, Box::new(sorter), None, from)
}

/// Sorts endpoints by their status, and by whether they bear one of the configured tags: the API has no filter for those.
pub(super) struct ByStatusAndTags {
    statuses: BTreeSet<String>,
    tags: Tags,
}

impl ByStatusAndTags {
    pub fn new(settings: &Settings) -> ByStatusAndTags {
        ByStatusAndTags {
            statuses: settings.endpoint_statuses.clone(),
            tags: settings.tags.clone(),
        }
    }

    /// The filter that leaves an endpoint out, and the API's word for it; none where it is in scope. Notes which of the tags it bears.
    pub fn left_out(
        &self,
        fields: &Map<String, Value>,
        seen: &mut BTreeSet<String>,
    ) -> Option<(&'static str, String)> {
        let mut tagged = self.tags.is_empty();
        for tag in record::has_tag(fields, &self.tags) {
            tagged = true;
            if !seen.contains(tag) {
                seen.insert(tag.to_owned());
            }
        }
        if let Some(status) = self.other_status(fields) {
            Some(("endpointStatuses", status.to_owned()))
        } else if !tagged {
            Some(("tags", record::tags_text(fields)))
        } else {
            None
        }
    }

    /// The status of an endpoint that is of none of the chosen ones. One that the API does not tell, or not as a text, leaves it in
    /// scope: what is not known narrows nothing.
    fn other_status<'a>(&self, fields: &'a Map<String, Value>) -> Option<&'a str> {
        let status = fields.get("endpoint_status")?.as_str()?.trim();
        let chosen = status.is_empty()
            || self
                .statuses
                .iter()
                .any(|chosen| chosen.eq_ignore_ascii_case(status));
        (!chosen).then_some(status)
    }
}

impl<P: Platform> Sorter<P> for ByStatusAndTags {
    fn sort(&self, raw: Value, seen: &mut BTreeSet<String>, found: &mut Found) {
        let record = match record::endpoint(raw) {
            Ok(record) => record,
            Err(quarantined) => return found.quarantine.push(*quarantined),
        };
        match self.left_out(&record.fields, seen) {
            Some((filter, word)) => found.out_of_scope(record.key, filter, word, record.seen_at),
            None => found.entry(record),
        }
    }

    fn ended(&self, client: &Client<P>, seen: &BTreeSet<String>) {
        for tag in self.tags.difference(seen) {
            client.platform().log(
                Level::Warn,
                "No endpoint bears this tag; tags are compared exactly, capitals included.",
                &[("tag", tag.clone())],
            );
        }
    }
}
