//! Looks up what a query's names mean, and reads its values.

use crate::domain::Timestamp;

use super::error::Wrong;
use super::fields::{
    ASSET, AssetKind, DOCUMENT, FINDING, Field, FindingKind, OPEN, bare, find, normal,
};
use super::path::Path;
use super::syntax::{Asked, Name, Quote, Syntax, Value};
use super::test::{AssetTest, At, FieldTest, FindingTest};
use super::tree::Tree;
use super::value::{self, Untyped};
use super::{AssetLeaf, FindingLeaf};

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Asset,
    Finding,
}

impl Subject {
    fn other(self) -> Self {
        match self {
            Self::Asset => Self::Finding,
            Self::Finding => Self::Asset,
        }
    }

    /// The subject that a name begins with, and the rest. The rest is empty for the subject alone.
    fn split(name: &str) -> Option<(Self, &str)> {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match normal(first).as_str() {
            "asset" | "assets" => Some((Self::Asset, rest)),
            "finding" | "findings" => Some((Self::Finding, rest)),
            _ => None,
        }
    }

    fn has_group(self, name: &str) -> bool {
        let below = format!("{name}.");
        let begins = |known: &str| normal(known).starts_with(&below);
        let fields = match self {
            Self::Asset => {
                ASSET.iter().any(|field| field.names().any(begins)) || find(ASSET, name).is_some()
            }
            Self::Finding => {
                FINDING.iter().any(|field| field.names().any(begins))
                    || find(FINDING, name).is_some()
            }
        };
        let first = name.split_once('.').map_or(name, |(first, _)| first);
        fields || first == DOCUMENT || OPEN.iter().any(|open| normal(open) == first)
    }
}

/// What a test becomes in a query on a subject.
trait Leaf: Sized {
    const HOME: Subject;
    fn asset(test: AssetTest) -> Self;
    fn finding(test: FindingTest) -> Self;
    /// A group whose names are all of findings.
    fn findings(inner: &Syntax, scope: Scope<'_>) -> Result<Tree<Self>, Wrong>;
}

impl Leaf for AssetLeaf {
    const HOME: Subject = Subject::Asset;

    fn asset(test: AssetTest) -> Self {
        Self::Asset(test)
    }

    fn finding(test: FindingTest) -> Self {
        Self::AnyFinding(Box::new(Tree::Is(FindingLeaf::Finding(test))))
    }

    fn findings(inner: &Syntax, scope: Scope<'_>) -> Result<Tree<Self>, Wrong> {
        let tree = tree::<FindingLeaf>(inner, scope)?;
        Ok(Tree::Is(Self::AnyFinding(Box::new(tree))))
    }
}

impl Leaf for FindingLeaf {
    const HOME: Subject = Subject::Finding;

    fn asset(test: AssetTest) -> Self {
        Self::Asset(test)
    }

    fn finding(test: FindingTest) -> Self {
        Self::Finding(test)
    }

    fn findings(inner: &Syntax, scope: Scope<'_>) -> Result<Tree<Self>, Wrong> {
        tree::<Self>(inner, scope)
    }
}

/// Where in a query something stands.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    now: Timestamp,
    /// The name of the group that it stands in, with those around it.
    group: Option<&'a str>,
}

impl Scope<'_> {
    /// What a name may mean here, the nearest first.
    fn meanings(&self, name: &str) -> Vec<String> {
        let within = self.group.map(|group| format!("{group}.{name}"));
        within.into_iter().chain([name.to_owned()]).collect()
    }
}

pub(super) fn assets(syntax: &Syntax, now: Timestamp) -> Result<Tree<AssetLeaf>, Wrong> {
    tree(syntax, Scope { now, group: None })
}

pub(super) fn findings(syntax: &Syntax, now: Timestamp) -> Result<Tree<FindingLeaf>, Wrong> {
    tree(syntax, Scope { now, group: None })
}

fn tree<L: Leaf>(syntax: &Syntax, scope: Scope<'_>) -> Result<Tree<L>, Wrong> {
    let each = |parts: &[Syntax]| -> Result<Vec<Tree<L>>, Wrong> {
        parts.iter().map(|part| tree(part, scope)).collect()
    };
    match syntax {
        Syntax::And(first, rest) => Ok(Tree::all(tree(first, scope)?, each(rest)?)),
        Syntax::Or(first, rest) => Ok(Tree::any_of(tree(first, scope)?, each(rest)?)),
        Syntax::Not(inner) => Ok(tree::<L>(inner, scope)?.negated()),
        Syntax::Group(name, inner) => group(name, inner, scope),
        Syntax::Test(name, asked) => match lookup(&scope.meanings(&name.text), L::HOME, name)? {
            Some(found) => test(&found, asked, scope.now),
            None => Err(unknown::<L>(name, scope)),
        },
        // In the group of a field it is a value of that field.
        Syntax::Value(typed) => {
            let name = Name {
                text: scope.group.unwrap_or_default().to_owned(),
                place: typed.place.clone(),
            };
            match lookup(std::slice::from_ref(&name.text), L::HOME, &name)? {
                Some(found) => test(&found, &Asked::Like(typed.clone(), Vec::new()), scope.now),
                None => Err(alone::<L>(typed, scope)?),
            }
        }
    }
}

fn group<L: Leaf>(name: &Name, inner: &Syntax, scope: Scope<'_>) -> Result<Tree<L>, Wrong> {
    for meaning in scope.meanings(&name.text) {
        let (subject, rest) = match Subject::split(&meaning) {
            Some((subject, rest)) => (Some(subject), rest),
            None => (None, meaning.as_str()),
        };
        let known = |subject: Subject| rest.is_empty() || subject.has_group(&normal(rest));
        let subject = match subject {
            Some(subject) => Some(subject).filter(|subject| known(*subject)),
            None => [L::HOME, L::HOME.other()].into_iter().find(|it| known(*it)),
        };
        let inside = Scope {
            group: Some(&meaning),
            ..scope
        };
        match subject {
            Some(Subject::Asset) => return tree(inner, inside),
            Some(Subject::Finding) => return L::findings(inner, inside),
            None => {}
        }
    }
    Err(unknown::<L>(name, scope))
}

/// What a name is found to be.
enum Found {
    Asset(&'static Field<AssetKind>),
    Finding(&'static Field<FindingKind>),
    Document(Subject, Path),
}

/// The first meaning that there is. The path of a document may be wrong in itself.
fn lookup(meanings: &[String], home: Subject, name: &Name) -> Result<Option<Found>, Wrong> {
    for meaning in meanings {
        let (order, rest) = match Subject::split(meaning) {
            Some((subject, rest)) => (vec![subject], rest),
            None => (vec![home, home.other()], meaning.as_str()),
        };
        let plain = normal(rest);
        for subject in &order {
            let found = match subject {
                Subject::Asset => find(ASSET, &plain).map(Found::Asset),
                Subject::Finding => find(FINDING, &plain).map(Found::Finding),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        let Some((first, below)) = rest.split_once('.') else {
            continue;
        };
        let first = normal(first);
        let path = if first == DOCUMENT {
            Some(below)
        } else {
            OPEN.iter()
                .any(|open| normal(open) == first)
                .then_some(rest)
        };
        if let (Some(path), Some(subject)) = (path, order.first()) {
            let path =
                Path::parse(path).map_err(|message| Wrong::new(name.place.clone(), message))?;
            return Ok(Some(Found::Document(*subject, path)));
        }
    }
    Ok(None)
}

fn test<L: Leaf>(found: &Found, asked: &Asked, now: Timestamp) -> Result<Tree<L>, Wrong> {
    let leaf = match found {
        Found::Asset(field) => L::asset(match field.kind {
            AssetKind::Text(places) => AssetTest::Field(FieldTest::Text(
                At::Field(field.name, places),
                value::patterns(asked)?,
            )),
            AssetKind::Time(places) => AssetTest::Field(FieldTest::Time(
                At::Field(field.name, places),
                value::moments(asked, now)?,
            )),
            AssetKind::State => AssetTest::State(value::words(asked)?),
        }),
        Found::Finding(field) => L::finding(match field.kind {
            FindingKind::Text(places) => FindingTest::Field(FieldTest::Text(
                At::Field(field.name, places),
                value::patterns(asked)?,
            )),
            FindingKind::Time(places) => FindingTest::Field(FieldTest::Time(
                At::Field(field.name, places),
                value::moments(asked, now)?,
            )),
            FindingKind::Number(places) => FindingTest::Field(FieldTest::Number(
                At::Field(field.name, places),
                value::numbers(asked)?,
            )),
            FindingKind::Severity => FindingTest::Severity(value::severities(asked)?),
            FindingKind::State => FindingTest::State(value::words(asked)?),
        }),
        Found::Document(Subject::Asset, path) => {
            L::asset(AssetTest::Field(document(path, asked, now)?))
        }
        Found::Document(Subject::Finding, path) => {
            L::finding(FindingTest::Field(document(path, asked, now)?))
        }
    };
    let tree = Tree::Is(leaf);
    // What was read is whether there is a value.
    Ok(match asked {
        Asked::Absent(_) => tree.negated(),
        _ => tree,
    })
}

fn document<X, M>(path: &Path, asked: &Asked, now: Timestamp) -> Result<FieldTest<X, M>, Wrong> {
    let path = path.clone();
    Ok(match value::untyped(asked, now)? {
        Untyped::Text(patterns) => FieldTest::Text(At::Document(path), patterns),
        Untyped::Time(moments) => FieldTest::Time(At::Document(path), moments),
        Untyped::Number(numbers) => FieldTest::Number(At::Document(path), numbers),
    })
}

/// Fields that exist, those of the query's own subject first.
pub(super) fn names(home: Subject) -> Vec<&'static str> {
    let assets = ASSET.iter().map(|field| field.name);
    let findings = FINDING.iter().map(|field| field.name);
    match home {
        Subject::Asset => assets.chain(findings).collect(),
        Subject::Finding => findings.chain(assets).collect(),
    }
}

fn unknown<L: Leaf>(name: &Name, scope: Scope<'_>) -> Wrong {
    let near = nearest(&scope.meanings(&name.text), L::HOME);
    let hint = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "a place that the document has is reached with document.PATH".to_owned(),
    };
    let within = match scope.group {
        Some(group) => format!(" in `{group}`, nor outside of it"),
        None => String::new(),
    };
    Wrong::new(
        name.place.clone(),
        format!("there is no field `{}`{within}", name.text),
    )
    .hint(hint)
    .fields(names(L::HOME))
}

/// A value that stands alone; or a field, with nothing asked of it.
fn alone<L: Leaf>(typed: &Value, scope: Scope<'_>) -> Result<Wrong, Wrong> {
    let name = Name {
        text: typed.text.clone(),
        place: typed.place.clone(),
    };
    let bare = typed.quote == Quote::None;
    if bare && lookup(&scope.meanings(&name.text), L::HOME, &name)?.is_some() {
        let after = name.place.end..name.place.end;
        let message = format!("what is asked of `{}` is missing", name.text);
        return Ok(Wrong::new(after, message).hint("write `:` and a value; `:*` for any"));
    }
    let field = match L::HOME {
        Subject::Asset => "asset.name",
        Subject::Finding => "finding.title",
    };
    Ok(
        Wrong::new(name.place, "a value stands here without its field")
            .hint(format!(
                "write the field, `:` and the value, such as {field}:\"{}\"",
                typed.text
            ))
            .fields(names(L::HOME)),
    )
}

/// The field whose name is nearest by edits, where one is near, by its main name; or the group.
fn nearest(meanings: &[String], home: Subject) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for meaning in meanings {
        let (subject, rest) = match Subject::split(meaning) {
            Some((subject, rest)) => (Some(subject), rest),
            None => (None, meaning.as_str()),
        };
        let typed = normal(rest);
        // A third of it may be wrong; of a short name, two letters.
        let most = (typed.chars().count() / 3).max(2);
        for name in names(home) {
            let of = Subject::split(name).map(|(of, _)| of);
            if subject.is_some() && subject != of {
                continue;
            }
            let group = name.rsplit_once('.').map(|(group, _)| group);
            let group = group.filter(|group| group.contains('.'));
            let fields = known_names(name).into_iter().map(|known| (known, name));
            for (known, told) in fields.chain(group.map(|group| (bare(group), group))) {
                let edits = strsim::damerau_levenshtein(&normal(known), &typed);
                if edits <= most && best.as_ref().is_none_or(|(fewest, _)| edits < *fewest) {
                    best = Some((edits, told.to_owned()));
                }
            }
        }
    }
    best.map(|(_, name)| name)
}

/// All names of a field, by its main one.
fn known_names(name: &'static str) -> Vec<&'static str> {
    let assets = ASSET.iter().filter(|field| field.name == name);
    let findings = FINDING.iter().filter(|field| field.name == name);
    assets
        .flat_map(Field::names)
        .chain(findings.flat_map(Field::names))
        .collect()
}
