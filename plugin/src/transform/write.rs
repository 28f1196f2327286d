//! Prints a document: compact JSON, keys sorted, nothing empty, and no object without what the target model requires of it.

use super::instance::{Instance, Leaf};
use super::plan::{Scope, Shape};
use std::ops::Range;

/// How a list of the root's scope is printed, where it is not like any other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Special {
    /// The findings, nested: each is printed, and where it stands is remembered.
    Nested(usize),
    /// The findings, on their own: left out here.
    Separate(usize),
    None,
}

/// Where in the body each element of the nested list stands; none for those that were dropped.
pub(super) type Ranges = Vec<Option<Range<usize>>>;

/// Prints a document or a list's element as a document of its own.
pub(super) fn document(
    scope: &Scope,
    instance: &Instance<'_>,
    special: Special,
) -> (Vec<u8>, Ranges) {
    let mut printer = Printer {
        out: Vec::with_capacity(512),
        special,
        ranges: Vec::new(),
    };
    if !printer.value(&scope.shape, scope, instance, true) {
        printer.out.clear();
        printer.out.extend_from_slice(b"{}");
    }
    (printer.out, printer.ranges)
}

struct Printer {
    out: Vec<u8>,
    special: Special,
    ranges: Ranges,
}

impl Printer {
    /// Prints a value; false where there is nothing in it, and then what was printed is to be taken back.
    fn value(&mut self, shape: &Shape, scope: &Scope, instance: &Instance<'_>, root: bool) -> bool {
        match shape {
            Shape::Leaf(leaf) => match instance.leaves.get(*leaf) {
                Some(Leaf::Value { value, .. }) => {
                    serde_json::to_writer(&mut self.out, value).is_ok()
                }
                _ => false,
            },
            Shape::Object(object) => {
                self.out.push(b'{');
                let mut kept = false;
                let mut first = true;
                // Only asked for where the model requires something.
                let mut written: Vec<&str> = Vec::new();
                for (key, shape) in &object.keys {
                    if let Shape::Leaf(leaf) = shape
                        && let Some(Leaf::Placeholder(_)) = instance.leaves.get(*leaf)
                    {
                        // The platform will write it here: its parents must be there.
                        kept = true;
                        if !object.needs.is_empty() {
                            written.push(key);
                        }
                        continue;
                    }
                    let before = self.out.len();
                    if !first {
                        self.out.push(b',');
                    }
                    let printed = serde_json::to_writer(&mut self.out, key).is_ok();
                    self.out.push(b':');
                    if printed && self.value(shape, scope, instance, root) {
                        first = false;
                        kept = true;
                        if !object.needs.is_empty() {
                            written.push(key);
                        }
                    } else {
                        self.out.truncate(before);
                    }
                }
                self.out.push(b'}');
                kept && object.is_whole(&written)
            }
            Shape::List(list) => self.list(*list, scope, instance, root),
        }
    }

    fn list(&mut self, list: usize, scope: &Scope, instance: &Instance<'_>, root: bool) -> bool {
        let nested = match self.special {
            Special::Separate(special) if root && special == list => return false,
            Special::Nested(special) => root && special == list,
            _ => false,
        };
        let (Some(scope), Some(elements)) = (scope.lists.get(list), instance.lists.get(list))
        else {
            return false;
        };
        self.out.push(b'[');
        let mut first = true;
        for item in &elements.items {
            let before = self.out.len();
            if !first {
                self.out.push(b',');
            }
            let start = self.out.len();
            let mut printed = !item.dropped && self.value(&scope.shape, scope, item, false);
            if nested && !printed && !item.dropped {
                self.out.truncate(start);
                self.out.extend_from_slice(b"{}");
                printed = true;
            }
            if nested {
                self.ranges.push(printed.then_some(start..self.out.len()));
            }
            if printed {
                first = false;
            } else {
                self.out.truncate(before);
            }
        }
        self.out.push(b']');
        !first
    }
}
