//! The conversions that a rule can name.

use super::reader::Fields;
use super::value::Value;
use super::{severity, time};
use crate::decimal::decimal;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a conversion does to a value, with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Conversion {
    /// Numbers and booleans as text.
    Text,
    /// Numeric text as a number.
    Number,
    /// A time, by default epoch milliseconds, as RFC 3339 in UTC with milliseconds.
    Time {
        /// Whether epoch milliseconds are understood.
        from_milliseconds: bool,
        /// Whether text is understood.
        from_text: bool,
        /// Epoch milliseconds instead of RFC 3339.
        to_milliseconds: bool,
    },
    /// critical, high, medium, low, informational, unknown.
    Severity,
    /// One value by another.
    Table {
        /// From text to value; keys in lower case where case does not matter.
        cases: Vec<(String, Value<'static>)>,
        ignore_case: bool,
        otherwise: Otherwise,
    },
    Lower,
    Upper,
    Trim,
    /// Puts text in front.
    Prefix(String),
    /// Puts text behind.
    Suffix(String),
    /// Text into a list.
    Split(String),
    /// The text before or after the first place where the separator stands; nothing where it does not.
    Part {
        separator: String,
        after: bool,
    },
    /// A list into text.
    Join(String),
    /// The first value of a list.
    First,
    /// A list without repeats.
    Distinct,
    /// A single value as a list of one.
    List,
}

/// What a table makes of a value that it does not have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Otherwise {
    /// It is a problem.
    Problem,
    /// It stays as it is.
    Keep,
    /// It becomes this.
    Value(Value<'static>),
}

/// The names of the conversions, for messages. `concat` and `first-of` put several sources together.
pub(super) const NAMES: [&str; 19] = [
    "after", "before", "concat", "distinct", "first", "first-of", "join", "list", "lower",
    "number", "prefix", "severity", "split", "suffix", "table", "text", "time", "trim", "upper",
];

impl Conversion {
    /// Reads a conversion by its name and parameters. Problems go to the parameters' reader; none where the name is unknown.
    pub(super) fn read(name: &str, parameters: &mut Fields<'_, '_>) -> Option<Conversion> {
        Some(match name {
            "text" => Conversion::Text,
            "number" => Conversion::Number,
            "severity" => Conversion::Severity,
            "lower" => Conversion::Lower,
            "upper" => Conversion::Upper,
            "trim" => Conversion::Trim,
            "first" => Conversion::First,
            "distinct" => Conversion::Distinct,
            "list" => Conversion::List,
            "prefix" => Conversion::Prefix(parameters.required_text("text")),
            "suffix" => Conversion::Suffix(parameters.required_text("text")),
            "split" => Conversion::Split(parameters.required_text("separator")),
            "before" | "after" => Conversion::Part {
                separator: parameters.required_text("separator"),
                after: name == "after",
            },
            "join" => Conversion::Join(parameters.text("separator").unwrap_or(", ").to_owned()),
            "time" => {
                let from = parameters
                    .choice("from", &["epoch-ms", "text", "any"])
                    .unwrap_or("epoch-ms");
                let to = parameters
                    .choice("to", &["rfc3339", "epoch-ms"])
                    .unwrap_or("rfc3339");
                Conversion::Time {
                    from_milliseconds: from != "text",
                    from_text: from != "epoch-ms",
                    to_milliseconds: to == "epoch-ms",
                }
            }
            "table" => {
                let ignore_case = parameters.flag("ignoreCase").unwrap_or(false);
                let mut cases: Vec<(String, Value<'static>)> = Vec::new();
                for (from, to) in parameters.required_object("cases") {
                    let from = if ignore_case {
                        from.to_lowercase()
                    } else {
                        from.clone()
                    };
                    cases.push((from, Value::from_json(to)));
                }
                let keep = parameters.flag("keep").unwrap_or(false);
                let empty =
                    matches!(parameters.any("cases"), Some(Json::Object(all)) if all.is_empty());
                if empty && parameters.any("otherwise").is_none() {
                    parameters.problem(
                        "cases",
                        "a table without a case has nothing to give; write one, or `otherwise`",
                    );
                }
                if keep && parameters.any("otherwise").is_some() {
                    parameters.problem(
                        "keep",
                        "`keep` and `otherwise` both say what becomes of a value that is not in the table; write one of them",
                    );
                }
                let otherwise = match parameters.any("otherwise") {
                    Some(value) => Otherwise::Value(Value::from_json(value)),
                    None if keep => Otherwise::Keep,
                    None => Otherwise::Problem,
                };
                Conversion::Table {
                    cases,
                    ignore_case,
                    otherwise,
                }
            }
            _ => return None,
        })
    }

    /// Whether it takes a list as one value. Others are applied to each element.
    pub(super) fn takes_lists(&self) -> bool {
        matches!(
            self,
            Conversion::Join(_) | Conversion::First | Conversion::Distinct | Conversion::List
        )
    }

    /// Converts a value. What can't be converted becomes null, and `problem` is told the place (the index in a list, where there is one)
    /// and the reason.
    pub(super) fn apply<'v>(
        &self,
        value: Value<'v>,
        problem: &mut dyn FnMut(Option<usize>, String),
    ) -> Value<'v> {
        if self.takes_lists() {
            return self.whole(value).unwrap_or_else(|reason| {
                problem(None, reason);
                Value::Null
            });
        }
        match value {
            Value::List(mut items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    let taken = std::mem::replace(item, Value::Null);
                    *item = self.each(taken).unwrap_or_else(|reason| {
                        problem(Some(at), reason);
                        Value::Null
                    });
                }
                Value::List(items)
            }
            value => self.each(value).unwrap_or_else(|reason| {
                problem(None, reason);
                Value::Null
            }),
        }
    }

    /// For the conversions that take a list.
    fn whole<'v>(&self, value: Value<'v>) -> Result<Value<'v>, String> {
        let items = match value {
            Value::List(items) => items,
            value if value.is_absent() => return Ok(Value::Null),
            value => vec![value],
        };
        let mut present = items.into_iter().filter(|item| !item.is_absent());
        Ok(match self {
            Conversion::First => present.next().unwrap_or(Value::Null),
            Conversion::Distinct => {
                let mut seen = BTreeSet::new();
                let key = |item: &Value<'_>| serde_json::to_string(item).unwrap_or_default();
                Value::List(present.filter(|item| seen.insert(key(item))).collect())
            }
            Conversion::Join(separator) => {
                let mut text = String::new();
                for (at, item) in present.enumerate() {
                    let Some(piece) = item.text() else {
                        return Err(format!("{} can't be joined into text", item.describe()));
                    };
                    if at > 0 {
                        text.push_str(separator);
                    }
                    text.push_str(&piece);
                }
                Value::Text(Cow::Owned(text))
            }
            _ => Value::List(present.collect()),
        })
    }

    /// For the conversions of single values.
    fn each<'v>(&self, value: Value<'v>) -> Result<Value<'v>, String> {
        if value.is_absent() && !matches!(self, Conversion::Severity) {
            return Ok(Value::Null);
        }
        match self {
            Conversion::Number => number(value),
            Conversion::Time {
                from_milliseconds,
                from_text,
                to_milliseconds,
            } => {
                let moment = moment(&value, *from_milliseconds, *from_text)?;
                Ok(match (to_milliseconds, u64::try_from(moment)) {
                    (true, Ok(moment)) => Value::Unsigned(moment),
                    _ => Value::Text(Cow::Owned(time::rfc3339(moment))),
                })
            }
            Conversion::Severity => {
                let word = value
                    .text()
                    .map_or("unknown", |text| severity::normalise(&text));
                Ok(Value::Text(Cow::Borrowed(word)))
            }
            Conversion::Table {
                cases,
                ignore_case,
                otherwise,
            } => {
                let text = text(&value)?;
                let sought = if *ignore_case {
                    Cow::Owned(text.to_lowercase())
                } else {
                    Cow::Borrowed(text.as_ref())
                };
                if let Some((_, to)) = cases.iter().find(|(from, _)| *from == sought) {
                    return Ok(to.clone());
                }
                match otherwise {
                    Otherwise::Value(other) => Ok(other.clone()),
                    Otherwise::Keep => Ok(value),
                    Otherwise::Problem => {
                        let known: Vec<&str> = cases
                            .iter()
                            .map(|(from, _)| from.as_str())
                            .take(12)
                            .collect();
                        Err(format!(
                            "{} is not in the map's table ({})",
                            value.describe(),
                            known.join(", ")
                        ))
                    }
                }
            }
            Conversion::Split(separator) => {
                let text = text(&value)?;
                let pieces = text
                    .split(separator.as_str())
                    .map(str::trim)
                    .filter(|piece| !piece.is_empty());
                Ok(Value::List(
                    pieces
                        .map(|piece| Value::Text(Cow::Owned(piece.to_owned())))
                        .collect(),
                ))
            }
            Conversion::Part { separator, after } => {
                let text = text(&value)?;
                let part = text
                    .split_once(separator.as_str())
                    .map(|(before, behind)| if *after { behind } else { before });
                Ok(part.map_or(Value::Null, |part| {
                    Value::Text(Cow::Owned(part.trim().to_owned()))
                }))
            }
            Conversion::Text => match value {
                Value::Text(_) => Ok(value),
                value => changed(&value, |text| text.to_owned()),
            },
            Conversion::Lower => changed(&value, str::to_lowercase),
            Conversion::Upper => changed(&value, str::to_uppercase),
            Conversion::Trim => changed(&value, |text| text.trim().to_owned()),
            Conversion::Prefix(prefix) => changed(&value, |text| format!("{prefix}{text}")),
            Conversion::Suffix(suffix) => changed(&value, |text| format!("{text}{suffix}")),
            Conversion::Join(_) | Conversion::First | Conversion::Distinct | Conversion::List => {
                self.whole(value)
            }
        }
    }
}

/// A scalar as text, or why it is none.
fn text<'v>(value: &'v Value<'_>) -> Result<Cow<'v, str>, String> {
    value
        .text()
        .ok_or_else(|| format!("{} where text is expected", value.describe()))
}

fn changed<'v>(
    value: &Value<'_>,
    change: impl FnOnce(&str) -> String,
) -> Result<Value<'v>, String> {
    Ok(Value::Text(Cow::Owned(change(&text(value)?))))
}

/// A number as it is; text as the number that it spells.
fn number(value: Value<'_>) -> Result<Value<'_>, String> {
    match &value {
        Value::Unsigned(_) | Value::Signed(_) => return Ok(value),
        Value::Float(float) if float.is_finite() => return Ok(value),
        Value::Text(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<u64>() {
                return Ok(Value::Unsigned(number));
            }
            if let Ok(number) = text.parse::<i64>() {
                return Ok(Value::Signed(number));
            }
            if let Some(number) = decimal(text) {
                return Ok(Value::Float(number));
            }
        }
        _ => {}
    }
    Err(format!("{} where a number is expected", value.describe()))
}

/// A value as epoch milliseconds.
fn moment(value: &Value<'_>, from_milliseconds: bool, from_text: bool) -> Result<i64, String> {
    let whole = match value {
        Value::Unsigned(number) => i64::try_from(*number).ok().or(Some(i64::MAX)),
        Value::Signed(number) => Some(*number),
        Value::Float(number) if number.fract() == 0.0 => {
            // Saturates, and what does not fit is out of range for a time anyway.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturating by definition, checked afterwards"
            )]
            Some(*number as i64)
        }
        Value::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse::<i64>().ok().or(Some(i64::MAX))
        }
        _ => None,
    };
    if let (true, Some(number)) = (from_milliseconds, whole) {
        return time::check_milliseconds(number).map_err(|reason| {
            // Told as the record has it: what is too large was cut to fit.
            let written = match value {
                Value::Text(_) => value.describe(),
                value => serde_json::to_string(value).unwrap_or_default(),
            };
            format!("{written} {reason}")
        });
    }
    if let (true, Value::Text(text)) = (from_text, value) {
        return time::parse_text(text)
            .ok_or_else(|| {
                format!(
                    "{} is no time, such as \"2021-05-18 09:59:28 UTC\"",
                    value.describe()
                )
            })
            .and_then(|number| {
                time::check_milliseconds(number).map_err(|reason| format!("{number} {reason}"))
            });
    }
    let expected = match (from_milliseconds, from_text) {
        (true, true) => "milliseconds since 1970 or a time in text are expected",
        (true, false) => "milliseconds since 1970 are expected",
        _ => "a time in text is expected",
    };
    Err(format!("{} where {expected}", value.describe()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn convert(
        conversion: serde_json::Value,
        value: serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        let (name, parameters) = match &conversion {
            serde_json::Value::String(name) => (name.clone(), json!({})),
            other => other
                .as_object()
                .and_then(|all| all.iter().next())
                .map(|(k, v)| (k.clone(), v.clone()))
                .unwrap(),
        };
        let mut problems = Vec::new();
        let read = {
            let mut fields = Fields::new(&parameters, String::new(), &mut problems).unwrap();
            Conversion::read(&name, &mut fields)
        };
        assert!(problems.is_empty(), "{problems:?}");
        let mut told = Vec::new();
        let value = read
            .unwrap()
            .apply(Value::from_json(&value), &mut |_, reason| told.push(reason));
        match told.pop() {
            Some(reason) => Err(reason),
            None => Ok(serde_json::to_value(&value).unwrap()),
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_numeric_text_becomes_a_number() {
        for (from, to) in [
            (json!(9.8), json!(9.8)),
            (json!("9.8"), json!(9.8)),
            (json!(" 7 "), json!(7)),
            (json!("-3"), json!(-3)),
            (json!("1e3"), json!(1000.0)),
            (
                json!(18_446_744_073_709_551_615_u64),
                json!(18_446_744_073_709_551_615_u64),
            ),
            (json!(""), json!(null)),
            (json!(["1", 2]), json!([1, 2])),
        ] {
            assert_eq!(convert(json!("number"), from), Ok(to));
        }
        for from in [
            json!("high"),
            json!("nan"),
            json!("inf"),
            json!(true),
            json!({"a": 1}),
            json!("1e999"),
        ] {
            assert!(convert(json!("number"), from.clone()).is_err(), "{from}");
        }
    }

    #[test]
    fn times_are_read_from_milliseconds_and_from_text_where_the_map_says_so() {
        assert_eq!(
            convert(json!("time"), json!(1_621_331_968_123_u64)),
            Ok(json!("2021-05-18T09:59:28.123Z"))
        );
        assert_eq!(
            convert(json!("time"), json!("1621331968123")),
            Ok(json!("2021-05-18T09:59:28.123Z"))
        );
        assert_eq!(
            convert(json!("time"), json!(1_621_331_968_123.0)),
            Ok(json!("2021-05-18T09:59:28.123Z"))
        );
        let any = json!({"time": {"from": "any"}});
        assert_eq!(
            convert(any.clone(), json!("2021-05-18 09:59:28 UTC")),
            Ok(json!("2021-05-18T09:59:28.000Z"))
        );
        assert_eq!(
            convert(any.clone(), json!(1_621_331_968_000_u64)),
            Ok(json!("2021-05-18T09:59:28.000Z"))
        );
        let milliseconds = json!({"time": {"from": "any", "to": "epoch-ms"}});
        assert_eq!(
            convert(milliseconds, json!("2021-05-18 09:59:28 UTC")),
            Ok(json!(1_621_331_968_000_u64))
        );
        for bad in [
            json!(0),
            json!(-5),
            json!(1_621_331_968),
            json!("soon"),
            json!(1.5),
            json!(true),
            json!(u64::MAX),
            json!(1e300),
        ] {
            assert!(convert(any.clone(), bad.clone()).is_err(), "{bad}");
        }
        assert!(convert(json!("time"), json!("2021-05-18 09:59:28 UTC")).is_err());
    }

    #[test]
    fn a_number_that_is_too_large_for_a_time_is_told_as_it_was_written() {
        for (written, told) in [
            (json!(1e300), "1e+300 lies beyond the year 9999; "),
            (json!(u64::MAX), "18446744073709551615 lies beyond"),
            (json!(-1e300), "-1e+300 lies before 1970"),
            (
                json!("99999999999999999999"),
                "the text \"99999999999999999999\" lies beyond",
            ),
            (json!(0), "0 is no time"),
        ] {
            let reason = convert(json!("time"), written).unwrap_err();
            assert!(reason.starts_with(told), "{reason}");
        }
    }

    #[test]
    fn a_table_translates_keeps_or_refuses() {
        let table = json!({"table": {"cases": {"HIGH": 4, "LOW": 2}, "ignoreCase": true}});
        assert_eq!(convert(table.clone(), json!("high")), Ok(json!(4)));
        assert!(
            convert(table, json!("odd"))
                .unwrap_err()
                .contains("high, low")
        );
        assert_eq!(
            convert(
                json!({"table": {"cases": {"a": 1}, "otherwise": "x"}}),
                json!("odd")
            ),
            Ok(json!("x"))
        );
        assert_eq!(
            convert(
                json!({"table": {"cases": {"a": 1}, "keep": true}}),
                json!("odd")
            ),
            Ok(json!("odd"))
        );
    }

    #[test]
    fn text_conversions_do_what_they_are_called() {
        for (conversion, from, to) in [
            (json!("text"), json!(7), json!("7")),
            (json!("lower"), json!("AbC"), json!("abc")),
            (json!("upper"), json!(["a", "b"]), json!(["A", "B"])),
            (json!("trim"), json!(" a "), json!("a")),
            (json!({"prefix": {"text": "x-"}}), json!(1), json!("x-1")),
            (json!({"suffix": {"text": "!"}}), json!("a"), json!("a!")),
            (
                json!({"split": {"separator": ","}}),
                json!("a, b,,c"),
                json!(["a", "b", "c"]),
            ),
            (
                json!({"before": {"separator": " - "}}),
                json!("a - b - c"),
                json!("a"),
            ),
            (
                json!({"after": {"separator": " - "}}),
                json!(["a -  b - c ", "a-b", "a - "]),
                json!(["b - c", null, ""]),
            ),
            (
                json!({"join": {"separator": "; "}}),
                json!(["a", "", null, 2]),
                json!("a; 2"),
            ),
            (json!("first"), json!([null, "", "b", "c"]), json!("b")),
            (json!("first"), json!([]), json!(null)),
            (
                json!("distinct"),
                json!(["a", "b", "a", 1, 1]),
                json!(["a", "b", 1]),
            ),
            (json!("list"), json!("a"), json!(["a"])),
            (json!("list"), json!(["a"]), json!(["a"])),
            (
                json!("severity"),
                json!("SEV_070_CRITICAL"),
                json!("critical"),
            ),
        ] {
            assert_eq!(convert(conversion.clone(), from), Ok(to), "{conversion}");
        }
    }
}
