//! What a query says, before its names mean anything.

use std::ops::Range;

use super::test::Comparison;

/// A query, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Syntax {
    And(Box<Syntax>, Vec<Syntax>),
    Or(Box<Syntax>, Vec<Syntax>),
    Not(Box<Syntax>),
    /// `name:( ... )`: what stands inside is of that field, or of fields below that name.
    Group(Name, Box<Syntax>),
    /// A field and what it is tested for.
    Test(Name, Asked),
    /// A value without a field. It may be a name as well, if nothing else follows it.
    Value(Value),
}

/// A field's name, as it was typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

/// What a field is tested for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// `:`, and one of these.
    Like(Value, Vec<Value>),
    /// `=`, and one of these.
    Equal(Value, Vec<Value>),
    /// `contains`
    Containing(Value, Vec<Value>),
    /// `<`, `<=`, `>`, `>=`
    Than(Comparison, Range<usize>, Value),
    /// `[a .. b]`, `(a .. b)`: each end, and whether it belongs to it.
    Between {
        low: (Value, bool),
        high: (Value, bool),
        place: Range<usize>,
    },
    /// `is null`
    Absent(Range<usize>),
}

/// A value, as it was typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) quote: Quote,
    /// Without quotes, words with one space between them.
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

/// What stands around a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    None,
    /// `"` or `'`
    Marks,
    Backticks,
}
