//! Reads a query. `not` binds closest, then `and`, then `or`.

use super::error::{QueryError, Wrong};
use super::lexer::Lexer;
use super::syntax::{Asked, Name, Syntax, Value};
use super::test::Comparison;
use super::{DEEPEST, LONGEST, MOST_VALUES};

/// The most words of a name. "Onboarding source" has two.
const MOST_NAME_WORDS: usize = 6;

/// Operators that are words, longest first where one begins another.
const WORDS: &[(&[&str], Operator)] = &[
    (&["does", "not", "equal"], Operator::Unequal),
    (&["does", "not", "contain"], Operator::NotContaining),
    (&["not", "equals"], Operator::Unequal),
    (&["not", "contains"], Operator::NotContaining),
    (&["is", "not"], Operator::Unequal),
    (&["equals"], Operator::Equal),
    (&["contains"], Operator::Containing),
    (&["is"], Operator::Equal),
];

/// Operators that are signs, longest first where one begins another.
const SIGNS: &[(&str, Operator)] = &[
    ("<=", Operator::Than(Comparison::AtMost)),
    (">=", Operator::Than(Comparison::AtLeast)),
    ("!=", Operator::Unequal),
    ("==", Operator::Equal),
    ("<", Operator::Than(Comparison::Less)),
    (">", Operator::Than(Comparison::More)),
    ("=", Operator::Equal),
    (":", Operator::Like),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Like,
    Equal,
    Unequal,
    Containing,
    NotContaining,
    Than(Comparison),
}

pub(super) fn parse(text: &str) -> Result<Syntax, QueryError> {
    let length = text.chars().count();
    if length > LONGEST {
        let message = format!("it has {length} characters, and {LONGEST} are read");
        return Err(Wrong::new(LONGEST..LONGEST, message).of(text));
    }
    let mut parser = Parser {
        lexer: Lexer::new(text),
        depth: 0,
        values: 0,
    };
    parser.whole().map_err(|wrong| wrong.of(text))
}

struct Parser {
    lexer: Lexer,
    depth: usize,
    values: usize,
}

impl Parser {
    fn whole(&mut self) -> Result<Syntax, Wrong> {
        let syntax = self.or()?;
        self.lexer.skip_space();
        if self.lexer.peek().is_none() {
            return Ok(syntax);
        }
        let found = self.lexer.found();
        let wrong = Wrong::new(self.lexer.place(), format!("{found} can't stand here"));
        Err(wrong.hint(match self.lexer.peek() {
            Some(')') => "there is no `(` that it closes",
            Some('(' | '[' | '`' | '"' | ',') => {
                "join two conditions with `and` or `or`; put a value with such signs in quotes"
            }
            _ => "join two conditions with `and` or `or`",
        }))
    }

    fn or(&mut self) -> Result<Syntax, Wrong> {
        let first = self.and()?;
        let mut rest = Vec::new();
        while self.joined_by("or") {
            rest.push(self.and()?);
        }
        Ok(match rest.is_empty() {
            true => first,
            false => Syntax::Or(Box::new(first), rest),
        })
    }

    fn and(&mut self) -> Result<Syntax, Wrong> {
        let first = self.unary()?;
        let mut rest = Vec::new();
        while self.joined_by("and") {
            rest.push(self.unary()?);
        }
        Ok(match rest.is_empty() {
            true => first,
            false => Syntax::And(Box::new(first), rest),
        })
    }

    fn joined_by(&mut self, word: &str) -> bool {
        self.lexer.skip_space();
        self.lexer.take_word(word)
    }

    fn unary(&mut self) -> Result<Syntax, Wrong> {
        self.lexer.skip_space();
        let start = self.lexer.at();
        if self.lexer.take_word("not") {
            let inner = self.deeper(start, Self::unary)?;
            return Ok(Syntax::Not(Box::new(inner)));
        }
        if self.lexer.take("(") {
            let inner = self.deeper(start, Self::or)?;
            self.close(start)?;
            return Ok(inner);
        }
        self.test()
    }

    /// Reads what stands one step further in, if that is not too deep.
    fn deeper(
        &mut self,
        start: usize,
        read: fn(&mut Self) -> Result<Syntax, Wrong>,
    ) -> Result<Syntax, Wrong> {
        if self.depth >= DEEPEST {
            let message =
                format!("parentheses and `not` stand deeper than {DEEPEST} in each other");
            return Err(Wrong::new(start..start + 1, message));
        }
        self.depth += 1;
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    fn close(&mut self, start: usize) -> Result<(), Wrong> {
        self.lexer.skip_space();
        if self.lexer.take(")") {
            return Ok(());
        }
        if self.lexer.peek().is_none() {
            return Err(
                Wrong::new(start..start + 1, "the `(` that stands here is not closed")
                    .hint("close it with `)`"),
            );
        }
        let message = format!("{} can't stand here", self.lexer.found());
        Err(Wrong::new(self.lexer.place(), message)
            .hint("join two conditions with `and` or `or`, or close the parenthesis with `)`"))
    }

    /// A field with what it is tested for; or a value, which means something only in a field's group.
    fn test(&mut self) -> Result<Syntax, Wrong> {
        let start = self.lexer.at();
        let Some(name) = self.name()? else {
            return match self.lexer.peek() {
                Some('`' | '"' | '\'' | '\u{201c}' | '\u{201d}' | '*') => {
                    self.one_value().map(Syntax::Value)
                }
                _ => {
                    let message = format!("a field is missing before {}", self.lexer.found());
                    let wrong = Wrong::new(self.lexer.place(), message);
                    Err(wrong
                        .hint("a condition is a field, `:` and a value, such as asset.name:web"))
                }
            };
        };
        self.lexer.skip_space();
        let sign = self.lexer.at();
        let Some(operator) = self.operator() else {
            self.lexer.go(start);
            return self.one_value().map(Syntax::Value);
        };
        self.asked(name, operator, sign)
    }

    /// The words up to an operator.
    fn name(&mut self) -> Result<Option<Name>, Wrong> {
        let start = self.lexer.at();
        let mut end = start;
        let mut words: Vec<String> = Vec::new();
        loop {
            self.lexer.skip_space();
            let (word, place) = self.lexer.look_at_word();
            let joins = ["and", "or"]
                .iter()
                .any(|join| word.eq_ignore_ascii_case(join));
            if word.is_empty() || joins || (!words.is_empty() && self.at_operator()) {
                break;
            }
            if words.len() == MOST_NAME_WORDS {
                let message = "no field's name is as long as this";
                return Err(Wrong::new(start..place.end, message)
                    .hint("a condition is a field, `:` and a value, such as asset.name:web"));
            }
            end = place.end;
            self.lexer.go(place.end);
            words.push(word);
        }
        Ok((!words.is_empty()).then(|| Name {
            text: words.join(" "),
            place: start..end,
        }))
    }

    fn at_operator(&mut self) -> bool {
        let start = self.lexer.at();
        let here = self.operator().is_some();
        self.lexer.go(start);
        here
    }

    /// Takes an operator. `:>` is `>`.
    fn operator(&mut self) -> Option<Operator> {
        self.lexer.skip_space();
        let start = self.lexer.at();
        for (words, operator) in WORDS {
            let all = words.iter().all(|word| {
                self.lexer.skip_space();
                self.lexer.take_word(word)
            });
            if all {
                return Some(*operator);
            }
            self.lexer.go(start);
        }
        let operator = self.sign()?;
        if operator == Operator::Like {
            let after = self.lexer.at();
            self.lexer.skip_space();
            match self.sign() {
                Some(compared) if compared != Operator::Like => return Some(compared),
                _ => self.lexer.go(after),
            }
        }
        Some(operator)
    }

    fn sign(&mut self) -> Option<Operator> {
        SIGNS
            .iter()
            .find(|(sign, _)| self.lexer.take(sign))
            .map(|(_, operator)| *operator)
    }

    /// `sign` is where the operator begins.
    fn asked(&mut self, name: Name, operator: Operator, sign: usize) -> Result<Syntax, Wrong> {
        let sign = sign..self.lexer.at();
        self.lexer.skip_space();
        let start = self.lexer.at();
        if let Operator::Than(comparison) = operator {
            let value = self.one_value()?;
            return Ok(Syntax::Test(name, Asked::Than(comparison, sign, value)));
        }
        let negated = matches!(operator, Operator::Unequal | Operator::NotContaining);
        let asked = if self.lexer.take("(") {
            if operator == Operator::Like && !self.at_range() {
                let inner = self.deeper(start, Self::or)?;
                self.close(start)?;
                return Ok(Syntax::Group(name, Box::new(inner)));
            }
            self.range(start, false)?
        } else if self.lexer.take("[") {
            if self.at_range() {
                self.range(start, true)?
            } else {
                let (first, rest) = self.list(start)?;
                with(operator, first, rest)
            }
        } else {
            // `is not null`: the `not` went with the operator.
            let contains = matches!(operator, Operator::Containing | Operator::NotContaining);
            if !contains && self.null() {
                Asked::Absent(start..self.lexer.at())
            } else {
                let value = self.one_value()?;
                with(operator, value, Vec::new())
            }
        };
        let test = Syntax::Test(name, asked);
        Ok(if negated {
            Syntax::Not(Box::new(test))
        } else {
            test
        })
    }

    /// Takes `null`, where it is the whole value.
    fn null(&mut self) -> bool {
        let start = self.lexer.at();
        let null = self.lexer.take_word("null")
            && self
                .lexer
                .peek()
                .is_none_or(|c| c.is_whitespace() || c == ')');
        if !null {
            self.lexer.go(start);
        }
        null
    }

    /// Whether a value and `..` stand here.
    fn at_range(&mut self) -> bool {
        let start = self.lexer.at();
        let value = self.lexer.value().is_ok();
        self.lexer.skip_space();
        let range = value && self.lexer.take("..");
        self.lexer.go(start);
        range
    }

    fn range(&mut self, start: usize, low_included: bool) -> Result<Asked, Wrong> {
        let low = self.one_value()?;
        self.lexer.skip_space();
        if !self.lexer.take("..") {
            let message = format!("`..` is missing before {}", self.lexer.found());
            return Err(Wrong::new(self.lexer.place(), message)
                .hint("a range is [low .. high], or (low .. high) without its ends"));
        }
        let high = self.one_value()?;
        self.lexer.skip_space();
        let high_included = match self.lexer.peek() {
            Some(']') => true,
            Some(')') => false,
            _ => {
                let message = format!(
                    "a range ends with `]` or `)`, not with {}",
                    self.lexer.found()
                );
                return Err(Wrong::new(self.lexer.place(), message));
            }
        };
        self.lexer.go(self.lexer.at() + 1);
        Ok(Asked::Between {
            low: (low, low_included),
            high: (high, high_included),
            place: start..self.lexer.at(),
        })
    }

    fn list(&mut self, start: usize) -> Result<(Value, Vec<Value>), Wrong> {
        let first = self.one_value()?;
        let mut rest = Vec::new();
        loop {
            self.lexer.skip_space();
            if self.lexer.take("]") {
                return Ok((first, rest));
            }
            if self.lexer.peek().is_none() {
                return Err(
                    Wrong::new(start..start + 1, "the `[` that stands here is not closed")
                        .hint("close it with `]`"),
                );
            }
            if !self.lexer.take(",") {
                let message = format!(
                    "values in a list have `,` between them, not {}",
                    self.lexer.found()
                );
                return Err(Wrong::new(self.lexer.place(), message));
            }
            rest.push(self.one_value()?);
        }
    }

    fn one_value(&mut self) -> Result<Value, Wrong> {
        let value = self.lexer.value()?;
        self.values += 1;
        if self.values > MOST_VALUES {
            let message = format!("there are more than {MOST_VALUES} values");
            return Err(Wrong::new(value.place, message).hint("ask several times"));
        }
        Ok(value)
    }
}

fn with(operator: Operator, first: Value, rest: Vec<Value>) -> Asked {
    match operator {
        Operator::Like | Operator::Than(_) => Asked::Like(first, rest),
        Operator::Equal | Operator::Unequal => Asked::Equal(first, rest),
        Operator::Containing | Operator::NotContaining => Asked::Containing(first, rest),
    }
}
