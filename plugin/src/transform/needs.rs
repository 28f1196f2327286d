//! What the target model requires of documents and of the objects within them. An object that lacks it is not written, and a document that lacks it
//! is none: half an object is no object of the model, and a map need not say again what the model says.

use super::compile::Compiler;
use super::format::MapFile;
use super::instance::{Instance, Leaf};
use super::plan::{Finding, Needs, Object, Scope, Shape};
use super::schema::Place;

impl Compiler<'_> {
    /// Notes what the model requires of the documents and of the objects within them; gives what it requires of the document that is no element of
    /// a list. What no rule writes of it is a problem.
    pub(super) fn note_needs(&mut self, file: &MapFile, finding: Option<&mut Finding>) -> Needs {
        let Some(model) = &self.checks.model else {
            return Needs::new();
        };
        let kind = match file.asset {
            Some(_) => "asset",
            None => "finding",
        };
        let mut own = Needs::new();
        let mut missing = Vec::new();
        let written = file.finding.as_ref().and_then(|all| all.list.as_ref());
        if let Some(place) = model.root().property(kind) {
            note(&mut self.root, &place);
            if file.asset.is_some() || written.is_none() {
                own = of_document(&mut self.root, &place, "", &mut missing);
            }
        }
        if let (Some(list), Some(written)) = (finding.and_then(|all| all.list.as_mut()), written)
            && let Some(scope) = self.root.lists.get_mut(list.list)
            && let Some(place) = model.root().property("finding")
        {
            note(scope, &place);
            let prefix = format!("{}.", written.target);
            list.needs = of_document(scope, &place, &prefix, &mut missing);
        }
        for path in missing {
            let message = format!(
                "no rule writes {path}, and the target model requires it; add a rule with this target"
            );
            self.problem("/rules".into(), message);
        }
        own
    }
}

/// Notes what the objects below a scope need. What the scope's own object needs is asked for apart ([`of_document`]): to lack it is told.
fn note(scope: &mut Scope, place: &Place<'_>) {
    let Scope { lists, shape, .. } = scope;
    below(shape, lists, place);
}

fn below(shape: &mut Shape, lists: &mut [Scope], place: &Place<'_>) {
    let Shape::Object(object) = shape else {
        return;
    };
    for (name, shape) in &mut object.keys {
        let Some(place) = place.property(name) else {
            continue;
        };
        match shape {
            Shape::Leaf(_) => {}
            Shape::Object(inner) => {
                inner.needs = place.needs();
                below(shape, lists, &place);
            }
            Shape::List(list) => {
                if let (Some(scope), Some(place)) = (lists.get_mut(*list), place.items()) {
                    if let Shape::Object(element) = &mut scope.shape {
                        element.needs = place.needs();
                    }
                    note(scope, &place);
                }
            }
        }
    }
}

/// What a document needs; notes which of that no rule writes. Of the forms that the model has for it this one's is the one that requires most of
/// what the rules write.
fn of_document(
    scope: &mut Scope,
    place: &Place<'_>,
    prefix: &str,
    missing: &mut Vec<String>,
) -> Needs {
    let mut best = (usize::MAX, Needs::new());
    if let Shape::Object(object) = &mut scope.shape {
        // Here it is asked for by itself.
        object.needs.clear();
        for form in place.forms() {
            let mut lacks = 0;
            for group in &form {
                lacks += usize::from(!group.iter().any(|key| object.keys.contains_key(key)));
            }
            if lacks < best.0 || lacks == best.0 && form.len() > best.1.len() {
                best = (lacks, form);
            }
        }
        unwritten(object, &best.1, &scope.lists, prefix, missing);
    }
    best.1
}

fn unwritten(
    object: &Object,
    needs: &Needs,
    lists: &[Scope],
    prefix: &str,
    missing: &mut Vec<String>,
) {
    for group in needs {
        let mut written = Vec::new();
        for key in group {
            written.extend(object.keys.get(key).map(|shape| (key, shape)));
        }
        match written.as_slice() {
            [] => missing.push(describe(group, prefix)),
            [(key, Shape::Object(inner))] => {
                unwritten(
                    inner,
                    &inner.needs,
                    lists,
                    &format!("{prefix}{key}."),
                    missing,
                );
            }
            [(key, Shape::List(list))] => {
                if let Some(scope) = lists.get(*list)
                    && let Shape::Object(inner) = &scope.shape
                {
                    let prefix = format!("{prefix}{key}[].");
                    unwritten(inner, &inner.needs, &scope.lists, &prefix, missing);
                }
            }
            _ => {}
        }
    }
}

/// A group's keys, for a message.
pub(super) fn describe(group: &[String], prefix: &str) -> String {
    let keys: Vec<String> = group.iter().map(|key| format!("`{prefix}{key}`")).collect();
    keys.join(" or ")
}

/// The first of a document's needs that has no value in it.
pub(super) fn lacking<'n>(
    needs: &'n Needs,
    scope: &Scope,
    instance: &Instance<'_>,
) -> Option<&'n Vec<String>> {
    let Shape::Object(object) = &scope.shape else {
        return None;
    };
    let lacks = |group: &&Vec<String>| !has(group, object, scope, instance);
    needs.iter().find(lacks)
}

fn has(group: &[String], object: &Object, scope: &Scope, instance: &Instance<'_>) -> bool {
    group.iter().any(|key| {
        let shape = object.keys.get(key);
        shape.is_some_and(|shape| is_written(shape, scope, instance))
    })
}

/// Whether anything will be printed there.
fn is_written(shape: &Shape, scope: &Scope, instance: &Instance<'_>) -> bool {
    match shape {
        Shape::Leaf(leaf) => !matches!(instance.leaves.get(*leaf), None | Some(Leaf::Empty)),
        Shape::Object(object) => {
            let mut keys = object.keys.values();
            keys.any(|shape| is_written(shape, scope, instance))
                && object
                    .needs
                    .iter()
                    .all(|group| has(group, object, scope, instance))
        }
        Shape::List(list) => match (scope.lists.get(*list), instance.lists.get(*list)) {
            (Some(scope), Some(elements)) => elements
                .items
                .iter()
                .any(|item| !item.dropped && is_written(&scope.shape, scope, item)),
            _ => false,
        },
    }
}
