//! Reads tokens into a query. What is not understood is a parse error, never ignored.

use super::lexer::{Kind, Token, tokens};
use super::value::Value;

/// How deep parentheses and sub-queries may nest.
const MAX_DEPTH: usize = 32;

/// A query: a dataset and the stages that its rows go through.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub dataset: String,
    pub stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Filter(Condition),
    /// Columns to keep, each with its new name.
    Fields(Vec<(String, String)>),
    /// Columns to leave out.
    Without(Vec<String>),
    ArrayExpand(String),
    Join(Join),
    /// Columns with whether they descend.
    Sort(Vec<(String, bool)>),
    Limit(usize),
}

/// A join with the result of another query.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Whether rows without a match are kept.
    pub left: bool,
    /// Whether the columns of this side win over those of the same name on the other (`conflict_strategy = left`).
    pub left_wins: bool,
    pub query: Query,
    /// Pairs of columns that must be equal: of this side, of the other.
    pub on: Vec<(String, String)>,
}

/// A condition of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Is {
        field: String,
        test: Test,
        value: Value,
    },
    In {
        field: String,
        values: Vec<Value>,
    },
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

/// Reads a query.
pub fn parse(text: &str) -> Result<Query, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
    };
    let query = parser.query()?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.error("end of query")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn error(&self, expected: &str) -> String {
        match self.tokens.get(self.at) {
            Some(Token { kind, line, column }) => {
                let found = match kind {
                    Kind::Name(text) => text.clone(),
                    Kind::Text(text) => format!("\"{text}\""),
                    Kind::Int(number) => number.to_string(),
                    Kind::Float(number) => number.to_string(),
                    Kind::Symbol(symbol) => (*symbol).to_owned(),
                };
                format!("line {line}:{column} mismatched input '{found}' expecting {expected}")
            }
            None => format!("unexpected end of query, expecting {expected}"),
        }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Kind::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(self.error(&format!("'{symbol}'")))
        }
    }

    /// Takes a word if it is the next name, in any case.
    fn word(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Kind::Name(name)) if name.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn name(&mut self, expected: &str) -> Result<String, String> {
        match self.peek() {
            Some(Kind::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.error(expected)),
        }
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the query is nested too deeply".to_owned());
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn query(&mut self) -> Result<Query, String> {
        if self.word("config") {
            while self.peek().is_some() && !self.symbol("|") {
                self.at += 1;
            }
        }
        if !self.word("dataset") {
            return Err(self.error("'dataset'"));
        }
        self.expect("=")?;
        let dataset = self.name("the name of a dataset")?;
        let mut stages = Vec::new();
        while self.symbol("|") {
            stages.push(self.stage()?);
        }
        Ok(Query { dataset, stages })
    }

    fn stage(&mut self) -> Result<Stage, String> {
        if self.word("filter") {
            return self.condition().map(Stage::Filter);
        }
        if self.word("fields") {
            return self.fields();
        }
        if self.word("arrayexpand") {
            return self.name("a field").map(Stage::ArrayExpand);
        }
        if self.word("join") {
            return self.join().map(Stage::Join);
        }
        if self.word("sort") {
            let item = |parser: &mut Self| {
                let descending = parser.word("desc");
                if !descending && !parser.word("asc") {
                    return Err(parser.error("'asc' or 'desc'"));
                }
                Ok((parser.name("a field")?, descending))
            };
            return self.list(item).map(Stage::Sort);
        }
        if self.word("limit") {
            if let Some(Kind::Int(number)) = self.peek()
                && let Ok(limit) = usize::try_from(*number)
            {
                self.at += 1;
                return Ok(Stage::Limit(limit));
            }
            return Err(self.error("a whole number"));
        }
        Err(self.error("one of 'arrayexpand', 'fields', 'filter', 'join', 'limit', 'sort'"))
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = vec![item(self)?];
        while self.symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn fields(&mut self) -> Result<Stage, String> {
        if self.symbol("-") {
            return self
                .list(|parser| parser.name("a field"))
                .map(Stage::Without);
        }
        let item = |parser: &mut Self| {
            let name = parser.name("a field")?;
            let new = if parser.word("as") {
                parser.name("a name")?
            } else {
                name.clone()
            };
            Ok((name, new))
        };
        self.list(item).map(Stage::Fields)
    }

    fn join(&mut self) -> Result<Join, String> {
        let (mut left, mut left_wins) = (false, false);
        loop {
            if self.word("type") {
                self.expect("=")?;
                left = self.word("left");
                if !left && !self.word("inner") {
                    return Err(self.error("'inner' or 'left'"));
                }
            } else if self.word("conflict_strategy") {
                self.expect("=")?;
                left_wins = self.word("left");
                if !left_wins && !self.word("right") {
                    return Err(self.error("'left' or 'right'"));
                }
            } else {
                break;
            }
        }
        self.expect("(")?;
        let query = self.deeper(Self::query)?;
        self.expect(")")?;
        if !self.word("as") {
            return Err(self.error("'as'"));
        }
        let alias = self.name("a name for the joined query")?;
        let mut on = Vec::new();
        loop {
            on.push(self.pair(&alias)?);
            if !self.word("and") {
                break;
            }
        }
        Ok(Join {
            left,
            left_wins,
            query,
            on,
        })
    }

    /// `alias.x = y` or `y = alias.x`.
    fn pair(&mut self, alias: &str) -> Result<(String, String), String> {
        let other = |name: &str| {
            name.strip_prefix(alias)?
                .strip_prefix('.')
                .map(str::to_owned)
        };
        let first = self.name("a field")?;
        self.expect("=")?;
        let second = self.name("a field")?;
        match (other(&first), other(&second)) {
            (Some(theirs), None) => Ok((second, theirs)),
            (None, Some(theirs)) => Ok((first, theirs)),
            _ => Err(format!(
                "a join compares a field with one of {alias}, not {first} with {second}"
            )),
        }
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let mut any = vec![self.all()?];
        while self.word("or") {
            any.push(self.all()?);
        }
        Ok(single(any, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut all = vec![self.test()?];
        while self.word("and") {
            all.push(self.test()?);
        }
        Ok(single(all, Condition::All))
    }

    fn test(&mut self) -> Result<Condition, String> {
        if self.symbol("(") {
            let inner = self.deeper(Self::condition)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.word("not") {
            return Ok(Condition::Not(Box::new(self.deeper(Self::test)?)));
        }
        let field = self.name("a field")?;
        let negated = self.word("not");
        let found = if self.word("in") {
            self.expect("(")?;
            let values = self.list(Self::value)?;
            self.expect(")")?;
            Condition::In { field, values }
        } else if self.word("contains") {
            Condition::Is {
                field,
                test: Test::Contains,
                value: self.value()?,
            }
        } else if negated {
            return Err(self.error("'in' or 'contains'"));
        } else {
            let symbols = [
                ("=", Test::Equal),
                ("!=", Test::Unequal),
                ("<", Test::Less),
                ("<=", Test::LessOrEqual),
                (">", Test::Greater),
                (">=", Test::GreaterOrEqual),
            ];
            let Some((_, test)) = symbols.into_iter().find(|(symbol, _)| self.symbol(symbol))
            else {
                return Err(self.error("an operator"));
            };
            Condition::Is {
                field,
                test,
                value: self.value()?,
            }
        };
        Ok(if negated {
            Condition::Not(Box::new(found))
        } else {
            found
        })
    }

    fn value(&mut self) -> Result<Value, String> {
        let negative = self.symbol("-");
        let value = match self.peek() {
            Some(Kind::Int(number)) => Value::Int(if negative { -number } else { *number }),
            Some(Kind::Float(number)) => Value::Float(if negative { -number } else { *number }),
            Some(_) if negative => return Err(self.error("a number")),
            Some(Kind::Text(text)) => Value::Text(text.as_str().into()),
            Some(Kind::Name(name)) => match name.as_str() {
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => match other.strip_prefix("ENUM.") {
                    Some(word) => Value::Text(word.into()),
                    None => return Err(self.error("a value")),
                },
            },
            _ => return Err(self.error("a value")),
        };
        self.at += 1;
        Ok(value)
    }
}

fn single(
    mut conditions: Vec<Condition>,
    many: impl FnOnce(Vec<Condition>) -> Condition,
) -> Condition {
    match (conditions.len(), conditions.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            conditions.extend(last);
            many(conditions)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_join_that_integrations_use_is_read() {
        let query = parse(
            "config case_sensitive = false | dataset = va_endpoints | filter severity in (\"HIGH\", ENUM.CRITICAL) \
             | arrayexpand cves | join type = left conflict_strategy = left (dataset = va_cves | fields name, severity as level) \
             as c c.name = cves | sort asc endpoint_id, desc level | limit 10",
        )
        .unwrap();
        assert_eq!(query.dataset, "va_endpoints");
        let [
            Stage::Filter(_),
            Stage::ArrayExpand(expanded),
            Stage::Join(join),
            Stage::Sort(sort),
            Stage::Limit(10),
        ] = &query.stages[..]
        else {
            panic!("{query:?}");
        };
        assert_eq!(expanded, "cves");
        assert!(join.left && join.left_wins);
        assert_eq!(join.on, [("cves".to_owned(), "name".to_owned())]);
        assert_eq!(sort[1], ("level".to_owned(), true));
    }

    #[test]
    fn and_binds_closer_than_or() {
        let query = parse("dataset = d | filter a = 1 or b = null and c contains \"x\"").unwrap();
        let Stage::Filter(Condition::Any(any)) = &query.stages[0] else {
            panic!("{query:?}")
        };
        assert_eq!(any.len(), 2);
        assert!(matches!(&any[1], Condition::All(all) if all.len() == 2));
    }

    #[test]
    fn stages_and_words_that_are_not_known_are_refused() {
        for wrong in [
            "",
            "va_cves",
            "dataset = va_cves |",
            "dataset = va_cves | comp count() as n",
            "dataset = va_cves | alter x = 1",
            "preset = host_inventory",
            "dataset = va_cves | limit -1",
            "dataset = va_cves | sort name",
            "dataset = va_cves | filter a ~= \"b\"",
            "dataset = a | join type = right (dataset = b) as c c.x = x",
            "dataset = a | join (dataset = b) as c x = y",
            "dataset = va_cves limit 3",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let deep = format!("dataset = d | filter {}a = 1", "(".repeat(5_000));
        assert!(parse(&deep).unwrap_err().contains("deep"));
    }

    proptest! {
        #[test]
        fn any_sequence_of_words_is_parsed_or_refused_without_a_panic(
            words in prop::collection::vec(prop::sample::select(vec![
                "dataset", "=", "va_cves", "|", "filter", "fields", "join", "type", "left", "(", ")", "as", "a", "a.b",
                "and", "or", "not", "in", ",", "1", "\"t\"", "null", "limit", "sort", "asc", "-", "arrayexpand", "config",
            ]), 0..25)
        ) {
            let _ = parse(&words.join(" "));
        }
    }
}
