//! Completing a configuration: what the component makes of it, and what the host thinks of that.

use std::sync::Arc;

use serde_json::Value;

use super::{ConnectionError, TypedConfig, origins};
use crate::contract::connector::Policy as ContractPolicy;
use crate::contract::types::Problem;
use crate::domain::{DataStreamName, cut};
use crate::egress::Origin;
use crate::engine::Plugin;
use crate::imports::LogSink;
use crate::store::Policy;

/// A configuration that the component completed and the host allows.
#[derive(Debug, Clone)]
pub struct Completed {
    /// With defaults filled in, without secrets.
    pub config: Value,
    /// Where requests will go.
    pub origins: Vec<(String, Origin)>,
    /// Names of the secrets that they will use.
    pub secrets: Vec<String>,
    /// The data streams that the user chose, in the manifest's order.
    pub data_streams: Vec<DataStreamName>,
    /// What the user chose about assets and full syncs.
    pub policy: Policy,
    /// What is accepted and still worth telling.
    pub warnings: Vec<Problem>,
    /// What narrows each data stream.
    pub scope: Vec<(String, String)>,
}

impl Completed {
    /// The origins as they are saved.
    pub fn origin_texts(&self) -> Vec<(String, String)> {
        self.origins
            .iter()
            .map(|(name, origin)| (name.clone(), origin.to_string()))
            .collect()
    }
}

/// Has the component complete a configuration, and checks what it returns. Makes no request.
///
/// `written_by` is the version that completed it before, where it is one that was saved.
///
/// # Errors
/// The problems that the component found; or what it returned that the host does not allow.
pub async fn complete(
    plugin: &Plugin,
    typed: &TypedConfig,
    written_by: Option<&str>,
    allow_loopback: bool,
    log: Arc<dyn LogSink>,
) -> Result<Completed, ConnectionError> {
    typed.check_apart()?;
    let names = typed.secret_names();
    let raw = plugin
        .configure(&typed.config, &names, written_by, log)
        .await?
        .map_err(|problems| ConnectionError::Configuration(readable(problems)))?;
    if raw.config.len() > LARGEST {
        return Err(ConnectionError::Contract(format!(
            "the completed configuration has {} bytes, and one has at most {LARGEST}",
            raw.config.len()
        )));
    }
    let config: Value = serde_json::from_slice(&raw.config).map_err(|error| {
        ConnectionError::Contract(format!("the completed configuration isn't JSON: {error}"))
    })?;
    let manifest = plugin.manifest();
    for name in &raw.secrets {
        if !manifest.secret_fields().contains(name) {
            return Err(ConnectionError::Contract(format!(
                "it asks for the secret `{name}`, which its schema does not have"
            )));
        }
        if !names.contains(name) {
            return Err(ConnectionError::SecretMissing(name.clone()));
        }
    }
    let data_streams = data_streams(plugin, &raw.data_streams)?;
    let origins = origins::judge(manifest, &raw.origins, &typed.config, allow_loopback)?;
    Ok(Completed {
        config,
        origins,
        secrets: raw.secrets,
        data_streams,
        policy: policy(raw.policy),
        warnings: readable(raw.warnings),
        scope: raw.scope,
    })
}

/// The largest completed configuration, in bytes: as large as one that is typed.
const LARGEST: usize = 1 << 20;
/// Problems that are shown.
const MOST: usize = 100;
/// Characters of each.
const LONGEST: usize = 2_000;

/// Problems, no longer than a person reads.
fn readable(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.truncate(MOST);
    for problem in &mut problems {
        cut(&mut problem.pointer, LONGEST);
        cut(&mut problem.message, LONGEST);
    }
    problems
}

/// The chosen streams in the manifest's order, which is the order of reading.
fn data_streams(
    plugin: &Plugin,
    chosen: &[String],
) -> Result<Vec<DataStreamName>, ConnectionError> {
    let known = &plugin.manifest().data_streams;
    if let Some(unknown) = chosen
        .iter()
        .find(|name| !known.iter().any(|stream| stream.name == **name))
    {
        return Err(ConnectionError::Contract(format!(
            "it chose the data stream `{unknown}`, which its manifest does not have"
        )));
    }
    known
        .iter()
        .filter(|stream| chosen.contains(&stream.name))
        .map(|stream| {
            DataStreamName::new(stream.name.clone())
                .map_err(|error| ConnectionError::Contract(error.to_string()))
        })
        .collect()
}

fn policy(raw: ContractPolicy) -> Policy {
    Policy {
        update_existing_assets: raw.update_existing_assets,
        auto_onboard_assets: raw.auto_onboard_assets,
        full_sync_every_days: raw.full_sync_every_days,
    }
}
