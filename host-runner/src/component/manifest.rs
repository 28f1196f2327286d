//! A component's manifest, parsed: names are unique and refer to what exists, schemas are JSON, paths are paths. What the
//! component declares here is what the host enforces, so a declaration that can't be enforced is refused.

use super::secret_fields;
use crate::contract::connector as wit;
use crate::domain::HOST_SECRET;
use crate::egress::{Budget, DeclaredCall, OriginRule};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why a manifest can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Two things bear one name.
    #[error("two {what} are named `{name}`")]
    Twice {
        /// "calls", "data streams", ...
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something refers to what is not there.
    #[error("{place} names the {what} `{name}`, which the manifest does not declare")]
    Unknown {
        /// Where.
        place: String,
        /// "origin", "data stream", "call".
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A value is not what it must be.
    #[error("{place}: {reason}")]
    Invalid {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// The connector's card in the marketplace, checked.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The connector's name, the same in every version.
    pub name: String,
    /// For people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Whose product it connects to.
    pub vendor: String,
    /// Which product.
    pub product: String,
    /// The marketplace's category.
    pub category: String,
    /// Further rows of the card, in order.
    pub details: Vec<(String, String)>,
    /// How to obtain the credentials, Markdown.
    pub setup: String,
    /// JSON Schema of the configuration.
    pub config_schema: Value,
    /// Where a connection may go.
    pub origins: Vec<OriginRules>,
    /// Every request that it can make.
    pub calls: Vec<Call>,
    /// The API's own limits.
    #[serde(skip)]
    pub budgets: Vec<Budget>,
    /// What it can read, in the order of reading.
    pub data_streams: Vec<DataStream>,
    /// The maps that come with it.
    pub maps: Vec<TransformMap>,
}

/// The rules for one named origin.
#[derive(Debug, Clone, Serialize)]
pub struct OriginRules {
    /// Its name.
    pub name: String,
    /// An origin is covered where one of these covers it.
    #[serde(serialize_with = "rules_as_text")]
    pub rules: Vec<OriginRule>,
}

/// One request that the connector can make.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Its name.
    pub name: String,
    /// The origin that it goes to.
    pub origin: String,
    /// Its method.
    pub method: &'static str,
    /// Its path, exactly as sent.
    pub path: String,
    /// What the credentials must be allowed to do.
    pub permission: String,
    /// The licence that the vendor asks for.
    pub licence: Option<String>,
    /// Which data streams need it.
    pub data_streams: Vec<String>,
    /// Whether it changes anything at the vendor's side.
    pub changes: bool,
}

/// Records of one kind.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataStream {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// JSON Schema of one source record.
    pub schema: Value,
    /// Whether a sync can read only what changed.
    pub incremental: bool,
}

/// A map that comes with the connector.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransformMap {
    /// Its name, unique together with the data stream.
    pub name: String,
    /// The stream whose records it takes.
    pub data_stream: String,
    /// The target model.
    pub target: String,
    /// The map.
    pub body: Value,
}

impl Manifest {
    /// Checks what a component said of itself.
    pub(crate) fn check(raw: wit::Manifest) -> Result<Self, ManifestError> {
        for (place, text) in [
            ("name", &raw.name),
            ("title", &raw.title),
            ("version", &raw.version),
            ("vendor", &raw.vendor),
            ("product", &raw.product),
        ] {
            if text.trim().is_empty() {
                return Err(invalid(place, "it is empty"));
            }
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !raw.name.chars().all(plain) {
            return Err(invalid(
                "name",
                "only lower-case letters, digits and dashes",
            ));
        }

        let origins = raw
            .origins
            .into_iter()
            .map(origin_rules)
            .collect::<Result<Vec<_>, _>>()?;
        let origin_names = unique("origins", origins.iter().map(|origin| &origin.name))?;

        let data_streams = raw
            .data_streams
            .into_iter()
            .map(|stream| {
                Ok(DataStream {
                    schema: json(
                        &format!("the schema of data stream `{}`", stream.name),
                        &stream.schema,
                    )?,
                    name: stream.name,
                    title: stream.title,
                    incremental: stream.incremental,
                })
            })
            .collect::<Result<Vec<_>, ManifestError>>()?;
        let stream_names = unique(
            "data streams",
            data_streams.iter().map(|stream| &stream.name),
        )?;

        let calls: Vec<Call> = raw.calls.into_iter().map(call).collect::<Result<_, _>>()?;
        let call_names = unique("calls", calls.iter().map(|call| &call.name))?;
        for call in &calls {
            let place = format!("the call `{}`", call.name);
            known(&place, "origin", &origin_names, &call.origin)?;
            for stream in &call.data_streams {
                known(&place, "data stream", &stream_names, stream)?;
            }
        }

        for (index, budget) in raw.budgets.iter().enumerate() {
            let place = format!("budget {}", index + 1);
            if budget.requests == 0 || budget.seconds == 0 {
                return Err(invalid(&place, "requests and seconds must be at least 1"));
            }
            for call in &budget.calls {
                known(&place, "call", &call_names, call)?;
            }
        }
        let budgets = raw
            .budgets
            .into_iter()
            .map(|budget| Budget {
                requests: budget.requests,
                seconds: budget.seconds,
                calls: budget.calls,
            })
            .collect();

        let maps = raw
            .maps
            .into_iter()
            .map(|map| {
                let place = format!("the map `{}` for `{}`", map.name, map.data_stream);
                known(&place, "data stream", &stream_names, &map.data_stream)?;
                Ok(TransformMap {
                    body: json(&place, &map.body)?,
                    name: map.name,
                    data_stream: map.data_stream,
                    target: map.target,
                })
            })
            .collect::<Result<Vec<_>, ManifestError>>()?;
        unique("maps", maps.iter().map(|map| (&map.name, &map.data_stream))).map_err(|_| {
            invalid(
                "maps",
                "two maps bear the same name for the same data stream",
            )
        })?;

        let config_schema = json("the configuration's schema", &raw.config_schema)?;
        let fields = config_schema.get("properties").and_then(Value::as_object);
        if let Some(name) = fields
            .into_iter()
            .flat_map(|fields| fields.keys())
            .find(|name| name.starts_with(HOST_SECRET))
        {
            return Err(invalid(
                &format!("the field `{name}` of the configuration"),
                "the host keeps secrets of its own under names that begin with `host:`, so no field may",
            ));
        }

        secret_fields::names(&config_schema)
            .map_err(|reason| invalid("the configuration's schema", &reason))?;
        Ok(Self {
            config_schema,
            name: raw.name,
            title: raw.title,
            version: raw.version,
            vendor: raw.vendor,
            product: raw.product,
            category: raw.category,
            details: raw.details,
            setup: raw.setup,
            origins,
            calls,
            budgets,
            data_streams,
            maps,
        })
    }

    /// The data stream of this name.
    #[must_use]
    pub fn data_stream(&self, name: &str) -> Option<&DataStream> {
        self.data_streams.iter().find(|stream| stream.name == name)
    }

    /// The calls as the way out enforces them.
    #[must_use]
    pub fn declared_calls(&self) -> Vec<DeclaredCall> {
        self.calls
            .iter()
            .map(|call| DeclaredCall {
                name: call.name.clone(),
                origin: call.origin.clone(),
                method: if call.method == "GET" {
                    http::Method::GET
                } else {
                    http::Method::POST
                },
                path: call.path.clone(),
            })
            .collect()
    }

    /// The names of the configuration's secret fields: its schema marks them `writeOnly`. One within an object is named by its path:
    /// "proxy.password".
    #[must_use]
    pub fn secret_fields(&self) -> Vec<String> {
        // The manifest was refused where the schema marks one that can't be found.
        secret_fields::names(&self.config_schema).unwrap_or_default()
    }
}

fn origin_rules(
    (name, rules): (String, Vec<wit::OriginRule>),
) -> Result<OriginRules, ManifestError> {
    let place = format!("the origin `{name}`");
    if rules.is_empty() {
        return Err(invalid(&place, "it has no rule, so it could go nowhere"));
    }
    let rules = rules
        .into_iter()
        .map(|rule| match rule {
            wit::OriginRule::Pattern(text) => {
                OriginRule::pattern(&text).map_err(|error| invalid(&place, &error.to_string()))
            }
            wit::OriginRule::Field(pointer) if pointer.starts_with('/') => {
                Ok(OriginRule::Field(pointer))
            }
            wit::OriginRule::Field(pointer) => Err(invalid(
                &place,
                &format!("`{pointer}` is no JSON Pointer to a field"),
            )),
        })
        .collect::<Result<_, _>>()?;
    Ok(OriginRules { name, rules })
}

fn call(raw: wit::Call) -> Result<Call, ManifestError> {
    if !raw.path.starts_with('/') {
        return Err(invalid(
            &format!("the call `{}`", raw.name),
            "its path does not begin with `/`",
        ));
    }
    Ok(Call {
        name: raw.name,
        origin: raw.origin,
        method: match raw.method {
            crate::contract::http::Method::Get => "GET",
            crate::contract::http::Method::Post => "POST",
        },
        path: raw.path,
        permission: raw.permission,
        licence: raw.licence,
        data_streams: raw.data_streams,
        changes: raw.changes,
    })
}

fn json(place: &str, bytes: &[u8]) -> Result<Value, ManifestError> {
    serde_json::from_slice(bytes).map_err(|error| invalid(place, &format!("not JSON: {error}")))
}

fn unique<T: Ord + ToText>(
    what: &'static str,
    names: impl Iterator<Item = T>,
) -> Result<BTreeSet<T>, ManifestError> {
    let mut seen = BTreeSet::new();
    for name in names {
        let text = name.to_text();
        if !seen.insert(name) {
            return Err(ManifestError::Twice { what, name: text });
        }
    }
    Ok(seen)
}

/// How a name is shown in an error.
trait ToText {
    fn to_text(&self) -> String;
}

impl ToText for &String {
    fn to_text(&self) -> String {
        (*self).clone()
    }
}

impl ToText for (&String, &String) {
    fn to_text(&self) -> String {
        format!("{} ({})", self.0, self.1)
    }
}

fn known(
    place: &str,
    what: &'static str,
    names: &BTreeSet<&String>,
    name: &String,
) -> Result<(), ManifestError> {
    if names.contains(name) {
        Ok(())
    } else {
        Err(ManifestError::Unknown {
            place: place.to_owned(),
            what,
            name: name.clone(),
        })
    }
}

fn invalid(place: &str, reason: &str) -> ManifestError {
    ManifestError::Invalid {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

fn rules_as_text<S: serde::Serializer>(
    rules: &[OriginRule],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rules.iter().map(|rule| match rule {
        OriginRule::Pattern(pattern) => pattern.to_string(),
        OriginRule::Field(pointer) => format!("what is typed in {pointer}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> wit::Manifest {
        wit::Manifest {
            name: "example".into(),
            title: "Example".into(),
            version: "1.0.0".into(),
            vendor: "Vendor".into(),
            product: "Product".into(),
            category: "Endpoint".into(),
            details: vec![],
            setup: String::new(),
            config_schema: br#"{"properties": {"key": {"writeOnly": true}, "url": {}}}"#.to_vec(),
            origins: vec![(
                "api".into(),
                vec![wit::OriginRule::Pattern("https://api.example.com".into())],
            )],
            calls: vec![wit::Call {
                name: "list".into(),
                origin: "api".into(),
                method: crate::contract::http::Method::Post,
                path: "/list".into(),
                permission: String::new(),
                licence: None,
                data_streams: vec!["things".into()],
                changes: false,
            }],
            budgets: vec![wit::Budget {
                requests: 10,
                seconds: 1,
                calls: vec!["list".into()],
            }],
            data_streams: vec![wit::DataStream {
                name: "things".into(),
                title: "Things".into(),
                schema: b"{}".to_vec(),
                incremental: false,
            }],
            maps: vec![],
        }
    }

    #[test]
    fn a_sound_manifest_is_taken_and_its_secret_fields_are_found() {
        let manifest = Manifest::check(raw()).unwrap();
        assert_eq!(manifest.secret_fields(), ["key"]);
        assert_eq!(manifest.declared_calls()[0].path, "/list");
    }

    #[test]
    fn a_field_that_bears_the_name_of_a_secret_of_the_hosts_own_is_refused() {
        for field in ["host:proxy-credentials", "host:"] {
            let mut greedy = raw();
            let schema = serde_json::json!({"properties": {field: {"writeOnly": true}}});
            greedy.config_schema = schema.to_string().into_bytes();
            let error = Manifest::check(greedy).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn a_secret_that_could_not_be_taken_out_makes_the_manifest_unusable() {
        let mut broken = raw();
        broken.config_schema =
            br#"{"properties": {"keys": {"items": {"writeOnly": true}}}}"#.to_vec();
        let error = Manifest::check(broken).unwrap_err().to_string();
        assert!(
            error.contains("/properties/keys/items/writeOnly"),
            "{error}"
        );
    }

    #[test]
    fn a_call_to_an_undeclared_origin_is_refused_by_name() {
        let mut broken = raw();
        broken.calls[0].origin = "elsewhere".into();
        let error = Manifest::check(broken).unwrap_err().to_string();
        assert_eq!(
            error,
            "the call `list` names the origin `elsewhere`, which the manifest does not declare"
        );
    }

    #[test]
    fn two_calls_of_one_name_are_refused() {
        let mut broken = raw();
        broken.calls.extend(raw().calls);
        assert_eq!(
            Manifest::check(broken).unwrap_err(),
            ManifestError::Twice {
                what: "calls",
                name: "list".into()
            }
        );
    }

    #[test]
    fn a_schema_that_is_not_json_is_refused_with_its_place() {
        let mut broken = raw();
        broken.data_streams[0].schema = b"{".to_vec();
        let error = Manifest::check(broken).unwrap_err().to_string();
        assert!(
            error.starts_with("the schema of data stream `things`: not JSON"),
            "{error}"
        );
    }

    #[test]
    fn a_budget_for_an_unknown_call_and_an_empty_one_are_refused() {
        let mut broken = raw();
        broken.budgets[0].calls = vec!["other".into()];
        assert!(Manifest::check(broken).is_err());
        let mut broken = raw();
        broken.budgets[0].requests = 0;
        assert!(Manifest::check(broken).is_err());
    }
}
