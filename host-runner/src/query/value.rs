//! Reads what a field is tested for as that field needs it.

use std::ops::Range;

use crate::domain::{Severity, Timestamp};

use super::error::Wrong;
use super::moment::Moment;
use super::standing::Word;
use super::syntax::{Asked, Quote, Value};
use super::test::{Bound, Level, Number, Ordered, Pattern, Phrase, Several};

/// What the levels of a platform that counts severities mean.
const LEVELS: [(&str, Severity); 6] = [
    ("5", Severity::Critical),
    ("4", Severity::High),
    ("3", Severity::Medium),
    ("2", Severity::Low),
    ("1", Severity::Informational),
    ("info", Severity::Informational),
];

/// Whether a value is the bare `*` that any value matches.
fn any(value: &Value) -> bool {
    value.quote == Quote::None && value.text == "*"
}

/// The place of what is asked, where it is no list of values.
fn place(asked: &Asked) -> Range<usize> {
    match asked {
        Asked::Like(first, _) | Asked::Equal(first, _) | Asked::Containing(first, _) => {
            first.place.clone()
        }
        Asked::Than(_, place, _) | Asked::Between { place, .. } | Asked::Absent(place) => {
            place.clone()
        }
    }
}

/// Patterns that a text is to match one of; none where any text does.
pub(super) fn patterns(asked: &Asked) -> Result<Option<Several<Pattern>>, Wrong> {
    let (first, rest, read): (_, _, fn(&Value) -> Option<Pattern>) = match asked {
        Asked::Like(first, rest) => (first, rest, like),
        Asked::Equal(first, rest) => (first, rest, equal),
        Asked::Containing(first, rest) => (first, rest, |value| Pattern::containing(&value.text)),
        Asked::Absent(_) => return Ok(None),
        Asked::Than(..) | Asked::Between { .. } => {
            return Err(
                Wrong::new(place(asked), "a text is not compared or in a range")
                    .hint("texts take `:`, `=`, `contains` and lists in `[` and `]`"),
            );
        }
    };
    if any(first) || rest.iter().any(any) {
        return Ok(None);
    }
    several(first, rest, |value| {
        read(value).ok_or_else(|| Wrong::new(value.place.clone(), "this is no text"))
    })
    .map(Some)
}

fn several<T>(
    first: &Value,
    rest: &[Value],
    mut read: impl FnMut(&Value) -> Result<T, Wrong>,
) -> Result<Several<T>, Wrong> {
    let first = read(first)?;
    let rest = rest.iter().map(read).collect::<Result<Vec<T>, Wrong>>()?;
    Ok(Several::new(first, rest))
}

/// What `:` says of a text.
fn like(value: &Value) -> Option<Pattern> {
    match value.quote {
        Quote::Backticks => Some(Pattern::Whole(value.text.clone())),
        Quote::Marks => Pattern::loose(&value.text),
        Quote::None if value.text.contains('*') => Pattern::loose(&value.text),
        Quote::None => {
            let mut words = value.text.split(' ').filter_map(Phrase::new);
            let first = words.next()?;
            Some(match words.next() {
                None => Pattern::Contains(first),
                Some(second) => Pattern::ContainsAll(first, Several::new(second, words.collect())),
            })
        }
    }
}

/// What `=` says of a text.
fn equal(value: &Value) -> Option<Pattern> {
    if value.quote != Quote::Backticks && value.text.contains('*') {
        return Pattern::loose(&value.text);
    }
    Some(Pattern::Whole(value.text.clone()))
}

/// A test of times.
pub(super) fn moments(asked: &Asked, now: Timestamp) -> Result<Ordered<Moment>, Wrong> {
    ordered(
        asked,
        |value| {
            Moment::parse(&value.text, now)
                .map_err(|message| Wrong::new(value.place.clone(), message))
        },
        |moment, _| Ok(moment),
        |low, high| low.from_ms() <= high.from_ms(),
    )
}

/// A test of numbers.
pub(super) fn numbers(asked: &Asked) -> Result<Ordered<Number>, Wrong> {
    ordered(
        asked,
        |value| {
            Number::parse(&value.text).ok_or_else(|| {
                let message = format!("\"{}\" is no number", value.text);
                Wrong::new(value.place.clone(), message).hint("write it as 9.8")
            })
        },
        |number, _| Ok(number),
        |low, high| low <= high,
    )
}

/// A test of severities, which compare by rank. Unknown has none.
pub(super) fn severities(asked: &Asked) -> Result<Ordered<Severity, Level>, Wrong> {
    ordered(
        asked,
        |value| {
            let level = LEVELS
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(&value.text))
                .map(|(_, severity)| *severity);
            level.or_else(|| value.text.parse().ok()).ok_or_else(|| {
                let message = format!("\"{}\" is no severity", value.text);
                Wrong::new(value.place.clone(), message).hint(
                    "severities are critical, high, medium, low, informational and unknown, or 5 to 1",
                )
            })
        },
        |severity, value| {
            Level::new(severity).ok_or_else(|| {
                Wrong::new(
                    value.place.clone(),
                    "an unknown severity is neither above nor below another",
                )
                .hint("ask for it with finding.severity:unknown")
            })
        },
        |low, high| low <= high,
    )
}

fn ordered<V, R>(
    asked: &Asked,
    read: impl Fn(&Value) -> Result<V, Wrong>,
    rank: impl Fn(V, &Value) -> Result<R, Wrong>,
    in_order: impl Fn(&R, &R) -> bool,
) -> Result<Ordered<V, R>, Wrong> {
    let ranked = |value: &Value| rank(read(value)?, value);
    match asked {
        Asked::Like(first, rest) | Asked::Equal(first, rest) => {
            if any(first) || rest.iter().any(any) {
                return Ok(Ordered::Known);
            }
            several(first, rest, read).map(Ordered::OneOf)
        }
        Asked::Than(comparison, _, value) => Ok(Ordered::Than(*comparison, ranked(value)?)),
        Asked::Between { low, high, place } => {
            let bound = |(value, included): &(Value, bool)| {
                Ok(Bound {
                    value: ranked(value)?,
                    included: *included,
                })
            };
            let (low, high) = (bound(low)?, bound(high)?);
            if !in_order(&low.value, &high.value) {
                return Err(Wrong::new(place.clone(), "the range begins after its end")
                    .hint("write the lower end first: [low .. high]"));
            }
            Ok(Ordered::Between(low, high))
        }
        Asked::Containing(..) => Err(Wrong::new(place(asked), "only a text contains something")
            .hint("this field takes `:`, `=`, `<`, `<=`, `>`, `>=`, lists and ranges")),
        Asked::Absent(_) => Ok(Ordered::Known),
    }
}

/// One of a few words.
pub(super) fn words<W: Word>(asked: &Asked) -> Result<Several<W>, Wrong> {
    match asked {
        Asked::Like(first, rest) | Asked::Equal(first, rest) => several(first, rest, |value| {
            W::read(&value.text).ok_or_else(|| {
                let message = format!("\"{}\" is no state", value.text);
                Wrong::new(value.place.clone(), message).hint(format!("it is {}", W::choice()))
            })
        }),
        Asked::Absent(_) => Err(Wrong::new(place(asked), "there is always a state")
            .hint(format!("it is {}", W::choice()))),
        _ => Err(Wrong::new(place(asked), "states have no order")
            .hint(format!("use `:` with {}", W::choice()))),
    }
}

/// What a value in any place of a document is tested for.
pub(super) enum Untyped {
    Text(Option<Several<Pattern>>),
    Time(Ordered<Moment>),
    Number(Ordered<Number>),
}

/// Comparisons are of numbers or times, by the value's form; all else is of texts.
pub(super) fn untyped(asked: &Asked, now: Timestamp) -> Result<Untyped, Wrong> {
    let first = match asked {
        Asked::Than(_, _, value)
        | Asked::Between {
            low: (value, _), ..
        } => value,
        _ => return patterns(asked).map(Untyped::Text),
    };
    // Four digits are a year elsewhere; here they are a number, as they are in a document.
    if Number::parse(&first.text).is_some() {
        return numbers(asked).map(Untyped::Number);
    }
    if Moment::parse(&first.text, now).is_ok() {
        return moments(asked, now).map(Untyped::Time);
    }
    let message = format!("\"{}\" is neither a number nor a time", first.text);
    Err(Wrong::new(first.place.clone(), message)
        .hint("a place in the document is compared with a number such as 9.8, or a time such as 2026-01-31 or now-7d"))
}
