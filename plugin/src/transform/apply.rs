//! Carries a plan out on one record.

use super::frames::{Frames, Wrong};
use super::instance::{Elements, Instance, Leaf};
use super::plan::{Align, Expression, Finding, FindingList, Head, Plan, Rule, Scope, Types};
use super::schema::Kinds;
use super::value::{self, Value};
use super::write::{self, Special};
use crate::contract::{Document, DocumentKind, Outcome, Placeholder, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// How many problems of one record are told one by one.
const MOST_PROBLEMS: usize = 100;

/// What became of reading a value.
enum Got<'r> {
    Value(Value<'r>),
    /// There is none, and the rule has no default.
    Absent,
    /// The rule's condition does not hold.
    Unasked,
    /// There is one that can't be carried; the problem is told.
    Bad,
}

/// The problems of a record, each told once.
#[derive(Default)]
struct Problems {
    told: Vec<Problem>,
    seen: BTreeSet<(String, String)>,
    more: usize,
}

impl Problems {
    fn tell(&mut self, pointer: String, message: String) {
        if !self.seen.insert((pointer.clone(), message.clone())) {
            return;
        }
        if self.told.len() < MOST_PROBLEMS {
            self.told.push(Problem { pointer, message });
        } else {
            self.more += 1;
        }
    }

    fn end(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let message = format!("and {} more problems in this record", self.more);
            self.told.push(Problem {
                pointer: String::new(),
                message,
            });
        }
        self.told
    }
}

/// A document in the making, all its values in place.
pub(super) struct Made<'r> {
    pub(super) root: Instance<'r>,
    /// For each element of the findings' list the source element that it was made of first, and its key.
    findings: Vec<(usize, String)>,
    missing: bool,
}

struct Run<'p, 'r> {
    plan: &'p Plan,
    record: &'r Value<'r>,
    problems: Problems,
    missing: bool,
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
    let mut run = Run {
        plan,
        record: &record,
        problems: Problems::default(),
        missing: false,
    };
    let made = run.make();
    let documents = run.documents(&made).unwrap_or_default();
    Outcome {
        documents,
        problems: run.problems.end(),
    }
}

/// The places of a record's values, for whoever wants to know which rule wrote what.
pub(super) fn trace<T>(
    plan: &Plan,
    key: &str,
    body: &[u8],
    look: impl FnOnce(&Made<'_>) -> T,
) -> Result<T, Problem> {
    let record = parse(plan, key, body)?;
    let mut run = Run {
        plan,
        record: &record,
        problems: Problems::default(),
        missing: false,
    };
    Ok(look(&run.make()))
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
        Made {
            root,
            findings,
            missing: self.missing,
        }
    }

    fn wrong(&mut self, wrong: Wrong) {
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
            let key = self.key(head, &mut frames, "this finding is left out");
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
                Got::Value(value) => self.spread(rule, value, frames, elements, inner, level),
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
        for value in values.into_iter().filter(|value| !value.is_absent()) {
            let Some(text) = value.text().map(|text| text.into_owned()) else {
                let pointer = frames.source_pointer(rule.value.source.as_ref());
                self.problems
                    .tell(pointer, format!("{} can't be joined on", value.describe()));
                continue;
            };
            // Checked first: a value that can't be stored must not leave an empty element.
            if let Some(value) = self.fit(rule.types, value, frames, rule)
                && let Some(element) = elements.joined(scope, rule.index, leaf, &text)
            {
                set(rule, value, element);
            }
        }
    }

    /// The elements of a value that is a list, one target element each; another value is an element of its own.
    fn spread(
        &mut self,
        rule: &Rule,
        value: Value<'r>,
        frames: &Frames<'r>,
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
            if level + 1 == rule.lists.len() {
                if let Some(value) = self.fit(rule.types, value, frames, rule)
                    && let Some(element) = elements.of(scope, *group, index)
                {
                    set(rule, value, element);
                }
            } else if let Some(element) = elements.of(scope, *group, index)
                && let Some((list, _)) = rule.lists.get(level + 1)
                && let (Some(scope), Some(elements)) =
                    (scope.lists.get(*list), element.lists.get_mut(*list))
            {
                self.spread(rule, value, frames, elements, scope, level + 1);
            }
        }
    }

    /// What an expression gives at this place: values of lists below it are gathered into one list.
    fn value(&mut self, expression: &Expression, frames: &mut Frames<'r>) -> Got<'r> {
        let mut raw = None;
        let mut unasked = false;
        let mut bad = false;
        match &expression.source {
            None => unasked = !frames.holds(expression),
            Some(source) if frames.depth() >= source.lists.len() => {
                unasked = !frames.holds(expression);
                if !unasked {
                    match frames.read(source) {
                        Ok(value) => raw = value,
                        Err(error) => {
                            self.wrong(error);
                            bad = true;
                        }
                    }
                }
            }
            Some(_) => {
                let mut values = Vec::new();
                let found = self.gather(expression, frames, &mut values, &mut bad);
                if found || !values.is_empty() {
                    raw = Some(Value::List(values));
                }
            }
        }
        if unasked {
            return Got::Unasked;
        }
        if let Some(constant) = &expression.constant {
            let read = expression
                .source
                .as_ref()
                .is_some_and(|source| !source.tails.is_empty());
            raw = (!read || raw.is_some()).then(|| constant.clone());
        }
        if let Some(mut value) = raw {
            let pointer = || frames.source_pointer(expression.source.as_ref());
            for conversion in &expression.conversions {
                value = conversion.apply(value, &mut |index, reason| {
                    let pointer = match index {
                        Some(index) => format!("{}/{index}", pointer()),
                        None => pointer(),
                    };
                    self.problems.tell(pointer, reason);
                    bad = true;
                });
            }
            if !value.is_absent() {
                return Got::Value(value);
            }
        }
        match &expression.default {
            _ if bad => Got::Bad,
            Some(default) => Got::Value(default.clone()),
            None => Got::Absent,
        }
    }

    /// Collects what an expression reads in all lists below this place; tells whether there was a list at all.
    fn gather(
        &mut self,
        expression: &Expression,
        frames: &mut Frames<'r>,
        into: &mut Vec<Value<'r>>,
        bad: &mut bool,
    ) -> bool {
        let Some(source) = &expression.source else {
            return false;
        };
        if frames.depth() >= source.lists.len() {
            if frames.holds(expression) {
                match frames.read(source) {
                    Ok(value) => into.extend(value),
                    Err(error) => {
                        self.wrong(error);
                        *bad = true;
                    }
                }
            }
            return true;
        }
        match frames.items(source) {
            Ok(None) => false,
            Ok(Some(items)) => {
                for (index, item) in items.iter().enumerate() {
                    frames.enter(item, index);
                    self.gather(expression, frames, into, bad);
                    frames.leave();
                }
                true
            }
            Err(error) => {
                self.wrong(error);
                *bad = true;
                false
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
            if let Some(leaf) = instance.leaves.get_mut(rule.leaf) {
                *leaf = Leaf::Placeholder(placeholder);
            }
            return;
        }
        let got = match got {
            Got::Value(value) => match self.fit(rule.types, value, frames, rule) {
                Some(value) => {
                    set(rule, value, instance);
                    return;
                }
                None => Got::Bad,
            },
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

    /// The value as the target takes it: empty values of a list left out, types checked. None, and a problem, where it does not fit.
    fn fit(
        &mut self,
        types: Types,
        value: Value<'r>,
        frames: &Frames<'r>,
        rule: &Rule,
    ) -> Option<Value<'r>> {
        let pointer = || frames.source_pointer(rule.value.source.as_ref());
        if !fits(types.value, &value) {
            self.problems.tell(
                pointer(),
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
        for (index, item) in items.into_iter().enumerate() {
            if item.is_absent() {
                continue;
            }
            if fits(types.items, &item) {
                kept.push(item);
            } else {
                let message = format!(
                    "{} where {} is expected",
                    item.describe(),
                    types.items.describe()
                );
                self.problems
                    .tell(format!("{}/{index}", pointer()), message);
            }
        }
        Some(Value::List(kept))
    }

    /// The documents, or none where something that must be there is missing.
    fn documents(&mut self, made: &Made<'r>) -> Option<Vec<Document>> {
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
            documents.push(self.document(
                DocumentKind::Asset,
                head,
                key,
                None,
                placeholders,
                body,
                &mut frames,
            ));
        }
        let Some(finding) = &plan.finding else {
            return Some(documents);
        };
        let Some(list) = list else {
            // The record is the finding.
            let key = self.key(
                &finding.head,
                &mut frames,
                "the record has no document without it",
            )?;
            let asset = self.asset(finding, &asset_key, &mut frames);
            let (body, _) = write::document(&plan.root, &made.root, Special::None);
            let placeholders = self.placeholders(&made.root);
            documents.push(self.document(
                DocumentKind::Finding,
                &finding.head,
                key,
                asset,
                placeholders,
                body,
                &mut frames,
            ));
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
            let kind = DocumentKind::Finding;
            documents.push(self.document(
                kind,
                &finding.head,
                key.clone(),
                asset,
                placeholders,
                body,
                &mut frames,
            ));
            frames.leave();
        }
        Some(documents)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of a document, each of its own kind"
    )]
    fn document(
        &mut self,
        kind: DocumentKind,
        head: &Head,
        key: String,
        asset: Option<String>,
        placeholders: Vec<Placeholder>,
        body: Vec<u8>,
        frames: &mut Frames<'r>,
    ) -> Document {
        let mut named = |all: &[(String, Expression)]| {
            let mut pairs = Vec::new();
            for (name, expression) in all {
                for text in self.texts(expression, frames) {
                    let pair = (name.clone(), text);
                    if !pairs.contains(&pair) {
                        pairs.push(pair);
                    }
                }
            }
            pairs
        };
        let identity = named(&head.identity);
        let facets = named(&head.facets);
        Document {
            kind,
            key,
            asset,
            identity,
            facets,
            placeholders,
            body,
        }
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
    fn key(&mut self, head: &Head, frames: &mut Frames<'r>, consequence: &str) -> Option<String> {
        let got = self.value(&head.key, frames);
        let source = head.key.source.as_ref();
        let pointer = || frames.source_pointer(source);
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

/// Writes a value where none is yet: of rules for one place the first that has a value wins.
fn set<'r>(rule: &Rule, value: Value<'r>, instance: &mut Instance<'r>) {
    if let Some(leaf @ Leaf::Empty) = instance.leaves.get_mut(rule.leaf) {
        *leaf = Leaf::Value {
            value,
            rule: rule.index,
        };
    }
}

fn fits(kinds: Kinds, value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => kinds.has("boolean"),
        Value::Unsigned(_) | Value::Signed(_) => kinds.has("integer"),
        Value::Float(_) => kinds.has("number"),
        Value::Text(_) => kinds.has("string"),
        Value::List(_) => kinds.has("array"),
        Value::Object(_) | Value::Slots(_) => kinds.has("object"),
    }
}
