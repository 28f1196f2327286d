//! A compiled map: what [`super::compile`] makes and [`super::apply`] carries out.

use super::condition::Condition;
use super::convert::Conversion;
use super::schema::Kinds;
use super::spec::Combine;
use super::value::{Value, Wanted};
use crate::contract::Lifecycle;
use std::collections::BTreeMap;

/// A compiled map.
#[derive(Debug)]
pub(super) struct Plan {
    /// What of a record is read.
    pub(super) wanted: Wanted,
    /// The paths that are read, as the map writes them.
    pub(super) reads: Vec<String>,
    /// The way to the record's own key, where its data stream has one.
    pub(super) key: Option<Lookup>,
    pub(super) asset: Option<Head>,
    pub(super) finding: Option<Finding>,
    /// In the map's order, but what joins on a value behind what writes that one, and those that write into every element of a list behind the
    /// others.
    pub(super) rules: Vec<Rule>,
    /// The document with the asset in it; where there is none, the finding.
    pub(super) root: Scope,
    /// What the target model requires of that document.
    pub(super) needs: Needs,
    pub(super) placeholders: Vec<Placeholder>,
}

/// What a document is known by.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) key: Expression,
    pub(super) identity: Vec<(String, Expression)>,
    pub(super) facets: Vec<(String, Expression)>,
}

/// The findings.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) head: Head,
    pub(super) asset: Option<Expression>,
    pub(super) list: Option<FindingList>,
}

/// Findings that are elements of a list.
#[derive(Debug)]
pub(super) struct FindingList {
    /// From the record to the source list.
    pub(super) fields: Vec<Step>,
    /// The list's path.
    pub(super) path: Vec<Step>,
    /// The group of elements that belong to that list.
    pub(super) group: usize,
    /// The target list, in the root's scope.
    pub(super) list: usize,
    pub(super) nested: bool,
    /// What the target model requires of a finding.
    pub(super) needs: Needs,
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// To the value of a key: by its slot where the object was read by slots, else by its name.
    Key { name: String, slot: usize },
    /// Into each element.
    Each,
}

/// A way to values, from the element of the list that lies `depth` lists deep.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lookup {
    pub(super) depth: usize,
    pub(super) steps: Vec<Step>,
    /// The whole path, for pointers.
    pub(super) path: Vec<Step>,
}

/// Where a value comes from, lists and all.
#[derive(Debug)]
pub(super) struct Source {
    /// From one list's element (or the record) to the next list.
    pub(super) lists: Vec<Vec<Step>>,
    /// The path of the innermost list.
    pub(super) path: Vec<Step>,
    /// What is read of the innermost element, or of those around it.
    pub(super) tails: Vec<Lookup>,
    pub(super) combine: Combine,
}

/// A value: read, converted, or constant.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) source: Option<Source>,
    pub(super) conversions: Vec<Conversion>,
    pub(super) default: Option<Value<'static>>,
    pub(super) constant: Option<Value<'static>>,
    pub(super) when: Vec<Condition<Lookup>>,
    /// Its source begins in the list that the findings are made of.
    pub(super) in_finding: bool,
    /// It gives the same in every element of that list.
    pub(super) per_record: bool,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its place in the map.
    pub(super) index: usize,
    pub(super) value: Expression,
    pub(super) required: bool,
    /// The target lists on the way, each by its place in the scope around it, and the group of elements there.
    pub(super) lists: Vec<(usize, usize)>,
    /// The place of the value in the innermost scope.
    pub(super) leaf: usize,
    pub(super) align: Align,
    pub(super) types: Types,
    /// Its place among the plan's placeholders.
    pub(super) placeholder: Option<usize>,
}

/// Which element of the innermost target list a value goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// The element that the group has for the source list's element.
    Group,
    /// The element whose value at this leaf is the same.
    Value(usize),
    /// Every element.
    Each,
}

/// What the target may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Types {
    pub(super) value: Kinds,
    /// Of a list's elements.
    pub(super) items: Kinds,
}

/// A document, or an element of one of its lists: places for values, lists within, and how they print.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) leaves: usize,
    pub(super) lists: Vec<Scope>,
    pub(super) shape: Shape,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope {
            leaves: 0,
            lists: Vec::new(),
            shape: Shape::Object(Object::default()),
        }
    }
}

/// How a scope prints.
#[derive(Debug)]
pub(super) enum Shape {
    Object(Object),
    Leaf(usize),
    List(usize),
}

/// An object within a document.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) keys: BTreeMap<String, Shape>,
    /// What the target model requires of it: of each group at least one key. An object that lacks one is not written.
    pub(super) needs: Needs,
}

/// Of each group at least one key.
pub(super) type Needs = Vec<Vec<String>>;

impl Object {
    /// Whether these keys are all that it needs.
    pub(super) fn is_whole(&self, written: &[&str]) -> bool {
        let mut needs = self.needs.iter();
        needs.all(|group| group.iter().any(|key| written.contains(&key.as_str())))
    }
}

/// A value that the platform fills in.
#[derive(Debug)]
pub(super) struct Placeholder {
    /// The rule that asks for it, by its place in the map.
    pub(super) rule: usize,
    /// From the document's root.
    pub(super) pointer: String,
    pub(super) value: Lifecycle,
    pub(super) format: String,
}
