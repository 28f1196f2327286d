//! What another configuration would do with records that are held: they are sorted as a full read would sort them, and nothing is read.

use super::alerts::{ByStatus, Verdict};
use super::endpoints::ByStatusAndTags;
use super::vulnerabilities::Scope;
use super::{settings, stream};
use crate::configure::{DataStream, Settings};
use crate::contract::{Entry, Fault, Sifted, Sifting};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Sorts records that were read under one configuration by another one: the contract's `sift`.
///
/// No configuration changes a record, so none is told to change. What can't be read is kept by a read, and stays. Where a data stream is
/// not chosen any more it is not read: what is held of it stays as it is, and nothing is added.
pub fn sift(
    before: &[u8],
    after: &[u8],
    data_stream: &str,
    entries: &[Entry],
) -> Result<Sifting, Fault> {
    let (before, after) = (settings(before)?, settings(after)?);
    let stream = stream(data_stream)?;
    if !after.data_streams.contains(&stream) {
        return Ok(Sifting {
            entries: entries.iter().map(|_| Sifted::Stays).collect(),
            may_add: false,
        });
    }
    let sieve = Sieve::new(stream, &before, &after);
    let mut may_add = !narrows(stream, &before, &after);
    let mut sifted = Vec::with_capacity(entries.len());
    for entry in entries {
        let found = match serde_json::from_slice(&entry.body) {
            Ok(Value::Object(fields)) => sieve.sort(&fields),
            _ => Found::Stays,
        };
        sifted.push(match found {
            Found::Leaves(filter) => Sifted::Leaves(filter.to_owned()),
            Found::Stays => Sifted::Stays,
            Found::Unclear => {
                may_add = true;
                Sifted::Stays
            }
        });
    }
    Ok(Sifting {
        entries: sifted,
        may_add,
    })
}

/// What is found of a record.
enum Found {
    Stays,
    Leaves(&'static str),
    /// Nothing in it tells.
    Unclear,
}

/// The sorting of a data stream.
enum Sieve<'s> {
    Endpoints(ByStatusAndTags),
    Alerts {
        sources: (&'s BTreeSet<String>, &'s BTreeSet<String>),
        statuses: ByStatus,
    },
    Vulnerabilities(Scope),
}

impl<'s> Sieve<'s> {
    fn new(stream: DataStream, before: &'s Settings, after: &'s Settings) -> Sieve<'s> {
        match stream {
            DataStream::Endpoints => Sieve::Endpoints(ByStatusAndTags::new(after)),
            DataStream::Alerts => Sieve::Alerts {
                sources: (&before.alert_sources, &after.alert_sources),
                statuses: ByStatus::new(after),
            },
            DataStream::Vulnerabilities => Sieve::Vulnerabilities(Scope::new(after)),
        }
    }

    fn sort(&self, fields: &Map<String, Value>) -> Found {
        let seen = &mut BTreeSet::new();
        let left_out = match self {
            Sieve::Endpoints(sorter) => sorter.left_out(fields, seen),
            Sieve::Vulnerabilities(scope) => scope.left_out(fields, seen),
            Sieve::Alerts { sources, statuses } => {
                return match (by_source(*sources, fields), statuses.judge(fields)) {
                    (Found::Stays, (Verdict::LeftOut(filter), _)) => Found::Leaves(filter),
                    (found, _) => found,
                };
            }
        };
        left_out.map_or(Found::Stays, |(filter, _)| Found::Leaves(filter))
    }
}

/// The API itself picks alerts by their source. Whether it would still give one shows only where the alert names its source as the configuration
/// before did.
fn by_source(
    (before, after): (&BTreeSet<String>, &BTreeSet<String>),
    fields: &Map<String, Value>,
) -> Found {
    let source = fields
        .get("source")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let named = |sources: &BTreeSet<String>| {
        sources
            .iter()
            .any(|named| named.eq_ignore_ascii_case(source))
    };
    if named(after) || before.is_subset(after) {
        Found::Stays
    } else if named(before) {
        Found::Leaves("alertSources")
    } else {
        Found::Unclear
    }
}

/// Whether all that is in scope of one configuration is in scope of the one before.
fn narrows(stream: DataStream, before: &Settings, after: &Settings) -> bool {
    // Another tenant, or a key with another role, may give other records.
    let same_tenant = before.origin == after.origin && before.api_key_id == after.api_key_id;
    let scope = match stream {
        DataStream::Endpoints | DataStream::Vulnerabilities => {
            let tags = before.tags.is_empty()
                || !after.tags.is_empty() && after.tags.is_subset(&before.tags);
            tags && after.endpoint_statuses.is_subset(&before.endpoint_statuses)
        }
        DataStream::Alerts => {
            after.alert_sources.is_subset(&before.alert_sources)
                && after.alert_statuses.is_subset(&before.alert_statuses)
        }
    };
    same_tenant && scope && before.data_streams.contains(&stream)
}
