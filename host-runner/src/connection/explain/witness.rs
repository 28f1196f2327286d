//! The records that a document comes from, mapped again.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::ExplainError;
use super::absent::absent;
use crate::connection::{ConnectionError, Desk, maps};
use crate::contract::connector::{Document, DocumentKind as WitKind, Trace};
use crate::domain::{ConnectionId, DataStreamName, Timestamp};
use crate::engine::Mapper;
use crate::model::Model;
use crate::pipeline::{Part, differences, kept_entry, making};
use crate::store::sqlite::SqliteStore;
use crate::store::{Connection, DocumentKind, Feeder, Store};

/// A record that a document comes from.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The connection's name; none where it was removed and its data kept.
    pub connection: Option<String>,
    /// The data stream.
    pub stream: DataStreamName,
    /// The record's key.
    pub record: String,
    /// Whether it still feeds the document: it is open.
    pub live: bool,
    /// When the platform last saw it.
    pub last_seen: Timestamp,
    /// The map that is used now, with its version.
    pub map: Option<String>,
    /// What is to be known of what it says: that its documents were made with another map, say.
    pub notes: Vec<String>,
}

/// What a record gives for the document now, and where each value of it comes from.
pub(super) struct Testimony {
    pub(super) body: Value,
    pub(super) document: Document,
    pub(super) trace: Option<Trace>,
    /// The record.
    pub(super) record: Value,
    /// The map.
    pub(super) map: Value,
}

/// What explaining needs of a tenant.
pub(super) struct Bench<'a> {
    desk: &'a Desk,
    connections: Vec<Connection>,
    custom_fields: Vec<String>,
    mappers: HashMap<(ConnectionId, DataStreamName), Result<Mapper, String>>,
}

impl<'a> Bench<'a> {
    pub(super) async fn new(desk: &'a Desk, store: &SqliteStore) -> Result<Self, ExplainError> {
        Ok(Self {
            desk,
            connections: store.connections().await?,
            custom_fields: store.custom_fields().await?,
            mappers: HashMap::new(),
        })
    }

    /// What the records say now of a document that is held, each in the place of its witness; none where nothing can be made of one.
    pub(super) async fn hear(
        &mut self,
        kind: DocumentKind,
        held: &Value,
        feeders: Vec<Feeder>,
    ) -> Result<(Vec<Witness>, Vec<Option<Testimony>>), ExplainError> {
        let mut heard = (Vec::new(), Vec::new());
        for feeder in feeders {
            let (witness, testimony) = self.one(kind, held, feeder).await?;
            heard.0.push(witness);
            heard.1.push(testimony);
        }
        Ok(heard)
    }

    async fn one(
        &mut self,
        kind: DocumentKind,
        held: &Value,
        feeder: Feeder,
    ) -> Result<(Witness, Option<Testimony>), ExplainError> {
        let record = &feeder.kept.record;
        let stream = &feeder.kept.stream;
        let mut witness = Witness {
            connection: None,
            stream: stream.clone(),
            record: record.key.clone(),
            live: feeder.live,
            last_seen: record.last_seen,
            map: None,
            notes: Vec::new(),
        };
        let connection = self
            .connections
            .iter()
            .find(|connection| connection.id == feeder.connection)
            .cloned();
        let Some(connection) = connection else {
            witness
                .notes
                .push("its connection was removed, and its map with it".to_owned());
            return Ok((witness, None));
        };
        witness.connection = Some(connection.name.to_string());
        let Some(map) = connection.maps.get(stream) else {
            witness
                .notes
                .push("its data stream is not chosen any more, so it has no map".to_owned());
            return Ok((witness, None));
        };
        witness.map = Some(match &map.version {
            Some(version) => format!("{} {version}", map.name),
            None => map.name.clone(),
        });
        let switches = Model::by_name(&connection.target)
            .map_err(ConnectionError::from)?
            .switches(&connection.policy);
        let now = making(
            map,
            &connection.component.sha256,
            switches,
            &self.custom_fields,
            connection.leave_out_users,
        );
        witness
            .notes
            .extend(made_otherwise(feeder.kept.made_with.as_deref(), &now));
        if connection.component.name != self.desk.plugin.manifest().name {
            witness.notes.push(format!(
                "it came by the connector `{}`, and the one that is loaded is `{}`: give its file with --plugin",
                connection.component.name,
                self.desk.plugin.manifest().name
            ));
            return Ok((witness, None));
        }
        if connection.component.sha256 != self.desk.plugin.sha256() {
            witness.notes.push(
                "another build of the connector explains it than the one that its connection is bound to"
                    .to_owned(),
            );
        }
        let id = (connection.id, stream.clone());
        if !self.mappers.contains_key(&id) {
            let prepared = maps::prepare(
                &self.desk.plugin,
                stream,
                map,
                &connection.target,
                &self.custom_fields,
                Arc::new(crate::imports::Silent),
            )
            .await;
            let mapper = match prepared {
                Ok(mapper) => Ok(mapper),
                Err(ConnectionError::Map { .. }) => Err(format!(
                    "this build of the connector does not take the map `{}`",
                    map.name
                )),
                Err(error) => return Err(error.into()),
            };
            self.mappers.insert(id.clone(), mapper);
        }
        let mapper = match self.mappers.get(&id) {
            Some(Ok(mapper)) => mapper,
            Some(Err(note)) => {
                witness.notes.push(note.clone());
                return Ok((witness, None));
            }
            None => return Ok((witness, None)),
        };
        let outcomes = mapper.apply(vec![kept_entry(record)]).await;
        let outcomes = outcomes.map_err(ConnectionError::from)?;
        let traces = mapper.explain(kept_entry(record)).await;
        let traces = traces.map_err(ConnectionError::from)?.unwrap_or_default();
        let documents = outcomes
            .into_iter()
            .next()
            .map(|outcome| outcome.documents)
            .unwrap_or_default();
        if documents.is_empty() {
            witness
                .notes
                .push("the map rejects the record as it is kept: see `quarantine`".to_owned());
        }
        let found = documents.into_iter().enumerate().find(|(_, document)| {
            let is_asset = matches!(document.kind, WitKind::Asset);
            document.key == feeder.key && is_asset == (kind == DocumentKind::Asset)
        });
        let testimony = || {
            let (map, record) = (
                serde_json::from_str(&map.body).ok()?,
                serde_json::from_slice(&record.body).ok()?,
            );
            let Some((at, document)) = found else {
                let kind = match kind {
                    DocumentKind::Asset => WitKind::Asset,
                    DocumentKind::Finding => WitKind::Finding,
                };
                return Some(absent(kind, map, record, held));
            };
            Some(Testimony {
                body: serde_json::from_slice(&document.body).ok()?,
                trace: traces.into_iter().nth(at),
                document,
                record,
                map,
            })
        };
        Ok((witness, testimony()))
    }
}

/// A note where the record's documents were made with something else than they would be now.
fn made_otherwise(before: Option<&str>, now: &str) -> Option<String> {
    let Some(before) = before else {
        return Some("its documents are made anew by the next sync".to_owned());
    };
    let parts: Vec<&str> = differences(before, now)
        .into_iter()
        .map(Part::as_str)
        .collect();
    let last = parts.last()?;
    let told = match parts.as_slice() {
        [_] => (*last).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => return None,
    };
    Some(format!(
        "what is held of it was made before {told} changed: what is told here is how it would be made now"
    ))
}
