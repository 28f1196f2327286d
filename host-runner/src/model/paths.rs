//! The paths that a JSON Schema describes, as maps write them: `networkInterfaces[].ipAddress`.

use std::collections::BTreeSet;

use serde_json::Value;

/// How far references, alternatives and properties are followed; a schema that refers to itself must not keep us.
const DEPTH: usize = 12;

/// How many paths of one schema are listed.
const MOST: usize = 5_000;

/// Whether something must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Required {
    /// It may be absent.
    No,
    /// It must be there in some of the forms that the schema allows.
    Sometimes,
    /// It must be there.
    Always,
}

/// A path of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaPath {
    /// As maps write it; `*` stands for any name.
    pub path: String,
    /// The types that a value may have: "string", "string or number"; of a list "list of string".
    pub types: String,
    /// Whether the object that it stands in must have it, wherever that object is.
    pub required: Required,
    /// The others of which one must be there, itself among them.
    pub one_of: Vec<String>,
    /// Whether each document must have it: it is required, and so is all that it stands in.
    pub needed: Required,
    /// Whether it is a value, with no paths below it.
    pub leaf: bool,
    /// The only values that it may have, as JSON, where the schema says so.
    pub values: Vec<String>,
    /// For people, "" for nothing.
    pub description: String,
}

/// All paths below a place of a schema, each before those below it. `pointer` is the place's JSON Pointer.
pub fn schema_paths(schema: &Value, pointer: &str) -> Vec<SchemaPath> {
    let mut walk = Walk {
        schema,
        found: Vec::new(),
    };
    if let Some(root) = schema.pointer(pointer) {
        walk.object(&[root], "", Required::Always, DEPTH);
    }
    walk.found
}

struct Walk<'s> {
    schema: &'s Value,
    found: Vec<SchemaPath>,
}

impl<'s> Walk<'s> {
    /// A node with its references and alternatives laid out flat.
    fn expanded(&self, node: &'s Value) -> Vec<&'s Value> {
        let mut nodes = Vec::new();
        self.expand(node, DEPTH, &mut nodes);
        nodes
    }

    fn expand(&self, node: &'s Value, depth: usize, into: &mut Vec<&'s Value>) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let reference = node.get("$ref").and_then(Value::as_str);
        let target = reference
            .and_then(|text| text.strip_prefix('#'))
            .and_then(|pointer| self.schema.pointer(pointer));
        if let Some(target) = target {
            self.expand(target, depth, into);
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            for alternative in list(node, word) {
                self.expand(alternative, depth, into);
            }
        }
        into.push(node);
    }

    /// What an object must have in each of the forms that a node allows.
    fn always(&self, node: &'s Value, depth: usize) -> BTreeSet<&'s str> {
        let Some(depth) = depth.checked_sub(1) else {
            return BTreeSet::new();
        };
        let mut names: BTreeSet<&'s str> =
            list(node, "required").filter_map(Value::as_str).collect();
        let reference = node.get("$ref").and_then(Value::as_str);
        let target = reference
            .and_then(|text| text.strip_prefix('#'))
            .and_then(|pointer| self.schema.pointer(pointer));
        for all in target.into_iter().chain(list(node, "allOf")) {
            names.extend(self.always(all, depth));
        }
        for word in ["anyOf", "oneOf"] {
            let forms = list(node, word).map(|form| self.always(form, depth));
            names.extend(common(forms));
        }
        names
    }

    /// An object that one of these nodes describes.
    fn object(&mut self, written: &[&'s Value], prefix: &str, needed: Required, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let nodes: Vec<&'s Value> = written
            .iter()
            .flat_map(|node| self.expanded(node))
            .collect();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for node in &nodes {
            let properties = node.get("properties").and_then(Value::as_object);
            names.extend(
                properties
                    .into_iter()
                    .flat_map(|all| all.keys())
                    .map(String::as_str),
            );
        }
        let always = common(written.iter().map(|node| self.always(node, DEPTH)));
        let required_by = |with_properties: bool| -> BTreeSet<&str> {
            nodes
                .iter()
                .filter(|node| node.get("properties").is_some() == with_properties)
                .flat_map(|node| list(node, "required"))
                .filter_map(Value::as_str)
                .collect()
        };
        // A form that names no properties is one of several ways to have what the object names.
        let (ways, sometimes) = (required_by(false), required_by(true));
        for name in names {
            let one_of: Vec<String> = if ways.contains(name) && !always.contains(name) {
                ways.iter().map(|name| (*name).to_owned()).collect()
            } else {
                Vec::new()
            };
            let required = if always.contains(name) {
                Required::Always
            } else if sometimes.contains(name) {
                Required::Sometimes
            } else {
                Required::No
            };
            let below: Vec<&'s Value> = nodes
                .iter()
                .filter_map(|node| node.get("properties")?.get(name))
                .collect();
            self.property(&below, prefix, name, (required, one_of), needed, depth);
        }
        let open: Vec<&'s Value> = nodes
            .iter()
            .filter_map(|node| node.get("additionalProperties"))
            .filter(|schema| schema.is_object())
            .collect();
        if !open.is_empty() {
            self.property(
                &open,
                prefix,
                "*",
                (Required::No, Vec::new()),
                needed,
                depth,
            );
        }
    }

    fn property(
        &mut self,
        written: &[&'s Value],
        prefix: &str,
        name: &str,
        (required, one_of): (Required, Vec<String>),
        parent: Required,
        depth: usize,
    ) {
        if self.found.len() >= MOST {
            return;
        }
        let separator = if prefix.is_empty() { "" } else { "." };
        let path = format!("{prefix}{separator}{name}");
        let own = if one_of.is_empty() {
            required
        } else {
            Required::Always
        };
        let needed = parent.min(own);
        let nodes: Vec<&'s Value> = written
            .iter()
            .flat_map(|node| self.expanded(node))
            .collect();
        let items: Vec<&'s Value> = nodes.iter().filter_map(|node| node.get("items")).collect();
        let elements: Vec<&'s Value> = items.iter().flat_map(|node| self.expanded(node)).collect();
        let at = self.found.len();
        self.found.push(SchemaPath {
            types: types(&nodes, &elements),
            required,
            one_of,
            needed,
            leaf: true,
            values: values(&nodes),
            description: described(&nodes),
            path: path.clone(),
        });
        self.object(written, &path, needed, depth);
        self.object(&items, &format!("{path}[]"), needed, depth);
        let leaf = self.found.len() == at + 1;
        if let Some(found) = self.found.get_mut(at) {
            found.leaf = leaf;
        }
    }
}

/// What all of these sets have; nothing where there is none.
fn common<'s>(mut sets: impl Iterator<Item = BTreeSet<&'s str>>) -> BTreeSet<&'s str> {
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |common, set| {
        common.intersection(&set).copied().collect()
    })
}

fn list<'v>(node: &'v Value, word: &str) -> impl Iterator<Item = &'v Value> {
    node.get(word)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn names(nodes: &[&Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for node in nodes {
        let words: Vec<&str> = match node.get("type") {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ if node.get("properties").is_some() => vec!["object"],
            _ => Vec::new(),
        };
        for word in words {
            if word != "null" && !names.iter().any(|name| name == word) {
                names.push(word.to_owned());
            }
        }
    }
    names
}

fn types(nodes: &[&Value], items: &[&Value]) -> String {
    let mut words = names(nodes);
    let element = names(items).join(" or ");
    for word in &mut words {
        if word == "array" {
            *word = match element.as_str() {
                "" => "list".to_owned(),
                element => format!("list of {element}"),
            };
        }
    }
    if words.is_empty() {
        "anything".to_owned()
    } else {
        words.join(" or ")
    }
}

fn values(nodes: &[&Value]) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for node in nodes {
        let given = list(node, "enum").chain(node.get("const"));
        for value in given {
            let text = value.to_string();
            if !values.contains(&text) {
                values.push(text);
            }
        }
    }
    values
}

fn described(nodes: &[&Value]) -> String {
    // What stands nearest to the property says more than what it refers to.
    let said = |key: &str| {
        nodes
            .iter()
            .rev()
            .find_map(|node| node.get(key).and_then(Value::as_str))
            .map(str::to_owned)
    };
    said("description")
        .or_else(|| said("title"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Model;

    fn told(schema: &Value) -> String {
        schema_paths(schema, "")
            .iter()
            .map(|path| {
                let mark = match (path.needed, path.required, path.one_of.is_empty()) {
                    (Required::Always, _, _) => "!",
                    (_, Required::Always, _) => "+",
                    (_, Required::Sometimes, _) => "~",
                    (_, _, false) => "?",
                    _ => "",
                };
                format!("{}{mark} {}\n", path.path, path.types)
            })
            .collect()
    }

    #[test]
    fn paths_are_listed_with_types_and_what_is_required() {
        let schema = json!({
            "properties": {
                "id": {"type": "string"},
                "tags": {"type": ["array", "null"], "items": {"type": "string"}},
                "nets": {"type": "array", "items": {"$ref": "#/$defs/net"}},
                "custom": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
                "any": {}
            },
            "required": ["id"],
            "$defs": {"net": {"properties": {"ip": {"type": "string"}, "mac": {"type": "string"}, "v": {"const": 4}},
                "required": ["v"], "anyOf": [{"required": ["ip"]}, {"required": ["mac"]}]}}
        });
        assert_eq!(
            told(&schema),
            "any anything\ncustom object\ncustom.* string or number\nid! string\nnets list of object\nnets[].ip? string\n\
             nets[].mac? string\nnets[].v+ anything\ntags list of string\n"
        );
    }

    #[test]
    fn what_only_some_forms_require_is_told_from_what_all_do() {
        let schema = json!({
            "oneOf": [{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/other"}],
            "$defs": {
                "one": {"properties": {"id": {}, "cve": {"properties": {"uid": {}}, "required": ["uid"]}}, "required": ["id", "cve"]},
                "other": {"allOf": [{"properties": {"id": {}}, "required": ["id"]}], "properties": {"name": {}}, "required": ["name"]}
            }
        });
        assert_eq!(
            told(&schema),
            "cve~ object\ncve.uid+ anything\nid! anything\nname~ anything\n"
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_has_an_end() {
        let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}}}});
        let paths = schema_paths(&schema, "");
        assert!(!paths.is_empty() && paths.len() < 20, "{}", paths.len());
    }

    #[test]
    fn each_bundled_model_has_paths_for_both_kinds_and_some_that_each_document_needs() {
        for model in Model::bundled().unwrap() {
            for kind in ["asset", "finding"] {
                let paths = model.paths(kind);
                assert!(paths.len() > 5, "{model} {kind}");
                assert!(
                    paths.iter().any(|path| path.needed == Required::Always),
                    "{model} {kind}"
                );
                assert!(paths.len() < MOST, "{model} {kind}: {}", paths.len());
            }
        }
    }
}
