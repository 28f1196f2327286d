//! Bytes as they stand in a line: text where they are text, Base64 where not.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Text(std::borrow::Cow<'a, str>),
    Binary { base64: String },
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Form::Text(text.into()),
            Err(_) => Form::Binary {
                base64: encode(&self.0),
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(Self(text.into_owned().into_bytes())),
            Form::Binary { base64 } => decode(&base64)
                .map(Self)
                .ok_or_else(|| D::Error::custom("what should be Base64 is not")),
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or_default())
        });
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place) & 63) as usize;
            let letter = ALPHABET.get(sextet).copied().unwrap_or(b'A');
            text.push(if place <= group.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in bare.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            let sextet = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 6 | u32::try_from(sextet).ok()?;
        }
        let missing = u32::try_from(4 - group.len()).ok()?;
        bits <<= 6 * missing;
        let [_, one, two, three] = bits.to_be_bytes();
        bytes.extend(
            [one, two, three]
                .into_iter()
                .take(group.len().saturating_sub(1)),
        );
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_from_a_line(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let payload = Payload(bytes);
            let line = serde_json::to_string(&payload).unwrap();
            prop_assert_eq!(serde_json::from_str::<Payload>(&line).unwrap(), payload);
        }

        #[test]
        fn what_is_no_base64_is_refused_and_never_a_panic(text in ".{0,60}") {
            let line = serde_json::json!({"base64": text}).to_string();
            if let Ok(Payload(bytes)) = serde_json::from_str::<Payload>(&line) {
                prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn text_stays_readable() {
        assert_eq!(
            serde_json::to_string(&Payload(b"{}".to_vec())).unwrap(),
            "\"{}\""
        );
        assert_eq!(
            serde_json::to_string(&Payload(vec![0xff, 0])).unwrap(),
            r#"{"base64":"/wA="}"#
        );
    }
}
