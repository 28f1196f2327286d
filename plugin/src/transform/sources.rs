//! Source paths: checked against the schemas of the data streams, and made into ways through a record.

use super::compile::Compiler;
use super::condition::Condition;
use super::path::Path;
use super::plan::{Expression, Lookup, Source, Step};
use super::schema::{Miss, nearest};
use super::spec::Spec;

impl Compiler<'_> {
    /// Compiles a value. `base` is the list that it is evaluated in each element of, whatever its own sources are.
    pub(super) fn expression(&mut self, spec: &Spec, base: Option<&Path>) -> Option<Expression> {
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
        let outside = |lookup: &Lookup| lookup.depth == 0;
        let mut per_element = chain.len() > 1 || !when.iter().all(|one| one.all_sources(&outside));
        let source = (!spec.sources.is_empty() || in_finding).then(|| {
            let (steps, path) = chain
                .last()
                .map(|list| self.want_list(list))
                .unwrap_or_default();
            let tails: Vec<Lookup> = spec
                .sources
                .iter()
                .map(|path| self.lookup(path, &chain))
                .collect();
            per_element |= tails.iter().any(|tail| tail.depth > 0);
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
            per_record: !(in_finding && per_element),
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
    pub(super) fn want(&mut self, path: &Path) -> Vec<Step> {
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
    fn want_list(&mut self, list: &Path) -> (Vec<Vec<Step>>, Vec<Step>) {
        let steps = self.want(list);
        let mut pieces: Vec<Vec<Step>> = steps
            .split(|step| *step == Step::Each)
            .map(<[Step]>::to_vec)
            .collect();
        // A list ends with the step into its elements: nothing stands behind it.
        pieces.pop();
        (pieces, steps)
    }

    /// The way to a path's value from the innermost list that it shares with `chain`.
    fn lookup(&mut self, path: &Path, chain: &[Path]) -> Lookup {
        self.reads.insert(path.to_string());
        self.way(path, chain)
    }

    /// The same for what no rule of the map reads.
    pub(super) fn way(&mut self, path: &Path, chain: &[Path]) -> Lookup {
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
            path: steps,
        }
    }

    /// Whether one of the map's data streams has the path.
    pub(super) fn check_source(&mut self, path: &Path, pointer: &str) -> bool {
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
}

/// Why a path is not in a schema, and which one would be.
pub(super) fn explain(miss: &Miss, written: &str, known: &[String], whose: &str) -> String {
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
