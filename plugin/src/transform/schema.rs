//! What a JSON Schema allows below a path: enough of JSON Schema to check the paths of a map, and to propose the right one.

use super::path::{Path, Segment};
use super::plan::Needs;
use super::value::Value;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How far references and alternatives are followed; a schema that refers to itself must not keep us.
const DEPTH: usize = 12;

/// How many paths are listed when the nearest one is sought.
const MOST_PATHS: usize = 2000;

/// JSON types, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const ALL: Kinds = Kinds(0x7f);
    const NONE: Kinds = Kinds(0);

    const NULL: u8 = 1;
    const BOOLEAN: u8 = 2;
    const INTEGER: u8 = 4;
    const FRACTION: u8 = 8;
    const STRING: u8 = 16;
    const ARRAY: u8 = 32;
    const OBJECT: u8 = 64;

    /// What each name asks for.
    const NAMES: [(&'static str, u8); 7] = [
        ("null", Self::NULL),
        ("boolean", Self::BOOLEAN),
        ("integer", Self::INTEGER),
        ("number", Self::INTEGER | Self::FRACTION),
        ("string", Self::STRING),
        ("array", Self::ARRAY),
        ("object", Self::OBJECT),
    ];

    /// Whether lists are among them.
    pub(super) fn has_lists(self) -> bool {
        self.0 & Self::ARRAY != 0
    }

    /// Whether objects are among them.
    pub(super) fn has_objects(self) -> bool {
        self.0 & Self::OBJECT != 0
    }

    fn add(&mut self, name: &str) {
        self.0 |= Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0, |(_, bits)| *bits);
    }

    /// Whether a value is of one of these types. An absent one is: it is not written.
    pub(super) fn takes(self, value: &Value<'_>) -> bool {
        let bit = match value {
            Value::Null => return true,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Unsigned(_) | Value::Signed(_) => Self::INTEGER,
            Value::Float(_) => Self::FRACTION,
            Value::Text(_) => Self::STRING,
            Value::List(_) => Self::ARRAY,
            Value::Object(_) | Value::Slots(_) => Self::OBJECT,
        };
        self.0 & bit != 0
    }

    /// The set in words, for a message.
    pub(super) fn describe(self) -> String {
        let number = self.0 & Self::FRACTION != 0;
        let mut names: Vec<&str> = Vec::new();
        for (name, bits) in Self::NAMES {
            let more_than_it = bits == Self::INTEGER && number;
            if self.0 & bits == bits && bits != Self::NULL && !more_than_it {
                names.push(name);
            }
        }
        names.join(" or ")
    }
}

/// A parsed JSON Schema.
#[derive(Debug)]
pub(super) struct Schema {
    root: Json,
}

/// A place in a schema: the alternatives that describe it. None of them means that anything goes.
#[derive(Debug, Clone)]
pub(super) struct Place<'s> {
    schema: &'s Schema,
    nodes: Vec<&'s Json>,
}

/// Why a path is not in a schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// No such name; the path up to and including it.
    Unknown(String),
    /// Written as a list and none there, or the reverse; the path as it should be written.
    Listness {
        /// Up to the name in question.
        path: String,
        /// Whether the schema has a list there.
        is_list: bool,
    },
}

impl Schema {
    /// Reads a schema. None where there is nothing in it that could be checked: no bytes, `{}`, `true`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Schema>, serde_json::Error> {
        if bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        let root: Json = serde_json::from_slice(bytes)?;
        Ok(root
            .as_object()
            .is_some_and(|keys| !keys.is_empty())
            .then_some(Schema { root }))
    }

    /// The schema as a whole.
    pub(super) fn root(&self) -> Place<'_> {
        let mut nodes = Vec::new();
        self.expand(&self.root, DEPTH, &mut nodes);
        Place {
            schema: self,
            nodes,
        }
    }

    /// A node with its references and alternatives laid out flat.
    fn expand<'s>(&'s self, node: &'s Json, depth: usize, into: &mut Vec<&'s Json>) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if let Some(reference) = node.get("$ref").and_then(Json::as_str) {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            if let Some(target) = target {
                self.expand(target, depth, into);
            }
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            for alternative in node
                .get(word)
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
            {
                self.expand(alternative, depth, into);
            }
        }
        into.push(node);
    }
}

impl<'s> Place<'s> {
    /// Below a property; none where there is no such one.
    pub(super) fn property(&self, name: &str) -> Option<Place<'s>> {
        let mut nodes = Vec::new();
        for node in &self.nodes {
            if let Some(below) = node.get("properties").and_then(|all| all.get(name)) {
                self.schema.expand(below, DEPTH, &mut nodes);
            }
        }
        if !nodes.is_empty() {
            return Some(Place {
                schema: self.schema,
                nodes,
            });
        }
        let named = self
            .nodes
            .iter()
            .any(|node| has_keys(node.get("properties")));
        for node in &self.nodes {
            if let Some(below @ Json::Object(_)) = node.get("additionalProperties") {
                self.schema.expand(below, DEPTH, &mut nodes);
            }
        }
        if !nodes.is_empty() {
            return Some(Place {
                schema: self.schema,
                nodes,
            });
        }
        // An object of which no key is named is open; one that names some is taken at its word, so that a slip of the pen shows.
        (!named && self.kinds().has_objects()).then(|| Place {
            schema: self.schema,
            nodes: Vec::new(),
        })
    }

    /// Each element; none where there can be no list.
    pub(super) fn items(&self) -> Option<Place<'s>> {
        if !self.kinds().has_lists() {
            return None;
        }
        let mut nodes = Vec::new();
        for node in &self.nodes {
            if let Some(items) = node.get("items") {
                self.schema.expand(items, DEPTH, &mut nodes);
            }
        }
        Some(Place {
            schema: self.schema,
            nodes,
        })
    }

    /// The keys that an object needs here: of each group at least one. Of `anyOf` and `oneOf` those count whose alternatives all require a key.
    pub(super) fn needs(&self) -> Needs {
        let mut needs = Needs::new();
        for group in self.forms().into_iter().flatten() {
            note(&mut needs, group);
        }
        needs
    }

    /// The same for each of the objects that the schema describes here.
    pub(super) fn forms(&self) -> Vec<Needs> {
        let mut forms = Vec::new();
        for node in &self.nodes {
            // An alternative by itself names no properties: what it requires holds only together with the others.
            if !has_keys(node.get("properties")) {
                continue;
            }
            let mut needs = Needs::new();
            for name in list(node, "required") {
                note(&mut needs, vec![text(name)]);
            }
            for word in ["anyOf", "oneOf"] {
                let mut group = Vec::new();
                for alternative in list(node, word) {
                    let before = group.len();
                    group.extend(list(alternative, "required").iter().map(text));
                    if group.len() == before {
                        group.clear();
                        break;
                    }
                }
                if !group.is_empty() {
                    note(&mut needs, group);
                }
            }
            forms.push(needs);
        }
        forms
    }

    /// The only values that the schema has here; none where it leaves them open.
    pub(super) fn values(&self) -> Vec<Value<'static>> {
        let mut values = Vec::new();
        for node in &self.nodes {
            if let Some(only) = node.get("const") {
                values.push(Value::from_json(only));
            } else if let Some(Json::Array(all)) = node.get("enum") {
                values.extend(all.iter().map(Value::from_json));
            } else if node.get("type").is_some() {
                return Vec::new();
            }
        }
        values
    }

    /// The types that a value may have here.
    pub(super) fn kinds(&self) -> Kinds {
        let mut kinds = Kinds::NONE;
        for node in &self.nodes {
            match node.get("type") {
                Some(Json::String(name)) => kinds.add(name),
                Some(Json::Array(names)) => names
                    .iter()
                    .filter_map(Json::as_str)
                    .for_each(|name| kinds.add(name)),
                _ if has_keys(node.get("properties")) => kinds.add("object"),
                _ => {}
            }
        }
        if kinds == Kinds::NONE {
            Kinds::ALL
        } else {
            kinds
        }
    }

    /// Follows a path from here.
    pub(super) fn follow(&self, segments: &[Segment]) -> Result<Place<'s>, Miss> {
        let mut place = self.clone();
        for (at, segment) in segments.iter().enumerate() {
            let so_far = || {
                let upto = segments.get(..=at).unwrap_or_default().to_vec();
                Path { segments: upto }
            };
            place = place
                .property(&segment.name)
                .ok_or_else(|| Miss::Unknown(so_far().to_string()))?;
            let last = at + 1 == segments.len();
            if segment.list {
                place = place.items().ok_or_else(|| Miss::Listness {
                    path: so_far().to_string(),
                    is_list: false,
                })?;
            } else if !last && place.kinds().has_lists() && !place.kinds().has_objects() {
                return Err(Miss::Listness {
                    path: so_far().to_string(),
                    is_list: true,
                });
            }
        }
        Ok(place)
    }

    /// All paths below here that a map could name, lists of objects with `[]`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = BTreeSet::new();
        self.collect("", 6, &mut paths);
        paths.into_iter().collect()
    }

    fn collect(&self, prefix: &str, depth: usize, into: &mut BTreeSet<String>) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        for node in &self.nodes {
            for name in node
                .get("properties")
                .and_then(Json::as_object)
                .into_iter()
                .flat_map(|all| all.keys())
            {
                let Some(below) = self.property(name) else {
                    continue;
                };
                let path = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                if into.len() >= MOST_PATHS {
                    return;
                }
                match below.items().filter(|_| below.kinds() != Kinds::ALL) {
                    Some(items) if items.has_names() => {
                        items.collect(&format!("{path}[]"), depth, into)
                    }
                    _ => {
                        into.insert(path.clone());
                        below.collect(&path, depth, into);
                    }
                }
            }
        }
    }

    fn has_names(&self) -> bool {
        self.nodes
            .iter()
            .any(|node| has_keys(node.get("properties")))
    }
}

/// A list below a node; an empty one where there is none.
fn list<'j>(node: &'j Json, name: &str) -> &'j [Json] {
    node.get(name)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn note(needs: &mut Needs, group: Vec<String>) {
    if !needs.contains(&group) {
        needs.push(group);
    }
}

fn has_keys(node: Option<&Json>) -> bool {
    node.and_then(Json::as_object)
        .is_some_and(|keys| !keys.is_empty())
}

/// The candidate that someone most likely meant, where one is near enough.
pub(super) fn nearest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let name = |path: &str| {
        path.rsplit('.')
            .next()
            .unwrap_or(path)
            .trim_end_matches("[]")
            .to_lowercase()
    };
    let lower = written.to_lowercase();
    let last = name(written);
    candidates
        .into_iter()
        .map(|candidate| {
            let whole = strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase());
            // The same name at another place is a good guess too.
            let by_name = strsim::normalized_damerau_levenshtein(&last, &name(candidate)) * 0.95;
            (whole.max(by_name), candidate)
        })
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(json: serde_json::Value) -> Schema {
        Schema::parse(&serde_json::to_vec(&json).unwrap())
            .unwrap()
            .unwrap()
    }

    fn follow(schema: &Schema, path: &str) -> Result<String, Miss> {
        schema
            .root()
            .follow(&Path::parse(path).unwrap().segments)
            .map(|place| place.kinds().describe())
    }

    fn example() -> Schema {
        schema(serde_json::json!({
            "type": "object",
            "$defs": {"tag": {"type": "string"}},
            "properties": {
                "name": {"type": ["string", "null"]},
                "tags": {"type": "object", "properties": {"server_tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}}}},
                "cves": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "score": {"type": "number"}}}},
                "extra": {"type": "object"},
                "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                "either": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "self": {"$ref": "#"}
            }
        }))
    }

    #[test]
    fn paths_of_the_schema_are_found_with_their_types() {
        let schema = example();
        for (path, kinds) in [
            ("name", "string"),
            ("tags.server_tags", "array"),
            ("tags.server_tags[]", "string"),
            ("cves[].score", "number"),
            (
                "extra.anything.below",
                "boolean or number or string or array or object",
            ),
            ("fields.mine", "string"),
            ("either", "string or array"),
            ("either[]", "string"),
            ("self.self.name", "string"),
        ] {
            assert_eq!(follow(&schema, path), Ok(kinds.to_owned()), "{path}");
        }
    }

    #[test]
    fn paths_outside_of_the_schema_are_told_apart() {
        let schema = example();
        assert_eq!(follow(&schema, "nam"), Err(Miss::Unknown("nam".into())));
        assert_eq!(
            follow(&schema, "cves[].nam"),
            Err(Miss::Unknown("cves[].nam".into()))
        );
        assert_eq!(
            follow(&schema, "cves.name"),
            Err(Miss::Listness {
                path: "cves".into(),
                is_list: true
            })
        );
        assert_eq!(
            follow(&schema, "name[]"),
            Err(Miss::Listness {
                path: "name[]".into(),
                is_list: false
            })
        );
        assert_eq!(
            follow(&schema, "name.first"),
            Err(Miss::Unknown("name.first".into()))
        );
    }

    #[test]
    fn the_nearest_path_is_proposed() {
        let schema = example();
        let paths = schema.root().paths();
        let near = |written| nearest(written, paths.iter().map(String::as_str));
        assert_eq!(near("nmae"), Some("name"));
        assert_eq!(near("cves[].scor"), Some("cves[].score"));
        assert_eq!(near("server_tags"), Some("tags.server_tags"));
        assert_eq!(near("zzz"), None);
    }

    #[test]
    fn what_an_object_needs_is_known_with_its_alternatives() {
        let schema = schema(serde_json::json!({
            "properties": {
                "plain": {"type": "object", "properties": {"a": {}}},
                "both": {
                    "properties": {"a": {}, "b": {}, "c": {}},
                    "required": ["a"],
                    "anyOf": [{"required": ["b"]}, {"required": ["c"]}]
                },
                "either": {"oneOf": [
                    {"properties": {"a": {}}, "required": ["a"]},
                    {"properties": {"a": {}}}
                ]}
            }
        }));
        let needs = |name: &str| schema.root().property(name).unwrap().needs();
        assert_eq!(needs("plain"), Vec::<Vec<String>>::new());
        assert_eq!(needs("both"), [vec!["a"], vec!["b", "c"]]);
        assert_eq!(needs("either"), [vec!["a"]]);
    }

    #[test]
    fn a_schema_that_says_nothing_checks_nothing() {
        assert!(Schema::parse(b"").unwrap().is_none());
        assert!(Schema::parse(b" {} ").unwrap().is_none());
        assert!(Schema::parse(b"{").is_err());
    }
}
