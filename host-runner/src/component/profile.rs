//! What a build of a component is and can reach, in a form that is kept and compared: everything is in a fixed order, and the words that only people
//! read are left out, or stand as their hash.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Anatomy, Manifest};
use crate::domain::sha256_hex;
use crate::egress::OriginRule;

/// What a build is and can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// SHA-256 of the component's bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Size of the component in bytes.
    pub size: u64,
    /// What stands on the card, by what it is: "version", "licence" ... Long texts stand as their SHA-256.
    pub card: BTreeMap<String, String>,
    /// All imports, by full name, the contract's version included.
    pub imports: BTreeSet<String>,
    /// All exports, by full name.
    pub exports: BTreeSet<String>,
    /// The rules of each origin.
    pub origins: BTreeMap<String, BTreeSet<String>>,
    /// Every request that it can make, by name.
    pub calls: BTreeMap<String, CallProfile>,
    /// The API's own limits, to which the host holds it.
    pub budgets: Vec<BudgetProfile>,
    /// JSON Schema of the configuration, without words for people.
    pub config: Value,
    /// What it can read, by name.
    pub data_streams: BTreeMap<String, StreamProfile>,
    /// The maps that come with it, by data stream and name.
    pub maps: BTreeMap<String, MapProfile>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallProfile {
    /// The origin that it goes to.
    pub origin: String,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// What the credentials must be allowed to do.
    pub permission: String,
    /// The licence that the vendor asks for.
    pub licence: Option<String>,
    /// Which data streams need it.
    pub data_streams: BTreeSet<String>,
    /// Whether it changes anything at the vendor's side.
    pub changes: bool,
}

/// So many requests in so many seconds, over the named calls together; none means all calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetProfile {
    /// Requests.
    pub requests: u32,
    /// Seconds.
    pub seconds: u32,
    /// Names of calls.
    pub calls: BTreeSet<String>,
}

/// Records of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamProfile {
    /// For people.
    pub title: String,
    /// Whether a sync can read only what changed.
    pub incremental: bool,
    /// JSON Schema of one source record, without words for people.
    pub schema: Value,
}

/// A map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapProfile {
    /// The target model.
    pub target: String,
    /// SHA-256 of the map.
    pub sha256: String,
}

impl Profile {
    /// Of a component that was taken apart and has described itself.
    #[must_use]
    pub fn new(anatomy: &Anatomy, manifest: &Manifest, sha256: &str, size: u64) -> Self {
        Self {
            sha256: sha256.to_owned(),
            size,
            card: card(anatomy, manifest),
            imports: anatomy.imports.iter().cloned().collect(),
            exports: anatomy.exports.iter().cloned().collect(),
            origins: manifest
                .origins
                .iter()
                .map(|origin| {
                    let rules = origin.rules.iter().map(rule_text).collect();
                    (origin.name.clone(), rules)
                })
                .collect(),
            calls: calls(manifest),
            budgets: manifest
                .budgets
                .iter()
                .map(|budget| BudgetProfile {
                    requests: budget.requests,
                    seconds: budget.seconds,
                    calls: budget.calls.iter().cloned().collect(),
                })
                .collect(),
            config: without_words(&manifest.config_schema),
            data_streams: manifest
                .data_streams
                .iter()
                .map(|stream| {
                    let profile = StreamProfile {
                        title: stream.title.clone(),
                        incremental: stream.incremental,
                        schema: without_words(&stream.schema),
                    };
                    (stream.name.clone(), profile)
                })
                .collect(),
            maps: manifest
                .maps
                .iter()
                .map(|map| {
                    let profile = MapProfile {
                        target: map.target.clone(),
                        sha256: sha256_hex(map.body.to_string().as_bytes()),
                    };
                    (format!("{} for {}", map.name, map.data_stream), profile)
                })
                .collect(),
        }
    }
}

/// A rule as it is shown and compared.
#[must_use]
pub fn rule_text(rule: &OriginRule) -> String {
    match rule {
        OriginRule::Pattern(pattern) => pattern.to_string(),
        OriginRule::Field(pointer) => format!("the origin typed in {pointer}"),
    }
}

fn card(anatomy: &Anatomy, manifest: &Manifest) -> BTreeMap<String, String> {
    let metadata = &anatomy.metadata;
    let details: String = manifest
        .details
        .iter()
        .map(|(label, value)| format!("{label}\u{0}{value}\u{0}"))
        .collect();
    [
        ("name", Some(manifest.name.clone())),
        ("title", Some(manifest.title.clone())),
        ("version", Some(manifest.version.clone())),
        ("vendor", Some(manifest.vendor.clone())),
        ("product", Some(manifest.product.clone())),
        ("category", Some(manifest.category.clone())),
        ("details", Some(sha256_hex(details.as_bytes()))),
        ("setup", Some(sha256_hex(manifest.setup.as_bytes()))),
        ("licence", metadata.licence.clone()),
        ("source", metadata.source.clone()),
    ]
    .into_iter()
    .filter_map(|(what, value)| Some((what.to_owned(), value?)))
    .collect()
}

fn calls(manifest: &Manifest) -> BTreeMap<String, CallProfile> {
    manifest
        .calls
        .iter()
        .map(|call| {
            let profile = CallProfile {
                origin: call.origin.clone(),
                method: call.method.to_owned(),
                path: call.path.clone(),
                permission: call.permission.clone(),
                licence: call.licence.clone(),
                data_streams: call.data_streams.iter().cloned().collect(),
                changes: call.changes,
            };
            (call.name.clone(), profile)
        })
        .collect()
}

/// Keywords of a schema that change nothing but what a person reads.
const WORDS: [&str; 6] = [
    "$schema",
    "$comment",
    "title",
    "description",
    "examples",
    "x-order",
];

/// A schema without the words for people. Only where they are keywords: a property may bear such a name, and its schema is an object.
fn without_words(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, value)| !WORDS.contains(&name.as_str()) || value.is_object())
                .map(|(name, value)| (name.clone(), without_words(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_words).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_for_people_are_left_out_and_properties_of_such_names_are_not() {
        let schema = json!({
            "title": "Any",
            "properties": {
                "title": {"type": "string", "description": "words"},
                "tags": {"items": {"type": "string", "examples": ["a"]}},
            },
        });
        assert_eq!(
            without_words(&schema),
            json!({"properties": {"title": {"type": "string"}, "tags": {"items": {"type": "string"}}}})
        );
    }

    #[test]
    fn a_profile_reads_back_as_it_was_written() {
        let profile = Profile {
            imports: BTreeSet::from(["a".to_owned()]),
            config: json!({"type": "object"}),
            budgets: vec![BudgetProfile {
                requests: 1,
                seconds: 2,
                calls: BTreeSet::new(),
            }],
            ..Profile::default()
        };
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
    }
}
