//! What is asked of a field's value `x.v`, and of the columns that have conditions of their own.

use super::sql::{Sql, Value};
use crate::domain::Severity;
use crate::query::{
    AssetStanding, Bound, Comparison, FindingStanding, Level, Moment, Number, Ordered, Pattern,
    Phrase, Several,
};

/// That a text matches one of the patterns; without any, that there is one.
pub(super) fn patterns(patterns: Option<&Several<Pattern>>, sql: &mut Sql) {
    match patterns {
        None => sql.push("x.v IS NOT NULL"),
        Some(patterns) => sql.each(patterns.iter(), " OR ", pattern),
    }
}

fn pattern(pattern: &Pattern, sql: &mut Sql) {
    match pattern {
        Pattern::Whole(text) => {
            sql.push("x.v = ");
            sql.text(text.as_str());
            sql.push(" COLLATE NOCASE");
        }
        Pattern::Contains(phrase) => like(&containing(phrase), sql),
        Pattern::ContainsAll(first, rest) => {
            let all = std::iter::once(first).chain(rest.iter());
            sql.each(all, " AND ", |phrase, sql| like(&containing(phrase), sql));
        }
        Pattern::Matches(wildcard) => like(&escaped(wildcard.as_str()), sql),
    }
}

/// `LIKE` ignores ASCII case.
fn like(pattern: &str, sql: &mut Sql) {
    sql.push("x.v LIKE ");
    sql.text(pattern);
    sql.push(" ESCAPE '\\'");
}

fn containing(phrase: &Phrase) -> String {
    format!("%{}%", escaped(phrase.as_str()))
}

/// A text as `LIKE` takes it, each `*` as any text.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    pattern
}

/// That a time in milliseconds lies in, before or after a moment.
pub(super) fn moments(test: &Ordered<Moment>, sql: &mut Sql) {
    match test {
        Ordered::Known => sql.push("x.v IS NOT NULL"),
        Ordered::OneOf(moments) => sql.each(moments.iter(), " OR ", |moment, sql| {
            sql.push("(x.v >= ");
            sql.bind(Value::Whole(moment.from_ms()));
            sql.push(" AND x.v < ");
            sql.bind(Value::Whole(moment.until_ms()));
            sql.push(")");
        }),
        Ordered::Than(comparison, moment) => compared_moment(*comparison, *moment, sql),
        Ordered::Between(low, high) => {
            compared_moment(from(low), low.value, sql);
            sql.push(" AND ");
            compared_moment(to(high), high.value, sql);
        }
    }
}

fn compared_moment(comparison: Comparison, moment: Moment, sql: &mut Sql) {
    let (sign, ms) = match comparison {
        Comparison::Less => ("x.v < ", moment.from_ms()),
        Comparison::AtMost => ("x.v < ", moment.until_ms()),
        Comparison::More => ("x.v >= ", moment.until_ms()),
        Comparison::AtLeast => ("x.v >= ", moment.from_ms()),
    };
    sql.push(sign);
    sql.bind(Value::Whole(ms));
}

/// How what lies above a bound compares to it.
fn from<T>(low: &Bound<T>) -> Comparison {
    if low.included {
        Comparison::AtLeast
    } else {
        Comparison::More
    }
}

/// How what lies below a bound compares to it.
fn to<T>(high: &Bound<T>) -> Comparison {
    if high.included {
        Comparison::AtMost
    } else {
        Comparison::Less
    }
}

/// That a number compares so.
pub(super) fn numbers(test: &Ordered<Number>, sql: &mut Sql) {
    match test {
        Ordered::Known => sql.push("x.v IS NOT NULL"),
        Ordered::OneOf(numbers) => sql.each(numbers.iter(), " OR ", |number, sql| {
            sql.push("x.v = ");
            sql.bind(Value::Real(number.as_f64()));
        }),
        Ordered::Than(comparison, number) => compared_number(*comparison, *number, sql),
        Ordered::Between(low, high) => {
            compared_number(from(low), low.value, sql);
            sql.push(" AND ");
            compared_number(to(high), high.value, sql);
        }
    }
}

fn compared_number(comparison: Comparison, number: Number, sql: &mut Sql) {
    sql.push("x.v ");
    sql.push(comparison.sign());
    sql.push(" ");
    sql.bind(Value::Real(number.as_f64()));
}

/// That a finding's severity compares so. Unknown, whose rank is 0, is neither above nor below another.
pub(super) fn severities(test: &Ordered<Severity, Level>, sql: &mut Sql) {
    match test {
        Ordered::Known => sql.push("f.severity > 0"),
        Ordered::OneOf(severities) => {
            sql.push("f.severity IN ");
            sql.each(severities.iter(), ", ", |severity, sql| {
                sql.bind(Value::Whole(severity.rank()));
            });
        }
        Ordered::Than(comparison, level) => {
            sql.push("(f.severity > 0 AND ");
            compared_level(*comparison, *level, sql);
            sql.push(")");
        }
        Ordered::Between(low, high) => {
            sql.push("(");
            compared_level(from(low), low.value, sql);
            sql.push(" AND ");
            compared_level(to(high), high.value, sql);
            sql.push(" AND f.severity > 0)");
        }
    }
}

fn compared_level(comparison: Comparison, level: Level, sql: &mut Sql) {
    sql.push("f.severity ");
    sql.push(comparison.sign());
    sql.push(" ");
    sql.bind(Value::Whole(level.severity().rank()));
}

/// How something stands, as a condition of its own.
pub(super) trait Standing {
    fn condition(&self) -> &'static str;
}

impl Standing for AssetStanding {
    fn condition(&self) -> &'static str {
        // A finding that waits for its asset has none, and null is neither.
        match self {
            Self::Active => "coalesce(a.state = 0, FALSE)",
            Self::Inactive => "coalesce(a.state = 1, FALSE)",
            Self::OutOfScope => "coalesce(a.state = 2, FALSE)",
        }
    }
}

impl Standing for FindingStanding {
    fn condition(&self) -> &'static str {
        match self {
            Self::Open => "(f.state = 0 AND f.asset_id IS NOT NULL)",
            Self::Reopened => {
                "(f.state = 0 AND f.asset_id IS NOT NULL AND f.reopened_at IS NOT NULL)"
            }
            Self::Parked => "(f.state = 0 AND f.asset_id IS NULL)",
            Self::Closed => "f.state = 1",
            Self::OutOfScope => "f.state = 2",
        }
    }
}

/// That it stands in one of these ways.
pub(super) fn states<W: Standing>(states: &Several<W>, sql: &mut Sql) {
    sql.each(states.iter(), " OR ", |state, sql| {
        sql.push(state.condition());
    });
}
