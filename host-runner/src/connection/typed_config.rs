//! The configuration as the user typed it: secrets are taken out before the component sees it.

use serde_json::{Map, Value};

use super::ConnectionError;
use crate::secrets::{Secret, SecretSet};

/// What the user typed, apart from its secrets.
#[derive(Debug, Clone)]
pub struct TypedConfig {
    /// Without secrets.
    pub config: Value,
    /// The secrets: those that stood in it, and those given beside it.
    pub secrets: SecretSet,
}

impl TypedConfig {
    /// Takes the secrets out of a configuration and adds those that are given beside it. `fields` are the connector's secret
    /// fields.
    ///
    /// # Errors
    /// Where it is no object, a secret is no text, is given twice, or is none of the connector's.
    pub fn new(
        config: Value,
        given: SecretSet,
        fields: &[String],
    ) -> Result<Self, ConnectionError> {
        let mut object = object(config)?;
        let mut secrets = SecretSet::default();
        for field in fields {
            match take(&mut object, field) {
                // An empty one is as good as none: the form was left blank.
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => secrets.insert(field.clone(), Secret::new(text)),
                Some(_) => return Err(ConnectionError::SecretNotText(field.clone())),
            }
        }
        if let Some((name, field)) = misspelt(&object, fields) {
            return Err(ConnectionError::SecretMisspelt { name, field });
        }
        for (name, secret) in given.iter() {
            if !fields.iter().any(|field| field == name) {
                return Err(ConnectionError::NoSuchSecret {
                    name: name.to_owned(),
                    hint: nearest(name, fields),
                    fields: fields.to_vec(),
                });
            }
            if secrets.get(name).is_some() {
                return Err(ConnectionError::SecretTwice(name.to_owned()));
            }
            secrets.insert(name, secret.clone());
        }
        Ok(Self {
            config: Value::Object(object),
            secrets,
        })
    }

    /// Adds the secrets that are kept already and not given anew.
    #[must_use]
    pub fn with_kept(mut self, kept: &SecretSet) -> Self {
        for (name, secret) in kept.iter() {
            if self.secrets.get(name).is_none() {
                self.secrets.insert(name, secret.clone());
            }
        }
        self
    }

    /// Refuses a configuration in which a secret's value stands somewhere else as well: the component would see it.
    ///
    /// # Errors
    /// [`ConnectionError::SecretElsewhere`] with the secret's name and the place, and without the value.
    pub fn check_apart(&self) -> Result<(), ConnectionError> {
        for (name, secret) in self.secrets.iter() {
            let value = secret.expose();
            // A short one stands somewhere by chance.
            if value.len() < SHORTEST {
                continue;
            }
            if let Some(pointer) = place_of(&self.config, value, String::new()) {
                return Err(ConnectionError::SecretElsewhere {
                    name: name.to_owned(),
                    pointer,
                });
            }
        }
        Ok(())
    }

    /// Names of the secrets that are set, as `configure` wants them.
    pub fn secret_names(&self) -> Vec<String> {
        self.secrets.names().map(str::to_owned).collect()
    }
}

/// Shorter values are not looked for elsewhere in a configuration.
const SHORTEST: usize = 8;

/// Takes a field out, by its name or, within objects, by its path.
fn take(object: &mut Map<String, Value>, field: &str) -> Option<Value> {
    if let Some(value) = object.remove(field) {
        return Some(value);
    }
    // A name may hold dots itself, so each of them may be where the path goes on.
    field.match_indices('.').find_map(|(at, _)| {
        let (first, rest) = (field.get(..at)?, field.get(at + 1..)?);
        take(object.get_mut(first)?.as_object_mut()?, rest)
    })
}

/// A field of the configuration that is one of the secrets but for its spelling, and that secret. Its value would go to the component, which
/// knows no such field.
fn misspelt(object: &Map<String, Value>, fields: &[String]) -> Option<(String, String)> {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    object.keys().find_map(|name| {
        let field = fields.iter().find(|field| plain(field) == plain(name))?;
        Some((name.clone(), field.clone()))
    })
}

/// Where a text stands in a document, as a JSON Pointer; in a name too.
fn place_of(value: &Value, text: &str, place: String) -> Option<String> {
    match value {
        Value::String(found) => found.contains(text).then_some(place),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| place_of(item, text, format!("{place}/{at}"))),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            if name.contains(text) {
                return Some(format!("{place} (the name of a field)"));
            }
            place_of(field, text, format!("{place}/{name}"))
        }),
        _ => None,
    }
}

fn object(config: Value) -> Result<Map<String, Value>, ConnectionError> {
    Err(ConnectionError::NotAnObject(match config {
        Value::Object(object) => return Ok(object),
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
    }))
}

fn nearest(name: &str, fields: &[String]) -> String {
    fields
        .iter()
        .map(|field| {
            (
                strsim::jaro_winkler(&field.to_lowercase(), &name.to_lowercase()),
                field,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, field)| format!(" (did you mean `{field}`?)"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Vec<String> {
        vec!["apiKey".to_owned()]
    }

    fn given(name: &str) -> SecretSet {
        [(name.to_owned(), Secret::new("test-key".to_owned()))]
            .into_iter()
            .collect()
    }

    #[test]
    fn a_secret_in_the_configuration_is_taken_out_of_it() {
        let typed = TypedConfig::new(
            json!({"url": "u", "apiKey": "test-key"}),
            SecretSet::default(),
            &fields(),
        )
        .unwrap();
        assert_eq!(typed.config, json!({"url": "u"}));
        assert_eq!(
            typed.secrets.get("apiKey").map(Secret::expose),
            Some("test-key")
        );
        assert_eq!(typed.secret_names(), ["apiKey"]);
        assert!(!format!("{typed:?}").contains("test-key"));
    }

    #[test]
    fn a_secret_within_an_object_is_taken_out_of_it() {
        let fields = ["proxy.password".to_owned(), "a.b".to_owned()];
        let config =
            json!({"proxy": {"user": "u", "password": "test-key"}, "a.b": "test-b", "a": {"c": 1}});
        let typed = TypedConfig::new(config, SecretSet::default(), &fields).unwrap();
        assert_eq!(typed.config, json!({"proxy": {"user": "u"}, "a": {"c": 1}}));
        assert_eq!(typed.secret_names(), ["a.b", "proxy.password"]);
        // What stands in its place and is no object is the component's to judge.
        let config = json!({"proxy": "none"});
        let typed = TypedConfig::new(config, given("proxy.password"), &fields).unwrap();
        assert_eq!(typed.config, json!({"proxy": "none"}));
    }

    #[test]
    fn a_secret_under_a_name_that_is_spelt_otherwise_is_refused_and_not_shown() {
        for name in ["apikey", "ApiKey", "api_key", "API-KEY"] {
            let error =
                TypedConfig::new(json!({name: "test-key"}), SecretSet::default(), &fields())
                    .unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains(name) && told.contains("apiKey"), "{told}");
            assert!(!told.contains("test-key"), "{told}");
        }
        let config = json!({"apiKeyId": "7"});
        assert!(TypedConfig::new(config, SecretSet::default(), &fields()).is_ok());
    }

    #[test]
    fn a_secret_that_stands_in_another_field_as_well_is_refused_and_not_shown() {
        for (config, place) in [
            (json!({"apiKeyId": "test-key"}), "/apiKeyId"),
            (json!({"tags": ["a", "Bearer test-key"]}), "/tags/1"),
            (
                json!({"a": {"b": {"test-key": 1}}}),
                "/a/b (the name of a field)",
            ),
        ] {
            let typed = TypedConfig::new(config, given("apiKey"), &fields()).unwrap();
            let told = typed.check_apart().unwrap_err().to_string();
            assert!(told.contains(place) && told.contains("apiKey"), "{told}");
            assert!(!told.replace(place, "").contains("test-key"), "{told}");
        }
        let apart = TypedConfig::new(json!({"a": "test"}), given("apiKey"), &fields()).unwrap();
        apart.check_apart().unwrap();
    }

    #[test]
    fn an_empty_or_null_secret_is_none_and_does_not_stay() {
        for empty in [json!(""), json!(null)] {
            let typed =
                TypedConfig::new(json!({ "apiKey": empty }), given("apiKey"), &fields()).unwrap();
            assert_eq!(typed.config, json!({}));
            assert!(typed.secrets.get("apiKey").is_some());
        }
    }

    #[test]
    fn a_secret_that_is_given_twice_is_refused_without_being_shown() {
        let error = TypedConfig::new(json!({"apiKey": "test-key"}), given("apiKey"), &fields())
            .unwrap_err();
        assert!(matches!(&error, ConnectionError::SecretTwice(name) if name == "apiKey"));
        assert!(!error.to_string().contains("test-key"));
    }

    #[test]
    fn a_secret_that_the_connector_does_not_have_is_refused_with_the_nearest() {
        let error = TypedConfig::new(json!({}), given("apikey"), &fields()).unwrap_err();
        assert!(
            error.to_string().contains("did you mean `apiKey`"),
            "{error}"
        );
        let error = TypedConfig::new(json!({}), given("zzz"), &fields()).unwrap_err();
        assert!(!error.to_string().contains("did you mean"), "{error}");
    }

    #[test]
    fn a_secret_that_is_no_text_is_refused() {
        let error =
            TypedConfig::new(json!({"apiKey": 7}), SecretSet::default(), &fields()).unwrap_err();
        assert!(matches!(error, ConnectionError::SecretNotText(_)));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for value in [json!(null), json!(true), json!(1), json!("a"), json!([])] {
            assert!(matches!(
                TypedConfig::new(value, SecretSet::default(), &fields()),
                Err(ConnectionError::NotAnObject(_))
            ));
        }
    }

    #[test]
    fn a_secret_given_anew_replaces_the_kept_one() {
        let kept: SecretSet = [("apiKey".to_owned(), Secret::new("old".to_owned()))]
            .into_iter()
            .collect();
        let typed = TypedConfig::new(json!({}), given("apiKey"), &fields())
            .unwrap()
            .with_kept(&kept);
        assert_eq!(
            typed.secrets.get("apiKey").map(Secret::expose),
            Some("test-key")
        );
        let typed = TypedConfig::new(json!({}), SecretSet::default(), &fields())
            .unwrap()
            .with_kept(&kept);
        assert_eq!(typed.secrets.get("apiKey").map(Secret::expose), Some("old"));
    }
}
