//! Where the values of a document come from, for whoever has to explain it.

use super::apply::Made;
use super::frames::Frames;
use super::instance::{Instance, Leaf};
use super::path::push_pointer;
use super::plan::{Expression, Plan, Rule, Scope, Shape};
use crate::contract::{Document, DocumentKind, Origin, Trace};

/// The origins of values, noted while they are written.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<(usize, Vec<String>)>);

impl Origins {
    /// Notes where a rule's value comes from; gives the place of the note. `item`: which element it was of a list that was spread.
    #[cold]
    pub(super) fn note(&mut self, rule: &Rule, item: Option<usize>, frames: &Frames<'_>) -> usize {
        self.0
            .push((rule.index, sources(&rule.value, item, frames)));
        self.0.len().saturating_sub(1)
    }
}

/// Pointers to what an expression reads at a place of the record.
fn sources(expression: &Expression, item: Option<usize>, frames: &Frames<'_>) -> Vec<String> {
    let Some(source) = &expression.source else {
        return Vec::new();
    };
    let mut frames = frames.clone();
    let gathered = frames.depth() < source.lists.len();
    let mut places = frames.places(expression, source);
    if gathered && places.is_empty() {
        // The list has nothing in it; or there is none, and then the value is one for that case.
        let list = matches!(frames.items(source), Ok(Some(_)));
        return list
            .then(|| frames.list_pointer(source))
            .into_iter()
            .collect();
    }
    // Conversions of single values leave each where it was: then one of many comes from one of many.
    let in_place = expression.constant.is_none()
        && expression
            .conversions
            .iter()
            .all(|conversion| !conversion.takes_lists());
    if let Some(item) = item.filter(|_| in_place) {
        if gathered && item < places.len() {
            places = vec![places.swap_remove(item)];
        } else if let ([only], false) = (places.as_mut_slice(), gathered)
            && only.list
        {
            for pointer in &mut only.pointers {
                push_pointer(pointer, &item.to_string());
            }
        }
    }
    places
        .into_iter()
        .flat_map(|places| places.pointers)
        .collect()
}

/// The traces of these documents, in their order.
pub(super) fn traces(
    plan: &Plan,
    made: &Made<'_>,
    origins: &Origins,
    documents: Vec<Document>,
) -> Vec<Trace> {
    let list = plan
        .finding
        .as_ref()
        .and_then(|finding| finding.list.as_ref());
    let mut elements = list
        .and_then(|list| {
            Some((
                plan.root.lists.get(list.list)?,
                made.root.lists.get(list.list)?,
            ))
        })
        .into_iter()
        .flat_map(|(scope, elements)| elements.items.iter().map(move |item| (scope, item)))
        .filter(|(_, item)| !item.dropped);
    let mut traces = Vec::new();
    for Document { kind, key, .. } in documents {
        let place = match (kind, list) {
            (DocumentKind::Finding, Some(_)) => elements.next(),
            _ => Some((&plan.root, &made.root)),
        };
        let Some((scope, instance)) = place else {
            continue;
        };
        let mut walk = Walk {
            plan,
            origins,
            findings: list
                .filter(|_| kind == DocumentKind::Asset)
                .map(|list| (list.list, list.nested)),
            in_copy: false,
            found: Vec::new(),
        };
        walk.values(&scope.shape, scope, instance, "", true);
        traces.push(Trace {
            kind,
            key,
            origins: walk.found,
        });
    }
    traces
}

struct Walk<'p> {
    plan: &'p Plan,
    origins: &'p Origins,
    /// The list of the root's scope that holds the findings, and whether they are nested.
    findings: Option<(usize, bool)>,
    /// Within the copy of a finding that is nested in its asset: there the platform fills nothing in.
    in_copy: bool,
    found: Vec<Origin>,
}

impl Walk<'_> {
    fn found(&mut self, target: &str, rule: usize, sources: &[String]) {
        self.found.push(Origin {
            target: target.to_owned(),
            rule: format!("/rules/{rule}"),
            sources: sources.to_vec(),
        });
    }

    /// Notes the values below a place; tells whether anything is printed there.
    fn values(
        &mut self,
        shape: &Shape,
        scope: &Scope,
        instance: &Instance<'_>,
        pointer: &str,
        root: bool,
    ) -> bool {
        match shape {
            Shape::Leaf(leaf) => match instance.leaves.get(*leaf) {
                Some(Leaf::Value { origin, .. }) => {
                    if let Some((rule, sources)) = self.origins.0.get(*origin) {
                        self.found(pointer, *rule, sources);
                    }
                    true
                }
                Some(Leaf::Placeholder(held)) => {
                    let held = self.plan.placeholders.get(*held);
                    if let Some(held) = held.filter(|_| !self.in_copy) {
                        self.found(pointer, held.rule, &[]);
                    }
                    true
                }
                _ => false,
            },
            Shape::Object(object) => {
                let before = self.found.len();
                let mut written: Vec<&str> = Vec::new();
                for (key, shape) in &object.keys {
                    let mut pointer = pointer.to_owned();
                    push_pointer(&mut pointer, key);
                    if self.values(shape, scope, instance, &pointer, root) {
                        written.push(key);
                    }
                }
                let printed = !written.is_empty() && object.is_whole(&written);
                if !printed {
                    self.found.truncate(before);
                }
                printed
            }
            Shape::List(list) => {
                let findings = self.findings.filter(|(held, _)| root && held == list);
                if findings == Some((*list, false)) {
                    return false;
                }
                let (Some(scope), Some(elements)) =
                    (scope.lists.get(*list), instance.lists.get(*list))
                else {
                    return false;
                };
                let around = self.in_copy;
                self.in_copy |= findings.is_some();
                let mut at = 0;
                for item in elements.items.iter().filter(|item| !item.dropped) {
                    let place = format!("{pointer}/{at}");
                    // An element without values is not printed, and does not count; a finding is, and does.
                    if self.values(&scope.shape, scope, item, &place, false) || findings.is_some() {
                        at += 1;
                    }
                }
                self.in_copy = around;
                at > 0
            }
        }
    }
}
