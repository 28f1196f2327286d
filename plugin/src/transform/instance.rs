//! A document in the making: places for values, laid out by the plan's scopes, and lists whose elements know where they came from.

use super::plan::Scope;
use super::value::Value;
use std::collections::BTreeMap;

/// A document, or an element of one of its lists.
#[derive(Debug)]
pub(super) struct Instance<'r> {
    pub(super) leaves: Vec<Leaf<'r>>,
    pub(super) lists: Vec<Elements<'r>>,
    /// A required value is missing: the element is left out.
    pub(super) dropped: bool,
}

/// A place for a value.
#[derive(Debug, Clone)]
pub(super) enum Leaf<'r> {
    Empty,
    Value {
        value: Value<'r>,
        /// The rule that wrote it, by its place in the map; where origins are noted, the place of its origin among them.
        origin: usize,
    },
    /// Filled in by the platform; which of the plan's placeholders.
    Placeholder(usize),
}

/// The elements of a target list.
#[derive(Debug, Default)]
pub(super) struct Elements<'r> {
    pub(super) items: Vec<Instance<'r>>,
    /// For each group the elements of its source list, in order.
    groups: Vec<(usize, Vec<Mark>)>,
    index: Option<Index>,
}

/// Where the element for a source list's element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Nowhere yet.
    Unmade,
    At(usize),
    /// There will be none.
    Out,
}

/// Elements by the value that a rule joins on. Made anew for each rule.
#[derive(Debug)]
struct Index {
    rule: usize,
    by_value: BTreeMap<String, usize>,
}

impl<'r> Instance<'r> {
    pub(super) fn new(scope: &Scope) -> Instance<'r> {
        let mut leaves = Vec::new();
        leaves.resize_with(scope.leaves, || Leaf::Empty);
        let mut lists = Vec::new();
        lists.resize_with(scope.lists.len(), Elements::default);
        Instance {
            leaves,
            lists,
            dropped: false,
        }
    }
}

impl<'r> Elements<'r> {
    fn mark(&mut self, group: usize, index: usize) -> Option<&mut Mark> {
        // From the newest on: rules for one list mostly stand together.
        let place = match self.groups.iter().rposition(|(known, _)| *known == group) {
            Some(place) => place,
            None => {
                self.groups.push((group, Vec::new()));
                self.groups.len().checked_sub(1)?
            }
        };
        let (_, marks) = self.groups.get_mut(place)?;
        if marks.len() <= index {
            marks.resize(index.checked_add(1)?, Mark::Unmade);
        }
        marks.get_mut(index)
    }

    /// A new element, and its place.
    fn push(&mut self, scope: &Scope) -> usize {
        self.items.push(Instance::new(scope));
        self.items.len().saturating_sub(1)
    }

    /// The element that belongs to the source list's element, made where there is none yet; none where it was left out.
    pub(super) fn of(
        &mut self,
        scope: &Scope,
        group: usize,
        index: usize,
    ) -> Option<&mut Instance<'r>> {
        let at = match *self.mark(group, index)? {
            Mark::Out => return None,
            Mark::At(at) => at,
            Mark::Unmade => {
                let at = self.push(scope);
                *self.mark(group, index)? = Mark::At(at);
                at
            }
        };
        self.items.get_mut(at)
    }

    /// The source list's element has no element here.
    pub(super) fn leave_out(&mut self, group: usize, index: usize) {
        if let Some(mark) = self.mark(group, index) {
            *mark = Mark::Out;
        }
    }

    /// The source list's element shares the element at this place.
    pub(super) fn share(&mut self, group: usize, index: usize, at: usize) {
        if let Some(mark) = self.mark(group, index) {
            *mark = Mark::At(at);
        }
    }

    /// The element whose value at a leaf is `text`, a new one where there is none.
    pub(super) fn joined(
        &mut self,
        scope: &Scope,
        rule: usize,
        leaf: usize,
        text: &str,
    ) -> Option<&mut Instance<'r>> {
        if self.index.as_ref().is_none_or(|index| index.rule != rule) {
            let mut by_value = BTreeMap::new();
            for (at, item) in self.items.iter().enumerate() {
                if let Some(Leaf::Value { value, .. }) = item.leaves.get(leaf)
                    && let Some(text) = value.text()
                {
                    by_value.entry(text.into_owned()).or_insert(at);
                }
            }
            self.index = Some(Index { rule, by_value });
        }
        let known = self
            .index
            .as_ref()
            .and_then(|index| index.by_value.get(text))
            .copied();
        let at = match known {
            Some(at) => at,
            None => {
                let at = self.push(scope);
                if let Some(index) = &mut self.index {
                    index.by_value.insert(text.to_owned(), at);
                }
                at
            }
        };
        self.items.get_mut(at)
    }
}
