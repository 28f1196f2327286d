//! The values in a text that is JSON, or nearly: one document or many, whole or cut off in the middle. Everything else stays as it is, byte for byte.

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot<'a> {
    /// It is a text: the property that it is of, or that its list is of.
    Text(Option<&'a str>),
    /// It is a number.
    Number(Option<&'a str>),
    /// It is no JSON.
    Outside,
}

impl<'a> Spot<'a> {
    /// The property's name.
    pub fn name(self) -> Option<&'a str> {
        match self {
            Self::Text(name) | Self::Number(name) => name,
            Self::Outside => None,
        }
    }
}

/// An object or a list around a value.
struct Frame {
    list: bool,
    /// The property that the list is of, or the last one of the object.
    name: Option<String>,
    /// The next text is a property's name.
    key_next: bool,
}

/// The text with values replaced: `visit` is shown each and gives another, or none.
pub fn rewrite(text: &str, visit: &mut dyn FnMut(Spot<'_>, &str) -> Option<String>) -> String {
    let bytes = text.as_bytes();
    let mut made = String::with_capacity(text.len());
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => quoted(bytes, at),
            b'-' | b'0'..=b'9' if !frames.is_empty() => run(bytes, at, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
            }),
            b'{' | b'[' | b'}' | b']' | b',' | b':' => at + 1,
            _ if frames.is_empty() => run(bytes, at, |byte| !matches!(byte, b'{' | b'[' | b'"')),
            _ => run(bytes, at, |byte| {
                !matches!(
                    byte,
                    b'{' | b'[' | b'}' | b']' | b',' | b':' | b'"' | b'-' | b'0'..=b'9'
                )
            }),
        };
        let token = text.get(at..end).unwrap_or_default();
        at = end.max(at + 1);
        match byte {
            b'{' | b'[' => {
                let name = owner(&frames).map(str::to_owned);
                frames.push(Frame {
                    list: *byte == b'[',
                    name,
                    key_next: *byte == b'{',
                });
                made.push_str(token);
            }
            b'}' | b']' => {
                frames.pop();
                made.push_str(token);
            }
            b',' | b':' => {
                if let Some(frame) = frames.last_mut() {
                    frame.key_next = *byte == b',' && !frame.list;
                }
                let outside = frames.is_empty().then(|| visit(Spot::Outside, token));
                made.push_str(outside.flatten().as_deref().unwrap_or(token));
            }
            b'"' => {
                let value = unquoted(token);
                match frames.last_mut() {
                    Some(frame) if frame.key_next => {
                        frame.name = Some(value);
                        made.push_str(token);
                    }
                    _ => match visit(Spot::Text(owner(&frames)), &value) {
                        Some(other) => made.push_str(&serde_json::Value::from(other).to_string()),
                        None => made.push_str(token),
                    },
                }
            }
            b'-' | b'0'..=b'9' if !frames.is_empty() => {
                let other = visit(Spot::Number(owner(&frames)), token);
                made.push_str(other.as_deref().unwrap_or(token));
            }
            _ if frames.is_empty() => {
                let other = visit(Spot::Outside, token);
                made.push_str(other.as_deref().unwrap_or(token));
            }
            _ => made.push_str(token),
        }
    }
    made
}

fn owner(frames: &[Frame]) -> Option<&str> {
    frames.last().and_then(|frame| frame.name.as_deref())
}

/// Where a quoted text ends, behind its quote; at the end of all where it is cut off.
fn quoted(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

fn run(bytes: &[u8], at: usize, part: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    at + 1 + rest.iter().take_while(|byte| part(**byte)).count()
}

/// What a quoted text says; as it stands where it is cut off.
fn unquoted(token: &str) -> String {
    serde_json::from_str(token).unwrap_or_else(|_| {
        let open = token.strip_prefix('"').unwrap_or(token);
        open.strip_suffix('"').unwrap_or(open).to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        rewrite(text, &mut |spot, value| {
            seen.push(format!("{}={value}", spot.name().unwrap_or("?")));
            None
        });
        seen
    }

    #[test]
    fn values_are_shown_with_their_property_at_any_depth_also_where_the_text_is_cut_off() {
        assert_eq!(
            seen(r#"{"a": ["x", {"b": 7}], "c": {"d": "y"}}"#),
            ["a=x", "b=7", "d=y"]
        );
        assert_eq!(
            seen("{\"a\":\"x\"}\n{\"a\":\"y\"}\n"),
            ["a=x", "?=\n", "a=y", "?=\n"]
        );
        assert_eq!(seen(r#"{"a": ["x", "cut"#), ["a=x", "a=cut"]);
        assert_eq!(seen("not JSON"), ["?=not JSON"]);
    }

    #[test]
    fn what_is_replaced_is_quoted_anew() {
        let made = rewrite(r#"{"a": "x\"y", "b": 1}"#, &mut |spot, value| match spot {
            Spot::Text(_) => Some(value.to_uppercase()),
            Spot::Number(_) => Some("2".to_owned()),
            Spot::Outside => None,
        });
        assert_eq!(made, r#"{"a": "X\"Y", "b": 2}"#);
    }

    proptest! {
        #[test]
        fn what_is_not_replaced_stays_byte_for_byte(text in r#"[\[\]{}:,"\\ a-z0-9.é\n-]{0,80}"#) {
            prop_assert_eq!(rewrite(&text, &mut |_, _| None), text);
        }
    }
}
