//! Documents, once all values are in their places.

use super::apply::{Made, Run};
use super::evaluate::Got;
use super::frames::Frames;
use super::instance::{Instance, Leaf};
use super::places::Whereabouts;
use super::plan::{Expression, Finding, Head};
use super::value::Value;
use super::write::{self, Special};
use crate::contract::{Document, DocumentKind, Placeholder};
use std::borrow::Cow;

/// How many values of one name identify a document or are a facet of it. More tell nothing more.
const MOST_VALUES: usize = 100;

/// Names and values.
type Pairs = Vec<(String, String)>;

/// Values that are the same for all findings of a record, by their places in the head.
#[derive(Default)]
struct Shared {
    identity: Vec<Option<Vec<String>>>,
    facets: Vec<Option<Vec<String>>>,
}

impl<'r> Run<'_, 'r> {
    /// The documents, or none where something that must be there is missing.
    pub(super) fn documents(&mut self, made: &Made<'r>) -> Option<Vec<Document>> {
        if made.missing {
            return None;
        }
        let plan = self.plan;
        let mut frames = Frames::new(self.record);
        let mut documents = Vec::new();
        let list = plan
            .finding
            .as_ref()
            .and_then(|finding| finding.list.as_ref());
        let mut ranges = Vec::new();
        let mut asset_key = None;
        if let Some(head) = &plan.asset {
            let key = self.key(head, &mut frames, "the record has no document without it")?;
            let special = match list {
                Some(list) if list.nested => Special::Nested(list.list),
                Some(list) => Special::Separate(list.list),
                None => Special::None,
            };
            let (body, found) = write::document(&plan.root, &made.root, special);
            ranges = found;
            let placeholders = self.placeholders(&made.root);
            asset_key = Some(key.clone());
            let (identity, facets) = self.facts(head, &mut frames, &mut Shared::default());
            documents.push(Document {
                kind: DocumentKind::Asset,
                key,
                asset: None,
                identity,
                facets,
                placeholders,
                body,
            });
        }
        let Some(finding) = &plan.finding else {
            return Some(documents);
        };
        let Some(list) = list else {
            // The record is the finding.
            let key = self.finding_key(
                &finding.head,
                &mut frames,
                "the record has no document without it",
            )?;
            let asset = self.asset(finding, &asset_key, &mut frames);
            let (body, _) = write::document(&plan.root, &made.root, Special::None);
            let placeholders = self.placeholders(&made.root);
            let (identity, facets) = self.facts(&finding.head, &mut frames, &mut Shared::default());
            documents.push(Document {
                kind: DocumentKind::Finding,
                key,
                asset,
                identity,
                facets,
                placeholders,
                body,
            });
            return Some(documents);
        };
        let (Some(scope), Some(elements)) = (
            plan.root.lists.get(list.list),
            made.root.lists.get(list.list),
        ) else {
            return Some(documents);
        };
        let items = frames
            .elements_of(&list.fields, &list.path)
            .ok()
            .flatten()
            .unwrap_or_default();
        let mut shared = Shared::default();
        for (at, ((index, key), element)) in made.findings.iter().zip(&elements.items).enumerate() {
            let Some(item) = items.get(*index).filter(|_| !element.dropped) else {
                continue;
            };
            let printed = documents.first().zip(ranges.get(at).cloned().flatten());
            let printed = printed
                .and_then(|(document, range)| document.body.get(range))
                .map(<[u8]>::to_vec);
            let body = printed.unwrap_or_else(|| write::document(scope, element, Special::None).0);
            frames.enter(item, *index);
            let asset = self.asset(finding, &asset_key, &mut frames);
            let placeholders = self.placeholders(element);
            let (identity, facets) = self.facts(&finding.head, &mut frames, &mut shared);
            documents.push(Document {
                kind: DocumentKind::Finding,
                key: key.clone(),
                asset,
                identity,
                facets,
                placeholders,
                body,
            });
            frames.leave();
        }
        if documents.is_empty() {
            self.problems.tell(
                frames.pointer(&list.path),
                "no finding in it, and the map makes documents of nothing else".into(),
            );
        }
        Some(documents)
    }

    /// Identity and facets of a document.
    fn facts(
        &mut self,
        head: &Head,
        frames: &mut Frames<'r>,
        shared: &mut Shared,
    ) -> (Pairs, Pairs) {
        (
            self.named(&head.identity, frames, &mut shared.identity),
            self.named(&head.facets, frames, &mut shared.facets),
        )
    }

    fn named(
        &mut self,
        all: &[(String, Expression)],
        frames: &mut Frames<'r>,
        shared: &mut Vec<Option<Vec<String>>>,
    ) -> Pairs {
        shared.resize(all.len(), None);
        let mut pairs = Vec::with_capacity(all.len());
        for ((name, expression), known) in all.iter().zip(shared) {
            let texts = match known {
                Some(texts) => texts.clone(),
                None => {
                    let texts = self.texts(expression, frames);
                    if expression.per_record {
                        *known = Some(texts.clone());
                    }
                    texts
                }
            };
            for text in texts {
                if !pairs
                    .iter()
                    .any(|(other, value)| other == name && *value == text)
                {
                    pairs.push((name.clone(), text));
                }
            }
        }
        pairs
    }

    /// The values of an expression that belongs to a document, from where it begins: a finding's own element or the record.
    fn texts(&mut self, expression: &Expression, frames: &mut Frames<'r>) -> Vec<String> {
        let got = if expression.in_finding || frames.depth() == 0 {
            self.value(expression, frames)
        } else {
            self.value(expression, &mut Frames::new(self.record))
        };
        match got {
            Got::Value(Value::List(values)) => values
                .iter()
                .filter(|value| !value.is_absent())
                .filter_map(Value::text)
                .take(MOST_VALUES)
                .map(|text| text.into_owned())
                .collect(),
            Got::Value(value) => value
                .text()
                .map(|text| text.into_owned())
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A document's key; none, and a problem, where there is no single value to be one.
    pub(super) fn key(
        &mut self,
        head: &Head,
        frames: &mut Frames<'r>,
        consequence: &str,
    ) -> Option<String> {
        let got = self.value(&head.key, frames);
        let source = head.key.source.as_ref();
        let pointer = || Whereabouts::new(&head.key, frames).converted(None);
        match got {
            Got::Value(value) => match value.text() {
                Some(text) if !text.is_empty() => return Some(text.into_owned()),
                _ => self.problems.tell(
                    pointer(),
                    format!("{} can't be a key; {consequence}", value.describe()),
                ),
            },
            Got::Absent => self.problems.tell(
                frames.absent_pointer(source),
                format!("missing, and it is the key; {consequence}"),
            ),
            Got::Unasked => self.problems.tell(
                pointer(),
                format!("the map's condition gives no key; {consequence}"),
            ),
            Got::Bad => {}
        }
        None
    }

    /// A finding's key: as the map makes it where it tells whose record it is of, else behind the record's own key. Findings of different records
    /// are different ones, whatever the map says.
    pub(super) fn finding_key(
        &mut self,
        head: &Head,
        frames: &mut Frames<'r>,
        consequence: &str,
    ) -> Option<String> {
        let key = self.key(head, frames, consequence)?;
        let record = self.record_key();
        let separates = |next: char| next.is_ascii() && !next.is_ascii_alphanumeric();
        let own = key
            .strip_prefix(record.as_ref())
            .is_some_and(|rest| rest.chars().next().is_none_or(separates));
        Some(if own || record.is_empty() {
            key
        } else {
            format!("{record}|{key}")
        })
    }

    /// The record's own key: what it says itself, else what its entry is called.
    fn record_key(&self) -> Cow<'_, str> {
        let own = self
            .plan
            .key
            .as_ref()
            .and_then(|key| Frames::new(self.record).look(key).ok())
            .and_then(Value::text)
            .filter(|text| !text.is_empty());
        own.unwrap_or(Cow::Borrowed(self.key))
    }

    fn asset(
        &mut self,
        finding: &Finding,
        asset_key: &Option<String>,
        frames: &mut Frames<'r>,
    ) -> Option<String> {
        match &finding.asset {
            Some(expression) => self.texts(expression, frames).into_iter().next(),
            None => asset_key.clone(),
        }
    }

    fn placeholders(&self, instance: &Instance<'_>) -> Vec<Placeholder> {
        let held = instance.leaves.iter().filter_map(|leaf| match leaf {
            Leaf::Placeholder(at) => self.plan.placeholders.get(*at),
            _ => None,
        });
        let made = held.map(|held| Placeholder {
            pointer: held.pointer.clone(),
            value: held.value,
            format: held.format.clone(),
        });
        made.collect()
    }
}
