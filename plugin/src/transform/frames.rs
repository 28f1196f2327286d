//! Where in a record the engine stands, and how it looks around from there.

use super::condition::Test;
use super::path::push_pointer;
use super::plan::{Expression, Lookup, Source, Step};
use super::spec::Combine;
use super::value::Value;
use std::borrow::Cow;

/// What every absent value is.
static NOTHING: Value<'static> = Value::Null;

/// The record and the list elements around the place where the engine stands, outermost first.
#[derive(Debug, Clone)]
pub(super) struct Frames<'r> {
    record: &'r Value<'r>,
    elements: Vec<(&'r Value<'r>, usize)>,
}

/// A value of a type that has nothing below it, where the map expects something: its place, and what is wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) pointer: String,
    pub(super) message: String,
}

impl<'r> Frames<'r> {
    pub(super) fn new(record: &'r Value<'r>) -> Frames<'r> {
        Frames {
            record,
            elements: Vec::new(),
        }
    }

    /// How many lists deep it stands.
    pub(super) fn depth(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn enter(&mut self, element: &'r Value<'r>, index: usize) {
        self.elements.push((element, index));
    }

    pub(super) fn leave(&mut self) {
        self.elements.pop();
    }

    fn at(&self, depth: usize) -> &'r Value<'r> {
        match depth.checked_sub(1) {
            None => self.record,
            Some(before) => self
                .elements
                .get(before)
                .map_or(&NOTHING, |(element, _)| *element),
        }
    }

    /// The JSON Pointer to a path in the source record, as far as this place knows the elements on the way.
    pub(super) fn pointer(&self, path: &[Step]) -> String {
        let mut pointer = String::new();
        let mut known = self.elements.iter();
        let mut value = self.record;
        for step in path {
            match step {
                Step::Key { name, slot } => {
                    push_pointer(&mut pointer, name);
                    value = below(value, name, *slot).unwrap_or(&NOTHING);
                }
                Step::Each => match known.next() {
                    Some((element, index)) => {
                        // A single value counts as a list of one, and has no place in a list.
                        if matches!(value, Value::List(_)) {
                            push_pointer(&mut pointer, &index.to_string());
                        }
                        value = element;
                    }
                    None => break,
                },
            }
        }
        pointer
    }

    /// The pointer to what a source reads first.
    pub(super) fn source_pointer(&self, source: Option<&Source>) -> String {
        let Some(source) = source else {
            return String::new();
        };
        self.pointer(
            source
                .tails
                .first()
                .map_or(source.path.as_slice(), |tail| tail.path.as_slice()),
        )
    }

    /// The pointer to what is missing where a source has no value: the first of its paths without one.
    pub(super) fn absent_pointer(&self, source: Option<&Source>) -> String {
        let absent = source
            .into_iter()
            .flat_map(|source| &source.tails)
            .find(|tail| self.look(tail).is_ok_and(Value::is_absent));
        absent.map_or_else(
            || self.source_pointer(source),
            |tail| self.pointer(&tail.path),
        )
    }

    /// What is at a place, as far as this one knows the elements on the way.
    pub(super) fn look(&self, lookup: &Lookup) -> Result<&'r Value<'r>, Wrong> {
        self.walk(self.at(lookup.depth), &lookup.steps, &lookup.path)
    }

    /// Walks keys from a value. `path` is the whole path, of which `steps` are the last.
    fn walk(
        &self,
        mut value: &'r Value<'r>,
        steps: &[Step],
        path: &[Step],
    ) -> Result<&'r Value<'r>, Wrong> {
        for (at, step) in steps.iter().enumerate() {
            let Step::Key { name, slot } = step else {
                return Ok(value);
            };
            value = match value {
                Value::Slots(slots) => slots.get(*slot).unwrap_or(&NOTHING),
                Value::Object(_) => below(value, name, *slot).unwrap_or(&NOTHING),
                absent if absent.is_absent() => return Ok(&NOTHING),
                other => {
                    let before = path.len().saturating_sub(steps.len()) + at;
                    return Err(Wrong {
                        pointer: self.pointer(path.get(..before).unwrap_or_default()),
                        message: format!("{} where an object is expected", other.describe()),
                    });
                }
            };
        }
        Ok(value)
    }

    /// The elements of a source's next list; none where it is absent. A single value counts as a list of one.
    pub(super) fn items(&self, source: &Source) -> Result<Option<&'r [Value<'r>]>, Wrong> {
        let Some(steps) = source.lists.get(self.depth()) else {
            return Ok(None);
        };
        self.elements_of(steps, self.list_path(source))
    }

    /// The path of a source's next list.
    fn list_path<'s>(&self, source: &'s Source) -> &'s [Step] {
        // The path up to this list, and the step into its elements.
        let mut lists = 0;
        let upto = source.path.iter().position(|step| {
            let ends = *step == Step::Each && lists == self.depth();
            lists += usize::from(*step == Step::Each);
            ends
        });
        upto.and_then(|upto| source.path.get(..upto))
            .unwrap_or(&source.path)
    }

    /// The pointer to a source's next list.
    pub(super) fn list_pointer(&self, source: &Source) -> String {
        self.pointer(self.list_path(source))
    }

    /// The elements of the list at these steps from here.
    pub(super) fn elements_of(
        &self,
        steps: &[Step],
        path: &[Step],
    ) -> Result<Option<&'r [Value<'r>]>, Wrong> {
        Ok(match self.walk(self.at(self.depth()), steps, path)? {
            Value::List(items) => Some(items),
            absent if absent.is_absent() => None,
            single => Some(std::slice::from_ref(single)),
        })
    }

    /// What a source reads here, unconverted; none where it is absent. To be asked in the innermost list's element.
    pub(super) fn read(&self, source: &Source) -> Result<Option<Value<'r>>, Wrong> {
        let one = |tail: &Lookup| Ok(Some(self.look(tail)?).filter(|value| !value.is_absent()));
        match &source.combine {
            Combine::Only | Combine::FirstOf => {
                let mut wrong = None;
                for tail in &source.tails {
                    match one(tail) {
                        Ok(Some(value)) => return Ok(Some(value.borrowed())),
                        Ok(None) => {}
                        Err(error) => wrong = wrong.or(Some(error)),
                    }
                }
                wrong.map_or(Ok(None), Err)
            }
            Combine::Concat(separator) => {
                let mut text = String::new();
                for (at, tail) in source.tails.iter().enumerate() {
                    let Some(value) = one(tail)? else {
                        return Ok(None);
                    };
                    let piece = value.text().ok_or_else(|| Wrong {
                        pointer: self.pointer(&tail.path),
                        message: format!("{} where text is expected", value.describe()),
                    })?;
                    if at > 0 {
                        text.push_str(separator);
                    }
                    text.push_str(&piece);
                }
                Ok(Some(Value::Text(Cow::Owned(text))))
            }
        }
    }

    /// Whether all conditions of an expression hold here. What has a wrong type is as good as absent.
    pub(super) fn holds(&self, expression: &Expression) -> bool {
        expression.when.iter().all(|condition| {
            condition.holds(&mut |lookup: &Lookup, test: &Test| {
                let mut found = Vec::new();
                collect(self.at(lookup.depth), &lookup.steps, &mut found);
                test.passes(&found)
            })
        })
    }
}

/// What an object has at a key: by its slot where it was read by slots, else by its name.
#[inline]
fn below<'r>(value: &'r Value<'r>, name: &str, slot: usize) -> Option<&'r Value<'r>> {
    match value {
        Value::Slots(slots) => slots.get(slot),
        Value::Object(entries) => entries
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value),
        _ => None,
    }
}

/// All values at a path with lists on the way.
fn collect<'r>(value: &'r Value<'r>, steps: &[Step], into: &mut Vec<&'r Value<'r>>) {
    let Some((step, rest)) = steps.split_first() else {
        into.push(value);
        return;
    };
    match (step, value) {
        (Step::Key { name, slot }, _) => {
            if let Some(below) = below(value, name, *slot) {
                collect(below, rest, into);
            }
        }
        (Step::Each, Value::List(items)) => items.iter().for_each(|item| collect(item, rest, into)),
        (Step::Each, Value::Null) => {}
        (Step::Each, single) => collect(single, rest, into),
    }
}
