//! Target models: what a platform's assets and findings look like, and what holds there where the user does not say.
//!
//! A model is data of the host, one JSON file each below `models/`; a connector's maps name it as their target.

mod paths;

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::store::{AssetRules, Policy, Switches};

pub use paths::{Required, SchemaPath, schema_paths};

/// The bundled models. A new one is a new file and a line here.
const BUNDLED: &[(&str, &str)] = &[
    ("safe", include_str!("../../models/safe.json")),
    ("qualys-etm", include_str!("../../models/qualys-etm.json")),
    ("ocsf", include_str!("../../models/ocsf.json")),
];

/// A target model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// As maps name it.
    pub name: String,
    /// For people.
    pub title: String,
    /// Where its field names come from.
    pub description: String,
    /// What holds where the user does not say.
    pub defaults: Defaults,
    /// JSON Pointers into an asset of what is written even where existing assets are not updated: the custom fields.
    #[serde(default)]
    pub always_written: Vec<String>,
    /// JSON Pointer into an asset of where it says who brought it in, where it does: that is kept when others write to the asset.
    #[serde(default)]
    pub onboarding_source: Option<String>,
    /// JSON Pointer into an asset of the list in which it nests its findings, where it does.
    #[serde(default)]
    pub findings: Option<String>,
    /// JSON Schema with the properties `asset` and `finding`.
    pub schema: Value,
}

/// What holds where the user does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// Whether mapped values overwrite those of assets that exist.
    pub update_existing_assets: bool,
    /// Whether assets that do not exist are created.
    pub auto_onboard_assets: bool,
}

/// Why there is no such model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// None has that name.
    #[error("there is no target model \"{name}\": there is {}", .known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A model's file is none.
    #[error("the target model \"{name}\" can't be read: {reason}")]
    Unreadable {
        /// Which.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Model {
    /// The models that come with the runner.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`], which for bundled models a test excludes.
    pub fn bundled() -> Result<Vec<Self>, ModelError> {
        BUNDLED
            .iter()
            .map(|(name, text)| Self::read(name, text))
            .collect()
    }

    /// The bundled model of that name.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], which names those that there are.
    pub fn by_name(name: &str) -> Result<Self, ModelError> {
        match BUNDLED.iter().find(|(bundled, _)| *bundled == name) {
            Some((name, text)) => Self::read(name, text),
            None => Err(ModelError::Unknown {
                name: name.to_owned(),
                known: BUNDLED.iter().map(|(name, _)| (*name).to_owned()).collect(),
            }),
        }
    }

    fn read(name: &str, text: &str) -> Result<Self, ModelError> {
        serde_json::from_str(text).map_err(|error| ModelError::Unreadable {
            name: name.to_owned(),
            reason: error.to_string(),
        })
    }

    /// What holds for a connection: what its user chose, or else the model's defaults.
    pub fn switches(&self, policy: &Policy) -> Switches {
        Switches {
            update_existing_assets: policy
                .update_existing_assets
                .unwrap_or(self.defaults.update_existing_assets),
            auto_onboard_assets: policy
                .auto_onboard_assets
                .unwrap_or(self.defaults.auto_onboard_assets),
        }
    }

    /// How documents of a connection are written to assets.
    pub fn asset_rules(&self, policy: &Policy) -> AssetRules {
        AssetRules {
            switches: self.switches(policy),
            always_written: self.always_written.clone(),
            onboarding_source: self.onboarding_source.clone(),
            findings: self.findings.clone(),
        }
    }

    /// The paths of its documents of a kind, `asset` or `finding`, as maps write them.
    pub fn paths(&self, kind: &str) -> Vec<SchemaPath> {
        schema_paths(&self.schema, &format!("/properties/{kind}"))
    }

    /// The schema as a connector's `transform` takes it.
    pub fn schema_bytes(&self) -> Vec<u8> {
        self.schema.to_string().into_bytes()
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.title, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bundled_model_reads_and_has_the_name_of_its_file() {
        let models = Model::bundled().unwrap();
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names, ["safe", "qualys-etm", "ocsf"]);
        for model in &models {
            for kind in ["asset", "finding"] {
                assert!(
                    model
                        .schema
                        .pointer(&format!("/properties/{kind}"))
                        .is_some(),
                    "{model} has no {kind}"
                );
            }
        }
    }

    #[test]
    fn safe_updates_and_does_not_onboard_and_the_others_do_both() {
        let unset = Policy::default();
        let both = |model: &str| {
            let switches = Model::by_name(model).unwrap().switches(&unset);
            (
                switches.update_existing_assets,
                switches.auto_onboard_assets,
            )
        };
        assert_eq!(both("safe"), (true, false));
        assert_eq!(both("qualys-etm"), (true, true));
        assert_eq!(both("ocsf"), (true, true));
    }

    #[test]
    fn what_the_user_chose_comes_before_the_defaults() {
        let policy = Policy {
            update_existing_assets: Some(false),
            auto_onboard_assets: Some(true),
            full_sync_every_days: None,
        };
        let switches = Model::by_name("safe").unwrap().switches(&policy);
        assert!(!switches.update_existing_assets && switches.auto_onboard_assets);
    }

    #[test]
    fn what_has_a_rule_of_its_own_is_a_place_in_the_models_asset() {
        for model in Model::bundled().unwrap() {
            for pointer in [&model.onboarding_source, &model.findings]
                .into_iter()
                .flatten()
                .chain(&model.always_written)
            {
                let place = format!("/$defs/asset/properties{pointer}");
                assert!(
                    model.schema.pointer(&place).is_some(),
                    "{model} has no {pointer}"
                );
            }
        }
        let safe = Model::by_name("safe").unwrap();
        assert_eq!(safe.always_written, ["/customFields"]);
        assert_eq!(safe.onboarding_source.as_deref(), Some("/onboardingSource"));
        let qualys = Model::by_name("qualys-etm").unwrap();
        assert_eq!(qualys.findings.as_deref(), Some("/finding"));
    }

    #[test]
    fn an_unknown_model_is_told_with_those_that_there_are() {
        let error = Model::by_name("ocsf2").unwrap_err().to_string();
        assert!(error.contains("safe, qualys-etm, ocsf"), "{error}");
    }
}
