//! Makes a plan of a map: paths are checked against the schemas of source and target, names become places.

use super::condition::Condition;
use super::format::{self, Align as Written, MapFile, Spec};
use super::path::{Path, Segment};
use super::plan::{
    Align, Expression, Finding, FindingList, Head, Lookup, PathStep, Placeholder, Plan, Rule,
    Scope, Shape, Source, Step, Types,
};
use super::schema::{Kinds, Miss, Place, Schema, nearest};
use super::value::Wanted;
use crate::contract::Problem;
use std::collections::BTreeMap;

/// What a map is checked against.
pub(super) struct Checks<'c> {
    /// The schema of each of the map's data streams; none where it is not known, and then any path will do.
    pub(super) sources: Vec<Option<Schema>>,
    /// The schema of the target model.
    pub(super) model: Option<Schema>,
    /// Custom fields that the platform has.
    pub(super) custom_fields: &'c [String],
}

/// Compiles a map. The plan is of use only where no problem was added.
pub(super) fn compile(file: &MapFile, checks: &Checks<'_>, problems: &mut Vec<Problem>) -> Plan {
    let mut compiler = Compiler {
        checks,
        problems,
        wanted: Wanted::default(),
        root: Scope::default(),
        groups: BTreeMap::new(),
    };
    let base = file
        .finding
        .as_ref()
        .and_then(|finding| finding.list.as_ref());
    let finding = file
        .finding
        .as_ref()
        .and_then(|finding| compiler.finding(finding, file.asset.is_some()));
    let asset = file
        .asset
        .as_ref()
        .and_then(|head| compiler.head(head, None));
    let mut placeholders = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut written: Vec<(&format::Rule, Vec<(usize, usize)>)> = Vec::new();
    for (index, rule) in file.rules.iter().enumerate() {
        let Some(compiled) = compiler.rule(index, rule, file, base, &mut placeholders) else {
            continue;
        };
        let earlier = written.iter().position(|(other, lists)| {
            other.target == rule.target && *lists == compiled.lists && other.spec.when.is_empty()
        });
        if let Some(earlier) = earlier {
            compiler.problems.push(Problem {
                pointer: format!("{}/target", rule.spec.pointer),
                message: format!(
                    "rule {earlier} (counted from 0) writes `{}` already; give that rule a condition (`when`), or join both with `first-of`",
                    rule.target
                ),
            });
        }
        written.push((rule, compiled.lists.clone()));
        rules.push(compiled);
    }
    for rule in &file.rules {
        compiler.check_join(rule, file);
    }
    // Stable: within both halves the map's order stays.
    rules.sort_by_key(|rule| rule.align == Align::Each);
    Plan {
        wanted: compiler.wanted,
        asset,
        finding,
        rules,
        root: compiler.root,
        placeholders,
    }
}

struct Compiler<'c> {
    checks: &'c Checks<'c>,
    problems: &'c mut Vec<Problem>,
    wanted: Wanted,
    root: Scope,
    groups: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    fn problem(&mut self, pointer: String, message: String) {
        self.problems.push(Problem { pointer, message });
    }

    /// The group of target elements that belong to a source list.
    fn group(&mut self, list: &Path) -> usize {
        let next = self.groups.len();
        *self.groups.entry(list.to_string()).or_insert(next)
    }

    fn finding(&mut self, finding: &format::Finding, with_asset: bool) -> Option<Finding> {
        let base = finding.list.as_ref().map(|list| &list.source);
        let head = self.head(&finding.head, base);
        let asset = finding
            .asset
            .as_ref()
            .and_then(|spec| self.expression(spec, base));
        let list = finding
            .list
            .as_ref()
            .and_then(|list| self.finding_list(list, with_asset));
        Some(Finding {
            head: head?,
            asset,
            list,
        })
    }

    fn finding_list(
        &mut self,
        list: &format::FindingList,
        with_asset: bool,
    ) -> Option<FindingList> {
        if !with_asset && list.nested {
            self.problem(
                "/finding/nested".into(),
                "findings can be nested only in an asset; the map has none".into(),
            );
        }
        let source_lists = list.source.lists();
        if source_lists.len() != 1 || source_lists.last() != Some(&list.source) {
            self.problem(
                "/finding/each".into(),
                format!(
                    "`{}` is expected to be one list, such as `items[]`",
                    list.source
                ),
            );
            return None;
        }
        if list.target.lists().as_slice() != std::slice::from_ref(&list.target) {
            self.problem(
                "/finding/list".into(),
                format!(
                    "`{}` is expected to be one list, such as `items[]`",
                    list.target
                ),
            );
            return None;
        }
        self.check_source(&list.source, "/finding/each");
        if list.nested
            && let Some(place) = self
                .checks
                .model
                .as_ref()
                .and_then(|model| model.root().property("asset"))
        {
            self.follow_target(&place, "", &list.target.segments, "/finding/list".into());
        }
        let steps = self.want(&list.source);
        let fields: Vec<Step> = steps
            .into_iter()
            .filter(|step| *step != Step::Each)
            .collect();
        let path = path_steps(&fields);
        let mut lists = Vec::new();
        let group = self.group(&list.source);
        // Only the list is made here; its rules fill it.
        insert_list(&mut self.root, &list.target.segments, &mut lists).ok()?;
        Some(FindingList {
            fields,
            path,
            group,
            list: *lists.first()?,
            nested: list.nested,
        })
    }

    fn head(&mut self, head: &format::Head, base: Option<&Path>) -> Option<Head> {
        let key = self.expression(&head.key, base);
        let mut all = |specs: &[(String, Spec)]| -> Vec<(String, Expression)> {
            specs
                .iter()
                .filter_map(|(name, spec)| Some((name.clone(), self.expression(spec, base)?)))
                .collect()
        };
        let identity = all(&head.identity);
        let facets = all(&head.facets);
        for (at, (name, _)) in head.identity.iter().enumerate() {
            const KNOWN: [&str; 5] = ["external-id", "host-name", "domain", "mac", "ip"];
            if !KNOWN.contains(&name.as_str())
                && head.identity.iter().position(|(other, _)| other == name) == Some(at)
            {
                let hint = nearest(name, KNOWN)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                let message = format!(
                    "`{name}` identifies nothing; known are {}{hint}",
                    KNOWN.join(", ")
                );
                self.problem(format!("{}/identity/{name}", head.pointer), message);
            }
        }
        Some(Head {
            key: key?,
            identity,
            facets,
        })
    }

    /// Compiles a value. `base` is the list that it is evaluated in each element of, whatever its own sources are.
    fn expression(&mut self, spec: &Spec, base: Option<&Path>) -> Option<Expression> {
        let pointer = format!("{}/source", spec.pointer);
        let mut good = true;
        for path in &spec.sources {
            good &= self.check_source(path, &pointer);
        }
        let deepest = spec
            .sources
            .iter()
            .map(Path::lists)
            .max_by_key(Vec::len)
            .unwrap_or_default();
        for path in &spec.sources {
            if !deepest.starts_with(&path.lists()) {
                self.problem(
                    pointer.clone(),
                    format!("`{path}` lies in another list than the other sources; values of different lists are never paired"),
                );
                good = false;
            }
        }
        let chain = match base {
            Some(base) if deepest.is_empty() => base.lists(),
            _ => deepest,
        };
        let in_finding = base.is_some() && chain.first() == base;
        let mut when = Vec::new();
        for condition in &spec.when {
            when.extend(self.condition(condition, &chain, &format!("{}/when", spec.pointer)));
        }
        let source = (!spec.sources.is_empty() || in_finding).then(|| {
            let (steps, path) = chain
                .last()
                .map(|list| self.want_list(list))
                .unwrap_or_default();
            let tails = spec
                .sources
                .iter()
                .map(|path| self.lookup(path, &chain))
                .collect();
            Source {
                lists: steps,
                path,
                tails,
                combine: spec.combine.clone(),
            }
        });
        good.then(|| Expression {
            source,
            conversions: spec.conversions.clone(),
            default: spec.default.clone(),
            constant: spec.constant.clone(),
            when,
            in_finding,
        })
    }

    fn condition(
        &mut self,
        written: &Condition<Path>,
        chain: &[Path],
        pointer: &str,
    ) -> Option<Condition<Lookup>> {
        let custom_fields = self.checks.custom_fields;
        written.resolve(custom_fields, &mut |path: &Path| {
            self.check_source(path, pointer)
                .then(|| self.lookup(path, chain))
        })
    }

    /// Marks a path as wanted, its value whole, and gives the steps to it.
    fn want(&mut self, path: &Path) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut wanted = &mut self.wanted;
        for segment in &path.segments {
            let (slot, below) = wanted.field(&segment.name);
            steps.push(Step::Key {
                name: segment.name.clone(),
                slot,
            });
            wanted = below;
            if segment.list {
                steps.push(Step::Each);
                wanted = wanted.items();
            }
        }
        steps
    }

    /// The steps from list to list, down to `list`.
    fn want_list(&mut self, list: &Path) -> (Vec<Vec<Step>>, Vec<PathStep>) {
        let steps = self.want(list);
        let path = path_steps(&steps);
        let mut pieces: Vec<Vec<Step>> = steps
            .split(|step| *step == Step::Each)
            .map(<[Step]>::to_vec)
            .collect();
        // A list ends with the step into its elements: nothing stands behind it.
        pieces.pop();
        (pieces, path)
    }

    /// The way to a path's value from the innermost list that it shares with `chain`.
    fn lookup(&mut self, path: &Path, chain: &[Path]) -> Lookup {
        let steps = self.want(path);
        let mut wanted = &mut self.wanted;
        for segment in &path.segments {
            wanted = wanted.field(&segment.name).1;
            if segment.list {
                wanted = wanted.items();
            }
        }
        wanted.whole = true;
        let depth = path
            .lists()
            .iter()
            .zip(chain)
            .take_while(|(mine, theirs)| mine == theirs)
            .count();
        let mut passed = 0;
        let rest = steps.iter().skip_while(|step| {
            let before = passed < depth;
            passed += usize::from(**step == Step::Each);
            before
        });
        let rest = rest.cloned().collect();
        Lookup {
            depth,
            steps: rest,
            path: path_steps(&steps),
        }
    }

    /// Whether one of the map's data streams has the path.
    fn check_source(&mut self, path: &Path, pointer: &str) -> bool {
        let mut miss = None;
        for schema in &self.checks.sources {
            let Some(schema) = schema else { return true };
            match schema.root().follow(&path.segments) {
                Ok(_) => return true,
                Err(found) => miss = miss.or(Some(found)),
            }
        }
        let Some(miss) = miss else { return true };
        let known: Vec<String> = self
            .checks
            .sources
            .iter()
            .flatten()
            .flat_map(|schema| schema.root().paths())
            .collect();
        let message = explain(&miss, &path.to_string(), &known, "the source record");
        self.problem(pointer.to_owned(), message);
        false
    }

    fn follow_target(
        &mut self,
        place: &Place<'_>,
        prefix: &str,
        segments: &[Segment],
        pointer: String,
    ) -> Option<Types> {
        match place.follow(segments) {
            Ok(place) => {
                let items = place.items().map_or(Kinds::ALL, |items| items.kinds());
                Some(Types {
                    value: place.kinds(),
                    items,
                })
            }
            Err(miss) => {
                let known: Vec<String> = place
                    .paths()
                    .into_iter()
                    .map(|path| format!("{prefix}{path}"))
                    .collect();
                let miss = match miss {
                    Miss::Unknown(path) => Miss::Unknown(format!("{prefix}{path}")),
                    Miss::Listness { path, is_list } => Miss::Listness {
                        path: format!("{prefix}{path}"),
                        is_list,
                    },
                };
                let written = Path {
                    segments: segments.to_vec(),
                };
                let message = explain(
                    &miss,
                    &format!("{prefix}{written}"),
                    &known,
                    "the target model",
                );
                self.problem(pointer, message);
                None
            }
        }
    }

    /// What the target model says of a path; anything where it says nothing.
    fn target_types(&mut self, target: &Path, file: &MapFile, pointer: String) -> Option<Types> {
        let any = Types {
            value: Kinds::ALL,
            items: Kinds::ALL,
        };
        let Some(model) = &self.checks.model else {
            return Some(any);
        };
        let list = file
            .finding
            .as_ref()
            .and_then(|finding| finding.list.as_ref());
        let in_list = list.and_then(|list| Some((list, target.below(&list.target)?)));
        let (kind, prefix, segments) = match in_list {
            Some((list, rest)) => ("finding", format!("{}.", list.target), rest),
            None if file.asset.is_some() => ("asset", String::new(), target.segments.as_slice()),
            None => ("finding", String::new(), target.segments.as_slice()),
        };
        match model.root().property(kind) {
            Some(place) => self.follow_target(&place, &prefix, segments, pointer),
            None => {
                self.problem(pointer, format!("the target model has no {kind} documents"));
                None
            }
        }
    }

    fn rule(
        &mut self,
        index: usize,
        rule: &format::Rule,
        file: &MapFile,
        base: Option<&format::FindingList>,
        placeholders: &mut Vec<Placeholder>,
    ) -> Option<Rule> {
        let pointer = format!("{}/target", rule.spec.pointer);
        let target_lists = rule.target.lists();
        let in_finding = base.filter(|base| target_lists.first() == Some(&base.target));
        let value = self.expression(&rule.spec, in_finding.map(|base| &base.source));
        let types = self.target_types(&rule.target, file, pointer.clone());
        let mut places = Vec::new();
        let leaf = match insert(&mut self.root, &rule.target.segments, &mut places) {
            Ok(leaf) => leaf,
            Err(()) => {
                self.problem(
                    pointer,
                    format!(
                        "`{}` is a value for one rule and has values below it for another",
                        rule.target
                    ),
                );
                return None;
            }
        };
        let placeholder = match &rule.placeholder {
            None => None,
            Some((value, format)) => {
                if target_lists.len() > usize::from(in_finding.is_some()) {
                    self.problem(
                        pointer,
                        "a placeholder stands in a document or in a finding, in no other list"
                            .into(),
                    );
                    return None;
                }
                let below = in_finding
                    .and_then(|base| rule.target.below(&base.target))
                    .unwrap_or(&rule.target.segments);
                let mut at = String::new();
                below
                    .iter()
                    .for_each(|segment| super::path::push_pointer(&mut at, &segment.name));
                placeholders.push(Placeholder {
                    pointer: at,
                    value: *value,
                    format: format.clone(),
                });
                placeholders.len().checked_sub(1)
            }
        };
        let value = value?;
        let chain: Vec<Path> = match in_finding {
            Some(base)
                if value.in_finding
                    && rule.spec.sources.iter().all(|path| path.lists().is_empty()) =>
            {
                base.source.lists()
            }
            _ => rule
                .spec
                .sources
                .iter()
                .map(Path::lists)
                .max_by_key(Vec::len)
                .unwrap_or_default(),
        };
        let lists = self.place_lists(rule, &chain, &places, in_finding)?;
        if in_finding.is_some()
            && target_lists.len() == 1
            && matches!(rule.align, Written::Value(_))
        {
            self.problem(
                format!("{}/align", rule.spec.pointer),
                "findings are joined by their key alone".into(),
            );
            return None;
        }
        // What belongs to a finding belongs to each of them by itself.
        let each = rule.align == Written::Each
            && !target_lists.is_empty()
            && in_finding.is_none_or(|base| chain.first() != Some(&base.source));
        let align = if each {
            Align::Each
        } else {
            self.align(rule, &target_lists, chain.is_empty())?
        };
        Some(Rule {
            index,
            value,
            required: rule.required,
            lists,
            leaf,
            align,
            types: types?,
            placeholder,
        })
    }

    /// The target lists on the way, each with its group of elements.
    fn place_lists(
        &mut self,
        rule: &format::Rule,
        chain: &[Path],
        places: &[usize],
        in_finding: Option<&format::FindingList>,
    ) -> Option<Vec<(usize, usize)>> {
        let last = places.len().saturating_sub(1);
        let mut lists = Vec::new();
        for (level, place) in places.iter().enumerate() {
            let mut list = match chain.get(level) {
                Some(list) => list.clone(),
                None => rule
                    .spec
                    .sources
                    .first()
                    .map(Path::spread)
                    .unwrap_or_else(|| rule.target.clone()),
            };
            if let (Written::Position(on), true) = (&rule.align, level == last) {
                if !self.check_source(on, &format!("{}/on", rule.spec.pointer)) {
                    return None;
                }
                list = on.spread();
            }
            if let (Some(base), 0) = (in_finding, level)
                && list != base.source
                && rule.align != Written::Each
            {
                self.problem(
                    format!("{}/source", rule.spec.pointer),
                    format!(
                        "elements of `{}` are made of `{}`; a value of `{list}` belongs to none of them (see `align`)",
                        base.target, base.source
                    ),
                );
                return None;
            }
            lists.push((*place, self.group(&list)));
        }
        Some(lists)
    }

    fn align(
        &mut self,
        rule: &format::Rule,
        target_lists: &[Path],
        no_source_list: bool,
    ) -> Option<Align> {
        let pointer = format!("{}/align", rule.spec.pointer);
        if target_lists.is_empty() {
            if rule.align != Written::Own {
                self.problem(
                    pointer,
                    format!("`{}` is in no list: there is nothing to align", rule.target),
                );
                return None;
            }
            return Some(Align::Group);
        }
        Some(match &rule.align {
            Written::Each => Align::Group,
            // A constant or a placeholder belongs to every element.
            Written::Own if rule.spec.sources.is_empty() && no_source_list => Align::Each,
            Written::Own | Written::Position(_) => Align::Group,
            Written::Value(on) => {
                let path = self.join_path(rule, target_lists, on);
                match insert(&mut self.root, &path.segments, &mut Vec::new()) {
                    Ok(leaf) => Align::Value(leaf),
                    Err(()) => {
                        self.problem(
                            format!("{}/on", rule.spec.pointer),
                            format!("`{path}` is no single value"),
                        );
                        return None;
                    }
                }
            }
        })
    }

    /// The whole path of the field that a rule joins on.
    fn join_path(&self, rule: &format::Rule, target_lists: &[Path], on: &Path) -> Path {
        if rule.target.segments.last().is_some_and(|last| last.list) {
            // A list of plain values has no fields: its elements are joined on themselves.
            return rule.target.clone();
        }
        let mut segments = target_lists
            .last()
            .map(|list| list.segments.clone())
            .unwrap_or_default();
        segments.extend(on.segments.iter().cloned());
        Path { segments }
    }

    /// Whether some rule writes what another joins on.
    fn check_join(&mut self, rule: &format::Rule, file: &MapFile) {
        let Written::Value(on) = &rule.align else {
            return;
        };
        let target_lists = rule.target.lists();
        if target_lists.is_empty() {
            return;
        }
        let path = self.join_path(rule, &target_lists, on);
        if !file.rules.iter().any(|other| other.target == path) {
            self.problem(
                format!("{}/on", rule.spec.pointer),
                format!("no rule writes `{path}`, so nothing can be joined on it"),
            );
        }
    }
}

/// Steps as pieces of a pointer.
fn path_steps(steps: &[Step]) -> Vec<PathStep> {
    let piece = |step: &Step| match step {
        Step::Key { name, .. } => PathStep::Key(name.clone()),
        Step::Each => PathStep::Element,
    };
    steps.iter().map(piece).collect()
}

/// Why a path is not in a schema, and which one would be.
fn explain(miss: &Miss, written: &str, known: &[String], whose: &str) -> String {
    match miss {
        Miss::Unknown(path) => {
            let near = nearest(written, known.iter().map(String::as_str));
            let near = near.or_else(|| nearest(path, known.iter().map(String::as_str)));
            let hint = near
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            format!("{whose} has no `{path}`{hint}")
        }
        Miss::Listness {
            path,
            is_list: true,
        } => format!("`{path}` is a list in {whose}; write `{path}[]`"),
        Miss::Listness {
            path,
            is_list: false,
        } => {
            format!(
                "`{path}` is no list in {whose}; write `{}`",
                path.strip_suffix("[]").unwrap_or(path)
            )
        }
    }
}

/// Makes a place for a value, and tells the lists on the way. Fails where a value and an object or a list would share a place.
fn insert(scope: &mut Scope, segments: &[Segment], lists: &mut Vec<usize>) -> Result<usize, ()> {
    let (below, rest) = descend(scope, segments, lists)?;
    match below {
        Below::Scope(inner) => insert(inner, rest, lists),
        Below::Leaf(leaf) => Ok(leaf),
    }
}

/// Makes a place for a list.
fn insert_list(scope: &mut Scope, segments: &[Segment], lists: &mut Vec<usize>) -> Result<(), ()> {
    match descend(scope, segments, lists)? {
        (Below::Scope(_), []) => Ok(()),
        (Below::Scope(inner), rest) => insert_list(inner, rest, lists),
        (Below::Leaf(_), _) => Err(()),
    }
}

enum Below<'s> {
    /// An element of a list.
    Scope(&'s mut Scope),
    Leaf(usize),
}

/// Goes down to the next list or to the value.
fn descend<'s, 'p>(
    scope: &'s mut Scope,
    segments: &'p [Segment],
    places: &mut Vec<usize>,
) -> Result<(Below<'s>, &'p [Segment]), ()> {
    let Scope {
        leaves,
        lists,
        shape,
    } = scope;
    let mut shape = shape;
    let mut rest = segments;
    while let Some((segment, below)) = rest.split_first() {
        let Shape::Object(keys) = shape else {
            return Err(());
        };
        shape = keys
            .entry(segment.name.clone())
            .or_insert_with(|| Shape::Object(BTreeMap::new()));
        rest = below;
        if segment.list {
            let fresh = matches!(shape, Shape::Object(keys) if keys.is_empty());
            if fresh {
                *shape = Shape::List(lists.len());
                lists.push(Scope::default());
            }
            let Shape::List(place) = shape else {
                return Err(());
            };
            places.push(*place);
            return Ok((Below::Scope(lists.get_mut(*place).ok_or(())?), rest));
        }
    }
    match shape {
        Shape::Leaf(leaf) => Ok((Below::Leaf(*leaf), rest)),
        Shape::Object(keys) if keys.is_empty() => {
            let leaf = *leaves;
            *leaves += 1;
            *shape = Shape::Leaf(leaf);
            Ok((Below::Leaf(leaf), rest))
        }
        _ => Err(()),
    }
}
