//! What a map would make of records, without saving anything.

use std::sync::Arc;

use serde_json::Value;

use crate::component::DataStream;
use crate::connection::ConnectionError;
use crate::contract::connector::{Document, DocumentKind, Entry, Lifecycle as Place, Outcome};
use crate::domain::{DataStreamName, Timestamp};
use crate::engine::{Mapper, Plugin};
use crate::imports::LogSink;
use crate::maps::{Coverage, Made, MapDocument, Tally};
use crate::model::{Model, SchemaPath};
use crate::store::placeholders::{Known, fill};
use crate::store::{
    Connection, Lifecycle, Placeholder, Record, RecordQuery, RecordState, Store, StoredMap,
};

/// Records that go to a map at once.
const PAGE: u32 = 200;

/// A record, and what the platform knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its key.
    pub key: String,
    /// When the platform first saw it.
    pub first_seen: Timestamp,
    /// When the platform last saw it.
    pub last_seen: Timestamp,
    /// When it closed, where it did.
    pub closed_at: Option<Timestamp>,
    /// new, closed or out-of-scope.
    pub state: &'static str,
    /// The record.
    pub body: Vec<u8>,
}

impl Source {
    /// A record that the platform has not seen yet: it would be new now.
    pub fn unseen(key: String, body: Vec<u8>, now: Timestamp) -> Self {
        Self {
            key,
            first_seen: now,
            last_seen: now,
            closed_at: None,
            state: "new",
            body,
        }
    }

    fn kept(record: Record) -> Self {
        Self {
            key: record.key,
            first_seen: record.first_seen,
            last_seen: record.last_seen,
            closed_at: record.closed_at,
            // Whether it changed or was reopened stands with each document, and another map makes others.
            state: match record.state {
                RecordState::Open => "new",
                RecordState::Closed => "closed",
                RecordState::OutOfScope => "out-of-scope",
            },
            body: record.body,
        }
    }
}

/// A map at work on records of one data stream, and another to hold it against.
pub struct Preview {
    mapper: Mapper,
    other: Option<Mapper>,
    /// What has been counted.
    pub tally: Tally,
    /// What the map reads and fills.
    pub coverage: Coverage,
}

/// What previews need of a connector and a tenant.
pub struct Previews<'a> {
    /// The component.
    pub plugin: &'a Arc<Plugin>,
    /// The tenant's custom fields.
    pub custom_fields: &'a [String],
    /// Where the component logs to.
    pub log: Arc<dyn LogSink>,
}

impl Previews<'_> {
    /// Prepares the maps for a data stream.
    ///
    /// # Errors
    /// Where one of them is wrong.
    pub async fn of(
        &self,
        stream: &DataStream,
        map: &StoredMap,
        other: Option<&StoredMap>,
    ) -> Result<Preview, ConnectionError> {
        let mapper = self.prepare(stream, map).await?;
        let reads = mapper.reads().await?;
        let other = match other {
            Some(other) => Some(self.prepare(stream, other).await?),
            None => None,
        };
        Ok(Preview {
            mapper,
            tally: if other.is_some() {
                Tally::against_another()
            } else {
                Tally::default()
            },
            other,
            coverage: Coverage::new(&reads, &stream.schema, targets(map)?),
        })
    }

    async fn prepare(
        &self,
        stream: &DataStream,
        map: &StoredMap,
    ) -> Result<Mapper, ConnectionError> {
        let name = DataStreamName::new(stream.name.clone());
        let stream = name.map_err(|error| ConnectionError::Contract(error.to_string()))?;
        let target = document(map)?.target().unwrap_or_default().to_owned();
        let (plugin, fields) = (self.plugin, self.custom_fields);
        super::prepare(plugin, &stream, map, &target, fields, Arc::clone(&self.log)).await
    }
}

fn document(map: &StoredMap) -> Result<MapDocument, ConnectionError> {
    MapDocument::parse(map.body.clone()).map_err(|error| ConnectionError::MapDamaged {
        name: map.name.clone(),
        reason: error.to_string(),
    })
}

/// The paths of the documents that a map makes.
fn targets(map: &StoredMap) -> Result<Vec<(&'static str, SchemaPath)>, ConnectionError> {
    let document = document(map)?;
    let model = Model::by_name(document.target().unwrap_or_default())?;
    let finding = document.body().get("finding");
    let list = finding
        .and_then(|finding| finding.get("list"))
        .and_then(Value::as_str);
    let mut targets = Vec::new();
    if document.body().get("asset").is_some() {
        // What stands in the list of findings is counted with the findings.
        let below = list.map(|list| format!("{list}."));
        let asset = model.paths("asset").into_iter().filter(|path| {
            below
                .as_ref()
                .is_none_or(|below| !path.path.starts_with(below.as_str()))
        });
        targets.extend(asset.map(|path| ("asset", path)));
    }
    if finding.is_some() {
        targets.extend(
            model
                .paths("finding")
                .into_iter()
                .map(|path| ("finding", path)),
        );
    }
    Ok(targets)
}

impl Preview {
    /// Goes through the kept records of a connection's data stream, a page at a time, at most `limit`.
    ///
    /// # Errors
    /// Where the store can't be read or the component does not come to its end.
    pub async fn kept(
        &mut self,
        store: &impl Store,
        connection: &Connection,
        stream: &DataStreamName,
        limit: Option<u64>,
    ) -> Result<(), ConnectionError> {
        let mut after = None;
        let mut left = limit.unwrap_or(u64::MAX);
        while left > 0 {
            let query = RecordQuery {
                connection: connection.id,
                stream: stream.clone(),
                key: None,
                after,
                limit: u32::try_from(left).unwrap_or(PAGE).min(PAGE),
            };
            let page = store.records(&query).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.id);
            left = left.saturating_sub(page.len() as u64);
            self.take(page.into_iter().map(Source::kept).collect())
                .await?;
        }
        Ok(())
    }

    /// Goes through some records.
    ///
    /// # Errors
    /// Where the component does not come to its end.
    pub async fn take(&mut self, records: Vec<Source>) -> Result<(), ConnectionError> {
        if records.is_empty() {
            return Ok(());
        }
        let entries: Vec<Entry> = records.iter().map(entry).collect();
        let others = match &self.other {
            Some(other) => Some(other.apply(entries.clone()).await?),
            None => None,
        };
        let outcomes = self.mapper.apply(entries).await?;
        let mut others = others.into_iter().flatten();
        for (record, outcome) in records.iter().zip(outcomes) {
            if let Ok(body) = serde_json::from_slice(&record.body) {
                self.coverage.record(&body);
            }
            let mut problems: Vec<(String, String)> = outcome
                .problems
                .iter()
                .map(|problem| (problem.pointer.clone(), problem.message.clone()))
                .collect();
            let documents = made(record, outcome, &mut problems);
            for document in &documents {
                self.coverage.document(document.kind, &document.body);
            }
            self.tally.record(&record.key, &documents, &problems);
            if let Some(other) = others.next() {
                let other = made(record, other, &mut Vec::new());
                self.tally.compare(&documents, &other);
            }
        }
        Ok(())
    }
}

fn entry(record: &Source) -> Entry {
    Entry {
        key: record.key.clone(),
        fingerprint: String::new(),
        seen_at: None,
        partial: false,
        body: record.body.clone(),
    }
}

/// The documents as the platform would show them.
fn made(record: &Source, outcome: Outcome, problems: &mut Vec<(String, String)>) -> Vec<Made> {
    let mut documents = Vec::new();
    for document in outcome.documents {
        match filled(record, &document) {
            Ok(body) => documents.push(Made {
                kind: match document.kind {
                    DocumentKind::Asset => "asset",
                    DocumentKind::Finding => "finding",
                },
                beside: Made::beside(
                    document.asset.as_deref(),
                    &document.identity,
                    &document.facets,
                ),
                key: document.key,
                body,
            }),
            Err(error) => {
                problems.push((String::new(), format!("its document isn't JSON ({error})")));
            }
        }
    }
    documents
}

/// A document's body with what only the platform knows, as it knows it of this record.
///
/// # Errors
/// Where the body is no JSON, which the contract excludes.
pub fn filled(record: &Source, document: &Document) -> Result<Value, serde_json::Error> {
    let mut body: Value = serde_json::from_slice(&document.body)?;
    let placeholders: Vec<Placeholder> = document
        .placeholders
        .iter()
        .map(|place| Placeholder {
            pointer: place.pointer.clone(),
            value: match place.value {
                Place::FirstSeen => Lifecycle::FirstSeen,
                Place::LastSeen => Lifecycle::LastSeen,
                Place::ClosedAt => Lifecycle::ClosedAt,
                Place::State => Lifecycle::State,
            },
            format: place.format.clone(),
        })
        .collect();
    let known = Known {
        first_seen: record.first_seen,
        last_seen: record.last_seen,
        closed_at: record.closed_at,
        state: record.state,
    };
    fill(&mut body, &placeholders, &known);
    Ok(body)
}
