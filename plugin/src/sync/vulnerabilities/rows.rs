//! Rows of the query, grouped by endpoint as they arrive.
//!
//! An endpoint's CVEs that are not listed any more will be closed, so a group says where it may lack some. Rows are sorted, so what is
//! wrong at one place concerns only the endpoints next to it.

use super::query::MAX_ROWS;
use crate::api::{Fault, FaultKind, RowStream, StreamRow};
use crate::contract::Quarantined;
use crate::describe::Call;
use crate::platform::Body;
use crate::record::{self, Cves};
use serde_json::{Map, Value};

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
    /// Its CVEs, which know where there may be more of them.
    pub cves: Cves,
    /// How many rows these are; none where it is only held.
    pub rows: usize,
    /// The fingerprint of what the platform holds of it, where that was asked.
    pub held: Option<String>,
}

/// What comes next.
pub(super) enum Next {
    /// An endpoint, all of its rows read.
    Group(Group),
    /// A row that belongs to no endpoint that could be read.
    Unreadable(Box<Quarantined>),
    End,
}

/// A single row.
enum Row {
    /// The row of an endpoint, and whether what stands before it could not be read.
    Of(String, Map<String, Value>, bool),
    /// What can't be read; none where an earlier run told of it.
    Unreadable(Option<Box<Quarantined>>),
    End,
}

/// The rows of a query under way.
pub(super) struct Rows<B> {
    source: Source<B>,
    /// How many there are, as the API says.
    said: Option<u64>,
    /// Endpoints up to this one were handed over by an earlier run; none once they are passed.
    skip: Option<String>,
    /// The group whose rows are being read.
    open: Option<Group>,
    /// The endpoint of the latest row.
    last: Option<String>,
    /// Whether the latest row could not be read.
    gap: bool,
    /// Whether any endpoint may lack rows.
    partial: bool,
    /// Rows so far.
    pub count: u64,
}

impl<B: Body> Rows<B> {
    /// The rows of a source after those of the endpoint `skip`. `partial`: the query said that it could not read all of the data.
    pub fn new(
        source: Source<B>,
        said: Option<u64>,
        partial: bool,
        skip: Option<String>,
    ) -> Rows<B> {
        // Of rows that are all here it is known at once that some are missing.
        let differs =
            |rows: &std::vec::IntoIter<Value>| said.is_some_and(|said| said != rows.len() as u64);
        let partial = partial || matches!(&source, Source::Inline(rows) if differs(rows));
        Rows {
            source,
            said,
            skip,
            open: None,
            last: None,
            gap: false,
            partial,
            count: 0,
        }
    }

    /// The next endpoint with its rows.
    pub async fn next(&mut self) -> Result<Next, Fault> {
        loop {
            let (id, row, gap) = match self.row().await? {
                Row::Of(id, row, gap) => (id, row, gap),
                Row::Unreadable(unreadable) => {
                    // It may have been a row of the endpoint before it, or of the one after it.
                    self.gap = true;
                    if let Some(open) = &mut self.open {
                        open.cves.doubt();
                    }
                    match unreadable {
                        Some(unreadable) => return Ok(Next::Unreadable(unreadable)),
                        None => continue,
                    }
                }
                Row::End => {
                    let cut = self.may_be_cut();
                    return Ok(match self.open.take() {
                        Some(mut group) => {
                            if cut {
                                group.cves.doubt();
                            }
                            Next::Group(group)
                        }
                        None => Next::End,
                    });
                }
            };
            let done = match &self.open {
                Some(open) if open.endpoint_id != id => self.open.take(),
                _ => None,
            };
            let open = self.open.get_or_insert_with(|| Group::new(id, &row));
            open.rows += 1;
            open.cves.add(row);
            if gap || self.partial {
                open.cves.doubt();
            }
            if let Some(done) = done {
                return Ok(Next::Group(done));
            }
        }
    }

    /// Whether the rows may have been cut off within the last endpoint: a stream that stops short between two lines looks like its end.
    fn may_be_cut(&self) -> bool {
        match (self.said, &self.source) {
            _ if self.count >= MAX_ROWS => true,
            (Some(said), _) => said != self.count,
            (None, Source::Stream(_)) => true,
            (None, Source::Inline(_)) => false,
        }
    }

    /// Whether all rows were read and nothing speaks for there being more.
    pub fn are_whole(&self) -> bool {
        !self.partial && self.count > 0 && self.said.is_some() && !self.may_be_cut()
    }

    /// The next row of an endpoint that was not handed over yet.
    async fn row(&mut self) -> Result<Row, Fault> {
        loop {
            let raw = match &mut self.source {
                Source::Inline(rows) => rows.next(),
                Source::Stream(stream) => match stream.next().await? {
                    Some(StreamRow::Row(row)) => Some(row),
                    Some(StreamRow::Unreadable(bytes, why)) => {
                        self.count += 1;
                        return Ok(self.unreadable(|| {
                            record::quarantined_bytes(
                                bytes,
                                format!("A row of the query's result is no JSON: {why}."),
                            )
                        }));
                    }
                    None => None,
                },
            };
            let Some(raw) = raw else {
                return Ok(Row::End);
            };
            self.count += 1;
            if self.count > MAX_ROWS {
                return Err(fault(format!(
                    "The query's result has more rows than the {MAX_ROWS} that were asked for."
                )));
            }
            let (id, row) = match (endpoint_id(&raw), raw) {
                (Some(id), Value::Object(row)) => (id, row),
                (_, raw) => {
                    return Ok(self.unreadable(|| {
                        record::quarantined(
                            None,
                            &raw,
                            "/endpoint_id",
                            "A row of the query's result names no endpoint.",
                        )
                    }));
                }
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
            let gap = std::mem::take(&mut self.gap);
            if self.skip.as_ref().is_none_or(|skip| id > *skip) {
                self.skip = None;
                return Ok(Row::Of(id, row, gap));
            }
        }
    }

    /// What can't be read, unless it was handed over with the endpoints before it.
    fn unreadable(&self, why: impl FnOnce() -> Quarantined) -> Row {
        Row::Unreadable(self.skip.is_none().then(|| Box::new(why())))
    }
}

impl Group {
    /// An endpoint that is held and has no rows.
    pub fn absent(endpoint_id: String) -> Group {
        let mut group = Group::new(endpoint_id, &Map::new());
        group.cves.doubt();
        group
    }

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
            rows: 0,
            held: None,
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
