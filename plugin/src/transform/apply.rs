//! Carries a plan out on one record.

use super::evaluate::Got;
use super::frames::{Frames, Wrong};
use super::instance::{Elements, Instance, Leaf};
use super::needs;
use super::places::Whereabouts;
use super::plan::{Align, Finding, FindingList, Head, Plan, Rule, Scope, Step};
use super::problems::Problems;
use super::trace::Origins;
use super::value::{self, Value};
use crate::contract::{Outcome, Problem, Trace};
use std::collections::BTreeMap;

/// A document in the making, all its values in place.
pub(super) struct Made<'r> {
    pub(super) root: Instance<'r>,
    /// For each element of the findings' list the source element that it was made of first, and its key.
    pub(super) findings: Vec<(usize, String)>,
    pub(super) missing: bool,
}

pub(super) struct Run<'p, 'r> {
    pub(super) plan: &'p Plan,
    pub(super) record: &'r Value<'r>,
    /// What the record's entry is called.
    pub(super) key: &'p str,
    pub(super) problems: Problems,
    missing: bool,
    /// Where the values come from, where that is asked: noting it costs more than all else.
    origins: Option<Origins>,
}

/// The outcome for one source record.
pub(super) fn apply(plan: &Plan, key: &str, body: &[u8]) -> Outcome {
    let record = match parse(plan, key, body) {
        Ok(record) => record,
        Err(problem) => {
            return Outcome {
                documents: Vec::new(),
                problems: vec![problem],
            };
        }
    };
    let mut run = Run::new(plan, key, &record);
    let made = run.make();
    let documents = run.documents(&made).unwrap_or_default();
    Outcome {
        documents,
        problems: run.problems.end(),
    }
}

/// Where each value of each document comes from.
pub(super) fn explain(plan: &Plan, key: &str, body: &[u8]) -> Result<Vec<Trace>, Problem> {
    let record = parse(plan, key, body)?;
    let mut run = Run::new(plan, key, &record);
    run.origins = Some(Origins::default());
    let made = run.make();
    let documents = run.documents(&made).unwrap_or_default();
    let origins = run.origins.unwrap_or_default();
    Ok(super::trace::traces(plan, &made, &origins, documents))
}

fn parse<'b>(plan: &Plan, key: &str, body: &'b [u8]) -> Result<Value<'b>, Problem> {
    let problem = |message| Problem {
        pointer: String::new(),
        message,
    };
    match value::parse(body, &plan.wanted) {
        Ok(record @ (Value::Slots(_) | Value::Object(_))) => Ok(record),
        Ok(other) => Err(problem(format!(
            "the source record `{key}` is {}, an object is expected",
            other.describe()
        ))),
        Err(error) => Err(problem(format!(
            "the source record `{key}` is not JSON: {error}"
        ))),
    }
}

impl<'p, 'r> Run<'p, 'r> {
    fn new(plan: &'p Plan, key: &'p str, record: &'r Value<'r>) -> Run<'p, 'r> {
        Run {
            plan,
            record,
            key,
            problems: Problems::default(),
            missing: false,
            origins: None,
        }
    }

    fn make(&mut self) -> Made<'r> {
        let plan = self.plan;
        let mut root = Instance::new(&plan.root);
        let mut findings = Vec::new();
        if let Some(Finding {
            head,
            list: Some(list),
            ..
        }) = &plan.finding
        {
            findings = self.make_findings(head, list, &mut root);
        }
        for rule in &plan.rules {
            let mut frames = Frames::new(self.record);
            self.place(rule, &mut frames, &mut root, &plan.root, 0);
        }
        self.leave_out_halves(&mut root, &findings);
        Made {
            root,
            findings,
            missing: self.missing,
        }
    }

    pub(super) fn wrong(&mut self, wrong: Wrong) {
        self.problems.tell(wrong.pointer, wrong.message);
    }

    /// One element for each finding, before any rule runs: a repeated key is one finding, an element without a key is none.
    fn make_findings(
        &mut self,
        head: &Head,
        list: &FindingList,
        root: &mut Instance<'r>,
    ) -> Vec<(usize, String)> {
        let mut findings = Vec::new();
        let mut frames = Frames::new(self.record);
        let (Some(scope), Some(elements)) = (
            self.plan.root.lists.get(list.list),
            root.lists.get_mut(list.list),
        ) else {
            return findings;
        };
        let items = match frames.elements_of(&list.fields, &list.path) {
            Ok(items) => items.unwrap_or_default(),
            Err(error) => {
                self.wrong(error);
                return findings;
            }
        };
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            frames.enter(item, index);
            let key = self.finding_key(head, &mut frames, "this finding is left out");
            frames.leave();
            match key {
                None => elements.leave_out(list.group, index),
                Some(key) => match known.get(&key) {
                    Some(at) => elements.share(list.group, index, *at),
                    None => {
                        known.insert(key.clone(), findings.len());
                        findings.push((index, key));
                        elements.of(scope, list.group, index);
                    }
                },
            }
        }
        findings
    }

    /// Documents that lack what the target model requires of them are none.
    fn leave_out_halves(&mut self, root: &mut Instance<'r>, findings: &[(usize, String)]) {
        let plan = self.plan;
        if let Some(group) = needs::lacking(&plan.needs, &plan.root, root)
            && !self.missing
        {
            let lack = needs::describe(group, "");
            self.problems.tell(
                String::new(),
                format!("{lack} has no value, and the target model requires it; the record has no document without it"),
            );
            self.missing = true;
        }
        let Some(list) = plan.finding.as_ref().and_then(|all| all.list.as_ref()) else {
            return;
        };
        let (Some(scope), Some(elements)) = (
            plan.root.lists.get(list.list),
            root.lists.get_mut(list.list),
        ) else {
            return;
        };
        for ((index, _), element) in findings.iter().zip(&mut elements.items) {
            let lack = needs::lacking(&list.needs, scope, element);
            if let Some(group) = lack.filter(|_| !element.dropped) {
                element.dropped = true;
                self.tell_half(list, *index, &needs::describe(group, ""));
            }
        }
    }

    #[cold]
    fn tell_half(&mut self, list: &FindingList, index: usize, lack: &str) {
        let mut frames = Frames::new(self.record);
        let items = frames.elements_of(&list.fields, &list.path).ok().flatten();
        if let Some(item) = items.unwrap_or_default().get(index) {
            frames.enter(item, index);
        }
        let mut path = list.path.clone();
        path.push(Step::Each);
        self.problems.tell(
            frames.pointer(&path),
            format!(
                "{lack} has no value, and the target model requires it; this finding is left out"
            ),
        );
    }

    /// Puts a rule's values into the document, from this place of the record and this scope of the document on.
    fn place(
        &mut self,
        rule: &Rule,
        frames: &mut Frames<'r>,
        instance: &mut Instance<'r>,
        scope: &Scope,
        level: usize,
    ) {
        let Some((list, group)) = rule.lists.get(level) else {
            let got = self.value(&rule.value, frames);
            self.store(rule, got, frames, instance, level);
            return;
        };
        let (Some(inner), Some(elements)) = (scope.lists.get(*list), instance.lists.get_mut(*list))
        else {
            return;
        };
        let last = level + 1 == rule.lists.len();
        let deeper = rule
            .value
            .source
            .as_ref()
            .filter(|source| frames.depth() < source.lists.len());
        match (rule.align, deeper) {
            (Align::Each, _) if last => self.place_each(rule, frames, elements, level),
            (Align::Value(leaf), _) if last => {
                self.place_joined(rule, leaf, frames, elements, inner, level)
            }
            (_, Some(source)) => {
                let items = match frames.items(source) {
                    Ok(items) => items.unwrap_or_default(),
                    Err(error) => return self.wrong(error),
                };
                for (index, item) in items.iter().enumerate() {
                    if let Some(element) = elements.of(inner, *group, index) {
                        frames.enter(item, index);
                        self.place(rule, frames, element, inner, level + 1);
                        frames.leave();
                    }
                }
            }
            (Align::Each, None) => {
                for element in &mut elements.items {
                    self.place(rule, frames, element, inner, level + 1);
                }
            }
            (_, None) => match self.value(&rule.value, frames) {
                Got::Value(value) => {
                    let places = Whereabouts::new(&rule.value, frames);
                    self.spread(rule, value, None, &places, elements, inner, level);
                }
                got => self.store_nothing(rule, &got, frames, level, None),
            },
        }
    }

    /// One value into every element.
    fn place_each(
        &mut self,
        rule: &Rule,
        frames: &mut Frames<'r>,
        elements: &mut Elements<'r>,
        level: usize,
    ) {
        let got = self.value(&rule.value, frames);
        for element in &mut elements.items {
            let got = match &got {
                Got::Value(value) => Got::Value(value.clone()),
                Got::Absent => Got::Absent,
                Got::Unasked => Got::Unasked,
                Got::Bad => Got::Bad,
            };
            self.store(rule, got, frames, element, level + 1);
        }
    }

    /// Each value into the element whose value at `leaf` is the same.
    fn place_joined(
        &mut self,
        rule: &Rule,
        leaf: usize,
        frames: &mut Frames<'r>,
        elements: &mut Elements<'r>,
        scope: &Scope,
        level: usize,
    ) {
        let values = match self.value(&rule.value, frames) {
            Got::Value(Value::List(values)) => values,
            Got::Value(value) => vec![value],
            got => return self.store_nothing(rule, &got, frames, level, None),
        };
        let places = Whereabouts::new(&rule.value, frames);
        let values = values.into_iter().enumerate();
        for (at, value) in values.filter(|(_, value)| !value.is_absent()) {
            let Some(text) = value.text().map(|text| text.into_owned()) else {
                let reason = format!("{} can't be joined on", value.describe());
                self.problems.tell(places.converted(Some(at)), reason);
                continue;
            };
            // Checked first: a value that can't be stored must not leave an empty element.
            if let Some(value) = self.fit(rule, value, Some(at), &places)
                && let Some(element) = elements.joined(scope, rule.index, leaf, &text)
            {
                self.set(rule, value, Some(at), frames, element);
            }
        }
    }

    /// The elements of a value that is a list, one target element each; another value is an element of its own. `item` is the place in the
    /// outermost list.
    #[expect(clippy::too_many_arguments, reason = "what, where from, and where to")]
    fn spread(
        &mut self,
        rule: &Rule,
        value: Value<'r>,
        item: Option<usize>,
        places: &Whereabouts<'_, '_, 'r>,
        elements: &mut Elements<'r>,
        scope: &Scope,
        level: usize,
    ) {
        let Some((_, group)) = rule.lists.get(level) else {
            return;
        };
        let values = match value {
            Value::List(values) => values,
            value => vec![value],
        };
        for (index, value) in values
            .into_iter()
            .enumerate()
            .filter(|(_, value)| !value.is_absent())
        {
            let item = item.or(Some(index));
            if level + 1 == rule.lists.len() {
                if let Some(value) = self.fit(rule, value, item, places)
                    && let Some(element) = elements.of(scope, *group, index)
                {
                    self.set(rule, value, item, places.frames, element);
                }
            } else if let Some(element) = elements.of(scope, *group, index)
                && let Some((list, _)) = rule.lists.get(level + 1)
                && let (Some(scope), Some(elements)) =
                    (scope.lists.get(*list), element.lists.get_mut(*list))
            {
                self.spread(rule, value, item, places, elements, scope, level + 1);
            }
        }
    }

    fn store(
        &mut self,
        rule: &Rule,
        got: Got<'r>,
        frames: &Frames<'r>,
        instance: &mut Instance<'r>,
        level: usize,
    ) {
        if let (Some(placeholder), false) = (rule.placeholder, matches!(got, Got::Unasked)) {
            // Of rules for one place the first that has a value wins, and a placeholder always has one.
            if let Some(leaf @ Leaf::Empty) = instance.leaves.get_mut(rule.leaf) {
                *leaf = Leaf::Placeholder(placeholder);
            }
            return;
        }
        let got = match got {
            Got::Value(value) => {
                match self.fit(rule, value, None, &Whereabouts::new(&rule.value, frames)) {
                    Some(value) => {
                        self.set(rule, value, None, frames, instance);
                        return;
                    }
                    None => Got::Bad,
                }
            }
            got => got,
        };
        self.store_nothing(rule, &got, frames, level, Some(instance));
    }

    /// There is no value: of no consequence, but where the map requires one.
    fn store_nothing(
        &mut self,
        rule: &Rule,
        got: &Got<'r>,
        frames: &Frames<'r>,
        level: usize,
        element: Option<&mut Instance<'r>>,
    ) {
        if !rule.required || matches!(got, Got::Unasked | Got::Value(_)) {
            return;
        }
        let element = element.filter(|_| level > 0);
        let consequence = if element.is_some() {
            "; this element is left out"
        } else {
            ""
        };
        if matches!(got, Got::Absent) {
            let pointer = frames.absent_pointer(rule.value.source.as_ref());
            self.problems.tell(
                pointer,
                format!("missing, and the map requires it{consequence}"),
            );
        }
        match element {
            Some(element) => element.dropped = true,
            None => self.missing = true,
        }
    }

    /// The value as the target takes it: empty values of a list left out, types checked. None, and a problem, where it does not fit. `item`: which
    /// element it was of a list that is spread.
    fn fit(
        &mut self,
        rule: &Rule,
        value: Value<'r>,
        item: Option<usize>,
        places: &Whereabouts<'_, '_, 'r>,
    ) -> Option<Value<'r>> {
        let types = rule.types;
        if !types.value.takes(&value) {
            self.problems.tell(
                places.converted(item),
                format!(
                    "{} where {} is expected",
                    value.describe(),
                    types.value.describe()
                ),
            );
            return None;
        }
        let Value::List(items) = value else {
            return Some(value);
        };
        let mut kept = Vec::with_capacity(items.len());
        let mut wrong = false;
        for (index, inner) in items.into_iter().enumerate() {
            if inner.is_absent() {
                continue;
            }
            if types.items.takes(&inner) {
                kept.push(inner);
            } else {
                let message = format!(
                    "{} where {} is expected",
                    inner.describe(),
                    types.items.describe()
                );
                self.problems
                    .tell(places.converted(item.or(Some(index))), message);
                wrong = true;
            }
        }
        // A list of which nothing fits is not the empty list, which would say that there is nothing.
        (!wrong || !kept.is_empty()).then_some(Value::List(kept))
    }

    /// Writes a value where none is yet: of rules for one place the first that has a value wins. `item`: which element it was of a list that was
    /// spread.
    #[inline]
    fn set(
        &mut self,
        rule: &Rule,
        value: Value<'r>,
        item: Option<usize>,
        frames: &Frames<'r>,
        instance: &mut Instance<'r>,
    ) {
        if let Some(leaf @ Leaf::Empty) = instance.leaves.get_mut(rule.leaf) {
            let origin = match &mut self.origins {
                None => rule.index,
                Some(origins) => origins.note(rule, item, frames),
            };
            *leaf = Leaf::Value { value, origin };
        }
    }
}
