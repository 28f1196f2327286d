//! Rows of the query, grouped by endpoint as they arrive.

use super::query::MAX_ROWS;
use crate::api::{Fault, FaultKind, RowStream, StreamRow};
use crate::contract::Quarantined;
use crate::describe::Call;
use crate::platform::Body;
use crate::record::{self, Cves};
use serde_json::{Map, Value};

/// How many endpoints are looked up at once: as many as a page of `get_endpoint` holds.
const BATCH_ENDPOINTS: usize = 100;

/// How many rows a batch may hold before it is handed over with fewer endpoints: its memory must not depend on how many CVEs
/// an endpoint has. A row takes some 600 bytes.
const BATCH_ROWS: usize = 5_000;

/// Where rows come from.
pub(super) enum Source<B> {
    /// A reply that held all of them.
    Inline(std::vec::IntoIter<Value>),
    /// A stream.
    Stream(Box<RowStream<B>>),
}

/// An endpoint with the rows of its CVEs.
pub(super) struct Group {
    pub endpoint_id: String,
    /// What the rows themselves say of the endpoint.
    pub columns: Map<String, Value>,
    pub cves: Cves,
}

/// Endpoints to be looked up and handed over together.
#[derive(Default)]
pub(super) struct Batch {
    pub groups: Vec<Group>,
    /// Rows that belong to no endpoint.
    pub quarantine: Vec<Quarantined>,
}

/// The rows of a query under way.
pub(super) struct Rows<B> {
    source: Source<B>,
    /// Endpoints up to this one were handed over by an earlier run.
    skip: Option<String>,
    /// The first row of the next group.
    ahead: Option<(String, Map<String, Value>)>,
    /// The endpoint of the latest row.
    last: Option<String>,
    /// Rows so far.
    pub count: u64,
    pub ended: bool,
}

impl<B: Body> Rows<B> {
    pub fn new(source: Source<B>, skip: Option<String>) -> Rows<B> {
        Rows {
            source,
            skip,
            ahead: None,
            last: None,
            count: 0,
            ended: false,
        }
    }

    /// The next batch; none at the end.
    pub async fn batch(&mut self) -> Result<Option<Batch>, Fault> {
        let mut batch = Batch::default();
        let mut rows = 0;
        let mut group: Option<Group> = None;
        loop {
            let Some((id, row)) = self.row(&mut batch).await? else {
                batch.groups.extend(group);
                let something = !batch.groups.is_empty() || !batch.quarantine.is_empty();
                return Ok(something.then_some(batch));
            };
            let same = group.as_ref().is_some_and(|group| group.endpoint_id == id);
            if !same {
                batch.groups.extend(group.take());
                if batch.groups.len() >= BATCH_ENDPOINTS || rows >= BATCH_ROWS {
                    self.ahead = Some((id, row));
                    return Ok(Some(batch));
                }
            }
            rows += 1;
            let group = group.get_or_insert_with(|| Group::new(id, &row));
            group.cves.add(row);
        }
    }

    /// The next row of an endpoint that was not handed over yet.
    async fn row(
        &mut self,
        batch: &mut Batch,
    ) -> Result<Option<(String, Map<String, Value>)>, Fault> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        loop {
            let raw = match &mut self.source {
                Source::Inline(rows) => rows.next(),
                Source::Stream(stream) => match stream.next().await? {
                    Some(StreamRow::Row(row)) => Some(row),
                    Some(StreamRow::Unreadable(bytes, why)) => {
                        self.count += 1;
                        batch.quarantine.push(record::quarantined_bytes(
                            bytes,
                            format!("A row of the query's result is no JSON: {why}."),
                        ));
                        continue;
                    }
                    None => None,
                },
            };
            let Some(raw) = raw else {
                self.ended = true;
                return Ok(None);
            };
            self.count += 1;
            if self.count > MAX_ROWS {
                return Err(fault(format!(
                    "The query's result has more rows than the {MAX_ROWS} that were asked for."
                )));
            }
            let Some(id) = endpoint_id(&raw) else {
                batch.quarantine.push(record::quarantined(
                    None,
                    &raw,
                    "/endpoint_id",
                    "A row of the query's result names no endpoint.",
                ));
                continue;
            };
            let Value::Object(row) = raw else {
                continue;
            };
            if let Some(last) = &self.last
                && *last > id
            {
                return Err(fault(format!(
                    "The query's rows are not in the order that was asked for: the endpoint \"{id}\" comes after \"{last}\". An endpoint's CVEs can't \
                     be put together from them."
                )));
            }
            if self.last.as_ref() != Some(&id) {
                self.last = Some(id.clone());
            }
            if self.skip.as_ref().is_none_or(|skip| id > *skip) {
                return Ok(Some((id, row)));
            }
        }
    }
}

impl Group {
    fn new(endpoint_id: String, row: &Map<String, Value>) -> Group {
        let mut columns = Map::new();
        columns.insert("endpoint_id".into(), endpoint_id.clone().into());
        if let Some(name) = row.get("endpoint_name").filter(|name| !name.is_null()) {
            columns.insert("endpoint_name".into(), name.clone());
        }
        Group {
            endpoint_id,
            columns,
            cves: Cves::default(),
        }
    }
}

fn endpoint_id(row: &Value) -> Option<String> {
    match row.get("endpoint_id")? {
        Value::String(id) if !id.trim().is_empty() => Some(id.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn fault(message: String) -> Fault {
    Fault::new(
        Call::GetXqlResultsStream,
        Some(200),
        FaultKind::WrongShape,
        message,
        "Start the sync again; if it stays, report it with the tenant's product version.",
    )
}
