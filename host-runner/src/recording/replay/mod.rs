//! A recorded sync, run again without a network, a store or a clock: each answer comes from the file, in the order in which it was told then.
//!
//! The component and the pipeline are the real ones. What the store answered then (how each record stood, what became of a step) is in the recording as
//! well and not computed anew: what a tenant held before is not, and what an incremental sync does depends on it.

mod answers;
mod books;
mod guest;
mod lane;
mod outcome;
mod state;

pub use books::ReplayedBooks;
pub use outcome::{Divergence, Ending, ReplayError, Replayed};

use self::answers::ReplayedOutbound;
use self::state::{Replayer, Stop};
use super::event::Header;
use super::file::{Reader, Target};
use super::record::{Recorder, component};
use crate::domain::{ConnectionId, ConnectionName, DataStreamName, Timestamp};
use crate::engine::Plugin;
use crate::pipeline::{Cancel, Observer, SyncJob, SyncOptions, sync};
use crate::store::{AssetRules, Connection, Policy, Switches, Tested, WayOut};
use std::path::Path;
use std::sync::Arc;

/// How to replay.
#[derive(Clone)]
pub struct ReplayOptions {
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// How to stop it.
    pub cancel: Cancel,
}

/// Replays a recording against a component: the same build, or another whose behaviour is to be compared.
///
/// # Errors
/// Where the recording can't be read, or is of another connector. That the component behaves otherwise is no error: see [`Ending`].
pub async fn replay(
    path: &Path,
    plugin: &Arc<Plugin>,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    play(path, plugin, options, true, None).await
}

/// Replays a recording whose answers were changed, and writes down what the component asks and gives now. Requests may have other contents than they
/// had, and steps other records; their number and order must be the same.
///
/// # Errors
/// Where the recording can't be read, or the new one can't be written.
pub(super) async fn anew(
    path: &Path,
    plugin: &Arc<Plugin>,
    options: &ReplayOptions,
    target: &Target,
) -> Result<Replayed, ReplayError> {
    play(path, plugin, options, false, Some(target)).await
}

async fn play(
    path: &Path,
    plugin: &Arc<Plugin>,
    options: &ReplayOptions,
    strict: bool,
    target: Option<&Target>,
) -> Result<Replayed, ReplayError> {
    let (header, guest) = Reader::open(path)?;
    let (_, run) = Reader::open(path)?;
    let build = component(plugin);
    if build.name != header.component.name {
        return Err(ReplayError::OtherConnector {
            recorded: header.component.name,
            loaded: build.name,
        });
    }
    let mut replayer = Arc::new(Replayer::new(guest, run, strict));
    let recorder = match target {
        Some(target) => Some(Recorder::create(
            target,
            &Header {
                component: build,
                ..header.clone()
            },
            Arc::new(ReplayedOutbound::of(&replayer)),
        )?),
        None => None,
    };
    let ending = loop {
        let Some(stream) = replayer.next_stream()? else {
            break replayer.ending();
        };
        let job = job(&header, plugin, &stream, &replayer, options)?;
        let stop = async {
            match &recorder {
                None => {
                    let job = job;
                    tokio::select! {
                        biased;
                        stop = replayer.stopped() => Ok(Some(stop)),
                        report = sync(&job) => report.map(|_| None),
                    }
                }
                Some(recorder) => {
                    let job = recorder.tapped(job);
                    tokio::select! {
                        biased;
                        stop = replayer.stopped() => Ok(Some(stop)),
                        report = sync(&job) => report.map(|_| None),
                    }
                }
            }
        }
        .await?;
        if options.cancel.is_stopped() {
            break Ending::Stopped;
        }
        match stop {
            None => {}
            Some(Stop::Over) => {
                for event in replayer.run_over()? {
                    if let Some(recorder) = &recorder {
                        recorder.copy(&event);
                    }
                }
            }
            Some(Stop::Cut) => break replayer.ending(),
            Some(Stop::Diverged(divergence)) => break Ending::Diverged(divergence),
            Some(Stop::Broken(error)) => return Err(error.into()),
        }
        replayer = Arc::new(replayer.go_on());
    };
    if let Some(recorder) = recorder {
        match ending {
            Ending::Same => recorder.close().map(|_| ())?,
            _ => recorder.leave()?,
        }
    }
    Ok(replayer.replayed(header, ending))
}

fn job(
    header: &Header,
    plugin: &Arc<Plugin>,
    stream: &DataStreamName,
    replayer: &Arc<Replayer>,
    options: &ReplayOptions,
) -> Result<SyncJob<ReplayedBooks>, ReplayError> {
    let setup = &header.connection;
    let name = ConnectionName::new(&setup.name)
        .map_err(|error| ReplayError::Connection(error.to_string()))?;
    Ok(SyncJob {
        store: ReplayedBooks::of(replayer),
        plugin: Arc::clone(plugin),
        connection: Connection {
            id: ConnectionId(0),
            name,
            description: String::new(),
            component: header.component.clone(),
            reach: None,
            typed_config: serde_json::Value::Null,
            config: setup.config.clone(),
            origins: Vec::new(),
            secrets: Vec::new(),
            data_streams: setup.data_streams.clone(),
            scope: setup.scope.clone(),
            policy: Policy::default(),
            target: setup.target.clone(),
            maps: setup.maps.clone(),
            allow_loopback: false,
            way_out: WayOut::default(),
            tested: Tested::Untested {
                reason: "a recording".to_owned(),
            },
            leave_out_users: setup.leave_out_users,
            set_aside: None,
            secrets_changed_at: None,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        },
        stream: stream.clone(),
        model_schema: setup.model.to_string().into_bytes(),
        asset_rules: AssetRules {
            switches: Switches {
                update_existing_assets: setup.update_existing_assets,
                auto_onboard_assets: setup.auto_onboard_assets,
            },
            always_written: Vec::new(),
            onboarding_source: None,
            findings: None,
        },
        egress: Arc::new(ReplayedOutbound::of(replayer)),
        tap: Some(Arc::clone(replayer) as _),
        options: SyncOptions::default(),
        observer: Arc::clone(&options.observer),
        cancel: options.cancel.clone(),
    })
}
