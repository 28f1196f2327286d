//! What a field can be tested for, each kind of field in a type of its own.

use crate::domain::Severity;

use super::moment::Moment;
use super::path::Path;
use super::place::{AssetText, AssetTime, FindingText, FindingTime, NumberPlace};
use super::standing::{AssetStanding, FindingStanding};

/// A test of an asset.
#[derive(Debug, Clone, PartialEq)]
pub enum AssetTest {
    /// Of a text, a time or a number.
    Field(FieldTest<AssetText, AssetTime>),
    /// Of how it stands: one of these.
    State(Several<AssetStanding>),
}

/// A test of a finding.
#[derive(Debug, Clone, PartialEq)]
pub enum FindingTest {
    /// Of a text, a time or a number.
    Field(FieldTest<FindingText, FindingTime>),
    /// Of how bad it is. [`Ordered::Known`] is any severity but unknown.
    Severity(Ordered<Severity, Level>),
    /// Of how it stands: one of these.
    State(Several<FindingStanding>),
}

/// A test of a field, by what the field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldTest<X: 'static, M: 'static> {
    /// The field holds texts.
    Text(At<X>, Option<Several<Pattern>>),
    /// It holds times.
    Time(At<M>, Ordered<Moment>),
    /// It holds numbers.
    Number(At<NumberPlace>, Ordered<Number>),
}

/// The field that a test is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At<P: 'static> {
    /// One of the table: its name, and where it is.
    Field(&'static str, &'static [P]),
    /// Any place in the document, by its path.
    Document(Path),
}

/// One or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several<T>(T, Vec<T>);

impl<T> Several<T> {
    /// `first` and those of `rest`.
    pub fn new(first: T, rest: Vec<T>) -> Self {
        Self(first, rest)
    }

    /// In the order in which they were typed.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.0).chain(&self.1)
    }
}

/// What a text may look like. ASCII case is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// It is this.
    Whole(String),
    /// It contains this.
    Contains(Phrase),
    /// It contains each of these, in any order.
    ContainsAll(Phrase, Several<Phrase>),
    /// It matches this.
    Matches(Wildcard),
}

/// A text without `*`, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(String);

/// A text with at least one `*`, each of which stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard(String);

impl Pattern {
    /// What a text without backticks says: the phrase is contained, or the wildcards match.
    ///
    /// None for an empty text.
    pub fn loose(text: &str) -> Option<Self> {
        if text.contains('*') {
            Some(Self::Matches(Wildcard(text.to_owned())))
        } else {
            Phrase::new(text).map(Self::Contains)
        }
    }

    /// That a text is contained, whatever it consists of.
    ///
    /// None for an empty text.
    pub fn containing(text: &str) -> Option<Self> {
        if text.contains('*') {
            Some(Self::Matches(Wildcard(format!("*{text}*"))))
        } else {
            Phrase::new(text).map(Self::Contains)
        }
    }
}

impl Phrase {
    /// None for an empty text and one with a `*`.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('*')).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Wildcard {
    /// The text, with its `*`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A test of what has an order. `R` is what can be compared, where that is not all of `V`.
#[derive(Debug, Clone, PartialEq)]
pub enum Ordered<V, R = V> {
    /// There is a value.
    Known,
    /// It is one of these.
    OneOf(Several<V>),
    /// It compares so.
    Than(Comparison, R),
    /// It lies between.
    Between(Bound<R>, Bound<R>),
}

/// How a value compares to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// As it is typed.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound<T> {
    /// The value there.
    pub value: T,
    /// Whether it belongs to the range.
    pub included: bool,
}

/// A severity that has a rank: any but unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(Severity);

impl Level {
    /// None for an unknown severity.
    pub fn new(severity: Severity) -> Option<Self> {
        (severity != Severity::Unknown).then_some(Self(severity))
    }

    /// The severity.
    pub fn severity(self) -> Severity {
        self.0
    }
}

/// A number that is finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Number(f64);

impl Number {
    /// None where the text is no number, or one too large.
    pub fn parse(text: &str) -> Option<Self> {
        let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
        text.parse()
            .ok()
            .filter(|number: &f64| starts && number.is_finite())
            .map(Self)
    }

    /// The number.
    pub fn as_f64(self) -> f64 {
        self.0
    }
}
