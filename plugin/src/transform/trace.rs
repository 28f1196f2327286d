//! Where the values of a document come from, for whoever has to explain it.

use super::apply::Made;
use super::instance::{Instance, Leaf};
use super::path::push_pointer;
use super::plan::{Plan, Scope, Shape};
use crate::contract::{Document, DocumentKind};

/// A document, and the rule behind each of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Whether it is an asset or a finding.
    pub kind: DocumentKind,
    /// The document's key.
    pub key: String,
    /// For each value (and each place that the platform fills in) its JSON Pointer in the document and the place of its rule in the
    /// map's `rules`, counted from 0.
    pub values: Vec<(String, usize)>,
}

/// The traces of these documents, in their order.
pub(super) fn traces(plan: &Plan, made: &Made<'_>, documents: Vec<Document>) -> Vec<Trace> {
    let list = plan
        .finding
        .as_ref()
        .and_then(|finding| finding.list.as_ref());
    let separate = list.filter(|list| !list.nested).map(|list| list.list);
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
            separate: separate.filter(|_| kind == DocumentKind::Asset),
            values: Vec::new(),
        };
        walk.values(&scope.shape, scope, instance, "", true);
        traces.push(Trace {
            kind,
            key,
            values: walk.values,
        });
    }
    traces
}

struct Walk<'p> {
    plan: &'p Plan,
    /// The list of the root's scope that is not printed.
    separate: Option<usize>,
    values: Vec<(String, usize)>,
}

impl Walk<'_> {
    /// Notes the values below a place; tells whether there are any.
    fn values(
        &mut self,
        shape: &Shape,
        scope: &Scope,
        instance: &Instance<'_>,
        pointer: &str,
        root: bool,
    ) -> bool {
        let before = self.values.len();
        match shape {
            Shape::Leaf(leaf) => match instance.leaves.get(*leaf) {
                Some(Leaf::Value { rule, .. }) => self.values.push((pointer.to_owned(), *rule)),
                Some(Leaf::Placeholder(held)) => {
                    let rule = self.plan.placeholders.get(*held).map(|held| held.rule);
                    self.values
                        .extend(rule.map(|rule| (pointer.to_owned(), rule)));
                }
                _ => {}
            },
            Shape::Object(object) => {
                let mut written: Vec<&str> = Vec::new();
                for (key, shape) in &object.keys {
                    let mut pointer = pointer.to_owned();
                    push_pointer(&mut pointer, key);
                    if self.values(shape, scope, instance, &pointer, root) {
                        written.push(key);
                    }
                }
                if !object.is_whole(&written) {
                    self.values.truncate(before);
                }
            }
            Shape::List(list) if root && self.separate == Some(*list) => {}
            Shape::List(list) => {
                if let (Some(scope), Some(elements)) =
                    (scope.lists.get(*list), instance.lists.get(*list))
                {
                    let mut at = 0;
                    for item in elements.items.iter().filter(|item| !item.dropped) {
                        // An element without values is not printed, and does not count.
                        if self.values(&scope.shape, scope, item, &format!("{pointer}/{at}"), false)
                        {
                            at += 1;
                        }
                    }
                }
            }
        }
        self.values.len() > before
    }
}
