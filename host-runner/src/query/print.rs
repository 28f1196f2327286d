//! Writes a query as a text that reads back as itself.

use std::fmt::{self, Display, Formatter};

use super::standing::Word;
use super::test::{
    AssetTest, At, Bound, FieldTest, FindingTest, Level, Number, Ordered, Pattern, Several,
};
use super::tree::Tree;
use super::{AssetLeaf, AssetQuery, FindingLeaf, FindingQuery};

impl Display for AssetQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        tree(&self.0, f)
    }
}

impl Display for FindingQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        tree(&self.0, f)
    }
}

fn tree<T: Display>(whole: &Tree<T>, f: &mut Formatter<'_>) -> fmt::Result {
    match whole {
        Tree::Is(test) => test.fmt(f),
        Tree::Not(inner) => {
            f.write_str("not ")?;
            match inner.as_ref() {
                Tree::All(_) | Tree::Any(_) => in_parentheses(inner, f),
                Tree::Is(_) | Tree::Not(_) => tree(inner, f),
            }
        }
        Tree::All(trees) => joined(trees.iter(), " and ", f, |part, f| match part {
            Tree::Any(_) => in_parentheses(part, f),
            _ => tree(part, f),
        }),
        Tree::Any(trees) => joined(trees.iter(), " or ", f, tree),
    }
}

fn in_parentheses<T: Display>(inner: &Tree<T>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("(")?;
    tree(inner, f)?;
    f.write_str(")")
}

fn joined<T>(
    parts: impl Iterator<Item = T>,
    by: &str,
    f: &mut Formatter<'_>,
    write: impl Fn(T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, part) in parts.enumerate() {
        if at > 0 {
            f.write_str(by)?;
        }
        write(part, f)?;
    }
    Ok(())
}

impl Display for AssetLeaf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asset(test) => test.fmt(f),
            Self::AnyFinding(inner) => match inner.as_ref() {
                Tree::Is(leaf @ FindingLeaf::Finding(_)) => leaf.fmt(f),
                inner => {
                    f.write_str("finding:")?;
                    in_parentheses(inner, f)
                }
            },
        }
    }
}

impl Display for FindingLeaf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding(test) => test.fmt(f),
            Self::Asset(test) => test.fmt(f),
        }
    }
}

impl Display for AssetTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(test) => field("asset", test, f),
            Self::State(states) => words("asset.state", states, f),
        }
    }
}

impl Display for FindingTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(test) => field("finding", test, f),
            Self::Severity(test) => {
                f.write_str("finding.severity")?;
                ordered(test, f)
            }
            Self::State(states) => words("finding.status", states, f),
        }
    }
}

fn words<W: Word>(name: &str, states: &Several<W>, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{name}:[")?;
    joined(states.iter(), ", ", f, |state, f| f.write_str(state.word()))?;
    f.write_str("]")
}

fn field<X, M>(subject: &str, test: &FieldTest<X, M>, f: &mut Formatter<'_>) -> fmt::Result {
    match test {
        FieldTest::Text(at, patterns) => {
            name(subject, at, f)?;
            match patterns {
                None => f.write_str(":*"),
                // Alone, words could be read as a sign or as `null`.
                Some(patterns) => list(patterns, |it| matches!(it, Pattern::ContainsAll(..)), f),
            }
        }
        FieldTest::Time(at, test) => {
            name(subject, at, f)?;
            ordered(test, f)
        }
        FieldTest::Number(at, test) => {
            name(subject, at, f)?;
            ordered(test, f)
        }
    }
}

fn name<P>(subject: &str, at: &At<P>, f: &mut Formatter<'_>) -> fmt::Result {
    match at {
        At::Field(name, _) => f.write_str(name),
        At::Document(path) => write!(f, "{subject}.document.{path}"),
    }
}

/// `alone_listed` are those that stand in brackets even where there is only one.
fn list<T: Display>(
    values: &Several<T>,
    alone_listed: fn(&T) -> bool,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let one = values.iter().count() == 1 && !values.iter().any(alone_listed);
    f.write_str(if one { ":" } else { ":[" })?;
    joined(values.iter(), ", ", f, Display::fmt)?;
    f.write_str(if one { "" } else { "]" })
}

fn ordered<V: Display, R: Display>(test: &Ordered<V, R>, f: &mut Formatter<'_>) -> fmt::Result {
    let ends = |bound: &Bound<R>, included: char, left_out: char| {
        if bound.included { included } else { left_out }
    };
    match test {
        Ordered::Known => f.write_str(":*"),
        Ordered::OneOf(values) => list(values, |_| false, f),
        Ordered::Than(comparison, value) => write!(f, "{}{value}", comparison.sign()),
        Ordered::Between(low, high) => write!(
            f,
            ":{}{} .. {}{}",
            ends(low, '[', '('),
            low.value,
            high.value,
            ends(high, ']', ')')
        ),
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(text) => write!(f, "`{}`", text.replace('`', "``")),
            Self::Contains(phrase) => quoted(phrase.as_str(), f),
            Self::ContainsAll(first, rest) => {
                f.write_str(first.as_str())?;
                for phrase in rest.iter() {
                    write!(f, " {}", phrase.as_str())?;
                }
                Ok(())
            }
            Self::Matches(wildcard) => quoted(wildcard.as_str(), f),
        }
    }
}

fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('"', "\"\""))
}

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.severity().fmt(f)
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}
