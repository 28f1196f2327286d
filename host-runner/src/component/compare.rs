//! What one build of a component can do that another can't.
//!
//! Where it can't be told whether a change is for more or for less (another permission, another path), it counts as more: a person must look.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::profile::{BudgetProfile, CallProfile, MapProfile, Profile, StreamProfile};
use super::schema;

/// Which way a difference goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The new build can do more, or what it may do can't be told to be no more.
    Further,
    /// It can do less.
    Less,
    /// Neither: another version, another map.
    Other,
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// An import.
    Import,
    /// An export.
    Export,
    /// A rule for an origin.
    Origin,
    /// A call.
    Call,
    /// A limit on requests.
    Budget,
    /// A secret of the configuration.
    Secret,
    /// A value that is marked as personal.
    Personal,
    /// A data stream.
    DataStream,
    /// A field of the configuration.
    Configuration,
    /// A field of a data stream's records.
    Schema,
    /// A transform map.
    Map,
    /// What stands on the card, and the file itself.
    Build,
}

impl Aspect {
    /// In a word or two, for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Origin => "origin",
            Self::Call => "call",
            Self::Budget => "budget",
            Self::Secret => "secret",
            Self::Personal => "personal value",
            Self::DataStream => "data stream",
            Self::Configuration => "configuration",
            Self::Schema => "field",
            Self::Map => "map",
            Self::Build => "build",
        }
    }
}

/// One difference between two builds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Which way it goes.
    pub direction: Direction,
    /// What it is about.
    pub aspect: Aspect,
    /// Which of them.
    pub name: String,
    /// Which part of it: "path", "permission"; none for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    /// What it was; none where it was not there.
    pub old: Option<String>,
    /// What it is now; none where it is gone.
    pub new: Option<String>,
}

impl Difference {
    /// Its subject: "call `list`, permission".
    #[must_use]
    pub fn subject(&self) -> String {
        match (self.aspect, self.part) {
            (Aspect::Build, _) => self.name.clone(),
            (aspect, None) => format!("{} `{}`", aspect.word(), self.name),
            (aspect, Some(part)) => format!("{} `{}`, {part}", aspect.word(), self.name),
        }
    }

    /// What became of it: "new: ...", "gone: ...", "... -> ...".
    #[must_use]
    pub fn change(&self) -> String {
        let told = |what: &str, value: &str| {
            if value.is_empty() || value == self.name {
                what.to_owned()
            } else {
                format!("{what}: {value}")
            }
        };
        let quoted = |text: &str| {
            if text.is_empty() {
                "(none)".to_owned()
            } else {
                text.to_owned()
            }
        };
        match (self.old.as_deref(), self.new.as_deref()) {
            (None, Some(new)) => told("new", new),
            (Some(old), None) => told("gone", old),
            (old, new) => format!(
                "{} -> {}",
                quoted(old.unwrap_or_default()),
                quoted(new.unwrap_or_default())
            ),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject(), self.change())
    }
}

/// All differences between two builds, in a fixed order: what reaches further comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The differences.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Compares two builds.
    #[must_use]
    pub fn of(old: &Profile, new: &Profile) -> Self {
        let mut found = Found::default();
        found.build(old, new);
        found.names(Aspect::Import, &old.imports, &new.imports);
        found.names(Aspect::Export, &old.exports, &new.exports);
        found.origins(&old.origins, &new.origins);
        for (name, pair) in pairs(&old.calls, &new.calls) {
            found.call(name, pair);
        }
        found.budgets(&old.budgets, &new.budgets);
        found
            .differences
            .extend(schema::configuration(&old.config, &new.config));
        for (name, pair) in pairs(&old.data_streams, &new.data_streams) {
            found.stream(name, pair);
        }
        for (name, pair) in pairs(&old.maps, &new.maps) {
            found.map(name, pair);
        }
        found.differences.sort();
        Self {
            differences: found.differences,
        }
    }

    /// Those of one direction.
    pub fn towards(&self, direction: Direction) -> impl Iterator<Item = &Difference> {
        self.differences
            .iter()
            .filter(move |difference| difference.direction == direction)
    }

    /// Whether the new build reaches further than the old one.
    #[must_use]
    pub fn reaches_further(&self) -> bool {
        self.towards(Direction::Further).next().is_some()
    }
}

/// The old and the new of one name, at least one of which is there.
type Pair<'a, V> = (Option<&'a V>, Option<&'a V>);

fn pairs<'a, V>(
    old: &'a BTreeMap<String, V>,
    new: &'a BTreeMap<String, V>,
) -> impl Iterator<Item = (&'a str, Pair<'a, V>)> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .map(|name| (name.as_str(), (old.get(name), new.get(name))))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    differences: Vec<Difference>,
}

impl Found {
    fn add(
        &mut self,
        direction: Direction,
        aspect: Aspect,
        name: &str,
        part: Option<&'static str>,
        (old, new): (Option<String>, Option<String>),
    ) {
        self.differences.push(Difference {
            direction,
            aspect,
            name: name.to_owned(),
            part,
            old,
            new,
        });
    }

    /// A text that is another one now.
    fn text(
        &mut self,
        direction: Direction,
        (aspect, name, part): (Aspect, &str, &'static str),
        old: &str,
        new: &str,
    ) {
        if old != new {
            let values = (Some(old.to_owned()), Some(new.to_owned()));
            self.add(direction, aspect, name, Some(part), values);
        }
    }

    fn build(&mut self, old: &Profile, new: &Profile) {
        for (name, (old, new)) in pairs(&old.card, &new.card) {
            if old != new {
                self.add(
                    Direction::Other,
                    Aspect::Build,
                    name,
                    None,
                    (old.cloned(), new.cloned()),
                );
            }
        }
        for (name, old, new) in [
            ("sha-256", old.sha256.clone(), new.sha256.clone()),
            ("size", old.size.to_string(), new.size.to_string()),
        ] {
            if old != new {
                self.add(
                    Direction::Other,
                    Aspect::Build,
                    name,
                    None,
                    (Some(old), Some(new)),
                );
            }
        }
    }

    /// Imports can do something, exports can't.
    fn names(&mut self, aspect: Aspect, old: &BTreeSet<String>, new: &BTreeSet<String>) {
        let (more, less) = if aspect == Aspect::Import {
            (Direction::Further, Direction::Less)
        } else {
            (Direction::Other, Direction::Other)
        };
        for name in new.difference(old) {
            self.add(more, aspect, name, None, (None, Some(name.clone())));
        }
        for name in old.difference(new) {
            self.add(less, aspect, name, None, (Some(name.clone()), None));
        }
    }

    fn origins(
        &mut self,
        old: &BTreeMap<String, BTreeSet<String>>,
        new: &BTreeMap<String, BTreeSet<String>>,
    ) {
        let none = BTreeSet::new();
        for (name, (old, new)) in pairs(old, new) {
            let (old, new) = (old.unwrap_or(&none), new.unwrap_or(&none));
            for rule in new.difference(old) {
                self.add(
                    Direction::Further,
                    Aspect::Origin,
                    name,
                    None,
                    (None, Some(rule.clone())),
                );
            }
            for rule in old.difference(new) {
                self.add(
                    Direction::Less,
                    Aspect::Origin,
                    name,
                    None,
                    (Some(rule.clone()), None),
                );
            }
        }
    }

    /// What both builds have. What only one has is told: one more reaches further, one less reaches less.
    fn in_both<'p, V>(
        &mut self,
        aspect: Aspect,
        name: &str,
        pair: Pair<'p, V>,
        shown: impl Fn(&V) -> String,
    ) -> Option<(&'p V, &'p V)> {
        match pair {
            (Some(old), Some(new)) => return Some((old, new)),
            (old, new) => {
                let direction = if new.is_some() {
                    Direction::Further
                } else {
                    Direction::Less
                };
                if old.is_some() || new.is_some() {
                    self.add(
                        direction,
                        aspect,
                        name,
                        None,
                        (old.map(&shown), new.map(&shown)),
                    );
                }
            }
        }
        None
    }

    fn call(&mut self, name: &str, pair: Pair<'_, CallProfile>) {
        let aspect = Aspect::Call;
        let Some((old, new)) = self.in_both(aspect, name, pair, CallProfile::to_string) else {
            return;
        };
        let further = Direction::Further;
        self.text(further, (aspect, name, "origin"), &old.origin, &new.origin);
        self.text(further, (aspect, name, "method"), &old.method, &new.method);
        self.text(further, (aspect, name, "path"), &old.path, &new.path);
        let needs = if new.permission.is_empty() {
            Direction::Less
        } else {
            further
        };
        self.text(
            needs,
            (aspect, name, "permission"),
            &old.permission,
            &new.permission,
        );
        if old.changes != new.changes {
            let direction = if new.changes {
                further
            } else {
                Direction::Less
            };
            self.text(
                direction,
                (aspect, name, "what it does"),
                does(old.changes),
                does(new.changes),
            );
        }
        let licence = |call: &CallProfile| call.licence.clone().unwrap_or_default();
        self.text(
            Direction::Other,
            (aspect, name, "licence"),
            &licence(old),
            &licence(new),
        );
        let streams = |call: &CallProfile| listed(&call.data_streams, "test");
        self.text(
            Direction::Other,
            (aspect, name, "used for"),
            &streams(old),
            &streams(new),
        );
    }

    /// Budgets over the same calls belong together. One that is gone held the component back.
    fn budgets(&mut self, old: &[BudgetProfile], new: &[BudgetProfile]) {
        let calls: BTreeSet<&BTreeSet<String>> =
            old.iter().chain(new).map(|budget| &budget.calls).collect();
        for calls in calls {
            let of = |budgets: &[BudgetProfile]| -> Vec<BudgetProfile> {
                let mut found: Vec<_> = budgets
                    .iter()
                    .filter(|budget| budget.calls == *calls)
                    .cloned()
                    .collect();
                found.sort_by_key(|budget| (budget.seconds, budget.requests));
                found
            };
            self.budgets_of(&listed(calls, "all calls"), of(old), of(new));
        }
    }

    fn budgets_of(&mut self, name: &str, mut old: Vec<BudgetProfile>, mut new: Vec<BudgetProfile>) {
        // What is the same on both sides is no difference, however often it is said.
        old.retain(|budget| {
            let same = new.iter().position(|other| other == budget);
            same.map(|at| new.remove(at)).is_none()
        });
        if let ([before], [after]) = (old.as_slice(), new.as_slice()) {
            let direction = if after.allows_more_than(before) {
                Direction::Further
            } else {
                Direction::Less
            };
            let values = (Some(before.to_string()), Some(after.to_string()));
            return self.add(direction, Aspect::Budget, name, None, values);
        }
        for budget in old {
            self.add(
                Direction::Further,
                Aspect::Budget,
                name,
                None,
                (Some(budget.to_string()), None),
            );
        }
        for budget in new {
            self.add(
                Direction::Less,
                Aspect::Budget,
                name,
                None,
                (None, Some(budget.to_string())),
            );
        }
    }

    fn stream(&mut self, name: &str, pair: Pair<'_, StreamProfile>) {
        let aspect = Aspect::DataStream;
        let Some((old, new)) = self.in_both(aspect, name, pair, |stream| stream.title.clone())
        else {
            return;
        };
        self.text(
            Direction::Other,
            (aspect, name, "title"),
            &old.title,
            &new.title,
        );
        let incremental = |stream: &StreamProfile| if stream.incremental { "yes" } else { "no" };
        self.text(
            Direction::Other,
            (aspect, name, "incremental"),
            incremental(old),
            incremental(new),
        );
        self.differences
            .extend(schema::records(name, &old.schema, &new.schema));
    }

    fn map(&mut self, name: &str, pair: Pair<'_, MapProfile>) {
        let text = |map: &MapProfile| format!("target {}, SHA-256 {}", map.target, map.sha256);
        let (old, new) = pair;
        if old != new {
            self.add(
                Direction::Other,
                Aspect::Map,
                name,
                None,
                (old.map(text), new.map(text)),
            );
        }
    }
}

impl BudgetProfile {
    /// Whether it lets more through than another over the same calls: more in the long run, or more at once.
    fn allows_more_than(&self, other: &Self) -> bool {
        let rate = |one: &Self, by: &Self| u64::from(one.requests) * u64::from(by.seconds);
        rate(self, other) > rate(other, self) || self.requests > other.requests
    }
}

impl fmt::Display for BudgetProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} s", self.requests, self.seconds)
    }
}

impl fmt::Display for CallProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} at {}, {}, for {}",
            self.method,
            self.path,
            self.origin,
            does(self.changes),
            listed(&self.data_streams, "test")
        )?;
        if !self.permission.is_empty() {
            write!(f, ", permission {}", self.permission)?;
        }
        if let Some(licence) = &self.licence {
            write!(f, ", licence {licence}")?;
        }
        Ok(())
    }
}

fn does(changes: bool) -> &'static str {
    if changes { "CHANGES" } else { "reads" }
}

fn listed(names: &BTreeSet<String>, none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
