//! The configuration: read, checked and completed. Pure: no clock, no network, no secret.

pub mod base_url;
mod choice;
mod complete;
mod document;
mod nearest;
mod read;
mod settings;

pub use document::{FIELDS, Field};
pub(crate) use read::{ENDPOINT_STATES, KNOWN_ALERT_SOURCES};
pub use settings::{AlertStatus, DataStream, SecurityLevel, Settings};

use crate::contract::{Configuration, Problem};
use document::Document;
use read::Read;

/// The name of the one origin that the connector speaks to.
pub const ORIGIN: &str = "api";

/// The name of the connector's one secret: the API key. A field of the configuration's schema, but never of the configuration.
pub const API_KEY: &str = document::API_KEY.name;

/// Checks and completes a configuration: the contract's `configure`. All problems are told at once, each with its place.
///
/// `secrets_set` names the secrets that the host holds. `written_by` is the version that completed the configuration before;
/// no version so far wrote one that this one would read differently.
pub fn configure(
    config: &[u8],
    secrets_set: &[String],
    written_by: Option<&str>,
) -> Result<Configuration, Vec<Problem>> {
    let _ = written_by;
    let Read {
        settings,
        mut warnings,
    } = read::read(config, |document| check_secrets(document, secrets_set))?;
    warnings.extend(warn_of_findings_without_assets(&settings));
    Ok(Configuration {
        config: settings.to_config(),
        origins: vec![(ORIGIN.to_owned(), settings.origin.clone())],
        secrets: vec![API_KEY.to_owned()],
        data_streams: settings
            .data_streams
            .iter()
            .map(|stream| stream.name().to_owned())
            .collect(),
        policy: settings.policy(),
        warnings,
        scope: settings
            .data_streams
            .iter()
            .map(|stream| (stream.name().to_owned(), settings.scope(*stream)))
            .collect(),
    })
}

impl Settings {
    /// Reads a configuration, completed or not; whether the secrets are set is not asked here. A completed one gives the
    /// settings it was made from.
    pub fn from_config(config: &[u8]) -> Result<Settings, Vec<Problem>> {
        read::read(config, |_| ()).map(|read| read.settings)
    }
}

/// The key must be with the host, under its name.
fn check_secrets(document: &mut Document, secrets_set: &[String]) {
    let pointer = format!("/{API_KEY}");
    let in_config = document
        .problems
        .iter()
        .any(|problem| problem.pointer == pointer);
    if !in_config && !secrets_set.iter().any(|name| name == API_KEY) {
        document.refuse(
            &pointer,
            "is missing: hand the API key over as a secret (--secret apiKey=env:VARIABLE on the command line)",
        );
    }
    for name in secrets_set.iter().filter(|name| *name != API_KEY) {
        let message = format!(
            "the secret {} is set, but this connector uses only {API_KEY}",
            choice::shown(name)
        );
        document.warn("", message);
    }
}

/// Findings attach to assets; a connection that reads no assets relies on others for them.
fn warn_of_findings_without_assets(settings: &Settings) -> Option<Problem> {
    let only_alerts =
        settings.data_streams.len() == 1 && settings.data_streams.contains(&DataStream::Alerts);
    only_alerts.then(|| {
        document::problem(
            "/dataStreams",
            "alerts without endpoints: findings attach only to assets that the platform holds already",
        )
    })
}

#[cfg(test)]
mod tests;
