//! Where a schema marks values as personal, as a tree that is walked beside a record.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// The keyword that marks a property.
const KEYWORD: &str = "x-personal";

/// Whom or what a value tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Personal {
    /// A person, by name or account.
    User,
    /// A machine, by its name or its domain's.
    Host,
    /// An address of a machine.
    Address,
    /// One thing at the vendor.
    Id,
}

impl Personal {
    fn read(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "host" => Some(Self::Host),
            "address" => Some(Self::Address),
            "id" => Some(Self::Id),
            _ => None,
        }
    }
}

/// The marks of a schema, as a graph: a schema that refers to itself has no end otherwise.
#[derive(Debug, Clone)]
pub struct Marks {
    nodes: Vec<Node>,
}

/// One schema within the schema.
#[derive(Debug, Clone, Default)]
struct Node {
    what: Option<Personal>,
    properties: BTreeMap<String, usize>,
    others: Option<usize>,
    items: Vec<usize>,
    /// Schemas that hold for the same value: alternatives and what is referred to.
    also: Vec<usize>,
}

impl Marks {
    /// Those of a JSON Schema: by `properties`, `additionalProperties`, `items` and `prefixItems`, also behind `allOf`, `anyOf`, `oneOf` and
    /// a `$ref` within the document.
    pub fn of(schema: &Value) -> Self {
        let mut reader = Reader {
            root: schema,
            nodes: Vec::new(),
            known: HashMap::new(),
            due: Vec::new(),
        };
        reader.node(schema);
        while let Some((at, schema)) = reader.due.pop() {
            let node = reader.read(schema);
            if let Some(place) = reader.nodes.get_mut(at) {
                *place = node;
            }
        }
        Self {
            nodes: reader.nodes,
        }
    }

    /// The place of the whole record.
    pub fn root(&self) -> Place<'_> {
        Place::of(self, [0])
    }

    /// The marked properties by name, wherever they stand.
    pub fn by_name(&self) -> Vec<(&str, Personal)> {
        let named = self.nodes.iter().flat_map(|node| &node.properties);
        named
            .filter_map(|(name, at)| {
                let place = Place::of(self, [*at]);
                let what = place.what().or_else(|| place.item().what());
                what.map(|what| (name.as_str(), what))
            })
            .collect()
    }

    /// Whether anything is marked so.
    pub fn any(&self, what: Personal) -> bool {
        self.nodes.iter().any(|node| node.what == Some(what))
    }
}

/// A place in a record, and what the schema says of it.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    marks: &'a Marks,
    /// All schemas that hold for the value here.
    at: Vec<usize>,
}

impl<'a> Place<'a> {
    fn of(marks: &'a Marks, from: impl IntoIterator<Item = usize>) -> Self {
        let mut at: Vec<usize> = Vec::new();
        let mut due: Vec<usize> = from.into_iter().collect();
        while let Some(next) = due.pop() {
            if let Some(node) = marks.nodes.get(next)
                && !at.contains(&next)
            {
                at.push(next);
                due.extend(&node.also);
            }
        }
        Self { marks, at }
    }

    fn nodes(&self) -> impl Iterator<Item = &'a Node> + '_ {
        self.at.iter().filter_map(|at| self.marks.nodes.get(*at))
    }

    /// What the value here, whole, tells; a user where it may be one.
    pub fn what(&self) -> Option<Personal> {
        let marked: Vec<Personal> = self.nodes().filter_map(|node| node.what).collect();
        if marked.contains(&Personal::User) {
            return Some(Personal::User);
        }
        marked.first().copied()
    }

    /// Whether the schema names this property of the object here.
    pub fn names(&self, property: &str) -> bool {
        self.nodes()
            .any(|node| node.properties.contains_key(property))
    }

    /// The place of an object's property.
    pub fn property(&self, name: &str) -> Self {
        let named = self
            .nodes()
            .filter_map(|node| node.properties.get(name).copied().or(node.others));
        Self::of(self.marks, named.collect::<Vec<_>>())
    }

    /// The place of a list's elements. Where the schema has no list, they are judged as one that stands alone.
    pub fn item(&self) -> Self {
        let items: Vec<usize> = self.nodes().flat_map(|node| node.items.clone()).collect();
        if items.is_empty() {
            return self.clone();
        }
        Self::of(self.marks, items)
    }

    /// The place of a value that is no list. Where the schema has a list, it is judged as an element that stands alone, too.
    pub fn alone(&self) -> Self {
        let items = self.nodes().flat_map(|node| node.items.clone());
        let all: Vec<usize> = self.at.iter().copied().chain(items).collect();
        Self::of(self.marks, all)
    }
}

struct Reader<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    /// Schemas by where they stand in memory, each read once.
    known: HashMap<*const Value, usize>,
    due: Vec<(usize, &'a Value)>,
}

impl<'a> Reader<'a> {
    /// The number of a schema, which will be read.
    fn node(&mut self, schema: &'a Value) -> usize {
        let next = self.nodes.len();
        let at = *self.known.entry(std::ptr::from_ref(schema)).or_insert(next);
        if at == next {
            self.nodes.push(Node::default());
            self.due.push((at, schema));
        }
        at
    }

    fn read(&mut self, schema: &'a Value) -> Node {
        let mut node = Node {
            what: schema
                .get(KEYWORD)
                .and_then(Value::as_str)
                .and_then(Personal::read),
            ..Node::default()
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            node.properties.insert(name.clone(), self.node(property));
        }
        node.others = schema
            .get("additionalProperties")
            .map(|others| self.node(others));
        for keyword in ["items", "prefixItems"] {
            for item in schema.get(keyword).map(one_or_many).unwrap_or_default() {
                node.items.push(self.node(item));
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let alternatives = schema.get(keyword).and_then(Value::as_array);
            for alternative in alternatives.into_iter().flatten() {
                node.also.push(self.node(alternative));
            }
        }
        let root = self.root;
        let referred = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| root.pointer(pointer));
        if let Some(referred) = referred {
            node.also.push(self.node(referred));
        }
        node
    }
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(many) => many.iter().collect(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_are_found_below_properties_items_references_and_alternatives() {
        let marks = Marks::of(&json!({
            "properties": {
                "users": {"type": "array", "items": {"type": "string"}, "x-personal": "user"},
                "host": {"x-personal": "host"},
                "plain": {"type": "string"},
                "events": {"items": {"properties": {"who": {"$ref": "#/$defs/user"}}}},
                "odd": {"anyOf": [{"type": "null"}, {"additionalProperties": {"x-personal": "address"}}]},
                "later": {"x-personal": "mood"}
            },
            "$defs": {"user": {"x-personal": "user"}}
        }));
        let root = marks.root();
        let what = |name: &str| root.property(name).what();
        assert_eq!(what("users"), Some(Personal::User));
        assert_eq!(what("host"), Some(Personal::Host));
        assert_eq!(what("plain"), None);
        assert_eq!(what("later"), None, "a later contract's mark is none here");
        let who = root.property("events").item().property("who");
        assert_eq!(who.what(), Some(Personal::User));
        let odd = root.property("odd").property("anything");
        assert_eq!(odd.what(), Some(Personal::Address));
        assert!(root.names("plain") && !root.names("anything"));
        assert!(marks.any(Personal::User) && !marks.any(Personal::Id));
    }

    #[test]
    fn a_schema_that_refers_to_itself_is_followed_for_ever() {
        let marks = Marks::of(&json!({
            "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "who": {"x-personal": "user"}}
        }));
        let mut deep = marks.root();
        for side in ["left", "right"].repeat(50) {
            deep = deep.property(side);
            assert_eq!(deep.property("who").what(), Some(Personal::User));
        }
        let itself = Marks::of(&json!({"$ref": "#"}));
        assert_eq!(itself.root().property("a").what(), None);
    }

    #[test]
    fn what_is_no_schema_marks_nothing() {
        for odd in [
            json!(null),
            json!(true),
            json!([]),
            json!({"properties": [1], "items": 3, "$ref": 7, "additionalProperties": true}),
        ] {
            let marks = Marks::of(&odd);
            assert_eq!(marks.root().property("a").item().what(), None, "{odd}");
        }
    }
}
