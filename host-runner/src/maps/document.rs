//! A map: its text, and what the host reads of it.

use serde_json::Value;

use super::pretty;
use super::twice::{Twice, twice};
use crate::domain::sha256_hex;
use crate::store::{MapOrigin, SavedMap, StoredMap};

/// A map. Its text is kept as it was written; two maps are the same where their hashes are, however they are laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct MapDocument {
    text: String,
    body: Value,
    hash: String,
}

/// Why a text is no map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAMap {
    /// It is no JSON.
    #[error("it isn't JSON: {reason} at line {line}, column {column}")]
    Json {
        /// What was met.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// A key stands twice in one object, and only one of the two would count.
    #[error(
        "the key `{key}` stands twice in one object, the second time at line {line}, column {column}; keep one of them"
    )]
    Twice {
        /// The key.
        key: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It is JSON, and no object.
    #[error("it is JSON, but no object")]
    NoObject,
}

impl MapDocument {
    /// Reads a text. The byte order mark that some editors write before it is no part of it, and goes.
    ///
    /// # Errors
    /// Where it is no JSON object, or an object in it has a key twice.
    pub fn parse(text: impl Into<String>) -> Result<Self, NotAMap> {
        let text: String = text.into();
        let text = match text.strip_prefix('\u{feff}') {
            Some(unmarked) => unmarked.to_owned(),
            None => text,
        };
        let map = Self::read(text)?;
        match twice(&map.text) {
            Some(Twice { key, line, column }) => Err(NotAMap::Twice { key, line, column }),
            None => Ok(map),
        }
    }

    fn read(text: String) -> Result<Self, NotAMap> {
        let body: Value = serde_json::from_str(&text).map_err(|error| NotAMap::Json {
            // The place is told by itself.
            reason: error
                .to_string()
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        if !body.is_object() {
            return Err(NotAMap::NoObject);
        }
        let hash = hash(&body);
        Ok(Self { text, body, hash })
    }

    /// A map of which there is no text, laid out for people.
    pub fn of(body: Value) -> Self {
        Self {
            text: pretty(&body),
            hash: hash(&body),
            body,
        }
    }

    /// A version of a tenant's own map. One that was saved before a key that stands twice was refused is what it was then.
    ///
    /// # Errors
    /// Where what was saved is no map, as only another program could do.
    pub fn saved(saved: &SavedMap) -> Result<Self, NotAMap> {
        Self::read(saved.body.clone())
    }

    /// The text, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The map.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// SHA-256 of the map without its layout, lower-case hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The name that stands in it.
    pub fn name(&self) -> Option<&str> {
        self.word("name")
    }

    /// The line about it that stands in it.
    pub fn title(&self) -> Option<&str> {
        self.word("title")
    }

    /// What whoever chooses it should know before.
    pub fn caution(&self) -> Option<&str> {
        self.word("caution")
    }

    /// The version that stands in it.
    pub fn version(&self) -> Option<&str> {
        self.word("version")
    }

    /// The target model that it names.
    pub fn target(&self) -> Option<&str> {
        self.word("target")
    }

    /// The data streams whose records it takes.
    pub fn streams(&self) -> Vec<&str> {
        match self.body.get("source") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// What its documents are: assets, findings or both.
    pub fn kinds(&self) -> Vec<&'static str> {
        [("asset", "assets"), ("finding", "findings")]
            .into_iter()
            .filter(|(key, _)| self.body.get(key).is_some())
            .map(|(_, kind)| kind)
            .collect()
    }

    /// How many rules it has.
    pub fn rules(&self) -> usize {
        self.body
            .get("rules")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }

    /// The same map under another name, laid out anew where its name was another.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        if self.name() == Some(name) {
            return self.clone();
        }
        let mut body = self.body.clone();
        if let Some(keys) = body.as_object_mut() {
            keys.insert("name".to_owned(), Value::from(name));
        }
        Self::of(body)
    }

    /// A copy of it under a new name. A reference to a schema's file goes: the file does not come along.
    #[must_use]
    pub fn copied_as(&self, name: &str) -> Self {
        let relative = |schema: &Value| schema.as_str().is_some_and(|path| !path.contains("://"));
        let mut body = self.body.clone();
        let Some(keys) = body.as_object_mut() else {
            return self.named(name);
        };
        if !keys.get("$schema").is_some_and(relative) {
            return self.named(name);
        }
        keys.remove("$schema");
        keys.insert("name".to_owned(), Value::from(name));
        Self::of(body)
    }

    /// As a connection keeps it.
    pub fn stored(&self, name: String, origin: MapOrigin) -> StoredMap {
        StoredMap {
            name,
            version: self.version().map(str::to_owned),
            hash: self.hash.clone(),
            body: self.body.to_string(),
            origin,
        }
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }
}

/// Keys are sorted and nothing stands between them, so that layout is no difference.
fn hash(body: &Value) -> String {
    sha256_hex(body.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_layout_of_a_map_is_no_difference_and_its_text_stays() {
        let one = MapDocument::parse("{\"name\": \"a\",\n \"version\": \"1.0\"}").unwrap();
        let other = MapDocument::parse("{\"version\":\"1.0\",\"name\":\"a\"}").unwrap();
        assert_eq!(one.hash(), other.hash());
        assert_ne!(one.text(), other.text());
        let stored = one.stored("a".to_owned(), MapOrigin::File);
        assert_eq!(stored.hash, sha256_hex(stored.body.as_bytes()));
    }

    #[test]
    fn what_is_no_map_is_told_with_its_place() {
        let error = MapDocument::parse("{\n  \"name\": }").unwrap_err();
        assert!(
            matches!(
                error,
                NotAMap::Json {
                    line: 2,
                    column: 11,
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(
            error.to_string(),
            "it isn't JSON: expected value at line 2, column 11"
        );
        assert_eq!(MapDocument::parse("[]"), Err(NotAMap::NoObject));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_with_its_name_and_its_place() {
        let text = "{\"rules\": [\n  {\"source\": \"a\", \"target\": \"b\", \"source\": \"c\"}]}";
        let error = MapDocument::parse(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key `source` stands twice in one object, the second time at line 2, column 41; keep one of them"
        );
        assert!(MapDocument::parse("{\"rules\": [], \"rules\": []}").is_err());
    }

    #[test]
    fn a_byte_order_mark_before_a_map_is_no_part_of_it() {
        let map = MapDocument::parse("\u{feff}{\"name\": \"a\"}").unwrap();
        assert_eq!(map, MapDocument::parse("{\"name\": \"a\"}").unwrap());
    }

    #[test]
    fn another_name_is_written_into_the_map_and_the_same_one_changes_nothing() {
        let map = MapDocument::parse("{ \"name\" : \"a\" }").unwrap();
        assert_eq!(map.named("a"), map);
        let other = map.named("b");
        assert_eq!(other.name(), Some("b"));
        assert_eq!(MapDocument::parse(other.text()).unwrap(), other);
    }

    #[test]
    fn odd_maps_are_read_as_far_as_they_can_be() {
        let odd = MapDocument::of(json!({"name": 1, "source": {}, "rules": "x", "finding": null}));
        assert_eq!((odd.name(), odd.rules()), (None, 0));
        assert!(odd.streams().is_empty());
        let one = MapDocument::of(json!({"source": "alerts", "asset": {}}));
        assert_eq!(
            (one.streams(), one.kinds()),
            (vec!["alerts"], vec!["assets"])
        );
    }
}
