//! A batch of endpoints with their CVEs, completed with the endpoints' own records.

use super::batch::Batch;
use crate::api::{Client, Fault, Filter, PAGE_RECORDS, PageRequest};
use crate::configure::Settings;
use crate::platform::Platform;
use crate::record::{self, Record, Tags};
use crate::sync::found::Found;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The values of the endpoints' status filter. A status beyond them (VDI pending log-on and the like) is no reason to leave an endpoint out.
const STATUSES: [&str; 4] = ["connected", "disconnected", "lost", "uninstalled"];

/// Which endpoints are meant.
pub(in crate::sync) struct Scope {
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

    /// The filter that leaves an endpoint out, and the API's word for it; none where it is meant. Notes which of the tags it bears.
    pub fn left_out(
        &self,
        fields: &Map<String, Value>,
        seen: &mut BTreeSet<String>,
    ) -> Option<(&'static str, String)> {
        let status = fields
            .get("endpoint_status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let word = status.to_ascii_lowercase();
        if STATUSES.contains(&word.as_str()) && !self.statuses.contains(&word) {
            return Some(("endpointStatuses", status.to_owned()));
        }
        let mut tagged = self.tags.is_empty();
        for tag in record::has_tag(fields, &self.tags) {
            tagged = true;
            seen.insert(tag.to_owned());
        }
        (!tagged).then(|| ("tags", record::tags_text(fields)))
    }
}

/// The endpoints of a batch as `get_endpoint` knows them.
#[derive(Default)]
pub(super) struct LookedUp {
    /// By id.
    endpoints: BTreeMap<String, Value>,
    /// Whether nothing can be concluded from an endpoint's not being among them.
    pub doubtful: bool,
}

impl LookedUp {
    /// The id of any of them.
    pub fn any(&self) -> Option<&str> {
        self.endpoints.keys().next().map(String::as_str)
    }
}

/// Looks endpoints up, at most a hundred.
///
/// Whether an endpoint is missing in a reply because it is gone, or because the list was lost or cut on the way, looks the same. So what is missing
/// is asked for again, along with an endpoint that is known to be there (one of the first reply, or else `canary`): only a reply that has
/// that one, and as many as it speaks of, tells something about those that it lacks.
pub(super) async fn looked_up<P: Platform>(
    client: Client<P>,
    ids: Vec<String>,
    canary: Option<String>,
) -> Result<LookedUp, Fault> {
    let mut found = LookedUp::default();
    if ids.is_empty() {
        return Ok(found);
    }
    found.ask(&client, &ids).await?;
    let mut missing: Vec<String> = found.missing(ids).collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let mut again = LookedUp::default();
    let witness = found.any().map(str::to_owned).or(canary);
    if missing.len() < PAGE_RECORDS as usize {
        missing.extend(witness.filter(|witness| !missing.contains(witness)));
    }
    let all = again.ask(&client, &missing).await?;
    let proves = all && missing.iter().any(|id| again.endpoints.contains_key(id));
    found.endpoints.append(&mut again.endpoints);
    found.doubtful = !proves && found.missing(missing).next().is_some();
    Ok(found)
}

impl LookedUp {
    /// Those of these that are not among them.
    fn missing(&self, ids: Vec<String>) -> impl Iterator<Item = String> {
        ids.into_iter()
            .filter(|id| !self.endpoints.contains_key(id))
    }

    /// Adds what `get_endpoint` gives; false where the reply speaks of another number than it has.
    async fn ask<P: Platform>(
        &mut self,
        client: &Client<P>,
        ids: &[String],
    ) -> Result<bool, Fault> {
        let request = PageRequest {
            to: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            filters: vec![Filter::any_of("endpoint_id_list", ids.to_vec())],
            sort: None,
            from: 0,
        };
        let page = client.endpoints(&request).await?.value;
        let all = page
            .total
            .is_none_or(|total| total == page.records.len() as u64);
        for endpoint in page.records {
            let id = match endpoint.get("endpoint_id") {
                Some(Value::String(id)) => id.clone(),
                Some(id) => id.to_string(),
                None => continue,
            };
            self.endpoints.insert(id, endpoint);
        }
        Ok(all)
    }
}

/// What became of a batch.
pub(super) struct Completed {
    pub found: Found,
    /// Endpoints that are left out without a key, because nothing tells whether they bear a tag of the configuration.
    pub untold: u64,
    /// Endpoints that have rows and that `get_endpoint` does not know.
    pub unknown: Vec<String>,
    /// Tags of the configuration that were seen.
    pub tags: BTreeSet<String>,
}

/// Puts endpoints and CVEs together, and sorts out what is not meant.
pub(super) fn completed(batch: Batch, mut known: LookedUp, scope: &Scope) -> Completed {
    let mut done = Completed {
        found: Found {
            quarantine: batch.quarantine,
            confirmed: batch.confirmed,
            ..Found::default()
        },
        untold: 0,
        unknown: Vec::new(),
        tags: BTreeSet::new(),
    };
    for group in batch.groups {
        let as_held = group.is_as_held();
        let endpoint = known.endpoints.remove(&group.endpoint_id);
        let record = match endpoint {
            Some(endpoint) => record::vulnerability(endpoint, &group.cves),
            // Neither the datasets nor get_endpoint have it.
            None if group.rows == 0 => continue,
            None => {
                done.unknown.push(group.endpoint_id.clone());
                if as_held {
                    // What is held may say more of the endpoint than the rows do.
                    done.found.confirmed.push(group.endpoint_id);
                    continue;
                }
                if !scope.tags.is_empty() {
                    done.untold += 1;
                    continue;
                }
                record::vulnerability_of_rows(group.columns, &group.cves)
            }
        };
        let held = group.held.filter(|_| as_held);
        match record {
            Err(quarantined) => done.found.quarantine.push(*quarantined),
            Ok(record) => sort(record, held.as_deref(), scope, &mut done),
        }
    }
    done
}

/// `held`: the fingerprint of what is held, where its CVEs are the same.
fn sort(record: Record, held: Option<&str>, scope: &Scope, done: &mut Completed) {
    if let Some((filter, evidence)) = scope.left_out(&record.fields, &mut done.tags) {
        return done
            .found
            .out_of_scope(record.key, filter, evidence, record.seen_at);
    }
    if held.is_some_and(|held| record::own_half(held) == record::own_half(&record.fingerprint)) {
        done.found.confirmed.push(record.key);
    } else {
        done.found.entry(record);
    }
}
