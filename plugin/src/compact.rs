//! JSON files that come with the connector, without the white space that makes them readable: in the component each byte counts. The compiler
//! does it, so there is neither a build step nor a second copy in the tree.

/// The bytes of a JSON file beside the source, compact.
macro_rules! compact_json {
    ($file:literal) => {{
        const JSON: &[u8] = include_bytes!($file);
        const COMPACT: [u8; $crate::compact::length(JSON)] = $crate::compact::compact(JSON);
        &COMPACT
    }};
}
pub(crate) use compact_json;

/// How long a JSON text is without white space between its tokens.
pub(crate) const fn length(mut json: &[u8]) -> usize {
    let mut length = 0;
    let mut place = Place::Between;
    while let Some((byte, rest)) = json.split_first() {
        if place.keeps(*byte) {
            length += 1;
        }
        place = place.after(*byte);
        json = rest;
    }
    length
}

/// A JSON text of so many bytes without white space between its tokens.
pub(crate) const fn compact<const LENGTH: usize>(mut json: &[u8]) -> [u8; LENGTH] {
    let mut compact = [b' '; LENGTH];
    let mut room: &mut [u8] = &mut compact;
    let mut place = Place::Between;
    while let Some((byte, rest)) = json.split_first() {
        if place.keeps(*byte) {
            let Some((slot, left)) = room.split_first_mut() else {
                break;
            };
            *slot = *byte;
            room = left;
        }
        place = place.after(*byte);
        json = rest;
    }
    compact
}

/// Where in a JSON text.
#[derive(Clone, Copy)]
enum Place {
    Between,
    Text,
    /// After a backslash in a text.
    Escape,
}

impl Place {
    const fn keeps(self, byte: u8) -> bool {
        !matches!((self, byte), (Place::Between, b' ' | b'\n' | b'\r' | b'\t'))
    }

    const fn after(self, byte: u8) -> Place {
        match (self, byte) {
            (Place::Between, b'"') => Place::Text,
            (Place::Text, b'"') => Place::Between,
            (Place::Text, b'\\') => Place::Escape,
            (Place::Escape, _) => Place::Text,
            (place, _) => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn white_space_goes_between_tokens_and_stays_in_texts() {
        const JSON: &[u8] = br#" { "a b" : [ 1 , "c \" d", "\\" , " \n" ] ,
            "e":	null } "#;
        const COMPACT: [u8; length(JSON)] = compact(JSON);
        let text = std::str::from_utf8(&COMPACT).unwrap();
        assert_eq!(text, r#"{"a b":[1,"c \" d","\\"," \n"],"e":null}"#);
    }

    #[test]
    fn a_file_says_the_same_as_before() {
        let whole: Value = serde_json::from_slice(include_bytes!("../maps/safe.json")).unwrap();
        let compact: &[u8] = compact_json!("../maps/safe.json");
        assert_eq!(serde_json::from_slice::<Value>(compact).unwrap(), whole);
        assert!(compact.len() < include_bytes!("../maps/safe.json").len());
    }
}
