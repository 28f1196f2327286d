//! The request body that the paged calls share: filters, sort and window.
//!
//! What is wrong with it is a business error (HTTP 500 with the reason in `err_extra`), as the vendor documents for newer
//! families; the wording is ours.

use serde_json::Value;

/// The most rows that one page may hold.
pub const MAX_PAGE: usize = 100;

/// A condition on one field. Conditions are AND-ed.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub field: String,
    pub operator: String,
    pub value: Value,
}

/// The order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub field: String,
    pub descending: bool,
}

/// The spelling of sort keywords, which differs between families ("case-sensitive").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keywords {
    Upper,
    Lower,
}

/// A request for one page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRequest {
    pub filters: Vec<Filter>,
    pub sort: Option<Sort>,
    pub from: usize,
    pub to: usize,
    /// Filters and sort as text: the same for all pages of one read.
    pub key: String,
}

impl PageRequest {
    /// Reads `{"request_data": {filters, sort, search_from, search_to}}`.
    pub fn read(body: &Value, keywords: Keywords) -> Result<Self, String> {
        let data = request_data(body)?;
        let filters = data.get("filters").filter(|value| !value.is_null());
        let sort = data.get("sort").filter(|value| !value.is_null());
        let from = offset(data, "search_from")?.unwrap_or(0);
        let to = offset(data, "search_to")?.unwrap_or(from.saturating_add(MAX_PAGE));
        if to < from {
            return Err(format!(
                "search_to ({to}) must not be less than search_from ({from})"
            ));
        }
        if to - from > MAX_PAGE {
            return Err(format!(
                "the maximum result set size is {MAX_PAGE}, {} were asked for",
                to - from
            ));
        }
        let key = format!(
            "{} {}",
            filters.unwrap_or(&Value::Null),
            sort.unwrap_or(&Value::Null)
        );
        Ok(PageRequest {
            filters: read_filters(filters)?,
            sort: read_sort(sort, keywords)?,
            from,
            to,
            key,
        })
    }
}

/// The object below `request_data`.
pub fn request_data(body: &Value) -> Result<&serde_json::Map<String, Value>, String> {
    body.get("request_data")
        .and_then(Value::as_object)
        .ok_or_else(|| "request_data is missing or not an object".to_owned())
}

/// Reads a list of filters.
pub fn read_filters(filters: Option<&Value>) -> Result<Vec<Filter>, String> {
    let Some(filters) = filters else {
        return Ok(Vec::new());
    };
    let list = filters.as_array().ok_or("filters must be a list")?;
    list.iter()
        .map(|filter| {
            let text = |key: &str| filter.get(key).and_then(Value::as_str).map(str::to_owned);
            Ok(Filter {
                field: text("field").ok_or("a filter has no field")?,
                operator: text("operator").ok_or("a filter has no operator")?,
                value: filter
                    .get("value")
                    .cloned()
                    .ok_or("a filter has no value")?,
            })
        })
        .collect()
}

fn read_sort(sort: Option<&Value>, keywords: Keywords) -> Result<Option<Sort>, String> {
    let Some(sort) = sort else { return Ok(None) };
    let text = |key: &str| {
        sort.get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("sort has no {key}"))
    };
    let keyword = text("keyword")?;
    let descending = match (keywords, keyword) {
        (Keywords::Upper, "ASC") | (Keywords::Lower, "asc") => false,
        (Keywords::Upper, "DESC") | (Keywords::Lower, "desc") => true,
        _ => return Err(format!("unknown sort keyword: {keyword}")),
    };
    Ok(Some(Sort {
        field: text("field")?.to_owned(),
        descending,
    }))
}

fn offset(data: &serde_json::Map<String, Value>, key: &str) -> Result<Option<usize>, String> {
    match data.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            number
                .map(Some)
                .ok_or_else(|| format!("{key} must be a whole number, not {value}"))
        }
    }
}

impl Filter {
    /// That the operator is one of those documented for the field.
    pub fn allow(&self, operators: &[&str]) -> Result<(), String> {
        if operators.contains(&self.operator.as_str()) {
            return Ok(());
        }
        Err(format!(
            "operator {} is not supported for field {}",
            self.operator, self.field
        ))
    }

    /// The error for a field that the call does not filter on.
    pub fn unknown(&self) -> String {
        format!("filter field {} is not supported", self.field)
    }

    /// The values of `in` (a list) or of `eq` (a scalar), as text.
    pub fn texts(&self) -> Result<Vec<String>, String> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(format!(
                "value of filter {} must be text, not {other}",
                self.field
            )),
        };
        match (&self.value, self.operator.as_str()) {
            (Value::Array(list), "in" | "nin") => list.iter().map(text).collect(),
            (value, "eq" | "neq" | "contains") => Ok(vec![text(value)?]),
            (value, _) => Err(format!(
                "value of filter {} must be a list, not {value}",
                self.field
            )),
        }
    }

    /// Values out of a closed list of words, mapped to what they stand for.
    pub fn words<T>(&self, known: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
        let word = |text: String| {
            known(&text).ok_or(format!("unknown value for filter {}: {text}", self.field))
        };
        self.texts()?.into_iter().map(word).collect()
    }

    /// Narrows `span` by a time.
    pub fn narrow(&self, span: &mut Span) -> Result<(), String> {
        let time = |value: &Value| {
            let time = value
                .as_i64()
                .or_else(|| value.as_f64().map(|time| time as i64));
            time.ok_or_else(|| {
                format!(
                    "value of filter {} must be a time in milliseconds, not {value}",
                    self.field
                )
            })
        };
        match self.operator.as_str() {
            "gte" => span.from = span.from.max(time(&self.value)?),
            "lte" => span.to = span.to.min(time(&self.value)?),
            "eq" => {
                let at = time(&self.value)?;
                span.from = span.from.max(at);
                span.to = span.to.min(at);
            }
            _ => {
                return Err(format!(
                    "operator {} is not supported for field {}",
                    self.operator, self.field
                ));
            }
        }
        Ok(())
    }
}

/// A range of times, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: i64,
    pub to: i64,
}

impl Span {
    pub const ALL: Span = Span {
        from: i64::MIN,
        to: i64::MAX,
    };

    pub fn contains(&self, time: i64) -> bool {
        self.from <= time && time <= self.to
    }

    /// Seconds taken for milliseconds, which the alert calls accept as well.
    pub fn seconds_accepted(self) -> Self {
        // 10^11 ms is in 1973, 10^11 s in the year 5138: nothing is both.
        let scale = |time: i64| {
            if time.unsigned_abs() < 100_000_000_000 {
                time.saturating_mul(1_000)
            } else {
                time
            }
        };
        Span {
            from: scale(self.from),
            to: scale(self.to),
        }
    }

    /// The part of an index sorted by time that lies within.
    pub fn slice<'a>(&self, index: &'a [(i64, u32)]) -> &'a [(i64, u32)] {
        let start = index.partition_point(|(time, _)| *time < self.from);
        let end = index.partition_point(|(time, _)| *time <= self.to);
        index.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(data: Value) -> Result<PageRequest, String> {
        PageRequest::read(&json!({ "request_data": data }), Keywords::Upper)
    }

    #[test]
    fn an_empty_request_is_the_first_hundred() {
        let page = read(json!({})).unwrap();
        assert_eq!((page.from, page.to, page.sort), (0, 100, None));
    }

    #[test]
    fn windows_over_a_hundred_or_backwards_or_not_numbers_are_refused() {
        assert!(
            read(json!({ "search_from": 0, "search_to": 101 }))
                .unwrap_err()
                .contains("maximum")
        );
        assert!(read(json!({ "search_from": 5, "search_to": 4 })).is_err());
        assert!(read(json!({ "search_from": -1 })).is_err());
        assert!(read(json!({ "search_from": "0" })).is_err());
        assert_eq!(read(json!({ "search_from": 9_950 })).unwrap().to, 10_050);
        assert_eq!(
            read(json!({ "search_from": 7, "search_to": 7 }))
                .unwrap()
                .to,
            7
        );
    }

    #[test]
    fn the_keyword_of_a_sort_is_case_sensitive() {
        let sort = |keyword: &str| json!({ "request_data": { "sort": { "field": "first_seen", "keyword": keyword } } });
        assert!(PageRequest::read(&sort("ASC"), Keywords::Upper).is_ok());
        assert!(PageRequest::read(&sort("asc"), Keywords::Upper).is_err());
        assert!(
            PageRequest::read(&sort("desc"), Keywords::Lower)
                .unwrap()
                .sort
                .unwrap()
                .descending
        );
        assert!(PageRequest::read(&sort("DESC"), Keywords::Lower).is_err());
    }

    #[test]
    fn the_two_forms_of_values_go_with_their_operators() {
        let filter = |operator: &str, value: Value| Filter {
            field: "f".into(),
            operator: operator.into(),
            value,
        };
        assert_eq!(filter("in", json!(["a", 5])).texts().unwrap(), ["a", "5"]);
        assert_eq!(filter("eq", json!("a")).texts().unwrap(), ["a"]);
        assert!(filter("in", json!("a")).texts().is_err());
        assert!(filter("in", json!([null])).texts().is_err());
    }

    #[test]
    fn seconds_are_read_as_milliseconds() {
        let span = Span {
            from: 1_700_000_000,
            to: 1_700_000_000_000,
        }
        .seconds_accepted();
        assert_eq!(
            span,
            Span {
                from: 1_700_000_000_000,
                to: 1_700_000_000_000
            }
        );
        assert_eq!(Span::ALL.seconds_accepted(), Span::ALL);
    }

    proptest! {
        #[test]
        fn a_slice_holds_exactly_what_lies_within(mut times in prop::collection::vec(0_i64..50, 0..60), from in -5_i64..60, to in -5_i64..60) {
            times.sort_unstable();
            let index: Vec<(i64, u32)> = times.iter().copied().zip(0..).collect();
            let span = Span { from, to };
            let expected: Vec<(i64, u32)> = index.iter().copied().filter(|(time, _)| span.contains(*time)).collect();
            prop_assert_eq!(span.slice(&index), &expected[..]);
        }

        #[test]
        fn no_body_makes_reading_panic(text in ".{0,40}", from: i64, to: i64) {
            let _ = read(json!({ "search_from": from, "search_to": to, "filters": [{ "field": text }] }));
            let _ = PageRequest::read(&serde_json::from_str(&text).unwrap_or(Value::Null), Keywords::Lower);
        }
    }
}
