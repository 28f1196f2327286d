//! Makes a plan of a map: paths are checked against the schemas of source and target, names become places.

use super::format::{self, Align as Written, MapFile};
use super::layout::{insert, insert_list};
use super::order::arranged;
use super::path::{Path, Segment};
use super::plan::{
    Align, Expression, Finding, FindingList, Head, Needs, Placeholder, Plan, Rule, Scope, Step,
    Types,
};
use super::schema::{Kinds, Miss, Place, Schema, nearest};
use super::sources::explain;
use super::spec::Spec;
use super::value::Wanted;
use crate::contract::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// What a map is checked against.
pub(super) struct Checks<'c> {
    /// The schema of each of the map's data streams; none where it is not known, and then any path will do.
    pub(super) sources: Vec<Option<Schema>>,
    /// The schema of the target model.
    pub(super) model: Option<Schema>,
    /// Where a record of the data stream has its own key.
    pub(super) key: Option<Path>,
    /// Custom fields that the platform has.
    pub(super) custom_fields: &'c [String],
}

/// The target lists on the way to a value, each with its group of elements.
type Way = Vec<(usize, usize)>;

/// Compiles a map. The plan is of use only where no problem was added.
pub(super) fn compile(file: &MapFile, checks: &Checks<'_>, problems: &mut Vec<Problem>) -> Plan {
    let mut compiler = Compiler {
        checks,
        problems,
        wanted: Wanted::default(),
        reads: BTreeSet::new(),
        root: Scope::default(),
        groups: BTreeMap::new(),
    };
    let base = file
        .finding
        .as_ref()
        .and_then(|finding| finding.list.as_ref());
    let mut finding = file
        .finding
        .as_ref()
        .and_then(|finding| compiler.finding(finding, file.asset.as_ref()));
    let asset = file
        .asset
        .as_ref()
        .and_then(|head| compiler.head(head, &head.identity, None));
    let mut placeholders = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut written: BTreeMap<&Path, Vec<(usize, Way, bool)>> = BTreeMap::new();
    for (index, rule) in file.rules.iter().enumerate() {
        let Some(compiled) = compiler.rule(index, rule, file, base, &mut placeholders) else {
            continue;
        };
        let others = written.entry(&rule.target).or_default();
        // Rules that never meet in an element do not clash, nor does one behind a rule that may not hold, nor what stands behind a
        // source's value for when there is none.
        let fixed = rule.spec.sources.is_empty();
        let clash = others
            .iter()
            .find(|(_, lists, may_lack)| *lists == compiled.lists && !(fixed && *may_lack));
        if let Some((earlier, _, _)) = clash {
            compiler.problems.push(Problem {
                pointer: format!("{}/target", rule.spec.pointer),
                message: format!(
                    "rule {earlier} (counted from 0) writes `{}` already; give that rule a condition (`when`), or join both with `first-of`",
                    rule.target
                ),
            });
        }
        if rule.spec.when.is_empty() {
            others.push((index, compiled.lists.clone(), !fixed));
        }
        rules.push(compiled);
    }
    let mut targets: BTreeSet<&Path> = BTreeSet::new();
    targets.extend(file.rules.iter().map(|rule| &rule.target));
    for rule in &file.rules {
        compiler.check_join(rule, &targets);
    }
    let key = checks.key.as_ref().filter(|_| finding.is_some());
    let key = key.map(|key| compiler.way(key, &[]));
    compiler.wanted.settle();
    let needs = compiler.note_needs(file, finding.as_mut());
    let rules = arranged(rules).unwrap_or_else(|rule| {
        compiler.problem(
            format!("/rules/{rule}/on"),
            "rules that join on what one another writes have no order; let one of them join on what a third rule writes".into(),
        );
        Vec::new()
    });
    // Within both halves the order stays.
    let (mut rules, each): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| rule.align != Align::Each);
    rules.extend(each);
    Plan {
        wanted: compiler.wanted,
        reads: compiler.reads.into_iter().collect(),
        key,
        asset,
        finding,
        rules,
        root: compiler.root,
        needs,
        placeholders,
    }
}

pub(super) struct Compiler<'c> {
    pub(super) checks: &'c Checks<'c>,
    pub(super) problems: &'c mut Vec<Problem>,
    pub(super) wanted: Wanted,
    pub(super) reads: BTreeSet<String>,
    pub(super) root: Scope,
    groups: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    pub(super) fn problem(&mut self, pointer: String, message: String) {
        self.problems.push(Problem { pointer, message });
    }

    /// The group of target elements that belong to a source list.
    fn group(&mut self, list: &Path) -> usize {
        let next = self.groups.len();
        *self.groups.entry(list.to_string()).or_insert(next)
    }

    fn finding(
        &mut self,
        finding: &format::Finding,
        map_asset: Option<&format::Head>,
    ) -> Option<Finding> {
        let base = finding.list.as_ref().map(|list| &list.source);
        // A finding on the asset of the same map is identified as that one is.
        let identity = match map_asset {
            Some(asset) if finding.head.identity.is_empty() => &asset.identity,
            _ => &finding.head.identity,
        };
        let head = self.head(&finding.head, identity, base);
        let asset = finding
            .asset
            .as_ref()
            .and_then(|spec| self.expression(spec, base));
        let list = finding
            .list
            .as_ref()
            .and_then(|list| self.finding_list(list, map_asset.is_some()));
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
        let path = fields.clone();
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
            needs: Needs::new(),
        })
    }

    fn head(
        &mut self,
        head: &format::Head,
        identity: &[(String, Spec)],
        base: Option<&Path>,
    ) -> Option<Head> {
        let key = self.expression(&head.key, base);
        let mut all = |specs: &[(String, Spec)]| -> Vec<(String, Expression)> {
            specs
                .iter()
                .filter_map(|(name, spec)| Some((name.clone(), self.expression(spec, base)?)))
                .collect()
        };
        let identity = all(identity);
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

    fn follow_target<'m>(
        &mut self,
        place: &Place<'m>,
        prefix: &str,
        segments: &[Segment],
        pointer: String,
    ) -> Option<Place<'m>> {
        match place.follow(segments) {
            Ok(place) => Some(place),
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

    /// What the target model says of a rule's target, and of what the rule writes there by itself; anything where it says nothing.
    fn target_types(
        &mut self,
        rule: &format::Rule,
        file: &MapFile,
        pointer: String,
    ) -> Option<Types> {
        let Some(model) = &self.checks.model else {
            return Some(Types {
                value: Kinds::ALL,
                items: Kinds::ALL,
            });
        };
        let target = &rule.target;
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
        let Some(place) = model.root().property(kind) else {
            self.problem(pointer, format!("the target model has no {kind} documents"));
            return None;
        };
        let place = self.follow_target(&place, &prefix, segments, pointer)?;
        self.check_fixed(rule, &place);
        Some(Types {
            value: place.kinds(),
            items: place.items().map_or(Kinds::ALL, |items| items.kinds()),
        })
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
        let types = self.target_types(rule, file, pointer.clone());
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
                    rule: index,
                    pointer: at,
                    value: *value,
                    format: format.clone(),
                });
                placeholders.len().checked_sub(1)
            }
        };
        let (value, types) = (value?, types?);
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
            types,
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
    fn check_join(&mut self, rule: &format::Rule, targets: &BTreeSet<&Path>) {
        let Written::Value(on) = &rule.align else {
            return;
        };
        let target_lists = rule.target.lists();
        if target_lists.is_empty() {
            return;
        }
        let path = self.join_path(rule, &target_lists, on);
        if !targets.contains(&path) {
            let mut message = format!("no rule writes `{path}`, so nothing can be joined on it");
            let mut known = Vec::new();
            for target in targets {
                if let Some(below) = target_lists.last().and_then(|list| target.below(list)) {
                    let segments = below.to_vec();
                    known.push(Path { segments }.to_string());
                }
            }
            if let Some(near) = nearest(&on.to_string(), known.iter().map(String::as_str)) {
                message.push_str(&format!("; did you mean `{near}`?"));
            }
            self.problem(format!("{}/on", rule.spec.pointer), message);
        }
    }
}
