//! Builds a condition out of fixed fragments and bound values.

use std::fmt::Write as _;

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

/// A condition and the values of its parameters.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Condition {
    /// SQL without any text from outside.
    pub(in crate::store::sqlite) sql: String,
    values: Vec<Value>,
}

impl Condition {
    /// Binds its values, which come after all others.
    pub(in crate::store::sqlite) fn bind<'q>(
        self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Text(text) => query.bind(text),
                Value::Whole(number) => query.bind(number),
                Value::Real(number) => query.bind(number),
            })
    }
}

/// The value of a parameter.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
}

/// A condition in the making.
#[derive(Debug)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
    first: usize,
}

/// A parameter that was bound, to be named again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter(usize);

/// A table of the statement, by its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step(pub(super) usize);

impl Sql {
    pub(super) fn new(first: usize) -> Self {
        Self {
            text: String::new(),
            values: Vec::new(),
            first,
        }
    }

    pub(super) fn done(self) -> Condition {
        Condition {
            sql: self.text,
            values: self.values,
        }
    }

    /// A fragment, which can only be written in the source.
    pub(super) fn push(&mut self, fragment: &'static str) {
        self.text.push_str(fragment);
    }

    /// Binds a value, without naming it.
    pub(super) fn parameter(&mut self, value: Value) -> Parameter {
        let parameter = Parameter(self.first.saturating_add(self.values.len()));
        self.values.push(value);
        parameter
    }

    /// Names a bound value.
    pub(super) fn name(&mut self, parameter: Parameter) {
        // Writing to a string can't fail.
        let _ = write!(self.text, "?{}", parameter.0);
    }

    /// Binds a value and names it.
    pub(super) fn bind(&mut self, value: Value) {
        let parameter = self.parameter(value);
        self.name(parameter);
    }

    /// Binds a text and names it.
    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.bind(Value::Text(text.into()));
    }

    /// The name of a step on the way through a document.
    pub(super) fn step(&mut self, step: Step) {
        let _ = write!(self.text, "e{}", step.0);
    }

    /// Parts with something between them, in parentheses.
    pub(super) fn each<T>(
        &mut self,
        parts: impl Iterator<Item = T>,
        between: &'static str,
        write: impl Fn(T, &mut Self),
    ) {
        self.push("(");
        self.each_plain(parts, between, write);
        self.push(")");
    }

    /// Parts with something between them.
    pub(super) fn each_plain<T>(
        &mut self,
        parts: impl Iterator<Item = T>,
        between: &'static str,
        write: impl Fn(T, &mut Self),
    ) {
        for (at, part) in parts.enumerate() {
            if at > 0 {
                self.push(between);
            }
            write(part, self);
        }
    }
}
