//! In what two states of a tenant's data differ: in numbers, with some examples of each.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use serde::Serialize;
use serde_json::Value;

use crate::connection::explain::path;
use crate::connection::explain::place::leaves;
use crate::domain::ConnectionId;
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Asset, AssetFilter, AssetState, Finding, FindingFilter, FindingState, Store, StoreError,
};

/// What can be otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Assets that the configuration leaves out then.
    AssetsLeaveScope,
    /// Assets that come in.
    AssetsCreated,
    /// Assets that nothing feeds any more.
    AssetsInactive,
    /// Assets that are active again.
    AssetsActive,
    /// Assets whose host name or title is another one.
    NamesOverwritten,
    /// Assets with other values.
    AssetsChanged,
    /// Findings that were not held.
    FindingsNew,
    /// Findings that find the asset that they waited for.
    FindingsAttach,
    /// Findings that wait for their asset then.
    FindingsPark,
    /// Findings that close.
    FindingsClose,
    /// Findings that the configuration leaves out then.
    FindingsLeaveScope,
    /// Findings that are open again.
    FindingsReopen,
    /// Findings that are as bad as they were not.
    SeveritiesChanged,
    /// Findings with other values.
    FindingsChanged,
}

/// How many, and some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// One of the things that are otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its key.
    pub key: String,
    /// The host that it is, or is on.
    pub host: Option<String>,
    /// What it was, where that is one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What becomes of the values at a path, in how many documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Values {
    /// Documents that have another value there.
    pub changed: u64,
    /// Documents that had none.
    pub added: u64,
    /// Documents that have none then.
    pub gone: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// In what two states differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// What, how often.
    pub counts: BTreeMap<What, Counted>,
    /// Of assets that are active in both, by path.
    pub asset_values: BTreeMap<String, Values>,
    /// Of findings that are open in both, by path.
    pub finding_values: BTreeMap<String, Values>,
    /// How many examples of each are kept.
    most: usize,
}

/// Compares what is held of a connection in two stores, of which one is a later state of the other. Goes through both at once, so memory does not grow
/// with them.
///
/// # Errors
/// Where one can't be read.
pub async fn difference(
    before: &SqliteStore,
    after: &SqliteStore,
    connection: ConnectionId,
    examples: usize,
) -> Result<Difference, StoreError> {
    let mut difference = Difference {
        most: examples,
        ..Difference::default()
    };
    let assets = AssetFilter {
        connection: Some(connection),
        include_inactive: true,
        include_out_of_scope: true,
        as_stored: true,
        ..AssetFilter::default()
    };
    let (mut old, mut new) = (before.assets(&assets), after.assets(&assets));
    let mut was = old.try_next().await?;
    while let Some(is) = new.try_next().await? {
        while was.as_ref().is_some_and(|was| was.id < is.id) {
            was = old.try_next().await?;
        }
        difference.asset(was.as_ref().filter(|was| was.id == is.id), &is);
    }
    drop((old, new));
    let findings = FindingFilter {
        connection: Some(connection),
        include_closed: true,
        include_out_of_scope: true,
        include_parked: true,
        as_stored: true,
        ..FindingFilter::default()
    };
    let (mut old, mut new) = (before.findings(&findings), after.findings(&findings));
    let mut was = old.try_next().await?;
    while let Some(is) = new.try_next().await? {
        while was.as_ref().is_some_and(|was| was.id < is.id) {
            was = old.try_next().await?;
        }
        difference.finding(was.as_ref().filter(|was| was.id == is.id), &is);
    }
    Ok(difference)
}

impl Difference {
    /// How many.
    pub fn count(&self, what: What) -> u64 {
        self.counts.get(&what).map_or(0, |counted| counted.count)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn asset(&mut self, was: Option<&Asset>, is: &Asset) {
        let key = || {
            is.keys
                .first()
                .map(|(_, key)| key.clone())
                .unwrap_or_default()
        };
        let example = |before: Option<Value>, after: Option<Value>| Example {
            key: key(),
            host: is.host_name.clone(),
            before,
            after,
        };
        let Some(was) = was else {
            if is.state == AssetState::Active {
                self.add(What::AssetsCreated, example(None, None));
            }
            return;
        };
        match (was.state, is.state) {
            (AssetState::Active, AssetState::Active) => {}
            (before, after) if before == after => return,
            (_, AssetState::Active) => self.add(What::AssetsActive, example(None, None)),
            (_, AssetState::OutOfScope) => {
                return self.add(What::AssetsLeaveScope, example(None, None));
            }
            (_, AssetState::Inactive) => {
                return self.add(What::AssetsInactive, example(None, None));
            }
        }
        let names = |asset: &Asset| [asset.host_name.clone(), asset.title.clone()];
        let overwritten = names(was)
            .into_iter()
            .zip(names(is))
            .find(|(before, after)| before.is_some() && before != after);
        if let Some((before, after)) = overwritten {
            let (before, after) = (before.map(Value::from), after.map(Value::from));
            self.add(
                What::NamesOverwritten,
                example(before, Some(after.unwrap_or(Value::Null))),
            );
        }
        let most = self.most;
        if values(&mut self.asset_values, most, &was.body, &is.body, &example) {
            self.add(What::AssetsChanged, example(None, None));
        }
    }

    fn finding(&mut self, was: Option<&Finding>, is: &Finding) {
        let example = |before: Option<Value>, after: Option<Value>| Example {
            key: is.key.clone(),
            host: is.host_name.clone(),
            before,
            after,
        };
        let open = |finding: &Finding| finding.state == FindingState::Open;
        let waits = |finding: &Finding| open(finding) && finding.asset.is_none();
        let attached = |finding: &Finding| open(finding) && finding.asset.is_some();
        let Some(was) = was else {
            if open(is) {
                self.add(What::FindingsNew, example(None, None));
            }
            if waits(is) {
                self.add(What::FindingsPark, example(None, None));
            }
            return;
        };
        match (was.state, is.state) {
            (before, after) if before == after => {}
            (_, FindingState::Open) => self.add(What::FindingsReopen, example(None, None)),
            (_, FindingState::Closed) => self.add(What::FindingsClose, example(None, None)),
            (_, FindingState::OutOfScope) => {
                self.add(What::FindingsLeaveScope, example(None, None));
            }
        }
        if waits(was) && attached(is) {
            self.add(What::FindingsAttach, example(None, None));
        }
        if !waits(was) && waits(is) {
            self.add(What::FindingsPark, example(None, None));
        }
        if !open(was) || !open(is) {
            return;
        }
        if was.severity != is.severity {
            let word = |finding: &Finding| Some(Value::from(finding.severity.as_str()));
            self.add(What::SeveritiesChanged, example(word(was), word(is)));
        }
        let most = self.most;
        if values(
            &mut self.finding_values,
            most,
            &was.body,
            &is.body,
            &example,
        ) {
            self.add(What::FindingsChanged, example(None, None));
        }
    }

    fn add(&mut self, what: What, example: Example) {
        let counted = self.counts.entry(what).or_default();
        counted.count += 1;
        if counted.examples.len() < self.most {
            counted.examples.push(example);
        }
    }
}

/// Counts the paths at which two documents differ; whether there are any.
fn values(
    paths: &mut BTreeMap<String, Values>,
    most: usize,
    before: &Value,
    after: &Value,
    example: &dyn Fn(Option<Value>, Option<Value>) -> Example,
) -> bool {
    if before == after {
        return false;
    }
    let (before, after) = (by_path(before), by_path(after));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut some = false;
    for path in all {
        let (was, is) = (before.get(path), after.get(path));
        if was == is {
            continue;
        }
        some = true;
        let values = paths.entry(path.clone()).or_default();
        match (was, is) {
            (None, _) => values.added += 1,
            (_, None) => values.gone += 1,
            _ => values.changed += 1,
        }
        if values.examples.len() < most {
            values.examples.push(example(was.map(told), is.map(told)));
        }
    }
    some
}

/// One value as it is, several as a list.
fn told(values: &Vec<&Value>) -> Value {
    match values.as_slice() {
        [one] => (*one).clone(),
        several => Value::Array(several.iter().map(|value| (*value).clone()).collect()),
    }
}

/// The values of a document by path, elements of lists together.
fn by_path(document: &Value) -> BTreeMap<String, Vec<&Value>> {
    let mut places = Vec::new();
    leaves(document, String::new(), &mut places);
    let mut paths: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for (place, value) in places {
        paths.entry(path(&place)).or_default().push(value);
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counted(before: Value, after: Value) -> BTreeMap<String, (u64, u64, u64)> {
        let mut paths = BTreeMap::new();
        let example = |before, after| Example {
            key: "k".into(),
            host: None,
            before,
            after,
        };
        values(&mut paths, 1, &before, &after, &example);
        paths
            .into_iter()
            .map(|(path, values)| (path, (values.changed, values.added, values.gone)))
            .collect()
    }

    #[test]
    fn values_are_counted_once_for_each_document_and_path() {
        assert_eq!(counted(json!({"a": 1}), json!({"a": 1})), BTreeMap::new());
        assert_eq!(
            counted(
                json!({"a": 1, "list": [{"x": 1}, {"x": 2}], "old": true}),
                json!({"a": 2, "list": [{"x": 1}, {"x": 3}], "new": true}),
            ),
            BTreeMap::from([
                ("a".to_owned(), (1, 0, 0)),
                ("list[].x".to_owned(), (1, 0, 0)),
                ("new".to_owned(), (0, 1, 0)),
                ("old".to_owned(), (0, 0, 1)),
            ])
        );
    }
}
