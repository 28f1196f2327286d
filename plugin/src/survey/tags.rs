//! Endpoints without a tag. The API has no filter for tags, so endpoints are read, a bounded number of them.

use super::ask::Asker;
use super::spot::{Count, EXAMPLES, Unknown, counted, example, grouped};
use crate::api::{Filter, PAGE_RECORDS};
use crate::configure::Settings;
use crate::contract::BlindSpot;
use crate::platform::Platform;
use crate::record;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// At most so many requests: 2,000 endpoints.
const MOST_PAGES: u32 = 20;

const UNTAGGED: &str = "untagged endpoints";
const UNWANTED: &str = "endpoints without a wanted tag";

/// What was read so far.
#[derive(Default)]
struct Read {
    keys: BTreeSet<String>,
    /// Whether any record says anything of tags: older replies don't.
    tells_tags: bool,
    untagged: Bare,
    unwanted: Bare,
    /// Why not all were read.
    cut: Option<String>,
}

/// Endpoints that lack something.
#[derive(Default)]
struct Bare {
    number: u64,
    examples: Vec<String>,
}

impl Bare {
    fn add(&mut self, record: &Value) {
        self.number += 1;
        if self.examples.len() < EXAMPLES {
            self.examples
                .extend(example(record, &["endpoint_name", "endpoint_id"]));
        }
    }

    fn spot(self, name: &str, read: &str, cut: bool, remedy: &str) -> BlindSpot {
        let count = Count {
            number: self.number,
            or_more: cut,
        };
        BlindSpot {
            examples: self.examples,
            ..counted(name, count, read.to_owned(), remedy)
        }
    }
}

/// Counts the endpoints that bear no tag at all and, where tags are configured, those that bear none of them.
pub async fn find<P: Platform>(
    asker: &mut Asker<P>,
    settings: &Settings,
    spots: &mut Vec<BlindSpot>,
) {
    let read = match read(asker, settings).await {
        Ok(read) if read.tells_tags || read.keys.is_empty() => read,
        Ok(read) => {
            let unknown = Unknown {
                detail: format!(
                    "None of the {} endpoints that were read says anything about tags.",
                    grouped(read.keys.len() as u64)
                ),
                remedy: "Tenants of older versions do not tell tags by this call; look at them in the console.".to_owned(),
            };
            return give_up(unknown, settings, spots);
        }
        Err(unknown) => return give_up(unknown, settings, spots),
    };
    let number = grouped(read.keys.len() as u64);
    let (cut, said) = match &read.cut {
        Some(why) => (true, format!("Of the {number} first seen. {why}")),
        None => (
            false,
            format!("Of all {number} endpoints in the chosen states."),
        ),
    };
    spots.push(read.untagged.spot(
        UNTAGGED,
        &said,
        cut,
        "Tag them in the console: what has no tag is in no group that is chosen by one.",
    ));
    if !settings.tags.is_empty() {
        spots.push(read.unwanted.spot(
            UNWANTED,
            &said,
            cut,
            "Give them one of the configured tags, or add theirs to tags; tags are compared exactly, capitals included.",
        ));
    }
}

fn give_up(unknown: Unknown, settings: &Settings, spots: &mut Vec<BlindSpot>) {
    spots.push(unknown.clone().of(UNTAGGED));
    if !settings.tags.is_empty() {
        spots.push(unknown.of(UNWANTED));
    }
}

async fn read<P: Platform>(asker: &mut Asker<P>, settings: &Settings) -> Result<Read, Unknown> {
    let mut read = Read::default();
    for page in 0..MOST_PAGES {
        let filters = vec![Filter::any_of(
            "endpoint_status",
            settings.endpoint_statuses.iter().map(String::as_str),
        )];
        // first_seen never changes, so that what happens meanwhile shifts no page.
        let answer = asker
            .endpoints(filters, "first_seen", page * PAGE_RECORDS)
            .await;
        let page = match answer {
            Ok(page) => page,
            Err(unknown) if read.keys.is_empty() => return Err(unknown),
            Err(unknown) => {
                read.cut = Some(unknown.detail);
                return Ok(read);
            }
        };
        let whole = page.records.len() >= PAGE_RECORDS as usize;
        let before = read.keys.len();
        for raw in page.records {
            look(raw, settings, &mut read);
        }
        if !whole {
            return Ok(read);
        }
        if read.keys.len() == before {
            read.cut = Some("The API gave the same page again.".to_owned());
            return Ok(read);
        }
    }
    read.cut = Some(format!(
        "The API has no filter for tags, so no more than {} are read.",
        grouped(u64::from(MOST_PAGES * PAGE_RECORDS))
    ));
    Ok(read)
}

fn look(raw: Value, settings: &Settings, read: &mut Read) {
    let told = |name| raw.get(name).is_some_and(|tags| !tags.is_null());
    read.tells_tags |= told("tags") || told("endpointTags");
    // What can't be read is in quarantine, and counted there.
    let Ok(record) = record::endpoint(raw) else {
        return;
    };
    if !read.keys.insert(record.key) {
        return;
    }
    let untagged = !bears_any(&record.fields);
    let unwanted = record::has_tag(&record.fields, &settings.tags)
        .next()
        .is_none();
    let record = Value::Object(record.fields);
    if untagged {
        read.untagged.add(&record);
    }
    if unwanted {
        read.unwanted.add(&record);
    }
}

/// Whether an endpoint's record, in its documented shape, has a server or endpoint tag. Tags of a shape that nobody documents are tags.
fn bears_any(fields: &Map<String, Value>) -> bool {
    match fields.get("tags") {
        Some(Value::Object(kinds)) => kinds
            .values()
            .any(|kind| kind.as_array().is_none_or(|tags| !tags.is_empty())),
        other => other.is_some(),
    }
}
