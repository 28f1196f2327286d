//! A batch of endpoints with their CVEs, completed with the endpoints' own records.

use super::rows::{Batch, Group};
use crate::api::{Client, Fault, Filter, Page, PageRequest};
use crate::configure::Settings;
use crate::platform::Platform;
use crate::record::{self, Record, Tags};
use crate::sync::found::Found;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The values of the endpoints' status filter. A status beyond them (VDI pending log-on and the like) is no reason to leave an endpoint out.
const STATUSES: [&str; 4] = ["connected", "disconnected", "lost", "uninstalled"];

/// Which endpoints are meant.
pub(super) struct Scope {
    pub tags: Tags,
    pub statuses: BTreeSet<String>,
}

impl Scope {
    pub fn new(settings: &Settings) -> Scope {
        Scope {
            tags: settings.tags.clone(),
            statuses: settings.endpoint_statuses.clone(),
        }
    }
}

/// The endpoints of a batch as `get_endpoint` knows them.
pub(super) async fn looked_up<P: Platform>(
    client: Client<P>,
    ids: Vec<String>,
) -> Result<Page, Fault> {
    let request = PageRequest {
        to: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        filters: vec![Filter::any_of("endpoint_id_list", ids)],
        sort: None,
        from: 0,
    };
    Ok(client.endpoints(&request).await?.value)
}

/// What became of a batch.
pub(super) struct Completed {
    pub found: Found,
    /// Endpoints that have rows and that `get_endpoint` does not know.
    pub unknown: Vec<String>,
    /// The last endpoint of the batch.
    pub last: Option<String>,
    /// Tags of the configuration that were seen.
    pub tags: BTreeSet<String>,
}

/// Puts endpoints and CVEs together, and sorts out what is not meant.
pub(super) fn completed(batch: Batch, page: Page, scope: &Scope) -> Completed {
    let mut endpoints: BTreeMap<String, Value> = BTreeMap::new();
    for endpoint in page.records {
        let Some(id) = endpoint.get("endpoint_id") else {
            continue;
        };
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        endpoints.insert(id, endpoint);
    }
    let mut done = Completed {
        found: Found {
            quarantine: batch.quarantine,
            ..Found::default()
        },
        unknown: Vec::new(),
        last: batch.groups.last().map(|group| group.endpoint_id.clone()),
        tags: BTreeSet::new(),
    };
    for group in batch.groups {
        let Group {
            endpoint_id,
            columns,
            cves,
        } = group;
        let endpoint = endpoints.remove(&endpoint_id).unwrap_or_else(|| {
            done.unknown.push(endpoint_id);
            Value::Object(columns)
        });
        match record::vulnerability(endpoint, &cves) {
            Err(quarantined) => done.found.quarantine.push(*quarantined),
            Ok(record) => sort(record, scope, &mut done),
        }
    }
    done
}

fn sort(record: Record, scope: &Scope, done: &mut Completed) {
    let status = record
        .fields
        .get("endpoint_status")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let word = status.to_ascii_lowercase();
    if STATUSES.contains(&word.as_str()) && !scope.statuses.contains(&word) {
        let evidence = status.to_owned();
        return done
            .found
            .out_of_scope(record.key, "endpointStatuses", evidence, record.seen_at);
    }
    if scope.tags.is_empty() {
        return done.found.entry(record);
    }
    let borne: Vec<String> = record::has_tag(&record.fields, &scope.tags)
        .map(str::to_owned)
        .collect();
    if borne.is_empty() {
        let tags = record
            .fields
            .get("tags")
            .map(Value::to_string)
            .unwrap_or_default();
        done.found
            .out_of_scope(record.key, "tags", tags, record.seen_at);
    } else {
        done.tags.extend(borne);
        done.found.entry(record);
    }
}
