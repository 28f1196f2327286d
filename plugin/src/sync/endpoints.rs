//! The data stream `endpoints`: all endpoints of the configured statuses, by the time that they were first seen.

use super::found::Found;
use super::sliced::{Limits, Listing, Sliced, Sorter};
use crate::api::{Client, Filter};
use crate::configure::{DataStream, Settings};
use crate::contract::log::Level;
use crate::contract::{Fault, Mode};
use crate::platform::Platform;
use crate::record::{self, Tags};
use serde_json::Value;
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
        filters: vec![Filter::any_of(
            "endpoint_status",
            settings.endpoint_statuses.iter().map(String::as_str),
        )],
        filter_time: TIME,
        sort: TIME,
        record_time: TIME,
        key: "endpoint_id",
        limits,
    };
    let scope = settings.scope(listing.stream);
    let sorter = ByTags {
        wanted: settings.tags.clone(),
    };
    Sliced::new(client, listing, scope, mode, Box::new(sorter), from)
}

/// Sorts endpoints by whether they bear one of the configured tags: the API has no filter for that.
struct ByTags {
    wanted: Tags,
}

impl<P: Platform> Sorter<P> for ByTags {
    fn sort(&self, raw: Value, seen: &mut BTreeSet<String>, found: &mut Found) {
        match record::endpoint(raw) {
            Err(quarantined) => found.quarantine.push(*quarantined),
            Ok(record) if self.wanted.is_empty() => found.entry(record),
            Ok(record) => {
                let borne: Vec<String> = record::has_tag(&record.fields, &self.wanted)
                    .map(str::to_owned)
                    .collect();
                if borne.is_empty() {
                    let tags = record
                        .fields
                        .get("tags")
                        .map(Value::to_string)
                        .unwrap_or_default();
                    found.out_of_scope(record.key, "tags", tags, record.seen_at);
                } else {
                    seen.extend(borne);
                    found.entry(record);
                }
            }
        }
    }

    fn ended(&self, client: &Client<P>, seen: &BTreeSet<String>) {
        for tag in self.wanted.difference(seen) {
            client.platform().log(
                Level::Warn,
                "No endpoint bears this tag; tags are compared exactly, capitals included.",
                &[("tag", tag.clone())],
            );
        }
    }
}
