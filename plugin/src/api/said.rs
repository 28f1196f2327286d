//! What a foreign text says: errors in whichever of the API's envelopes, and short quotations of bodies of any kind.

use crate::json_text::json_text;
use serde_json::Value;

/// How much of a foreign text a message quotes, in characters.
const EXCERPT: usize = 200;

/// What an error reply says, whichever of the API's envelopes it came in.
pub(super) struct Said {
    /// The code that the reply itself names.
    pub code: Option<u16>,
    /// What it says, short and cleaned.
    pub text: String,
    /// Whether this is an error even under a good status.
    pub under_200: bool,
}

impl Said {
    /// What there is in a reply; none where it has no place for an error.
    pub fn read(body: &Value) -> Option<Said> {
        let object = match body.get("reply") {
            Some(Value::Object(reply)) => reply,
            Some(Value::String(text)) => {
                return Some(Said {
                    code: None,
                    text: cleaned(text),
                    under_200: false,
                });
            }
            _ => match body.get("data").unwrap_or(body) {
                Value::Object(object) => object,
                _ => return None,
            },
        };
        let metadata = object.get("metadata").and_then(Value::as_object);
        let find = |name: &str| {
            object
                .get(name)
                .or_else(|| metadata.and_then(|metadata| metadata.get(name)))
                .filter(|value| !value.is_null())
        };
        let code = find("err_code").or_else(|| find("errorCode"));
        let texts = [
            "err_msg",
            "err_extra",
            "error",
            "message",
            "description",
            "details",
            "detail",
            "errors",
        ];
        let said: Vec<String> = texts
            .iter()
            .filter_map(|name| find(name))
            .map(words)
            .collect();
        Some(Said {
            under_200: code.is_some() || find("err_msg").is_some(),
            code: code.and_then(|code| match code {
                Value::Number(number) => number.as_u64().and_then(|code| u16::try_from(code).ok()),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            }),
            text: cleaned(&said.join("; ")),
        })
    }
}

/// The text of an `err_extra`, which comes as a text, an object or a list. The names of an object's fields tell something
/// ("parse_err"), so they stay.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => json_text(other),
    }
}

/// A short quotation of a body of any kind: without tags, scripts and control characters.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let head = bytes.get(..bytes.len().min(16 << 10)).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head);
    if looks_like_html(head) {
        cleaned(&without_tags(&text))
    } else {
        cleaned(&text)
    }
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        text.push_str(before);
        text.push(' ');
        let lower: String = tag.chars().take(7).collect::<String>().to_ascii_lowercase();
        let close = if lower.starts_with("<script") {
            "</script>"
        } else if lower.starts_with("<style") {
            "</style>"
        } else {
            ">"
        };
        match tag.to_ascii_lowercase().find(close) {
            Some(end) => rest = tag.get(end + close.len()..).unwrap_or_default(),
            None => return text,
        }
    }
    text.push_str(rest);
    text
}

fn cleaned(text: &str) -> String {
    let mut short = String::new();
    for (count, character) in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .flat_map(|word| word.chars().chain([' ']))
        .enumerate()
    {
        if count >= EXCERPT {
            short.truncate(short.trim_end().len());
            short.push('…');
            return short;
        }
        short.push(character);
    }
    short.truncate(short.trim_end().len());
    short
}

/// Whether a body is a web page rather than what was asked for.
pub(super) fn looks_like_html(bytes: &[u8]) -> bool {
    bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
}
