//! The configuration as a JSON object from which fields are taken one by one, and all that is wrong with it.

use super::nearest::nearest;
use crate::contract::Problem;
use serde_json::{Map, Value};

/// A field of the configuration: its name, and what else it may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in a completed configuration.
    pub name: &'static str,
    /// Another spelling that is read too.
    pub alias: Option<&'static str>,
}

/// All fields, in the order in which a person fills them in.
pub const FIELDS: [Field; 14] = [
    BASE_URL,
    API_KEY_ID,
    API_KEY,
    SECURITY_LEVEL,
    DATA_STREAMS,
    TAGS,
    ALERT_SOURCES,
    ALERT_STATUSES,
    ENDPOINT_STATUSES,
    UPDATE_EXISTING_ASSETS,
    AUTO_ONBOARD_ASSETS,
    FULL_SYNC_EVERY_DAYS,
    ENDPOINT_SWEEP_HOURS,
    XQL_DAILY_SHARE,
];

const fn field(name: &'static str) -> Field {
    Field { name, alias: None }
}

pub const BASE_URL: Field = Field {
    name: "baseUrl",
    alias: Some("baseURL"),
};
pub const API_KEY_ID: Field = Field {
    name: "apiKeyId",
    alias: Some("x-xdr-auth-id"),
};
pub const API_KEY: Field = field("apiKey");
pub const SECURITY_LEVEL: Field = field("securityLevel");
pub const DATA_STREAMS: Field = field("dataStreams");
pub const TAGS: Field = field("tags");
pub const ALERT_SOURCES: Field = field("alertSources");
pub const ALERT_STATUSES: Field = field("alertStatuses");
pub const ENDPOINT_STATUSES: Field = field("endpointStatuses");
pub const UPDATE_EXISTING_ASSETS: Field = field("updateExistingAssets");
pub const AUTO_ONBOARD_ASSETS: Field = field("autoOnboardAssets");
pub const FULL_SYNC_EVERY_DAYS: Field = field("fullSyncEveryDays");
pub const ENDPOINT_SWEEP_HOURS: Field = field("endpointSweepHours");
pub const XQL_DAILY_SHARE: Field = field("xqlDailyShare");

/// A value that was taken, and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub pointer: String,
    pub value: Value,
}

/// The object, less what was taken from it, with what was found wrong so far.
#[derive(Debug)]
pub struct Document {
    fields: Map<String, Value>,
    /// What keeps the configuration from being used.
    pub problems: Vec<Problem>,
    /// What is accepted and still worth telling.
    pub warnings: Vec<Problem>,
}

impl Document {
    /// Parses it. Only what is no JSON object ends here; everything else is told together.
    pub fn parse(config: &[u8]) -> Result<Document, Problem> {
        // serde_json's own messages name line and column and repeat no value of the document beyond a wrong literal's type.
        let value: Value = serde_json::from_slice(config)
            .map_err(|error| problem("", format!("the configuration is not JSON: {error}")))?;
        match value {
            Value::Object(fields) => Ok(Document {
                fields,
                problems: Vec::new(),
                warnings: Vec::new(),
            }),
            other => Err(problem(
                "",
                format!(
                    "the configuration is {}; it must be a JSON object such as {{\"baseUrl\": \"...\", \"apiKeyId\": \"...\"}}",
                    kind(&other)
                ),
            )),
        }
    }

    /// Takes a field under its name or its alias. A null counts as absent: forms send it for what was left empty.
    pub fn take(&mut self, field: Field) -> Option<Taken> {
        let named = self.take_as(field.name);
        let aliased = field.alias.and_then(|alias| self.take_as(alias));
        match (named, aliased) {
            (Some(named), Some(aliased)) => {
                self.refuse(
                    &aliased.pointer,
                    format!(
                        "is the same field as {}: leave one of them out",
                        named.pointer
                    ),
                );
                Some(named)
            }
            (named, aliased) => named.or(aliased),
        }
    }

    fn take_as(&mut self, name: &str) -> Option<Taken> {
        match self.fields.remove(name)? {
            Value::Null => None,
            value => Some(Taken {
                pointer: pointer_to(name),
                value,
            }),
        }
    }

    /// Takes a text, trimmed.
    pub fn take_text(&mut self, field: Field) -> Option<(String, String)> {
        let Taken { pointer, value } = self.take(field)?;
        match value {
            Value::String(text) => Some((pointer, text.trim().to_owned())),
            other => {
                self.refuse_kind(&pointer, &other, "text");
                None
            }
        }
    }

    /// Takes true or false.
    pub fn take_bool(&mut self, field: Field) -> Option<bool> {
        let Taken { pointer, value } = self.take(field)?;
        match value {
            Value::Bool(flag) => Some(flag),
            other => {
                self.refuse_kind(&pointer, &other, "true or false");
                None
            }
        }
    }

    /// Takes a list of texts, or one text with commas between them: trimmed, without empty ones and repeats, in order. The
    /// pointers are those of the items where it is a list.
    pub fn take_list(&mut self, field: Field) -> Option<Vec<(String, String)>> {
        let Taken { pointer, value } = self.take(field)?;
        let mut found: Vec<(String, String)> = Vec::new();
        let mut add = |pointer: String, text: &str| {
            let text = text.trim();
            if !text.is_empty() && !found.iter().any(|(_, known)| known == text) {
                found.push((pointer, text.to_owned()));
            }
        };
        match value {
            Value::String(text) => {
                for item in text.split(',') {
                    add(pointer.clone(), item);
                }
            }
            Value::Array(items) => {
                for (position, item) in items.into_iter().enumerate() {
                    let pointer = format!("{pointer}/{position}");
                    match item {
                        Value::String(text) => add(pointer, &text),
                        other => self.refuse_kind(&pointer, &other, "text"),
                    }
                }
            }
            other => {
                self.refuse_kind(
                    &pointer,
                    &other,
                    "a list of texts, or one text with commas between them",
                );
                return None;
            }
        }
        Some(found)
    }

    /// Adds a problem. The message goes on after the place: "is missing" becomes "baseUrl is missing", so that it can be read
    /// without the pointer.
    pub fn refuse(&mut self, pointer: &str, message: impl AsRef<str>) {
        let message = format!("{} {}", place(pointer), message.as_ref());
        self.problems.push(problem(pointer, message));
    }

    /// Adds the problem that a value is of the wrong kind. The value itself is not repeated.
    pub fn refuse_kind(&mut self, pointer: &str, found: &Value, wanted: &str) {
        self.refuse(pointer, format!("is {}; it must be {wanted}", kind(found)));
    }

    /// Adds a warning.
    pub fn warn(&mut self, pointer: &str, message: impl Into<String>) {
        self.warnings.push(problem(pointer, message));
    }

    /// Refuses, by name, whatever was not taken.
    pub fn refuse_rest(&mut self) {
        let known: Vec<&str> = FIELDS
            .iter()
            .flat_map(|field| [Some(field.name), field.alias])
            .flatten()
            .collect();
        for name in std::mem::take(&mut self.fields)
            .into_iter()
            .map(|(name, _)| name)
        {
            let message = match nearest(&name, known.iter().copied()) {
                Some(close) => format!("is no field of this connector; did you mean {close}?"),
                None => format!(
                    "is no field of this connector; its fields are {}",
                    FIELDS.map(|field| field.name).join(", ")
                ),
            };
            self.refuse(&pointer_to(&name), message);
        }
    }
}

/// A problem at a place.
pub fn problem(pointer: &str, message: impl Into<String>) -> Problem {
    Problem {
        pointer: pointer.to_owned(),
        message: message.into(),
    }
}

/// JSON Pointer to a field of the top level.
fn pointer_to(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A pointer as people write the place: "/tags/1" is tags[1].
fn place(pointer: &str) -> String {
    let mut parts = pointer.split('/').skip(1);
    let name = parts.next().unwrap_or_default();
    let name = name.replace("~1", "/").replace("~0", "~");
    parts.fold(name, |place, part| format!("{place}[{part}]"))
}

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_list_and_a_text_with_commas_are_the_same() {
        let mut list = document(r#"{"tags": [" a ", "", "b", "a"]}"#);
        let mut text = document(r#"{"tags": "a, ,b,a,"}"#);
        let words = |taken: Option<Vec<(String, String)>>| {
            taken
                .unwrap()
                .into_iter()
                .map(|(_, word)| word)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(list.take_list(TAGS)), ["a", "b"]);
        assert_eq!(words(text.take_list(TAGS)), ["a", "b"]);
    }

    #[test]
    fn pointers_are_escaped() {
        let mut document = document(r#"{"a/b~c": 1}"#);
        document.refuse_rest();
        assert_eq!(document.problems[0].pointer, "/a~1b~0c");
        assert!(
            document.problems[0]
                .message
                .starts_with("a/b~c is no field")
        );
    }

    #[test]
    fn an_item_of_the_wrong_kind_is_named_by_its_place() {
        let mut document = document(r#"{"tags": ["a", 7, null]}"#);
        document.take_list(TAGS);
        let found: Vec<_> = document
            .problems
            .iter()
            .map(|p| (p.pointer.as_str(), p.message.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("/tags/1", "tags[1] is a number; it must be text"),
                ("/tags/2", "tags[2] is null; it must be text"),
            ]
        );
    }
}
